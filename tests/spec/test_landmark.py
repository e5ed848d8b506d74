"""A landmark: definitions judged 24 h after admission, deaths in hospital counted afterwards."""

import csv
import gzip
from datetime import datetime

import pytest

from becalm import protocol
from becalm.frame import Frame
from becalm.landmark import Cell, cells, ended
from becalm.result import StudyResult
from becalm.sources import open_records
from becalm.study import run
from becalm.tables import OUTCOME, PERSONS
from tests.records import Row, at, condition, culture, entered, lab, left, person, stay
from tests.spec import wuhan

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
            "records end within 24h of admission"
        ]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The 188 patients of the file, through the whole study."""
    if not wuhan.FILE.exists():
        pytest.skip("shared/data/wuhan-covid is absent")
    folder = tmp_path_factory.mktemp("wuhan")
    assert wuhan.write_sheets(folder) == 188
    return run(open_records(str(folder)), protocol.load(COVID), "records")


@pytest.fixture(scope="module")
def told(result: StudyResult) -> dict[tuple[str, str], Cell]:
    assert RULE is not None
    tables = result.tables
    ends = ended(tables["persons"], tables["outcome"], RULE)
    found = cells(tables["criteria"], ends, result.protocol.definitions.report)
    return {(cell.criterion, cell.status): cell for cell in found}


def by_hand() -> dict[str, tuple[bool, float]]:
    """Of everybody there 24 h after admission: died or not, and days from admission to the end."""
    found: dict[str, tuple[bool, float]] = {}
    with gzip.open(wuhan.FILE, "rt", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            if row["PATIENT_ID"]:
                came, went = (
                    datetime.fromisoformat(row[name])
                    for name in ("Admission time", "Discharge time")
                )
                days = (went - came).total_seconds() / 86400
                if days > 1 and float(row["age"]) >= 18:
                    found[f"W{float(row['PATIENT_ID']):.0f}"] = (row["outcome"] == "1", days)
    return found


def test_the_wuhan_cohort_is_who_was_there_at_24_hours(result: StudyResult) -> None:
    """Everybody whose stay was longer than a day, by the dates of the file alone."""
    assert set(result.tables["persons"]["person_id"]) == set(by_hand())


@pytest.mark.parametrize("name", protocol.load(COVID).definitions.report)
def test_every_cell_adds_up_to_the_cohort(told: dict[tuple[str, str], Cell], name: str) -> None:
    """Met, not met and undetermined are everybody; deaths by day 28 are those of the file."""
    plain = by_hand()
    three = [told[name, status] for status in ("met", "not met", "undetermined")]
    assert sum(cell.n for cell in three) == len(plain)
    assert sum(cell.died for cell in three) == sum(d and days <= 28 for d, days in plain.values())
    assert sum(cell.in_hospital for cell in three) == sum(days > 28 for _, days in plain.values())
    assert sum(cell.unknown for cell in three) == 0


@pytest.mark.parametrize("name", ["hscore", "mas2016", "temple"])
def test_what_needs_what_the_file_lacks_is_undetermined(
    told: dict[tuple[str, str], Cell], name: str
) -> None:
    """Without temperature, organs, marrow and imaging nobody can be met for certain; who is still open is undetermined and not negative."""
    assert told[name, "met"].n == 0
    assert told[name, "undetermined"].n > 0


def test_cov_hi_is_decided_by_crp_and_ferritin_alone(told: dict[tuple[str, str], Cell]) -> None:
    """COV-HI needs nothing that the file lacks: some meet it, and of those more die than of those who do not."""
    met, not_met = told["cov_hi", "met"], told["cov_hi", "not met"]
    assert met.n > 10 < not_met.n
    assert met.risk is not None
    assert not_met.risk is not None
    assert met.risk > not_met.risk
    assert met.interval is not None
    assert met.interval[0] < met.risk < met.interval[1]


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


def test_risk_counts_those_whose_end_is_known() -> None:
    """Two deaths of ten, two of them unknown: 2 of 8, with the exact interval of that."""
    cell = Cell("cov_hi", "met", 10, 2, 5, 1, 2)
    assert cell.risk == 0.25
    assert cell.interval is not None
    assert cell.interval == pytest.approx((0.0319, 0.6509), abs=1e-4)
    assert Cell("cov_hi", "met", 2, 0, 0, 0, 2).risk is None
