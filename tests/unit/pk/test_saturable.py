"""Elimination that saturates: against its solution by the Lambert function, its linear limit, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special

from becalm.core.errors import DefinitionError, UsageError
from becalm.pk import PkModel, load, simulate
from becalm.pk.loading import parse

FORM = """
name = "saturating"
title = "A drug whose elimination saturates"
drug = "own"
routes = ["iv", "sc"]

[covariate.weight]
unit = "kg"
studied = [40.0, 120.0]
source = "invented"
verified = false
"""
PARTS: dict[str, tuple[float, str]] = {
    "clearance": (0.0, "L/h"), "central_volume": (10.0, "L"), "max_elimination": (12.0, "mg/h"),
    "half_elimination": (2.0, "mg/L"), "absorption": (0.5, "/h"), "bioavailability": (80.0, "%"),
}  # fmt: skip


def model(spread: str = "", **values: tuple[float, str]) -> PkModel:
    text = FORM + spread
    for name, (value, unit) in {**PARTS, **values}.items():
        scaled = (
            "scaled_by.weight = { at = 70.0, exponent = 1.0 }"
            if name in {"central_volume", "max_elimination"}
            else ""
        )
        text += f'[parameter.{name}]\npart_of = "{name}"\nvalue = {value}\nunit = "{unit}"\nstatus = "assumed"\nsource = "invented"\nverified = false\n{scaled}\n'
    return parse(text, "own.toml")


def levels(found: Any, column: str = "typical") -> Any:
    return found.concentration[column]


def test_a_bolus_falls_as_the_lambert_function_says() -> None:
    found = simulate(model(), "300 mg IV bolus", covariates={"weight": 70}, hours=48)
    hours = found.concentration["hours"]
    start, half, most = 30.0, 2.0, 1.2
    inside = np.log(start / half) + (start - most * hours) / half
    truth = half * np.array([scipy.special.lambertw(np.exp(each)).real for each in inside])
    assert levels(found) == pytest.approx(truth, abs=1e-6)  # of 30 mg/L
    area = next(row["typical"] for row in found.exposure.rows() if row["measure"] == "area")
    gone = start - truth[-1]
    whole = (
        half * gone + (start**2 - truth[-1] ** 2) / 2
    ) / most  # of C dt = -C (Km + C) / (Vmax C) dC
    assert area == pytest.approx(whole, rel=1e-7)


def test_a_steady_infusion_below_the_most_reaches_its_level() -> None:
    """In steady state rate = Vmax C / (Km + C)."""
    found = simulate(model(), "6 mg/h", covariates={"weight": 70}, hours=600)
    assert levels(found)[-1] == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize(
    "regimen",
    ["100 mg SC every 12 h", "20 mg IV bolus; 4 mg/h for 10 h; hold 5 h; 50 mg IV over 1 h"],
)
def test_far_below_saturation_it_is_the_linear_model(regimen: str) -> None:
    wide = model(
        max_elimination=(6e7, "mg/h"), half_elimination=(1e7, "mg/L"), clearance=(1.0, "L/h")
    )
    linear = {
        name: each
        for name, each in PARTS.items()
        if name not in {"max_elimination", "half_elimination"}
    }
    text = FORM
    for name, (value, unit) in {**linear, "clearance": (1.0, "L/h")}.items():
        scaled = (
            "scaled_by.weight = { at = 70.0, exponent = 1.0 }" if name == "central_volume" else ""
        )
        text += f'[parameter.{name}]\npart_of = "{name}"\nvalue = {value}\nunit = "{unit}"\nstatus = "assumed"\nsource = "invented"\nverified = false\n{scaled}\n'
    text += '[parameter.more]\npart_of = "clearance"\nvalue = 6.0\nunit = "L/h"\nscaled_by.weight = { at = 70.0, exponent = 1.0 }\nstatus = "assumed"\nsource = "invented"\nverified = false\n'
    given: dict[str, Any] = {"covariates": {"weight": [(0, 70), (20, 90)]}, "hours": 36}
    ours, truth = (simulate(each, regimen, **given) for each in (wide, parse(text, "linear.toml")))
    assert levels(ours) == pytest.approx(levels(truth), rel=1e-5, abs=1e-9)
    for one, other in zip(ours.exposure.rows(), truth.exposure.rows(), strict=True):
        assert one["typical"] == pytest.approx(other["typical"], rel=1e-5)


def test_twice_the_dose_is_more_than_twice_the_exposure_and_the_remark_says_so() -> None:
    found = simulate(
        model(),
        ["one = 200 mg IV bolus", "two = 400 mg IV bolus"],
        covariates={"weight": 70},
        hours=200,
    )
    ratio = next(
        row["typical"] for row in found.exposure.rows() if row["measure"] == "average_ratio"
    )
    assert ratio > 2.5
    assert any("not in proportion to doses" in each for each in found.remarks)


def test_virtual_patients_together_are_each_as_alone() -> None:
    apart = '[spread.max_elimination]\nvalue = 0.3\nstatus = "assumed"\nsource = "invented"\nverified = false\n'
    given: dict[str, Any] = {"covariates": {"weight": 70}, "hours": 30, "targets": [1.0]}
    one = simulate(model(apart), "100 mg SC every 8 h", patients=1, **given)
    many = simulate(model(apart), "100 mg SC every 8 h", patients=60, threads=3, **given)
    assert levels(many) == pytest.approx(levels(one), rel=1e-12)
    assert (levels(many, "p05") <= levels(many, "p95")).all()
    assert levels(many, "p95")[-1] > 1.2 * levels(many, "p05")[-1]
    assert levels(one, "p50") == pytest.approx(
        levels(
            simulate(model(apart), "100 mg SC every 8 h", patients=1, threads=2, **given), "p50"
        ),
        rel=1e-12,
    )


def test_what_a_model_that_saturates_cannot_do_is_refused() -> None:
    saturating = model()
    with pytest.raises(UsageError, match="saturates: it can be simulated, and nothing else yet"):
        saturating.typical({"weight": 70})
    with pytest.raises(UsageError, match="cannot move on a straight line"):
        simulate(
            saturating,
            "1 mg/h",
            covariates={"weight": [(0, 70), (24, 80)]},
            hours=24,
            policy="linear",
        )
    with pytest.raises(UsageError, match="2,001 virtual patients are too many"):
        simulate(saturating, "1 mg/h", covariates={"weight": 70}, hours=2, patients=2001)


@pytest.mark.parametrize("missing", ["max_elimination", "half_elimination"])
def test_both_numbers_are_needed(missing: str, tmp_path: Path) -> None:
    text = FORM
    for name, (value, unit) in PARTS.items():
        if name != missing:
            text += f'[parameter.{name}]\npart_of = "{name}"\nvalue = {value}\nunit = "{unit}"\nstatus = "assumed"\nsource = "invented"\nverified = false\n'
    own = tmp_path / "own.toml"
    own.write_text(text, "utf-8")
    with pytest.raises(DefinitionError) as error:
        load(str(own))
    assert f"no parameter is part of '{missing}'" in error.value.line()
    wrong = text.replace('unit = "mg/h"', 'unit = "mg/L"').replace(
        'unit = "mg/L"\nstatus', 'unit = "L/h"\nstatus'
    )
    own.write_text(wrong, "utf-8")
    with pytest.raises(DefinitionError, match="is a unit of flow"):
        load(str(own))
