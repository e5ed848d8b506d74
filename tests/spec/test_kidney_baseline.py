"""The creatinine from before the injury: the protocol names the ways and their order."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from becalm import protocol
from becalm.kidney import baseline
from becalm.protocol import Kidney, Protocol
from becalm.timeline import Intervals, Points
from tests.records import Row, lab, measured, patient, stay

DAY = 24
RULES = protocol.load("anakinra_mas").kidney
ASSUMED = 0.83
"""MDRD at eGFR 75 for a woman of 44 years."""


def found(*ways: str, draws: dict[float, float], chronic: bool = False, sex: str = "F") -> Any:
    """Of a woman of 44 years in hospital from ten days before onset; days before onset and mg/dL."""
    hour = 3_600_000_000
    rules = Kidney(
        outpatient_from=RULES.outpatient_from, outpatient_to=RULES.outpatient_to, minimum_within=RULES.minimum_within,
        assumed_egfr=RULES.assumed_egfr, baseline=ways,  # type: ignore[arg-type]
    )  # fmt: skip
    points = Points.build(
        [0] * len(draws), [round(-day * DAY * hour) for day in draws], list(draws.values())
    )
    return baseline.baseline(
        points, np.array([0]), inpatient=Intervals.build([0], [-10 * DAY * hour], [DAY * hour]),
        age=np.array([44]), sex=np.array([sex], dtype=object), kidney=rules, chronic=np.array([chronic]),
    )  # fmt: skip


OUTSIDE = {200.0: 0.9, 100.0: 0.7, 50.0: 0.8}
INSIDE = {5.0: 1.4, 2.0: 1.2}


@pytest.mark.parametrize(
    ("ways", "draws", "way", "mg_dl"),
    [
        (("outpatient_median",), OUTSIDE | INSIDE, "outpatient_median", 0.8),
        (("minimum_before_onset", "outpatient_median"), OUTSIDE | INSIDE, "minimum_before_onset", 1.2),
        (("minimum_before_onset", "outpatient_median"), OUTSIDE, "outpatient_median", 0.8),
        (("back_calculated", "outpatient_median"), OUTSIDE | INSIDE, "back_calculated", ASSUMED),
        (("outpatient_median", "back_calculated"), INSIDE, "back_calculated", ASSUMED),
        (("rolling_minimum",), OUTSIDE | INSIDE, "rolling_minimum", None),
        (("outpatient_median", "rolling_minimum"), INSIDE, "rolling_minimum", None),
        (("outpatient_median",), INSIDE, "not known", None),
        (("outpatient_median", "minimum_before_onset"), {}, "not known", None),
    ],
)  # fmt: skip
def test_the_first_way_that_gives_one_counts(
    ways: tuple[str, ...], draws: dict[float, float], way: str, mg_dl: float | None
) -> None:
    """Each way first, and each where the ones before it give nothing."""
    one = found(*ways, draws=draws)
    assert one.way.tolist() == [way]
    assert [None if np.isnan(each) else each for each in one.mg_dl.tolist()] == [mg_dl]


@pytest.mark.parametrize(("chronic", "sex"), [(True, "F"), (False, "")])
def test_nothing_is_assumed_in_chronic_kidney_disease_nor_without_a_sex(
    chronic: bool, sex: str
) -> None:
    """The next way is asked; where there is none, nobody knows, and the words say why."""
    one = found("back_calculated", draws={}, chronic=chronic, sex=sex)
    assert one.way.tolist() == ["not known"]
    assert ("chronic kidney disease" in one.label[0]) == chronic
    later = found("back_calculated", "minimum_before_onset", draws=INSIDE, chronic=chronic, sex=sex)
    assert later.way.tolist() == ["minimum_before_onset"]


def ordered(*ways: str) -> Protocol:
    rules = protocol.load("hyperinflammation")
    kidney = msgspec.structs.replace(rules.kidney, baseline=ways)
    return msgspec.structs.replace(rules, kidney=kidney)


def storm(name: str, *rows: Row) -> tuple[Row, ...]:
    index = (lab("ferritin", 9000, 0), lab("temperature", 39.5, 0))
    return patient(name, *index, stay(-40, 700), *rows, sex="F", age=44)


PEOPLE = (
    *storm("P", lab("creatinine", 2.4, -20), lab("creatinine", 2.4, 30)),
    *storm("Q", lab("creatinine", 0.8, -2000), lab("creatinine", 2.4, -20)),
)


def test_the_way_of_each_person_is_written() -> None:
    """By the outpatient median alone, somebody without outpatient values has no baseline: empty, and said."""
    rows = measured(ordered("outpatient_median"), *PEOPLE, only="kidney")
    first, second = sorted(rows, key=lambda row: str(row["person_id"]))
    assert (first["baseline_way"], second["baseline_way"]) == ("not known", "outpatient_median")
    assert (first["baseline_from"], second["baseline_mg_dl"]) == ("baseline not known", 0.8)
    assert np.isnan(first["baseline_mg_dl"])
    assert (first["stage_after"], second["stage_before"]) == (0, 3)


def test_without_any_reference_there_is_no_stage() -> None:
    """One creatinine, no baseline: not stage 0 but unmeasured. By a back-calculated one it is stage 2."""
    alone = storm("P", lab("creatinine", 2.4, -20))
    [row] = measured(ordered("outpatient_median"), *alone, only="kidney")
    assert (row["stage_before"], row["status"]) == (-1, "not known")
    [row] = measured(ordered("back_calculated"), *alone, only="kidney")
    assert (row["stage_before"], row["baseline_way"]) == (2, "back_calculated")


def test_with_the_rolling_minimum_only_the_days_before_each_draw_decide() -> None:
    """An outpatient value of 0.8 is not read; 1.0 to 2.4 within a week is stage 2."""
    rows = storm("P", *(lab("creatinine", v, h) for h, v in ((-2000, 0.8), (-30, 1.0), (20, 2.4))))
    [row] = measured(ordered("rolling_minimum"), *rows, only="kidney")
    assert (row["stage_before"], row["stage_after"], row["baseline_way"]) == (-1, 2, "rolling_minimum")  # fmt: skip
    draws = measured(ordered("rolling_minimum"), *rows, only="kidney_stages")
    assert [draw["stage_by"] for draw in draws] == ["lowest of the 7d"]
