"""The synthetic hospital: the same bytes again, flat memory, untidy but readable."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tomllib
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from becalm.core.errors import OutputError, UsageError
from becalm.demo import ordinary, planted, write_hospital
from becalm.demo.charting import chart_infusion, total_mg
from becalm.demo.untidy import SHEETS, quantities
from becalm.vocabulary import MeasurementKind, load
from tests.spec.by_hand import Chart, hlh2004, hscore, sheet


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(folder, persons=300, seed=20)
    return folder


def test_the_same_seed_gives_the_same_bytes_on_another_machine(
    hospital: Path, tmp_path: Path
) -> None:
    """A clock far away and another language change nothing."""
    code = (
        "from pathlib import Path; from becalm.demo import write_hospital; "
        f"write_hospital(Path({str(tmp_path)!r}), 300, 20)"
    )
    abroad = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], env=abroad, check=True)
    written = {path.name for path in hospital.iterdir()}
    assert written == {path.name for path in tmp_path.iterdir()}
    for name in written:
        assert (tmp_path / name).read_bytes() == (hospital / name).read_bytes(), name


def test_another_seed_gives_other_people_and_the_same_planted_values(
    hospital: Path, tmp_path: Path
) -> None:
    write_hospital(tmp_path, persons=40, seed=21)
    theirs = {row["person_id"]: row for row in sheet(tmp_path, "persons")}
    ours = {row["person_id"]: row for row in sheet(hospital, "persons")}
    assert theirs["ILL-4"] == ours["ILL-4"]
    assert theirs["ORD-000001"] != ours["ORD-000001"]


def test_more_persons_leave_the_others_unchanged(hospital: Path, tmp_path: Path) -> None:
    """Everybody has a random stream of their own, so nothing has to be kept in memory."""
    write_hospital(tmp_path, persons=30, seed=20)
    for name in SHEETS:
        few = {tuple(row.values()) for row in sheet(tmp_path, name)}
        many = {tuple(row.values()) for row in sheet(hospital, name)}
        assert few <= many, name


def test_everybody_is_there_once_and_in_the_order_of_their_ids(hospital: Path) -> None:
    persons = [row["person_id"] for row in sheet(hospital, "persons")]
    assert len(persons) == 300
    assert persons == sorted(set(persons))
    groups = [one.split("-")[0] for one in persons]
    assert {g: groups.count(g) for g in ("ILL", "MIM", "ORD", "TRT")} == {
        "ILL": 5,
        "MIM": 6,
        "ORD": 284,
        "TRT": 5,
    }
    for name in SHEETS:
        order = [row["person_id"] for row in sheet(hospital, name)]
        assert order == sorted(order), name


def test_it_says_that_it_is_illustrative(hospital: Path) -> None:
    study = tomllib.loads((hospital / "study.toml").read_text(encoding="utf-8"))
    assert study["illustrative"] is True
    assert "llustrative" in study["title"]
    assert "timezone" not in study
    assert json.loads((hospital / "truth.json").read_text(encoding="utf-8"))["illustrative"] is True


def test_the_sheets_have_the_columns_of_the_contract(hospital: Path) -> None:
    from becalm.records.sheets.schema import SHEETS as SCHEMA

    for name in SHEETS:
        with (hospital / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert set(next(csv.reader(file))) <= set(SCHEMA[name].columns)


def test_it_is_as_untidy_as_real_records(hospital: Path) -> None:
    """Every kind of untidiness that a reader must survive is there."""
    labs = sheet(hospital, "labs")
    ordinary_rows = [row for row in labs if row["person_id"].startswith("ORD")]
    units = {(row["name"], row["unit"]) for row in labs}
    for unit in ("ng/mL", "µg/L", "ug/L", "pmol/L"):
        assert any("erritin" in name.lower() and u == unit for name, u in units), unit
    for unit in ("°C", "C", "°F", "mg/dL", "mmol/L", "K/uL", "10^9/L", "x10E3/uL", "/uL"):
        assert any(u == unit for _, u in units), unit
    assert any(row["unit"] == "" for row in ordinary_rows)
    assert any(row["value"] == "" for row in ordinary_rows)
    assert any(row["value"] == "hemolyzed" for row in ordinary_rows)
    assert any(len(row["time"]) == 10 for row in ordinary_rows)
    assert any(row["time"].endswith("-05:00") for row in ordinary_rows)
    assert any(row["available"] == "" for row in labs)
    assert any(row["name"] == "" for row in labs)
    assert any(row["loinc"] == "" for row in labs)
    assert any(row["value"].startswith("<") for row in ordinary_rows)
    values = {row["value"] for row in labs}
    assert {">40000", "GREATER THAN 21000"} <= values
    seen = [tuple(row.values()) for row in labs]
    assert len(seen) > len(set(seen))
    instants: dict[tuple[str, ...], set[str]] = {}
    for row in ordinary_rows:
        instant = (row["person_id"], row["time"], row["loinc"], row["name"], row["unit"])
        instants.setdefault(instant, set()).add(row["value"])
    assert any(len(values) > 1 for values in instants.values())


def test_planted_patients_are_only_as_untidy_as_a_careful_reader_undoes(hospital: Path) -> None:
    for row in sheet(hospital, "labs"):
        if not row["person_id"].startswith("ORD"):
            assert row["unit"]
            assert row["name"] or row["loinc"]
            assert row["value"].lstrip("<>GREATHN ").replace(".", "").isdigit()


def test_reports_come_after_draws(hospital: Path) -> None:
    late = [
        (row["available"], row["time"])
        for row in sheet(hospital, "labs")
        if row["available"] and len(row["time"]) == 16
    ]
    assert all(available > drawn for available, drawn in late)
    assert len(late) > 10_000


def test_every_notation_means_what_was_true() -> None:
    """Name, code and unit lead the vocabulary back to the quantity and its canonical value."""
    known = load()
    names = {"map": "mean_arterial_pressure", "urine": "urine_output"}
    for name, quantity in quantities().items():
        if name == "magnesium":  # a quantity that becalm does not need, as every hospital has
            continue
        code = known.code(names.get(name, name))
        for notation in quantity.written:
            codes = {("LOINC", notation.loinc)} if notation.loinc else set()
            for system, loinc in codes | {("name", "")}:
                kind = MeasurementKind("labs", system, loinc, notation.name, notation.unit)
                found = known.resolve(kind)
                assert (found.variable, found.reason) == (code, ""), notation
                written = float(notation.precise(2.0))
                assert found.conversion.apply(written) == pytest.approx(2.0, rel=1e-6), notation


def test_what_is_charted_of_the_five_is_in_the_vocabulary(hospital: Path) -> None:
    known = load()
    drugs: dict[str, set[str]] = {}
    underlying: dict[str, set[str]] = {}
    for row in sheet(hospital, "doses"):
        if row["person_id"].startswith("ILL"):
            drug = known.drug_of(row["drug"])
            assert drug is not None, row
            drugs.setdefault(row["person_id"], set()).add(drug.name)
            assert known.route_of(row["route"]) in ("IV", "SC", "PO"), row
    for name in ("ILL-1", "ILL-2", "ILL-3", "ILL-4", "ILL-5"):
        (entry,) = [e for e in planted.entries("illustrative") if e["id"] == name]
        assert {"anakinra", *entry["failed_before"]} <= drugs[name]
    for row in sheet(hospital, "findings"):
        assert known.finding_of(row["finding"]) == row["finding"]
    for row in sheet(hospital, "conditions"):
        if row["person_id"].startswith("ILL") and row["status"] == "confirmed":
            system = "ICD10CM" if row["code"] else ""
            found = known.conditions_of(system, row["code"], row["name"])
            underlying.setdefault(row["person_id"], set()).update(found)
    diseases = {"sle", "aosd", "uctd", "mctd", "sjia", "autoimmune", "malignancy"}
    assert {one: names & diseases for one, names in underlying.items()} == {
        "ILL-1": {"sle", "autoimmune"},
        "ILL-2": {"sle", "autoimmune"},
        "ILL-3": {"aosd", "autoimmune"},
        "ILL-4": set(),
        "ILL-5": {"uctd", "autoimmune"},
    }


def test_nobody_ordinary_has_anakinra_or_a_storm() -> None:
    """High ferritin alone is not a storm, and the cohort must stay exactly five."""
    raised = 0
    for number in range(1, 285):
        patient = ordinary.patient(number, np.random.default_rng([20, 1, number]))
        assert not any("anakinra" in dose.drug for dose in patient.doses)
        chart = Chart(patient)
        ferritins = [value for _, value, _ in chart.draws.get("ferritin", [])]
        raised += any(value >= 500 for value in ferritins)
        for minute in chart.moments(0, 2**40):
            assert hscore(chart, minute, 0).low < 169, patient.person_id
            assert hlh2004(chart, minute).low < 5, patient.person_id
    assert raised >= 20


def test_ordinary_ages_are_adult_and_written_two_ways() -> None:
    people = [ordinary.patient(n, np.random.default_rng([3, 1, n])) for n in range(1, 200)]
    by_birth = [one for one in people if one.birth]
    assert 0.4 < len(by_birth) / len(people) < 0.8
    for one in people:
        if one.birth:
            assert one.age is None
            years = one.stays[0].start // (1440 * 365.2425) + 1970 - int(one.birth[:4])
            assert years >= 18
        else:
            assert one.age is not None
            assert one.age >= 18


@pytest.mark.parametrize("written", ["mg/h", "mg/kg/h", "mL/h", "bags", "syringes"])
def test_every_notation_holds_the_same_milligrams(written: str) -> None:
    """A pause, a bag cut short and a shift change lose nothing."""
    steps = [(0, 25.0), (360, 100.0), (1000, 0.0), (1180, 100.0), (1770, 50.0), (3000, 0.0)]
    doses = list(
        chart_infusion("anakinra", steps, written, route="IV", weight_kg=74, mg_per_ml=4)  # type: ignore[arg-type]
    )
    mg = 0.0
    for dose in doses:
        assert dose.end is not None
        hours = (dose.end - dose.start) / 60
        factor = {"mg/h": 1, "mg/kg/h": 74, "mL/h": 4, "mg": 1, "syringe (100 mg)": 100}
        if dose.rate is not None:
            mg += dose.rate * factor[dose.rate_unit] * hours
        else:
            assert dose.amount is not None
            mg += dose.amount * factor[dose.amount_unit]
    assert mg == pytest.approx(total_mg(steps), abs=1e-9)
    assert all(a.end is not None and a.end <= b.start for a, b in pairwise(doses))
    assert not any(dose.start < 1180 and (dose.end or 0) > 1000 for dose in doses)


def test_the_hour_that_no_clock_shows_is_empty(hospital: Path) -> None:
    """One infusion crosses the night on which clocks are put forward."""
    night = [
        row["time"]
        for row in sheet(hospital, "labs")
        if row["person_id"] == "ILL-4" and row["time"].startswith("2018-03-11")
    ]
    assert any(" 01:" in time for time in night)
    assert not any(" 02:" in time for time in night)


def test_memory_does_not_grow_with_the_number_of_persons(tmp_path: Path) -> None:
    def most_bytes(persons: int) -> int:
        tracemalloc.start()
        write_hospital(tmp_path, persons=persons, seed=20)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    write_hospital(tmp_path, persons=20, seed=20)  # what is read once and kept
    assert most_bytes(120) < 1.2 * most_bytes(30)


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_hospital(
        tmp_path, persons=120, seed=1, progress=lambda done, whole: told.append((done, whole))
    )
    assert told == [(100, 120), (120, 120)]


def test_mistakes_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="16 patients are planted: give 16 or more"):
        write_hospital(tmp_path, persons=15, seed=1)
    with pytest.raises(UsageError, match="seed: -1 is negative"):
        write_hospital(tmp_path, persons=20, seed=-1)
    with pytest.raises(UsageError, match=r"not written as 'sheet'.*Did you mean 'sheets'"):
        write_hospital(tmp_path, persons=20, seed=1, format="sheet")
    assert list(tmp_path.iterdir()) == []
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        write_hospital(in_the_way, persons=20, seed=1)
    assert in_the_way.read_text() == "not a folder"


def test_the_sheets_reader_reads_it(hospital: Path) -> None:
    from becalm.records.sheets import open_sheets

    source = open_sheets(hospital)
    chunks = list(source.chunks())
    assert sum(len(chunk.persons) for chunk in chunks) == 300
    assert source.info.illustrative
    assert source.absent() == ()
