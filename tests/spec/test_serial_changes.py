"""What rises and what falls in a storm, over 24 and 48 hours: features, not a score."""

import math

import numpy as np
import pytest

from becalm.core.clock import Length
from becalm.definitions import (
    Modifiers,
    Moments,
    evaluate,
    features,
    features_at,
    load,
    serial_changes,
)
from becalm.definitions.model import Change
from becalm.definitions.serial_changes import multiples
from tests.records.pictures import named, points_of
from tests.spec.scoring import Row, chart, over_time, people, us


def looked_at(table: str, hour: float, modifiers: Modifiers | None = None) -> dict[str, Row]:
    found = features(
        chart(table),
        people(),
        np.array([us(hour)]),
        modifiers=modifiers or {},
        source_row=named,
    )
    return {row["item"]: row for row in found.rows()}


def test_a_value_is_a_multiple_of_the_one_a_day_before() -> None:
    """Ferritin of 6,000 is 2.4 times the 2,500 that was in force 24 h earlier, and the feature names both rows. Over 48 h nothing was in force, and the feature is not assessed."""
    found = looked_at("hour | ferritin\n 0 | 2500\n 12 | 4000\n 30 | 6000", 31)
    day, two = found["ferritin_24h"], found["ferritin_48h"]
    assert (day["value"], day["state"], day["unit"]) == (2.4, "met", "")
    assert day["source_row"] == "ferritin:3|ferritin:1"
    assert math.isnan(two["value"])
    assert two["state"] == "not assessed"


def test_what_should_rise_and_what_should_fall() -> None:
    """CRP, ferritin, LDH, transaminases, bilirubin, D-dimer and clotting times are met when they rose; counts, fibrinogen and ESR when they fell; unchanged is neither."""
    table = "hour | {0}\n 0 | 100\n 24 | {1}"
    for item in serial_changes().items:
        if item.change is None or not item.name.endswith("_24h"):
            continue
        rises = item.above == 1
        states = [
            looked_at(table.format(item.variable, value), 24)[item.name]["state"]
            for value in (150, 100, 50)
        ]
        assert states == (["met", "not met", "not met"] if rises else ["not met", "not met", "met"])
    names = {item.variable for item in serial_changes().items if item.below == 1}
    assert {"platelets", "fibrinogen", "haemoglobin", "esr"} <= names


def test_a_falling_esr_with_a_high_crp() -> None:
    """The ESR falls because fibrinogen is used up, while inflammation goes on: an ESR below its highest of the 48 h before, with a CRP above 50 mg/L. One of them alone is not it."""
    table = "hour | esr | crp\n 0 | 90 | 180\n 40 | {0} | {1}"
    states = {
        case: looked_at(table.format(*case), 41)["esr_falls_with_high_crp"]["state"]
        for case in ((30, 160), (95, 160), (30, 20), (30, ""))
    }
    assert states == {
        (30, 160): "met",
        (95, 160): "not met",
        (30, 20): "not met",
        (30, ""): "not assessed",
    }


def test_numbers_that_were_published_for_ferritin() -> None:
    """More than doubled within 48 h, and down by less than 15 % after three days."""
    found = looked_at("hour | ferritin\n 0 | 2000\n 40 | 4000", 41)
    assert found["ferritin_doubles"]["state"] == "not met"
    found = looked_at("hour | ferritin\n 0 | 2000\n 40 | 4001", 41)
    assert found["ferritin_doubles"]["state"] == "met"
    for value, state in ((8500, "not met"), (8501, "met")):
        found = looked_at(f"hour | ferritin\n 0 | 10000\n 72 | {value}", 73)
        assert found["ferritin_stays"]["state"] == state


def test_nothing_is_added_up() -> None:
    """Every feature is marked as not compared with the paper, or has its own source, and there is no total to report."""
    definition = serial_changes()
    assert all(item.source for item in definition.items)
    assert definition.population.endswith("not a score")


def test_a_multiple_is_rounded_before_it_is_compared() -> None:
    """0.3 over 0.1 is 3 on paper and less in binary; multiples are rounded to 9 decimals."""
    now, _ = multiples(points_of("hour | crp\n 0 | 0.1\n 5 | 0.3"), Change(within=Length("24h")))
    assert now.low.tolist() == [3.0]


@pytest.mark.parametrize(("against", "value"), [("lowest", 4.0), ("highest", 0.5), ("then", 2.0)])
def test_what_a_draw_is_compared_with(against: str, value: float) -> None:
    """Draws of 100, 25 and 200, then 100... of the 24 h before the last, or the one in force 24 h before it."""
    table = "hour | crp\n 0 | 50\n 10 | 25\n 20 | 200\n 24 | 100"
    change = Change(within=Length("24h"), against=against, held=Length("48h"))  # type: ignore[arg-type]
    now, earlier = multiples(points_of(table), change)
    assert now.low[-1] == value
    assert earlier.row[-1] == {"lowest": 2, "highest": 3, "then": 1}[against]


def test_a_result_that_comes_back_late_is_no_change_of_its_own() -> None:
    """Drawn at hour 1 and reported at hour 12, after the draw of hour 6: it was never the value in force, and nothing fell."""
    points = points_of("hour | drawn | crp\n 7 | 6 | 200\n 12 | 1 | 50\n 20 | 18 | 300")
    now, _ = multiples(points, Change(within=Length("24h")))
    assert now.low.tolist() == [6.0]  # 300 over 50, once both are known
    assert now.time.tolist() == [us(20)]


def test_a_study_tells_them_at_the_moments_of_its_first_definition() -> None:
    """Ferritin of 600, 3,000 and 1,500 a day apart: at the peak of HScore it is 5 times that of the day before, at the index half of it."""
    evaluation = over_time("hscore", "hour | ferritin\n 0 | 600\n 24 | 3000\n 48 | 1500")
    found = features_at(
        evaluation,
        people(),
        Moments(np.array([us(49)]), Length("14d").us),
        modifiers={},
        source_row=named,
        who=np.array([True]),
    )
    rows = {(row["moment"], row["feature"]): row for row in found.rows()}
    peak, index = rows["peak_to_index", "ferritin_24h"], rows["index", "ferritin_24h"]
    assert (peak["value"], peak["state"], peak["peak_of"]) == (5, "met", "hscore")
    assert (index["value"], index["state"], index["peak_of"]) == (0.5, "not met", "")
    assert (peak["moment_time"], index["moment_time"]) == (us(24), us(49))
    assert peak["source_row"] == "ferritin:2|ferritin:1"
    assert rows["index", "esr_falls_with_high_crp"]["state"] == "not assessed"
    units = (peak["unit"], rows["index", "esr_falls_with_high_crp.crp"]["unit"])
    assert units == ("", "mg/L")  # a multiple has none, a plain value has its own


def test_only_the_persons_asked_about_have_rows() -> None:
    """Of two persons with the same values the one outside the cohort has none."""
    table = "hour | person | ferritin\n 0 | 0 | 600\n 24 | 0 | 3000\n 0 | 1 | 600\n 24 | 1 | 3000"
    found = features_at(
        evaluate(load("hscore"), chart(table, persons=2)),
        people(ages=(44, 44), underlying=("", ""), ids=("P1", "P2")),
        Moments(np.array([us(24), us(24)]), Length("14d").us),
        modifiers={},
        source_row=named,
        who=np.array([False, True]),
    )
    assert set(found["person_id"]) == {"P2"}
    mine = [row for row in found.rows() if row["feature"] == "ferritin_24h"]
    assert {row["value"] for row in mine} == {5}
