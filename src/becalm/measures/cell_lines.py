"""More than one cell line low at a time, and what else moves blood counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, Floats, Mask, Texts, Times
from becalm.core.clock import UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.measures.on_treatment import Treated
from becalm.measures.stage import Stage, StageInput
from becalm.patients import organ_support
from becalm.tables import CELL_LINES
from becalm.timeline import Intervals, Points, nearest, rounded

FILE: Final = Path(__file__).with_suffix(".toml")


class Low(toml.TomlTable, frozen=True):
    """The bound below which each line is low, in the variable's canonical unit."""

    haemoglobin: float
    platelets: float
    neutrophils: float
    source: str


class CellLineRules(toml.TomlTable, frozen=True):
    """How many lines, how near to each other, and what counts as a transfusion or a growth factor."""

    lines: int
    within: Length
    transfused: tuple[str, ...]
    blood_products: tuple[str, ...]
    growth_factors: tuple[str, ...]
    source: str


class CellLineFile(toml.TomlTable, frozen=True):
    """The file `cell_lines.toml`."""

    low: Low
    rules: CellLineRules

    @property
    def bounds(self) -> dict[str, float]:
        """The bound of each line."""
        return {name: float(getattr(self.low, name)) for name in LINES}


LINES: Final = ("haemoglobin", "platelets", "neutrophils")


def file() -> CellLineFile:
    """Return the shipped numbers."""
    return toml.load(FILE, CellLineFile)


@dataclass(frozen=True, eq=False)
class Line:
    """The draws of one line in the windows of the cohort; persons are rows of the cohort.

    low : whether each draw is certainly low. may_be : whether it may be, where only a range is known.
    """

    draws: Points
    low: Mask
    may_be: Mask

    @property
    def low_draws(self) -> Points:
        """The draws that are low."""
        return self.draws.take(np.flatnonzero(self.low))

    @property
    def doubtful_draws(self) -> Points:
        """The draws that are low or may be."""
        return self.draws.take(np.flatnonzero(self.may_be))


def measure(given: StageInput) -> Frame:
    """Fill the table `cell_lines`: one row per person and period.

    Before: the time before t0 in which the protocol looks for a peak, t0 included. After: from t0 to the end
    of the time in which harm counts.
    """
    cohort, protocol = given.cohort, given.protocol
    treated = Treated.of(cohort, given.patients.doses, protocol)
    t0 = cohort["t0"]
    end = treated.harm_until(cohort, protocol, protocol.safety.after_last_dose)
    return Frame.concat(
        [
            _period(given, "before", t0 - protocol.baseline.peak.us, t0),
            _period(given, "after", t0 + 1, end),
        ]
    ).sort("person_id", "when")


def _period(given: StageInput, name: str, start: Times, end: Times) -> Frame:
    cohort, events, rule = given.cohort, given.patients.events, file()
    count = len(cohort)
    lines = {}
    for line, bound in rule.bounds.items():
        points = events.points(line)
        draws = nearest.by_question(points, cohort["person"], start, end)
        lines[line] = Line(draws, rounded(draws.high) < bound, rounded(draws.low) < bound)
    first, which = _together(lines, count, rule.rules)
    measured = {line: _whose(each.draws, count) for line, each in lines.items()}
    low = {line: _whose(each.low_draws, count) for line, each in lines.items()}
    doubtful = {line: _whose(each.doubtful_draws, count) for line, each in lines.items()}
    known, below = (np.sum([*of.values()], axis=0) for of in (measured, doubtful))
    yes = first != UNKNOWN_TIME
    # A limit such as <150 may hide a low count.
    possible, _ = _together(
        {k: replace(v, low=v.may_be) for k, v in lines.items()}, count, rule.rules
    )
    # A line that was never measured could only make it yes where another one was low, or may have been.
    could = below + (len(LINES) - known) >= rule.rules.lines
    no = (
        ~yes
        & (possible == UNKNOWN_TIME)
        & (known >= rule.rules.lines)
        & ~((known < len(LINES)) & could & (below > 0))
    )
    answer = np.full(count, None, dtype=object)
    answer[yes], answer[no] = True, False
    return Frame.of(
        CELL_LINES,
        person_id=cohort["person_id"],
        when=np.full(count, name, object),
        several_low=answer,
        lines=which,
        first_several_low=first,
        measured=_joined(measured, count),
        low_in_period=_joined(low, count),
        **{f"lowest_{line}": _lowest(each.draws, count) for line, each in lines.items()},
        transfused=_transfused(given, start, end),
        growth_factor=_given(given, rule.rules.growth_factors, start, end),
        source_row=_rows(given, lines, first, which, rule.rules),
    )


def _together(lines: dict[str, Line], count: int, rule: CellLineRules) -> tuple[Times, Texts]:
    """Return when so many lines were first low within the window, and which were then."""
    # A low draw stands for itself and for the time in which another one is near enough.
    standing = {
        name: Intervals.build(
            each.low_draws.person, each.low_draws.time, each.low_draws.time + rule.within.us
        )
        for name, each in lines.items()
    }
    first = np.full(count, FAR_FUTURE)
    for names in combinations(LINES, rule.lines):
        both = standing[names[0]]
        for name in names[1:]:
            both = both.clip(standing[name])
        np.minimum.at(first, both.person, both.start)
    none = first == FAR_FUTURE
    first = np.where(none, UNKNOWN_TIME, first)
    everybody = np.arange(count, dtype=np.int32)
    holds = {name: standing[name].contains(everybody, first) & ~none for name in LINES}
    return first, _joined(holds, count)


def _whose(points: Points, count: int) -> Mask:
    has = np.zeros(count, np.bool_)
    has[points.person] = True
    return has


def _joined(holds: dict[str, Mask], count: int) -> Texts:
    joined = np.full(count, "", dtype=object)
    for name, mask in holds.items():
        joined[mask] = np.where(joined[mask] == "", name, joined[mask] + f"|{name}")
    return joined


def _lowest(points: Points, count: int) -> Floats:
    lowest = np.full(count, np.inf)
    np.minimum.at(lowest, points.person, points.high)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _inside(intervals: Intervals, given: StageInput, start: Times, end: Times) -> Mask:
    """Return whether each row of the cohort has some of the intervals in [start, end]."""
    inside = np.zeros(len(given.cohort), np.bool_)
    row, _ = intervals.overlaps(given.cohort["person"], start, np.maximum(end, start) + 1)
    inside[row] = True
    return inside


def _given(given: StageInput, drugs: tuple[str, ...], start: Times, end: Times) -> Texts:
    if not len(given.patients.records.administrations):
        return np.full(len(given.cohort), None, dtype=object)
    exposure = given.patients.doses.exposure(*drugs)
    return _inside(exposure, given, start, end).astype(object)


def _transfused(given: StageInput, start: Times, end: Times) -> Texts:
    records = given.patients.records
    if not len(records.administrations) and not len(records.procedures):
        return np.full(len(given.cohort), None, dtype=object)
    running = organ_support.running(records, given.patients.vocabulary)
    when = given.patients.doses.exposure(*file().rules.blood_products)
    when = when.union(*(running[name] for name in file().rules.transfused if name in running))
    return _inside(when, given, start, end).astype(object)


def _rows(
    given: StageInput, lines: dict[str, Line], first: Times, which: Texts, rule: CellLineRules
) -> list[str]:
    """Return the draws that make it true, or the lowest of each line where it is not."""
    events = given.patients.events
    found: list[list[str]] = [[] for _ in range(len(first))]
    for name, each in lines.items():
        draws = each.low_draws
        low = np.array([name in of.split("|") for of in which.tolist()], np.bool_)
        low &= first != UNKNOWN_TIME
        at = np.flatnonzero(low[draws.person])
        ago = first[draws.person[at]] - draws.time[at]
        at = at[(ago >= 0) & (ago < rule.within.us)]
        named = zip(draws.person[at].tolist(), events.source_texts(draws.row[at]), strict=True)
        for who, source in named:
            found[who].append(source)
    for name, each in lines.items():
        lowest = _lowest(each.draws, len(first))
        at_lowest = np.flatnonzero(each.draws.high == lowest[each.draws.person])
        _, earliest = np.unique(each.draws.person[at_lowest], return_index=True)
        at = at_lowest[earliest]
        named = zip(
            each.draws.person[at].tolist(), events.source_texts(each.draws.row[at]), strict=True
        )
        for who, source in named:
            if source not in found[who] and (first[who] == UNKNOWN_TIME or name not in which[who]):
                found[who].append(source)
    return ["|".join(dict.fromkeys(rows)) for rows in found]


STAGES: Final = (Stage(CELL_LINES, measure),)
