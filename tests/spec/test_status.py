"""What a definition's result means: met, not met or undetermined, since when, and resting on what."""

import numpy as np
import pytest

from becalm.core.clock import HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.definitions import Inputs, Moments, criteria, evaluate, load, parse
from becalm.measures.look_backs import look_backs
from becalm.tables import CRITERIA, CRITERIA_ITEMS
from becalm.timeline import Points, Timeline
from tests.records import Row, at, chunk, lab
from tests.records.pictures import numbered
from tests.spec.scoring import chart, hours, over_time, people, reported, us

# Two items, so that every total can be followed by eye: ferritin 10 points, fever 5; met from 10.
SMALL = parse(
    """
    name = "small"
    title = "Two items"
    cite = "10.1000/none"
    population = "nobody"
    cut_off = 10
    cut_off_source = "made up"
    [[item]]
    variable = "ferritin"
    unit = "ng/mL"
    take = "max"
    within = "72h"
    at_least = 1000
    points = 10
    [[item]]
    variable = "temperature"
    unit = "°C"
    take = "max"
    within = "24h"
    at_least = 38
    points = 5
    """,
    "small.toml",
)


def test_three_states_of_a_definition() -> None:
    """Met when the lowest possible total reaches the cut-off, not met when even the highest does not, undetermined when what is missing decides."""
    evaluation = over_time(
        SMALL,
        """
        hour | ferritin | temperature
        0    |          | 39
        5    | 500      |
        10   | 2000     |
        """,
    )
    statuses = {}
    for hour in (0, 5, 10, 82):
        totals, _ = reported(evaluation, index=hour)
        statuses[hour] = totals["index"]["status"]
    assert statuses == {0: "undetermined", 5: "not met", 10: "met", 82: "undetermined"}


def test_first_met_and_first_possible_are_moments_in_the_window() -> None:
    """First met is when the lowest total reaches the cut-off, first possible when the highest does; before anything is known nothing has begun."""
    evaluation = over_time(
        SMALL,
        """
        hour | ferritin | temperature
        0    | 500      | 37
        72   |          | 37
        80   | 2000     |
        """,
    )
    totals, _ = reported(evaluation, index=100)
    row = totals["peak_ever"]
    assert (hours(row["first_possible"]), hours(row["first_met"])) == (72, 80)
    never, _ = reported(over_time(SMALL, "hour | ferritin\n 0 | 500"), index=1)
    assert hours(never["peak_ever"]["first_met"]) is None
    assert hours(never["peak_ever"]["first_possible"]) is None


def test_a_peak_to_index_looks_back_and_never_ahead() -> None:
    """The window is [index − look-back, index], both ends included; what came later belongs to the peak ever."""
    evaluation = over_time(
        SMALL,
        """
        hour | ferritin | temperature
        0    | 2000     |
        400  |          | 39
        401  | 2000     |
        """,
    )
    before, _ = reported(evaluation, index=400, look_back="10d")
    assert (hours(before["peak_to_index"]["time"]), before["peak_to_index"]["low"]) == (400, 5)
    at, _ = reported(evaluation, index=401, look_back="10d")
    assert (hours(at["peak_to_index"]["time"]), at["peak_to_index"]["low"]) == (401, 15)
    assert hours(at["peak_to_index"]["first_met"]) == 401
    assert hours(at["peak_ever"]["first_met"]) == 0
    reaching, _ = reported(evaluation, index=82, look_back="80h")
    assert (hours(reaching["peak_to_index"]["time"]), reaching["peak_to_index"]["low"]) == (2, 10)


def test_held_hours_count_only_what_is_certain() -> None:
    """A definition is held while its lowest total reaches the cut-off; when the value that carried it expires, it is no longer held, though still possible."""
    evaluation = over_time(SMALL, "hour | ferritin\n 0 | 2000\n 100 | 2000")
    totals, _ = reported(evaluation, index=110)
    assert totals["peak_ever"]["held_hours"] == 144
    assert abs(totals["index"]["held_hours"] - 82) < 1e-6


def test_persons_without_an_index_have_a_peak_and_nothing_else() -> None:
    """Who never reached an index hour is still described by the highest total ever."""
    totals, _ = reported(over_time(SMALL, "hour | ferritin\n 0 | 2000"))
    assert list(totals) == ["peak_ever"]


def test_somebody_without_any_value_keeps_a_row() -> None:
    """Nobody is dropped in silence: nothing measured is everything possible, undetermined, none of the items assessed, and no time."""
    totals, items = reported(over_time("hscore", "hour | crp\n 0 | 5"), index=10)
    row = totals["peak_ever"]
    assert (row["low"], row["high"], row["status"]) == (0, 337, "undetermined")
    assert row["time"] == UNKNOWN_TIME
    assert (row["items_assessed"], row["items_total"]) == (0, 9)
    assert row["probability"] == "<1–>99 %"
    assert hours(totals["index"]["time"]) == 10
    assert {each["state"] for each in items.values()} == {"not assessed"}


def test_three_states_of_an_item() -> None:
    """An item is met when it scores for certain, not met when it certainly does not, and not assessed when that is open: not measured, or cut off on the wrong side of the edge."""
    states = {}
    for written in ("2000", "500", "<5000", ">15000", ""):
        evaluation = over_time(SMALL, f"hour | ferritin | temperature\n 0 | {written} | 37")
        _, items = reported(evaluation, index=0)
        states[written] = items["index", "ferritin"]["state"]
    assert states == {
        "2000": "met",
        "500": "not met",
        "<5000": "not assessed",
        ">15000": "met",
        "": "not assessed",
    }


def test_every_item_names_the_row_behind_it() -> None:
    """An item shows the value it rests on, its unit, when it was drawn, the sign of a censored result, and the row it came from."""
    evaluation = over_time(
        "hscore",
        """
        hour | ferritin | platelets | haemoglobin | wbc
        0    | >15000   | 90        | 8.0         | 9.0
        10   | 900      | 60        |             |
        """,
    )
    _, items = reported(evaluation, index=20)
    ferritin = items["index", "ferritin"]
    assert (ferritin["value"], ferritin["censored"], ferritin["unit"]) == (15000, "value>", "ng/mL")
    assert (hours(ferritin["time"]), ferritin["source_row"]) == (0, "ferritin:1")
    platelets = items["index", "cytopenias.platelets"]
    assert (platelets["value"], platelets["state"]) == (60, "met")
    assert (hours(platelets["time"]), platelets["source_row"]) == (10, "platelets:2")
    assert np.isnan(platelets["points_low"])
    count = items["index", "cytopenias"]
    assert (count["value"], count["points_low"], count["state"]) == (2, 24, "met")
    assert count["source_row"] == "haemoglobin:1|wbc:1|platelets:2"
    assert items["index", "ast"]["source_row"] == ""
    assert items["index", "ast"]["time"] == UNKNOWN_TIME


def test_two_different_results_of_one_instant_are_a_range() -> None:
    """A conflict is shown by the bound that the item looks for, marked as no more than a bound."""
    evaluation = over_time(SMALL, "hour | ferritin\n 0 | 800\n 0 | 1200")
    totals, items = reported(evaluation, index=1)
    assert (totals["index"]["low"], totals["index"]["high"]) == (0, 15)
    row = items["index", "ferritin"]
    assert (row["value"], row["censored"], row["state"]) == (1200, "value<=", "not assessed")


def test_on_the_available_clock_a_result_counts_from_when_it_was_known() -> None:
    """Drawn at hour 0 and reported at hour 7: a screen knows it from hour 7, and the row says when it was drawn."""
    evaluation = over_time(
        SMALL,
        """
        hour | drawn | ferritin
        7    | 0     | 2000
        """,
        clock="available",
    )
    totals, items = reported(evaluation, index=8)
    assert (totals["index"]["clock"], hours(totals["index"]["first_met"])) == ("available", 7)
    assert hours(items["index", "ferritin"]["time"]) == 0


def test_look_backs_in_common_are_worked_out_once() -> None:
    """Definitions that look back alike share the work; ferritin over 72 h serves all three."""
    inputs = chart("hour | ferritin | temperature\n 0 | 9000 | 39")
    for name in ("hscore", "hlh2004", "mas2016"):
        assert evaluate(load(name), inputs).at([0], [us(1)])[0][0] >= 0
    ferritin = [key for key in inputs._cache if key[0] == "ferritin"]
    assert ferritin == [("ferritin", "max", "72h")]


def test_many_persons_are_told_apart() -> None:
    """Each person has their own totals, and whoever was not asked for has no rows."""
    values: dict[str, Points | Timeline] = {
        "ferritin": Points.build([0, 2], [0, HOUR], [2000.0, 500.0]),
        "temperature": Timeline.build([2], [0], [9 * HOUR], [39.0]),
    }
    evaluation = evaluate(SMALL, Inputs(values, "drawn", 4))
    frame, items = criteria(
        evaluation,
        people([40, 50, 60, 70], ["", "", "", ""], ["a", "b", "c", "d"]),
        Moments(np.array([2 * HOUR, UNKNOWN_TIME, 2 * HOUR, 0]), Length("14d").us),
        modifiers={},
        source_row=numbered,
        who=np.array([True, True, True, False]),
    )
    assert tuple(frame.columns) == tuple(CRITERIA)
    assert tuple(items.columns) == tuple(CRITERIA_ITEMS)
    found = {
        (r["person_id"], r["moment"]): (r["low"], r["high"], r["status"]) for r in frame.rows()
    }
    assert found == {
        ("a", "index"): (10, 15, "met"),
        ("a", "peak_to_index"): (10, 15, "met"),
        ("a", "peak_ever"): (10, 15, "met"),
        ("b", "peak_ever"): (0, 15, "undetermined"),
        ("c", "index"): (5, 5, "not met"),
        ("c", "peak_to_index"): (5, 15, "undetermined"),
        ("c", "peak_ever"): (5, 15, "undetermined"),
    }


def test_half_and_twice_the_look_backs_stand_beside_what_a_definition_says() -> None:
    """Ferritin forty hours before the index: with half its look-back it is no longer known and the definition undetermined; with twice it still is, and the definition met."""
    table = "hour | ferritin | temperature\n 0 | 5000 | \n 30 | | 38.5"
    evaluation = over_time(SMALL, table)
    cohort = Frame({"person": np.array([0], np.int32), "person_id": np.array(["a"], object)})
    moments = Moments(np.array([us(40)]), Length("14d").us)
    found = look_backs(cohort, evaluation.inputs, [evaluation.definition], moments, "index")
    said = {row["factor"]: (row["low"], row["high"], row["status"]) for row in found.rows()}
    assert said == {0.5: (5, 15, "undetermined"), 2.0: (15, 15, "met")}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "never measured"),
        ([lab("triglycerides", 3.0, -40 * 24)], "too old (2019-11-22)"),
        ([lab("triglycerides", "hemolysed", -40 * 24)], "refused (not a number, 2019-11-22)"),
        (
            [lab("triglycerides", 3.0, -40 * 24), lab("triglycerides", "hemolysed", -24)],
            "refused (not a number, 2019-12-31)",
        ),
        (
            [lab("triglycerides", "hemolysed", -50 * 24), lab("triglycerides", 3.0, -40 * 24)],
            "too old (2019-11-22)",
        ),
        ([lab("triglycerides", 3.0, 48)], "measured only later (2020-01-03)"),
        ([lab("triglycerides", "<9", -1)], "known only as a limit or in part"),
        ([lab("triglycerides", 3.0, -1)], ""),
    ],
)
def test_an_item_that_is_not_assessed_says_why(rows: list[Row], reason: str) -> None:
    """Nobody has measured it, or not lately, or what was measured could not be used."""
    patients = chunk(lab("ferritin", 9850, 0), *rows)
    evaluation = evaluate(load("hscore"), patients.inputs("drawn"))
    _, items = criteria(
        evaluation,
        people(),
        Moments(np.array([at(0)]), Length("14d").us),
        modifiers={},
        source_row=numbered,
        refused=patients.events.rejected_rows,
    )
    said = {row["item"]: row["reason"] for row in items.rows() if row["moment"] == "index"}
    assert (said["triglycerides"], said["ferritin"]) == (reason, "")
    assert said["cytopenias"] == "|".join(
        f"{name}: never measured" for name in ("haemoglobin", "wbc", "platelets")
    )
