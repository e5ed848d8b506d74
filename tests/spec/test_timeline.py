"""What is known when: the thirteen rules on which every score, dose and response rests."""

import math

import numpy as np
import pytest

from becalm.core.arrays import Pair
from becalm.core.clock import DAY, HOUR
from becalm.timeline import (
    Cumulative,
    Intervals,
    Points,
    Timeline,
    axis,
    combine,
    difference,
    either,
    overlay,
    ratio,
    rounded,
)
from tests.records.pictures import points_of, timeline_of, us
from tests.spec.conftest import Spec


def test_a_value_is_true_from_its_moment_until_just_before_its_end(spec: Spec) -> None:
    """A laboratory value counts from the moment of the draw; at the moment of the next draw only the next one counts."""
    spec(
        """
        hour | ferritin
        10   | 9000
        20   | 1200
        """,
        at={9: None, 10: 9000, 19.999: 9000, 20: 1200},
    )


def test_a_result_cannot_be_changed_once_read() -> None:
    """What was read from the records cannot be altered afterwards by anything that uses it."""
    ferritin = points_of("""
        hour | ferritin
        0    | 9000
    """)
    for array in (ferritin.low, ferritin.time, ferritin.hold(DAY).low, ferritin.hold(DAY).start):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_lab_holds_until_it_expires(spec: Spec) -> None:
    """A ferritin stays known for 72 h, then it is unknown, not low."""
    spec(
        """
        hour | ferritin
        0    | 9000
        100  | 1200
        """,
        at={71: 9000, 72: None, 73: None, 100: 1200},
    )


def test_nothing_measured_is_unknown_and_not_an_error(spec: Spec) -> None:
    """A variable that was never measured is unknown at every hour; that is an ordinary finding."""
    ferritin = spec(
        """
        hour | ferritin | triglycerides
        0    | 9000     |
        """,
        variable="triglycerides",
        at={0: None, 24: None},
    )
    assert len(ferritin) == 0
    assert len(ferritin.where(lambda low, high: high > 0)) == 0


def test_a_value_that_is_no_number_is_refused() -> None:
    """A result that is not a number is refused, with its position, and never carried as a blank."""
    with pytest.raises(ValueError, match="NaN at position 1"):
        Points.build([0, 0], [0, HOUR], [9000, math.nan])


def test_rows_out_of_order_are_refused() -> None:
    """Rows that are not sorted by person and time are refused, with the place where the order breaks."""
    with pytest.raises(ValueError, match=r"position 1 \(person 0\) is out of order"):
        Points(
            person=np.array([0, 0], np.int32),
            time=np.array([HOUR, 0]),
            low=np.array([1.0, 2.0]),
            high=np.array([1.0, 2.0]),
            row=np.array([0, 1]),
        )


def test_a_result_above_the_measuring_range_has_no_upper_bound(spec: Spec) -> None:
    """A ferritin of >15000 is certainly above 15,000 and may be anything more; <30 is somewhere from zero to just below 30."""
    ferritin = spec(
        """
        hour | ferritin
        0    | >15000
        10   | <30
        20   | >=40000
        """,
        at={0: ">15000", 10: "<30", 20: (40000, math.inf)},
    )
    assert len(ferritin.where(lambda low, high: low > 15000).person) == 2
    possible_but_not_certain = ferritin.where(lambda low, high: (low < 20) & (high >= 20))
    assert possible_but_not_certain.start.tolist() == [us(10)]


def test_an_exact_value_has_one_bound() -> None:
    """A plain number is lowest and highest possible value at once."""
    ferritin = points_of("""
        hour | ferritin
        0    | 9000
    """)
    assert ferritin.low is ferritin.high
    held = ferritin.hold(DAY)
    assert held.low is held.high


def test_two_results_of_one_instant(spec: Spec) -> None:
    """The same result twice at one instant is one result; two different ones at one instant become the range between them, counted as a conflict."""
    table = """
        hour | platelets
        0    | 80
        0    | 80
        10   | 60
        10   | 90
        """
    counts = spec(table, at={0: 80, 10: (60, 90)})
    assert points_of(table).conflicts == 1
    assert counts.evidence(0, us(5)) == (1,)


def test_the_worst_value_leaves_when_it_is_too_old(spec: Spec) -> None:
    """The highest temperature of 24 h falls at exactly 24 h after the highest reading, to the next highest reading still inside."""
    spec(
        """
        hour | temperature
        0    | 39.5
        6    | 38.2
        12   | 37.1
        """,
        take="max",
        within="24h",
        at={0: 39.5, 12: 39.5, 23.999: 39.5, 24: 38.2, 30: 37.1, 36: None},
    )


def test_inclusive_windows_are_written_so(spec: Spec) -> None:
    """A guideline that says "within 48 h, inclusive" still counts a value exactly 48 h old; a look-back of 48 h does not."""
    table = """
        hour | neutrophils
        0    | 0.4
        """
    spec(table, take="min", within="<=48h", at={48: 0.4, 48.001: None})
    spec(table, take="min", within="48h", at={48: None})


def test_sums_and_counts_of_a_window(spec: Spec) -> None:
    """Urine of 24 h is the sum of what was passed in the last 24 h; its number of measurements is counted beside it; no measurement is unknown, not zero."""
    table = """
        hour | urine
        0    | 300
        8    | 200
        16   | 100
        """
    spec(table, take="sum", within="24h", at={0: 300, 8: 500, 16: 600, 24: 300, 40: None})
    spec(table, take="count", within="24h", at={16: 3, 24: 2, 40: None})


def test_worst_values_keep_both_bounds(spec: Spec) -> None:
    """The highest of ">15000" and 20000 is at least 20,000: the bounds are compared separately."""
    spec(
        """
        hour | ferritin
        0    | >15000
        10   | 20000
        """,
        take="max",
        at={0: ">15000", 10: (20000, math.inf), 72: 20000},
    )


def test_a_total_is_a_range_while_an_item_is_unknown(spec: Spec) -> None:
    """A score with an unmeasured item runs from its lowest to its highest possible total; where no item is known there is no score at all."""

    def total(ferritin: Pair, platelets: Pair) -> Pair:
        low = 50 * (ferritin[0] > 6000) + 24 * (platelets[1] < 110)
        return low, 50 * (ferritin[1] > 6000) + 24 * (platelets[0] < 110)

    table = """
        hour | ferritin | platelets
        0    | 9000     |
        10   |          | 90
        80   |          | 150
        """
    parts = [timeline_of(table, name) for name in ("ferritin", "platelets")]
    score = spec(
        combine(total, *parts), at={0: (50, 74), 10: 74, 72: (24, 74), 80: (0, 50), 152: None}
    )
    assert score.evidence(0, us(20)) == (1, 2)


def test_a_result_about_which_nothing_can_be_said_is_unknown(spec: Spec) -> None:
    """A sum of a known and an unknown part is unknown, exactly as if it had not been computed."""
    table = """
        hour | direct | indirect
        0    | 1      |
        10   |        | 2
        """
    parts = [timeline_of(table, name) for name in ("direct", "indirect")]
    spec(combine(lambda a, b: (a[0] + b[0], a[1] + b[1]), *parts), at={0: None, 10: 3, 72: None})
    spec(combine(either, *parts), at={0: 1, 10: 1, 72: 2})


def test_equal_neighbours_are_one_stretch() -> None:
    """Two equal results in a row are one unbroken stretch, so a fever that goes on is one fever."""
    temperature = timeline_of("""
        hour | temperature
        0    | 39
        8    | 39
    """)
    assert (temperature.start.tolist(), temperature.end.tolist()) == ([0], [us(80)])


def test_when_a_condition_holds_and_first_held() -> None:
    """A fever lasts while the last reading is 38 or more; its onset is the first such moment; a person without one is not listed."""
    temperature = timeline_of(
        """
        person | hour | temperature
        0      | 0    | 37
        0      | 4    | 38.4
        0      | 12   | 37.5
        0      | 20   | 39
        1      | 0    | 36.8
        """,
        within="8h",
    )
    fever = temperature.where(lambda low, high: low >= 38)
    assert fever.start.tolist() == [us(4), us(20)]
    assert fever.durations().tolist() == [8 * HOUR, 8 * HOUR]
    person, onset = temperature.first(lambda low, high: low >= 38)
    assert (person.tolist(), onset.tolist()) == ([0], [us(4)])


def test_a_fold_change_compares_with_the_value_of_then(spec: Spec) -> None:
    """A ferritin is compared with the one known 48 h earlier by moving that one 48 h later; where either is unknown so is the ratio."""
    ferritin = timeline_of("""
        hour | ferritin
        0    | 10000
        48   | 4000
    """)
    change = combine(ratio, ferritin, ferritin.shift(48 * HOUR))
    spec(change, at={0: None, 47: None, 48: 0.4, 72: 0.4, 96: 1, 120: None})
    assert change.evidence(0, us(50)) == (2, 1)


def test_short_gaps_join_episodes_but_are_not_filled(spec: Spec) -> None:
    """An infusion stopped for 2 h and restarted is one treatment episode; the rate during the gap stays what it was, unknown or none."""
    rate = overlay([0, 0, 0], [us(0), us(8), us(20)], [us(6), us(12), us(22)], [100, 100, 50])
    running = rate.where(lambda low, high: low > 0).bridge(2 * HOUR)
    assert running.start.tolist() == [us(0), us(20)]
    assert running.at_least(12 * HOUR).end.tolist() == [us(12)]
    assert len(running.longer_than(12 * HOUR)) == 0
    spec(rate, at={7: None, 8: 100})


def test_outside_a_window_nothing_is_known(spec: Spec) -> None:
    """Looking only at the stay in intensive care, a value from the ward before it counts from admission on and not after discharge."""
    ferritin = timeline_of("""
        hour | ferritin
        0    | 9000
    """)
    unit = Intervals.build([0], [us(10)], [us(20)])
    inside = spec(ferritin.clip(unit), at={9: None, 10: 9000, 20: None})
    assert inside.evidence(0, us(10)) == (1,)
    assert inside.evidence(0, us(20)) == ()


def test_hours_are_for_figures() -> None:
    """Hourly values are read off only to draw a figure, whose line breaks where nothing is known."""
    ferritin = timeline_of(
        """
        hour | ferritin
        1    | 9000
        """,
        within="1h",
    )
    time, low, high = ferritin.hours(0, 0, us(3))
    assert time.tolist() == [0, us(1), us(2)]
    np.testing.assert_array_equal(low, [np.nan, 9000, np.nan])
    np.testing.assert_array_equal(high, low)


def test_a_value_can_be_rewritten_unit_by_unit(spec: Spec) -> None:
    """A value in another unit is the same timeline with other numbers, and rests on the same rows."""
    celsius = timeline_of("""
        hour | temperature
        0    | 102.2
    """).map(lambda low, high: (rounded((low - 32) / 1.8), rounded((high - 32) / 1.8)))
    spec(celsius, at={0: 39})
    assert celsius.evidence(0, 0) == (1,)


def test_overlapping_rates_add_up_and_end(spec: Spec) -> None:
    """Two lines of one drug add up while both run; one alone is exactly its own rate; when the last stops there is no rate left, not even a trace of one."""
    rate = overlay(
        person=[0, 0, 0],
        start=[us(0), us(1), us(2)],
        end=[us(3), us(4), us(5)],
        rate=[0.1, 0.2, 0.3],
        row=[11, 12, 13],
    )
    spec(rate, at={0: 0.1, 1: 0.1 + 0.2, 4: 0.3, 5: None})
    assert rate.evidence(0, us(1)) == (11, 12)
    stopped = rate.where(lambda low, high: low > 0).end
    assert stopped.tolist() == [us(5)]


def test_a_written_pause_is_known_to_be_zero(spec: Spec) -> None:
    """A rate charted as 0 is a known pause; hours without any entry are unknown."""
    spec(overlay([0, 0], [us(0), us(2)], [us(2), us(3)], [100, 0]), at={1: 100, 2: 0, 3: None})


def test_the_dose_of_a_window_counts_the_bolus_at_its_end() -> None:
    """The amount of a window includes a bolus at the very moment it ends and not one at the very moment it starts, so windows laid end to end count every dose once."""
    given = Cumulative.build(
        overlay([0], [us(0)], [us(10)], [50]),
        Points.of_doses([0, 0, 0], [0, us(4), us(4)], [100, 20, 5]),
    )
    assert given.at(0, [us(-1), us(0), us(2), us(4), us(10), us(20)]).tolist() == [
        0, 100, 200, 325, 625, 625,
    ]  # fmt: skip
    assert given.amount(0, us(0), us(4)) == 225
    assert given.amount(0, us(4), us(10)) == 300


def test_the_greatest_dose_of_any_24_hours() -> None:
    """The greatest dose in any 24 h is found wherever it lies, also across midnight; a daily injection counts once."""
    rate = overlay([0, 0], [us(0), us(30)], [us(30), us(48)], [10, 100])
    daily = Points.of_doses([1] * 4, [us(24 * day) for day in range(4)], [100] * 4)
    mg, end = Cumulative.build(rate, daily).max_within([0, 1, 2], 24 * HOUR)
    assert mg.tolist() == [18 * 100 + 6 * 10, 100, 0]
    assert end.tolist()[:2] == [us(48), us(0)]


def test_a_loading_dose_belongs_to_the_first_24_hours_of_its_infusion() -> None:
    """A loading dose and the 24 h of infusion that begin with it are one 24 h dose."""
    given = Cumulative.build(
        overlay([0], [us(0)], [us(48)], [10]), Points.of_doses([0], [0], [100])
    )
    mg, end = given.max_within([0], 24 * HOUR)
    assert (mg.tolist(), end.tolist()) == ([340], [us(24)])


def test_a_dose_band_changes_when_its_edge_is_crossed(spec: Spec) -> None:
    """At 100 mg/h the 24 h dose passes 400 mg after 4 h and 1,200 mg after 12 h, and falls back through both after the stop; an edge belongs to the band below it."""
    given = Cumulative.build(overlay([0], [us(0)], [us(20)], [100]), None)
    bands = given.bands(24 * HOUR, [0, 400, 1200])
    spec(
        bands,
        at={-1: None, 1: 1, 3.9: 1, 4.1: 2, 11.9: 2, 12.1: 3, 31.9: 3, 32.1: 2, 40.1: 1, 44: None},
    )
    once = Cumulative.build(None, Points.of_doses([0], [0], [400]))
    spec(once.bands(24 * HOUR, [0, 400, 1200]), at={0: 1, 23: 1, 24: None})


def test_an_uncertain_dose_has_no_amount() -> None:
    """A dose known only as a range is refused where one amount is asked for."""
    with pytest.raises(ValueError, match="exact numbers, not ranges"):
        Cumulative.build(None, Points.build([0], [0], [10], [20]))


def test_the_area_under_what_is_known(spec: Spec) -> None:
    """The area under a rate counts only the hours in which it is known, and says how many those are."""
    rate = overlay([0, 0], [us(0), us(4)], [us(2), us(6)], [100, 50])
    assert rate.integrate(0, us(1), us(5))[0] == 150
    assert rate.covered(0, us(1), us(5)) == 2 * HOUR


@pytest.mark.parametrize(
    ("take", "rows"),
    [("last", (4,)), ("max", (2,)), ("min", (1,)), ("sum", (1, 2, 3, 4)), ("count", (1, 2, 3, 4))],
)
def test_every_value_leads_back_to_its_rows(take: str, rows: tuple[int, ...]) -> None:
    """A last value rests on one row, a worst value on the earliest row that has it, a sum on all of its rows; an unknown value rests on none."""
    table = """
        hour | ferritin
        0    | 500
        10   | 9000
        20   | 9000
        30   | 700
        """
    ferritin = timeline_of(table, take=take, within="72h")  # type: ignore[arg-type]
    assert ferritin.evidence(0, us(40)) == rows
    assert ferritin.evidence(0, us(-1)) == ()
    assert ferritin.evidence(7, us(40)) == ()


def test_a_late_result_of_an_old_sample_replaces_nothing(spec: Spec) -> None:
    """On the clock of availability, a culture or ferritin that comes back late from an older sample never replaces the result of a newer sample; it still counts among the worst values."""
    table = """
        hour | drawn | ferritin
        10   | 9     | 4000
        12   | 2     | 9000
        20   | 19    | 3000
        """
    last = spec(table, at={9: None, 10: 4000, 12: 4000, 19: 4000, 20: 3000, 92: None})
    assert last.evidence(0, us(15)) == (1,)
    spec(table, take="max", at={10: 4000, 12: 9000, 83: 9000, 84: 3000})


def test_results_released_together_stay_apart(spec: Spec) -> None:
    """Two samples drawn at different hours and released together are no conflict: the later draw is in force."""
    table = """
        hour | drawn | ferritin
        12   | 4     | 9000
        12   | 8     | 5000
        """
    spec(table, at={12: 5000})
    spec(table, take="max", at={12: 9000})
    assert points_of(table).conflicts == 0


def test_the_same_answer_in_any_order_of_rows(spec: Spec) -> None:
    """The order in which rows stand in a file changes nothing."""
    spec(
        """
        hour | ferritin
        100  | 1200
        0    | 9000
        """,
        at={71: 9000, 73: None, 100: 1200},
    )


def test_dates_shifted_by_centuries_do_no_harm() -> None:
    """Records whose dates were shifted into the 22nd century to hide them, beside others left in the 20th, give the same answers, each person by themselves."""
    people = np.arange(20_000)
    century = 36_525 * DAY
    start = np.where(people % 2 == 0, 0, century) + people * DAY
    last = start + century
    ferritin = Points.build(
        np.repeat(people, 2), np.column_stack((start, last)).ravel(), np.repeat(people, 2) + 1.0
    ).hold(72 * HOUR)
    for time in (start, last):
        np.testing.assert_array_equal(ferritin.at(people, time + 71 * HOUR)[0], people + 1.0)
        assert not ferritin.known_at(people, time + 72 * HOUR).any()
    assert not ferritin.known_at(people, start - 1).any()


def test_a_look_back_never_reaches_the_person_before() -> None:
    """However long a look-back is, one person's values are never seen in the next person's."""
    line = axis((np.array([3, 4], np.int32), np.array([0, 0])))
    before, first, second = line.place(np.array([3, 3, 4]), np.array([-(2**61), 2**61, -(2**61)]))
    assert before < first < second
    ferritin = timeline_of(
        """
        person | hour | ferritin
        3      | 0    | 9000
        4      | 10   |
        5      | 5    | 100
        """,
        take="max",
        within="3650d",
    )
    assert ferritin.at([3, 4, 5], us(20))[0].tolist() == [9000, -np.inf, 100]


def test_a_rise_of_a_third_of_a_milligram_is_one(spec: Spec) -> None:
    """A creatinine that rises from 2.0 to 2.3 mg/dL has risen by 0.3, although a computer's 2.3 − 2.0 is a hair less."""
    assert not 2.3 - 2.0 >= 0.3
    assert rounded(2.3 - 2.0) >= 0.3
    creatinine = points_of("""
        hour | creatinine
        0    | 2.0
        24   | 2.3
    """)
    lowest = creatinine.trailing("min", 48 * HOUR)
    rise = combine(difference, creatinine.hold(72 * HOUR), lowest)
    spec(rise, at={0: 0, 24: 0.3})
    _, when = rise.first(lambda low, high: low >= 0.3)
    assert when.tolist() == [us(24)]


def test_a_ratio_to_nothing_known_is_unknown() -> None:
    """A ratio to a value that may be zero has no upper bound; a ratio to an unknown one is unknown."""
    value, unknown = np.array([6.0]), (np.array([-np.inf]), np.array([np.inf]))
    below = (np.array([0.0]), np.array([3.0]))
    assert np.ravel(ratio((value, value), below)).tolist() == [2.0, np.inf]
    assert np.ravel(ratio((value, value), unknown)).tolist() == [-np.inf, np.inf]
    assert np.ravel(ratio(below, (value, value))).tolist() == [0.0, 0.5]
    assert rounded(1e300) == 1e300


def test_overlapping_values_of_one_quantity_are_refused() -> None:
    """Two values of one quantity that claim to be true at once are refused, not silently chosen between."""
    with pytest.raises(ValueError, match="segments overlap"):
        Timeline.build([0, 0], [us(0), us(1)], [us(2), us(3)], [1, 2])
    with pytest.raises(ValueError, match="not after its start"):
        Intervals.build([0], [us(2)], [us(1)])
