"""The source rows of the cohort's numbers, as the source wrote them; a report opens them."""

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
    """Return every `table:key` in some columns of tables, for some persons."""
    people = list(person_ids)
    return {
        key
        for frame, column in columns
        for rows in frame[column][np.isin(frame["person_id"].astype(str), people)]
        for key in rows.split("|")
        if key
    }


def wanted_rows(chunk: Patients, cohort: Frame, wanted: set[str]) -> Frame:
    """Return the wanted rows of the cohort, and the rows of its persons and stays.

    wanted : `table:key`. A row of the records is one row here; a person or a stay has one row here
    for each of its facts. Sorted by source row.
    """
    records = chunk.records
    inside: Mask = np.zeros(len(chunk), np.bool_)
    inside[cohort["person"]] = True
    rows = [
        *_measured(chunk, inside, wanted),
        *_administered(records, inside, wanted),
        *_recorded(records, inside, wanted),
        *_judged(records, inside, wanted),
        *_described(records, inside),
    ]
    once = {(row["source_row"], row["label"], row["time"]): row for row in rows}
    return Frame.of_rows(ROWS, [once[key] for key in sorted(once)])


def _measured(chunk: Patients, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    """Yield measurements and findings; refused rows are never wanted."""
    frame, records = chunk.events.frame, chunk.records
    rows = frame["row"][inside[frame["person"]] & ~chunk.events.derived]
    keys, measured = _keys(wanted), len(records.measurements)
    tables = Categorical.by(
        records.measurements["kind"][rows[rows < measured]], [each.table for each in records.kinds]
    )
    taken = _among(tables, records.measurements["key"][rows[rows < measured]], keys)
    of_findings = rows[rows >= measured]
    named = np.isin(records.findings["key"][of_findings - measured], keys.get("findings", []))
    for row in [*rows[rows < measured][taken].tolist(), *of_findings[named].tolist()]:
        description = chunk.events.describe(row)
        yield {name: description[name] for name in ROWS}


def _keys(wanted: Iterable[str]) -> dict[str, list[int]]:
    """Return the keys in some `table:key`, by table."""
    by_table: dict[str, list[int]] = {}
    for name in wanted:
        table, _, key = name.rpartition(":")
        by_table.setdefault(table, []).append(int(key))
    return by_table


def _among(tables: Categorical, key: Times, keys: Mapping[str, list[int]]) -> Mask:
    """Return which rows are wanted."""
    taken: Mask = np.zeros(len(key), np.bool_)
    for table, wanted in keys.items():
        of_table = np.flatnonzero(tables.among([table]))
        taken[of_table] = np.isin(key[of_table], wanted)
    return taken


def _administered(records: Records, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    administrations = records.administrations
    of_cohort = np.flatnonzero(inside[administrations["person"]])
    taken = _among(
        administrations.coded("table").take(of_cohort),
        administrations["key"][of_cohort],
        _keys(wanted),
    )
    for at in of_cohort[taken].tolist():
        name = f"{administrations['table'][at]}:{administrations['key'][at]}"
        parts = [
            f"{administrations[number][at]:g} {administrations[unit][at]}".strip()
            for number, unit in (
                ("amount", "amount_unit"),
                ("rate", "rate_unit"),
                ("concentration", "concentration_unit"),
            )
            if not np.isnan(administrations[number][at])
        ]
        value = ", ".join([*parts, *filter(None, [administrations["route"][at]])])
        person = administrations["person"][at]
        yield _row(
            records,
            person,
            name,
            administrations["start"][at],
            (administrations["label"][at], value),
        )


def _recorded(records: Records, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    """Yield diagnoses, findings, cultures and procedures."""
    sources: dict[str, tuple[Frame, str, tuple[str, ...], tuple[str, ...]]] = {
        "conditions": (records.conditions, "onset", ("name", "code"), ("status",)),
        "findings": (records.findings, "time", ("finding",), ("present", "method")),
        "cultures": (
            records.cultures, "collected", ("specimen", "test"), ("result", "organism", "judged")
        ),
        "procedures": (records.procedures, "start", ("name",), ()),
    }  # fmt: skip
    for table, (whole, time, what, answer) in sources.items():
        frame = whole.take(inside[whole["person"]])
        for at, key in enumerate(frame["key"].tolist()):
            name = f"{table}:{key}"
            if name in wanted:
                label = " ".join(filter(None, (str(frame[c][at]) for c in what)))
                value = ", ".join(filter(None, (str(frame[c][at]) for c in answer)))
                yield _row(records, frame["person"][at], name, frame[time][at], (label, value))


def _judged(records: Records, inside: Mask, wanted: set[str]) -> Iterator[Row]:
    """Yield answers of reviewers; when somebody answered is no time of the patient."""
    frame = records.judgements.take(inside[records.judgements["person"]])
    for row in frame.rows():
        name = f"{row['table'] or 'judgements'}:{row['key']}"
        if name in wanted:
            said = ", ".join(filter(None, (row["answer"] or "taken back", row["confidence"])))
            label = f"{row['question']}, {row['reviewer']}"
            yield _row(records, row["person"], name, UNKNOWN_TIME, (label, said))


TOP_AGE: Final = 89
"""Higher ages are shown as one group, as in the report."""


def _described(records: Records, inside: Mask) -> Iterator[Row]:
    """Yield the facts in the tables of persons and stays; times are never written as dates in texts."""
    persons, stays = records.persons, records.stays
    for at in np.flatnonzero(inside).tolist():
        name = f"{persons['table'][at] or 'persons'}:{persons['key'][at]}"
        row_of = partial(_row, records, at, name)
        birth = "" if persons["birth"][at] == UNKNOWN_TIME else "date recorded"
        for label, value in (
            ("sex", persons["sex"][at]),
            ("age", _age(persons["age"][at])),
            ("birth", "year only" if birth and persons["birth_year_only"][at] else birth),
            ("weight, kg", _number(persons["weight_kg"][at])),
            ("died", persons["died"][at]),
        ):
            if value:
                yield row_of(UNKNOWN_TIME, (label, value))
        for label, time, column in (
            ("death", "death_time", "cause_of_death"),
            ("last contact", "last_contact", "last_contact_status"),
        ):
            if persons[time][at] != UNKNOWN_TIME:
                yield row_of(persons[time][at], (label, persons[column][at].replace("|", ", ")))
    for at in np.flatnonzero(inside[stays["person"]]).tolist():
        name = f"{stays['table'][at] or 'stays'}:{stays['key'][at]}"
        row_of = partial(_row, records, stays["person"][at], name)
        kind = stays["kind"][at] or "stay"
        for label, column in (("start", "origin"), ("end", "destination")):
            if stays[label][at] != UNKNOWN_TIME:
                yield row_of(stays[label][at], (f"{kind}: {label}", stays[column][at]))


def _age(years: float) -> str:
    return f"{TOP_AGE + 1}+" if years > TOP_AGE else _number(years)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:g}"


def _row(records: Records, person: int, name: str, time: int, fact: tuple[str, str]) -> Row:
    label, value = fact
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
