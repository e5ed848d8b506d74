"""Data for the figures of the report: series, dose steps, missingness, nearest misses."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from becalm import vocabulary
from becalm.core.arrays import Index, Persons
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.columns import Categorical, listed
from becalm.core.frame import Frame
from becalm.definitions import Definition
from becalm.measures.fever import followed_until
from becalm.measures.stage import Stage, StageInput
from becalm.patients.understood import Patients
from becalm.protocol import Protocol
from becalm.tables import DOSE_STEPS, MISSING, NEAREST, SERIES

BEFORE: Final = 14 * DAY
AFTER: Final = 30 * DAY
MISSING_DAYS: Final = range(8)
NEAREST_SHOWN: Final = 10


def variables_of(protocol: Protocol, definitions: Iterable[Definition]) -> list[str]:
    """Return the variables that a study shows: those of the response, then of its definitions."""
    worked_out = {each.name for each in vocabulary.load().derived}  # no single row contains them
    names = list(protocol.response.variables)
    for definition in definitions:
        names += [name for name in definition.variables if name not in worked_out]
    return list(dict.fromkeys(names))


def series(chunk: Patients, cohort: Frame, variables: Sequence[str]) -> Frame:
    """Return every value of the cohort from two weeks before time zero to thirty days after."""
    table, words = chunk.events.frame, chunk.vocabulary
    codes = {words.code(name): name for name in variables}
    row = np.full(len(chunk), -1)
    row[cohort["person"]] = np.arange(len(cohort))
    cohort_row = row[table["person"]]
    t0 = np.append(cohort["t0"], 0)[cohort_row]
    near = (cohort_row >= 0) & np.isin(table["variable"], list(codes))
    near &= (table["time"] >= t0 - BEFORE) & (table["time"] <= t0 + AFTER)
    at = np.flatnonzero(near)
    variable, who = table["variable"][at], cohort_row[at]
    names = Categorical(
        np.searchsorted(sorted(codes), variable).astype(np.int32),
        listed(codes[code] for code in sorted(codes)),
    )
    return Frame.around(
        SERIES,
        {
            "person_id": cohort["person_id"][who],
            "variable": names,
            "time": table["time"][at],
            "hours_from_t0": (table["time"][at] - t0[at]) / HOUR,
            "low": table["low"][at],
            "high": table["high"][at],
            "unit": Categorical(
                names.code, listed(words.variable(name).unit for name in names.texts)
            ),
            "source_row": chunk.events.source_rows(table["row"][at]),
        },
    )


def dose_steps(chunk: Patients, cohort: Frame, names: Iterable[str]) -> Frame:
    """Return the doses of the cohort: every immunotherapy, and the protocol's own drugs.

    A drug that nobody knows may be one of them: it stands under its own name, "dex (not understood)".
    """
    doses = chunk.doses.frame
    drugs = {name: chunk.vocabulary.drug(name) for name in names}
    known = np.concatenate([np.empty(0, np.intp), *(chunk.doses.exposed(name) for name in drugs)])
    known = np.sort(known)
    own = _by_person(doses["person"], known)
    found = chunk.unrecognised
    unknown = _by_person(found["person"], np.flatnonzero(found["kind"] == "drug"))
    table_rows = []
    for person in cohort.rows():
        for at in own.get(person["person"], ()):
            drug = drugs[str(doses["drug"][at])]
            end = doses["until"][at] if not doses["single"][at] else doses["start"][at]
            table_rows.append(
                {
                    "person_id": person["person_id"],
                    "drug": drug.name,
                    "drug_class": drug.drug_class,
                    "route": doses["route"][at],
                    "start": doses["start"][at],
                    "end": end,
                    "hours_from_t0": (doses["start"][at] - person["t0"]) / HOUR,
                    "end_hours_from_t0": (end - person["t0"]) / HOUR,
                    "rate": np.nan if doses["single"][at] else doses["dose_per_h"][at],
                    "amount": doses["dose"][at],
                    "unit": chunk.doses.unit(drug.name),
                    "label": doses["label"][at],
                    "source_row": doses["source_row"][at],
                    "end_assumed": doses["end_assumed"][at],
                }
            )
        if person["person"] in unknown:
            rows = found.take(np.array(unknown[person["person"]]))
            table_rows += list(_unknown_drugs(rows, person))
    return Frame.of_rows(DOSE_STEPS, table_rows)


def _by_person(person: Persons, at: Index) -> dict[int, list[int]]:
    """Return which of some positions each person has, in their order."""
    own: dict[int, list[int]] = {}
    for who, position in zip(person[at].tolist(), at.tolist(), strict=True):
        own.setdefault(who, []).append(position)
    return own


def _unknown_drugs(drugs: Frame, person: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a person's drugs that nobody knows, without an amount."""
    for row in drugs.rows():
        start, end = row["start"], max(row["start"], row["end"])
        if start == UNKNOWN_TIME:
            continue
        yield {
            "person_id": person["person_id"],
            "drug": f"{row['label'] or row['code']} (not understood)",
            "drug_class": "",
            "route": "",
            "start": start,
            "end": end,
            "hours_from_t0": (start - person["t0"]) / HOUR,
            "end_hours_from_t0": (end - person["t0"]) / HOUR,
            "rate": np.nan,
            "amount": np.nan,
            "unit": "",
            "label": row["label"],
            "source_row": row["source_row"],
            "end_assumed": "",
        }


def missing(chunk: Patients, cohort: Frame, variables: Sequence[str]) -> Frame:
    """Count values per cohort person, variable and day around time zero; 0 is a count too.

    A day after death or the end of the records is left out: nobody was there to be measured.
    """
    shape = len(cohort), len(variables), len(MISSING_DAYS)
    t0, days = cohort["t0"], np.array(MISSING_DAYS)
    known = t0 != UNKNOWN_TIME
    begins = np.where(known, t0, 0)[:, None] + (days - 1) * DAY
    followed = (days == 0) | ~known[:, None] | (begins < followed_until(cohort)[:, None])

    table, words = chunk.events.frame, chunk.vocabulary
    row_of = np.full(len(chunk), -1)
    row_of[cohort["person"][known]] = np.flatnonzero(known)
    number_of = np.full(len(words.variables), -1)
    number_of[[words.code(name) for name in variables]] = np.arange(len(variables))
    row, number = row_of[table["person"]], number_of[table["variable"]]
    at = np.flatnonzero((row >= 0) & (number >= 0))
    day = (table["time"][at] - t0[row[at]]) // DAY + 1
    at, day = at[(day >= days[0]) & (day <= days[-1])], day[(day >= days[0]) & (day <= days[-1])]
    place = np.ravel_multi_index((row[at], number[at], day - days[0]), shape)
    counts = np.bincount(place, minlength=math.prod(shape)).reshape(shape)

    who, what, when = np.nonzero(np.broadcast_to(followed[:, None, :], shape))
    return Frame.of(
        MISSING,
        person_id=Categorical.by(who, cohort["person_id"]),
        variable=Categorical.by(what, variables),
        day=days[when],
        n=counts[who, what, when],
    )


def consequences(
    items: Frame, persons: Frame, definitions: Mapping[str, Definition], moment: str
) -> tuple[str, ...]:
    """Return, for each definition, a text with the number of persons in whom each item was not assessed.

    It counts the cohort at `moment`, the one that the report shows; if nobody entered, all assessed
    persons at their peak.
    """
    shown = items.coded("moment").among([moment if len(persons) else "peak_ever"])
    if len(persons):
        shown &= items.coded("person_id").among(set(persons["person_id"].tolist()))
    n = len(persons) or len(np.unique(items.coded("person_id").code[shown]))
    unknown = shown & items.coded("state").among(["not assessed"])
    counts = Counter(zip(items["criterion"][unknown], items["item"][unknown], strict=True))
    texts: list[str] = []
    for name, definition in definitions.items():
        parts = [
            f"{item.title or item.key.replace('_', ' ')} in {count} of {n}"
            for item in definition.items
            if (count := counts[name, item.key])
        ]
        if parts:
            texts.append(f"{definition.title}, not assessed: {'; '.join(parts)}")
    return tuple(texts)


def nearest_misses(left: Mapping[str, tuple[int, str]], criteria: Frame, items: Frame) -> Frame:
    """Return the persons closest to the cohort: those who left at the last step, then by score.

    left : by person the step at which the person left (-1: in the cohort) and its reason.
    """
    best: dict[str, Mapping[str, Any]] = {}
    for row in criteria.take(criteria.coded("moment").among(["peak_ever"])).light_rows():
        held = best.get(row["person_id"])
        # Scores cannot be compared between definitions: one is used, the HScore if it is reported.
        if held is None or (row["criterion"] == "hscore" and held["criterion"] != "hscore"):
            best[row["person_id"]] = row
    out = [name for name in best if left[name][0] >= 0]
    out.sort(key=lambda name: (-left[name][0], -best[name]["low"], name))
    chosen = out[:NEAREST_SHOWN]
    unknown: dict[tuple[str, str], list[str]] = {}
    open_items = items.coded("moment").among(["peak_ever"])
    open_items &= items.coded("state").among(["not assessed"])
    open_items &= items.coded("person_id").among(chosen)
    for row in items.take(open_items).light_rows():
        if "." not in row["item"]:
            unknown.setdefault((row["person_id"], row["criterion"]), []).append(row["item"])
    return Frame.of_rows(
        NEAREST,
        [
            {
                "person_id": name,
                "reason": left[name][1],
                "criterion": best[name]["criterion"],
                "low": best[name]["low"],
                "high": best[name]["high"],
                "missing": "|".join(unknown.get((name, best[name]["criterion"]), [])),
            }
            for name in chosen
        ],
    )


def measure_series(given: StageInput) -> Frame:
    """Fill the table `series`."""
    return series(given.patients, given.cohort, _variables(given))


def measure_dose_steps(given: StageInput) -> Frame:
    """Fill the table `dose_steps`."""
    return dose_steps(given.patients, given.cohort, given.drugs)


def measure_missing(given: StageInput) -> Frame:
    """Fill the table `missing`."""
    return missing(given.patients, given.cohort, _variables(given))


def _variables(given: StageInput) -> list[str]:
    return variables_of(given.protocol, given.definitions.values())


STAGES: Final = (
    Stage(SERIES, measure_series),
    Stage(DOSE_STEPS, measure_dose_steps),
    Stage(MISSING, measure_missing),
)
