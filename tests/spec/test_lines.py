"""Lines of therapy before time zero, and which of them failed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm import definitions, vocabulary
from becalm import protocol as protocols
from becalm.cohort.selection import candidates, select
from becalm.core.clock import HOUR
from becalm.demo import write_hospital
from becalm.measures.previous_therapy import previous_therapy
from becalm.patients.understood import Patients
from becalm.records import open_records
from tests.records import hours
from tests.spec.patients import Row, patients

FERRITIN = """
    hour | ferritin
    -150 | 4000
    -100 | 6000
    -50  | 9000
    -4   | 12000
"""


def lines_of(doses: str, labs: str = FERRITIN, **known: Any) -> dict[str, Row]:
    """The lines of one patient, 50 kg unless told otherwise, by drug."""
    found = patients(labs, doses=doses, **{"weight_kg": 50.0, **known})
    table = previous_therapy(found.cohort, found.events, found.doses, found.protocol)
    return {row["drug"]: row for row in table.rows()}


def daily(drug: str, mg: float, first: float, times: int, every: float = 24) -> str:
    rows = [f"{first + n * every} | {drug} | {mg}" for n in range(times)]
    return "\n".join(["start | drug | mg", *rows])


def test_a_glucocorticoid_failed_at_one_mg_per_kg_for_48_hours() -> None:
    """40 mg of methylprednisolone a day is 50 of prednisolone: 1 mg/kg in 50 kg."""
    row = lines_of(daily("methylprednisolone", 40, -96, 4))["methylprednisolone"]
    assert (row["refractory"], row["reason"]) == (True, "ferritin did not fall")
    assert row["peak_equivalent"] == 1
    assert (row["doses"], row["total_mg"], row["drug_class"]) == (4, 160, "glucocorticoid")
    assert (hours(row["first"]), hours(row["last"])) == (-96, -24)


@pytest.mark.parametrize(
    ("mg", "times", "every", "failed"),
    [
        (40, 2, 24, True),  # two doses a day apart: 48 h of it
        (40, 1, 24, False),  # one dose is 24 h of it
        (39.9, 4, 24, False),
        (20, 8, 12, True),
        (40, 2, 35, True),  # a dose 11 h late: a dip up to 12 h does not count
        (40, 2, 37, False),
    ],
)
def test_the_dose_of_a_day_is_that_of_any_24_hours(
    mg: float, times: int, every: float, failed: bool
) -> None:
    """Doses are added up over any 24 hours, not over calendar days."""
    found = lines_of(daily("methylprednisolone", mg, -96, times, every))
    assert found["methylprednisolone"]["refractory"] is failed


def test_a_continuous_glucocorticoid_counts_when_24_hours_of_it_are_enough() -> None:
    """200 mg of hydrocortisone a day is 50 of prednisolone; the first day builds up to it."""
    table = "start | end | drug | mg_h\n-72 | {} | hydrocortisone | 8.333333333333334"
    assert lines_of(table.format(-1))["hydrocortisone"]["refractory"] is False
    table = table.replace("-72", "-96")
    assert lines_of(table.format(-1))["hydrocortisone"]["refractory"] is True


def test_glucocorticoids_are_added_up_where_none_is_enough_alone() -> None:
    """Two glucocorticoids that together reach the dose have failed together."""
    both = daily("methylprednisolone", 20, -96, 4) + daily("prednisone", 25, -96, 4).replace(
        "start | drug | mg", ""
    )
    found = lines_of(both)
    assert found["methylprednisolone"]["refractory"] is True
    assert found["prednisone"]["refractory"] is True
    assert found["prednisone"]["peak_equivalent"] == 0.5


def test_a_small_glucocorticoid_beside_a_large_one_did_not_fail() -> None:
    """A maintenance dose beside a pulse that failed did not fail itself."""
    both = daily("methylprednisolone", 500, -96, 3) + daily("prednisone", 7.5, -800, 33).replace(
        "start | drug | mg", ""
    )
    found = lines_of(both)
    assert found["methylprednisolone"]["refractory"] is True
    assert found["prednisone"]["refractory"] is False


@pytest.mark.parametrize("begun", [-337, -336, -24, -23])
def test_another_agent_failed_when_it_was_begun_a_day_to_two_weeks_before(begun: float) -> None:
    """An agent begun 24 h to 14 days before time zero had the time to work."""
    labs = "hour | ferritin\n-340 | 4000\n-25 | 9000\n-4 | 12000"
    row = lines_of(daily("tocilizumab", 400, begun, 1), labs)["tocilizumab"]
    assert row["refractory"] is (-336 <= begun <= -24)


def test_what_was_taken_for_longer_is_no_treatment_of_the_storm() -> None:
    """Azathioprine for months; a course begun anew after more than two weeks is one."""
    taken = daily("azathioprine", 100, -2000, 83)
    assert lines_of(taken)["azathioprine"]["refractory"] is False
    again = daily("ciclosporin", 100, -2000, 2) + "\n-50 | ciclosporin | 100"
    row = lines_of(again)["ciclosporin"]
    assert row["refractory"] is True
    assert (hours(row["first"]), hours(row["begun"])) == (-2000, -50)


@pytest.mark.parametrize(
    ("at_zero", "failed", "reason"),
    [
        ("3001", True, "ferritin did not fall"),
        ("3000", False, "ferritin fell"),
        (">2000", None, "ferritin is known as a bound only"),
        (">3500", True, "ferritin did not fall"),
        ("", None, "no ferritin at its beginning or at time zero"),
    ],
)
def test_a_fall_of_a_quarter_is_no_failure(at_zero: str, failed: bool | None, reason: str) -> None:
    """Ferritin down by 25 % or more by time zero is no failure; without two values it is not known."""
    labs = f"hour | ferritin\n-60 | 4000\n-4 | {at_zero}"
    row = lines_of(daily("ivig", 20000, -50, 1), labs)["ivig"]
    assert (row["refractory"], row["reason"]) == (failed, reason)


def test_without_weight_or_amount_a_glucocorticoid_cannot_be_judged() -> None:
    """A dose per kg needs both; without one the answer is not known."""
    row = lines_of(daily("methylprednisolone", 40, -96, 4), weight_kg=None)["methylprednisolone"]
    assert (row["refractory"], row["reason"]) == (
        None,
        "a dose or a weight is not known, or ambiguous",
    )
    assert np.isnan(row["peak_equivalent"])


@pytest.mark.parametrize("route", ["topical", "eye drops", "inhaled"])
def test_drops_creams_and_inhalers_are_no_line(route: str) -> None:
    """What never reaches the blood is no line of therapy."""
    table = f"start | drug | route | mg\n-50 | dexamethasone | {route} | 400"
    assert lines_of(table) == {}


def test_an_effect_outlives_the_dose() -> None:
    """As long as the protocol lets the drug explain a response."""
    found = lines_of("start | drug | mg\n-50 | tocilizumab | 400\n-40 | anakinra | 100")
    row = found["tocilizumab"]
    assert (row["acts_until"] - row["last"]) / HOUR == 14 * 24
    assert found["anakinra"]["acts_until"] == found["anakinra"]["last"]


def test_only_what_began_before_time_zero_is_a_line() -> None:
    """An infusion that runs on counts until time zero."""
    table = "start | end | drug | mg_h\n-2 | 10 | anakinra | 50\n0 | 5 | propofol | 1"
    found = lines_of(table)
    assert list(found) == ["anakinra"]
    assert (hours(found["anakinra"]["last"]), found["anakinra"]["total_mg"]) == (0, 100)


FAILED = {
    "ILL-1": {"methylprednisolone", "ivig", "cyclophosphamide"},
    "ILL-2": {"methylprednisolone", "ciclosporin"},
    "ILL-3": {"methylprednisolone", "tocilizumab", "ciclosporin"},
    "ILL-4": {"methylprednisolone", "ivig"},
    "ILL-5": {"methylprednisolone", "ivig", "cyclophosphamide"},
}


def test_the_illustrative_patients_failed_what_was_planted(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Pooled, the drugs that the published five failed; what they took for years is not among them."""
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(folder, 30, 20)
    study = protocols.load("anakinra_mas")
    source = open_records(str(folder))
    (records,) = source.chunks()
    chunk = Patients.of(records, vocabulary.load())
    judged = {
        name: definitions.evaluate(definitions.load(name), chunk.inputs(study.clock))
        for name in study.definitions.report
    }
    cohort = select(chunk, candidates(chunk, study, source.info), judged, study).cohort
    table = previous_therapy(cohort, chunk.events, chunk.doses, study)
    failed: dict[str, set[str]] = {}
    for row in table.rows():
        failed.setdefault(row["person_id"], set())
        assert row["refractory"] is not None
        if row["refractory"]:
            failed[row["person_id"]].add(row["drug"])
    assert failed == FAILED
    assert {"prednisolone", "azathioprine"} <= set(table["drug"])
