"""The moment `whole_stay`: every item at its worst value of one stay, at the end of that stay.

HScore and HLH-2004 were derived on the worst values of whole stays, and papers print such totals. Here
each stay takes the place of a person, and a value holds until the stay ends. Values count by when they
were drawn, on either clock: a result that came after the stay belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Floats, Index, Persons, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, Length
from becalm.definitions.evaluation import Clock, Evaluation, Given, Inputs, evaluate
from becalm.definitions.item_evidence import Modifiers
from becalm.definitions.model import Definition, Override
from becalm.definitions.moments import Asked, asked_in
from becalm.definitions.not_assessed import Refused
from becalm.timeline import Intervals, Points, Timeline

CLOCK: Final[Clock] = "drawn"
_MOST_DAYS: Final = 36_500
"""The longest look-back, a hundred years: no stay is longer."""


@dataclass(frozen=True, eq=False)
class WholeStays:
    """One definition over whole stays.

    stays : the stays of all persons. evaluation : the definition, with stays in place of persons; those
    who have no stay follow behind the last one and have no values.
    """

    stays: Intervals
    evaluation: Evaluation
    of: Persons

    @classmethod
    def build(cls, evaluation: Evaluation, stays: Intervals) -> WholeStays:
        """Evaluate a definition over the stays of all persons of `evaluation`."""
        inputs = evaluation.inputs
        values = inputs.values if inputs.clock == CLOCK else inputs.other[CLOCK]
        without = np.setdiff1d(np.arange(inputs.n_persons), stays.person)
        of = np.concatenate([stays.person, without]).astype(np.int32)
        inside = _InStays(values, stays)
        changed = Inputs(inside, CLOCK, len(of), {"available": inside})
        return cls(stays, evaluate(over_whole_stays(evaluation.definition, stays), changed), of)

    def ask(self, chosen: Persons, index: Times) -> Asked:
        """Return one stay of each chosen person: that of the index, else the one with the highest total.

        chosen : ascending codes of persons. index : µs by person, `UNKNOWN_TIME` for those without one.
        Of several stays with the same lowest total it is the first. `person` of the result are stays.
        """
        end = np.full(len(self.of), UNKNOWN_TIME)
        end[: len(self.stays)] = self.stays.end - 1
        stay = self._highest(end)
        indexed = np.flatnonzero(index != UNKNOWN_TIME)
        which, there = self.stays.overlaps(indexed, index[indexed], index[indexed] + 1)
        stay[indexed[which]] = there
        codes = stay[chosen].astype(np.int32)
        return asked_in("whole_stay", self.evaluation, self._windows, codes, end[codes])

    def _highest(self, end: Times) -> Index:
        """Return each person's stay with the highest lowest-possible total, the first of equal ones."""
        low, _ = self.evaluation.at(np.arange(len(self.of)), end)
        order = np.lexsort((np.arange(len(low)), -low, self.of))
        first: Index = order[np.append(True, self.of[order][1:] != self.of[order][:-1])]
        return first

    @cached_property
    def _windows(self) -> Intervals:
        codes = np.arange(len(self.stays), dtype=np.int32)
        return Intervals(codes, self.stays.start, self.stays.end)

    def modifiers(self, modifiers: Modifiers) -> Modifiers:
        """Return what changed the values of each stay."""
        wanted = self.evaluation.definition.variables
        return {
            name: [(label, self._inside(when)) for label, when in modifiers[name]]
            for name in wanted
            if name in modifiers
        }

    def _inside(self, when: Intervals) -> Intervals:
        own, stay = self.stays.overlaps(when.person, when.start, when.end)
        start = np.maximum(when.start[own], self.stays.start[stay])
        return Intervals(
            stay.astype(np.int32), start, np.minimum(when.end[own], self.stays.end[stay])
        )

    def refused(self, refused: Refused) -> Refused:
        """Return the rows that could not be used, by stay; undated ones count in each stay."""

        def rows_of(variable: str) -> tuple[Persons, Times, Texts]:
            person, time, why = refused(variable)
            dated = time != UNKNOWN_TIME
            begin = np.where(dated, time, FAR_PAST)
            until = np.where(dated, time + 1, FAR_FUTURE)
            row, stay = self.stays.overlaps(person, begin, until)
            return stay.astype(np.int32), time[row], why[row]

        return rows_of


def over_whole_stays(definition: Definition, stays: Intervals) -> Definition:
    """Return the definition with a look-back that is longer than any of the stays.

    Not much longer: of years for each of thousands of stays, the moments would have no place on one axis.
    """
    days = int((stays.end - stays.start).max(initial=0)) // DAY + 2
    longer = Override(within=Length(f"{min(days, _MOST_DAYS)}d"))
    return definition.with_overrides(dict.fromkeys(definition.look_backs(), longer))


class _InStays(Mapping[str, Given]):
    """Values with stays in place of persons; each is read when it is first needed."""

    def __init__(self, values: Mapping[str, Given], stays: Intervals) -> None:
        self._values, self._stays = values, stays
        self._made: dict[str, Given] = {}

    def __getitem__(self, name: str) -> Given:
        if name not in self._made:
            whole = self._values[name]
            self._made[name] = (
                self._draws(whole) if isinstance(whole, Points) else self._highest_so_far(whole)
            )
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _draws(self, points: Points) -> Points:
        row, stay = self._stays.overlaps(points.person, points.time, points.time + 1)
        inside = points.take(row)
        return replace(inside, person=stay.astype(np.int32))

    def _highest_so_far(self, line: Timeline) -> Timeline:
        """Return the highest known value since the stay began; once known it stays known."""
        segment, stay = self._stays.overlaps(line.person, line.start, line.end)
        if not len(segment):
            return Timeline.empty()
        start = np.maximum(line.start[segment], self._stays.start[stay])
        fresh = np.append(True, stay[1:] != stay[:-1])
        end = np.where(np.append(fresh[1:], True), self._stays.end[stay], np.append(start[1:], 0))
        low, at = _running_highest(line.low[segment], fresh)
        high = low if line.exact else _running_highest(line.high[segment], fresh)[0]
        person = stay.astype(np.int32)
        places = Timeline(
            person, start, end, np.arange(len(start), dtype=np.float64), low * 0 + np.inf
        )
        rows = _RowsOfHighest(places, at, line, line.person[segment], start)
        return Timeline.merged(person, start, end, low, high, sources=(rows,))


def _running_highest(value: Floats, fresh: np.ndarray) -> tuple[Floats, Index]:
    """Return the highest value so far in each group, and the position of the first that reached it."""
    highest, at = value.copy(), np.arange(len(value))
    for i in range(1, len(value)):
        if not fresh[i] and highest[i - 1] >= highest[i]:
            highest[i], at[i] = highest[i - 1], at[i - 1]
    return highest, at


@dataclass(frozen=True, eq=False)
class _RowsOfHighest:
    """Names the rows of the value that is the highest so far."""

    places: Timeline
    at: Index
    line: Timeline
    person: Persons
    start: Times

    def rows(self, stay: Persons, time: Times) -> tuple[Index, Times]:
        position = self.places.find(stay, time)
        asked = np.flatnonzero(position >= 0)
        attained = self.at[position[asked]]
        number, row = self.line.evidence_at(self.person[attained], self.start[attained])
        return asked[number], row
