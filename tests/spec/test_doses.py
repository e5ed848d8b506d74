"""What was given, at what rate, to the minute: doses in every way of writing them."""

from itertools import pairwise

import numpy as np
import pytest

from becalm.core.clock import HOUR
from becalm.doses import continuous_entries, continuous_rate, daily_dose
from becalm.timeline import Intervals
from tests.records import at, hours
from tests.spec.dosing import RULES, column, courses, doses_of, mg, modes, rates


@pytest.mark.parametrize(
    "written",
    [
        "rate | 25 mg/h",
        "rate | 0.5 mg/kg/h",
        "rate | 12 mg/kg/day",
        "rate | 8.333333333333334 mcg/kg/min",
        "rate | 600 mg/day",
        "rate | 25000 mcg/h",
        "rate | 0.025 g/hour",
        "rate | 1.5 syringes/6h",
        "amount | 150 mg",
        "amount | 0.15 g",
        "amount | 3 mg/kg",
        "amount | 1.5 syringes",
        "amount | 1.5 syringe (100 mg)",
    ],
)
def test_a_rate_is_the_same_however_it_is_written(written: str) -> None:
    """25 mg/h to a patient of 50 kg may be written as a rate, by weight, per day, as a bag over six hours or as syringes; it is 25 mg/h from its start until just before its end."""
    name, value = written.split(" | ")
    doses = doses_of([{"start": 0, "end": 6, "weight": 50, name: value}])
    assert rates(doses, [-1, 0, 5.99, 6]) == {-1: None, 0: 25, 5.99: 25, 6: None}
    assert column(doses, "amount_mg") == [150]


def test_a_volume_rate_needs_its_concentration() -> None:
    """6.25 mL/h of 4 mg/mL is 25 mg/h; without the concentration the milligrams are unknown, never zero and never guessed from the product."""
    doses = doses_of(
        """
        start | end | rate      | concentration
        0     | 6   | 6.25 mL/h | 4 mg/mL
        6     | 12  | 6.25 mL/h |
        """
    )
    assert rates(doses, [0, 6]) == {0: 25, 6: None}
    assert column(doses, "rate_per_h") == [6.25, 6.25]
    assert column(doses, "flag") == ["", "volume without concentration"]
    assert doses.exposure("anakinra").contains(0, at(7))
    assert courses(doses).episodes["cumulative_mg"].tolist() == pytest.approx([np.nan], nan_ok=True)


def test_what_is_not_a_mass_keeps_its_own_unit() -> None:
    """Heparin in units per hour has a rate in units and none in mg."""
    doses = doses_of(
        """
        drug    | start | end | rate            | amount
        heparin | 0     | 6   | 1000 units/hour | 6000 units
        """
    )
    assert (column(doses, "rate_per_h"), column(doses, "amount_unit")) == ([1000], ["units"])
    assert column(doses, "rate_mg_h") == column(doses, "amount_mg") == [None]
    assert doses.exposure("heparin").contains(0, at(3))


def test_amount_over_time_is_what_was_delivered() -> None:
    """Where a bag's amount and a pump's rate are both charted, amount over time counts; more than 5 % between them is said."""
    doses = doses_of(
        """
        start | end | rate     | amount
        0     | 6   | 25 mg/h  | 145 mg
        6     | 12  | 25 mg/h  | 100 mg
        12    | 18  | 0 mg/h   | 0 mg
        """
    )
    assert column(doses, "rate_mg_h") == pytest.approx([145 / 6, 100 / 6, 0])
    assert column(doses, "set_per_h") == [25, 25, 0]
    assert column(doses, "flag") == [
        "",
        "rate × time is 150, the amount 100",
        "nothing was given: 0 = 0",
    ]


def test_a_concentration_that_contradicts_the_dose_is_said() -> None:
    """10 mL/h of 4 mg/mL is 240 mg in six hours, not 150."""
    doses = doses_of(
        """
        start | end | rate    | amount | concentration
        0     | 6   | 10 mL/h | 150 mg | 4 mg/mL
        """
    )
    (flag,) = column(doses, "flag")
    assert flag == ("concentration contradicts rate and amount: rate × time is 240, the amount 150")
    assert mg(doses) == 150


def test_a_weight_holds_for_a_day() -> None:
    """The row's own weight counts first, then the last one measured in the 24 h before, then that of the persons sheet, which is said."""
    doses = doses_of(
        """
        start | end | rate      | weight
        1     | 2   | 1 mg/kg/h | 70
        10    | 11  | 1 mg/kg/h |
        23    | 24  | 1 mg/kg/h |
        24    | 25  | 1 mg/kg/h |
        """,
        weighed={0: 60, 12: 0},
        weight_kg=50,
    )
    assert column(doses, "rate_mg_h") == [70, 60, 60, 50]
    assert column(doses, "flag") == ["", "", "", "weight from persons sheet"]


def test_a_dose_by_weight_without_any_weight_is_refused_and_listed() -> None:
    """Without a weight the row stays in the table without amounts, is counted, and the drug was given all the same."""
    doses = doses_of(
        """
        start | end | rate
        0     | 6   | 0.5 mg/kg/h
        """
    )
    (refused,) = doses.refused
    assert (refused.source_table, refused.variable, refused.rows) == ("doses", "anakinra", 1)
    assert refused.reason.startswith("dosed by weight, and no weight is known: give weight_kg")
    assert refused.example == "doses:2 0.5 mg/kg/h"
    assert column(doses, "rate_mg_h") == column(doses, "amount_mg") == [None]
    assert column(doses, "flag") == ["refused: dosed by weight, and no weight is known"]
    assert doses.exposure("anakinra").contains(0, at(3))


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"rate": "25 "}, "rate without unit"),
        ({"rate": "25 mg"}, "the unit of a rate needs a time (mg/h)"),
        ({"amount": "100 "}, "amount without unit"),
        ({"amount": "100 mg/h"}, "the unit of an amount has a time in it (mg, not mg/h)"),
        (
            {"amount": "100 mg q6h", "end": ""},
            "a schedule is not an administered dose: write one row for each dose, or add the schedule's start and end",
        ),
        ({"amount": "100 wands"}, "unknown unit"),
        ({"rate": "25 MU/h"}, "unknown unit"),
        ({}, "neither amount nor rate is a number"),
        ({"amount": "-100 mg"}, "negative amount or rate"),
        ({"amount": "-1 mg/kg"}, "negative amount or rate"),
        ({"amount": "100 mg", "end": "-1"}, "ends before it starts"),
        ({"rate": "25 mg/h", "end": "0"}, "start and end are equal, so a rate gives no amount"),
        (
            {"rate": "25 mg/h", "amount": "9 wands", "end": ""},
            "a rate without an end, and nothing later ends it",
        ),
        ({"amount": "100 mg", "start": ""}, "no start"),
        ({"amount": "100 mg", "status": "perhaps"}, "status is not understood"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_reason(
    cells: dict[str, str], reason: str
) -> None:
    """Nothing is guessed: the row stays in the table, without mg, and is counted with its reason."""
    doses = doses_of([{"start": 0, "end": 6, **cells}])
    assert [refusal.rows for refusal in doses.refused] == [1]
    assert doses.refused[0].reason.startswith(reason)
    assert column(doses, "flag")[0].startswith("refused: ")
    assert column(doses, "amount_mg") == [None]
    assert mg(doses) == 0


@pytest.mark.parametrize(
    ("written", "every"),
    [("mg q6h", 6), ("mg q 8 hours", 8), ("mg bid", 12), ("mg QID", 6), ("syringes q12h", 12)],
)
def test_a_schedule_with_start_and_end_is_its_doses(written: str, every: float) -> None:
    """100 mg q6h from hour 0 to hour 24 is four doses, at 0, 6, 12 and 18, and each says that it was taken as given."""
    amount = 1 if "syringe" in written else 100
    doses = doses_of([{"route": "SC", "start": 0, "end": 24, "amount": f"{amount} {written}"}])
    due = np.arange(0, 24, every)
    assert [hours(start) for start in column(doses, "start")] == due.tolist()
    assert column(doses, "amount_mg") == [100] * len(due)
    assert set(column(doses, "source_row")) == {"doses:2"}
    assert column(doses, "flag")[0] == f"one dose of a schedule ({written}), taken as given"


def test_a_schedule_that_was_only_ordered_gives_nothing() -> None:
    """An order with a schedule stays one row and counts for nothing."""
    doses = doses_of(
        [{"start": 0, "end": 24, "amount": "100 mg q6h", "status": "ordered", "route": "SC"}]
    )
    assert (len(doses.frame), mg(doses)) == (1, 0)


def test_what_can_be_used_of_a_row_is_used() -> None:
    """A good rate beside an amount in an unknown unit counts, and the table says what was left out."""
    doses = doses_of(
        """
        start | end | amount    | rate      | concentration
        0     | 6   | 3 wands   | 25 mg/h   |
        6     | 12  | 150 mg    | 25 wands  |
        12    | 18  | 150 mg    |           | 4 mg
        """
    )
    assert not doses.refused
    assert rates(doses, [0, 6, 12]) == {0: 25, 6: 25, 12: 25}
    assert column(doses, "flag") == [
        "amount not used: unknown unit",
        "rate not used: unknown unit",
        "concentration not used: the unit of a concentration is an amount per volume (mg/mL)",
    ]


def test_only_what_was_given_counts() -> None:
    """Orders and doses not given are listed without mg; a blank status is given."""
    doses = doses_of(
        """
        start | amount | status
        0     | 100 mg | given
        6     | 100 mg | not given
        12    | 100 mg | ordered
        18    | 100 mg |
        """
    )
    assert column(doses, "amount_mg") == [100, None, None, 100]
    assert column(doses, "amount") == [100, 100, 100, 100]
    assert mg(doses) == 200
    assert not doses.refused


def test_an_amount_without_end_or_within_a_minute_is_a_single_dose() -> None:
    """A push charted over one minute is a dose at its moment, and no rate of 6,000 mg/h."""
    doses = doses_of(
        [
            {"start": 0, "amount": "100 mg"},
            {"start": 6, "end": 6 + 1 / 60, "amount": "100 mg"},
            {"start": 12, "end": 12, "amount": "100 mg"},
            {"start": 18, "end": 18.5, "amount": "100 mg"},
        ]
    )
    assert column(doses, "rate_mg_h") == [None, None, None, 200]
    assert column(doses, "end") == [at(0), at(6), at(12), at(18.5)]
    assert [mg(doses, hour) for hour in (-0.01, 0, 6, 18.25)] == [0, 100, 200, 350]


def test_two_single_doses_of_one_minute_add_up() -> None:
    """Two syringes at eight o'clock are 200 mg; rows that repeat are both counted, and said."""
    doses = doses_of(
        """
        start | amount
        8     | 100 mg
        8     | 100 mg
        """
    )
    assert mg(doses) == 200
    assert column(doses, "flag") == ["", "possible duplicate"]


def test_bags_that_overlap_add_up() -> None:
    """Two pumps of one drug run at the sum of their rates while both run, and exactly at the one's own before and after."""
    doses = doses_of(
        """
        start | end | rate
        0     | 6   | 33.3 mg/h
        4     | 10  | 0.1 mg/h
        """
    )
    assert rates(doses, [0, 4, 6, 10]) == {0: 33.3, 4: 33.4, 6: 0.1, 10: None}
    assert column(doses, "flag") == ["", "overlaps another infusion of the drug"]


def test_a_rate_without_an_end_holds_until_the_next_rate() -> None:
    """Rates charted when they were changed run until the next one; a rate of 0 stops the pump."""
    doses = doses_of(
        """
        start | end | rate
        0     |     | 25 mg/h
        12    |     | 50 mg/h
        20    |     | 0 mg/h
        """
    )
    assert rates(doses, [0, 12, 19.9, 20]) == {0: 25, 12: 50, 19.9: 50, 20: None}
    assert not doses.refused


def test_the_last_rate_without_an_end_runs_until_death_or_the_end_of_the_stay() -> None:
    """An infusion that nobody charted as stopped ended with the stay or with the patient, and the table says that this was assumed."""
    table = """
        start | end | rate
        0     |     | 25 mg/h
    """
    assert mg(doses_of(table, stay=(-5, 10))) == 250
    assert mg(doses_of(table, stay=(-5, 10), death=4)) == 100
    assert mg(doses_of(table, death=4)) == 100
    (flag,) = column(doses_of(table, stay=(-5, 10)), "flag")
    assert flag.startswith("no end recorded")


def test_an_amount_at_a_rate_ends_when_it_has_run_through() -> None:
    """100 mg at 25 mg/h with no charted end takes four hours."""
    doses = doses_of([{"start": 0, "amount": "100 mg", "rate": "25 mg/h"}])
    assert column(doses, "end") == [at(4)]
    assert rates(doses, [0, 3.9, 4]) == {0: 25, 3.9: 25, 4: None}


def test_nothing_is_infused_after_death() -> None:
    """A bag hung for six hours an hour before death gave an hour's worth; a date alone says only that the day was the last."""
    table = """
        start | end | amount
        0     | 6   | 600 mg
        7     | 7   | 100 mg
    """
    doses = doses_of(table, death=1)
    assert mg(doses) == 100
    assert column(doses, "amount_mg") == [600, 100]
    assert column(doses, "flag") == [
        "runs past death: counted until death",
        "after death: not counted",
    ]
    assert mg(doses_of(table, death=0, death_date_only=True)) == 700


def test_an_implausible_rate_is_listed_and_remarked_and_not_added_up() -> None:
    """450 mg/h of anakinra is likely a slip: the row stays in the list, and how much was given is unknown."""
    doses = doses_of([{"start": 0, "end": 2, "rate": "450 mg/h"}])
    assert column(doses, "flag") == ["implausible rate: 450 mg/h"]
    assert column(doses, "rate_mg_h") == [450]
    assert mg(doses) == 0
    assert len(doses.unknown("anakinra"))


def test_a_drug_that_is_not_known_keeps_its_label() -> None:
    """A row of a drug outside the vocabulary is in the table with its label and its rate."""
    doses = doses_of(
        """
        drug       | start | end | rate
        Zyxomabine | 0     | 6   | 25 mg/h
        """
    )
    assert (column(doses, "drug"), column(doses, "label")) == ([""], ["Zyxomabine"])
    assert column(doses, "rate_mg_h") == [25]


def test_an_infusion_without_a_route_is_taken_as_intravenous_and_said() -> None:
    """A pump at a rate runs into a vein unless the record says otherwise; a single dose without a route stays of unknown route."""
    doses = doses_of(
        """
        route | start | end | rate    | amount
              | 0     | 6   | 25 mg/h |
              | 8     |     |         | 100 mg
        SC    | 9     | 10  | 10 mg/h |
        """
    )
    assert column(doses, "route") == ["IV", "", "SC"]
    assert column(doses, "flag")[0] == "route not recorded: an infusion is taken as IV"
    assert rates(doses, [0, 9]) == {0: 25, 9: None}
    assert mg(doses) == 260


def test_drops_creams_and_inhalers_are_no_exposure() -> None:
    """Hydrocortisone on the skin counts neither as given nor in its milligrams."""
    doses = doses_of(
        """
        drug           | route   | start | amount
        hydrocortisone | topical | 0     | 100 mg
        hydrocortisone | IV      | 9     | 50 mg
        """
    )
    assert mg(doses, drug="hydrocortisone") == 50
    assert not doses.exposure("hydrocortisone").contains(0, at(0))
    assert doses.exposure("hydrocortisone", routes=["topical"]).contains(0, at(0))


# ---------------------------------------------------------------- continuous or not


def test_six_hour_bags_end_to_end_are_one_continuous_infusion() -> None:
    """Bags of 150 mg over six hours hung one after the other, by a route that says infusion, are a continuous infusion of 25 mg/h, with a quarter of an hour between them as well as without."""
    by = {"route": "IV infusion"}
    touching = [{"start": 6 * i, "end": 6 * i + 6, "amount": "150 mg", **by} for i in range(4)]
    apart = [{"start": 3.25 * i, "end": 3.25 * i + 3, "amount": "75 mg", **by} for i in range(4)]
    assert modes(doses_of(touching)) == [("continuous IV", 0, 24)]
    assert modes(doses_of(apart)) == [("continuous IV", 0, 12.75)]


def test_a_planned_infusion_of_up_to_three_hours_is_intermittent() -> None:
    """100 mg over half an hour every six hours, over two hours every four, and over three hours once are intermittent; three hours and a minute are continuous, but too short to enter."""
    half = [{"start": 6 * i, "end": 6 * i + 0.5, "amount": "100 mg"} for i in range(8)]
    two = [{"start": 4 * i, "end": 4 * i + 2, "amount": "100 mg"} for i in range(8)]
    three = [{"start": 0, "end": 3, "rate": "30 mg/h"}]
    longer = [{"start": 0, "end": 3 + 1 / 60, "rate": "30 mg/h"}]
    assert [mode for mode, _, _ in modes(doses_of(half))] == ["intermittent IV"]
    assert [mode for mode, _, _ in modes(doses_of(two))] == ["intermittent IV"]
    assert [mode for mode, _, _ in modes(doses_of(three))] == ["intermittent IV"]
    assert [mode for mode, _, _ in modes(doses_of(longer))] == ["continuous IV"]
    for rows in (half, two, three, longer):
        assert not len(continuous_entries(doses_of(rows), "anakinra", RULES, 6 * HOUR))


@pytest.mark.parametrize(
    ("pause_h", "ends_h", "enters"),
    [(2, 6, True), (2.01, 6, False), (2, 5.99, False), (0, 6, True), (0, 5.99, False)],
)
def test_entry_needs_six_hours_with_gaps_of_up_to_two_bridged(
    pause_h: float, ends_h: float, enters: bool
) -> None:
    """25 mg/h on both sides of a pause of two hours is one infusion of six hours; a longer pause or an earlier end is not."""
    doses = doses_of(
        [
            {"start": 0, "end": 2, "rate": "25 mg/h"},
            {"start": 2 + pause_h, "end": ends_h, "rate": "25 mg/h"},
        ]
    )
    found = continuous_entries(doses, "anakinra", RULES, 6 * HOUR)
    assert found.start.tolist() == ([at(0)] if enters else [])


def test_an_infusion_running_at_death_or_at_the_end_of_the_records_enters() -> None:
    """One hour of a bag of six before death is a continuous infusion cut short, as is a pump at a rate; half an hour of a dose planned for half an hour is not."""

    def enters(
        row: dict[str, object], last: float | None = None, death: float | None = None
    ) -> bool:
        doses = doses_of([row], death=death)
        records = None if last is None else np.array([at(last)])
        return bool(len(continuous_entries(doses, "anakinra", RULES, 6 * HOUR, records)))

    bag = {"start": 0, "end": 6, "amount": "150 mg", "route": "IV continuous"}
    pump = {"start": 0, "end": 1, "rate": "25 mg/h"}
    planned = {"start": 0, "end": 0.5, "amount": "100 mg"}
    four = {"start": 0, "end": 4, "rate": "25 mg/h"}
    assert enters(bag, death=1)
    assert enters(pump, death=1)
    assert enters(pump, last=1)
    assert enters(four, death=4.4)
    assert not enters(four, death=5)
    assert not enters(pump)
    assert not enters(planned, death=0.5)


def test_a_loading_dose_does_not_begin_the_continuous_infusion() -> None:
    """100 mg over half an hour an hour before the pump starts is an intermittent dose, and the infusion begins with the pump."""
    doses = doses_of(
        """
        start | end | amount | rate
        0     | 0.5 | 100 mg |
        1.5   | 24  |        | 25 mg/h
        """
    )
    assert continuous_entries(doses, "anakinra", RULES, 6 * HOUR).start.tolist() == [at(1.5)]
    assert modes(doses) == [("intermittent IV", 0, 0.5), ("continuous IV", 1.5, 24)]
    assert continuous_rate(doses, "anakinra", RULES).first(lambda low, _: low >= 20)[1] == [at(1.5)]


# ---------------------------------------------------------------- treatment episodes


@pytest.mark.parametrize(
    ("route", "gap_h", "mode"),
    [("SC", 36, "SC"), ("IV", 36, "intermittent IV"), ("PO", 72, "oral"), ("IM", 36, "IM")],
)
def test_an_episode_ends_after_its_gap_without_drug(route: str, gap_h: float, mode: str) -> None:
    """Doses under the skin and short infusions belong together up to 36 h apart, tablets up to 72 h."""
    at = [0, 24, 24 + gap_h, 24 + 2 * gap_h + 0.1]
    doses = doses_of([{"route": route, "start": hour, "amount": "100 mg"} for hour in at])
    assert modes(doses) == [(mode, 0, at[2]), (mode, at[3], at[3])]
    assert courses(doses).episodes["cumulative_mg"].tolist() == [300, 100]


def test_a_pause_of_up_to_six_hours_stays_in_the_episode() -> None:
    """A pump paused for six hours resumes the same episode; after more, it begins another."""
    doses = doses_of(
        """
        start | end | rate
        0     | 12  | 25 mg/h
        12    | 18  | 0 mg/h
        18    | 30  | 25 mg/h
        36.1  | 48  | 25 mg/h
        """
    )
    assert modes(doses) == [("continuous IV", 0, 30), ("continuous IV", 36.1, 48)]
    assert rates(doses, [12, 30]) == {12: 0, 30: None}


def test_another_route_is_another_episode_but_a_bolus_on_the_pump_is_not() -> None:
    """SC, then continuous IV, then SC again are three episodes; a bolus while the pump runs belongs to the pump's."""
    doses = doses_of(
        """
        route | start | end | rate    | amount
        SC    | 0     |     |         | 100 mg
        SC    | 24    |     |         | 100 mg
        IV    | 26    | 74  | 50 mg/h |
        IV    | 50    |     |         | 100 mg
        SC    | 74    |     |         | 100 mg
        """
    )
    assert modes(doses) == [("SC", 0, 24), ("continuous IV", 26, 74), ("SC", 74, 74)]
    assert courses(doses).episodes["cumulative_mg"].tolist() == [200, 2500, 100]
    assert courses(doses).episodes["max_24h_mg"].tolist() == [100, 1300, 100]


def test_a_rise_of_ten_percent_for_half_an_hour_is_a_step() -> None:
    """Steps count when they hold: not a spike of ten minutes, not 9 %, not coming back from a dip, not taking up the same rate after a pause."""
    doses = doses_of(
        [
            {"start": a, "end": b, "rate": f"{rate} mg/h"}
            for a, b, rate in [
                (0, 6, 50),
                (6, 6.15, 100),  # ten minutes
                (6.15, 10, 50),
                (10, 12, 54.5),  # 9 %
                (12, 13, 55),  # 10 % of the last step's rate
                (13, 13.4, 30),  # a dip too short to be a new level
                (13.4, 16, 55),
                (20, 24, 55),  # after a pause of four hours
                (24, 28, 25),
                (28, 30, 50),
            ]
        ]
    )
    steps = courses(doses).steps
    assert [(hours(row["time"]), row["from_rate"], row["to_rate"]) for row in steps.rows()] == [
        (12, 50, 55),
        (28, 25, 50),
    ]
    assert steps["hours_since_last"].tolist() == [12, 16]
    assert courses(doses).episodes["escalations"].tolist() == [2]


def test_peak_and_steps_belong_to_continuous_infusions() -> None:
    """100 mg over half an hour is not 4,800 mg/day: an intermittent dose has no daily rate."""
    doses = doses_of([{"start": 6 * i, "end": 6 * i + 0.5, "amount": "100 mg"} for i in range(8)])
    (episode,) = courses(doses).episodes.rows()
    assert np.isnan(episode["peak_mg_day"])
    assert episode["escalations"] == -1
    assert (episode["max_24h_mg"], episode["cumulative_mg"]) == (400, 800)


# ---------------------------------------------------------------- doses of a day


def test_days_count_from_the_first_dose() -> None:
    """Day 1 is the 24 h from the first dose, whatever the calendar says; a dose at the start of day 2 is day 2's."""
    doses = doses_of(
        """
        route | start | end | rate    | amount | weight
        SC    | 20    |     |         | 100 mg | 50
        IV    | 32    | 56  | 50 mg/h |        | 50
        SC    | 44    |     |         | 100 mg | 40
        """
    )
    day = daily_dose(doses, ["anakinra"])
    assert [hours(start) for start in day["start"]] == [20, 44]
    assert day["day"].tolist() == [1, 2]
    assert day["mg"].tolist() == [100 + 600, 100 + 600]
    assert day["peak_rate_mg_h"].tolist() == [50, 50]
    assert day["weight_used"].tolist() == [50, 40]
    assert day["mg_per_kg"].tolist() == [14, 17.5]
    assert day["rrt"].tolist() == [None, None]


def test_days_without_the_drug_are_listed_inside_an_episode_only() -> None:
    """Every other day under the skin leaves a day of zero within the course; a year until the next course leaves none."""
    doses = doses_of(
        [{"route": "PO", "start": hour, "amount": "100 mg"} for hour in (0, 60, 24 * 365)]
    )
    inside = {"anakinra": courses(doses).inside("anakinra")}
    day = daily_dose(doses, ["anakinra"], inside=inside)
    assert list(zip(day["day"], day["mg"], strict=True)) == [(1, 100), (2, 0), (3, 100), (366, 100)]


def test_a_day_with_a_dose_of_unknown_mass_has_no_total() -> None:
    """100 mg and "one dose" are not 100 mg."""
    doses = doses_of(
        """
        start | amount
        0     | 100 mg
        12    | 1 dose
        30    | 100 mg
        """
    )
    assert daily_dose(doses, ["anakinra"])["mg"].tolist() == pytest.approx(
        [np.nan, 100], nan_ok=True
    )


def test_days_can_begin_with_a_study_and_know_renal_replacement() -> None:
    """Counted from a study's time zero, day 1 begins with the first dose at or after it; the days that replacement touched are marked, the others are not."""
    doses = doses_of([{"route": "SC", "start": 24 * i, "amount": "100 mg"} for i in range(4)])
    running = Intervals.build([0], [at(60)], [at(61)])
    day = daily_dose(doses, ["anakinra"], since=np.array([at(30)]), replacement=running)
    assert [hours(start) for start in day["start"]] == [48, 72]
    assert day["rrt"].tolist() == [True, False]


# ---------------------------------------------------------------- the illustrative series

Changes = list[tuple[float, float]]

SERIES: dict[str, tuple[str, tuple[float, ...], Changes, float]] = {
    # How it is written: route and hours of the first doses of 100 mg, mg/h from hour on, kg.
    "mg/h": ("IV", (0, 6), [(10, 25), (22, 50), (34, 100), (96, 50), (120, 25), (144, 0)], 61),
    "mg/kg/h": ("SC", (0, 24), [(26, 25), (32, 50), (38, 100), (206, 50), (230, 25), (254, 0)], 74),
    "mL/h": ("IV", (0,), [(2, 50), (8, 100), (56, 50), (80, 25), (104, 0)], 82),
    "bags": (
        "IV",
        (0, 6, 12, 18),
        [(24, 12.5), (30, 25), (36, 50), (42, 100), (336, 50), (408, 25), (480, 0)],
        58,
    ),
    "syringes": (
        "SC",
        (0, 12),
        [(20, 25), (26, 50), (32, 100), (144, 0), (147, 100), (267, 0)],  # dies at 262
        66,
    ),
}


def schedule(notation: str) -> list[dict[str, object]]:
    """The illustrative patient who is written in a notation."""
    route, first, changes, kg = SERIES[notation]
    rows: list[dict[str, object]] = [
        {"route": route, "start": hour, "amount": "100 mg"} for hour in first
    ]
    for (begin, rate), (end, _) in pairwise(changes):
        whole = notation not in ("bags", "syringes")
        cuts = [begin, end] if whole else [*np.arange(begin, end, 6).tolist(), end]
        for start, stop in pairwise(cuts if rate else []):
            given = rate * (stop - start)
            written = {
                "mg/h": {"rate": f"{rate} mg/h"},
                "mg/kg/h": {"rate": f"{rate / kg} mg/kg/h"},
                "mL/h": {"rate": f"{rate / 4} mL/h", "concentration": "4 mg/mL"},
                "bags": {"amount": f"{given} mg"},
                "syringes": {"amount": f"{given / 100} syringes"},
            }[notation]
            said = "IV" if whole else "IV continuous infusion"
            rows.append({"start": start, "end": stop, "weight": kg, "route": said, **written})
    return rows


@pytest.mark.parametrize(
    ("notation", "total", "high_hours", "rises", "death"),
    [
        ("mg/h", 9100, 98, [25, 50, 100], None),
        ("mg/kg/h", 19250, 198, [25, 50, 100], None),
        ("mL/h", 7000, 78, [50, 100], None),
        ("bags", 35725, 372, [12.5, 25, 50, 100], None),
        ("syringes", 23350, 233, [25, 50, 100], 262),
    ],
)
def test_the_illustrative_schedules_are_read_in_all_five_notations(
    notation: str, total: float, high_hours: float, rises: list[float], death: float | None
) -> None:
    """Totals, 4.1, 8.3, 3.3, 15.5 and 9.7 days at 50 mg/h and more, every step and the ceiling of 2,400 mg/day come out of rates, rates by weight, volumes, bags and syringes alike."""
    doses = doses_of(schedule(notation), death=death)
    assert mg(doses) == pytest.approx(total)
    high = doses.rate("anakinra").where(lambda low, _: low >= 50 - 1e-9)
    assert high.durations().sum() == high_hours * HOUR
    [course] = [row for row in courses(doses).episodes.rows() if row["mode"] == "continuous IV"]
    assert course["peak_mg_day"] == pytest.approx(2400)
    start = SERIES[notation][2][0][0]
    assert course["start"] == at(start)
    assert continuous_entries(doses, "anakinra", RULES, 6 * HOUR).start[0] == at(start)
    steps = courses(doses).steps
    assert steps["from_rate"].tolist() == pytest.approx(rises[:-1])
    assert steps["to_rate"].tolist() == pytest.approx(rises[1:])
    assert course["escalations"] == len(steps)
    when = {rate: hour for hour, rate in reversed(SERIES[notation][2])}
    assert steps["time"].tolist() == [at(when[rate]) for rate in rises[1:]]
    assert course["hours_to_peak"] == when[100] - start
    assert not doses.refused
