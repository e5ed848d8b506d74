"""The rows of the records from which SOFA comes at some moments."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Index, Persons, Texts, Times, firsts
from becalm.core.clock import DAY
from becalm.measures.organs.rules import Sofa
from becalm.measures.organs.vasopressors import IN_A_VEIN
from becalm.measures.stage import StageInput
from becalm.timeline import nearest, overlay

URINE: Final = "urine_output"


def source_rows(given: StageInput, rule: Sofa, person: Persons, time: Times) -> Texts:
    """Return the rows behind the total of each person and moment, as `table:key` joined by `|`.

    Of each item the draw with the worst value of its day, of each vasopressor the row with the highest rate, of
    urine all volumes of the day.
    """
    number, name = _measured(given, rule, person, time)
    parts = [(number, name), *(_given(given, rule, drug, person, time) for drug in rule.any)]
    number = np.concatenate([each for each, _ in parts])
    name = np.concatenate([each for _, each in parts])
    order = np.argsort(number, kind="stable")
    number, name = number[order], name[order]
    rows = np.full(len(person), "", dtype=object)
    begin = firsts(number)
    for of, names in zip(number[begin].tolist(), np.split(name, begin[1:]), strict=False):
        rows[of] = "|".join(dict.fromkeys(names.tolist()))
    return rows


def _measured(given: StageInput, rule: Sofa, person: Persons, time: Times) -> tuple[Index, Texts]:
    """Return pairs (number of the moment, row) of what was measured."""
    events = given.patients.events
    pairs = [line.evidence_at(person, time) for line in given.sofa.values()]
    volumes = events.points(URINE)
    first, stop = nearest.within(volumes, person, time - rule.worst_within.us + 1, time)
    last = nearest.last(volumes, first, stop)
    asked = np.flatnonzero(last.found)
    until = last.time[asked]
    day = nearest.by_question(volumes, person[asked], until - DAY + 1, until)
    pairs.append((asked[day.person], day.row))
    number = np.concatenate([each for each, _ in pairs]).astype(np.intp)
    row = np.concatenate([each for _, each in pairs])
    names = events.source_rows(row)
    return number, names if isinstance(names, np.ndarray) else names.written()


def _given(
    given: StageInput, rule: Sofa, drug: str, person: Persons, time: Times
) -> tuple[Index, Texts]:
    """Return pairs (number of the moment, row) of the highest rate of a drug in its day."""
    frame = given.patients.doses.frame
    rows = given.patients.doses.exposed(drug, IN_A_VEIN)
    rows = rows[given.in_cohort[frame["person"][rows]] & frame["counted"][rows]]
    rows = rows[frame["until"][rows] > frame["start"][rows]]
    rate = np.nan_to_num(frame["dose_per_h"][rows])
    late = frame["until"][rows] + rule.worst_within.us
    ran = overlay(frame["person"][rows], frame["start"][rows], late, rate, rows)
    number, row = ran.evidence_at(person, time)
    order = np.lexsort((row, -np.nan_to_num(frame["dose_per_h"][row]), number))
    kept = order[firsts(number[order])]
    return number[kept], frame["source_row"][row[kept]].astype(object)
