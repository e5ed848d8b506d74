"""What `becalm doctor` finds in records of a few rows, each with one thing wrong."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from becalm import vocabulary
from becalm.doctor import TABLES, Diagnosis, examine, render, write
from becalm.events import harmonise
from becalm.records import open_records
from becalm.records.mimic4 import open_mimic4
from tests.records import Row, dose, lab, person, procedure, sheets, stay
from tests.records.mimic_files import LABELS, FileRow, mimic_folder

DEMO: Final = Path(__file__).parents[4] / "shared" / "data" / "mimic-iv-demo"
needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")


def ferritin(**cells: object) -> FileRow:
    usual = {
        "labevent_id": 7, "subject_id": 10, "itemid": 50924, "charttime": "2160-01-02 03:04:00",
        "value": "812", "valuenum": "812", "valueuom": "ng/mL",
    }  # fmt: skip
    return {**usual, **cells}


def visit(root: Path, tables: Mapping[str, Sequence[FileRow]], leave_out: str = "") -> Diagnosis:
    return examine(open_mimic4(mimic_folder(root, tables, leave_out)))


def row_of(diagnosis: Diagnosis, name: str, /, **key: str) -> dict[str, Any]:
    (found,) = (
        row
        for row in diagnosis[name].rows()
        if all(row[column] == value for column, value in key.items())
    )
    return found


def review(root: Path, *rows: Row) -> Diagnosis:
    return examine(open_records(str(sheets(root, *rows))))


def test_times_are_counted_by_how_exact_they_are(tmp_path: Path) -> None:
    times = ["03:04:05", "03:04:00", "03:00:00", "00:00:00"]
    rows = [
        ferritin(labevent_id=i, charttime=f"2160-01-0{i + 1} {time}")
        for i, time in enumerate(times)
    ]
    got = row_of(visit(tmp_path, {"hosp/labevents": rows}), "precision", time="drawn")
    assert (got["source_table"], got["rows"], got["unknown"], got["date_only"]) == (
        "labevents", 4, 0, 0,
    )  # fmt: skip
    assert [got[g] for g in ("midnight", "whole_hours", "whole_minutes", "whole_seconds")] == [
        1, 2, 3, 4,
    ]  # fmt: skip


def test_a_date_that_says_it_is_one_is_not_a_midnight(tmp_path: Path) -> None:
    labs = [lab("ferritin", 5, "2020-01-01"), lab("ferritin", 6, "2020-01-02T00:00")]
    got = row_of(review(tmp_path, *labs), "precision", time="drawn")
    assert (got["rows"], got["date_only"], got["midnight"]) == (2, 1, 1)


def test_the_end_of_a_stay_and_the_start_of_a_procedure_by_date_are_no_midnights(
    tmp_path: Path,
) -> None:
    said = [
        stay("2020-01-01T08:00", "2020-01-09"),
        stay("2020-02-01T08:00", "2020-02-09T09:00"),
        procedure("HD", "2020-01-02"),
        procedure("HD", "2020-01-03T00:00"),
        procedure("HD", "2020-01-04T10:00"),
    ]
    found = review(tmp_path, *said)
    ends = row_of(found, "precision", source_table="stays", time="end")
    assert (ends["rows"], ends["date_only"], ends["midnight"]) == (2, 1, 0)
    starts = row_of(found, "precision", source_table="procedures", time="start")
    assert (starts["rows"], starts["date_only"], starts["midnight"]) == (3, 1, 1)


def test_units_are_counted_as_written_with_why_they_were_refused(tmp_path: Path) -> None:
    rows = [
        ferritin(labevent_id=1),
        ferritin(labevent_id=2, valueuom="pg/mL"),
        ferritin(labevent_id=3, value="HEMOLYZED", valuenum=""),
        ferritin(labevent_id=4, value="0.001", valuenum="0.001", valueuom="nmol/L"),
    ]
    got = visit(tmp_path, {"hosp/labevents": rows})["units"].rows()
    assert {r["unit"]: (r["read_as"], r["rows"], r["used"], r["refused"]) for r in got} == {
        "ng/mL": ("ng/mL", 2, 1, "not a number 1"),
        "pg/mL": ("", 1, 0, "unknown unit 1"),
        "nmol/L": ("ng/mL: x × 1000 ÷ 2.247", 1, 0, "outside plausible range 1"),
    }


def test_what_nobody_has_is_named_with_what_is_not_assessed(tmp_path: Path) -> None:
    found = visit(tmp_path, {"hosp/labevents": [ferritin()]}, leave_out="chartevents")
    missing = row_of(found, "variables", variable="temperature")
    assert missing["persons"] == 0
    assert missing["consequence"].startswith("temperature absent: ")
    assert "Temperature not assessed (hscore" in missing["consequence"]
    assert row_of(found, "variables", variable="ferritin")["consequence"] == ""
    assert row_of(found, "variables", variable="ferritin")["persons"] == 1
    assert row_of(found, "absent_tables", table="chartevents")["consequence"]
    assert "temperature absent: " in render(found)


def test_different_results_of_one_instant_are_conflicts_equal_ones_are_not(tmp_path: Path) -> None:
    rows = [
        ferritin(labevent_id=1),
        ferritin(labevent_id=2),
        ferritin(labevent_id=3, charttime="2160-01-03 00:00:00"),
        ferritin(labevent_id=4, charttime="2160-01-03 00:00:00", value="900", valuenum="900"),
    ]
    (got,) = visit(tmp_path, {"hosp/labevents": rows})["conflicts"].rows()
    assert (got["variable"], got["instants"], got["conflicts"]) == ("ferritin", 2, 1)
    assert got["example"] == "labevents:3 812|labevents:4 900"


def test_the_delay_between_the_two_clocks_is_measured_where_it_is_known(tmp_path: Path) -> None:
    minutes = [5, 10, 40, 61]
    rows = [
        ferritin(
            labevent_id=i, charttime=f"2160-01-0{i + 1} 03:00:00",
            storetime=f"2160-01-0{i + 1} {3 + m // 60:02}:{m % 60:02}:00",
        )
        for i, m in enumerate(minutes)
    ]  # fmt: skip
    late = ferritin(labevent_id=8, charttime="2160-01-08 03:00:00", storetime="2160-01-08 02:00:00")
    rows += [late, ferritin(labevent_id=9, charttime="2160-01-09 03:00:00")]
    (got,) = visit(tmp_path, {"hosp/labevents": rows})["delay"].rows()
    assert (got["rows"], got["unknown"], got["negative"]) == (6, 1, 1)
    quartiles = [got[name] for name in ("quartile_1_min", "median_min", "quartile_3_min")]
    assert quartiles == np.percentile(minutes, [25, 50, 75]).tolist()


def test_a_label_that_contradicts_is_listed_beside_the_one_expected(tmp_path: Path) -> None:
    labels = [{"itemid": 50924, "label": "Creatinine", "fluid": "Blood"}]
    found = visit(tmp_path, {"hosp/labevents": [ferritin()], "hosp/d_labitems": labels})
    (got,) = found["labels"].rows()
    assert (got["code"], got["label"], got["expected"], got["rows"]) == (
        "50924", "Creatinine", "Ferritin", 1,
    )  # fmt: skip
    assert row_of(found, "variables", variable="ferritin")["persons"] == 0


def test_refused_rows_come_with_reason_and_example_most_first(tmp_path: Path) -> None:
    rows = [
        ferritin(labevent_id=1, charttime=""),
        ferritin(labevent_id=2, value="ND", valuenum=""),
        ferritin(labevent_id=3, value="ND", valuenum=""),
        ferritin(labevent_id=4, itemid=51508, value="Yellow", valuenum=""),
    ]
    found = visit(tmp_path, {"hosp/labevents": rows})
    assert [(r["reason"], r["rows"], r["example"]) for r in found["refused"].rows()] == [
        ("not a number", 2, "labevents:2 ND"),
        ("no readable time", 1, "labevents:1 812"),
    ]
    (unknown,) = found["unknown_items"].rows()
    assert (unknown["variable"], unknown["example"]) == ("Urine Color", "labevents:4 Urine Color")


def test_doses_without_end_without_amount_and_not_adding_up_are_counted(tmp_path: Path) -> None:
    found = review(
        tmp_path,
        person(death="2020-02-01T00:00"),
        dose("anakinra", 0, 2, amount="100 mg", rate="10 mg/h"),
        dose("anakinra", 24, rate="10 mg/h"),
        dose("anakinra", 48, amount="100 mg"),
        dose("moonshine", 48, amount="100 mg"),
    )
    remarks = {row["remark"]: row["rows"] for row in found["doses"].rows()}
    assert remarks["a rate without an end"] == 1
    assert remarks["one amount without an end: a single dose"] == 2
    assert remarks["rate × time is not the amount"] == 1
    assert remarks["neither amount nor rate"] == 0
    (unknown,) = found["unknown_drugs"].rows()
    assert (unknown["label"], unknown["rows"], unknown["example"]) == ("moonshine", 1, "doses:5")


def test_persons_without_sex_age_or_stay_are_counted(tmp_path: Path) -> None:
    found = review(
        tmp_path,
        person("1", birth="1960-01-01"),
        person("2", age=None, sex=""),
        person("3", age=None, sex="M"),
    )
    lacking = {row["without"]: row["persons"] for row in found["persons"].rows()}
    assert (lacking["sex"], lacking["age"], lacking["stay"]) == (1, 2, 3)
    assert found.persons == 3


def test_every_table_is_written_whole_with_its_columns(tmp_path: Path) -> None:
    found = visit(tmp_path / "in", {"hosp/labevents": [ferritin()]})
    out = tmp_path / "out"
    out.mkdir()
    write(found, out)
    for name, schema in TABLES.items():
        with (out / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == list(schema)
        assert len(rows) == len(found[name]) + 1
        assert not any("nan" in cell or cell == "-1" for row in rows for cell in row)


def test_records_without_anything_are_examined_too(tmp_path: Path) -> None:
    everything = (
        " ".join(table.split("/")[1] for table in LABELS)
        + " labevents chartevents outputevents inputevents diagnoses_icd"
    )
    text = render(visit(tmp_path, {}, leave_out=everything))
    assert "No measurement of a known variable." in text
    assert "labevents" in text


@needs_demo
def test_the_demo_is_the_same_whole_or_in_pieces_and_fits_the_page() -> None:
    whole = render(examine(open_mimic4(DEMO)))
    assert render(examine(open_mimic4(DEMO, chunk_rows=5000))) == whole
    assert max(map(len, whole.splitlines())) <= 100


@needs_demo
def test_conflicts_of_the_demo_are_those_that_scores_meet() -> None:
    (records,) = open_mimic4(DEMO).chunks()
    events = harmonise(records, vocabulary.load())
    found = {
        row["variable"]: row["conflicts"] for row in examine(open_mimic4(DEMO))["conflicts"].rows()
    }
    for variable in vocabulary.load().variables:
        assert events.points(variable.name).conflicts == found.get(variable.name, 0)


@needs_demo
def test_ferritin_of_the_demo_is_known_seven_hours_after_it_was_drawn() -> None:
    got = row_of(examine(open_mimic4(DEMO)), "delay", variable="ferritin")
    assert 410 <= got["median_min"] <= 425
    assert (got["rows"], got["unknown"], got["negative"]) == (76, 0, 0)
