"""Figures draw what the tables say, and every specification is one that Vega-Lite knows."""

from __future__ import annotations

import json
import re
import struct
import zlib
from dataclasses import replace
from statistics import quantiles
from typing import Any

import numpy as np
import pytest

from becalm.report import theme
from becalm.report.cohort import Cohort
from becalm.report.figures import (
    attrition,
    course,
    criteria,
    crowd,
    safety,
    specs,
    standing,
    swimmer,
    waterfall,
)
from becalm.study.result import StudyResult
from tests.report import fixture


def _bare(spec: Any) -> Any:
    """Return a specification without its rows: what is checked is its grammar."""
    if isinstance(spec, list):
        return [_bare(each) for each in spec]
    if isinstance(spec, dict):
        return {
            key: {"values": []} if key == "data" else _bare(value) for key, value in spec.items()
        }
    return spec


def _sparse(study: StudyResult) -> StudyResult:
    """Keep one test, clock and event: a panel of each kind is enough to check, and checks are slow."""
    response, safety_ = study.tables["response"], study.tables["safety"]
    series, primary = study.frames["series"], study.frames["primary"]
    return study.with_frames(
        {
            "series": series.take(series["variable"] == "ferritin"),
            "primary": primary.take(primary["clock"] == "t0"),
            "response": response.take(response["clock"] == "t0"),
            "safety": safety_.take(safety_["event"] == "aki"),
        }
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "study",
    [fixture.illustrative(fixture.PERSONS[:1]), fixture.many(12), fixture.many(130)],
    ids=["one", "many", "crowd"],
)
def test_every_figure_is_valid_vega_lite(study: StudyResult) -> None:
    import altair

    found = list(specs(Cohort(_sparse(study))))
    assert len(found) >= 7
    for name, _, _, spec in found:
        assert altair.Chart.from_dict(_bare(spec), validate=True) is not None, name


def test_a_bound_points_away_from_what_is_known(cohort: Cohort) -> None:
    drawn = course.points(cohort, "t0")
    ferritin = [r for r in drawn if r["person"] == "ILL-4" and r["variable"] == "ferritin"]
    assert [r["kind"] for r in ferritin][:4] == ["exact", "above", "above", "exact"]
    assert ferritin[1]["value"] == pytest.approx(40_000)
    assert [r["kind"] for r in drawn if r["person"] == "ILL-3" and r["variable"] == "crp"][2:] == [
        "below",
        "below",
    ]


def test_days_count_from_the_clock_of_the_figure(cohort: Cohort) -> None:
    first = [r["day"] for r in course.points(cohort, "t0") if r["person"] == "ILL-1"]
    civ = [r["day"] for r in course.points(cohort, "infusion_start") if r["person"] == "ILL-1"]
    assert max(first) - max(civ) == pytest.approx(10 / 24)


def test_rows_at_one_rate_are_one_block(cohort: Cohort) -> None:
    result = cohort.result
    steps = result.frames["dose_steps"]
    inside = np.flatnonzero((steps["person_id"] == "ILL-1") & (steps["rate"] == 100))
    (i,) = inside.tolist()
    middle = (steps["start"][i] + steps["end"][i]) // 2
    one, two = steps.take(inside), steps.take(inside)
    cut = steps.concat(
        [steps.take(np.arange(len(steps)) != i), one.replace(end=np.array([middle])),
         two.replace(start=np.array([middle]))]
    )  # fmt: skip
    again = Cohort(result.with_frames({"dose_steps": cut}))
    assert [(r["start"], r["end"]) for r in again.rates] == [
        (r["start"], r["end"]) for r in cohort.rates
    ]
    assert len([r for r in cohort.rates if r["person_id"] == "ILL-5"]) == 4  # the pause stays


@pytest.mark.parametrize(
    ("baseline", "later", "ratio"),
    [("", "", ""), (">", "", "<"), ("", ">", ">"), ("<", "", ">"), ("", "<", "<"), (">", ">", "?"),
     ("<", "<", "?"), (">", "<", "<"), ("<", ">", ">")],
)  # fmt: skip
def test_a_ratio_of_bounds_is_bounded_as_arithmetic_says(
    baseline: str, later: str, ratio: str
) -> None:
    assert waterfall.bound(baseline, later) == ratio


def test_the_waterfall_goes_from_risen_to_fallen(cohort: Cohort) -> None:
    rows = waterfall.bars(cohort, "t0", "h48")
    assert [row["person"] for row in rows] == ["ILL-5", "ILL-2", "ILL-4", "ILL-1", "ILL-3"]
    assert [row["fell"] for row in rows] == [False, True, True, True, True]
    assert rows[2]["text"] == "≤ −38 %"


def test_a_patient_without_a_sample_is_named_and_not_drawn() -> None:
    first = {name: labs[:1] for name, labs in fixture.PERSONS[1].labs.items()}
    late = replace(fixture.PERSONS[1], labs=first | {"ferritin": ((-4.0, "14,200"),)})
    rows = waterfall.bars(Cohort(fixture.illustrative((late,))), "t0", "h48")
    assert [(row["ratio"], row["text"]) for row in rows] == [(None, "no sample")]


def test_stretches_of_one_status_are_drawn_as_one(cohort: Cohort) -> None:
    mine = [row for row in standing.stretches(cohort) if row["person"] == "ILL-1"]
    told = [(round(24 * row["start"]), round(24 * row["end"]), row["state"]) for row in mine]
    assert told == [(-60, -30, "undetermined"), (-30, -4, "met"), (-4, 20, "not met")]


def test_the_cohort_is_counted_where_something_was_known_of_it(cohort: Cohort) -> None:
    counted = {
        (row["day"], row["state"]): row["n"] for row in standing.counts(standing.stretches(cohort))
    }
    assert counted[-2.0, "undetermined"] == 5
    assert counted[-1.0, "met"] == 5
    assert counted[-0.25, "met"] == 5  # 6 h before: still met
    assert counted[0.0, "not met"] == 5
    assert {counted[1.0, state] for state in standing.STATES} == {0}  # nothing was known


def test_items_not_assessed_are_white_with_what_they_could_give(cohort: Cohort) -> None:
    spec = criteria.spec(cohort, "hscore")
    assert spec is not None
    cells = spec["hconcat"][0]["data"]["values"]
    marrow = {c["person"]: c for c in cells if c["item"] == "Haemophagocytosis"}
    assert marrow["ILL-1"]["state"] == "not assessed"
    assert marrow["ILL-1"]["text"] == "0–35 ?"
    assert marrow["ILL-3"]["state"] == "not met"
    lipids = {c["person"]: c["text"] for c in cells if c["item"] == "Triglycerides"}
    assert lipids["ILL-1"] == "44*"  # propofol ran


def test_grades_that_nobody_took_are_said_to_be_missing() -> None:
    result = fixture.illustrative()
    table = result.tables["safety"]
    blank = np.full(len(table), -1)
    unknown = table.replace(grade_before=blank, grade_after=blank.copy())
    spec = safety.spec(Cohort(result.with_frames({"safety": unknown})))
    assert spec is not None
    rows = spec["hconcat"][0]["data"]["values"]
    assert all(row["none"] and row["before"] is None for row in rows)


def test_the_swimmer_says_how_it_ended(cohort: Cohort) -> None:
    ends = {p: [row["kind"] for row in swimmer.follow_up(cohort, p)] for p in cohort.ids}
    assert ends["ILL-1"] == ["seen", "beyond", "discharged"]
    assert ends["ILL-5"] == ["seen", "died"]


def test_the_flow_counts_who_left_at_each_step(cohort: Cohort) -> None:
    drawn = attrition.draw(cohort)
    assert "412 persons · 448 stays · 96,120 rows" in drawn
    assert "399 persons · 433 stays · 91,400 rows" in drawn
    assert "Excluded: malignancy" in drawn
    assert "1 person ·" in drawn


def test_ids_of_two_figures_on_a_page_do_not_clash() -> None:
    svg = '<svg xmlns="x" width="9" height="9"><clipPath id="clip0"/><g clip-path="url(#clip0)"/></svg>'
    one, two = (theme.Figure(name, "t", "c", svg).inline for name in ("a", "b"))
    assert 'id="a-clip0"' in one
    assert "url(#a-clip0)" in one
    assert 'id="b-clip0"' in two
    assert "xmlns" not in one


def test_a_png_is_smaller_and_the_same_picture() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="20" height="30" fill="#0072b2"/></svg>'
    png = theme.Figure("x", "t", "c", svg).png()
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (80, 60)
    at, pixels = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        pixels += body if kind == b"IDAT" else b""
        at += 12 + length
    assert len(zlib.decompress(pixels)) == 60 * (80 * 4 + 1)


def test_text_is_drawn_in_a_font_that_this_machine_has(cohort: Cohort) -> None:
    spec = criteria.spec(cohort, "hscore")
    assert spec is not None
    svg = theme.draw(spec)
    bare = re.sub(r"<text.*?</text>", "", svg, flags=re.DOTALL)
    assert theme.Figure("x", "t", "c", svg).png() != theme.Figure("x", "t", "c", bare).png()


@pytest.fixture(scope="module")
def crowd_of() -> Cohort:
    """More patients than anybody tells apart."""
    return Cohort(fixture.many(130))


def test_of_a_crowd_items_are_counted_and_everybody_once(crowd_of: Cohort) -> None:
    spec = criteria.spec(crowd_of, "hscore")
    assert spec is not None
    bars, spread = spec["hconcat"]
    by_item: dict[str, int] = {}
    for cell in bars["data"]["values"]:
        by_item[cell["item"]] = by_item.get(cell["item"], 0) + cell["n"]
    assert set(by_item.values()) == {130}
    rows = spread["data"]["values"]
    for end in ("lowest possible", "highest possible"):
        counted = [row["n"] for row in rows if row["end"] == end]
        assert sum(counted[:-1]) == 130  # the last one only closes the step


def test_totals_that_count_items_have_a_bin_each(crowd_of: Cohort) -> None:
    spec = criteria.spec(crowd_of, "hlh2004")
    assert spec is not None
    edges = {row["from"] for row in spec["hconcat"][1]["data"]["values"]}
    assert all(edge % 1 == 0.5 for edge in edges)


def test_changes_of_a_crowd_say_in_how_many_they_are_known(crowd_of: Cohort) -> None:
    spec = waterfall.spec(crowd_of)
    assert spec is not None
    for panel in spec["concat"]:
        known = re.match(
            r"known in (\d+) of 130; only a limit in (\d+)", panel["title"]["subtitle"]
        )
        assert known
        assert sum(cell["n"] for cell in panel["data"]["values"]) == int(known[1]) > 0


def test_a_ratio_on_an_edge_counts_as_the_smaller_fall() -> None:
    """A ratio of exactly 0.5 fell by 50 %, not by more: it stands in the band from there up."""
    spec = crowd.counts_by_change(
        [("one", [{"ratio": 0.5, "kind": ""}, {"ratio": 1.0, "kind": ""}])]
    )
    assert spec is not None
    found = [(c["change"], c["fell"]) for c in spec["concat"][0]["data"]["values"] if c["n"]]
    assert found == [("−50 to −15 %", True), ("0 to +50 %", False)]


def test_a_crowd_is_drawn_by_its_quartiles(crowd_of: Cohort) -> None:
    """The last value of each in a day counts; fewer than five make no quartiles."""
    who, value = np.array([0, 0, 1, 2, 3, 4]), np.array([1.0, 99, 2, 3, 4, 5])
    day = np.array([0.9, 0.1, 0.5, 0.5, 0.5, 0.5])
    expected = dict(zip(("low", "value", "high"), quantiles([1.0, 2, 3, 4, 5], n=4), strict=True))
    assert crowd.quartiles(who, day, value, 8) == [{"day": 0.5, **expected}]
    assert crowd.quartiles(who[:-1], day[:-1], value[:-1], 8) == []
    spec = course.spec(crowd_of, "t0")
    assert spec is not None
    assert all("layer" in panel for panel in spec["concat"])


def test_every_figure_of_a_crowd_is_drawn_without_a_row_each(crowd_of: Cohort) -> None:
    drawn = {name: spec for name, _, _, spec in specs(crowd_of)}
    assert {"criteria_hscore", "swimmer", "waterfall", "course_t0"} <= set(drawn)
    for name in ("criteria_hscore", "swimmer", "waterfall", "course_t0"):
        text = json.dumps(drawn[name])
        assert not [person for person in crowd_of.ids if person in text]
        assert theme.draw(drawn[name]).startswith("<svg")
