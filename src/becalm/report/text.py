"""How the report writes numbers, times and names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from becalm.core import stats
from becalm.core.digits import fixed, percentage
from becalm.report.printed import (
    VALUE,
    Printed,
    counted,
    joined,
    named,
    separated,
    statistic,
)

UNKNOWN: Final = "–"
TOP_AGE: Final = 89
"""Ages above this are printed as 90+: among the very old an age can identify."""

_SIGNS: Final = {">": ">", ">=": "≥", "<": "<", "<=": "≤"}
_UNITS: Final = {"10^9/L": "10⁹/L", "10*9/L": "10⁹/L", "Cel": "°C", "degC": "°C"}


def unit(text: str) -> str:
    """Return a unit as print has it: `10^9/L` -> `10⁹/L`."""
    return _UNITS.get(text, text)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number to `digits` significant places, never shortening whole ones."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return statistic(VALUE, 0, "0")
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = fixed(value, places)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return statistic(VALUE, value, text.replace("-", "−"))


def limit_sign(low: float, high: float) -> str:
    """Return `>` or `<` where only a limit is known, else ''.

    What a laboratory prints as `<5` is from 0 to 5 if it cannot be negative, else from −∞ to 5.
    """
    if math.isinf(high):
        return "" if math.isinf(low) else ">"
    return "<" if low <= 0 and low < high else ""


def bounded(low: float, high: float) -> str:
    """Return a value known exactly, or as the bound that the laboratory printed (`>40,000`)."""
    if math.isinf(high) and math.isinf(low):
        return UNKNOWN
    if sign := limit_sign(low, high):
        return sign + number(low if sign == ">" else high, 6)
    return interval(low, high)


def signs(censored: str) -> dict[str, str]:
    """Return which fields are bounds: `baseline>|h48<=` -> {"baseline": ">", "h48": "≤"}."""
    found = (re.fullmatch(r"(.*?)([<>]=?)", part) for part in censored.split("|") if part)
    return {each.group(1): _SIGNS[each.group(2)] for each in found if each}


def interval(low: float, high: float) -> str:
    """Return a score with what is unknown: `248` or `267–302`."""
    if low == high:
        return number(low)
    return joined(named(number(low), "low"), "–", named(number(high), "high"))


def signed(value: float, digits: int = 0) -> str:
    """Return a number with its sign."""
    return statistic(VALUE, value, fixed(value, digits, sign=True).replace("-", "−"))


def change(ratio: float) -> str:
    """Return how much a ratio differs from one, in percent with its sign: `−25`, `+10`, `0`."""
    return signed(round(100 * (ratio - 1), 9)).replace("+0", "0")


def duration(value: float) -> str:
    """Return a length of time given in hours: `12 h`, `<1 min`; without any it is a dash.

    A window that only ends at a moment has no duration.
    """
    if math.isnan(value) or value <= 0:
        return UNKNOWN
    minutes = round(value * 60, 6)
    if minutes < 1:
        return statistic(VALUE, minutes, "<1") + " min"
    return number(value) + " h" if minutes >= 60 else number(minutes) + " min"


def hours(value: float) -> str:
    """Return hours from time zero: `+47 h`, in days from the tenth day on."""
    if math.isnan(value):
        return UNKNOWN
    return signed(value / 24, 1) + " d" if abs(value) >= 240 else signed(value) + " h"


def percent(events: int, n: int) -> str:
    """Return events of n as a percentage: `50 %`."""
    return statistic("p", events / n, percentage(events / n), n=n) + " %"


def share(events: int, n: int, unknown: int = 0) -> str:
    """Return a proportion with its exact 95 % interval: `4/5 (80 %; 28.4–99.5), unknown in 2`.

    n : those of whom it is known. unknown : the others, who are counted beside and never as no.
    """
    beside = ", unknown in " + counted("N_miss", unknown, of=n + unknown) if unknown else ""
    limits = stats.proportion(events, n)
    if limits is None:
        return joined(counted("n", 0, of=0), "/", counted("N", 0, of=0), beside)
    ends = (
        statistic(name, limit, percentage(limit, 1).removesuffix(".0"), n=n)
        for name, limit in zip(("conf.low", "conf.high"), limits, strict=True)
    )
    whole = statistic("p", events / n, percentage(events / n), n=n)
    count = joined(counted("n", events, of=n), "/", counted("N", n, of=n))
    return joined(count, " (", whole, " %; ", separated("–", ends), ")", beside)


def age(years: int) -> str:
    """Return completed years, top-coded."""
    if years < 0:
        return UNKNOWN
    return f"{TOP_AGE + 1}+" if years > TOP_AGE else str(years)


def middle(values: Iterable[float], digits: int = 3) -> str:
    """Return median (minimum–maximum) of the known values, with how many are known."""
    given = list(values)
    found = stats.summary(given)
    if found is None:
        return UNKNOWN
    median, low, high = (
        named(number(value, digits), name, n=found.n)
        for name, value in (
            ("median", found.median),
            ("min", found.minimum),
            ("max", found.maximum),
        )
    )
    text = joined(median, " (", low, "–", high, ")") if found.n > 1 else median
    if found.n == len(given):
        return text
    return joined(text, ", known in ", counted("N_nonmiss", found.n, of=len(given)))


def answer(value: Any) -> str:
    """Return yes, no, or that nobody knows."""
    return UNKNOWN if value is None else "yes" if value else "no"


def tally(words: Iterable[str]) -> str:
    """Return `IV 3, SC 2`, commonest first."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return each_counted(ordered, sum(counts.values()))


def each_counted(counts: Iterable[tuple[str, int]], of: int = -1) -> Printed:
    """Return how many there are of each: `IV 3, SC 2`. of : how many patients there are."""
    return separated(", ", (f"{word} " + counted("n", n, level=word, of=of) for word, n in counts))


_LENGTH: Final = re.compile(r"\b(\d+)(min|h|d)\b")


def spaced(text: str) -> str:
    """Return a text in which lengths of time have a space that does not break: `24h` -> `24 h`."""
    return _LENGTH.sub("\\1\u00a0\\2", text)


def days(length: str) -> str:
    """Return a length of time in words: `28d` -> `28 days`."""
    return spaced(length).replace("\u00a0d", " days")


def horizon_text(name: str) -> str:
    """Return a horizon in words: `h48` -> `48 h`, `d7` -> `day 7`."""
    return f"day {name[1:]}" if name.startswith("d") else f"{name[1:]} h"


def by_then(outcome: Mapping[str, Any]) -> str:
    """Return `by ` where a death is known only by a last contact that says so, else ''."""
    return "by " if outcome["death_time_is"] == "at latest" else ""
