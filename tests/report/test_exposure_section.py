"""Concentrations in the report: what is printed of a model, what is said of it, and the figure under the marker."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from becalm import protocol
from becalm.protocol import Exclude, Pharmacology
from becalm.records import open_records
from becalm.report import page, theme
from becalm.report.cohort import Cohort
from becalm.report.figures import exposure as drawn
from becalm.report.figures import specs
from becalm.study import protocol_names
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.report.conftest import MIMIC, Study, repeated, seen
from tests.report.test_every_number_opens import Cells
from tests.spec.test_exposure import ONE_COMPARTMENT

ASKED = Pharmacology("anakinra", group="macrophage_activation", target_mg_l=0.4)


def modelled(records: Path, *asked: Pharmacology) -> StudyResult:
    study = replace(protocol.load("anakinra_mas"), pharmacology=asked)
    return run(open_records(str(records)), study, "records")


@pytest.fixture(scope="module")
def five_modelled(sheets: Path) -> StudyResult:
    return modelled(sheets, ASKED)


@pytest.fixture(scope="module")
def printout(five_modelled: StudyResult) -> page.Printout:
    return page.printout(Cohort(five_modelled), {})


def of_section(printout: page.Printout) -> list[dict[str, Any]]:
    return [dict(row) for row in printout.results.rows() if row["section"] == "exposure"]


def test_every_number_of_the_section_opens_its_rows_and_is_a_row_of_the_results(
    printout: page.Printout,
) -> None:
    cells = Cells()
    cells.feed(printout.html)
    mine = [each for each in cells.found if each[0] == "Concentrations by a model"]
    assert len(mine) > 100
    assert [text for _, _, text, opens in mine if not opens and text[:1].isdigit()] == []
    rows = of_section(printout)
    assert {row["stat_name"].split("_")[0] for row in rows} >= {
        "value",
        "p05",
        "p95",
        "low",
        "high",
        "median",
    }
    area = [
        row
        for row in rows
        if row["variable_level"] == "area, mg·h/L" and row["group1_level"] == "ILL-1"
    ]
    assert all(row["source_row"].startswith("doses:") for row in area)
    assert any("labs:" in row["source_row"] for row in area)


def test_the_printed_numbers_are_those_of_the_table(
    five_modelled: StudyResult, printout: page.Printout
) -> None:
    table = five_modelled.tables["exposure"]
    printed = [
        row["stat"] for row in of_section(printout)
        if row["variable_level"] == "average, mg/L" and row["stat_name"] == "value" and row["place"].endswith("treatment episode")
    ]  # fmt: skip
    assert printed == [value for value in table["css_mg_l"].tolist() if not math.isnan(value)]
    levels = five_modelled.tables["exposure_by_dose"]
    assert len(levels) > 10
    assert (levels["average_mg_l"] <= levels["peak_at_level"] + 1e-9).all()


def test_the_section_says_what_the_numbers_are_and_are_not(printout: page.Printout) -> None:
    text = seen(printout.html)
    for said in (
        "Simulated, not a dosing recommendation",
        "Extrapolated: not studied in adults with macrophage activation syndrome",
        "Assumed, not measured: sieving",
        "a kidney is never taken for normal",
        "what it clears is the model's assumption",
        "effluent flow up to",
        "hours at 0.4 mg/L or more",
    ):
        assert said in text
    assert "spread of clearance between patients" in text


def test_unverified_numbers_of_the_model_are_listed_with_the_others(five_modelled: StudyResult) -> None:  # fmt: skip
    listed = [each for each in five_modelled.unverified if each.startswith("model of anakinra")]
    assert len(listed) == 1
    assert "sieving" in listed[0]
    assert "the flow of continuous renal replacement" in five_modelled.unverified


def test_a_study_without_a_model_has_no_section_no_figure_and_no_rows(result: StudyResult) -> None:
    cohort = Cohort(result)
    assert 'id="exposure"' not in page.render(cohort, {})
    assert not [name for name, *_ in specs(cohort) if name.startswith("exposure")]
    names = ("exposure", "exposure_by_dose", "exposure_over_time", "exposure_parameters")
    assert [len(result.tables[name]) for name in names] == [0, 0, 0, 0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_figure_has_the_marker_above_and_the_dose_beneath_on_one_axis(
    five_modelled: StudyResult,
) -> None:
    import altair

    cohort = Cohort(five_modelled)
    spec = drawn.spec(cohort, ASKED)
    assert spec is not None
    altair.Chart.from_dict(spec)
    above, middle, below = spec["vconcat"]
    width = {row["spec"]["width"] for row in spec["vconcat"]}
    assert len(width) == 1
    rows = middle["data"]["values"]
    levels = [row for row in rows if row["kind"] == "curve" and row.get("typical")]
    assert {row["person"] for row in levels} == set(cohort.ids)
    assert all(row["p05"] <= row["typical"] <= row["p95"] for row in levels if row.get("p05"))
    assert {row["state"] for row in rows if row["kind"] == "state"} >= {"renal replacement"}
    assert any(row["kind"] == "target" and row["target"] == 0.4 for row in rows)
    assert max(row["rate"] for row in below["data"]["values"] if row["kind"] == "rate") == 100
    assert any(row["kind"] == "exact" for row in above["data"]["values"])
    assert "<svg" in theme.draw(spec)


def test_a_dose_is_drawn_although_nothing_could_be_calculated(tmp_path: Path) -> None:
    """No creatinine: no curve, but the infusion was given all the same, and the report says why there is none."""
    from dataclasses import replace as changed

    from tests.report import charts

    blind = {name: values for name, values in charts.ONE.labs.items() if name != "creatinine"}
    alone = [changed(charts.ONE, labs=blind), charts.TWO]
    result = modelled(charts.write(tmp_path, alone), ASKED)
    cohort = Cohort(result)
    spec = drawn.spec(cohort, ASKED)
    assert spec is not None
    _, middle, below = spec["vconcat"]
    one = charts.ONE.id
    assert not [
        row for row in middle["data"]["values"] if row["person"] == one and row.get("typical")
    ]
    assert (
        max(
            row["rate"]
            for row in below["data"]["values"]
            if row["person"] == one and row["kind"] == "rate"
        )
        == 100
    )
    text = seen(page.render(cohort, {}))
    assert "not calculated: no creatinine" in text
    assert "Not calculated as a whole: 2 of" in text


def test_nothing_is_drawn_below_the_lower_end_of_the_logarithmic_axis() -> None:
    row = {"person": "a", "day": 0.0, "typical": 0.5, "p05": 0.001, "p25": 0.2, "p50": 0.4, "p75": 1.0, "p95": 2.0,
           "least_cleared": None, "most_cleared": 0.001}  # fmt: skip
    [kept] = drawn._clipped([row], 0.01)
    assert (kept["p05"], kept["most_cleared"], kept["typical"]) == (0.01, None, 0.5)
    [gone] = drawn._clipped([{**row, "p95": 0.009}], 0.01)
    assert "typical" not in gone


def test_many_patients_are_lines_and_their_median_and_more_are_quartiles(study: Study, sheets: Path, tmp_path: Path) -> None:  # fmt: skip
    from tests.report import charts

    twelve = modelled(charts.write(tmp_path, repeated(12)), ASKED)
    spec = drawn.spec(Cohort(twelve), ASKED)
    assert spec is not None
    lines, median = spec["layer"]
    assert len({row["person"] for row in lines["data"]["values"]}) == 12
    assert median["data"]["values"]
    html = page.render(Cohort(twelve), {})
    assert "concentrations by dose level" in html


@pytest.fixture(scope="module")
def pressor(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """Noradrenaline in open records of real patients, by a user's own model of one compartment."""
    if not MIMIC.is_dir():
        pytest.skip(f"no {MIMIC.name} in ../shared/data")
    path = tmp_path_factory.mktemp("model") / "mine.toml"
    path.write_text(ONE_COMPARTMENT.format(name="mine", drug="norepinephrine"), encoding="utf-8")
    study = protocol.load("anakinra_mas")
    assert study.entry is not None
    study = replace(
        study,
        entry=replace(study.entry, drug="norepinephrine"),
        storm=replace(study.storm, required=False),
        exclude=Exclude(),
    )
    return run(open_records(str(MIMIC)), protocol_names.with_models(study, [str(path)]), MIMIC.name)


def test_real_infusions_have_exposures_by_a_users_model(pressor: StudyResult) -> None:
    """Area × clearance is the dose: 2 L/h, and all but a thousandth is cleared before the next episode or death."""
    table = pressor.tables["exposure"]
    assert set(table["model"].tolist()) == {"mine"}
    assert pressor.protocol.pharmacology[0].model == "mine"  # never the path
    whole = [
        row
        for row in table.rows()
        if row["episode_mode"] == "continuous IV" and not row["not_computed"]
    ]
    assert len(whole) > 30
    doses = {
        (row["person_id"], row["start"]): row["cumulative_mg"]
        for row in pressor.tables["episodes"].rows() if row["drug"] == "norepinephrine"
    }  # fmt: skip
    alone = 0
    first: set[str] = set()
    for row in whole:
        hours = (row["until"] - row["episode_end"]) / 3.6e9
        if row["person_id"] in first or hours < 30:
            continue
        first.add(row["person_id"])
        given = doses[row["person_id"], row["episode_begin"]]
        if math.isnan(given):
            continue
        others = [
            r
            for r in table.rows()
            if r["person_id"] == row["person_id"] and r["episode_begin"] < row["episode_begin"]
        ]
        if others:
            continue
        alone += 1
        assert row["auc_mg_h_l"] * 2 == pytest.approx(given, rel=0.01)
        assert row["peak_mg_l"] >= row["css_mg_l"] > 0
    assert alone >= 10
    assert {row["not_computed"] for row in table.rows()} >= {"", "a dose of unknown amount"}


def test_the_report_of_real_patients_has_the_section(pressor: StudyResult) -> None:
    made = page.printout(Cohort(pressor), {})
    assert len(of_section(made)) > 100
    text = seen(made.html)
    assert "no spread between patients" in text or "so there is no band" in text
    assert "renal replacement, of which the model knows nothing" in text
