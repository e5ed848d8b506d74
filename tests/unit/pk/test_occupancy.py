"""Occupancy: a range of curves over a constant hardly known, flat above the same amounts whichever holds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import UsageError
from becalm.pk import FLAT, NOT_ADVICE, load, occupancy
from becalm.pk.loading import parse
from becalm.report import occupied, theme
from tests.spec.test_exposure import ONE_COMPARTMENT

ADULT = {"weight": 70, "creatinine_clearance": 120}
NM = 17.3e-3
"""mg/L of 1 nM."""


def shares(**more: Any) -> dict[tuple[str, float], float]:
    found = occupancy("anakinra", covariates=ADULT, **more)
    return {(row["constant"], row["mg_per_day"]): row["occupied"] for row in found.frame.rows()}


def test_shares_are_those_worked_out_by_hand() -> None:
    """140 mL/min is 8.4 L/h: 400 mg a day are 1.984 mg/L, or 114.7 nM."""
    found = shares()
    level = 400 / 24 / 8.4
    assert found["binding_in_vitro", 400] == pytest.approx(level / (level + 0.15 * NM))
    assert found["lumped_in_vivo", 400] == pytest.approx(level / (level + 14.5 * NM))
    assert found["effective_in_children", 400] == pytest.approx(level / (level + 0.4))
    assert [round(100 * found[name, 400], 1) for name in ("binding_in_vitro", "effective_in_children", "lumped_in_vivo")] == [99.9, 83.2, 88.8]  # fmt: skip


def test_every_curve_is_flat_from_the_amount_that_is_said_on_and_not_before() -> None:
    found = occupancy("anakinra", covariates=ADULT)
    half = found.settings["constants_mg_l"]
    for name, amount in found.flat_from.items():
        for part, beyond in ((0.99, False), (1.01, True)):
            level = part * amount / 24 / 8.4
            gain = 2 * level / (2 * level + half[name]) - level / (level + half[name])
            assert (gain < FLAT) == beyond
    assert 400 < max(found.flat_from.values()) < 1200
    high = [row for row in found.frame.rows() if row["mg_per_day"] >= 1600]
    assert len(high) == 9
    assert all(row["by_doubling"] < FLAT for row in high)


def test_constants_of_the_user_are_read_with_their_unit() -> None:
    found = shares(constants=["5 nM", "0.0865 mg/L", "86.5 ng/mL"])
    assert found["own 1", 100] == pytest.approx(found["own 2", 100])
    assert found["own 3", 100] == pytest.approx(found["own 2", 100])


@pytest.mark.parametrize(
    ("constant", "said"),
    [
        ("5", "a constant has a number and a unit"),
        ("0 nM", "a constant of 0 is always exceeded"),
        ("-1 nM", "a constant cannot be -1"),
        ("5 mL", "'mL' is a unit of volume"),
        ("5 nM 3", "a constant has a number and a unit"),
    ],
)
def test_what_is_no_constant_is_refused(constant: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        shares(constants=[constant])


def test_what_has_no_average_is_refused() -> None:
    with pytest.raises(UsageError, match="changes, and an average needs one value"):
        occupancy("anakinra", covariates={**ADULT, "creatinine_clearance": "100, 24 h: 20"})
    with pytest.raises(UsageError, match="nothing is cleared"):
        occupancy(
            "vancomycin", covariates={"weight": 70, "creatinine_clearance": 0}, constants=["1 mg/L"]
        )
    with pytest.raises(UsageError, match="does not know doses into a vein"):
        occupancy("anakinra_urien_2013", covariates={"weight": 20})
    with pytest.raises(UsageError, match="no constant of binding is kept for vancomycin"):
        occupancy("vancomycin", covariates=ADULT)
    with pytest.raises(UsageError, match="molar mass of vancomycin is not kept"):
        occupancy("vancomycin", covariates=ADULT, constants=["1 nM"])


def test_a_users_model_takes_a_constant_in_mg_per_l() -> None:
    mine = parse(ONE_COMPARTMENT.format(name="mine", drug="norepinephrine"), "mine.toml")
    found = occupancy(mine, covariates={}, constants=["1 mg/L"])
    assert [row["occupied"] for row in found.frame.rows() if row["mg_per_day"] == 200] == pytest.approx([(200 / 48) / (200 / 48 + 1)])  # fmt: skip


def test_the_figure_has_the_range_and_says_that_it_is_no_effect() -> None:
    found = occupancy("anakinra", covariates=ADULT)
    spec = occupied.spec(found, "title")
    span, lines = spec["layer"]
    assert {row["constant"] for row in lines["data"]["values"]} == {
        "0.0026 mg/L: binding to the receptor of a cell line",
        "0.4 mg/L: half of the effect, were the target of children its C50",
        "0.25 mg/L: lumped constant in the body, of another drug",
    }
    assert all(row["low"] < row["high"] for row in span["data"]["values"])
    svg = theme.draw(spec)
    for said in (
        "It is no effect",
        "no benefit of one dose over another",
        "not a dosing recommendation",
        "0.0026 mg/L",
    ):
        assert said in svg


def test_what_a_reader_reads_in_a_drawing_keeps_its_digits() -> None:
    """Coordinates are cut to two decimals, texts are not: 0.001 on an axis is not 0."""
    axis = {"values": [0.001, 0.01], "format": "~g"}
    spec = {
        "data": {"values": [{"x": 0.001}, {"x": 0.0123}]},
        "mark": "point",
        "encoding": {"x": {"field": "x", "type": "quantitative", "scale": {"type": "log"}, "axis": axis}},
    }  # fmt: skip
    svg = theme.draw(spec)
    assert ">0.001<" in svg
    assert not [part for part in svg.split('"') if part.startswith("translate") and any(len(n.partition(".")[2]) > 2 for n in part[10:-1].split(",") if "." in n)]  # fmt: skip


def test_the_command_prints_writes_and_recommends_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["occupancy", "anakinra", "--covariate", "weight=70", "--covariate", "creatinine_clearance=120", "--constant", "1 nM", "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert done.output.count(NOT_ADVICE) == 2
    assert "no benefit of one dose over another follows from it" in done.output
    assert "680 mg a day on by the largest" in done.output
    assert "not verified in its source: lumped_in_vivo" in done.output
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {"manifest.json", "tables/occupancy.csv", "tables/occupancy.parquet", "figures/occupancy.svg", "figures/occupancy.png"}  # fmt: skip
    [(count, least)] = duckdb.connect().execute(f"SELECT count(*), min(occupied) FROM '{out}/tables/occupancy.parquet'").fetchall()  # fmt: skip
    assert count == 36
    assert math.isclose(least, min(shares().values()))
    assert json.loads((out / "manifest.json").read_text("utf-8"))["model"] == "anakinra"
    assert CliRunner().invoke(main, ["occupancy", "anakinra"]).exit_code == 2
    assert load("anakinra").drug == "anakinra"
