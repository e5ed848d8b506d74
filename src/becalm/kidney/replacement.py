"""Renal replacement: when creatinine tells of the machine, and days of which only the date is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Persons, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, Length
from becalm.events import Events
from becalm.kidney.kdigo import Replacement
from becalm.patients import organ_support
from becalm.persons.lifetime import Lifetime
from becalm.records import Records
from becalm.timeline import Intervals

PROCEDURE: Final = "renal_replacement"
OUTPUT: Final = "haemodialysis_output"
"""A volume that a machine took off: it is charted at the end of a session."""


@dataclass(frozen=True, eq=False)
class Sessions:
    """The sessions of renal replacement of some persons.

    certain : when one ran for certain; one charted at a single moment lasts 1 µs. days : days on which
    one ran at an hour that nobody wrote. person, start, source : the rows of the records, by when
    they begin.
    """

    certain: Intervals
    days: Intervals
    person: Persons
    start: Times
    source: tuple[str, ...]

    def courses(self, rule: Replacement) -> Intervals:
        """Return courses of replacement: between near sessions creatinine does not reflect the kidney."""
        return self.certain.bridge(rule.bridge.us)

    def no_reference(self, rule: Replacement, after: Length) -> Intervals:
        """Return when a creatinine is no reference: courses, open days, and some time after either."""
        courses = self.courses(rule)
        person = np.concatenate((courses.person, self.days.person))
        start = np.concatenate((courses.start, self.days.start))
        end = np.concatenate((courses.end, self.days.end))
        return Intervals.build(person, start, end + after.us)

    def row_at(self, person: int, time: int) -> str:
        """Return the row of the session that began last, as `table:key`; '' without one."""
        begun = np.flatnonzero((self.person == person) & (self.start <= time))
        if not len(begun):
            return ""
        latest = begun[np.argmax(self.start[begun])]
        together = begun[self.start[begun] == self.start[latest]]
        return self.source[int(together[-1])]


def sessions(records: Records, events: Events) -> Sessions:
    """Return the sessions of renal replacement: procedures, and outputs of haemodialysis.

    A procedure known by its date ran at some moment of that day. Where a session with an hour is
    charted on the same day, the date says nothing more. None goes on after death.
    """
    table, over = records.procedures, Lifetime.of(records).over
    named = organ_support.named(records, events.vocabulary)
    rows = np.array([at for at, names in named if PROCEDURE in names], np.int64)
    dated = rows[table["date_only"][rows]] if len(rows) else rows
    timed = rows[~table["date_only"][rows]] if len(rows) else rows
    output = events.points(OUTPUT)
    person = np.concatenate((table["person"][timed], output.person)).astype(np.int32)
    start = np.concatenate((table["start"][timed], output.time))
    end = np.concatenate((table["end"][timed], output.time))
    end = np.minimum(np.where(end == UNKNOWN_TIME, start, end), over[person])
    end = np.maximum(start + 1, end)
    charted = Intervals.build(person, start, end)
    days_of, first, last = table["person"][dated], table["start"][dated], table["end"][dated]
    until = np.where(last == UNKNOWN_TIME, first + DAY, np.maximum(last, first + DAY))
    asked, _ = charted.overlaps(days_of, first, until)
    alone = np.setdiff1d(np.arange(len(dated)), asked)
    days_of, first, until = days_of[alone], first[alone], until[alone]
    # When its first day is over, or the life, a session has begun for certain.
    until = np.maximum(first + 1, np.minimum(until, over[days_of]))
    begun = np.minimum(first + DAY, until)
    lasted = np.maximum(begun + 1, np.where(until % DAY == 0, until - DAY, until))
    person = np.concatenate((person, days_of)).astype(np.int32)
    certain = Intervals.build(person, np.concatenate((start, begun)), np.concatenate((end, lasted)))
    open_days = Intervals.build(
        np.concatenate((days_of, days_of)),
        np.concatenate((first, np.maximum(first, lasted))),
        np.concatenate((begun, np.maximum(until, begun + 1))),
    )
    sources = [
        *(f"procedures:{table['key'][row]}" for row in timed.tolist()),
        *(events.source_row(row) for row in output.row.tolist()),
        *(f"procedures:{table['key'][row]}" for row in dated[alone].tolist()),
    ]
    return Sessions(
        certain,
        open_days.without(certain),
        person,
        np.concatenate((start, first)),
        tuple(sources),
    )
