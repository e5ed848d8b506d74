"""Kidney injury by urine: the means of 6, 12 and 24 h, each by itself, however seldom volumes are charted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.records import Row, infusion, lab, measured, person, procedure, stay
from tests.spec.edges import MINUTE, around, hours, read

RULE = read("kidney/kdigo.toml")["urine"]
STORM = (
    lab("ferritin", 20_000, -4), lab("platelets", 20, -4), lab("haemoglobin", 7, -4), lab("wbc", 1.0, -4),
    lab("neutrophils", 0.4, -4), lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), lab("ast", 400, -4),
    lab("temperature", 39.8, -4), infusion(0, 96), lab("crp", 5, 200),
)  # fmt: skip
KG = 100.0
WEIGHED = lab("weight", KG, 0)
WARD = stay(0, 300)


def urine(ml: float | str, hour: float) -> Row:
    return lab("urine output", ml, hour, "mL")


def stages(*rows: Row) -> list[tuple[float, int, int]]:
    """Hour, certain and highest stage at each change."""
    found = measured("anakinra_mas", *STORM, *rows, only="urine_stages")
    from tests.records import hours as since

    return [
        (float(since(r["charted"]) or 0), r["urine_stage"], r["urine_stage_high"]) for r in found
    ]


def worst(*rows: Row) -> int:
    return max((stage for _, stage, _ in stages(*rows)), default=-1)


def hourly(per_kg: float, until: int, kg: float = KG) -> list[Row]:
    return [urine(per_kg * kg, hour) for hour in range(1, until + 1)]


@pytest.mark.parametrize("window", RULE["window"], ids=lambda w: f"{w['stage']}-{w['within']}")
def test_a_stage_begins_below_its_bound_over_its_whole_window(window: dict[str, Any]) -> None:
    """At the bound it is not reached, a hundredth below it is; an hour less than the window is too short."""
    length, bound, stage = int(hours(window["within"])), window["below"], window["stage"]
    if bound:
        assert worst(WEIGHED, WARD, *hourly(bound, length)) < stage
        assert worst(WEIGHED, WARD, *hourly(bound - 0.01, length)) == stage
        assert worst(WEIGHED, WARD, *hourly(bound - 0.01, length - 1)) < stage
    else:
        assert worst(WEIGHED, WARD, *hourly(0, length)) == stage
        assert worst(WEIGHED, WARD, *hourly(0, length - 1)) < stage
        assert worst(WEIGHED, WARD, *hourly(0.01, length)) < stage


def test_anuria_that_is_charted_seldom_is_found() -> None:
    """Nothing in two volumes twelve hours apart, and a day with one small volume."""
    assert worst(WEIGHED, WARD, urine(0, 12), urine(0, 24)) == 3
    assert worst(WEIGHED, WARD, urine(300, 12), urine(300, 24)) == 3  # 0.25 mL/kg/h over 24 h
    assert worst(WEIGHED, WARD, urine(700, 12)) == 0


def test_volumes_too_far_apart_say_nothing() -> None:
    """At the longest gap they count, a minute more and they do not; that is unknown and not 0."""
    gap = hours(RULE["longest_gap"])
    for apart, known in zip(around(gap), (True, True, False), strict=True):
        found = stages(WEIGHED, WARD, urine(500, 1), urine(100, 1 + apart))
        assert (max((s for _, s, _ in found), default=-1) == 3) is known, apart


def test_the_time_before_the_first_volume_counts_from_the_begin_of_the_stay() -> None:
    """A stay of six hours with 100 mL at its end; without a stay the first volume covers no time."""
    assert worst(WEIGHED, stay(0, 300), urine(100, 6)) == 1
    assert stages(WEIGHED, urine(100, 6)) == []


def test_two_stays_in_intensive_care_do_not_mix() -> None:
    """The last volume of one and the first of the next, ten hours apart: the time between belongs to neither."""
    first, second = stay(0, 10, "A", "ICU"), stay(20, 60, "B", "ICU")
    rows = (WEIGHED, first, second, stay(0, 100, "H"))
    volumes = [urine(60, hour) for hour in range(1, 11)]
    assert worst(*rows, *volumes, urine(60, 21)) == 0
    alone = [urine(20, hour) for hour in range(21, 27)]
    assert [stage for _, stage, _ in stages(*rows, *volumes, *alone)][-1] == 1


def test_without_a_weight_there_is_no_stage_and_it_is_said() -> None:
    """Counted as such beside the event."""
    rows = (WARD, *hourly(0, 12))
    assert stages(*rows) == []
    found = measured("anakinra_mas", *STORM, person(weight_kg=None), *rows, only="safety")
    aki = next(row for row in found if row["event"] == "aki")
    assert "urine without a weight has no stage" in aki["reference"]


def test_volumes_that_cannot_be_used_are_unknown_time_and_not_dry_time() -> None:
    """During irrigation nobody knows what was urine; the first volume after it covers its own hour alone."""
    rinsed = [urine(800, hour) for hour in range(1, 13)]
    rows = (WEIGHED, WARD, *rinsed, procedure("continuous bladder irrigation", 0, 12))
    assert stages(*rows) == []
    assert stages(*rows, urine(60, 13)) == []
    assert worst(*rows, *(urine(60, hour) for hour in range(13, 20))) == 0
    assert worst(*rows, *(urine(20, hour) for hour in range(13, 20))) == 1


def test_a_limit_leaves_a_range() -> None:
    """`<80` mL may be nothing: from stage 0 by the most to stage 3 by the least."""
    found = stages(WEIGHED, WARD, *(urine("<80", hour) for hour in range(1, 13)))
    assert {low for _, low, _ in found} == {0}
    assert max(high for _, _, high in found) == 3


def test_kidney_injury_is_the_worst_of_all_arms() -> None:
    """Creatinine is normal, urine is not: stage 2 by urine, and haemodialysis alone is stage 3."""
    calm = [lab("creatinine", 0.8, hour) for hour in (-5, 10, 20)]
    rows = measured("anakinra_mas", *STORM, *calm, WEIGHED, WARD, *hourly(0.4, 14), only="safety")
    aki = next(row for row in rows if row["event"] == "aki")
    assert (aki["grade_after"], aki["decided_by"]) == (2, "after: urine below 0.5 mL/kg/h for 12h")
    dialysed = procedure("haemodialysis", 30, 34)
    rows = measured("anakinra_mas", *STORM, *calm, dialysed, only="safety")
    assert next(row for row in rows if row["event"] == "aki")["grade_after"] == 3


def test_a_minute_less_than_a_window_is_not_the_window() -> None:
    """Exactly six hours count."""
    for length, staged in zip(around(6.0), (False, True, True), strict=True):
        found = stages(WEIGHED, stay(0, 300), urine(1, length))
        assert bool(found) is staged, length - MINUTE
