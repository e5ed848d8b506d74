"""Falls of a marker that its own breakdown does not explain."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from becalm.core.errors import UsageError, did_you_mean
from becalm.pk.words import WordReader


class FastFall(NamedTuple):
    """Two measured values of a marker, the later one lower than breakdown alone allows.

    begin, end : hours. before, after : the values. least : the lowest that can be believed at the later time.
    half_life : the fastest half-life that is believed, h.
    """

    marker: str
    begin: float
    before: float
    end: float
    after: float
    least: float
    half_life: float


def falls_too_fast(
    observed: Mapping[str, str], fastest: Mapping[str, float]
) -> tuple[FastFall, ...]:
    """Return for each measured value that fell too fast the earlier one against which it did most.

    observed : by marker, `0 h: 12000, 48 h: 3000`. fastest : by marker, the shortest half-life that is believed, h.
    Reasons can be another method or specimen, dilution, an exchange of plasma, a wrong patient, or, of ferritin, a part
    that was set free from tissue.

    Raises `UsageError` for a marker that is not known, a value that cannot be, and times out of order.

    >>> falls_too_fast({"ferritin": "0 h: 12000, 48 h: 3950"}, {"ferritin": 30.0})[0].least
    3958...
    >>> falls_too_fast({"ferritin": "0 h: 12000, 48 h: 3960"}, {"ferritin": 30.0})
    ()
    """
    found: list[FastFall] = []
    for marker, text in observed.items():
        if marker not in fastest:
            raise UsageError(
                f"no marker of the chain is called {marker!r}", hint=did_you_mean(marker, fastest)
            )
        half_life = fastest[marker]
        values = _read(marker, text)
        for place, (end, after) in enumerate(values):
            least = [
                FastFall(marker, begin, before, end, after, before * 2 ** (-(end - begin) / half_life), half_life)
                for begin, before in values[:place]
            ]  # fmt: skip
            if least and after < (worst := max(least, key=lambda fall: fall.least)).least:
                found.append(worst)
    return tuple(found)


def _read(marker: str, text: str) -> list[tuple[float, float]]:
    """Read `0 h: 12000, 48 h: 3000`."""
    values: list[tuple[float, float]] = []
    where, column = f"observed {marker}", 1
    for part in text.split(","):
        when, colon, number = part.partition(":")
        reader = WordReader(when, where, column)
        hour = reader.number("a time") * reader.unit("h")
        if reader or not colon:
            raise reader.error("a time and a value are needed", hint="Write 0 h: 12000, 48 h: 3000")
        reader = WordReader(number, where, column + len(when) + 1)
        value = reader.number("a value")
        if reader:
            raise reader.error(f"{reader.next().text!r} is not understood")
        if not (isfinite(value) and value > 0):
            raise UsageError(f"a value of {value:g} cannot be", where=where)
        if values and hour <= values[-1][0]:
            raise UsageError(f"times are out of order: {hour:g} h stands after {values[-1][0]:g} h", where=where)  # fmt: skip
        values.append((hour, value))
        column += len(part) + 1
    return values
