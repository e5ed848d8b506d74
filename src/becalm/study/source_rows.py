"""The rows behind the cohort's numbers, as the source wrote them: what a report opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np

from becalm.core.arrays import Mask, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical
from becalm.core.frame import Frame
from becalm.patients.understood import Patients
from becalm.records import Records
from becalm.tables import ROWS

Row: TypeAlias = dict[str, Any]


def named(columns: Iterable[tuple[Frame, str]], person_ids: Iterable[str]) -> set[str]:
    """Return every `table:key` that some columns of tables name for some persons."""
    people = list(person_ids)
    return {
        key
        for frame, column in columns
        for rows in frame[column][np.isin(frame["person_id"].astype(str), people)]
        for key in rows.split("|")
        if key
    }


def rows_behind(chunk: Patients, cohort: Frame, wanted: set[str]) -> Frame:
    """Return the rows of the cohort that are wanted, and what describes its persons and stays.

    wanted : `table:key`. A row of the records is one row here, but a person or a stay is one for
    each thing that it says. Sorted by source row.
    """
    records = chunk.records
    inside: Mask = np.zeros(len(chunk), np.bool_)
    inside[cohort["person"]] = True
    found = [
        *_measured(chunk, inside, wanted),
        *_administered(records, inside, wanted),
        *_recorded(records, inside, wanted),
        *_described(records, inside),
    ]
    once = {(row["source_row"], row["label"], row["time"]): row for row in found}
    return Frame.of_rows(ROWS, [once[key] for key in sorted(once)])


def _measured(chunk: Patients, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    """Yield measurements and findings; those refused are wanted by nobody."""
    frame, records = chunk.events.frame, chunk.records
    rows = frame["row"][inside[frame["person"]]]
    keys, measured = _keys(wanted), len(records.measurements)
    tables = Categorical.by(
        records.measurements["kind"][rows[rows < measured]], [each.table for each in records.kinds]
    )
    taken = _among(tables, records.measurements["key"][rows[rows < measured]], keys)
    found = rows[rows >= measured]
    named = np.isin(records.findings["key"][found - measured], keys.get("findings", []))
    for row in [*rows[rows < measured][taken].tolist(), *found[named].tolist()]:
        said = chunk.events.describe(row)
        yield {name: said[name] for name in ROWS}


def _keys(wanted: Iterable[str]) -> dict[str, list[int]]:
    """Return the keys that some `table:key` ask for, by table."""
    found: dict[str, list[int]] = {}
    for name in wanted:
        table, _, key = name.rpartition(":")
        found.setdefault(table, []).append(int(key))
    return found


def _among(tables: Categorical, key: Times, keys: Mapping[str, list[int]]) -> Mask:
    """Say which rows are asked for, all tables looked at once."""
    taken: Mask = np.zeros(len(key), np.bool_)
    for table, wanted in keys.items():
        mine = np.flatnonzero(tables.among([table]))
        taken[mine] = np.isin(key[mine], wanted)
    return taken


def _administered(records: Records, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    given = records.administrations
    mine = np.flatnonzero(inside[given["person"]])
    taken = _among(given.coded("table").take(mine), given["key"][mine], _keys(wanted))
    for at in mine[taken].tolist():
        name = f"{given['table'][at]}:{given['key'][at]}"
        parts = [
            f"{given[number][at]:g} {given[unit][at]}".strip()
            for number, unit in (
                ("amount", "amount_unit"),
                ("rate", "rate_unit"),
                ("concentration", "concentration_unit"),
            )
            if not np.isnan(given[number][at])
        ]
        value = ", ".join([*parts, *filter(None, [given["route"][at]])])
        person = given["person"][at]
        yield _row(records, person, name, given["start"][at], (given["label"][at], value))


def _recorded(records: Records, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    """Yield diagnoses, findings, cultures and procedures."""
    told: dict[str, tuple[Frame, str, tuple[str, ...], tuple[str, ...]]] = {
        "conditions": (records.conditions, "onset", ("name", "code"), ("status",)),
        "findings": (records.findings, "time", ("finding",), ("present", "method")),
        "cultures": (
            records.cultures, "collected", ("specimen", "test"), ("result", "organism", "judged")
        ),
        "procedures": (records.procedures, "start", ("name",), ()),
    }  # fmt: skip
    for table, (whole, time, what, answer) in told.items():
        frame = whole.take(inside[whole["person"]])
        for at, key in enumerate(frame["key"].tolist()):
            name = f"{table}:{key}"
            if name in wanted:
                label = " ".join(filter(None, (str(frame[c][at]) for c in what)))
                value = ", ".join(filter(None, (str(frame[c][at]) for c in answer)))
                yield _row(records, frame["person"][at], name, frame[time][at], (label, value))


TOP_AGE: Final = 89
"""Ages above are not told apart, as the report says."""


def _described(records: Records, inside: Mask) -> Iterator[Row]:
    """Yield what the tables of persons and stays say; times as such, never as a calendar date."""
    persons, stays = records.persons, records.stays
    for at in np.flatnonzero(inside).tolist():
        name = f"{persons['table'][at] or 'persons'}:{persons['key'][at]}"
        say = partial(_row, records, at, name)
        birth = "" if persons["birth"][at] == UNKNOWN_TIME else "date recorded"
        for label, value in (
            ("sex", persons["sex"][at]),
            ("age", _age(persons["age"][at])),
            ("birth", "year only" if birth and persons["birth_year_only"][at] else birth),
            ("weight, kg", _number(persons["weight_kg"][at])),
        ):
            if value:
                yield say(UNKNOWN_TIME, (label, value))
        for label, time, told in (
            ("death", "death_time", "cause_of_death"),
            ("last contact", "last_contact", "last_contact_status"),
        ):
            if persons[time][at] != UNKNOWN_TIME:
                yield say(persons[time][at], (label, persons[told][at].replace("|", ", ")))
    for at in np.flatnonzero(inside[stays["person"]]).tolist():
        name = f"{stays['table'][at] or 'stays'}:{stays['key'][at]}"
        say = partial(_row, records, stays["person"][at], name)
        kind = stays["kind"][at] or "stay"
        for label, told in (("start", "origin"), ("end", "destination")):
            if stays[label][at] != UNKNOWN_TIME:
                yield say(stays[label][at], (f"{kind}: {label}", stays[told][at]))


def _age(years: float) -> str:
    return f"{TOP_AGE + 1}+" if years > TOP_AGE else _number(years)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:g}"


def _row(records: Records, person: int, name: str, time: int, said: tuple[str, str]) -> Row:
    label, value = said
    return {
        "source_row": name,
        "person_id": records.persons["person_id"][person],
        "time": int(time),
        "label": label,
        "value": value,
        "unit": "",
        "available": UNKNOWN_TIME,
        "canonical": "",
    }
