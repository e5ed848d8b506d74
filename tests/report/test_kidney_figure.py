"""The kidney in the report: its stage over time as a panel a patient, a line a patient, or counts."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from becalm.core.clock import DAY
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.figures import kidney
from becalm.report.sections import kidney as kidney_section
from becalm.study.result import StudyResult


def test_each_bar_is_a_stretch_of_the_table(cohort: Cohort) -> None:
    """At the middle of each bar the table says the stage that the bar shows."""
    bars = kidney.strips(cohort, tuple(kidney.LANES))
    assert bars
    column = {lane: name for name, lane in kidney.LANES.items()}
    rows = cohort.rows("kidney_over_time")
    for bar in bars:
        zero = cohort.time_zero(bar["person"])
        at = zero + (bar["start"] + bar["end"]) / 2 * DAY
        [row] = [
            row for row in rows
            if row["person_id"] == bar["person"] and row["stage_from"] <= at < row["stage_until"]
        ]  # fmt: skip
        said = row[column[bar["lane"]]]
        assert bar["stage"] == ("3" if said is True else str(said))
        assert bar["link"] == f"#kidney-{bar['person']}"


def test_few_have_a_panel_each_and_up_to_a_hundred_a_line(
    cohort: Cohort, twelve: StudyResult
) -> None:
    """Five panels of lanes with clearance beneath; twelve lines."""
    few = kidney.spec(cohort)
    assert few is not None
    assert len(few["concat"]) == cohort.n
    many = kidney.spec(Cohort(twelve))
    assert many is not None
    persons = {row["person"] for row in many["layer"][0]["data"]["values"]}
    assert persons <= set(Cohort(twelve).ids)


def test_a_crowd_is_counted_by_day_and_names_nobody(crowd: Cohort) -> None:
    """On no day more than there are patients, and as many as the table knows of at that hour."""
    spec = kidney.spec(crowd)
    if spec is None:
        pytest.fail("the crowd has no stage")
    counts: dict[int, int] = {}
    for row in spec["data"]["values"]:
        assert "person" not in row
        counts[row["day"]] = counts.get(row["day"], 0) + row["n"]
    rows = crowd.rows("kidney_over_time")
    for day, n in counts.items():
        known = 0
        for row in rows:
            at = crowd.time_zero(row["person_id"]) + day * DAY
            known += row["stage_from"] <= at < row["stage_until"]
        assert n == known <= crowd.n


def test_nobody_has_no_figure(nobody: StudyResult) -> None:
    assert kidney.spec(Cohort(nobody)) is None


def test_the_report_counts_the_ways_to_the_baseline(cohort: Cohort, five: str) -> None:
    """Every patient once, and those without a baseline named even where there is nobody."""
    rows = kidney_section.baselines(cohort, Drill(cohort)).rows
    counted = sum(int(Markup(row[1]).striptags().split()[0]) for row in rows if row[1] != "nobody")
    assert counted == cohort.n
    assert "Not known: no way gave one" in five
