"""Steps up of an infusion, what was worse before each, and how it was taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm.core.frame import Frame
from becalm.doses import EpisodeRules, treatments
from becalm.measures.escalations import courses_of, escalations
from becalm.tables import COURSES, ESCALATIONS
from becalm.timeline import Intervals
from tests.records import at
from tests.spec.patients import Row, patients

ONE_STEP = """
    start | end | drug     | mg_h
    0     | 30  | anakinra | 25
    30    | 60  | anakinra | 50
"""


def steps_of(
    doses: str = ONE_STEP, labs: str = "", *, replaced: Intervals | None = None, **known: Any
) -> list[Row]:
    found = patients(labs, doses=doses, **{"weight_kg": 50.0, **known})
    courses = treatments(found.doses, ["anakinra"], EpisodeRules.of(found.protocol))
    table = escalations(
        found.cohort, found.events, found.doses, found.protocol, courses, replacement=replaced
    )
    assert list(table.columns) == list(ESCALATIONS)
    return list(table.rows())


def course_of(doses: str, drugs: tuple[str, ...] = ("anakinra",)) -> Row:
    found = patients(doses=doses, weight_kg=50.0)
    courses = treatments(found.doses, drugs, EpisodeRules.of(found.protocol))
    table: Frame = courses_of(found.cohort, found.doses, drugs, found.protocol, courses)
    assert list(table.columns) == list(COURSES)
    [row] = table.rows()
    return row


def test_a_step_has_its_size_its_time_and_its_rate_per_kg() -> None:
    """A step up is told with the rates before and after, per kg where a weight is known, and its hour."""
    [step] = steps_of()
    assert (step["from_rate"], step["to_rate"], step["to_rate_per_kg"]) == (25, 50, 1)
    assert (step["step_in_episode"], step["hours_from_t0"], step["hours_since_last"]) == (1, 30, 30)
    assert step["weight_used"] == 50
    assert np.isnan(step["crcl_ml_min"])


def test_steps_of_a_course_are_numbered() -> None:
    """Steps are numbered within a course."""
    doses = ONE_STEP + "    60   | 90    | anakinra | 100\n"
    assert [(s["step_in_episode"], s["to_rate"]) for s in steps_of(doses)] == [(1, 50), (2, 100)]


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("9000", "9001", True),
        ("9000", "9000", False),
        ("9000", "4000", False),
        (">9000", "9500", None),
        ("9000", ">9000", True),
        ("", "9000", None),
        ("9000", "", None),
    ],
)
def test_ferritin_got_worse_when_it_rose_in_the_24_hours_before(
    before: str, after: str, worse: bool | None
) -> None:
    """The newest value against the one in force 24 h before the step, which was at 6 h."""
    labs = f"hour | ferritin | ast\n2 | {before} | {before}\n29 | {after} | {after}"
    [step] = steps_of(labs=labs)
    assert step["ferritin"] is worse
    assert step["ast"] is worse


def test_a_value_too_old_is_no_beginning() -> None:
    """Ferritin stands for 72 h: at 6 h nothing older than -66 h is in force."""
    labs = "hour | ferritin\n{} | 4000\n29 | 9000"
    assert steps_of(labs=labs.format(-67))[0]["ferritin"] is None
    assert steps_of(labs=labs.format(-66))[0]["ferritin"] is True


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("38.5", "39.0", True),
        ("39.0", "38.5", False),
        ("36.5", "37.9", False),
        ("", "37.9", False),
        ("", "39.0", None),
        ("38.5", "", None),
    ],
)
def test_temperature_got_worse_when_a_fever_peaked_higher(
    before: str, after: str, worse: bool | None
) -> None:
    """Temperature got worse when the highest of the 24 h before the step was a fever above the highest of the 24 h before those."""
    labs = f"hour | temperature\n2 | {before}\n20 | {after}"
    assert steps_of(labs=labs)[0]["temperature"] is worse


PRESSOR = "    {} | {} | norepinephrine | {}\n"


@pytest.mark.parametrize(
    ("rows", "worse"),
    [
        ([], False),
        ([(10, 40, 0.3)], True),  # begun
        ([(0, 40, 0.3)], False),  # as before
        ([(0, 10, 0.6), (10, 40, 0.3)], False),  # less
        ([(0, 10, 0.3), (10, 11, 0.6), (11, 40, 0.3)], True),  # more, for an hour
        ([(31, 40, 0.3)], False),  # after the step
    ],
)
def test_a_vasopressor_got_worse_when_more_was_needed(
    rows: list[tuple[float, float, float]], worse: bool
) -> None:
    """Vasopressors got worse when more was needed at the most of the 24 h before the step than at their beginning."""
    doses = ONE_STEP + "".join(PRESSOR.format(*row) for row in rows)
    assert steps_of(doses)[0]["vasopressor"] is worse


def test_a_vasopressor_without_a_weight_is_not_known() -> None:
    """A rate per kg cannot be told without a weight."""
    doses = ONE_STEP + PRESSOR.format(10, 40, 0.3)
    assert steps_of(doses, weight_kg=None)[0]["vasopressor"] is None


def test_renal_replacement_stands_beside_a_step() -> None:
    """Whether renal replacement was running at the step; not known where no procedure is recorded."""
    running = Intervals.build([0], [at(20)], [at(31)])
    assert steps_of(replaced=running)[0]["rrt"] is True
    assert steps_of(replaced=Intervals.empty())[0]["rrt"] is False
    assert steps_of()[0]["rrt"] is None


def test_a_course_from_syringe_to_infusion_and_back() -> None:
    """SC, then 25, 50, 100 mg/h, a taper over 24 h, and SC again."""
    row = course_of(
        """
        start | end | drug     | route | mg  | mg_h
        0     |     | anakinra | SC    | 100 |
        10    | 20  | anakinra | IV    |     | 25
        20    | 30  | anakinra | IV    |     | 50
        30    | 60  | anakinra | IV    |     | 100
        60    | 72  | anakinra | IV    |     | 50
        72    | 84  | anakinra | IV    |     | 25
        100   |     | anakinra | SC    | 100 |
        """
    )
    assert row["modes"] == "SC > continuous IV > SC"
    assert (row["ceiling_per_day"], row["hours_to_ceiling"]) == (2400, 30)
    assert (row["hours_at_ceiling"], row["taper_hours"]) == (30, 24)
    assert (row["steps_up"], row["steps_down"]) == (2, 2)


def test_a_step_down_is_told_as_a_step_up_is() -> None:
    """Each fall of a taper with its rates, its hour and the time since the fall before; a fall that would be no step up on the way back is none, and neither is a pause."""
    taper = """
        start | end | drug     | mg_h
        0     | 24  | anakinra | 100
        24    | 36  | anakinra | 50
        36    | 37  | anakinra | 0
        37    | 48  | anakinra | 50
        48    | 60  | anakinra | 47
        60    | 72  | anakinra | 25
    """
    down = [s for s in steps_of(taper) if s["direction"] == "down"]
    assert [
        (s["step_in_episode"], s["from_rate"], s["to_rate"], s["hours_from_t0"]) for s in down
    ] == [
        (1, 100, 50, 24),
        (2, 50, 25, 60),
    ]
    assert [s["hours_since_last"] for s in down] == [24, 36]
    assert [s for s in steps_of(taper) if s["direction"] == "up"] == []
    assert course_of(taper)["steps_down"] == 2


def test_pauses_and_switches_of_a_course_are_counted() -> None:
    """A rate of 0 and a gap of up to six hours are pauses; SC, infusion and SC again are two switches, and a route nobody wrote down is named so."""
    row = course_of(
        """
        start | end | drug     | route | mg  | mg_h
        0     |     | anakinra | SC    | 100 |
        6     | 12  | anakinra | IV    |     | 25
        12    | 13  | anakinra | IV    |     | 0
        13    | 20  | anakinra | IV    |     | 25
        24    | 30  | anakinra | IV    |     | 25
        40    |     | anakinra | SC    | 100 |
        """
    )
    assert (row["pauses"], row["paused_hours"], row["switches"]) == (2, 5, 2)
    assert row["modes"] == "SC > continuous IV > SC"


def test_an_episode_says_how_often_and_how_long_it_paused() -> None:
    """Pauses of an episode are counted with it; an injection has none to count."""
    found = patients(
        doses="""
        start | end | drug     | route | mg  | mg_h
        0     |     | anakinra | SC    | 100 |
        6     | 12  | anakinra | IV    |     | 25
        15    | 20  | anakinra | IV    |     | 25
        """
    )
    episodes = treatments(found.doses, ["anakinra"], EpisodeRules.of(found.protocol)).episodes
    told = {e["mode"]: (e["pauses"], e["paused_hours"]) for e in episodes.rows()}
    assert told["continuous IV"] == (1, 3)
    assert told["SC"][0] == -1
    assert np.isnan(told["SC"][1])


def test_an_infusion_stopped_at_its_ceiling_has_no_taper() -> None:
    """An infusion that ends at its highest rate was not tapered."""
    row = course_of(ONE_STEP)
    assert (row["taper_hours"], row["steps_down"], row["hours_at_ceiling"]) == (0, 0, 30)


def test_without_a_continuous_infusion_there_is_no_ceiling() -> None:
    """Injections have no rate and no ceiling."""
    row = course_of("start | drug | route | mg\n0 | anakinra | SC | 100")
    assert row["modes"] == "SC"
    assert np.isnan(row["ceiling_per_day"])
    assert row["steps_up"] == -1


def test_any_drug_has_steps() -> None:
    """Methylprednisolone works as anakinra does."""
    row = course_of(ONE_STEP.replace("anakinra", "methylprednisolone"), ("methylprednisolone",))
    assert row["ceiling_per_day"] == 1200
