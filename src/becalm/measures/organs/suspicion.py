"""Suspected infection and Sepsis-3, for the cohort.

A storm lowers platelets, raises bilirubin and creatinine and clouds the mind by itself, so nearly everybody
with one has two points of SOFA: taking SOFA before as 0 makes sepsis of every suspicion. So the rise from
before the suspicion stands beside it, and neither stands for a culture.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.organs import rules, sofa
from becalm.measures.stage import Stage, StageInput
from becalm.patients.context import FREE, GROWN
from becalm.persons.lifetime import Lifetime
from becalm.tables import SUSPECTED_INFECTIONS
from becalm.vocabulary import words

Pairing = tuple[int, int, int, list[int], str]
"""Person, begin of the antibiotic, collection of the cultures, their rows, antibiotic."""


def courses(given: StageInput, apart: int) -> list[tuple[int, int, str, int]]:
    """Return person, begin, name and row of each course of each antibiotic of the cohort.

    apart : µs without the drug after which the next dose begins another course.
    """
    doses, found = given.patients.doses, []
    frame = doses.frame
    for drug in given.patients.vocabulary.drugs:
        if drug.drug_class != "antibiotic":
            continue
        rows = doses.exposed(drug.name)
        rows = rows[given.in_cohort[frame["person"][rows]]]
        rows = rows[np.lexsort((frame["start"][rows], frame["person"][rows]))]
        last: dict[int, int] = {}
        for row in rows.tolist():
            who, start = int(frame["person"][row]), int(frame["start"][row])
            until = max(start, int(frame["until"][row]))
            if who not in last or start > last[who] + apart:
                found.append((who, start, drug.name, row))
            last[who] = max(until, last.get(who, until))
    return sorted(found)


def pairs(given: StageInput) -> list[Pairing]:
    """Return each course with the earliest cultures near enough to it, all of one moment, by person and begin."""
    rule = rules.load().suspicion
    table = given.patients.records.cultures
    excluded = [f" {words(each)} " for each in rule.not_cultures]
    cultures: dict[int, list[tuple[int, int]]] = {}
    for at in np.flatnonzero(given.in_cohort[table["person"]]).tolist():
        time = int(table["collected"][at])
        label = f" {words(str(table['specimen'][at]))} {words(str(table['test'][at]))} "
        if time == UNKNOWN_TIME or any(each in label for each in excluded):
            continue
        cultures.setdefault(int(table["person"][at]), []).append((time, at))
    found = []
    for who, start, drug, _ in courses(given, rule.new_course.us):
        near = [
            (time, at)
            for time, at in sorted(cultures.get(who, ()))
            if start - rule.culture_first.us <= _day_end(table, at, time)
            and time <= start + rule.antibiotic_first.us
        ]
        if near:
            first = near[0][0]
            found.append((who, start, first, [at for time, at in near if time == first], drug))
    return found


def _day_end(table: Frame, at: int, time: int) -> int:
    """Return the last moment at which a culture may have been taken."""
    return time + DAY - 1 if table["date_only"][at] else time


def _how_known(table: Frame, rows: list[int], culture: int, start: int) -> str:
    """Return how well the onset is known; of cultures with a date alone every hour of that day is looked at."""
    rule = rules.load().suspicion
    latest = min(_day_end(table, at, culture) for at in rows)
    near = start - rule.culture_first.us <= culture and latest <= start + rule.antibiotic_first.us
    if not near:
        return "possible"
    return "exact" if min(start, culture) == min(start, latest) else "date"


def _grew(results: list[str]) -> bool | None:
    """Return whether anything grew in cultures of one moment; None where the others pend or are not understood."""
    if not GROWN.isdisjoint(results):
        return True
    return False if FREE.issuperset(results) else None


def measure(given: StageInput) -> Frame:
    """Fill the table `suspected_infections`."""
    rule = rules.load()
    found = pairs(given)
    if not found:
        return SUSPECTED_INFECTIONS.empty()
    table, cohort = given.patients.records.cultures, given.cohort
    place = {int(who): i for i, who in enumerate(cohort["person"].tolist())}
    person = np.array([who for who, *_ in found], np.int32)
    onset = np.array([min(start, culture) for _, start, culture, *_ in found], np.int64)
    lines = given.sofa
    over = Lifetime.of(given.patients.records).over[person]
    begin, end = onset - rule.suspicion.before.us, onset + rule.suspicion.after.us
    end = np.maximum(begin, np.minimum(end, over - 1))
    before = sofa.totals(lines, person, begin)
    worst = sofa.worst_between(lines, person, begin, end)
    rows: list[dict[str, Any]] = []
    keys = given.patients.records.administrations["key"]
    by_start = {
        (who, start, drug): row
        for who, start, drug, row in courses(given, rule.suspicion.new_course.us)
    }
    frame = given.patients.doses.frame
    for i, (who, start, culture, of_culture, drug) in enumerate(found):
        t0 = int(cohort["t0"][place[who]])
        row = by_start[who, start, drug]
        source = (
            f"{frame['source_row'][row]}" if "source_row" in frame.columns else f"doses:{keys[row]}"
        )
        rise = rule.suspicion.rise
        cultured = [f"cultures:{table['key'][at]}" for at in of_culture]
        rows.append(
            {
                "person_id": cohort["person_id"][place[who]],
                "suspected": int(onset[i]),
                "suspected_is": _how_known(table, of_culture, culture, start),
                "hours_after_t0": np.nan if t0 == UNKNOWN_TIME else (int(onset[i]) - t0) / HOUR,
                "antibiotic": drug,
                "antibiotic_start": start,
                "cultured": culture,
                "culture_grew": _grew([str(table["result"][at]) for at in of_culture]),
                "sofa_before": int(before[0][i]),
                "sofa_worst": int(worst[0][i]),
                "sofa_worst_high": int(worst[1][i]),
                "sepsis_by_total": _answer(worst[0][i], worst[1][i], rise),
                "sepsis_by_change": _answer(
                    worst[0][i] - before[1][i], worst[1][i] - before[0][i], rise
                ),
                "source_row": "|".join([source, *cultured]),
            }
        )
    return Frame.of_rows(SUSPECTED_INFECTIONS, rows).sort(
        "person_id", "suspected", "antibiotic", "antibiotic_start"
    )


def _answer(low: float, high: float, rise: int) -> bool | None:
    if low >= rise:
        return True
    return False if high < rise else None


STAGES: Final = (Stage(SUSPECTED_INFECTIONS, measure),)
