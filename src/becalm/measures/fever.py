"""Sustained fever: hours at or above a bound in each 24 h, and how often temperature was measured.

A temperature is valid until the next one or until it expires (`valid` in the vocabulary). Time without
a valid value is unknown, never afebrile: 24 h with one value at the start and a validity of 12 h are
12 known hours and 12 unknown hours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm import vocabulary
from becalm.core import toml
from becalm.core.arrays import Floats, Pair, Times, expand
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions import Modifiers
from becalm.events import Events
from becalm.measures.stage import Stage, StageInput
from becalm.tables import FEVER
from becalm.timeline import Points, nearest

VARIABLE: Final = "temperature"


FILE: Final = Path(__file__).with_suffix(".toml")


class FeverRule(toml.TomlTable, frozen=True):
    """The numbers of `fever.toml`."""

    at_least: float
    source: str
    days: int
    days_source: str


def rule() -> FeverRule:
    """Return the definition of fever, and the number of days to report."""
    return toml.load(FILE, FeverRule)


def fever(cohort: Frame, events: Events, modifiers: Modifiers) -> Frame:
    """Return `fever`: one row per person and 24 h, from the day before time zero.

    A day ends early at death or the end of the records; a day after that is left out. hours_febrile
    are certain: a range that includes the bound counts as unknown. longest_gap_h is the longest time
    without a measurement in the day, also at its start and end. modified_by names what hides or
    causes fever and acted at a measurement.
    """
    row, day = _days(cohort)
    start = cohort["t0"][row] + (day - 1) * DAY
    end = np.minimum(start + DAY, followed_until(cohort)[row])
    lived = end > start
    row, day, start, end = (each[lived] for each in (row, day, start, end))
    person = np.asarray(cohort["person"][row], np.int32)
    points = events.points(VARIABLE)
    held = points.hold(vocabulary.load().variable(VARIABLE).valid.us)
    certain, possible = held.map(_febrile).integrate(person, start, end)
    known = held.covered(person, start, end) / HOUR
    hours = (end - start) / HOUR
    febrile, afebrile = np.round(certain, 9), np.round(known - possible, 9)
    first, stop = nearest.within(points, person, start, end - 1)
    return Frame.of(
        FEVER,
        person_id=cohort["person_id"][row],
        day=day,
        hours_observed=np.round(hours, 9),
        hours_febrile=febrile,
        hours_afebrile=afebrile,
        hours_unknown=np.round(hours - febrile - afebrile, 9),
        measurements=stop - first,
        longest_gap_h=_longest_gap(points, first, stop, (start, end)) / HOUR,
        highest=_highest(points, first, stop),
        modified_by=_moved(points, first, stop, modifiers),
        source_row=_rows(held.evidence_at(person, start), points, first, stop, events),
    )


def _febrile(low: Floats, high: Floats) -> Pair:
    bound = rule().at_least
    return (low >= bound).astype(np.float64), (high >= bound).astype(np.float64)


def _days(cohort: Frame) -> tuple[Times, Times]:
    """Return position in the cohort and number of each day, for persons with a time zero."""
    known = np.flatnonzero(cohort["t0"] != UNKNOWN_TIME)
    days = np.arange(rule().days + 1)
    return np.repeat(known, len(days)), np.tile(days, len(known))


def followed_until(cohort: Frame) -> Times:
    """Return until when each person was followed, in µs: death or the end of the records."""
    last: Times = cohort["end_of_records"]
    return last


def _longest_gap(points: Points, first: Times, stop: Times, day: tuple[Times, Times]) -> Times:
    """Return the longest time without a measurement in each day, its start and end included, in µs."""
    owner, at = expand(first, stop)
    question = np.arange(len(first))
    who = np.concatenate((question, question, owner))
    when = np.concatenate((*day, points.time[at]))
    order = np.lexsort((when, who))
    gaps = np.diff(when[order])
    same = who[order][1:] == who[order][:-1]
    longest = np.zeros(len(first), np.int64)
    np.maximum.at(longest, who[order][1:][same], gaps[same])
    return longest


def _highest(points: Points, first: Times, stop: Times) -> Floats:
    low, high = nearest.greatest(points, first, stop)
    return np.where(np.isfinite(low) & (low == high), low, np.nan)


def _moved(points: Points, first: Times, stop: Times, modifiers: Modifiers) -> list[str]:
    owner, at = expand(first, stop)
    labels_of: list[list[str]] = [[] for _ in range(len(first))]
    for label, when in sorted(modifiers.get(VARIABLE, ()), key=lambda each: each[0]):
        hit = when.contains(points.person[at], points.taken[at])
        for i in np.unique(owner[hit]).tolist():
            labels_of[i].append(label)
    return ["|".join(dict.fromkeys(labels)) for labels in labels_of]


def _rows(
    standing: tuple[Times, Times], points: Points, first: Times, stop: Times, events: Events
) -> list[str]:
    """Return the rows of the value that was valid at the start of each day and of its measurements."""
    before: list[list[int]] = [[] for _ in range(len(first))]
    for question, row in zip(*(each.tolist() for each in standing), strict=True):
        before[question].append(row)
    days = zip(before, first.tolist(), stop.tolist(), strict=True)
    return [
        "|".join(map(events.source_row, dict.fromkeys([*held, *points.row[a:b].tolist()])))
        for held, a, b in days
    ]


def measure(given: StageInput) -> Frame:
    """Fill the table `fever`."""
    patients = given.patients
    return fever(given.cohort, patients.events, given.modifiers)


STAGES: Final = (Stage(FEVER, measure),)
