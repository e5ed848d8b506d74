"""A hundred real patients: what the study says of them, against plain queries over the files.

Nobody of them is known to have had a cytokine storm, so what is tested is who is looked at, what was
measured and given, and which totals follow from it; never that there was none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from becalm import protocol as protocols
from becalm import tables
from becalm.cli import main
from becalm.core.clock import HOUR, from_us
from becalm.core.frame import Frame
from becalm.patients.understood import Patients
from becalm.records import open_records
from becalm.records.mimic4 import open_mimic4
from becalm.study.result import StudyResult
from becalm.study.run import run
from becalm.vocabulary import load

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
pytestmark = pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")

COHORT: Final = (
    "10003400", "10015860", "10018081", "10019003", "10020740", "10021487", "10029291", "10032725",
    "10035631", "10038081", "10038999", "10039708",
)  # fmt: skip

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def study() -> StudyResult:
    return run(open_records(str(DEMO)), protocols.load("hyperinflammation"), DEMO.name)


@pytest.fixture(scope="module")
def plain() -> duckdb.DuckDBPyConnection:
    """The files as they are, and one view of what a laboratory or a nurse wrote, by name."""
    con = duckdb.connect()
    for folder, table, file in (
        ("hosp", "patients", "patients"),
        ("hosp", "labevents", "labevents"),
        ("icu", "chartevents", "chartevents.numeric-rebuilt"),
        ("icu", "inputevents", "inputevents"),
        ("icu", "d_items", "d_items"),
        ("icu", "procedureevents", "procedureevents"),
        ("hosp", "emar", "emar"),
    ):
        con.execute(f"CREATE VIEW {table} AS FROM read_csv('{DEMO}/{folder}/{file}.csv.gz')")
    con.execute(
        """
        CREATE TABLE measured AS
        SELECT subject_id, CASE itemid
                   WHEN 50924 THEN 'ferritin' WHEN 51000 THEN 'triglycerides'
                   WHEN 51214 THEN 'fibrinogen' WHEN 50878 THEN 'ast'
                   WHEN 50954 THEN 'ldh' WHEN 50889 THEN 'crp' WHEN 51265 THEN 'platelets'
                   WHEN 51301 THEN 'wbc' WHEN 51300 THEN 'wbc' WHEN 51222 THEN 'haemoglobin'
                   WHEN 50811 THEN 'haemoglobin' WHEN 52075 THEN 'neutrophils' END AS variable,
               charttime AS drawn, greatest(storetime, charttime) AS known, labevent_id,
               CASE itemid WHEN 51000 THEN valuenum / 88.57 WHEN 51214 THEN valuenum / 100
                           ELSE valuenum END AS number
        FROM labevents WHERE valuenum IS NOT NULL AND variable IS NOT NULL
        UNION ALL
        SELECT subject_id, 'temperature', charttime, charttime, NULL,
               CASE itemid WHEN 223761 THEN (valuenum - 32) / 1.8 ELSE valuenum END
        FROM chartevents WHERE itemid IN (223761, 223762)
        """
    )
    # A Fahrenheit number charted as Celsius is a mistake.
    con.execute("DELETE FROM measured WHERE variable = 'temperature' AND number > 44")
    return con


def test_the_cohort_is_the_persons_that_a_plain_query_of_its_rule_finds(
    study: StudyResult, plain: duckdb.DuckDBPyConnection
) -> None:
    """Ferritin of 500 or more, and within 48 h of it fever or a low count, both reported."""
    found = plain.execute(
        """
        SELECT f.subject_id::VARCHAR, min(greatest(f.known, q.known))
        FROM measured f JOIN measured q USING (subject_id) JOIN patients USING (subject_id)
        WHERE f.variable = 'ferritin' AND f.number >= 500 AND anchor_age >= 18
          AND abs(epoch(q.drawn) - epoch(f.drawn)) <= 48 * 3600
          AND (q.variable = 'temperature' AND round(q.number, 9) >= 38.0
               OR q.variable = 'haemoglobin' AND q.number < 9.0
               OR q.variable = 'platelets' AND q.number < 100
               OR q.variable = 'neutrophils' AND q.number < 1.0)
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    persons = study.tables["persons"]
    assert tuple(persons["person_id"]) == COHORT
    assert [(row["person_id"], from_us(row["index_time"])) for row in persons.rows()] == found


@pytest.mark.parametrize(
    "variable",
    ["ferritin", "triglycerides", "fibrinogen", "ast", "ldh", "crp", "platelets", "wbc"],
)
def test_values_equal_a_plain_query_for_everybody_with_ferritin(
    study: StudyResult, plain: duckdb.DuckDBPyConnection, variable: str
) -> None:
    """Number, first, last, lowest and highest value and the hour of the highest are those of a plain query over the file."""
    found = plain.execute(
        """
        SELECT subject_id::VARCHAR, count(*), arg_min(number, (drawn, labevent_id)),
               arg_max(number, (drawn, labevent_id)), min(number), max(number),
               min(drawn) FILTER (WHERE number = best)
        FROM (SELECT *, max(number) OVER (PARTITION BY subject_id) AS best FROM measured
              WHERE variable = ?)
        WHERE subject_id IN (SELECT subject_id FROM measured WHERE variable = 'ferritin')
        GROUP BY ALL ORDER BY ALL
        """,
        [variable],
    ).fetchall()
    with_ferritin = {
        row["person_id"]
        for row in study.tables["values"].rows()
        if row["variable"] == "ferritin" and row["n"]
    }
    assert len(with_ferritin) == 32
    got = [
        row
        for row in study.tables["values"].rows()
        if row["variable"] == variable and row["person_id"] in with_ferritin and row["n"]
    ]
    limits = [(row["person_id"], row["n_censored"]) for row in got if row["censored"]]
    # One count of platelets has the comment `<5*` beside its number.
    assert limits == ([("10019003", 1)] if variable == "platelets" else [])
    assert [(row["person_id"], row["n"]) for row in got] == [row[:2] for row in found]
    for name, at in (("first", 2), ("last", 3), ("min", 4), ("max", 5)):
        np.testing.assert_allclose([r[name] for r in got], [r[at] for r in found], rtol=1e-12)
    assert [from_us(row["time_of_max"]) for row in got] == [row[6] for row in found]


MG: Final = {"mcg": 1e-3, "mg": 1.0, "grams": 1e3}


def infused() -> tuple[Frame, Frame]:
    """Rows of inputevents as written and as understood, before anybody's death ends them."""
    (records,) = open_mimic4(DEMO).chunks()
    doses = Patients.of(records, load()).doses.frame
    rows = np.flatnonzero(records.administrations["table"] == "inputevents")
    return records.administrations.take(rows), doses.take(rows)


def test_what_was_infused_is_what_was_recorded_for_every_drug_and_unit(
    plain: duckdb.DuckDBPyConnection,
) -> None:
    """Both the rate delivered and the rate set (× weight), × time, add up to it within 0.5 %."""
    given, doses = infused()
    totals: dict[tuple[str, str], list[float]] = {}
    hours = (doses["end"] - doses["start"]) / HOUR
    for at in np.flatnonzero(doses["counted"]).tolist():
        total = totals.setdefault((given["label"][at], given["amount_unit"][at]), [0.0, 0.0])
        single = bool(doses["single"][at])
        total[0] += doses["amount"][at] if single else doses["rate_per_h"][at] * hours[at]
        rated = not np.isnan(doses["set_per_h"][at])
        of = given["rate_unit"][at].split("/")[0]
        scale = MG.get(of, 1.0) / MG.get(given["amount_unit"][at], 1.0)
        total[1] += doses["set_per_h"][at] * hours[at] * scale if rated else doses["amount"][at]
    recorded = {
        (label, unit): amount
        for label, unit, amount in plain.execute(
            """SELECT label, amountuom, sum(amount) FROM inputevents JOIN d_items USING (itemid)
               GROUP BY ALL"""
        ).fetchall()
    }
    # A push written as "1 dose" counts where its milligrams are: in emar. One row is after a death.
    uncounted = list(given.take(np.flatnonzero(~doses["counted"])).rows())
    assert sum(row["amount_unit"] != "dose" for row in uncounted) == 1
    for row in uncounted:
        recorded[row["label"], row["amount_unit"]] -= row["amount"]
    recorded = {key: amount for key, amount in recorded.items() if key in totals or amount}
    assert totals.keys() == recorded.keys()
    assert len(recorded) > 150
    wrong = {
        key: (total, recorded[key])
        for key, total in totals.items()
        if any(abs(each - recorded[key]) > 0.005 * abs(recorded[key]) for each in total)
    }
    assert wrong == {}


# What each of the four was at the index hour, worked out from the rows that were known by then.

WINDOWS: Final = {
    "temperature": ("max", 24), "haemoglobin": ("min", 48), "wbc": ("min", 48),
    "platelets": ("min", 48), "ferritin": ("max", 72), "triglycerides": ("max", 168),
    "fibrinogen": ("min", 72), "ast": ("max", 72),
}  # fmt: skip
NEVER_KNOWN: Final = {"immunosuppression": 18, "organomegaly": 38, "haemophagocytosis": 35}
"""No examination, marrow or earlier prescription is in these files."""

MIMICS: Final = {
    "10035631": (167, 258, set()),
    "10029291": (82, 237, {"triglycerides"}),
    "10019003": (59, 293, {"temperature", "triglycerides", "fibrinogen"}),
    "10038081": (83, 287, {"temperature", "triglycerides"}),
}
"""Relapsed leukaemia after transplant, shock liver, myelodysplasia, peritonitis."""


def worst(plain: duckdb.DuckDBPyConnection, person: str, at: int) -> dict[str, float]:
    """The worst value of each variable in its look-back, among results known by `at`."""
    found = {}
    for variable, (take, hours) in WINDOWS.items():
        ((number,),) = plain.execute(
            f"""SELECT {take}(number) FROM measured WHERE subject_id = ? AND variable = ?
                AND known <= make_timestamp(?) AND known > make_timestamp(?) - INTERVAL {hours} HOUR""",
            [int(person), variable, at, at],
        ).fetchall()
        if number is not None:
            found[variable] = number
    return found


def points(known: dict[str, float]) -> dict[str, int]:
    """HScore of Fardet 2014, table 3, by hand; only the items that are known."""
    got: dict[str, int] = {}
    if (x := known.get("temperature")) is not None:
        got["temperature"] = 0 if x < 38.4 else 33 if x <= 39.4 else 49
    if {"haemoglobin", "wbc", "platelets"} <= known.keys():
        low = (known["haemoglobin"] <= 9.2) + (known["wbc"] <= 5.0) + (known["platelets"] <= 110)
        got["cytopenias"] = (0, 0, 24, 34)[low]
    if (x := known.get("ferritin")) is not None:
        got["ferritin"] = 0 if x < 2000 else 35 if x <= 6000 else 50
    if (x := known.get("triglycerides")) is not None:
        got["triglycerides"] = 0 if round(x, 2) < 1.5 else 44 if round(x, 2) <= 4.0 else 64
    if (x := known.get("fibrinogen")) is not None:
        got["fibrinogen"] = 30 if x <= 2.5 else 0
    if (x := known.get("ast")) is not None:
        got["ast"] = 19 if x >= 30 else 0
    return got


MOST: Final = {
    "temperature": 49, "cytopenias": 34, "ferritin": 50, "triglycerides": 64, "fibrinogen": 30,
    "ast": 19, **NEVER_KNOWN,
}  # fmt: skip


def at_index(study: StudyResult, person: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The HScore of a person at the index hour, and its items."""
    asked = {"person_id": person, "criterion": "hscore", "moment": "index"}
    (total,) = (r for r in study.tables["criteria"].rows() if asked.items() <= r.items())
    items = [r for r in study.tables["criteria_items"].rows() if asked.items() <= r.items()]
    return total, {row["item"]: row for row in items if "." not in row["item"]}


@pytest.mark.parametrize("person", MIMICS)
def test_a_mimic_prints_the_total_and_the_missing_items_worked_out_by_hand(
    study: StudyResult, plain: duckdb.DuckDBPyConnection, person: str
) -> None:
    """For the named look-alikes every item is added up by hand from the worst values, and what is missing is listed."""
    total, items = at_index(study, person)
    by_hand = points(worst(plain, person, total["time"]))
    missing = MOST.keys() - by_hand.keys()
    low = sum(by_hand.values())
    assert {n: r["points_low"] for n, r in items.items() if n in by_hand} == by_hand
    assert {n for n, row in items.items() if row["state"] == "not assessed"} == missing
    assert (total["low"], total["high"]) == (low, low + sum(MOST[name] for name in missing))
    assert (low, total["high"], missing - NEVER_KNOWN.keys()) == MIMICS[person]
    assert total["status"] == "undetermined"


def test_a_leukaemia_with_and_without_triglycerides_drawn_under_propofol(
    study: StudyResult, plain: duckdb.DuckDBPyConnection
) -> None:
    """587 mg/dL while propofol ran is worth 64 of the 167 points."""
    total, items = at_index(study, "10035631")
    ((drawn, running),) = plain.execute(
        """SELECT drawn, (SELECT count(*) FROM inputevents JOIN d_items USING (itemid)
                          WHERE label = 'Propofol' AND subject_id = 10035631
                            AND starttime <= drawn AND endtime > drawn)
           FROM measured WHERE subject_id = 10035631 AND variable = 'triglycerides'
             AND round(number * 88.57) = 587"""
    ).fetchall()
    triglycerides = items["triglycerides"]
    assert running == 1
    assert from_us(triglycerides["time"]) == drawn
    assert triglycerides["modified_by"] == "propofol"
    assert (total["low"], total["high"]) == (167, 258)
    without = (total["low"] - triglycerides["points_low"], total["high"] - 64)
    assert without == (103, 194)


def test_a_leukaemia_without_anything_that_was_moved(
    study: StudyResult, plain: duckdb.DuckDBPyConnection
) -> None:
    """Only AST and temperature are left: 19 of 167.

    Ferritin was drawn 18 h after a plasma pheresis, as the record calls it (reach: 48 h), the
    counts and fibrinogen within days of fludarabine and cytarabine (28 d).
    """
    ((pheresis,),) = plain.execute(
        """SELECT max(endtime) FROM procedureevents JOIN d_items USING (itemid)
           WHERE subject_id = 10035631 AND label = 'Plasma Pheresis.'"""
    ).fetchall()
    ((chemotherapy,),) = plain.execute(
        """SELECT min(charttime) FROM emar WHERE subject_id = 10035631 AND hadm_id = 29276678
           AND medication IN ('Fludarabine Phosphate', 'Cytarabine')
           AND event_txt = 'Administered'"""
    ).fetchall()
    total, items = at_index(study, "10035631")
    ferritin = from_us(items["ferritin"]["time"])
    assert 0 < (ferritin - pheresis).total_seconds() / 3600 < 48
    assert chemotherapy < from_us(items["cytopenias"]["time"])
    moved = {name: row["modified_by"] for name, row in items.items() if row["modified_by"]}
    assert moved.keys() == {"cytopenias", "ferritin", "triglycerides", "fibrinogen"}
    assert "plasma exchange" in moved["ferritin"]
    assert "chemotherapy" in moved["cytopenias"]
    kept = items["ast"]["points_low"] + items["temperature"]["points_low"]
    assert total["low_unmodified"] == kept == 19
    assert total["high_unmodified"] == kept + sum(NEVER_KNOWN.values()) == 110


def test_the_fever_of_a_leukaemia_came_four_days_after_its_ferritin(
    study: StudyResult, plain: duckdb.DuckDBPyConnection
) -> None:
    """A fever days after the ferritin does not count with it: each item looks back only so far."""
    _, items = at_index(study, "10035631")
    ((fever,),) = plain.execute(
        """SELECT min(drawn) FROM measured WHERE subject_id = 10035631 AND number >= 38.4
           AND variable = 'temperature' AND drawn > make_timestamp(?)""",
        [items["ferritin"]["time"]],
    ).fetchall()
    days = (fever - from_us(items["ferritin"]["time"])).total_seconds() / 86400
    assert 3 < days < 5
    assert items["temperature"]["points_high"] == 0


def test_a_study_from_the_command_line_lists_every_table_that_it_wrote(tmp_path: Path) -> None:
    """The manifest comes last and names each file with its hash; a table it does not list is no result."""
    words = ["study", str(DEMO), "--protocol", "hyperinflammation", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    listed = {
        entry["name"] for entry in json.loads((tmp_path / "manifest.json").read_text())["files"]
    }
    written = {f"tables/{name}.{form}" for name in tables.WRITTEN for form in ("parquet", "csv")}
    assert written | {"report.html"} <= listed


def test_the_kidney_stage_of_each_draw_is_the_same_on_both_clocks() -> None:
    """What the kidney did is told by the draws: each creatinine of the twelve has one stage, whatever the clock."""
    stages = {}
    for clock in ("available", "drawn"):
        rules = replace(protocols.load("hyperinflammation"), clock=clock)
        found = run(open_records(str(DEMO)), rules, DEMO.name)
        stages[clock] = {
            (row["person_id"], row["time"]): (row["stage"], row["stage_low"], row["stage_by"])
            for row in found.frames["kidney_stages"].rows()
        }
    both = stages["available"].keys() & stages["drawn"].keys()
    assert {who for who, _ in both} == set(COHORT)
    assert len(both) > 280
    assert {draw: stages["available"][draw] for draw in both} == {
        draw: stages["drawn"][draw] for draw in both
    }


def test_kidney_injury_of_two_persons_of_the_demo(study: StudyResult) -> None:
    """0.6 to 0.9 mg/dL in 47.5 h of draws is stage 1; 0.7 to 1.7 within a week is 2 by the 7 days and 1 by the baseline."""
    worst = {
        row["person_id"]: row["grade_after"]
        for row in study.tables["safety"].rows()
        if row["event"] == "aki"
    }
    assert worst["10032725"] >= 1
    risen = [
        (row["stage"], row["by_baseline"], row["stage_by"])
        for row in study.frames["kidney_stages"].rows()
        if row["person_id"] == "10020740" and row["creatinine"] == 1.7
    ]
    assert (2, 1, "lowest of the 7d") in risen
