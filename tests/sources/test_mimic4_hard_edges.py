"""What readers of MIMIC-IV must survive: one group of tests for each edge that its records have."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pytest

from becalm import doses as dosing
from becalm import vocabulary
from becalm.core.clock import UNKNOWN_TIME, parse
from becalm.core.errors import RecordsError
from becalm.doses import Doses
from becalm.events import Events, harmonise
from becalm.records import Records
from becalm.records.mimic4 import open_mimic4
from tests.records.mimic_files import COLUMNS, LABELS, FileRow, mimic_folder

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")

LABITEMS: Final = (
    (50924, "Ferritin"), (50885, "Bilirubin, Total"), (50915, "D-Dimer"), (51265, "Platelet Count"),
    (50889, "C-Reactive Protein"), (51000, "Triglycerides"), (52546, "Creatinine"),
    (51133, "Absolute Lymphocyte Count"), (52769, "Absolute Lymphocyte Count"),
    (52075, "Absolute Neutrophil Count"), (50954, "Lactate Dehydrogenase (LD)"),
)  # fmt: skip


def read(root: Path, tables: Mapping[str, Sequence[FileRow]]) -> Events:
    labels = [{"itemid": i, "label": label, "fluid": "Blood"} for i, label in LABITEMS]
    folder = mimic_folder(root, {"hosp/d_labitems": labels, **tables})
    (records,) = open_mimic4(folder).chunks()
    return harmonise(records, vocabulary.load())


def lab(item: int, value: str, unit: str, **cells: object) -> FileRow:
    number = value if value.replace(".", "", 1).lstrip("-").isdigit() else ""
    return {
        "labevent_id": 7, "subject_id": 10, "itemid": item, "charttime": "2160-01-02 03:04:00",
        "value": value, "valuenum": number, "valueuom": unit, **cells,
    }  # fmt: skip


def one(events: Events) -> tuple[str, float, float]:
    (row,) = events.frame.rows()
    return vocabulary.load().variables[row["variable"]].name, row["low"], row["high"]


def why(events: Events) -> list[str]:
    assert not len(events.frame)
    return [each.reason for each in events.refused]


@pytest.fixture(scope="module")
def demo() -> tuple[Records, Events, Doses]:
    (records,) = open_mimic4(DEMO).chunks()
    words = vocabulary.load()
    events = harmonise(records, words)
    return records, events, dosing.rebuild(records, events, words)


def query(sql: str) -> list[tuple[Any, ...]]:
    """Ask the files themselves; `{table}` is a table of the release."""
    files = {
        path.name.split(".")[0]: f"read_csv('{path}')"
        for path in (*DEMO.glob("hosp/*.csv.gz"), *DEMO.glob("icu/*.csv.gz"))
    }
    return duckdb.connect().execute(sql.format(**files)).fetchall()


# 1. Masked values, and results that stand only in comments


def test_edge_1_a_masked_value_counts_with_its_number(tmp_path: Path) -> None:
    row = {**lab(50924, "___", "ng/mL"), "valuenum": "33546"}
    assert one(read(tmp_path, {"hosp/labevents": [row]})) == ("ferritin", 33546, 33546)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        (lab(50885, "", "mg/dL", comments="<0.2.  "), 0, np.nextafter(0.2, 0)),
        (
            lab(50915, "", "ng/mL FEU", comments="GREATER THAN 21000.  IN AMBULATORY PATIENTS."),
            21,
            np.inf,
        ),
    ],
)
def test_edge_1_a_result_in_the_comments_is_a_limit_with_its_direction(
    tmp_path: Path, cells: FileRow, low: float, high: float
) -> None:
    _, got_low, got_high = one(read(tmp_path, {"hosp/labevents": [cells]}))
    assert got_low == pytest.approx(low)
    assert got_high == pytest.approx(high)


@needs_demo
def test_edge_1_the_highest_ast_of_the_demo_is_a_masked_one(
    demo: tuple[Records, Events, Doses],
) -> None:
    ((value, number),) = query(
        "SELECT value, valuenum FROM {labevents} WHERE itemid = 50878 ORDER BY valuenum DESC LIMIT 1"
    )
    assert (value, float(demo[1].points("ast").high.max())) == ("___", number)


# 2. No admission, before admission, conflicts, results that come late


@needs_demo
def test_edge_2_labs_without_or_before_an_admission_are_kept(
    demo: tuple[Records, Events, Doses],
) -> None:
    records = demo[0]
    items = ", ".join(vocabulary.load().measured_codes("MIMIC-IV items"))
    from_labs = np.array([kind.table == "labevents" for kind in records.kinds])
    keys = records.measurements["key"][from_labs[records.measurements["kind"]]]
    without = query(
        f"SELECT labevent_id FROM {{labevents}} WHERE hadm_id IS NULL AND itemid IN ({items}) "
        "AND (valuenum IS NOT NULL OR value <> '___')"
    )
    before = query(
        f"SELECT labevent_id FROM {{labevents}} JOIN {{admissions}} USING (hadm_id) "
        f"WHERE charttime < admittime AND itemid IN ({items}) AND valuenum IS NOT NULL"
    )
    assert len(without) > 1000
    assert len(before) > 100
    assert {key for (key,) in (*without, *before)} <= set(keys.tolist())


@needs_demo
def test_edge_2_results_that_differ_in_one_minute_become_a_range(
    demo: tuple[Records, Events, Doses],
) -> None:
    """A plain query finds the same conflicts, and the range holds both results."""
    found = query(
        "SELECT min(valuenum), max(valuenum) FROM {labevents} WHERE itemid IN (51222, 50811) "
        "AND valuenum IS NOT NULL GROUP BY subject_id, charttime HAVING min(valuenum) < max(valuenum)"
    )
    haemoglobin = demo[1].points("haemoglobin")
    wide = haemoglobin.low < haemoglobin.high
    ranges = zip(haemoglobin.low[wide].tolist(), haemoglobin.high[wide].tolist(), strict=True)
    assert found
    assert sorted(ranges) == sorted(found)
    assert haemoglobin.conflicts == len(found)


@needs_demo
def test_edge_2_ferritin_counts_from_when_it_was_reported_on_the_available_clock(
    demo: tuple[Records, Events, Doses],
) -> None:
    drawn, known = (demo[1].points("ferritin", clock) for clock in ("drawn", "available"))
    assert known.drawn is not None
    delay = np.median((known.time - known.drawn) / 60e6)
    ((plain,),) = query(
        "SELECT median(date_diff('minute', charttime, storetime)) FROM {labevents} WHERE itemid = 50924"
    )
    assert (delay, len(drawn)) == (plain, len(known))
    assert plain > 400


# 6. Units


@pytest.mark.parametrize(
    ("cells", "variable", "canonical"),
    [
        (lab(50889, "12.5", "mg/L"), "crp", 12.5),
        (lab(50889, "12.5", "mg/dL"), "crp", 125),
        (lab(51265, "85", "K/uL"), "platelets", 85),
        (lab(51265, "85", "10^3/uL"), "platelets", 85),
        (lab(51265, "85", "10*3/µL"), "platelets", 85),
        (lab(51265, "85", "x10E3/uL"), "platelets", 85),
        (lab(51265, "85", "K/\u200buL"), "platelets", 85),
        (lab(51133, "1.2", "K/uL"), "lymphocytes", 1.2),
        (lab(52769, "1200", "#/uL"), "lymphocytes", 1.2),
        (lab(50915, "812", "ng/mL FEU"), "d_dimer", 0.812),
    ],
)
def test_edge_6_units_are_converted_by_their_own_spelling(
    tmp_path: Path, cells: FileRow, variable: str, canonical: float
) -> None:
    name, low, high = one(read(tmp_path, {"hosp/labevents": [cells]}))
    assert name == variable
    assert low == high == pytest.approx(canonical)


@pytest.mark.parametrize(
    ("item", "unit", "reason"),
    [
        (50915, "ng/mL", "unit does not say FEU or DDU"),
        (52075, "mmol/L", "unknown unit"),
        (50924, "", "unit missing"),
    ],
)
def test_edge_6_a_unit_that_does_not_fit_refuses_the_row(
    tmp_path: Path, item: int, unit: str, reason: str
) -> None:
    assert why(read(tmp_path, {"hosp/labevents": [lab(item, "5", unit)]})) == [reason]


def test_edge_6_an_item_that_is_another_analyte_in_this_release_is_refused(
    tmp_path: Path,
) -> None:
    """Item 52546 is creatinine in one release and D-dimer in another: the label decides."""
    tables: dict[str, Sequence[FileRow]] = {
        "hosp/d_labitems": [{"itemid": 52546, "label": "D-Dimer", "fluid": "Blood"}],
        "hosp/labevents": [lab(52546, "812", "ng/mL DDU")],
    }
    assert why(read(tmp_path, tables)) == ["item label contradicts the vocabulary"]


def test_edge_6_fahrenheit_and_celsius_are_two_items(tmp_path: Path) -> None:
    items = [
        {"itemid": 223761, "label": "Temperature Fahrenheit", "unitname": "°F"},
        {"itemid": 223762, "label": "Temperature Celsius", "unitname": "°C"},
    ]
    rows = [
        {"subject_id": 2, "itemid": i, "charttime": f"2150-01-01 0{i % 10}:00:00",
         "value": v, "valuenum": v, "valueuom": u}
        for i, v, u in ((223761, 101.3, "°F"), (223762, 38.5, "°C"))
    ]  # fmt: skip
    got = read(tmp_path, {"icu/d_items": items, "icu/chartevents": rows}).points("temperature")
    np.testing.assert_allclose(got.low, [38.5, 38.5])


@needs_demo
def test_edge_6_every_unit_of_an_infusion_is_understood(
    demo: tuple[Records, Events, Doses],
) -> None:
    """11,038 rows carry a rate, in ten units, `mEq./hour` among them: none is refused for it."""
    records, _, doses = demo
    rated = ~np.isnan(records.administrations["rate"]) & (
        records.administrations["table"] == "inputevents"
    )
    assert int(rated.sum()) == 11_038
    assert len(set(records.administrations["rate_unit"][rated])) == 10
    assert not np.isnan(doses.frame["rate_per_h"][rated]).any()
    refused = [each for each in doses.refused if each.source_table == "inputevents"]
    assert {each.reason for each in refused} <= {"after death"}


@needs_demo
def test_edge_6_a_dose_counted_in_doses_has_no_milligrams(
    demo: tuple[Records, Events, Doses],
) -> None:
    records, _, doses = demo
    counted = records.administrations["amount_unit"] == "dose"
    assert counted.sum() >= 1868
    assert np.isnan(doses.frame["amount_mg"][counted]).all()


# 7. Caps and sentinels


@pytest.mark.parametrize(
    ("item", "value", "unit", "reason"),
    [
        (51265, "-1", "K/uL", "outside plausible range"),
        (51265, "HEMOLYZED", "K/uL", "not a number"),
        (50924, "UNABLE TO REPORT", "ng/mL", "not a number"),
    ],
)
def test_edge_7_what_is_no_result_is_refused_and_counted(
    tmp_path: Path, item: int, value: str, unit: str, reason: str
) -> None:
    assert why(read(tmp_path, {"hosp/labevents": [lab(item, value, unit)]})) == [reason]


@pytest.mark.parametrize(
    ("item", "value", "unit", "low"),
    [
        (50924, ">50000", "ng/mL", 50000),
        (50954, "GREATER THAN 2500", "IU/L", 2500),
        (50889, ">300.0", "mg/L", 300),
    ],
)
def test_edge_7_an_assay_that_stopped_counting_gives_a_lower_limit(
    tmp_path: Path, item: int, value: str, unit: str, low: float
) -> None:
    row = {**lab(item, value, unit), "valuenum": str(low)}
    _, got_low, got_high = one(read(tmp_path, {"hosp/labevents": [row]}))
    assert (got_low, got_high) == (np.nextafter(low, np.inf), np.inf)


def test_edge_7_a_temperature_of_99_celsius_and_a_weight_of_0_are_mistakes(
    tmp_path: Path,
) -> None:
    items = [
        {"itemid": 223762, "label": "Temperature Celsius", "unitname": "°C"},
        {"itemid": 226512, "label": "Admission Weight (Kg)", "unitname": "kg"},
    ]
    rows = [
        {"subject_id": 2, "itemid": i, "charttime": "2150-01-01 01:00:00",
         "value": v, "valuenum": v, "valueuom": u}
        for i, v, u in ((223762, 99.0, "°C"), (226512, 0, "kg"))
    ]  # fmt: skip
    events = read(tmp_path, {"icu/d_items": items, "icu/chartevents": rows})
    assert why(events) == ["outside plausible range"] * 2
    assert [each.variable for each in events.refused] == ["temperature", "weight"]


# 8. Cultures


@needs_demo
def test_edge_8_one_culture_an_organism_whatever_it_was_tried_against(
    demo: tuple[Records, Events, Doses],
) -> None:
    cultures = demo[0].cultures
    ((rows,),) = query(
        "SELECT count(*) FROM (SELECT DISTINCT subject_id, micro_specimen_id, test_itemid, org_name "
        "FROM {microbiologyevents})"
    )
    assert len(cultures) == rows < query("SELECT count(*) FROM {microbiologyevents}")[0][0]


@needs_demo
def test_edge_8_cultures_with_a_date_only_say_so(demo: tuple[Records, Events, Doses]) -> None:
    cultures = demo[0].cultures
    ((dated,),) = query(
        "SELECT count(*) FROM (SELECT min(charttime) AS moment FROM {microbiologyevents} "
        "GROUP BY subject_id, micro_specimen_id, test_itemid, org_name) WHERE moment IS NULL"
    )
    assert dated > 0
    assert int(cultures["date_only"].sum()) == dated
    assert (cultures["collected"] != UNKNOWN_TIME).all()


# Releases: columns come, go and are renamed


def with_columns(root: Path, table: str, columns: Sequence[str]) -> Path:
    """Write a table's header anew."""
    file = root / f"{table}.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8") as old:
        _, *rows = old.read().splitlines()
    assert not rows
    with gzip.open(file, "wt", encoding="utf-8") as new:
        new.write(",".join(columns) + "\n")
    return root


@pytest.mark.parametrize("table", sorted(COLUMNS.keys() - {"hosp/patients", *LABELS}))
def test_columns_that_are_not_read_may_come_in_any_order(tmp_path: Path, table: str) -> None:
    root = mimic_folder(tmp_path, {"hosp/labevents": []})
    columns = ["order_provider_id", *reversed(COLUMNS[table].split()), "CAREGIVER_ID"]
    (records,) = open_mimic4(with_columns(root, table, columns)).chunks()
    assert len(records.persons) == 2


def test_a_column_that_may_be_missing_is_named_with_what_is_lost(tmp_path: Path) -> None:
    columns = [c for c in COLUMNS["hosp/labevents"].split() if c not in ("storetime", "comments")]
    source = open_mimic4(with_columns(mimic_folder(tmp_path, {}), "hosp/labevents", columns))
    assert list(source.chunks())
    lost = {each.table: each.consequence for each in source.absent()}
    assert "taken as when drawn" in lost["labevents.storetime"]
    assert "comments" in lost["labevents.comments"]


def test_a_column_that_may_be_missing_but_was_renamed_is_refused(tmp_path: Path) -> None:
    columns = COLUMNS["hosp/labevents"].replace("storetime", "store_time").split()
    root = with_columns(mimic_folder(tmp_path, {}), "hosp/labevents", columns)
    with pytest.raises(RecordsError, match=r"row 1: has no column 'storetime'.*'store_time'"):
        open_mimic4(root)


def test_a_table_of_something_else_says_what_it_is_not(tmp_path: Path) -> None:
    root = mimic_folder(tmp_path, {})
    (root / "icu" / "inputevents.csv.gz").write_bytes(
        (root / "hosp" / "microbiologyevents.csv.gz").read_bytes()
    )
    with pytest.raises(RecordsError, match=r"inputevents.*row 1: this is not inputevents"):
        open_mimic4(root)


def test_release_1_is_told_from_release_2(tmp_path: Path) -> None:
    root = mimic_folder(tmp_path, {}, leave_out="patients admissions")
    (root / "core").mkdir()
    with pytest.raises(RecordsError, match=r"release 1\.x"):
        open_mimic4(root)


# Transfers


def test_a_visit_to_the_emergency_department_without_admission_is_a_stay(tmp_path: Path) -> None:
    usual = {"subject_id": 2, "intime": "2150-01-01 10:00:00", "outtime": "2150-01-01 16:00:00"}
    moves = [
        {**usual, "transfer_id": 31, "eventtype": "ED", "careunit": "Emergency Department"},
        {**usual, "transfer_id": 32, "eventtype": "ED", "hadm_id": 20},
        {**usual, "transfer_id": 33, "eventtype": "admit", "hadm_id": 20, "careunit": "Medicine"},
    ]
    (records,) = open_mimic4(mimic_folder(tmp_path, {"hosp/transfers": moves})).chunks()
    assert [(r["kind"], r["stay_id"]) for r in records.stays.rows()] == [("ED", "31")]
    assert records.persons["last_contact"].tolist()[1] == parse("2150-01-01T16:00")[0]


@needs_demo
def test_every_transfer_of_the_demo_is_a_stay_or_part_of_one(
    demo: tuple[Records, Events, Doses],
) -> None:
    stays = demo[0].stays
    ids = set(stays["stay_id"])
    alone = query("SELECT transfer_id::VARCHAR FROM {transfers} WHERE hadm_id IS NULL")
    inside = query("SELECT DISTINCT hadm_id::VARCHAR FROM {transfers} WHERE hadm_id IS NOT NULL")
    assert {stay for (stay,) in (*alone, *inside)} <= ids
    assert len(alone) == 54
