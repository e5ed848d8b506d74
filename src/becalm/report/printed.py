"""Text that knows its numbers: which statistic each is, and its value before it was rounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

VALUE: Final = "value"
"""The name of a number that is no summary: a value of one patient, or of a rule."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number within a text.

    name : as the package cards in R names it: n, N, p, conf.low, conf.high, median, min, max, mean, estimate,
    N_miss, N_nonmiss, or `value`. value : not rounded; a proportion is a fraction. start, end : where it stands.
    level : which of several things is counted. n : how many patients or values it is of; -1 if the text does not say.
    """

    name: str
    value: float
    start: int
    end: int
    level: str = ""
    n: int = -1


class Printed(str):
    """A text and the statistics in it. With `+` and `joined` they are kept; other changes of the text lose them.

    >>> text = "at " + statistic("n", 1234, "1,234", n=1234)
    >>> text, text.statistics[0].name, text[text.statistics[0].start:]
    ('at 1,234', 'n', '1,234')
    """

    __slots__ = ("statistics",)
    statistics: tuple[Statistic, ...]

    def __new__(cls, text: str, statistics: Iterable[Statistic] = ()) -> Printed:
        made = super().__new__(cls, text)
        made.statistics = tuple(statistics)
        return made

    def __add__(self, other: str) -> Printed:
        return joined(self, other)

    def __radd__(self, other: str) -> Printed:
        return joined(other, self)


def statistic(name: str, value: float, text: str, *, level: str = "", n: int = -1) -> Printed:
    """Return the text of one number."""
    return Printed(text, (Statistic(name, float(value), 0, len(text), level, n),))


def counted(name: str, count: int, *, level: str = "", of: int = -1) -> Printed:
    """Return a count, with thousands apart. level : what is counted. of : of how many."""
    return statistic(name, count, f"{count:,}", level=level, n=of)


def joined(*parts: str) -> Printed:
    """Return texts one after the other."""
    found: list[Statistic] = []
    at = 0
    for part in parts:
        found += (_moved(each, at) for each in statistics_of(part))
        at += len(part)
    return Printed("".join(parts), found)


def separated(by: str, parts: Iterable[str]) -> Printed:
    """Return texts with a text between them.

    >>> separated(", ", [counted("n", 3), counted("n", 2)])
    '3, 2'
    """
    texts = list(parts)
    return joined(*(each for part in texts for each in (by, part)[part is texts[0] :]))


def named(text: str, name: str, *, n: int = -1) -> Printed:
    """Return a text whose one number has this name."""
    return Printed(text, (replace(each, name=name, n=n) for each in statistics_of(text)))


def without_numbers(text: str) -> str:
    """Return a text with the name of each number that it knows in its place: so it is the same in every run.

    >>> without_numbers("All " + counted("n", 36) + " patients")
    'All n patients'
    """
    made, at = "", 0
    for each in statistics_of(text):
        made, at = f"{made}{text[at : each.start]}{each.name}", each.end
    return made + text[at:]


def statistics_of(text: str) -> tuple[Statistic, ...]:
    """Return the statistics that a text knows."""
    return text.statistics if isinstance(text, Printed) else ()


def _moved(each: Statistic, by: int) -> Statistic:
    return replace(each, start=each.start + by, end=each.end + by)


_NUMBER: Final = re.compile(
    r"(?<![\w.,/-])(?<!Table )(?P<sign>[<>≥≤]\s?)?(?P<value>[+−-]?\d+(?:,\d{3})*(?:\.\d+)?)(?![\d⁰¹²³⁴-⁹]|-\d|[.,]\d)"
)
_SHARE: Final = re.compile(r"(\d[\d,]*)( of |/)(\d[\d,]*)(?![\w.,]*\d)")


def found_in(text: str) -> list[Statistic]:
    """Return the numbers of a text that nobody declared, as they are printed.

    A digit within a name is no number: `IL-6`, `t0`, `HLH-2004`. In `3 of 5` and `3/5` they are n and N.

    >>> [(each.name, each.value) for each in found_in("3 of 5 by HLH-2004, −2.5 h")]
    [('n', 3.0), ('N', 5.0), ('value', -2.5)]
    """
    shares = {match.start(1): match for match in _SHARE.finditer(text)}
    found: list[Statistic] = []
    at = 0
    while (match := _NUMBER.search(text, at)) is not None:
        share = shares.get(match.start("value"))
        if share is not None and not match["sign"]:
            whole = _value(share[3])
            found.append(Statistic("n", _value(share[1]), *share.span(1), n=int(whole)))
            found.append(Statistic("N", whole, *share.span(3), n=int(whole)))
            at = share.end()
            continue
        found.append(Statistic(VALUE, _value(match["value"]), match.start(), match.end()))
        at = match.end()
    return found


def _value(text: str) -> float:
    """Return the number that a text prints."""
    return float(text.replace(",", "").replace("−", "-"))
