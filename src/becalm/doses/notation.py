"""What stands behind the unit of a dose: how often it is given, how many times, over what time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from becalm.doses.unit_table import TABLE

DAY_H: Final = 24.0

_TIME: Final = r"(?P<unit>days?|d|hours?|hrs?|h|minutes?|mins?)"
_N: Final = r"\d{1,6}"
"""A count or a length; more digits are no schedule."""
_OVER = re.compile(rf"\b(?:over|within|in)\s*(?P<number>{_N}(?:\.\d{{1,6}})?)\s*{_TIME}\b")
_COUNT = re.compile(
    rf"(?:\bx|×)\s*(?P<number>{_N})(?:\s*(?P<of>doses?|times|days?|d))?(?![\w*^.⁰¹²³⁴-⁹/])"
)
_DAYS = re.compile(rf"\bfor\s*(?P<number>{_N})\s*(?:days?|d)\b")
_EVERY = re.compile(
    rf"\b(?:q\s?|every\s*)(?P<number>{_N})\s?(?:hours?|hrs?|hr|h|hourly)\b|\b(?P<hourly>{_N})[ -]?hourly\b"
)
_DIVIDED = re.compile(
    rf"\bin\s*(?P<before>{_N})\s*divided(?:\s*doses)?\b"
    rf"|\b(?:divided|split)\b(?:\s*(?:in|into)?\s*(?P<after>{_N})(?:\s*doses)?)?"
)
_A_DAY = re.compile(r"\s*(?:/|\bper\b)\s*(?:days?|d|24\s*h)\b")
_A_DOSE = re.compile(r"\s*(?:/|\bper\b)\s*dose\b")
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}")
_WORDS = re.compile(
    r"(?<![\w/])(?:"
    + "|".join(re.escape(word) for word in sorted(TABLE.schedule, key=len, reverse=True))
    + r")(?![\w/])"
)
COUNTED: Final = re.compile(
    rf"(?<!\d)(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>[a-zµμ]+)\s*(?:x|×)\s*(?P<number>{_N})\b"
)


@dataclass(frozen=True)
class DoseNotation:
    """A written unit, taken apart.

    unit : of one dose. every_h : hours between doses, 0 if none is written. times : how many doses, 0 if
    not written; days : for how many days instead. over_h : the time in which the amount is given, 0 if none.
    share : what part of the amount is one dose.
    """

    unit: str
    every_h: float = 0.0
    times: int = 0
    days: int = 0
    over_h: float = 0.0
    share: float = 1.0

    @property
    def scheduled(self) -> bool:
        """Whether it says more than one amount at one time."""
        return bool(self.every_h or self.times or self.days or self.over_h)

    @property
    def step_h(self) -> float:
        """Hours between doses; doses that are only counted are a day apart."""
        return self.every_h or TABLE.counted_doses.hours_apart

    @property
    def doses(self) -> int:
        """The number of doses, 0 if only an end can tell."""
        return self.times or round(self.days * DAY_H / self.step_h)


@lru_cache(maxsize=4096)
def taken_apart(text: str) -> DoseNotation:
    """Read what stands behind a unit.

    >>> taken_apart("mg q6h")
    DoseNotation(unit='mg', every_h=6.0, times=0, days=0, over_h=0.0, share=1.0)
    >>> taken_apart("g/kg over 2 days").times, taken_apart("g/kg over 2 days").share
    (2, 0.5)
    >>> taken_apart("mg/kg/day divided q6h").unit, taken_apart("mg/kg/day divided q6h").share
    ('mg/kg', 0.25)
    >>> taken_apart("mg b.i.d. x 5 days").doses
    10
    """
    rest = _DOTTED.sub(lambda match: match[0].replace(".", ""), text.casefold().strip())
    rest = _A_DOSE.sub("", rest)
    rest, every = _interval(rest)
    rest, over, parts = _duration(rest)
    times, days, share = parts, 0, 1 / (parts or 1)
    if found := _DAYS.search(rest) or _COUNT.search(rest):
        rest, number = _without(rest, found), int(found["number"])
        by_day = found.re is _DAYS or (found["of"] or "")[:3] in ("d", "day")
        times, days = (0, number) if by_day else (number, 0)
    if found := _DIVIDED.search(rest):
        into = int(found["before"] or found["after"] or 0)
        every = every or (DAY_H / into if into else 0.0)
        if not every or not _A_DAY.search(rest):
            return DoseNotation(text)
        rest, share = _A_DAY.sub("", _without(rest, found), count=1), every / DAY_H
    if days and not every:  # the amount of each day only where it says so
        if not _A_DAY.search(rest):
            return DoseNotation(text)
        rest, every = _A_DAY.sub("", rest, count=1), DAY_H
    if not (every or times or days or over):
        return DoseNotation(_A_DOSE.sub("", text))
    return DoseNotation(" ".join(rest.replace(",", " ").split()), every, times, days, over, share)


def _interval(text: str) -> tuple[str, float]:
    """Return a text without how often a dose is given, and the hours between doses, 0 if not written."""
    if found := _EVERY.search(text):
        return _without(text, found), float(found["number"] or found["hourly"])
    if found := _WORDS.search(text):
        return _without(text, found), TABLE.schedule[found[0]]
    return text, 0.0


def _duration(text: str) -> tuple[str, float, int]:
    """Return a text without over what time an amount is given, its hours, and in how many daily parts.

    Over 2 days are two doses, half of the amount each; over 24 h is one.
    """
    found = _OVER.search(text)
    if found is None:
        return text, 0.0, 0
    number, unit = float(found["number"]), found["unit"]
    if unit.startswith("d") and number > 1 and number.is_integer():
        return _without(text, found), 0.0, int(number)
    hours = number * TABLE.hours[unit if len(unit) == 1 else unit.rstrip("s")]
    return _without(text, found), hours, 0


def times_in_label(label: str, amount: float, unit: str) -> int:
    """Return how many times a label says that the amount is given; 0 if it says nothing of it.

    >>> times_in_label("methylpred 1 g x3", 1, "g"), times_in_label("methylpred 1 g x3", 500, "mg")
    (3, 0)
    """
    found = COUNTED.search(label.casefold())
    same = found and float(found["amount"]) == amount and found["unit"] == unit.casefold().strip()
    return int(found["number"]) if found and same else 0


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}".strip()
