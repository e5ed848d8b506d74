"""Reports that a later report of the same draw replaced or contradicted, and what was met on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Floats, Index, Persons, Texts, Times
from becalm.core.frame import Frame
from becalm.definitions import Evaluation
from becalm.measures.stage import Stage, StageInput
from becalm.tables import REPLACED_REPORTS
from becalm.timeline import Points


def replaced_reports(given: StageInput) -> Frame:
    """Return every value of a draw that a later report changed, one row a value.

    Of all persons whose definitions are reported, and of the variables that these read.
    """
    reported = [given.evaluations[name] for name in given.protocol.definitions.report]
    variables = sorted({name for each in reported for name in each.definition.variables})
    known = {variable.name for variable in given.patients.vocabulary.variables}
    frames = [Frame.of(REPLACED_REPORTS)]
    for variable in variables:
        if variable in known:
            frames.append(_of_variable(given, variable, reported))
    return Frame.concat(frames).sort("person_id", "variable", "time", "available")


def _of_variable(given: StageInput, variable: str, reported: Iterable[Evaluation]) -> Frame:
    events = given.patients.events
    points = events.points(variable, "available")
    at = np.flatnonzero((points.until < FAR_FUTURE) & given.candidates.assessed[points.person])
    if not len(at):
        return Frame.of(REPLACED_REPORTS)
    later = _later(points, at)
    known = later >= 0
    low, high = points.low[at], points.high[at]
    after_low = np.where(known, points.low[later], np.nan)
    after_high = np.where(known, points.high[later], np.nan)
    change = np.full(len(at), "replaced", dtype=object)
    change[(after_low <= low) & (after_high >= high)] = "both believed"
    change[~known] = "withdrawn"
    person, until = points.person[at], points.until[at]
    return Frame.of(
        REPLACED_REPORTS,
        person_id=given.patients.records.persons["person_id"][person],
        variable=[variable] * len(at),
        time=points.taken[at],
        available=points.time[at],
        replaced=until,
        earlier_low=_finite(low),
        earlier_high=_finite(high),
        later_low=_finite(after_low),
        later_high=_finite(after_high),
        unit=[events.vocabulary.variable(variable).unit] * len(at),
        change=change,
        no_longer_met=_no_longer_met(reported, person, until),
        source_row=[
            "|".join(
                dict.fromkeys(
                    events.source_row(int(points.row[each])) for each in pair if each >= 0
                )
            )
            for pair in zip(at.tolist(), later.tolist(), strict=True)
        ],
    )


def _later(points: Points, at: Index) -> Index:
    """Return the position of the value that replaced each; -1 where it has no usable value."""
    draws = zip(points.person.tolist(), points.taken.tolist(), points.time.tolist(), strict=True)
    place = {draw: position for position, draw in enumerate(draws)}
    replaced = zip(
        points.person[at].tolist(),
        points.taken[at].tolist(),
        points.until[at].tolist(),
        strict=True,
    )
    return np.array([place.get(draw, -1) for draw in replaced], np.intp)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _no_longer_met(reported: Iterable[Evaluation], person: Persons, time: Times) -> Texts:
    """Return the definitions that were certainly met just before each time and are not from it on."""
    names: list[list[str]] = [[] for _ in range(len(person))]
    for evaluation in reported:
        cut_off = evaluation.definition.cut_off
        before, _ = evaluation.at(person, time - 1)
        after, _ = evaluation.at(person, time)
        for row in np.flatnonzero((before >= cut_off) & (after < cut_off)).tolist():
            names[row].append(evaluation.definition.name)
    words = np.full(len(person), "", dtype=object)
    words[:] = ["|".join(each) for each in names]
    return words


STAGES: Final = (Stage(REPLACED_REPORTS, replaced_reports, over="population"),)
