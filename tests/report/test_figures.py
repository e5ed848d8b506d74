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
    safety,
    specs,
    standing,
    swimmer,
    waterfall,
)
from becalm.report.figures import crowd as crowds
from becalm.study.result import StudyResult
from tests.records.chart_review import said
from tests.report.charts import EVERYBODY, FIVE, ONE, PERSONS, THREE, TWO, Person
from tests.report.conftest import Study, repeated


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
@pytest.mark.parametrize("n", [1, 12, 130])
def test_every_figure_is_valid_vega_lite(study: Study, crowd: Cohort, n: int) -> None:
    """Of one patient given the drug, of twelve of an index design, and of a crowd."""
    import altair

    if n == 130:
        result = crowd.result
    else:
        result = study([ONE]) if n == 1 else study(repeated(n), "hyperinflammation")
    found = list(specs(Cohort(_sparse(result))))
    assert len(found) >= 7
    for name, _, _, spec in found:
        assert altair.Chart.from_dict(_bare(spec), validate=True) is not None, name


def test_a_bound_points_away_from_what_is_known(cohort: Cohort) -> None:
    """Ferritin of ILL-4: 32,000, twice above 40,000, 24,400; CRP of ILL-3: 22, 15, twice below 5."""
    drawn = course.points(cohort, "t0")
    ferritin = [r for r in drawn if r["person"] == "ILL-4" and r["variable"] == "ferritin"]
    assert [r["kind"] for r in ferritin][:4] == ["exact", "above", "above", "exact"]
    assert ferritin[1]["value"] == pytest.approx(40_000)
    crp = [r["kind"] for r in drawn if r["person"] == "ILL-3" and r["variable"] == "crp"]
    assert crp == ["exact", "exact", "below", "below"]


def test_days_count_from_the_clock_of_the_figure(cohort: Cohort) -> None:
    first = [r["day"] for r in course.points(cohort, "t0") if r["person"] == "ILL-1"]
    civ = [r["day"] for r in course.points(cohort, "infusion_start") if r["person"] == "ILL-1"]
    assert max(first) - max(civ) == pytest.approx(10 / 24)  # the infusion starts at 10 h


def test_rows_at_one_rate_are_one_block(cohort: Cohort) -> None:
    """100 mg/h of ILL-1 stands in two rows, 34 to 60 h and 60 to 96 h; a pause of ILL-5 stays."""
    steps = cohort.result.frames["dose_steps"]
    written = (steps["person_id"] == "ILL-1") & (steps["rate"] == 100)
    assert sorted(steps["hours_from_t0"][written]) == pytest.approx([34, 60])
    blocks = {
        person: [
            (round(cohort.hours(person, r["start"])), round(cohort.hours(person, r["end"])), r["rate"])
            for r in cohort.rates
            if r["person_id"] == person
        ]
        for person in ("ILL-1", "ILL-5")
    }  # fmt: skip
    assert blocks["ILL-1"] == [(10, 22, 25), (22, 34, 50), (34, 96, 100), (96, 120, 50), (120, 144, 25)]  # fmt: skip
    assert blocks["ILL-5"] == [(20, 26, 25), (26, 32, 50), (32, 144, 100), (147, 262, 100)]


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
    """Of 31,000 ng/mL 47,000 are left; of 18,000: 17,100; of more than 40,000: 24,400; of 14,200:
    7,400; of 62,000: 27,500.
    """
    rows = waterfall.bars(cohort, "t0", "h48")
    assert [row["person"] for row in rows] == ["ILL-5", "ILL-2", "ILL-4", "ILL-1", "ILL-3"]
    assert [row["fell"] for row in rows] == [False, True, True, True, True]
    assert [row["text"] for row in rows] == ["+52 %", "−5 %", "≤ −39 %", "−48 %", "−56 %"]


def test_the_waterfall_says_who_died_before_the_horizon(study: Study) -> None:
    """Dead on day 3, and at home on day 5: neither had a sample on day 7, and the figure says why."""
    labs = {**FIVE.labs, "ferritin": ((-6, "31000"), (46, "47000"))}
    died = replace(FIVE, labs=labs, death=72.0, procedures=(), others=(), rates=((20, 100), (60, 0)),
                   stays=(FIVE.stays[0], (-6, 72, "ICU", "", "died")))  # fmt: skip
    home = replace(TWO, labs={**TWO.labs, "ferritin": ((-4, "14200"), (46, "9000"))},
                   stays=((-72, 120, "ward", "home", "home"),), rates=((20, 100), (60, 0)))  # fmt: skip
    cohort = Cohort(study([died, home]))
    assert [row["text"] for row in waterfall.bars(cohort, "t0", "d7")] == [
        "discharged before",
        "died before",
    ]
    assert all(row["ratio"] is not None for row in waterfall.bars(cohort, "t0", "h48"))


def test_a_patient_without_a_sample_is_named_and_not_drawn(study: Study) -> None:
    late = replace(TWO, labs={**TWO.labs, "ferritin": ((-4, "14200"),)})
    rows = waterfall.bars(Cohort(study([late])), "t0", "h48")
    assert [(row["ratio"], row["text"]) for row in rows] == [(None, "no sample")]


def test_stretches_of_one_status_are_drawn_as_one(cohort: Cohort) -> None:
    """HScore of ILL-1, with 169 as the cut-off.

    A ferritin holds for 72 h: from -138 to -66 h, and from -60 h on one follows another; on its own it
    decides nothing, and immunosuppression alone is no beginning. At -4 h all is known but the marrow: 267.
    At 44 h the counts are too old: 184 and more. At 119 h, 72 h after a
    fibrinogen and 48 h after the counts, no more than 139 are certain. At 168 h all is known to be low:
    18 + 23 + 19 = 60, with the marrow 95. At 192 h the temperature is too old (up to 144), at
    216 h the counts: up to 178.
    """
    stretches = [
        (round(24 * row["start"]), round(24 * row["end"]), row["state"])
        for row in standing.stretches(cohort)
        if (row["person"], row["lane"]) == ("ILL-1", "HScore")
    ]
    assert stretches[:5] == [
        (-138, -66, "undetermined"), (-60, -4, "undetermined"), (-4, 119, "met"),
        (119, 168, "undetermined"), (168, 216, "not met"),
    ]  # fmt: skip
    assert stretches[5][::2] == (216, "undetermined")


def test_the_cohort_is_counted_where_something_was_known_of_it(cohort: Cohort) -> None:
    """HScore is certain from the draws 5 to 2 h before t0 on. At 5 days before only a ferritin of
    ILL-1 is known; a day before also one of ILL-2, ILL-3 and ILL-4, and of ILL-5 only that liver (20 h) is
    not yet looked at: nothing. Not met at 8 days is ILL-1 (see above).
    """
    drawn = standing.crowd(cohort)
    drawn = drawn.take(drawn["lane"] == "HScore")
    counted = {(row["day"], row["state"]): row["n"] for row in standing.counts(drawn)}
    assert {counted[-6.0, state] for state in standing.STATES} == {0}  # -144 h
    assert counted[-5.0, "undetermined"] == 1
    assert counted[-1.0, "undetermined"] == 4
    assert counted[-0.25, "undetermined"] == 5  # 6 h before
    assert counted[0.0, "met"] == 5
    assert counted[8.0, "not met"] == 1


def test_items_not_assessed_are_white_with_what_they_could_give(cohort: Cohort) -> None:
    spec = criteria.spec(cohort, "hscore")
    assert spec is not None
    cells = spec["hconcat"][0]["data"]["values"]
    marrow = {c["person"]: c for c in cells if c["item"] == "Haemophagocytosis"}
    assert marrow["ILL-1"]["state"] == "not assessed"  # ILL-3: looked at, and nothing there
    assert marrow["ILL-1"]["text"] == "0–35 ?"
    assert marrow["ILL-3"]["state"] == "not met"
    lipids = {c["person"]: c["text"] for c in cells if c["item"] == "Triglycerides"}
    assert lipids["ILL-1"] == "44*"  # 3.4 mmol/L, propofol ran
    assert lipids["ILL-2"] == "44"


def test_grades_go_from_the_last_before_to_the_worst_after(cohort: Cohort) -> None:
    """Platelets of ILL-1 from 54 to 50: 2 and 2; of ILL-2 from 88 to 71: 1, 2; of ILL-3 from 132 to
    118: 1, 1; of ILL-4 from 31 to 24: 3, 4; of ILL-5 from 22 to 14: 4, 4. CTCAE: below 75, 50, 25.
    """
    spec = safety.spec(cohort)
    assert spec is not None
    rows = spec["hconcat"][safety.events(cohort).index("thrombocytopenia")]["data"]["values"]
    assert [(row["before"], row["after"]) for row in rows] == [
        (2, 2),
        (1, 2),
        (1, 1),
        (3, 4),
        (4, 4),
    ]
    assert [row["person"] for row in rows if row["worse"]] == ["ILL-2", "ILL-4"]


def test_grades_that_nobody_took_are_said_to_be_missing(study: Study) -> None:
    """Next to nothing is known: a diagnosis, a ferritin and the drug."""
    bare = Person("BARE", "2017-03-04T14:20", conditions=((-5, "macrophage activation syndrome"),),
                  labs={"ferritin": ((-4, "900"),)}, rates=((0, 100), (24, 0)))  # fmt: skip
    spec = safety.spec(Cohort(study([bare])))
    assert spec is not None
    rows = [row for panel in spec["hconcat"] for row in panel["data"]["values"]]
    assert len(rows) == 7
    assert all(row["none"] and row["before"] is None for row in rows)


def test_the_swimmer_says_how_it_ended(cohort: Cohort) -> None:
    """ILL-1 went home after 264 h and was well on day 412; ILL-5 died at 261.6 h."""
    ends = {p: swimmer.follow_up(cohort, p) for p in cohort.ids}
    assert [row["kind"] for row in ends["ILL-1"]] == ["seen", "beyond", "discharged"]
    assert ends["ILL-1"][1]["text"] == "alive, day 412"
    assert ends["ILL-1"][2]["start"] == pytest.approx(11)
    assert [row["kind"] for row in ends["ILL-5"]] == ["seen", "died"]
    assert ends["ILL-5"][1]["text"] == "died, day 10.9"


def test_the_flow_counts_who_left_at_each_step(cohort: Cohort) -> None:
    """Rows are those of labs and doses; a schedule of eight doses is eight."""
    drawn = attrition.draw(cohort)
    rows = {
        person.id: sum(len(said(*person.rows())[sheet]) for sheet in ("labs", "doses"))
        for person in EVERYBODY
    }
    rows["ILL-2"] += 7
    everybody, five = sum(rows.values()), sum(rows[person.id] for person in PERSONS)
    assert f"10 persons · 16 stays · {everybody} rows" in drawn
    assert f"5 persons · 11 stays · {five} rows" in drawn
    for reason, who in (
        ("Younger than 18", "CHILD"),
        ("No continuous intravenous anakinra for 6\u00a0h", "NO-INFUSION"),
        ("Outside the recruitment dates", "LATE"),
        ("Excluded: malignancy", "MIM-AML"),
    ):
        assert re.search(rf">{reason}</text>.{{,80}}>1 person · 1 stay · {rows[who]} rows<", drawn)


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


def test_of_a_crowd_items_are_counted_and_everybody_once(crowd: Cohort) -> None:
    spec = criteria.spec(crowd, "hscore")
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


def test_totals_that_count_items_have_a_bin_each(crowd: Cohort) -> None:
    spec = criteria.spec(crowd, "hlh2004")
    assert spec is not None
    edges = {row["from"] for row in spec["hconcat"][1]["data"]["values"]}
    assert all(edge % 1 == 0.5 for edge in edges)


def test_changes_of_a_crowd_say_in_how_many_they_are_known(crowd: Cohort) -> None:
    spec = waterfall.spec(crowd)
    assert spec is not None
    for panel in spec["concat"]:
        known = re.match(
            r"known in (\d+) of 130; only a limit in (\d+)", panel["title"]["subtitle"]
        )
        assert known
        assert sum(cell["n"] for cell in panel["data"]["values"]) == int(known[1]) > 0


def test_a_ratio_on_an_edge_counts_as_the_smaller_fall() -> None:
    """A ratio of exactly 0.5 fell by 50 %, not by more: it stands in the band from there up."""
    spec = crowds.counts_by_change(
        [("one", [{"ratio": 0.5, "kind": ""}, {"ratio": 1.0, "kind": ""}])]
    )
    assert spec is not None
    found = [(c["change"], c["fell"]) for c in spec["concat"][0]["data"]["values"] if c["n"]]
    assert found == [("−50 to −15 %", True), ("0 to +50 %", False)]


def test_a_crowd_is_drawn_by_its_quartiles(crowd: Cohort) -> None:
    """The last value of each in a day counts; fewer than ten make no quartiles."""
    who, value = np.array([0, *range(10)]), np.array([99.0, *range(1, 11)])
    day = np.array([0.1, 0.9, *[0.5] * 9])
    expected = dict(zip(("low", "value", "high"), quantiles(range(1, 11), n=4), strict=True))
    assert crowds.quartiles(who, day, value, 8) == [{"day": 0.5, **expected}]
    assert crowds.quartiles(who[:-1], day[:-1], value[:-1], 8) == []
    spec = course.spec(crowd, "t0")
    assert spec is not None
    assert all("layer" in panel for panel in spec["concat"])


def test_a_limit_enters_the_quartiles_at_the_limit(study: Study) -> None:
    """CRP of ILL-3 was below 5 mg/L 49 and 170 h after the index; whoever has it ten times has 5."""
    same = [replace(THREE, id=f"P{i}") for i in range(10)]
    cohort = Cohort(study(same, "hyperinflammation"))
    drawn, unit = crowds.course(cohort, "t0", "crp", (-1, 9))
    assert unit == "mg/L"
    assert {row["day"]: row["value"] for row in drawn} == pytest.approx(
        {0.5: 22, 1.5: 15, 2.5: 5, 7.5: 5}
    )


def test_every_figure_of_a_crowd_is_drawn_without_a_row_each(crowd: Cohort) -> None:
    drawn = {name: spec for name, _, _, spec in specs(crowd)}
    assert {"criteria_hscore", "swimmer", "waterfall", "course_t0"} <= set(drawn)
    for name in ("criteria_hscore", "swimmer", "waterfall", "course_t0"):
        text = json.dumps(drawn[name])
        assert not [person for person in crowd.ids if person in text]
        assert theme.draw(drawn[name]).startswith("<svg")


def test_numbers_that_people_read_are_not_rounded() -> None:
    """Coordinates have two decimals; a doi, or 0.025 on an axis, stays as it is written."""
    spec = {
        "data": {"values": [{"x": 1.23456, "words": "doi:10.3390/pharmaceutics11050224"}]},
        "mark": "text",
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "text": {"field": "words"}},
    }
    svg = theme.draw(spec)
    assert "doi:10.3390/pharmaceutics11050224" in svg
    assert not re.search(r'="[^"]*\d\.\d{3}', svg)
