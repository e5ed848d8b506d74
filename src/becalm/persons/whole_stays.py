"""The stays over which a total of a whole stay is worked out."""

from __future__ import annotations

import numpy as np

from becalm.core.arrays import FAR_FUTURE
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.persons.death import Deaths
from becalm.persons.stays import admissions, ends_of_records, moments_of_rows, rules
from becalm.records import Records
from becalm.timeline import Intervals


def whole_stays(records: Records) -> Intervals:
    """Return the whole stays of all persons.

    A stay is an admission with the day before it, because results of an emergency department are often
    older than the admission. Its last moment is part of it; an end that is a date ends with that day. A person without an admission has one stay, from the first row to the last. Nothing after death
    counts.
    """
    stays = _living(records, _in_hospital(records))
    whole = _living(records, _recorded(records))
    return stays.union(whole.take(~np.isin(whole.person, stays.person)))


def _in_hospital(records: Records) -> Intervals:
    inside = admissions(records)
    start = inside.start - rules().same_admission.us
    end = inside.end + (inside.end % DAY != 0)
    next_start = np.append(start[1:], FAR_FUTURE)
    again = np.append(inside.person[1:] == inside.person[:-1], False)
    return Intervals(inside.person, start, np.where(again, np.minimum(end, next_start), end))


def _recorded(records: Records) -> Intervals:
    """Return the time from the first row of each person to the end of the records."""
    first = np.full(len(records.persons), FAR_FUTURE)
    for person, time in moments_of_rows(records):
        known = time != UNKNOWN_TIME
        np.minimum.at(first, person[known], time[known])
    some = np.flatnonzero(first < FAR_FUTURE)
    last = np.maximum(ends_of_records(records)[some], first[some])
    return Intervals.build(some, first[some], last + 1)


def _living(records: Records, when: Intervals) -> Intervals:
    """Return the part of some intervals in which the person lived, the moment of death included."""
    deaths = Deaths.of(records)
    over = deaths.over + ~deaths.by_date
    until = np.where(deaths.over == UNKNOWN_TIME, FAR_FUTURE, over)[when.person]
    lived = when.start < until
    return Intervals(when.person[lived], when.start[lived], np.minimum(when.end, until)[lived])
