"""Values before and after each step up: the windows of the response, counted from the step."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.records import Row, infusion, lab, measured
from tests.spec.edges import MINUTE

STORM = (
    lab("ferritin", 20_000, -90), lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), lab("ast", 400, -90),
    lab("temperature", 39.8, -4), lab("wbc", 1.0, -4), lab("haemoglobin", 7, -4), lab("platelets", 20, -4),
    lab("neutrophils", 0.4, -4), infusion(0, 50, 50), infusion(50, 110, 75), infusion(110, 300, 100),
)  # fmt: skip


def steps(*rows: Row, variable: str = "ferritin") -> list[dict[str, Any]]:
    found = measured("anakinra_mas", *STORM, *rows, only="escalation_response")
    return [row for row in found if row["variable"] == variable]


def test_every_step_has_its_own_baseline_and_horizons() -> None:
    """Steps at 50 and 110 h: one value is the 48-hour value of the first and the baseline of the second."""
    first, second = steps(lab("ferritin", 9000, 49), lab("ferritin", 6000, 98), lab("ferritin", 1500, 158))  # fmt: skip
    assert (first["from_step"], second["from_step"]) == ("escalation 1", "escalation 2")
    assert (first["baseline"], first["h48"], first["status"]) == (9000, 6000, "fell")
    assert (second["baseline"], second["h48"]) == (6000, 1500)
    assert second["ratio_48h"] == pytest.approx(0.25)
    assert first["hours_to_next_step"] == 60
    assert math.isnan(second["hours_to_next_step"])


@pytest.mark.parametrize(
    ("hour", "column"),
    [(2 - MINUTE, None), (2, "baseline"), (50, "baseline"), (50 + 30, "h24"), (80 + MINUTE, "h48"), (104, "h48"),
     (104 + MINUTE, "h72"), (134, "h72"), (182, "d7"), (242, "d7"), (242 + MINUTE, None)],
)  # fmt: skip
def test_the_windows_are_those_of_the_response(hour: float, column: str | None) -> None:
    """Baseline of ferritin [-48, 0] h, 24 h [12, 30], 48 h (30, 54], 72 h (54, 84], day 7 [132, 192], from the step at 50 h."""
    first, _ = steps(lab("ferritin", 777, hour))
    found = [c for c in ("baseline", "h24", "h48", "h72", "d7") if first[c] == 777]
    assert found == ([column] if column else [])


def test_a_death_before_48_h_and_a_missing_sample_are_said() -> None:
    """After the second step at 110 h nothing was measured."""
    _, second = steps(lab("ferritin", 6000, 98))
    assert second["status"] == "no sample"
