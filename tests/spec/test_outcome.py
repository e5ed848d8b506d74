"""How it ended, and what came before: follow-up, death, maintenance, earlier immunotherapies."""

from typing import Any

import pytest

from tests.records import hours
from tests.spec.patients import Patients, patients

DATE = 48.0
"""Hours from time zero to a midnight: a time that is only a date."""

CIV = "start | end | drug | route | mg | mg_h\n0 | 96 | anakinra | IV | | 100\n"


HOME = "start | end | to\n-50 | 480 | home"


def after(*rows: str) -> str:
    """The infusion, and doses after it."""
    return CIV + "\n".join(rows)


def daily(drug: str, first: float, times: int, mg: float, every: float = 24) -> list[str]:
    return [f"{first + i * every} | | {drug} | SC | {mg} |" for i in range(times)]


@pytest.mark.parametrize(
    ("known", "died", "days"),
    [
        ({"last_contact": 9888, "last_contact_status": "alive"}, False, 412),
        ({"last_contact": 9888}, None, 412),
        ({"death_time": 262}, True, 262 / 24),
        ({"death_time": 262, "last_contact": 300}, None, 262 / 24),
        ({"death_time": 262, "last_contact": 300, "last_contact_status": "dead"}, True, 262 / 24),
        ({"discharge": 480}, None, 20),
        ({"discharge": 480, "stays": HOME}, False, 20),
        ({"discharge": 480, "stays": HOME.replace("home", "transfer")}, False, 20),
        ({"discharge": 480, "stays": HOME.replace("home", "alive")}, False, 20),
        ({"discharge": 480, "stays": HOME.replace("home", "")}, None, 20),
        ({"discharge": 480, "last_contact": 240, "stays": HOME}, False, 20),
        ({"discharge": 480, "last_contact": 720, "stays": HOME}, False, 20),
        (
            {"discharge": 480, "last_contact": 720, "last_contact_status": "lost", "stays": HOME},
            False,
            20,
        ),
        (
            {"discharge": 480, "last_contact": 720, "last_contact_status": "D", "stays": HOME},
            None,
            30,
        ),
        (
            {
                "discharge": 480,
                "last_contact": 720,
                "last_contact_status": "gestrobed",
                "stays": HOME,
            },
            None,
            30,
        ),
        (
            {"discharge": 480, "last_contact": 240, "last_contact_status": "D", "stays": HOME},
            False,
            20,
        ),
        ({"stays": "start | end | to\n-90 | -1 | home", "last_contact": 240}, None, 10),
        ({"stays": "start | end | to\n-90 | 0 | home", "last_contact": 240}, False, 0),
        ({"end_of_records": 120}, None, 5),
        ({"last_contact": 240, "last_contact_status": "dead"}, True, None),
        ({"cause_of_death": "infection", "end_of_records": 120}, True, 5),
        ({"died": "yes", "end_of_records": 120}, True, 5),
        ({"died": "yes", "last_contact": 240, "last_contact_status": "alive"}, True, 10),
        ({"died": "no", "last_contact": 240}, False, 10),
        ({"died": "no", "end_of_records": 120}, False, 5),
        ({"died": "unknown", "last_contact": 240}, None, 10),
        ({"last_contact_status": "alive", "end_of_records": 120}, False, 5),
    ],
)
def test_nobody_is_alive_without_a_contact_that_says_so(
    known: dict[str, object], died: bool | None, days: float | None
) -> None:
    """A last record alone says neither alive nor dead."""
    row = patients(doses=CIV, infusion_start=0, **known).outcome()  # type: ignore[arg-type]
    assert row["died"] is died
    if days is not None:
        assert row["follow_up_days"] == pytest.approx(days, abs=1e-6)


@pytest.mark.parametrize(
    ("contact", "hour", "died", "days"),
    [
        (250, 249, None, 250 / 24),
        (250, 250, None, 250 / 24),
        (250, 251, False, 251 / 24),
        (DATE, DATE + 23.9, None, DATE / 24),  # a contact with a date alone: any moment of that day
        (DATE, DATE + 24, False, (DATE + 24) / 24),
    ],
)
@pytest.mark.parametrize("word", ["", "unknown", "D", "gestrobed"])
def test_a_value_after_the_last_contact_shows_that_the_person_lived(
    word: str, contact: float, hour: float, died: bool | None, days: float
) -> None:
    """Whatever the word is that says nothing; a value before the contact does not."""
    row = patients(
        f"hour | crp\n{hour} | 5",
        doses=CIV,
        infusion_start=0,
        last_contact=contact,
        last_contact_status=word,
    ).outcome()
    assert row["died"] is died
    assert row["follow_up_days"] == pytest.approx(days, abs=1e-6)


@pytest.mark.parametrize(
    ("known", "time", "kind"),
    [
        ({"last_contact": 240, "last_contact_status": "died of sepsis"}, 240, "at latest"),
        ({"last_contact": DATE, "last_contact_status": "†"}, DATE, "at latest"),
        ({"last_contact": 240, "last_contact_status": "died", "death_time": 200}, 200, "exact"),
        ({"death_time": DATE, "death_date_only": True}, DATE, "date"),
        ({"last_contact_status": "died"}, None, ""),
        ({"died": "yes"}, None, ""),
        ({"died": "yes", "last_contact": 240}, None, ""),
        ({"last_contact": 240, "last_contact_status": "alive"}, None, ""),
    ],
)
def test_a_word_for_dead_at_the_last_contact_is_a_death_by_that_date(
    known: dict[str, object], time: float | None, kind: str
) -> None:
    """Marked, because it may have been earlier; a recorded time of death comes first."""
    row = patients(doses=CIV, infusion_start=0, end_of_records=1, **known).outcome()  # type: ignore[arg-type]
    assert (hours(row["death_time"]), row["death_time_is"]) == (time, kind)


def test_whether_the_drug_ran_at_a_death_of_unknown_hour_is_unknown() -> None:
    """The infusion ran until 96 h, the contact that says died is of 50 h, the death then or before."""
    row = patients(
        doses=CIV, infusion_start=0, last_contact=50, last_contact_status="died"
    ).outcome()
    assert (row["died"], row["on_drug_at_death"]) == (True, None)


@pytest.mark.parametrize(("to", "discharged"), [("home", 470), ("transfer", 470), ("", None)])
def test_who_went_home_and_was_dead_at_a_contact_that_day_had_been_discharged(
    to: str, discharged: float | None
) -> None:
    """Where nobody says where the stay ended, the death may have ended it."""
    stay = HOME.replace("480 | home", f"470 | {to}")
    row = patients(
        doses=CIV,
        infusion_start=0,
        stays=stay,
        discharge=470,
        last_contact=456,
        last_contact_status="died",
    ).outcome()
    assert hours(row["discharged"]) == discharged


def test_doses_end_with_the_day_of_a_death_by_a_last_contact() -> None:
    """The latest possible moment of the death: nothing is infused after it."""
    doses = "start | end | drug | route | mg | mg_h\n0 | 900 | anakinra | IV | | 100"
    found = patients(doses=doses, last_contact=DATE, last_contact_status="died").doses
    assert [hours(end) for end in found.frame["until"].tolist()] == [DATE + 24]
    found = patients(doses=doses, last_contact=50, last_contact_status="died").doses
    assert [hours(end) for end in found.frame["until"].tolist()] == [50]


def test_a_stay_that_ended_in_death_is_a_death() -> None:
    """A stay with destination died is a death at its end, though no hour of death is recorded."""
    row = patients(
        doses=CIV, infusion_start=0, stays="start | end | to\n-50 | 242 | died"
    ).outcome()
    assert (row["died"], row["follow_up_days"], hours(row["death_time"])) == (
        True,
        pytest.approx(242 / 24, abs=1e-6),
        242,
    )


@pytest.mark.parametrize(("discharge", "discharged"), [(299, 299), (300, None), (301, None)])
def test_who_dies_by_the_moment_of_discharge_was_not_discharged(
    discharge: float, discharged: float | None
) -> None:
    """The stay of somebody who dies in hospital ends at death: that is no discharge alive."""
    row = patients(doses=CIV, infusion_start=0, death_time=300, discharge=discharge).outcome()
    assert hours(row["discharged"]) == discharged


@pytest.mark.parametrize(("contact", "days"), [(-200, 5), (-1 / 60, 5), (0, 0), (24, 1)])
def test_a_last_contact_before_time_zero_is_not_the_last(contact: float, days: float) -> None:
    """Follow-up is never negative: records of 120 h are a later contact than one before time zero."""
    row = patients(doses=CIV, infusion_start=0, last_contact=contact, end_of_records=120).outcome()
    assert row["follow_up_days"] == pytest.approx(days, abs=1e-6)


def test_a_death_known_by_its_date_is_not_before_time_zero() -> None:
    """The date's midnight is 10 h before t0; the last record of that day is 8 h after it."""
    row = patients(
        doses=CIV, infusion_start=0, death_time=-10, death_date_only=True, end_of_records=8
    ).outcome()
    assert row["follow_up_days"] == pytest.approx(8 / 24, abs=1e-6)


@pytest.mark.parametrize(
    ("cause", "linked"),
    [("infection", True), ("multi-organ failure|infection", True), ("storm", None), ("", None)],
)
def test_infection_is_linked_when_the_cause_of_death_says_so(
    cause: str, linked: bool | None
) -> None:
    """No word of infection is not yet no infection: microbiology has not been asked."""
    row = patients(doses=CIV, infusion_start=0, death_time=300, cause_of_death=cause).outcome()
    assert row["infection_linked"] is linked


@pytest.mark.parametrize(
    ("death", "on_drug"), [(50, True), (96.1, True), (101.9, True), (102.1, False), (96, None)]
)
def test_on_the_drug_at_death_reaches_as_far_as_a_treatment_episode(
    death: float, on_drug: bool | None
) -> None:
    """The infusion stops at 96 h; an episode of continuous infusion ends after 6 h without drug.

    96 h is a midnight: a death then is known by its date, and it was on the drug for a part of that day.
    """
    row = patients(doses=CIV, infusion_start=0, death_time=death).outcome()
    assert row["on_drug_at_death"] is on_drug


@pytest.mark.parametrize(
    ("death", "low", "high"), [(50, 0, 0), (97.5, 1.5, 1.5), (150, 54, 54), (120, 24, 48)]
)
def test_the_hours_since_the_last_dose_are_those_to_the_death(
    death: float, low: float, high: float
) -> None:
    """The infusion stops at 96 h; a death at 120 h, a midnight, is known by its date: any moment of that day."""
    row = patients(doses=CIV, infusion_start=0, death_time=death).outcome()
    assert row["hours_since_dose"] == pytest.approx(low, abs=1e-6)
    assert row["hours_since_dose_high"] == pytest.approx(high, abs=1e-6)
    assert row["last_dose_row"] == "doses:2"  # after the head


def test_who_lives_was_on_no_drug_at_death() -> None:
    """The question does not arise for somebody who lives: the cell is empty, not no."""
    row = patients(
        doses=CIV, infusion_start=0, last_contact=900, last_contact_status="alive"
    ).outcome()
    assert (row["died"], row["on_drug_at_death"]) == (False, None)


@pytest.mark.parametrize(
    ("doses", "drug"),
    [
        (daily("anakinra", 100, 14, 100), "anakinra"),
        (daily("anakinra", 100, 13, 100), ""),
        (daily("anakinra", 100, 20, 200), "anakinra"),
        (daily("anakinra", 100, 20, 201), ""),
        (daily("anakinra", 100, 12, 100, every=8), ""),
        ([*daily("anakinra", 100, 12, 100, every=6), *daily("anakinra", 172, 15, 100)], "anakinra"),
        ([*daily("anakinra", 100, 7, 100), *daily("anakinra", 400, 7, 100)], ""),
        (daily("canakinumab", 504, 1, 300), "canakinumab"),
        (daily("canakinumab", 504, 6, 300, every=672), "canakinumab"),
        (daily("prednisolone", 100, 60, 10), ""),
        ([], ""),
    ],
)
def test_maintenance_is_a_low_dose_for_two_weeks_after_the_infusion(
    doses: list[str], drug: str
) -> None:
    """Anakinra at a mean of 200 mg a day or less, to the end of the course; canakinumab as given."""
    row = patients(
        doses=after(*doses), infusion_start=0, last_contact=9000, end_of_records=9000
    ).outcome()
    assert row["maintenance_drug"] == drug


def test_canakinumab_shortly_before_death_is_no_maintenance() -> None:
    """Maintenance takes fourteen days after the last continuous dose."""
    doses = after(*daily("canakinumab", 504, 1, 300))
    row = patients(doses=doses, infusion_start=0, death_time=600, end_of_records=600).outcome()
    assert row["maintenance_drug"] == ""


def test_a_dose_of_unknown_mass_proves_no_low_dose() -> None:
    """A dose without its mass cannot show that the day stayed within 200 mg."""
    known, unknown = daily("anakinra", 100, 20, 100), "388 | | anakinra | SC | |"
    ended: dict[str, Any] = {"infusion_start": 0, "last_contact": 9000, "end_of_records": 9000}
    assert patients(doses=after(*known), **ended).outcome()["maintenance_drug"] == "anakinra"
    mixed = after(*known[:12], unknown, *known[13:])
    assert patients(doses=mixed, **ended).outcome()["maintenance_drug"] == ""


def test_a_protocol_without_a_drug_asks_about_none() -> None:
    """A study that enters nobody by a drug leaves the columns about that drug empty."""
    row = patients(doses=CIV, protocol="hyperinflammation", death_time=50).outcome()
    assert (row["on_drug_at_death"], row["maintenance_drug"]) == (None, "")


PRIOR = """
    start | end  | drug               | route     | mg    | mg_h
    -144  | -140 | methylprednisolone | IV        | 1000  |
    -120  | -116 | methylprednisolone | IV        | 1000  |
    -96   |      | tocilizumab        | IV        | 500   |
    -40   | -30  | ciclosporin        | IV        |       | 5
    -30   | -20  | ciclosporin        | IV        |       | 10
    -200  |      | dexamethasone      | eye drops | 1     |
    -100  |      | vancomycin         | IV        | 1000  |
    -300  |      | anakinra           | SC        | 100   |
    -2    | 4    | ivig               | IV        | 30000 |
    1     |      | etoposide          | IV        | 150   |
    """


def treated() -> Patients:
    return patients(doses=PRIOR, infusion_start=0)


def test_earlier_immunotherapies_are_those_begun_before_time_zero() -> None:
    """No antibiotic, no eye drops, nothing begun later; the drug of interest where it came before."""
    assert [row["drug"] for row in treated().prior()] == [
        "anakinra",
        "methylprednisolone",
        "tocilizumab",
        "ciclosporin",
        "ivig",
    ]


def test_each_has_its_first_and_last_dose_and_how_many() -> None:
    """An infusion whose rate changes is one; one that runs on at time zero reaches to it."""
    found = {row["drug"]: row for row in treated().prior()}
    assert {
        drug: (hours(row["first"]), hours(row["last"]), row["doses"], row["hours_before_t0"])
        for drug, row in found.items()
        if drug != "anakinra"
    } == {
        "methylprednisolone": (-144, -116, 2, 116),
        "tocilizumab": (-96, -96, 1, 96),
        "ciclosporin": (-40, -20, 1, 20),
        "ivig": (-2, 0, 1, 0),
    }
    assert found["ciclosporin"]["source_row"] == "doses:5|doses:6"
    assert found["tocilizumab"]["drug_class"] == "interleukin-6 blocker"


def test_nobody_in_the_cohort_gives_empty_tables() -> None:
    """A cohort of nobody is an ordinary result."""
    nobody = patients(persons=0)
    assert len(nobody.prior()) == 0
    assert len(nobody.outcome_table()) == 0
    assert len(nobody.safety_table()) == 0
