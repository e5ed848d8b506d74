"""Signs that a response of several parts asks for: no fever for a time, no new organ support."""

from __future__ import annotations

import numpy as np

from becalm import vocabulary
from becalm.core.arrays import Floats, Mask, Pair, Persons, Times
from becalm.core.clock import MINUTE
from becalm.measures.response.questions import Questions
from becalm.measures.stage import StageInput
from becalm.timeline import Intervals, Points

Answer = tuple[Mask, Mask]
"""Whether something is certainly true, and whether it is possibly true."""


def no_fever(points: Points, person: Persons, since: Times, until: Times, below: float) -> Answer:
    """Return whether the temperature was below a bound in all of [since, until].

    A temperature is valid until the next one or until it expires, as in the table `fever`; time
    without a valid one leaves it unknown.
    """

    def febrile(low: Floats, high: Floats) -> Pair:
        return (low >= below).astype(np.float64), (high >= below).astype(np.float64)

    held = points.hold(vocabulary.load().variable("temperature").valid.us)
    end = until + 1
    certain, possible = held.map(febrile).integrate(person, since, end)
    known = held.covered(person, since, end)
    return (known == end - since) & (possible == 0), certain == 0


def no_new(given: StageInput, kind: str, asked: Questions, until: Times, before: int) -> Answer:
    """Return whether no organ support of a kind began after the clock, up to a moment.

    What ran in the time `before` the clock is not new. It is unknown where the records hold no doses (for
    vasopressors) or no procedures at all, and where a session of dialysis is known only by its day.
    """
    certain, possible, known = _support(given, kind)
    person, clock = asked.person, asked.time
    old = _touches(possible, person, clock - before, clock + 1)
    surely_old = _touches(certain, person, clock - before, clock + 1)
    came = _touches(certain, person, clock + 1, until + 1)
    may = _touches(possible, person, clock + 1, until + 1)
    if not known:
        return np.zeros(len(asked), np.bool_), ~(came & ~old)
    return surely_old | ~may, ~came | old


def _support(given: StageInput, kind: str) -> tuple[Intervals, Intervals, bool]:
    """Return when it ran for certain, when it may have, and whether the records would say so."""
    patients = given.patients
    if kind == "vasopressor":
        drugs = [each.name for each in patients.vocabulary.drugs if each.drug_class == kind]
        ran = patients.doses.exposure(*drugs, routes=("IV",)).at_least(2 * MINUTE)
        return ran, ran, len(patients.records.administrations) > 0
    recorded = len(patients.records.procedures) > 0
    if kind == "ventilation":
        ran = patients.procedures().get("ventilation", Intervals.empty())
        return ran, ran, recorded
    sessions = given.sessions
    certain = sessions.certain
    return certain, certain.union(sessions.days), recorded or len(certain) > 0


def _touches(when: Intervals, person: Persons, start: Times, end: Times) -> Mask:
    found = np.zeros(len(person), np.bool_)
    found[when.overlaps(person, start, end)[0]] = True
    return found
