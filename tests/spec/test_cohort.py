"""Who enters a study, when its clocks start, and why everybody else does not.

Hours are counted from midnight of an arbitrary day; every patient is invented.
"""

from datetime import datetime

import numpy as np
import pytest
from msgspec.structs import replace

from becalm import protocol
from becalm.core.clock import to_us
from becalm.records import StudyInfo
from tests.records import (
    Row,
    at,
    chunk,
    condition,
    dose,
    entered,
    finding,
    hours,
    infusion,
    lab,
    left,
    person,
    procedure,
    stay,
    study,
)

MAS = "anakinra_mas"
HI = "hyperinflammation"
DAY = 24.0
STORM = [condition("macrophage activation syndrome", 0)]
NO_STORM = "no storm: neither definite, possible nor diagnosed"
NO_INFUSION = "no continuous intravenous anakinra for 6h"


def sc(*starts: float) -> list[Row]:
    return [dose("anakinra", hour, amount="100 mg", route="SC") for hour in starts]


def iv(*starts: float) -> list[Row]:
    """Half-hour infusions of 100 mg."""
    return [dose("anakinra", hour, hour + 0.5, amount="100 mg") for hour in starts]


def clocks(*rows: Row) -> tuple[float | None, float | None, float | None]:
    """t0, entry and the first high rate of the one who enters."""
    row = entered(MAS, *STORM, *rows)
    return row["t0"], row["infusion_start"], row["high_rate"]


class TestEntry:
    """Entry is the first continuous intravenous infusion."""

    def test_six_hours_enter(self) -> None:
        """A rate above zero for six hours is a continuous infusion; a minute less is not."""
        assert left(MAS, *STORM, infusion(10, 16), lab("ferritin", 9, 99)) == [""]
        shorter = [infusion(10, 16 - 1 / 60), lab("ferritin", 9, 99)]
        assert left(MAS, *STORM, *shorter) == [NO_INFUSION]

    def test_a_pause_of_two_hours_is_bridged(self) -> None:
        """Pieces up to two hours apart are one infusion, and the pause counts towards six hours."""
        later = lab("ferritin", 9, 99)
        assert left(MAS, *STORM, infusion(0, 2), infusion(4, 6), later) == [""]
        assert left(MAS, *STORM, infusion(0, 2), infusion(4.1, 6.1), later) == [NO_INFUSION]

    def test_an_infusion_cut_short_by_death_enters(self) -> None:
        """An infusion that was still running at death enters, however short it was."""
        dying = person(death=12)
        assert left(MAS, dying, *STORM, infusion(10, 12)) == [""]
        assert left(MAS, person(death=14), *STORM, infusion(10, 12)) == [NO_INFUSION]

    def test_an_infusion_that_the_records_end_with_enters(self) -> None:
        """So does one that still runs where the records end; a later order is not a record."""
        assert left(MAS, *STORM, infusion(10, 12)) == [""]
        ordered = dose("anakinra", 40, 50, amount="100 mg", status="ordered")
        assert left(MAS, *STORM, infusion(10, 12), ordered) == [""]
        assert left(MAS, *STORM, infusion(10, 12), lab("ferritin", 9, 99)) == [NO_INFUSION]

    def test_the_rate_of_an_infusion_cut_short_by_death_is_a_rate(self) -> None:
        """A high rate in it starts the third clock."""
        assert clocks(person(death=12), infusion(10, 12)) == (10, 10, 10)

    def test_repeated_short_infusions_do_not_enter(self) -> None:
        """100 mg over half an hour every six hours is intermittent treatment."""
        assert left(MAS, *STORM, *iv(0, 6, 12, 18), lab("ferritin", 9, 99)) == [NO_INFUSION]


class TestTimeZero:
    """Time zero is the first anakinra of any route in the seven days before entry."""

    def test_it_is_the_first_dose_before_the_infusion(self) -> None:
        """Subcutaneous or intermittent doses in the seven days before the infusion set time zero; the infusion is the second clock."""
        assert clocks(*sc(0, 24), infusion(30, 60, 25)) == (0, 30, None)
        assert clocks(*iv(0, 6), infusion(30, 60, 25)) == (0, 30, None)

    def test_without_an_earlier_dose_it_is_entry(self) -> None:
        """Somebody whose first anakinra is the infusion has one moment for both clocks."""
        assert clocks(infusion(30, 60, 25)) == (30, 30, None)

    def test_a_dose_exactly_seven_days_before_counts(self) -> None:
        """Seven days before entry is inside the window, a minute more is not."""
        week = 7 * DAY
        assert clocks(*sc(0), infusion(week, week + 10, 25)) == (0, week, None)
        assert clocks(*sc(-1 / 60), infusion(week, week + 10, 25)) == (week, week, None)

    def test_on_it_longer_than_seven_days_time_zero_is_entry(self) -> None:
        """Daily injections for ten days, then the infusion: the injections are an earlier line."""
        daily = sc(*(DAY * day for day in range(11)))
        assert clocks(*daily, infusion(260, 300, 25)) == (260, 260, None)

    def test_an_old_course_that_stopped_is_not_the_same_course(self) -> None:
        """A gap of more than 36 h without drug ends a course under the skin; the next begins anew."""
        old = sc(*(DAY * day for day in range(8)))  # until hour 168
        assert clocks(*old, *sc(250), infusion(260, 300, 25)) == (250, 260, None)

    def test_the_end_of_an_old_course_is_not_time_zero(self) -> None:
        """Doses inside the seven days that belong to a course begun before them begin nothing."""
        old = sc(*(DAY * day for day in range(8)))
        assert clocks(*old, infusion(260, 300, 25)) == (260, 260, None)

    @pytest.mark.parametrize(("next_dose", "t0"), [(236, 250), (236.1, 236.1)])
    def test_the_gap_of_the_route_decides(self, next_dose: float, t0: float) -> None:
        """36 h after an injection the old course still goes on; a little later another one begins."""
        old = sc(*(20 + 36 * n for n in range(6)))  # until hour 200
        assert clocks(*old, *sc(next_dose), infusion(250, 260, 25)) == (t0, 250, None)

    def test_an_order_that_was_not_given_is_no_dose(self) -> None:
        """A dose charted as not given sets no clock."""
        held = dose("anakinra", 0, amount="100 mg", route="SC", status="not given")
        assert clocks(held, infusion(30, 60, 25)) == (30, 30, None)


class TestHighRate:
    """The third clock starts with the first rate of 2,000 mg/day at or after time zero."""

    def test_a_hundred_mg_an_hour_is_high(self) -> None:
        """The third clock is the first rate of 2,000 mg a day or more; 100 mg/h is 2,400."""
        assert clocks(infusion(0, 8, 50), infusion(8, 20, 100)) == (0, 0, 8)

    def test_exactly_two_thousand_counts(self) -> None:
        """2,000/24 mg/h times 24 is 2,000, whatever binary fractions say; a little less is not."""
        assert clocks(infusion(0, 20, 2000 / 24))[2] == 0
        assert clocks(infusion(0, 20, 83.33))[2] is None

    def test_a_high_rate_before_time_zero_does_not_hide_a_later_one(self) -> None:
        """A short infusion in an earlier month is not this treatment's."""
        before = infusion(-2000, -1996, 100)
        assert clocks(before, infusion(0, 10, 50), infusion(10, 20, 100)) == (0, 0, 10)

    def test_a_bolus_has_no_daily_rate(self) -> None:
        """100 mg in half an hour is not 4,800 mg/day."""
        assert clocks(*iv(0), infusion(2, 20, 50)) == (0, 2, None)


class TestAge:
    """Age is in completed years at entry."""

    @pytest.mark.parametrize(
        ("birth", "reason"),
        [("2002-01-02", ""), ("2002-01-03", "younger than 18"), ("", "age not recorded")],
    )
    def test_eighteenth_birthday(self, birth: str, reason: str) -> None:
        """Hour 24 is the 2nd of January 2020."""
        someone = person(birth=birth) if birth else person(age=None)
        assert left(MAS, someone, *STORM, infusion(24, 40)) == [reason]

    def test_born_on_the_29th_of_february(self) -> None:
        """In a year without one, the birthday is the 1st of March."""
        march = (to_us(datetime(2022, 3, 1)) - at(0)) / (at(1) - at(0))
        someone = person(birth="2004-02-29")
        assert left(MAS, someone, *STORM, infusion(march - 1, march + 9)) == ["younger than 18"]
        assert entered(MAS, someone, condition("mas"), infusion(march, march + 9))["age"] == 18

    def test_year_of_birth_gives_the_age_reached_that_year(self) -> None:
        """Where only the year is known, the age is the one reached in that year."""
        someone = person(birth="1976-01-01", birth_year_only=True)
        assert entered(MAS, someone, *STORM, infusion(24, 40))["age"] == 44

    @pytest.mark.parametrize(("years", "age"), [(-1.5, 43), (-0.5, 44), (0.9, 44), (1.1, 45)])
    def test_a_dated_age_moves_with_the_years(self, years: float, age: int) -> None:
        """Whole years between the date of the age and entry are added, or taken off."""
        someone = person(age=44, age_at=-years * 365.2425 * DAY)
        row = entered(MAS, someone, *STORM, infusion(0, 10))
        assert (row["age"], row["age_undated"]) == (age, False)

    def test_an_undated_age_is_said_to_be_one(self) -> None:
        """An age without the day it was true on is taken as it stands and marked."""
        row = entered(MAS, person(age=44), *STORM, infusion(0, 10))
        assert (row["age"], row["age_undated"]) == (44, True)


class TestAttrition:
    """Everybody who leaves does so at one step, with one reason."""

    def test_each_leaves_once(self) -> None:
        """Seven patients, seven reasons, in the order of the steps."""
        people = [
            person("child", age=15), person("ageless", age=None), person("untreated"),
            person("injected"), person("early"), person("stormless"), person("cancer"), person("case"),
        ]  # fmt: skip
        rows = [
            *people,
            dose("anakinra", 0, amount="100 mg", route="SC", person=3),
            dose("anakinra", -9000, -8900, rate="100 mg/h", person=4),
            *(dose("anakinra", 0, 20, rate="100 mg/h", person=i) for i in (0, 5, 6, 7)),
            *(condition("mas", 0, person=i) for i in (0, 4, 6, 7)),
            condition("lymphoma", -100, person=6),
        ]
        info = StudyInfo(recruitment_start="2020-01-01", recruitment_end="2020-12-31")
        assert left(MAS, *rows, info=info) == [
            "younger than 18",
            "age not recorded",
            "no anakinra given",
            NO_INFUSION,
            "outside the recruitment dates",
            NO_STORM,
            "excluded: malignancy",
            "",
        ]

    @pytest.mark.parametrize(
        ("hour", "inside"), [(-1 / 60, False), (0, True), (47.99, True), (48, False)]
    )
    def test_both_recruitment_dates_are_included(self, hour: float, inside: bool) -> None:
        """From midnight of the first day to midnight after the last."""
        info = StudyInfo(recruitment_start="2020-01-01", recruitment_end="2020-01-02")
        reason = left(MAS, *STORM, infusion(hour, hour + 10), info=info)
        assert reason == ["" if inside else "outside the recruitment dates"]

    def test_a_recruitment_end_with_an_hour_ends_there(self) -> None:
        """A recruitment end with an hour ends at that hour; a date alone includes its whole day."""
        info = StudyInfo(recruitment_end="2020-01-01T12:00")
        assert left(MAS, *STORM, infusion(12, 30), info=info) == [""]
        assert left(MAS, *STORM, infusion(12.1, 30), info=info) == ["outside the recruitment dates"]

    def test_the_entry_test_tells_unmeasured_from_unusable_from_low(self) -> None:
        """A ferritin without a unit is not a ferritin that was never measured."""
        rows = [
            *(person(name) for name in "abcd"),
            lab("ferritin", 900, 0, unit="", person=1),
            lab("ferritin", 499, 0, person=2),
            lab("ferritin", 500, 0, person=3),
            lab("temperature", 38, 1, person=3),
        ]
        assert left(HI, *rows) == [
            "ferritin not measured",
            "ferritin measured, but no value could be used",
            "entry test not met: ferritin never 500 or more",
            "",
        ]
        found, _ = study(HI, *rows)
        assert found.assessed.tolist() == [False, False, False, True]
        assert found.population.all()

    def test_nobody_at_all(self) -> None:
        """Without a single candidate there is an empty cohort and a whole attrition."""
        _, selection = study(MAS, person("a"), person("b"))
        assert len(selection.cohort) == 0
        assert [int(step.remaining.sum()) for step in selection.steps][:4] == [2, 2, 2, 0]


class TestExclusions:
    """Active malignancy, immune-effector therapy and primary HLH exclude."""

    @pytest.mark.parametrize(
        ("diagnosis", "excluded"),
        [
            (condition("lymphoma", -20000), True),
            (condition("lymphoma", 29 * DAY), True),
            (condition("lymphoma", 89 * DAY), True),
            (condition("lymphoma", 91 * DAY), False),
            (condition("lymphoma", -1830 * DAY), False),
            (condition("CAR-T", 31 * DAY), False),
            (condition("lymphoma"), True),
            (condition("lymphoma", 0, status="suspected"), False),
            (condition("lymphoma", 0, status="excluded"), False),
            (condition("", 0, system="ICD10CM", code="C83.3"), True),
            (condition("", 0, system="ICD10CM", code="Z85.3"), False),
            (condition("", 0, system="ICD10CM", code="C91.01"), False),
            (condition("history of breast cancer", 0), False),
            (condition("CAR-T", -50), True),
            (condition("familial HLH", 5000), True),
        ],
    )
    def test_when_a_diagnosis_excludes(self, diagnosis: Row, excluded: bool) -> None:
        """Recorded before entry or within 30 days after it; cancer five years before it to 90 days after it.

        A cancer of next year, one of six years ago, one suspected or excluded, in remission or in the history does not
        exclude; a disease one is born with does, whenever it was found.
        """
        [reason] = left(MAS, *STORM, infusion(0, 20), diagnosis)
        assert reason.startswith("excluded: ") is excluded

    @pytest.mark.parametrize(("admitted", "excluded"), [(100 * DAY, False), (20 * DAY, True)])
    def test_a_code_belongs_to_its_stay(self, admitted: float, excluded: bool) -> None:
        """Coded at discharge and without an onset, it was recorded during that stay."""
        coded = condition("", system="ICD10CM", code="C83.3", stay_id="later")
        rows = [infusion(0, 20), stay(admitted, admitted + 99, "later"), coded]
        assert (left(MAS, *STORM, *rows) != [""]) is excluded


class TestStorm:
    """The storm is judged in the fourteen days up to entry."""

    LUPUS = (condition("systemic lupus", -9999),)

    def ferritin(self, value: float | str, hour: float) -> list[str]:
        return left(MAS, *self.LUPUS, lab("ferritin", value, hour), infusion(0, 20))

    def test_possible_needs_a_ferritin_of_684(self) -> None:
        """With nothing else known everything is possible, but not without the ferritin."""
        assert self.ferritin(684, -10) == [""]
        assert self.ferritin(683.9, -10) == [NO_STORM]
        assert left(MAS, lab("temperature", 40, -10), infusion(0, 20)) == [NO_STORM]

    def test_a_study_of_a_drug_can_do_without_a_storm(self) -> None:
        """With `required = false` whoever was given the drug enters, and whether there was a storm is a column."""
        asked = protocol.load(MAS)
        asked = replace(asked, storm=replace(asked.storm, required=False))
        assert left(asked, lab("temperature", 40, -10), infusion(0, 20)) == [""]
        found = entered(asked, lab("temperature", 40, -10), infusion(0, 20))
        assert found["storm"] == "undetermined"

    def test_a_censored_ferritin_counts_as_far_as_it_is_certain(self) -> None:
        """`>2000` is above 684; `<2000` may be anything, `>500` as well."""
        assert self.ferritin(">2000", -10) == [""]
        assert self.ferritin("<2000", -10) == [NO_STORM]
        assert self.ferritin(">500", -10) == [NO_STORM]

    @pytest.mark.parametrize(
        ("hour", "inside"),
        [(-14 * DAY, True), (-14 * DAY - 1 / 60, False), (0, True), (1 / 60, False)],
    )
    def test_both_ends_of_the_window_are_included(self, hour: float, inside: bool) -> None:
        """A ferritin drawn 14 days before entry, or at entry, counts; a minute outside does not."""
        assert (self.ferritin(9000, hour) == [""]) is inside

    def definite(self, hour: float) -> list[Row]:
        """Draws and findings that make an HScore of 169 or more certain."""
        return [
            lab("ferritin", 9000, hour), lab("temperature", 40, hour), lab("triglycerides", 5, hour),
            lab("fibrinogen", 1.5, hour), lab("ast", 300, hour),
        ]  # fmt: skip

    def test_definite_from_the_moment_it_is_certain(self) -> None:
        """Onset is the first moment at which the storm was possible."""
        row = entered(MAS, lab("ferritin", 900, -40), *self.definite(-10), infusion(0, 20))
        assert (row["storm"], row["storm_onset"], row["clinician"]) == ("definite", -40, False)

    def test_what_came_after_entry_does_not_count(self) -> None:
        """The storm is judged with what was drawn up to entry; a later peak does not make it definite."""
        row = entered(MAS, lab("ferritin", 900, -40), *self.definite(1), infusion(0, 20))
        assert (row["storm"], row["storm_onset"]) == ("possible", -40)

    def test_a_value_still_in_force_at_the_start_of_the_window_counts(self) -> None:
        """Certain 15 days before entry, and certain for some hours yet: definite."""
        row = entered(MAS, *self.definite(-14 * DAY - 10), infusion(0, 20))
        assert (row["storm"], row["storm_onset"]) == ("definite", -14 * DAY)

    def mas2016(self) -> list[Row]:
        return [
            lab("ferritin", 700, -10), lab("temperature", 38.5, -10), lab("platelets", 150, -10),
            lab("ast", 60, -10), lab("fibrinogen", 5, -10), lab("triglycerides", 1, -10),
            lab("haemoglobin", 12, -10), lab("neutrophils", 9, -10), lab("wbc", 12, -10),
            finding("hepatomegaly", "no", -10), finding("splenomegaly", "no", -10),
            finding("haemophagocytosis", "no", -10), finding("immunosuppression", "no", -10),
        ]  # fmt: skip

    def test_the_2016_criteria_select_only_in_stills_disease(self) -> None:
        """Fulfilled in adult-onset Still's disease: definite. In lupus: they say nothing."""
        storms = [
            entered(MAS, disease, *STORM, *self.mas2016(), infusion(0, 20))["storm"]
            for disease in (condition("adult onset still's disease"), condition("lupus"))
        ]
        assert storms[0] == "definite"
        assert storms[1] != "definite"

    def test_a_clinicians_diagnosis_is_enough(self) -> None:
        """It enters as such, with its own column; then onset is entry, for want of a better one."""
        row = entered(MAS, condition("MAS", -48), infusion(0, 20))
        assert (row["storm"], row["clinician"], row["storm_onset"]) == ("not assessed", True, 0)

    def test_a_storm_for_which_nothing_was_known_is_not_assessed(self) -> None:
        """Unknown is never no: one value that a definition reads, in the fourteen days, leaves it "undetermined"."""
        said = condition("MAS", -48)
        for rows, word in (
            ([lab("sodium", 140, -10)], "not assessed"),
            ([lab("ferritin", 300, -10)], "undetermined"),
            ([lab("ferritin", 300, -30 * 24)], "not assessed"),
        ):
            assert entered(MAS, said, *rows, infusion(0, 20))["storm"] == word

    HEALTHY = (
        lab("ferritin", 300, -2), lab("temperature", 37, -2), lab("haemoglobin", 13, -2), lab("platelets", 250, -2),
        lab("wbc", 8, -2), lab("neutrophils", 5, -2), lab("triglycerides", 1, -2), lab("fibrinogen", 3, -2),
        lab("ast", 20, -2), finding("splenomegaly", "no", -2),
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("left_out", "word"),
        [
            ((), "not met"),  # at most 18 + 23 + 35 and two criteria are open
            (("temperature",), "not met"),
            (("triglycerides", "fibrinogen", "temperature"), "undetermined"),
            (("ferritin",), "not met"),
            (("ferritin", "splenomegaly", "temperature"), "undetermined"),
            (("haemoglobin", "platelets", "wbc", "neutrophils", "triglycerides", "ast"), "undetermined"),
            (("neutrophils", "haemoglobin", "splenomegaly", "ferritin"), "undetermined"),  # five criteria are open
        ],
    )  # fmt: skip
    def test_a_storm_is_not_met_only_where_no_definition_could_be(
        self, left_out: tuple[str, ...], word: str
    ) -> None:
        """Tests that were not done leave a storm undetermined as soon as they could make one: HScore 169 or five criteria."""
        rows = [
            row
            for row in self.HEALTHY
            if row.cells.get("name", row.cells.get("finding")) not in left_out
        ]
        found = entered(MAS, condition("MAS", -48), *rows, infusion(0, 20))
        assert found["storm"] == word

    def test_values_that_are_too_old_at_entry_deny_nothing(self) -> None:
        """Everything normal five days before entry says nothing of the day of entry."""
        old = [
            Row(row.table, {**row.cells, "time": row.cells["time"] - 120}) for row in self.HEALTHY
        ]
        found = entered(MAS, condition("MAS", -48), *old, infusion(0, 20))
        assert found["storm"] == "undetermined"

    def test_a_peak_that_could_have_been_a_storm_is_not_denied_by_entry(self) -> None:
        """Four days before entry a fever, and nothing else known, could have been a storm, although all is normal at entry."""
        fever = lab("temperature", 39.6, -100)
        found = entered(MAS, condition("MAS", -48), fever, *self.HEALTHY, infusion(0, 20))
        assert found["storm"] == "undetermined"

    def test_a_rule_of_a_disease_that_is_not_on_record_leaves_nothing_open(self) -> None:
        """The criteria of 2016 could be met by an open test, but only in somebody with Still's disease."""
        rows = [
            row for row in self.HEALTHY if row.cells.get("name") not in {"ferritin", "platelets"}
        ]
        fever = lab("temperature", 38.2, -2)
        words = [
            entered(
                MAS,
                condition("MAS", -48),
                *disease,
                *rows[1:],
                fever,
                finding("hepatomegaly", "no", -2),
                infusion(0, 20),
            )["storm"]
            for disease in ((), (condition("adult onset still's disease", -9999),))
        ]
        assert words == ["not met", "undetermined"]

    @pytest.mark.parametrize(
        ("diagnosis", "counts"),
        [
            (condition("mas", -31 * DAY), False),
            (condition("mas", -30 * DAY), True),
            (condition("mas", 30 * DAY), True),
            (condition("mas", 31 * DAY), False),
            (condition("mas"), True),
            (condition("mas", 0, status="suspected"), False),
            (condition("mas", stay_id="S1"), True),
        ],
    )
    def test_it_has_to_be_a_diagnosis_of_this_storm(self, diagnosis: Row, counts: bool) -> None:
        """Within 30 days of entry, or of the stay, or without any date. Suspected is not enough."""
        admitted = stay(-40 * DAY, 40 * DAY, "S1")
        assert (left(MAS, admitted, diagnosis, infusion(0, 20)) == [""]) is counts


class TestIndexHour:
    """Hyperinflammation begins when a high ferritin and a qualifying value are both available."""

    def index(self, *rows: Row) -> float | None:
        found, _ = study(HI, *rows)
        return hours(int(found.clocks.index[0]))

    def test_both_have_to_be_available(self) -> None:
        """A ferritin drawn at hour 0 and reported at 7, fever at 3: hour 7."""
        fever = lab("temperature", 38.0, 3)
        assert self.index(lab("ferritin", 500, 0, available=7), fever) == 7
        assert self.index(lab("ferritin", 500, 0, available=1), fever) == 3

    @pytest.mark.parametrize(
        ("hour", "near"), [(-48, True), (-48.01, False), (48, True), (48.01, False)]
    )
    def test_within_48_hours_of_each_other(self, hour: float, near: bool) -> None:
        """Exactly 48 h either way is near; by when they were drawn, not by when they came back."""
        rows = lab("ferritin", 900, 0, available=100), lab("platelets", 99, hour, available=120)
        assert self.index(*rows) == (120 if near else None)

    def test_not_near_when_drawn_far_apart_but_reported_together(self) -> None:
        """What counts is when both were drawn: 60 h apart is not near, though both were reported at once."""
        rows = lab("ferritin", 900, 0, available=60), lab("platelets", 99, 60)
        assert self.index(*rows) is None

    @pytest.mark.parametrize(
        ("row", "qualifies"),
        [
            (lab("temperature", 37.9, 0), False),
            (lab("temperature", 100.4, 0, unit="°F"), True),
            (lab("haemoglobin", 9.0, 0), False),
            (lab("haemoglobin", 89, 0, unit="g/L"), True),
            (lab("haemoglobin", 90, 0, unit="g/L"), False),
            (lab("haemoglobin", "<9.0", 0), True),
            (lab("haemoglobin", "<9.5", 0), False),
            (lab("platelets", 100, 0), False),
            (lab("neutrophils", 0.9, 0), True),
            (lab("neutrophils", "<1.0", 0), True),
            (lab("wbc", 0.1, 0), False),
        ],
    )
    def test_what_qualifies(self, row: Row, qualifies: bool) -> None:
        """T ≥38.0, Hb <9, platelets <100 or neutrophils <1.0, for certain and in any unit."""
        assert (self.index(lab("ferritin", 900, 0), row) is not None) is qualifies

    @pytest.mark.parametrize(
        ("value", "reaches"), [(">15000", True), (">400", False), ("<600", False), (500, True)]
    )
    def test_a_censored_ferritin_reaches_what_is_certain(
        self, value: float | str, reaches: bool
    ) -> None:
        """A ferritin that the assay cut off qualifies only if every value it can stand for does."""
        rows = lab("ferritin", value, 0), lab("temperature", 39, 0), lab("ferritin", 1, 500)
        assert (self.index(*rows) is not None) is reaches

    def test_a_date_alone_is_available_at_the_end_of_the_day(self) -> None:
        """Drawn at 0:00 for the 48 hours, available at 24:00 for the index."""
        rows = lab("ferritin", 900, 0, date_only=True), lab("temperature", 39, 2)
        assert self.index(*rows) == 24

    def test_the_earliest_pair_counts(self) -> None:
        """Not the first ferritin, but the first instant at which some pair is complete."""
        rows = [
            lab("ferritin", 900, 0, available=90), lab("ferritin", 800, 10, available=20),
            lab("temperature", 39, 12), lab("haemoglobin", 8, 5, available=15),
        ]  # fmt: skip
        assert self.index(*rows) == 20

    def test_two_ferritins_of_one_minute_that_disagree_are_not_certain(self) -> None:
        """400 and 600 in one draw: somewhere between, so 500 is not certainly reached."""
        rows = [lab("ferritin", 400, 0), lab("ferritin", 600, 0), lab("temperature", 39, 0)]
        assert self.index(*rows) is None

    def test_others_do_not_lend_their_values(self) -> None:
        """The fever of one patient does not qualify the ferritin of another."""
        rows = [
            person("a"),
            person("b"),
            lab("ferritin", 900, 0),
            lab("temperature", 39, 0, person=1),
        ]
        assert left(HI, *rows) == ["no index hour", "ferritin not measured"]

    def test_a_storm_that_comes_within_72_hours_is_a_column(self) -> None:
        """Definite, possible or not met at the index and 72 h later; never a reason to leave."""
        rows = [
            lab("ferritin", 600, 0), lab("temperature", 38.0, 0),
            lab("ferritin", 9000, 72), lab("temperature", 40, 72), lab("triglycerides", 5, 72),
            lab("fibrinogen", 1.5, 72), lab("ast", 300, 72),
        ]  # fmt: skip
        row = entered(HI, *rows)
        found = (row["index_time"], row["storm"], row["storm_72h"])
        assert found == (0, "undetermined", "definite")
        later = [lab(*each) for each in (("ferritin", 600, 0), ("temperature", 38.0, 0))]
        assert entered(HI, *later)["storm_72h"] == "undetermined"


class TestImmunosuppression:
    """HIV, a systemic immunosuppressant for 28 of the 90 days before the illness, or a finding."""

    def state(self, *rows: Row, hour: float = 0) -> bool | None:
        low, _ = chunk(*rows).immunosuppressed.at([0], [at(hour)])
        return None if low[0] == -np.inf else bool(low[0])

    def pills(self, days: int, until: float = 0, drug: str = "prednisolone") -> list[Row]:
        """One dose a day at noon, the last on the day before `until`."""
        ends = until // DAY * DAY
        return [
            dose(drug, ends - DAY * day - 12, amount="7.5 mg", route="PO") for day in range(days)
        ]

    def test_nobody_said_anything(self) -> None:
        """Unknown: what is not written down is not a no."""
        assert self.state(stay(0, 200), lab("ferritin", 900, 0)) is None

    def test_28_days_of_the_90_before_admission(self) -> None:
        """28 days with a systemic immunosuppressant in the 90 before the admission are immunosuppression; after 27 it is not known."""
        assert self.state(stay(10, 200), *self.pills(28), hour=20) is True
        assert self.state(stay(10, 200), *self.pills(27), hour=20) is None

    def test_days_longer_ago_do_not_count(self) -> None:
        """Twenty-eight days, of which one is the 91st before the admission."""
        assert self.state(stay(10, 200), *self.pills(28, until=-62 * DAY), hour=20) is True
        assert self.state(stay(10, 200), *self.pills(28, until=-63 * DAY), hour=20) is None

    def test_the_treatment_of_the_storm_never_counts(self) -> None:
        """Forty days of prednisolone after the admission make nobody immunosuppressed before it."""
        course = [dose("prednisolone", DAY * n, amount="60 mg", route="PO") for n in range(40)]
        assert self.state(stay(0, 40 * DAY), *course, hour=39 * DAY) is None
        # Nor after going home for ten days with the same illness.
        stays = stay(0, 40 * DAY), stay(50 * DAY, 60 * DAY, "S2")
        assert self.state(*stays, *course, hour=55 * DAY) is None

    def test_it_holds_for_the_days_that_lead_to_the_admission(self) -> None:
        """The illness began before the door: what is true at admission was true in the week before."""
        assert self.state(stay(0, 200), *self.pills(60), hour=-7 * DAY) is True

    def test_creams_drops_and_inhalers_never_count(self) -> None:
        """A glucocorticoid on the skin, in the eye or inhaled suppresses nobody."""
        for route in ("topical", "ophthalmic", "inhaled"):
            doses = [
                dose("dexamethasone", -DAY * n, amount="1 mg", route=route) for n in range(1, 80)
            ]
            assert self.state(stay(0, 200), *doses) is None

    def test_a_weekly_dose_stands_for_a_week(self) -> None:
        """Four doses of methotrexate are 28 days, though they were swallowed on four of them."""
        weekly = [
            dose("methotrexate", -7 * DAY * n, amount="15 mg", route="PO") for n in (1, 2, 3, 4)
        ]
        assert self.state(stay(10, 200), *weekly, hour=20) is True
        assert self.state(stay(10, 200), *weekly[:3], hour=20) is None

    def test_a_dose_that_was_not_given_does_not_count(self) -> None:
        """Tablets charted as not given are no treatment."""
        held = [
            dose("prednisolone", -DAY * n, amount="9 mg", route="PO", status="not given")
            for n in range(1, 80)
        ]
        assert self.state(stay(0, 200), *held) is None

    def test_without_any_admission_the_illness_begins_with_the_ferritin(self) -> None:
        """The first ferritin of 500 or more; the drugs given after it treat the storm."""
        rows = [*self.pills(30), lab("ferritin", 500, 10)]
        assert self.state(*rows, hour=20) is True
        late = [dose("prednisolone", 20 + DAY * n, amount="60 mg", route="PO") for n in range(40)]
        assert self.state(lab("ferritin", 900, 10), *late, hour=20 + 39 * DAY) is None
        assert self.state(lab("ferritin", 499, 10), *late, hour=20 + 39 * DAY) is True

    def test_outside_an_illness_the_days_before_the_moment_count(self) -> None:
        """At home, without high ferritin, 28 of the last 90 days with a drug are immunosuppression; it ends 90 days after the first of them."""
        pills = self.pills(28)  # the days -28 to -1
        found = [self.state(*pills, hour=h) for h in (-1, 0, 62 * DAY + 23, 63 * DAY)]
        assert found == [None, True, True, None]
        assert self.state(*self.pills(27), hour=0) is None

    def test_a_drug_that_ended_before_an_old_stay_says_nothing_years_later(self) -> None:
        """Forty days of prednisone before an admission count for that illness and for the weeks after it, not for a ferritin three years later."""
        rows = [stay(10, 100), *self.pills(40), lab("ferritin", 7000, 3 * 365 * DAY)]
        assert self.state(*rows, hour=50) is True
        assert self.state(*rows, hour=3 * 365 * DAY) is None
        again = self.pills(40, until=3 * 365 * DAY)
        assert self.state(*rows, *again, hour=3 * 365 * DAY + 1) is True

    def test_an_admission_goes_on_for_14_days_after_the_discharge(self) -> None:
        """Treated for 40 days in hospital, somebody is not immunosuppressed by it until 14 days after going home; after that the days before the moment count."""
        course = [dose("prednisolone", DAY * n, amount="60 mg", route="PO") for n in range(40)]
        ward, over = stay(0, 40 * DAY), (40 + 14) * DAY
        minute = 1 / 60
        found = [self.state(ward, *course, hour=over + m) for m in (-minute, 0, minute)]
        assert found == [None, True, True]
        # While ferritin was high less than 90 days ago, it is still the treatment of that illness.
        high = lab("ferritin", 900, 30 * DAY)
        found = [self.state(ward, *course, high, hour=h) for h in (over, 102 * DAY - 1)]
        assert found == [None, None]

    def test_the_rows_that_say_so_are_named(self) -> None:
        """The doses of the 90 days before the moment stand behind the answer, and no older ones."""
        patient = chunk(*self.pills(28), *self.pills(5, until=-200 * DAY))
        rows = patient.immunosuppressed.evidence(0, at(1))
        assert len(rows) == 28

    def test_outpatient_visits_are_not_an_admission(self) -> None:
        """A visit does not begin an illness: the days before the first high ferritin count."""
        visit = stay(-30 * DAY, -30 * DAY + 1, kind="outpatient")
        assert self.state(visit, *self.pills(30), lab("ferritin", 900, 10), hour=20) is True

    def test_a_finding_says_yes_or_no_for_a_year(self) -> None:
        """A documented yes or no stands for 365 days, then it is not known."""
        said = finding("immunosuppression", "no", 0)
        assert self.state(said, hour=364 * DAY) is False
        assert self.state(said, hour=366 * DAY) is None
        assert self.state(finding("immunosuppression", "yes", 0), hour=1) is True

    def test_a_written_no_does_not_outweigh_the_pills(self) -> None:
        """Sixty days of tablets are immunosuppression, whatever a form says."""
        rows = [stay(0, 200), *self.pills(60), finding("immunosuppression", "no", 1)]
        assert self.state(*rows, hour=2) is True

    def test_hiv_counts_from_when_it_may_have_been_known(self) -> None:
        """From 30 days before it was first recorded; always, where nothing says when."""
        assert self.state(condition("HIV"), hour=0) is True
        assert self.state(condition("HIV", 20 * DAY), hour=0) is True
        assert self.state(condition("HIV", 40 * DAY), hour=0) is None
        assert self.state(condition("HIV", 0, status="excluded"), hour=0) is None


class TestDescription:
    """What is said of each patient of the cohort."""

    def case(self, *rows: Row) -> dict[str, object]:
        return entered(MAS, *STORM, *rows)

    def test_transferred_in_on_the_drug(self) -> None:
        """Time zero within an hour of arriving from another hospital: it began before the records."""
        came = stay(0, 99, origin="transfer")
        assert self.case(came, infusion(1, 20))["left_truncated"] is True
        assert self.case(came, infusion(1.1, 20))["left_truncated"] is False
        assert self.case(stay(0, 99, origin="home"), infusion(1, 20))["left_truncated"] is False

    def test_moving_to_intensive_care_is_not_a_transfer_in(self) -> None:
        """Somebody who is in hospital already began the drug here, on the day of moving."""
        ward, icu = stay(-50, 0), stay(0, 99, "S2", "ICU", origin="transfer")
        assert self.case(ward, icu, infusion(1, 20))["left_truncated"] is False

    def test_discharge_is_the_end_of_the_chain_of_stays(self) -> None:
        """Emergency department, ward and intensive care, a day apart at most, are one admission."""
        stays = [stay(-30, -24, "E", "ED"), stay(0, 50, "W"), stay(70, 90, "I", "ICU")]
        assert self.case(*stays, infusion(5, 20))["discharge"] == 90
        assert self.case(*stays[:2], stay(74.1, 90, "I"), infusion(5, 20))["discharge"] == 50

    def test_discharge_of_an_index_shortly_before_the_admission(self) -> None:
        """Results of the emergency department are often older than the stay: a day at most."""
        assert self.case(stay(24, 99), infusion(0, 20))["discharge"] == 99
        assert self.case(stay(24.1, 99), infusion(0, 20))["discharge"] is None

    def test_a_stay_without_an_end_has_no_discharge(self) -> None:
        """Still in hospital as far as anybody knows: not discharged an hour after admission."""
        assert self.case(stay(0, None), infusion(5, 20), lab("ast", 9, 99))["discharge"] is None
        stays = stay(-900, None, "S0"), stay(0, 50)
        assert self.case(*stays, infusion(5, 20))["discharge"] == 50

    def test_weight_is_the_one_in_force_at_time_zero(self) -> None:
        """Measured in the 24 h before, else in the 24 h after, else that of the persons table."""
        sheet, dose = person(weight_kg=60.0), infusion(0, 20)
        before, after = lab("weight", 62.5, -23), lab("weight", 70, 23)
        assert self.case(sheet, before, after, dose)["weight_kg"] == 62.5
        assert self.case(sheet, after, dose)["weight_kg"] == 70
        found = self.case(sheet, lab("weight", 62.5, -24), lab("weight", 70, 24), dose)
        assert (found["weight_kg"], found["weight_source"]) == (60.0, "persons sheet")

    def test_first_route_is_that_of_time_zero(self) -> None:
        """The first route is that of the dose that set time zero."""
        assert self.case(*sc(0), infusion(6, 20))["first_route"] == "SC"
        assert self.case(*iv(0), *sc(3), infusion(6, 20))["first_route"] == "IV"

    def test_underlying_disease_by_its_narrowest_name(self) -> None:
        """Systemic lupus is not also an autoimmune disease; two diseases are both named."""
        rows = [condition("lupus"), condition("rheumatoid arthritis", status="suspected")]
        assert self.case(*rows, infusion(0, 20))["underlying"] == "sle"
        both = [condition("still's disease"), condition("lupus")]
        assert self.case(*both, infusion(0, 20))["underlying"] == "aosd|sle"


def test_every_shipped_protocol_runs_on_somebody_with_nothing_recorded() -> None:
    """Nobody enters, nothing fails, and the attrition begins with everybody."""
    for name in protocol.shipped():
        _, selection = study(name, person("a"), procedure("crrt", 0))
        assert selection.steps[0].remaining.tolist() == [True]
        assert len(selection.cohort) == 0
