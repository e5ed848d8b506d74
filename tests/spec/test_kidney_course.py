"""The course of a kidney injury: prevalent, new or worsened, by which arm, and whether it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from becalm.kidney import kdigo, recovery
from becalm.timeline import Intervals, Points
from tests.records import Row, lab, measured, procedure, stay
from tests.spec.edges import MINUTE, around, read
from tests.spec.edges import hours as length
from tests.spec.test_cell_lines import STORM

OVER = read("kidney/kdigo.toml")["recovery"]
RULES = kdigo.load()
KG = 80.0


def ml(hour: float, volume: float | str) -> Row:
    return lab("urine output", volume, hour, "mL")


def kidney(*rows: Row, only: str = "kidney") -> list[dict[str, Any]]:
    return measured("anakinra_mas", *STORM, stay(-120, 900), *rows, only=only)


def labs(*values: tuple[float, float]) -> list[Row]:
    return [lab("creatinine", value, hour, "mg/dL") for hour, value in values]


BEFORE = labs((-110, 1.0), (-20, 1.0), (-1, 1.0))


def test_an_injury_by_urine_alone_is_new_and_says_so() -> None:
    """Creatinine stays at 1.0; 8 h after time zero urine has been low for 6 h."""
    rows = *BEFORE, *labs((24, 1.0)), ml(2, 300), ml(8, 100), lab("weight", KG, -1, "kg")
    [row] = kidney(*rows)
    assert (row["status"], row["deciding_arms"], row["stage_after"]) == ("new", "urine", 1)
    assert (row["creatinine_after"], row["urine_before"], row["urine_after"]) == (0, -1, 1)
    [aki] = [row for row in kidney(*rows, only="safety") if row["event"] == "aki"]
    assert aki["grade_after"] == 1
    assert "urine below 0.5 mL/kg/h for 6h" in aki["decided_by"]
    assert aki["reference"].startswith("by creatinine and urine; ")
    [first, *_] = kidney(*rows, only="urine_stages")
    assert (first["urine_stage"], first["urine_weight_kg"]) == (1, KG)
    assert (first["weight_source"], first["weight_age_h"]) == ("measured before", 9)


def test_intermittent_haemodialysis_counts() -> None:
    """Any renal replacement is stage 3, a session of 4 h too."""
    [row] = kidney(*BEFORE, procedure("haemodialysis", 30, 34))
    assert (row["status"], row["stage_after"], row["deciding_arms"]) == ("new", 3, "replacement")
    assert (row["replacement_before"], row["replacement_after"]) == (False, True)


def test_urine_without_a_weight_is_counted_in_the_tables() -> None:
    """It is no grade 0: the urine arm is empty, and the row says why."""
    rows = *BEFORE, *labs((24, 1.0)), ml(2, 300), ml(8, 100)
    [row] = kidney(*rows)
    assert (row["urine_after"], row["urine_without_weight"]) == (-1, 2)
    [aki] = [row for row in kidney(*rows, only="safety") if row["event"] == "aki"]
    assert aki["reference"].endswith("; urine without a weight has no stage")


def test_a_baseline_that_does_not_exist_is_said_and_leaves_recovery_open() -> None:
    """In chronic kidney disease none is assumed: the seven days still show the rise, not the recovery."""
    rows = labs((1, 1.0), (30, 2.0), (60, 1.0), (200, 1.0))
    [row] = kidney(*rows, Row("conditions", {"name": "N18.3", "code": "N18.3", "system": "ICD10"}))
    assert np.isnan(row["baseline_mg_dl"])
    assert row["recovered_at_end"] is None


def over(
    draws: list[tuple[float, int]], end: float, courses: Sequence[tuple[float, float]] = ()
) -> Any:
    hour = 3_600_000_000
    points = Points.build(
        [0] * len(draws), [round(h * hour) for h, _ in draws], [float(s) for _, s in draws]
    )
    runs = Intervals.build(
        [0] * len(courses),
        [round(a * hour) for a, _ in courses],
        [round(b * hour) for _, b in courses],
    )
    found = recovery.Injuries.of(points, Points.empty(), runs, np.array([True]), np.array([0]))
    valid = 72 * hour
    [over] = found.recovered(np.array([round(end * hour)]), RULES.recovery, valid)
    [persistent] = found.lasted(RULES.recovery.persistent_after.us, RULES.recovery, included=False)
    [disease] = found.lasted(RULES.recovery.disease_after.us, RULES.recovery, included=True)
    return over, persistent, disease


def test_an_injury_is_over_after_48_h_without_a_stage() -> None:
    """At 48 h it is; a minute earlier nobody knows; at the injury itself it is not."""
    gap = length(OVER["sustained"])
    for free, expected in zip(around(gap), (None, True, True), strict=True):
        assert over([(10, 1), (10 + free, 0)], 200)[0] is expected, free
    assert over([(10, 1), (60, 2)], 61)[0] is False
    assert over([(10, 1)], 10 + 72 + MINUTE)[0] is None
    assert over([(5, 0)], 100)[0] is None


def test_nobody_recovers_on_replacement() -> None:
    """A session voids what creatinine says; after the last one 48 h are asked for again."""
    assert over([(10, 1), (70, 0)], 100, [(90, 120)])[0] is False
    assert over([(10, 1), (150, 0)], 160, [(90, 120)])[0] is None
    assert over([(10, 1), (170, 0)], 180, [(90, 120)])[0] is True


def test_an_injury_persists_after_48_h_and_is_a_disease_from_7_d() -> None:
    """Longer than 48 h; 7 d themselves count. Before it is over nobody knows that it will not last."""
    long, disease = length(OVER["persistent_after"]), length(OVER["disease_after"])
    for last, expected in zip(around(long), (False, False, True), strict=True):
        assert over([(0, 1), (last, 1), (last + 60, 0)], 900)[1] is expected, last
    for last, expected in zip(around(disease), (False, True, True), strict=True):
        assert over([(0, 1), (last, 1), (last + 60, 0)], 900)[2] is expected, last
    assert over([(0, 1), (20, 1)], 900)[1:] == (None, None)
