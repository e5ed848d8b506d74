"""From checked sheets to the raw tables: typed and sorted, not interpreted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.errors import RecordsError
from becalm.core.frame import Frame
from becalm.core.time_zones import ClockChanges
from becalm.records import (
    ADMINISTRATIONS,
    CONDITIONS,
    CULTURES,
    FINDINGS,
    PERSONS,
    PROCEDURES,
    STAYS,
    Records,
    Refusal,
)
from becalm.records.charted_again import NOTHING_REPEATED
from becalm.records.sheets.blanks import with_blanks
from becalm.records.sheets.building import Building
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.check import Checked
from becalm.records.sheets.judgements import judgements
from becalm.records.sheets.labs import measurements
from becalm.records.sheets.midnight import dates_and_midnights
from becalm.records.sheets.offsets import without_offsets
from becalm.records.sheets.reading import Wrong
from becalm.vocabulary import MeasurementKind, ambiguous_sex, icd, vital_status

_CODE_SYSTEMS: Final = (
    ("ICD10CM", re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?", re.IGNORECASE)),
    ("ICD9CM", re.compile(r"\d{3}(?:\.?\d{1,2})?")),
    ("SNOMED", re.compile(r"\d{6,18}")),
)

_PROCEDURE_SYSTEMS: Final = (
    ("ICD10PCS", re.compile(r"[0-9BCDFGHX][0-9A-HJ-NP-Z]{6}", re.IGNORECASE)),
    ("ICD9PCS", re.compile(r"\d{2}\.\d{1,2}|\d{3,4}")),
    ("SNOMED", re.compile(r"\d{6,18}")),
)
"""By the form of a procedure's code; five digits may be CPT or a local code, and are none of these."""

_ONE_OF_TWO: Final = "Correct one of the two"

Builder = Callable[[Checked, Building], Frame]


class Built(NamedTuple):
    """The records of sheets, the rows and cells that were not used, and what reading them remarked."""

    records: Records
    refused: tuple[Refusal, ...]
    notices: tuple[str, ...]


def build(
    sheets: Mapping[str, Sequence[Sheet]],
    earlier: Sequence[RecordsError] = (),
    timezone: str = "",
) -> Built:
    """Build one chunk from the sheets of each name; one of `persons` must be among them.

    timezone : of the ward's clock, '' if it is not stated.

    earlier : mistakes that were found before, such as a sheet without a required column; then `persons`
    may be missing. Raises one `RecordsError` with every mistake of all sheets: records are only
    returned if all of them can be understood.
    """
    building = Building()
    blanked = {name: [with_blanks(sheet) for sheet in parts] for name, parts in sheets.items()}
    settled, building.notices = dates_and_midnights(blanked)
    checked = {
        name: [Checked(sheet, building.mistakes) for sheet in parts]
        for name, parts in without_offsets(settled, building, timezone).items()
    }
    persons = Frame.of(PERSONS)
    for whole in checked.get("persons", ()):
        persons = _persons(whole, building)
    if "stays" in checked or not earlier:
        building.stays = building.lost_stays
    tables = {
        name: Frame.concat([make(part, building) for part in checked[name]]).sort(
            "person", time, "key"
        )
        for name, (make, time) in _TABLES.items()
        if checked.get(name)
    }
    kinds: tuple[MeasurementKind, ...] = ()
    if checked.get("labs"):
        tables["measurements"], kinds = measurements(checked["labs"], building)
    building.mistakes.stop(earlier)
    everything = [part for parts in checked.values() for part in parts]
    for part in everything:
        building.refuse_cells(part)
    if "doses" in tables:
        tables["administrations"] = tables.pop("doses")
    refused = tuple(
        Refusal(table, variable, unit, reason, rows, example)
        for (table, variable, unit, reason), (rows, example) in sorted(building.refused.items())
    )
    notices = (*building.notices, *(_chosen(part) for part in everything if part.chosen))
    clock = _clock(tables.get("administrations"), timezone)
    records = Records(persons, kinds=kinds, repeated=NOTHING_REPEATED, clock=clock, **tables)
    return Built(records, refused, notices)


def _clock(administrations: Frame | None, timezone: str) -> ClockChanges:
    """Return the changes of the clock while any dose may have been given."""
    times = [administrations[name] for name in ("start", "end")] if administrations else []
    known = [time[time != UNKNOWN_TIME] for time in times]
    if not any(map(len, known)):
        return ClockChanges.none()
    every = np.concatenate(known)
    return ClockChanges.of(timezone, int(every.min()) - DAY, int(every.max()) + DAY)


def _chosen(checked: Checked) -> str:
    """Return the sentence about numbers that had two readings."""
    text, reading = min(checked.chosen.items())
    return f"{checked.sheet.where()}: {checked.sheet.decimal.why(text, reading)}"


def _persons(checked: Checked, building: Building) -> Frame:
    ids = checked.texts("person_id").tolist()
    keys = checked.sheet.rows
    first: dict[str, int] = {}
    for i, one in enumerate(ids):
        if one and first.setdefault(one, i) != i:
            earlier = keys[first[one]]
            what = f"the person {one!r} is already in row {earlier}"
            checked.add(i, "person_id", Wrong("twice", what, "Keep one of them"))
    sex = checked.choices("sex")
    if two := ambiguous_sex(checked.sheet.texts("sex")):
        letter, beside = two
        what = f"{letter} may be a man or a woman: the column also has {beside!r}"
        for i, text in enumerate(checked.sheet.texts("sex")):
            if text.casefold() == letter.casefold():
                checked.add(i, "sex", Wrong("ambiguous", what, "Write female or male"))
    birth, _ = checked.times("birth_date")
    age, (age_at, _) = checked.numbers("age"), checked.times("age_at")
    checked.note(
        np.flatnonzero((age_at != UNKNOWN_TIME) & (checked.texts("age") == "")).tolist(),
        "age",
        lambda _: Wrong("age", "age_at without age", "Write the age, or clear age_at"),
    )
    undated = np.flatnonzero(~np.isnan(age) & (age_at == UNKNOWN_TIME) & (birth == UNKNOWN_TIME))
    for i in undated.tolist():
        building.refuse(checked.sheet, i, "age undated", variable="age", as_=f"{age[i]:g}")
    death, death_date_only = checked.times("death_time")
    died = checked.choices("died")
    if impossible := checked.implausible("death_time"):  # who has one died, nobody knows when
        died[[i for i in impossible if died[i] != "no"]] = "yes"
    status = checked.texts("last_contact_status")
    building.denied = {one for one, answer in zip(ids, died, strict=True) if answer == "no"}
    for column, says in (
        ("death_time", death != UNKNOWN_TIME),
        ("cause_of_death", checked.choices("cause_of_death") != ""),
        ("last_contact_status", [vital_status.status_of(text) == "died" for text in status]),
    ):
        what = f"died is no, but {column} says that the person died"
        for i in np.flatnonzero((died == "no") & np.array(says, np.bool_)).tolist():
            checked.add(i, column, Wrong("denied", what, _ONE_OF_TWO))
    checked.ends_after_starts()
    frame = Frame.of(
        PERSONS,
        person_id=ids,
        sex=sex,
        birth=birth,
        age=age,
        age_at=age_at,
        weight_kg=checked.numbers("weight_kg"),
        height_cm=checked.numbers("height_cm"),
        died=died,
        death_time=death,
        death_date_only=death_date_only,
        cause_of_death=checked.choices("cause_of_death"),
        last_contact=checked.times("last_contact")[0],
        last_contact_status=status,
        key=keys,
    ).sort("person_id")
    building.person_at = {one: i for i, one in enumerate(frame["person_id"].tolist())}
    return frame


def _stays(checked: Checked, building: Building) -> Frame:
    checked.ends_after_starts()
    ids, destination = checked.texts("person_id"), checked.choices("to")
    end, end_is_date = checked.times("end")
    stay_id = checked.texts("stay_id")
    known = {} if building.stays is None else building.stays
    for one, stay in zip(ids, stay_id, strict=True):
        if stay:
            known.setdefault(one, set()).add(stay)
    checked.note(
        (i for i, one in enumerate(ids) if one in building.denied and destination[i] == "died"),
        "to",
        lambda i: Wrong(
            "denied",
            f"the stay ended in death, but persons says that {ids[i]!r} did not die",
            _ONE_OF_TWO,
        ),
    )
    return Frame.of(
        STAYS,
        person=building.persons_of(checked),
        stay_id=stay_id,
        start=checked.times("start")[0],
        end=end,
        end_date_only=end_is_date,
        kind=checked.choices("kind"),
        hospital=checked.texts("hospital"),
        origin=checked.choices("from"),
        destination=destination,
        key=checked.sheet.keys,
    )


def _doses(checked: Checked, building: Building) -> Frame:
    checked.units_beside_numbers()
    checked.ends_after_starts()
    start, start_is_date = checked.times("start")
    end, end_is_date = checked.times("end")
    label = checked.texts("drug")
    frame = Frame.of(
        ADMINISTRATIONS,
        person=building.persons_of(checked),
        table=[checked.sheet.table] * len(checked.sheet),
        label=label,
        code=checked.texts("code"),
        system=checked.texts("system"),
        route=checked.texts("route"),
        start=start,
        end=end,
        elapsed_h=[checked.sheet.elapsed.get(row, np.nan) / HOUR for row in checked.sheet.rows],
        date_only=start_is_date | end_is_date,
        amount=checked.numbers("amount"),
        amount_unit=checked.texts("amount_unit"),
        rate=checked.numbers("rate"),
        rate_unit=checked.texts("rate_unit"),
        concentration=checked.numbers("concentration"),
        concentration_unit=checked.texts("concentration_unit"),
        weight_kg=checked.numbers("weight_kg"),
        status=checked.choices("status"),
        indication=checked.texts("indication"),
        reason_for_change=checked.texts("reason_for_change"),
        key=checked.sheet.keys,
    )
    return frame.take(building.used(checked, variable=label))


def _findings(checked: Checked, building: Building) -> Frame:
    checked.ends_after_starts()
    time, date_only = checked.times("time")
    finding, present = checked.texts("finding"), checked.choices("present")
    present[present == ""] = "unknown"
    value = checked.numeric_texts("value")
    keep = np.ones(len(checked.sheet), dtype=np.bool_)
    for reason, missing in (
        ("finding missing", finding == ""),
        ("time missing", time == UNKNOWN_TIME),
    ):
        for i in np.flatnonzero(keep & missing).tolist():
            building.refuse(checked.sheet, i, reason, variable=finding[i], as_=present[i])
        keep &= ~missing
    return Frame.of(
        FINDINGS,
        person=building.persons_of(checked),
        time=time,
        end=checked.times("end")[0],
        date_only=date_only,
        finding=finding,
        present=present,
        method=checked.choices("method"),
        value=value,
        unit=checked.texts("unit"),
        key=checked.sheet.keys,
    ).take(keep)


def _conditions(checked: Checked, building: Building) -> Frame:
    code, name = checked.texts("code"), checked.texts("name")
    keep = (code != "") | (name != "")
    for i in np.flatnonzero(~keep).tolist():
        building.refuse(checked.sheet, i, "code and name missing")
    system = checked.choices("system")
    for i in np.flatnonzero((system == "") & (code != "")).tolist():
        system[i] = _code_system(code[i])
    first, last = checked.spans("onset")
    return Frame.of(
        CONDITIONS,
        person=building.persons_of(checked),
        stay_id=building.stays_of(checked),
        onset=checked.times("onset")[0],
        onset_from=first,
        onset_until=last,
        system=system,
        code=code,
        name=name,
        status=checked.choices("status"),
        key=checked.sheet.keys,
    ).take(keep)


def _code_system(code: str) -> str:
    """Return the system whose form a code has; '' if none, and if two versions of ICD have it."""
    return "" if icd.in_both_versions(code) else _form_of(code, _CODE_SYSTEMS)


def _form_of(code: str, forms: Sequence[tuple[str, re.Pattern[str]]]) -> str:
    return next((system for system, form in forms if form.fullmatch(code)), "")


def _procedures(checked: Checked, building: Building) -> Frame:
    checked.units_beside_numbers()
    checked.ends_after_starts()
    name, code, system = (checked.texts(column) for column in ("name", "code", "system"))
    keep = (code != "") | (name != "")
    for i in np.flatnonzero(~keep).tolist():
        building.refuse(checked.sheet, i, "code and name missing")
    for i in np.flatnonzero((system == "") & (code != "")).tolist():
        system[i] = _form_of(code[i], _PROCEDURE_SYSTEMS)
    start, date_only = checked.times("start")
    return Frame.of(
        PROCEDURES,
        person=building.persons_of(checked),
        start=start,
        date_only=date_only,
        end=checked.times("end")[0],
        system=system,
        code=code,
        name=name,
        amount=checked.numbers("amount"),
        amount_unit=checked.texts("amount_unit"),
        key=checked.sheet.keys,
    ).take(keep)


def _cultures(checked: Checked, building: Building) -> Frame:
    checked.not_too_long()
    collected, date_only = checked.times("collected")
    return Frame.of(
        CULTURES,
        person=building.persons_of(checked),
        collected=collected,
        date_only=date_only,
        available=checked.times("available")[0],
        specimen=checked.texts("specimen"),
        test=checked.texts("test"),
        result=checked.choices("result"),
        organism=checked.texts("organism"),
        judged=checked.choices("judged"),
        key=checked.sheet.keys,
    )


_TABLES: Final[Mapping[str, tuple[Builder, str]]] = {
    # the function that builds it, and the time by which its rows are sorted
    "stays": (_stays, "start"),
    "doses": (_doses, "start"),
    "findings": (_findings, "time"),
    "conditions": (_conditions, "onset"),
    "procedures": (_procedures, "start"),
    "cultures": (_cultures, "collected"),
    "judgements": (judgements, "question"),
}
