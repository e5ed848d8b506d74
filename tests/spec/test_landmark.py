"""A landmark: definitions judged 24 h after admission, deaths in hospital counted afterwards."""

import pytest

from becalm import protocol
from becalm.cohort.landmark import treated
from becalm.core.frame import Frame
from becalm.report.stays_by_status import StatusCount, ended
from becalm.tables import OUTCOME, PERSONS
from tests.records import (
    Row,
    at,
    chunk,
    condition,
    culture,
    dose,
    entered,
    infusion,
    lab,
    left,
    person,
    stay,
    study,
)

COVID = "covid_hyperinflammation"
RULE = protocol.load(COVID).landmark
ILL = condition("COVID-19", 0)


def case(*rows: Row) -> list[str]:
    """The step at which the one person left; '' for the cohort."""
    return left(COVID, *rows)


class TestEntry:
    """Who is alive and in hospital 24 h after an admission with COVID-19."""

    def test_the_index_is_24_hours_after_admission(self) -> None:
        """Admitted at hour 10: judged at hour 34."""
        row = entered(COVID, ILL, stay(10, 400), lab("crp", 40, 12))
        assert (row["index_time"], row["t0"]) == (34, 34)

    @pytest.mark.parametrize(
        ("hour", "reason"),
        [(-14 * 24 + 11, ""), (-14 * 24 + 9, "no admission with COVID-19"), (399, ""), (401, "no admission with COVID-19")],
    )  # fmt: skip
    def test_the_test_may_be_from_before_the_admission(self, hour: float, reason: str) -> None:
        """A diagnosis or a positive test up to 14 days before the admission counts, and any during it."""
        assert case(condition("COVID-19", hour), stay(10, 400)) == [reason]
        swab = culture("detected", hour, "SARS-CoV-2", "swab")
        assert case(swab, stay(10, 400)) == [reason]

    def test_a_negative_test_is_no_covid_19(self) -> None:
        """Not detected is not an admission with COVID-19; nor is another virus."""
        rows = culture("not detected", 20, test="SARS-CoV-2 PCR"), culture("detected", 20, "EBV")
        assert case(*rows, stay(10, 400)) == ["no admission with COVID-19"]

    def test_the_admission_is_the_one_with_the_illness(self) -> None:
        """An earlier admission for something else sets no clock."""
        row = entered(COVID, condition("COVID-19", 1010), stay(10, 50), stay(1000, 1400, "S2"))
        assert row["index_time"] == 1024

    def test_of_two_admissions_near_each_other_the_first_with_the_illness_counts(self) -> None:
        """Positive three days before the second admission, and after the first: the second one."""
        rows = stay(0, 50), stay(200, 400, "S2"), culture("detected", 130, "SARS-CoV-2", "swab")
        assert entered(COVID, *rows)["index_time"] == 224
        assert entered(COVID, *rows, condition("COVID-19", 5))["index_time"] == 24

    def test_who_died_before_leaves_there(self) -> None:
        """Dead at 24 h is not at risk any more; an hour later is."""
        assert case(ILL, person(death=30), stay(10, 30, destination="died")) == [
            "died within 24h of admission"
        ]
        assert case(ILL, person(death=35), stay(10, 35, destination="died")) == [""]

    def test_who_went_home_before_leaves_there(self) -> None:
        """Home at 24 h is not in hospital any more."""
        assert case(ILL, stay(10, 30)) == ["discharged within 24h of admission"]

    def test_records_that_end_before_say_so(self) -> None:
        """A stay without an end and nothing recorded until 24 h is not known to go on."""
        assert case(ILL, stay(10, None), lab("crp", 40, 20)) == [
            "records do not say who was alive 24h after admission"
        ]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (dose("tocilizumab", 10, amount="400 mg"), True),
        (dose("tocilizumab", 9, amount="400 mg"), False),
        (dose("tocilizumab", 34 + 168, amount="400 mg"), True),
        (dose("tocilizumab", 35 + 168, amount="400 mg"), False),
        (infusion(4, 11), True),
        (infusion(4, 10), False),
        (dose("paracetamol", 20, amount="1 g"), False),
        (dose("tocilizumab", 20, amount="400 mg", status="not given"), False),
    ],
)
def test_who_counts_as_treated(given: Row, counts: bool) -> None:
    """Given an immunotherapy from the admission, at hour 10, to a week after the landmark, both ends included; an infusion that was still running at the admission counts, an order and another drug do not."""
    assert RULE is not None
    rows = ILL, person(), stay(10, 400), given
    people = treated(chunk(*rows), study(COVID, *rows)[1].cohort, RULE)
    assert (len(people) == 1) == counts


@pytest.mark.parametrize(
    ("home", "died", "seen", "expected"),
    [
        (600, False, 600, "discharged"),
        (None, True, 600, "died"),
        (600, True, 640, "discharged"),
        (None, True, 673, "in hospital"),
        (673, False, 673, "in hospital"),
        (None, None, 671, "unknown"),
    ],
)
def test_discharge_competes_with_death_in_hospital(
    home: float | None, died: bool | None, seen: float, expected: str
) -> None:
    """By 28 days, 672 h, after admission: who went home alive first was discharged, whatever came later; who was still there is counted so; records that end earlier say nothing."""
    assert RULE is not None
    persons = Frame.of(PERSONS, person_id=["P1"], index_time=[at(24)])
    last = Frame.of_rows(
        OUTCOME,
        [{"person_id": "P1", "discharged": at(home), "died": died, "last_contact": at(seen)}],
    )
    assert ended(persons, last, RULE) == {"P1": expected}


@pytest.mark.parametrize(("seen", "expected"), [(600, "died"), (672, "died"), (673, "unknown")])
def test_a_death_by_a_last_contact_may_have_been_before_the_horizon(
    seen: float, expected: str
) -> None:
    """A contact after 28 days that says died leaves open whether the person was in hospital then."""
    assert RULE is not None
    persons = Frame.of(PERSONS, person_id=["P1"], index_time=[at(24)])
    last = {"person_id": "P1", "discharged": at(None), "died": True, "last_contact": at(seen)}
    outcome = Frame.of_rows(OUTCOME, [{**last, "death_time_is": "at latest"}])
    assert ended(persons, outcome, RULE) == {"P1": expected}


@pytest.mark.parametrize(
    ("home", "seen", "expected"),
    [
        (None, 671, "unknown"),
        (None, 672, "unknown"),
        (None, 900, "unknown"),
        (673, 673, "in hospital"),  # the stay itself ended later, whatever its end was
        (672, 672, "discharged"),
    ],
)
def test_a_contact_that_does_not_say_alive_leaves_the_horizon_open(
    home: float | None, seen: float, expected: str
) -> None:
    """Where nobody knows whether a person lived or died, only a stay that ended after 28 days says that they were in hospital then."""
    assert RULE is not None
    persons = Frame.of(PERSONS, person_id=["P1"], index_time=[at(24)])
    last = {"person_id": "P1", "discharged": at(home), "died": None, "last_contact": at(seen)}
    assert ended(persons, Frame.of_rows(OUTCOME, [last]), RULE) == {"P1": expected}


def test_risk_counts_those_whose_end_is_known() -> None:
    """Two deaths of ten, two of them unknown: 2 of 8, with the exact interval of that."""
    cell = StatusCount("cov_hi", "met", 10, 2, 5, 1, 2)
    assert cell.risk == 0.25
    assert cell.interval is not None
    assert cell.interval == pytest.approx((0.0319, 0.6509), abs=1e-4)
    assert StatusCount("cov_hi", "met", 2, 0, 0, 0, 2).risk is None
