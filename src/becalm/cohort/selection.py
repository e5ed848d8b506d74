"""Selection of the cohort: who enters a study, at which time zero, and why the others do not.

In a protocol, persons enter by a treatment (`anakinra_mas`) or an index hour (`hyperinflammation`).
Every person who leaves does so at one step with one reason; persons, stays and rows are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.cohort import clocks as entry
from becalm.cohort import landmark
from becalm.cohort.attrition import AttritionStep, leave
from becalm.cohort.clocks import Clocks
from becalm.cohort.storm import JudgedStorm, Storms
from becalm.core.answers import answers
from becalm.core.arrays import Floats, Mask, Persons, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, parse
from becalm.core.frame import Frame, Kind
from becalm.definitions import Evaluation
from becalm.doses import Doses
from becalm.events import Clock
from becalm.patients.cell_therapy import CONDITION as CELL_THERAPY
from becalm.patients.context import context
from becalm.patients.understood import Patients
from becalm.patients.unrecognised import labels_of, may_exclude, who_has
from becalm.persons import diagnoses
from becalm.persons.age import ages
from becalm.persons.death import Deaths
from becalm.persons.diagnoses import underlying
from becalm.persons.stays import discharges, transferred_in
from becalm.persons.weight import SOURCES, WeightInForce, weight_in_force
from becalm.protocol import Entry, EntryTest, Protocol
from becalm.records import StudyInfo
from becalm.tables import PERSONS
from becalm.timeline import rounded

COHORT: Final[Mapping[str, Kind]] = {
    **PERSONS,
    "person": "code",
    "death_time": "time",
    "discharge": "time",
    "last_contact": "time",
    "end_of_records": "time",
}


@dataclass(frozen=True, eq=False)
class Candidates:
    """The persons who could enter, before the storm is judged, with the times for their criteria.

    age : completed years at time zero, or at the end of the records for those without one; −1 not
    known. assessed : persons who get criteria rows.
    """

    clocks: Clocks
    age: Times
    age_undated: Mask
    underlying: list[str]
    population: Mask
    assessed: Mask
    steps: tuple[AttritionStep, ...]


@dataclass(frozen=True, eq=False)
class Selection:
    """The cohort of one chunk, and the attrition that led to it."""

    cohort: Frame
    steps: tuple[AttritionStep, ...]


def candidates(chunk: Patients, protocol: Protocol, info: StudyInfo) -> Candidates:
    """Return the clocks and apply all steps that do not need a definition."""
    events, n = chunk.events, len(chunk)
    steps = [AttritionStep("all persons in the records", np.ones(n, np.bool_))]
    there = landmark.admitted(chunk, protocol.landmark) if protocol.landmark else None
    clocks = (
        there.clocks
        if there is not None
        else entry.clocks(
            chunk.records, events, chunk.doses, protocol, chunk.ended, lifetime=chunk.lifetime
        )
    )
    at = np.where(clocks.t0 == UNKNOWN_TIME, chunk.ended, clocks.t0)
    age, undated = ages(chunk.records.persons, at)
    population = np.ones(n, np.bool_)
    if protocol.population.min_age is not None:
        least = protocol.population.min_age
        leave(steps, "age not recorded", age >= 0)
        leave(steps, f"younger than {least}", age >= least)
        population = steps[-1].remaining
    assessed = population
    if protocol.entry_test is not None:
        _test(steps, chunk, protocol.entry_test, protocol.clock)
        assessed = steps[-1].remaining
    if protocol.entry is not None:
        leave(steps, f"no {protocol.entry.drug} given", _ever(chunk.doses, protocol.entry.drug, n))
        if protocol.entry.mode == "continuous IV":
            unknown = entry.of_unknown_mode(chunk.doses, protocol, chunk.ended)
            drug = protocol.entry.drug
            leave(steps, f"{drug}: nobody says whether it was given continuously", ~unknown)
        leave(
            steps,
            _not_entered(protocol.entry),
            clocks.index != UNKNOWN_TIME,
        )
    elif there is not None and protocol.landmark is not None:
        after = protocol.landmark.after
        illness = chunk.vocabulary.condition(protocol.landmark.condition).title
        leave(steps, f"no admission with {illness}", there.start != UNKNOWN_TIME)
        leave(steps, f"died within {after} of admission", ~there.died)
        leave(steps, f"discharged within {after} of admission", ~there.left)
        leave(steps, f"records do not say who was alive {after} after admission", ~there.unseen)
    else:
        leave(steps, "no index hour", clocks.index != UNKNOWN_TIME)
    if protocol.population.recruitment and (info.recruitment_start or info.recruitment_end):
        leave(steps, "outside the recruitment dates", _recruited(clocks.index, info))
    return Candidates(
        clocks, age, undated, underlying(chunk.diagnosed, n), population, assessed, tuple(steps)
    )


def select(
    chunk: Patients,
    candidates_of: Candidates,
    evaluations: Mapping[str, Evaluation],
    protocol: Protocol,
) -> Selection:
    """Judge the storm at entry, apply the exclusions, and describe the persons who remain."""
    steps = list(candidates_of.steps)
    index = candidates_of.clocks.index
    entered = np.flatnonzero(steps[-1].remaining).astype(np.int32)
    back = protocol.storm.look_back.us
    storms = Storms(evaluations, protocol, candidates_of.underlying)
    judged = storms.judge(entered, index[entered] - back, index[entered])
    clinician = diagnoses.diagnosed_storm(chunk.diagnosed, protocol.storm.clinician, index)
    if protocol.entry is not None and protocol.storm.required:
        any_storm = clinician.copy()
        any_storm[entered] |= judged.definite | judged.possible
        leave(steps, "no storm: neither definite, possible nor diagnosed", any_storm)
    for condition in protocol.exclude.conditions:
        present = _excluded(chunk, condition, index)
        open_ = who_has(may_exclude(chunk.unrecognised), len(chunk))
        open_[list(_signs(chunk, condition))] = True
        open_ |= _dates_leave_open(chunk, condition, index)
        leave(steps, f"excluded: {condition.replace('_', ' ')}", ~present, open_)
    kept = steps[-1].remaining[entered]
    person, start = entered[kept], index[entered[kept]]
    storm = judged.take(kept).words()
    taken_back = {
        "index": entry.lasting_index(chunk.events, protocol, index)[person] != start,
        "storm": storms.taken_back(storm, person, start - back, start),
    }
    later = np.full(len(person), "", dtype=object)
    if protocol.storm.also_at is not None:
        end = np.minimum(start + protocol.storm.also_at.us, chunk.lifetime.over[person])
        later = storms.judge(person, start - back, end).words()
        taken_back["storm_72h"] = storms.taken_back(later, person, start - back, end)
    t0 = candidates_of.clocks.t0[person]
    names = labels_of(chunk.unrecognised, len(chunk))
    diagnosed_at, rows = diagnoses.first_diagnosed(chunk.diagnosed, protocol.storm.clinician, index)
    answer, _ = chunk.immunosuppressed.at(person, start)
    sometime, sometime_rows = _given_sometime(chunk, person)
    began = entry.index_by_draws(chunk.events, protocol, index)
    cohort = _describe(chunk, candidates_of, person, judged.take(kept), began).replace(
        left_truncated=_truncated(chunk, protocol, person, t0),
        entry_end_assumed=answers(
            entry.entered_by_assumed_end(chunk.doses, protocol, index, chunk.ended)[person]
        ),
        storm_72h=later,
        taken_back=_named(taken_back),
        clinician=answers(clinician[person]),
        clinician_time=diagnosed_at[person],
        clinician_rows=_condition_rows(chunk, [rows[who] for who in person.tolist()]),
        not_understood=np.array([names[who] for who in person.tolist()], object),
        exclusion_open=_open_exclusions(chunk, protocol, person, index),
        immunosuppressed=answers(answer > 0, known=answer >= 0),
        time_unknown=sometime,
        time_unknown_rows=sometime_rows,
        first_route=_first_routes(chunk.doses, protocol, person, t0),
    )
    return Selection(cohort, tuple(steps))


def _named(holds: Mapping[str, Mask]) -> Texts:
    """Return for each person the names of what holds, joined by `|`."""
    count = len(next(iter(holds.values())))
    words = np.full(count, "", dtype=object)
    words[:] = ["|".join(name for name, mask in holds.items() if mask[at]) for at in range(count)]
    return words


def _excluded(chunk: Patients, condition: str, index: Times) -> Mask:
    """Return who has a condition that excludes: as a diagnosis, or as cells given before the index."""
    present = diagnoses.excluded_by(chunk.diagnosed, condition, index)
    if condition == CELL_THERAPY:
        who, time, _ = chunk.cell_therapies
        before = (time == UNKNOWN_TIME) | (index[who] == UNKNOWN_TIME) | (time <= index[who])
        present[who[before]] = True
    return present


def _dates_leave_open(chunk: Patients, condition: str, index: Times) -> Mask:
    """Return who has a diagnosis that excludes in a part of the month or year that is its only date."""
    possible = diagnoses.excluded_by(chunk.diagnosed, condition, index, certainly=False)
    return possible & ~diagnoses.excluded_by(chunk.diagnosed, condition, index)


def _condition_rows(chunk: Patients, rows: list[list[int]]) -> Texts:
    """Return rows of the diagnoses as `conditions:key`, joined by `|`."""
    keys = chunk.records.conditions["key"]
    words = np.full(len(rows), "", dtype=object)
    words[:] = ["|".join(f"conditions:{keys[row]}" for row in each) for each in rows]
    return words


def _signs(chunk: Patients, condition: str) -> dict[int, list[str]]:
    """Return the findings that leave an exclusion open, by person: ICANS without any therapy on record."""
    signs: dict[int, list[str]] = {}
    for finding in diagnoses.rules().suggests.get(condition, ()):
        points = chunk.events.points(finding)
        for who in np.unique(points.person[points.low > 0]).tolist():
            signs.setdefault(who, []).append(f"finding: {finding}")
    return signs


def _open_exclusions(chunk: Patients, protocol: Protocol, person: Persons, index: Times) -> Texts:
    """Return what leaves an exclusion undetermined, joined by `|`: labels that nobody knows, a sign, or a date.

    The person stays in the study.
    """
    words = np.full(len(person), "", dtype=object)
    if not protocol.exclude.conditions:
        return words
    labels = labels_of(may_exclude(chunk.unrecognised), len(chunk))
    signs: dict[int, list[str]] = {}
    for condition in protocol.exclude.conditions:
        for who, findings in _signs(chunk, condition).items():
            signs.setdefault(who, []).extend(findings)
        for who in np.flatnonzero(_dates_leave_open(chunk, condition, index)).tolist():
            signs.setdefault(who, []).append(f"date of a diagnosis: {condition.replace('_', ' ')}")
    for i, who in enumerate(person.tolist()):
        words[i] = "|".join(filter(None, [labels[who], *signs.get(who, [])]))
    return words


def _describe(
    chunk: Patients,
    candidates_of: Candidates,
    person: Persons,
    judged: JudgedStorm,
    began: Times,
) -> Frame:
    clocks, table = candidates_of.clocks, chunk.records.persons
    onset = np.where(judged.onset == UNKNOWN_TIME, began[person], judged.onset)
    own, stating = _own_weights(chunk, person, clocks.t0)
    weight = weight_in_force(chunk.records, chunk.events, person, clocks.t0[person], own)
    around = context(chunk, person, clocks.index[person])
    undated, undated_rows = diagnoses.undated(chunk.diagnosed, len(chunk))
    return Frame.of(
        COHORT,
        person_id=table["person_id"][person],
        sex=table["sex"][person],
        age=candidates_of.age[person],
        index_time=clocks.index[person],
        t0=clocks.t0[person],
        underlying=[candidates_of.underlying[who] for who in person],
        undated=[undated[who] for who in person],
        undated_rows=_condition_rows(chunk, [undated_rows[who] for who in person]),
        weight_kg=weight.kg,
        weight_source=weight.names(),
        weight_age_h=np.round(weight.age_h, 6),
        weight_remark=weight.remarks(),
        weight_row=_weight_rows(chunk, person, weight, stating),
        infusion_start=clocks.infusion_start[person],
        high_rate=clocks.high_rate[person],
        storm_onset=onset,
        storm=judged.words(),
        age_undated=answers(candidates_of.age_undated[person]),
        person=person,
        death_time=Deaths.of(chunk.records).time[person],
        discharge=discharges(chunk.records, person, clocks.index[person]),
        last_contact=table["last_contact"][person],
        end_of_records=chunk.ended[person],
        **around.columns,
    )


def _weight_rows(
    chunk: Patients, person: Persons, weight: WeightInForce, stating: Times
) -> list[str]:
    """Return the row of the records that each weight comes from; '' where none is known."""
    table = chunk.records.persons
    numbers = np.where(
        weight.source == SOURCES.index("own"),
        chunk.events.administrations_from + stating,
        weight.row,
    )
    rows = []
    for who, number, source in zip(person, numbers.tolist(), weight.names(), strict=True):
        if source == "persons sheet":
            rows.append(f"{table['table'][who] or 'persons'}:{table['key'][who]}")
        else:
            rows.append(chunk.events.source_row(number) if source else "")
    return rows


def _own_weights(chunk: Patients, person: Persons, t0: Times) -> tuple[Floats, Times]:
    """Return the weight stated in a dose row that begins at time zero, and the row; NaN and −1 if none does."""
    administrations = chunk.records.administrations
    at = np.flatnonzero(
        ~np.isnan(administrations["weight_kg"])
        & (administrations["start"] == t0[administrations["person"]])
    )
    own = np.full(len(t0), np.nan)
    own[administrations["person"][at]] = administrations["weight_kg"][at]
    row = np.full(len(t0), -1, np.int64)
    row[administrations["person"][at]] = at
    return own[person], row[person]


def _test(steps: list[AttritionStep], chunk: Patients, test: EntryTest, clock: Clock) -> None:
    """Remove those who never certainly reached a value: not measured, not usable, or lower."""
    events, n = chunk.events, len(chunk)
    variable = events.vocabulary.variable(test.variable)
    name = variable.name.replace("_", " ")
    points = events.points(test.variable, clock)
    asked, measured, passed = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    refused = events.rejected["variable"] == events.vocabulary.code(test.variable)
    asked[events.rejected["person"][refused]] = True
    measured[points.person] = True
    passed[points.person[rounded(points.low) >= test.at_least]] = True
    leave(steps, f"{name} not measured", asked | measured)
    leave(steps, f"{name} measured, but no value could be used", measured)
    leave(steps, f"entry test not met: {name} never {test.at_least:g} or more", passed)


def _not_entered(rule: Entry) -> str:
    """Return the reason for persons who received the drug but do not enter."""
    if rule.mode == "continuous IV":
        return f"no continuous intravenous {rule.drug} for {rule.min_duration}"
    return (
        f"no {rule.drug} that reached the blood"
        if rule.mode == "any"
        else f"no {rule.mode} {rule.drug}"
    )


def _ever(doses: Doses, drug: str, n_persons: int) -> Mask:
    mask = np.zeros(n_persons, np.bool_)
    mask[doses.exposure(drug).person] = True
    mask[doses.frame["person"][doses.untimed(drug)]] = True
    return mask


def _given_sometime(chunk: Patients, persons: Persons) -> tuple[Texts, Texts]:
    """Return the immunotherapies that each person was given nobody knows when, and their rows."""
    frame = chunk.doses.frame
    names: list[list[str]] = [[] for _ in range(len(chunk))]
    keys: list[list[str]] = [[] for _ in range(len(chunk))]
    for drug in chunk.vocabulary.drugs:
        for at in chunk.doses.untimed(drug.name).tolist() if drug.immunotherapy else ():
            who = int(frame["person"][at])
            keys[who].append(str(frame["source_row"][at]))
            if drug.name not in names[who]:
                names[who].append(drug.name)
    texts = [np.full(len(persons), "", dtype=object) for _ in range(2)]
    for text, listed in zip(texts, (names, keys), strict=True):
        text[:] = ["|".join(listed[who]) for who in persons.tolist()]
    return texts[0], texts[1]


def _recruited(index: Times, info: StudyInfo) -> Mask:
    """Return whether the index lies in the recruitment dates, both days included."""
    inside: Mask = index != UNKNOWN_TIME
    if info.recruitment_start:
        inside &= index >= parse(info.recruitment_start)[0]
    if info.recruitment_end:
        time, date_only = parse(info.recruitment_end)
        inside &= index < time + (DAY if date_only else 1)
    return inside


def _truncated(chunk: Patients, protocol: Protocol, person: Persons, t0: Times) -> Texts:
    """Return who was transferred in on treatment, so that it began before these records."""
    rule = protocol.entry
    if rule is None:
        return answers(np.zeros(len(person), np.bool_))
    within = rule.transferred_within.us
    return answers(transferred_in(chunk.records, person, t0, within))


def _first_routes(doses: Doses, protocol: Protocol, person: Persons, t0: Times) -> Texts:
    """Return the route of the first dose of the drug of interest; of several at once all, joined by `|`."""
    routes = np.full(len(person), "", dtype=object)
    if protocol.entry is None:
        return routes
    doses_of_drug = doses.frame.take(doses.exposed(protocol.entry.drug))
    for i, (who, time) in enumerate(zip(person, t0, strict=True)):
        first = doses_of_drug["route"][
            (doses_of_drug["person"] == who) & (doses_of_drug["start"] == time)
        ]
        routes[i] = "|".join(sorted({str(route) for route in first} - {""}))
    return routes
