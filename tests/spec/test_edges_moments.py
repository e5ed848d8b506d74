"""Exactly at death, at time zero, at the end of a day: moments that no file names.

A death known by its date alone is believed to the end of that day, and not a minute longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm.cohort.storm import StormJudge
from becalm.core.clock import UNKNOWN_TIME
from becalm.doses import EpisodeRules, daily_dose, treatments
from becalm.persons.stays import admissions, ends_of_records
from becalm.protocol import load as protocol
from becalm.timeline import Points, Timeline
from tests.records import at, chunk, dose, hours, infusion, lab, person, stay
from tests.spec.edges import MINUTE, around
from tests.spec.patients import patients

DAY = 24.0
RULES = EpisodeRules.of(protocol("anakinra_mas"))


def test_records_end_with_the_day_of_a_death_without_an_hour() -> None:
    """A last value of that day ends the records; one after that day does not count."""
    for hour, end in (
        (DAY - MINUTE, DAY - MINUTE),
        (DAY, 0),
        (DAY + MINUTE, 0),
        (2 * DAY, 0),
    ):
        rows = person(death=0, death_date_only=True), lab("crp", 5, hour)
        assert hours(int(ends_of_records(chunk(*rows).records)[0])) == pytest.approx(end)


def test_follow_up_ends_with_the_day_of_a_death_without_an_hour() -> None:
    """The midnight of the date is hour 10; later records move the end of follow-up by a day at most."""
    for last, days in ((30, 30 / DAY), (34, 34 / DAY), (60, 34 / DAY)):
        row = patients(death_time=10, death_date_only=True, end_of_records=last).outcome()
        assert row["follow_up_days"] == pytest.approx(days, abs=1e-5)


@pytest.mark.parametrize(
    ("midnight", "status"), [(23, "died before"), (24, "no sample"), (25, "no sample")]
)
def test_a_death_without_an_hour_is_before_a_horizon_when_its_day_was_over(
    midnight: float, status: str
) -> None:
    """The day that began 25 h before the horizon is over, the one that began 24 h before is just not."""
    found = patients("hour | ferritin\n-1 | 9000", death_time=midnight, death_date_only=True)
    assert found.response()["status"] == status


def counted(*, death: float, date_only: bool, start: float) -> bool:
    rows = person(death=death, death_date_only=date_only), dose("anakinra", start, amount="100 mg")
    return bool(chunk(*rows).doses.frame["counted"][0])


def test_no_dose_counts_from_death_on() -> None:
    """At the moment of death itself, and after the day of a death that has no hour."""
    assert [counted(death=5, date_only=False, start=h) for h in around(5)] == [True, False, False]
    assert [counted(death=0, date_only=True, start=h) for h in around(DAY)] == [True, False, False]


def test_at_the_end_of_the_gap_one_is_no_longer_on_the_drug() -> None:
    """An episode ends after 6 h without drug: who dies just then was off it."""
    doses = "start | end | drug | mg_h\n0 | 96 | anakinra | 100"
    found = [
        patients(doses=doses, infusion_start=0, death_time=hour).outcome()["on_drug_at_death"]
        for hour in around(102)
    ]
    assert found == [True, False, False]


def test_what_begins_at_time_zero_is_no_previous_therapy() -> None:
    """Begun before time zero, be it a minute."""
    found = [
        len(patients(doses=f"start | drug | mg\n{hour} | tocilizumab | 400").prior())
        for hour in around(0)
    ]
    assert found == [1, 0, 0]


def test_a_bolus_at_the_very_end_of_an_infusion_belongs_to_it() -> None:
    """Given into the vein as the infusion, with its 6 h, ends; a minute later it is a dose of its own."""
    ended = []
    for hour in around(10):
        rows = infusion(0, 10), dose("anakinra", hour, amount="100 mg"), lab("crp", 5, 500)
        found = treatments(chunk(*rows).doses, ["anakinra"], RULES).episodes
        ended.append(sorted(str(mode) for mode in found["mode"]))
    assert ended == [["continuous IV"], ["continuous IV"], ["continuous IV", "intermittent IV"]]


def test_an_infusion_that_ends_with_a_day_opens_no_new_one() -> None:
    """Of 48 h there are two days, of a minute more three."""
    days = [len(daily_dose(chunk(infusion(0, end)).doses, ["anakinra"])) for end in around(48)]
    assert days == [2, 2, 3]


def test_a_last_stay_without_an_end_lasts_as_long_as_the_records() -> None:
    """Somebody still in hospital when the records end is in hospital until then."""
    inside = admissions(chunk(stay(0, None), lab("crp", 5, 200)).records)
    assert [hours(int(end)) for end in inside.end] == [200]


def test_a_limit_of_zero_divides_nothing() -> None:
    """An upper limit printed as 0 is no limit: there is no multiple of it."""
    values = (
        chunk(lab("ast", 100, 1, ref_high=0.0), lab("ast", 100, 2, ref_high=40.0))
        .inputs("drawn")
        .values
    )
    points = values["ast_uln"]
    assert isinstance(points, Points)
    assert points.low.tolist() == [2.5]


def test_a_possible_storm_begins_when_both_of_its_conditions_hold() -> None:
    """Ferritin at hour 1, a total that could reach the cut-off from hour 2: possible from hour 2 on."""

    class Total:
        observed = Timeline.build([0], [at(2)], [at(4)], [0.0], [400.0])
        at = observed.at

    rules = protocol("anakinra_mas")
    totals: Any = {
        rule.criterion: Total for rule in (*rules.storm.definite, *rules.storm.possible.any)
    }
    court = StormJudge(
        totals, chunk(lab("ferritin", 9000, 1)).events.points("ferritin"), rules, [""]
    )
    judged = court.judge(np.zeros(1, np.int32), np.array([at(0)]), np.array([at(3)]))
    assert (judged.words()[0], hours(int(judged.onset[0]))) == ("possible", 2)


def test_a_value_known_by_its_date_is_available_when_its_day_is_over() -> None:
    """Drawn at midnight, known a day later; a result stated as known at its draw is known then."""
    rows = (
        lab("crp", 5, 0, date_only=True),
        lab("ast", 5, 3, available=3),
        lab("alt", 5, 3, available=2),
    )
    events = chunk(*rows).events
    found = {name: int(events.points(name, "available").time[0]) for name in ("crp", "ast", "alt")}
    assert found == {"crp": at(DAY), "ast": at(3), "alt": at(3)}
    assert events.frame["available_known"].tolist() == [False, True, False]


def test_who_dies_as_the_stay_ends_was_not_discharged() -> None:
    """A death at the end of the stay, or before it, is no discharge."""
    found = [
        patients(death_time=death, discharge=240).outcome()["discharged"] != UNKNOWN_TIME
        for death in around(240)
    ]
    assert found == [False, False, True]


@pytest.mark.parametrize(("kind", "admitted"), [("outpatient", 0), ("ward", 1), ("ED", 1), ("", 1)])
def test_an_outpatient_visit_is_no_admission(kind: str, admitted: int) -> None:
    """Whatever else the kind of a stay says, it is time in hospital."""
    assert len(admissions(chunk(person(), stay(0, 5, kind=kind)).records)) == admitted
