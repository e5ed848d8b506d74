"""A long inputevents: read by all cores, and still every row is the one that the file has there."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest

from becalm.records import Records
from becalm.records.mimic4 import inputs, open_mimic4
from becalm.records.mimic4.administrations import _Numbered, _stay_ids
from tests.records.mimic_files import COLUMNS, mimic_folder

ROWS = 600_000
PERSONS = 1_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 47 MB, which DuckDB reads in several pieces; the amount is the row's number."""
    persons = [
        {"subject_id": 10_000 + p, "gender": "F", "anchor_age": 40, "anchor_year": 2150}
        for p in range(PERSONS)
    ]
    root = tmp_path_factory.mktemp("long")
    mimic_folder(root, {"hosp/patients": persons}, leave_out="inputevents")
    names = COLUMNS["icu/inputevents"].split()
    given = {
        "subject_id": f"10000 + hash(r, 'who') % {PERSONS + 1}",
        "hadm_id": "20000000 + r // 1000",
        "itemid": "220000 + r % 50",
        "starttime": "TIMESTAMP '2150-01-01' + to_minutes((hash(r) % 100000)::BIGINT)",
        "endtime": "starttime + INTERVAL 1 HOUR",
        "amount": "r + 1",
        "amountuom": "['mg', 'ml', ' mg '][1 + r % 3]",
    }
    columns = ", ".join(f"{given.get(name, 'NULL')} AS {name}" for name in names)
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT {columns} FROM (SELECT range AS r FROM range({ROWS}))) "
            f"TO '{root}/icu/inputevents.csv' (HEADER)"
        )
    return root


def chunks(folder: Path, rows: int) -> list[Records]:
    return list(open_mimic4(folder, chunk_rows=rows).chunks())


def test_every_row_keeps_its_number_and_its_person(folder: Path) -> None:
    with duckdb.connect() as con:
        written = con.execute(
            "SELECT list(subject_id::VARCHAR ORDER BY amount), list(hadm_id::VARCHAR ORDER BY amount),"
            "       list(trim(amountuom) ORDER BY amount) "
            f"FROM read_csv('{folder}/icu/inputevents.csv')"
        ).fetchall()[0]
    subject, stay, unit = (np.array(column, dtype=object) for column in written)
    seen = []
    for records in chunks(folder, 100_000):
        given = records.administrations
        at = given["key"] - 1
        seen.append(at)
        assert (given["amount"] == given["key"]).all()
        assert (records.persons["person_id"][given["person"]] == subject[at]).all()
        assert (given["stay_id"] == stay[at]).all()
        assert (given["amount_unit"] == unit[at]).all()
        assert (given["code"] == (220_000 + at % 50).astype(str).astype(object)).all()
    read = np.sort(np.concatenate(seen))
    assert (read == np.flatnonzero(subject != str(10_000 + PERSONS))).all()


def test_who_is_not_in_patients_is_refused_and_counted(folder: Path) -> None:
    source = open_mimic4(folder)
    used = sum(len(records.administrations) for records in source.chunks())
    refused = [each for each in source.refused() if each.reason == "person not in patients"]
    assert sum(each.rows for each in refused) == ROWS - used > 0
    assert {(each.source_table, each.unit) for each in refused} == {
        ("inputevents", "mg"), ("inputevents", "ml"),
    }  # fmt: skip


def test_chunks_are_cut_by_measurements_and_administrations_together(folder: Path) -> None:
    """Somebody with many infusions and hardly a result does not make a chunk too long."""
    found = chunks(folder, 50_000)
    assert len(found) > 10
    longest = max(np.bincount(np.concatenate([r.administrations["person"] for r in found])))
    assert all(len(r.administrations) < 50_000 + longest for r in found)
    ids = [r.persons["person_id"].tolist() for r in found]
    assert all(one[-1] < other[0] for one, other in pairwise(ids))
    assert sum(map(len, ids)) == PERSONS


def test_units_are_trimmed_as_duckdb_trims_those_of_other_tables() -> None:
    codes = [*range(1, 0x300), *range(0x1600, 0x1700), *range(0x2000, 0x2070), 0x3000, 0xFEFF]
    with duckdb.connect() as con:
        for code in codes:
            text = f"{chr(code)}mg{chr(code)}"
            [(unit,)] = con.execute("SELECT trim(?)", [text]).fetchall()
            row = inputs.APART.join(["1", text, "", "", "", "", ""])
            if chr(code) != inputs.APART:
                assert inputs.understood(row, str)[0]["amount_unit"] == unit, hex(code)


def test_persons_are_found_by_number_where_numbers_share_a_place_too() -> None:
    subjects = np.array([3, 3 + 64, 3 + 128, 1 << 62, 0, 7])
    known = _Numbered(subjects)
    assert known.find(subjects).tolist() == list(range(6))
    assert known.find(np.array([64, 3 + 256, 1, (1 << 62) + 3])).tolist() == [-1] * 4
    assert _Numbered(subjects[:1]).find(np.array([3, 4])).tolist() == [0, -1]


def test_stays_are_written_as_they_stand_and_unknown_ones_left_blank() -> None:
    stay = np.array([20, 20, -1, 20, 7, 7])
    assert _stay_ids(stay).written().tolist() == ["20", "20", "", "20", "7", "7"]
    assert _stay_ids(stay[:0]).written().tolist() == []
