"""`becalm simulate`: what it prints and writes, and mistakes in one line with their exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import duckdb
import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from becalm.pk import NOT_ADVICE
from becalm.tables import SIMULATED

ADULT: Final = ("--covariate", "weight=70", "--covariate", "creatinine_clearance=100, 24 h: 20")
USUAL: Final = ("--patients", "30", "--hours", "48", "--regimen")


def becalm(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments])


def test_two_regimens_are_printed_and_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("anakinra", *ADULT, *USUAL, "vein = 10 mg IV bolus; 4 mg/h", "--regimen", "100 mg SC daily", "--target", "400 ng/mL", "--out", str(out))  # fmt: skip
    done = becalm(*asked)
    assert done.exit_code == 0, done.output
    assert done.output.count(NOT_ADVICE) == 2
    assert "time below 0.4 mg/L, h" in done.output
    assert "extrapolated" in done.output
    assert "not verified in their source: sieving" in done.output
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    written = {f"tables/{name}.{form}" for name in SIMULATED for form in ("parquet", "csv")}
    drawn = {f"figures/{name}.{form}" for name in ("concentration_1_vein", "concentration_2_regimen_2", "regimens") for form in ("svg", "png")}  # fmt: skip
    assert names == written | drawn | {"manifest.json"}
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert NOT_ADVICE in manifest["kind"]
    assert manifest["seed"] == 20
    for figure in (out / "figures").glob("*.svg"):
        assert "not a dosing recommendation" in figure.read_text("utf-8")
        assert "Extrapolated beyond" in figure.read_text("utf-8")
    rows = duckdb.connect().execute(f"SELECT regimen, count(*) FROM '{out}/tables/simulated_concentration.parquet' GROUP BY 1 ORDER BY 1").fetchall()  # fmt: skip
    assert rows == [("regimen 2", 193), ("vein", 193)]
    first = {path: path.read_bytes() for path in (out / "tables").iterdir()}
    assert becalm(*asked, "--threads", "3").exit_code == 0  # replaces what it wrote
    assert {path: path.read_bytes() for path in (out / "tables").iterdir()} == first


def test_a_model_without_spread_is_drawn_without_a_band(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = becalm("canakinumab", *USUAL, "150 mg SC", "--regimen", "150 mg IV over 1 h", "--out", str(out))  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "The typical patient alone, because no spread is given" in done.output
    assert len(list((out / "figures").glob("*.png"))) == 3
    assert "no spread is given" in (out / "figures" / "concentration_1_regimen_1.svg").read_text("utf-8")  # fmt: skip


def test_a_model_and_a_regimen_of_your_own_are_not_written_over(tmp_path: Path) -> None:
    from becalm.pk.loading import MODELS

    own = tmp_path / "own.toml"
    own.write_text((MODELS / "vancomycin.toml").read_text("utf-8").replace('"vancomycin"', '"own"'), "utf-8")  # fmt: skip
    plan = tmp_path / "plan.toml"
    plan.write_text('[regimen.usual]\nsteps = ["1 g IV over 1 h every 12 h"]\n', "utf-8")
    done = becalm(str(own), *ADULT, *USUAL, f"{plan}#usual", "--set", "central_volume=20000 mL")
    assert done.exit_code == 0, done.output
    assert "usual: 1 g IV over 1 h every 12 h" in done.output
    refused = becalm(str(own), *ADULT, *USUAL, str(plan), "--out", str(tmp_path))
    assert refused.exit_code in {2, 6}
    assert own.is_file()


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (("anakira", *USUAL, "1 mg/h"), 5, "no model is called 'anakira'. Did you mean 'anakinra'?"),
        (("anakinra", *USUAL, "1 mg/h"), 2, "needs the covariate weight (kg). Add --covariate 'weight=...'"),
        (("anakinra", *ADULT, *USUAL, "100 mg SC evry 24 h"), 2, "regimen, column 11: 'evry' is not understood"),
        (("anakinra", *ADULT, *USUAL, "1 mg/h", "--set", "seiving=0.5"), 2, "no parameter 'seiving'"),
        (("anakinra", *ADULT, *USUAL, "1 mg/h", "--set", "sieving"), 2, "--set 'sieving' is not understood. Write name=value"),
        (("anakinra", *ADULT, *USUAL, "1 mg/h", "--target", "4 mmol/L"), 2, "--target, column 3: the unit 'mmol/L' is not known"),
        (("anakinra", *ADULT, *USUAL, "1 mg/h", "--covariate", "weight=80"), 2, "--covariate gives weight twice"),
        (("anakinra_urien_2013", "--covariate", "weight=20", *USUAL, "1 mg/h"), 2, "does not know doses into a vein"),
        (("nowhere.toml", *ADULT, *USUAL, "1 mg/h"), 3, "nowhere.toml"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(asked: tuple[str, ...], code: int, told: str) -> None:
    done = becalm(*asked)
    assert done.exit_code == code, done.output
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_kidneys_and_weights_side_by_side(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = (
        "--across",
        "creatinine_clearance = 120 | failing = 120, 24 h: 20 | 0",
        "--across",
        "weight = 50 | 100",
    )
    usual = (
        "--patients",
        "20",
        "--hours",
        "48",
        "--regimen",
        "vein = 4 mg/h",
        "--regimen",
        "skin = 100 mg SC daily",
    )
    done = becalm("anakinra", *asked, *usual, "--target", "0.4 mg/L", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "Average by creatinine_clearance and weight, mg/L (median)" in done.output
    assert "failing, 100" in done.output
    assert "(bioavailability 80 %) to" in done.output
    assert "the same at every end" not in done.output.split("average by that of the first")[1].splitlines()[0]  # fmt: skip
    figure = (out / "figures" / "grid.svg").read_text("utf-8")
    for told in (
        "not a dosing recommendation",
        "Extrapolated beyond",
        "failing",
        "weight (kg)",
        "Time below 0.4 mg/L (h)",
    ):
        assert told in figure
    twice = becalm("anakinra", "--across", "weight = 50", "--across", "weight = 60", *usual)
    assert twice.exit_code == 2
    assert "--across gives weight twice" in twice.output
