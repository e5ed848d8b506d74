"""Any drug: what is not a mass keeps its own unit, through days, courses and a study's entry."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from becalm import protocol as protocols
from becalm.cohort.clocks import clocks
from becalm.core.clock import HOUR, Length
from becalm.doses import calendar_dose, daily_dose, remarks, time_at_dose, treatments
from becalm.persons.lifetime import Lifetime
from becalm.protocol import Dosing, Entry
from becalm.records import ChartedAgain, RepeatedCharting
from tests.records import at
from tests.spec.dosing import RULES, column, doses_of
from tests.spec.patients import patients

TWO_TABLES = RepeatedCharting(
    again=(
        ChartedAgain(
            table="bedside",
            also_in="intensive",
            within=Length("2h"),
            bridge=Length("6h"),
            says_nothing=("dose",),
            source="a hospital that charts a dose twice",
        ),
    )
)

HEPARIN = [
    {"drug": "heparin", "start": 0, "amount": "5000 units"},
    {"drug": "heparin", "start": 0, "end": 12, "rate": "1000 units/h"},
    {"drug": "heparin", "start": 12, "end": 36, "rate": "20 units/kg/h", "weight": 75},
]


def test_heparin_is_added_up_in_units() -> None:
    """A bolus of 5,000 units and an infusion have amounts and rates in units, and none in mg."""
    doses = doses_of(HEPARIN)
    assert column(doses, "unit_canonical") == ["units"] * 3
    assert column(doses, "amount_canonical") == [5000, 12_000, 36_000]
    assert column(doses, "rate_canonical_per_h") == [None, 1000, 1500]
    assert column(doses, "amount_mg") == column(doses, "rate_mg_h") == [None] * 3
    assert float(doses.amounts("heparin").at(0, at(40))) == 53_000


@pytest.mark.parametrize(
    "written",
    [
        {"rate": "1000 units/h"},
        {"rate": "20 mL/h", "concentration": "50 units/mL"},
        {"rate": "12.5 units/kg/h", "weight": 80},
        {"rate": "24000 IU/day"},
        {"amount": "6000 units"},
        {"amount": "120 mL", "concentration": "25000 units/500 mL"},
    ],
)
def test_units_are_read_in_every_notation(written: dict[str, object]) -> None:
    """1,000 units/h may be a volume of a stated strength, a rate by weight, per day, or a bag over its time."""
    doses = doses_of([{"drug": "heparin", "start": 0, "end": 6, **written}])
    assert column(doses, "rate_canonical_per_h") == pytest.approx([1000])
    assert column(doses, "amount_canonical") == pytest.approx([6000])
    assert column(doses, "unit_canonical") == ["units"]


def test_a_volume_without_strength_is_no_amount_of_heparin() -> None:
    """Its mL are listed; the units of that day, of the course and of the sum are not known."""
    doses = doses_of([*HEPARIN, {"drug": "heparin", "start": 30, "end": 32, "rate": "10 mL/h"}])
    assert column(doses, "unit_canonical")[-1] == "mL"
    assert column(doses, "amount_canonical")[-1] == 20
    day = daily_dose(doses, ["heparin"])
    assert day["amount_canonical"].tolist() == pytest.approx([35_000, np.nan], nan_ok=True)
    assert day["cumulative_canonical"].tolist() == pytest.approx([35_000, np.nan], nan_ok=True)
    assert np.isnan(treatments(doses, ["heparin"], RULES).episodes["cumulative_canonical"]).all()


def test_days_and_courses_of_heparin_are_in_units() -> None:
    """The day's sum, the highest rate, the sum per kg and the running sum; the columns in mg are empty."""
    doses = doses_of(HEPARIN)
    (first, second) = daily_dose(doses, ["heparin"]).rows()
    assert (first["amount_canonical"], second["amount_canonical"]) == (35_000, 18_000)
    assert (first["cumulative_canonical"], second["cumulative_canonical"]) == (35_000, 53_000)
    assert (second["peak_rate_canonical_per_h"], second["unit_canonical"]) == (1500, "units")
    assert second["amount_canonical_per_kg"] == pytest.approx(240)
    assert np.isnan([first["mg"], first["mg_per_kg"], first["peak_rate_mg_h"]]).all()
    courses = treatments(doses, ["heparin"], RULES)
    course = next(r for r in courses.episodes.rows() if r["mode"] == "continuous IV")
    assert course["cumulative_canonical"] == 53_000
    assert course["peak_rate_canonical_per_h"] == 1500
    assert np.isnan([course["cumulative_mg"], course["peak_mg_day"]]).all()
    assert [(s["from_rate"], s["to_rate"]) for s in courses.steps.rows()] == [(1000, 1500)]


def test_a_drug_in_mg_has_the_same_numbers_in_both_columns() -> None:
    """For a drug in mg the canonical columns repeat those in mg."""
    doses = doses_of([{"start": 0, "end": 30, "rate": "25 mg/h"}])
    day = daily_dose(doses, ["anakinra"])
    assert day["amount_canonical"].tolist() == day["mg"].tolist() == [600, 150]
    assert column(doses, "rate_canonical_per_h") == column(doses, "rate_mg_h") == [25]


def test_a_drug_nobody_knows_keeps_the_unit_it_came_in() -> None:
    """Potassium in mEq, a solution in mL and tablets by count, each with its label."""
    doses = doses_of(
        """
        drug      | route | start | end | amount
        Elixirium | IV    | 0     | 4   | 40 mEq
        Aquavita  | IV    | 0     | 4   | 1 L
        Placebex  | PO    | 0     |     | 2 tablets
        """
    )
    assert column(doses, "drug") == ["", "", ""]
    assert column(doses, "amount_canonical") == [40, 1000, 2]
    assert column(doses, "unit_canonical") == ["mEq", "mL", "tablet"]


def test_what_was_set_stands_beside_what_was_delivered() -> None:
    """A pump set to 25 mg/h that delivered 120 mg in six hours gave 20 mg/h; both are told."""
    doses = doses_of(
        """
        start | end | rate      | amount | concentration
        0     | 6   | 25 mg/h   | 120 mg |
        6     | 12  | 6 mL/h    | 120 mg | 4 mg/mL
        12    | 18  |           | 120 mg |
        18    | 24  | 400 mcg/min |      |
        """
    )
    assert column(doses, "rate_canonical_per_h") == pytest.approx([20, 20, 20, 24])
    assert column(doses, "set_canonical_per_h") == [25, 24, None, 24]


def test_a_date_has_what_was_given_from_midnight_to_midnight() -> None:
    """100 mg/h from six in the evening to six in the morning is 600 mg on each date, and a day of 24 h from its start has them all."""
    doses = doses_of([{"start": 18, "end": 30, "rate": "100 mg/h", "weight": 50}])
    since = np.array([at(18)])
    first, second = calendar_dose(doses, ["anakinra"], since).rows()
    assert (first["date"], first["day"], first["mg"]) == (at(0), 1, 600)
    assert (second["date"], second["day"], second["mg"]) == (at(24), 2, 600)
    assert second["amount_canonical_per_kg"] == 12
    assert daily_dose(doses, ["anakinra"])["mg"].tolist() == [1200]


def test_a_date_with_a_dose_of_unknown_amount_has_no_sum() -> None:
    """One syringe of known content and one dose of unknown content are not 100 mg."""
    doses = doses_of(
        [
            {"route": "SC", "start": 8, "amount": "100 mg"},
            {"route": "SC", "start": 20, "amount": "1 dose"},
            {"route": "SC", "start": 32, "amount": "100 mg"},
        ]
    )
    table = calendar_dose(doses, ["anakinra"], np.array([at(0)]))
    assert table["amount_canonical"].tolist() == pytest.approx([np.nan, 100], nan_ok=True)


def test_time_at_a_dose_is_counted_by_rate_and_by_the_last_24_hours() -> None:
    """100 mg/h for 48 h reaches 2,400 mg a day at once by its rate, and after 24 h by what was given; a dose beneath counts for neither."""
    who = patients(
        doses="""
        start | end | drug     | mg_h
        0     | 48  | anakinra | 100
        48    | 72  | anakinra | 25
        """
    )
    table = time_at_dose(who.cohort, who.doses, "anakinra", (600, 1200, 2400), RULES)
    told = {r["level_per_day"]: (r["hours_at_rate"], r["hours_at_24h"]) for r in table.rows()}
    assert told[2400] == (48, pytest.approx(24, abs=1e-5))
    # 1,200 in the last 24 h from hour 12 on; at hour 48 + x it is 2,400 - 75 x, so until 64.
    assert told[1200] == (48, pytest.approx(52, abs=1e-5))
    # at hour 72 it is 600 and falls from there.
    assert told[600] == (72, pytest.approx(66, abs=1e-5))


def test_a_dose_of_unknown_amount_leaves_the_time_at_a_dose_open() -> None:
    """What cannot be added up is not counted as beneath the level."""
    doses = doses_of([*HEPARIN, {"drug": "heparin", "start": 30, "end": 32, "rate": "10 mL/h"}])
    cohort = patients().cohort.replace(t0=np.array([at(0)]))
    (row,) = time_at_dose(cohort, doses, "heparin", (10_000,), RULES).rows()
    assert row["unit_canonical"] == "units"
    assert np.isnan([row["hours_at_rate"], row["hours_at_24h"]]).all()


def entered(drug: str, doses: str, **rule: object) -> tuple[float | None, float | None]:
    """Entry and the third clock in hours from the first row, by a protocol for a drug."""
    study = protocols.load("anakinra_mas")
    entry = msgspec.convert({"drug": drug, **rule}, Entry)
    study = msgspec.structs.replace(study, entry=entry, doses=Dosing())
    who = patients(doses=doses, protocol=study)
    found = clocks(
        who.records,
        who.events,
        who.doses,
        study,
        np.full(1, who.cohort["end_of_records"][0]),
        lifetime=Lifetime.of(who.records),
    )
    origin = who.cohort["t0"][0]
    return tuple(  # type: ignore[return-value]
        None if time < 0 else (time - origin) / HOUR
        for time in (found.index[0], found.high_rate[0])
    )


PUSHES = """
    start | drug               | mg  | route
    0     | methylprednisolone | 500 | IV
    24    | methylprednisolone | 500 | IV
    48    | methylprednisolone | 40  | PO
"""


@pytest.mark.parametrize(
    ("mode", "hour"),
    [("continuous IV", None), ("any", 0), ("intermittent IV", 0), ("oral", 48), ("SC", None)],
)
def test_a_study_may_begin_with_any_mode(mode: str, hour: float | None) -> None:
    """Pulses of methylprednisolone are no continuous infusion; a protocol that enters by another mode, or by any, begins with the first dose given so."""
    assert entered("methylprednisolone", PUSHES, mode=mode)[0] == hour


def test_the_third_clock_is_in_the_drugs_own_unit() -> None:
    """1 mg/h is 24 mg a day: noradrenaline reaches 20 mg/day; a threshold in mg says nothing of heparin in units."""
    noradrenaline = """
        start | end | drug           | mg_h
        0     | 10  | norepinephrine | 0.5
        10    | 20  | norepinephrine | 1
    """
    assert entered("norepinephrine", noradrenaline, high_rate_per_day=20.0) == (0, 10)
    assert Entry(drug="heparin").least_high_rate("units") is None
    assert Entry(drug="heparin", high_rate_per_day=30_000).least_high_rate("units") == 30_000
    assert Entry(drug="anakinra").least_high_rate("mg") == 2000


def test_every_remark_about_a_row_is_a_row_of_its_own() -> None:
    """Each remark is listed with its row, what was delivered and set, and whether the row counts in spite of it."""
    doses = doses_of(
        """
        start | end | rate     | amount | concentration | status
        0     | 6   | 10 mL/h  | 150 mg | 4 mg/mL       |
        2     | 8   | 450 mg/h |        |               |
        9     | 15  | 0.5 mg/kg/h |     |               |
        20    | 19  | 25 mg/h  |        |               |
        30    | 36  | 25 mg/h  | 0 mg   |               |
        40    | 46  | 0 mg/h   | 0 mg   |               |
        """
    )
    table = remarks(doses, np.ones(1, np.bool_))
    told = [(r["remark"], r["source_row"], bool(r["counted"])) for r in table.rows()]
    assert told == [
        ("concentration contradicts rate and amount", "doses:2", True),
        ("implausible rate", "doses:3", True),
        ("overlaps another infusion of the drug", "doses:3", True),
        ("refused: dosed by weight, and no weight is known", "doses:4", False),
        ("refused: ends before it starts", "doses:5", False),
        ("rate × time is not the amount", "doses:6", True),
        ("nothing was given: 0 = 0", "doses:7", True),
    ]
    first = table.take(np.array([0]))
    assert (first["rate_canonical_per_h"][0], first["set_canonical_per_h"][0]) == (25, 40)
    assert len(remarks(doses, np.zeros(1, np.bool_))) == 0


def test_one_administration_in_two_tables_counts_once_whether_the_drug_is_known_or_not() -> None:
    """A dose in the bedside record within 2 h of a row of intensive care is that row, also for a drug nobody knows, where the labels are the same words; another label is another drug."""
    doses = doses_of(
        """
        drug                 | table       | start | end | amount
        Mirabilin (Elixir)   | intensive   | 0     | 1   | 50 mg
        norepinephrine       | intensive   | 0     | 1   | 2 mg
        MIRABILIN  (elixir)  | bedside     | 0.5   |     | 50 mg
        Norepinephrine       | bedside     | 0.5   |     | 2 mg
        Mirabilin            | bedside     | 0.6   |     | 50 mg
        MIRABILIN (elixir)   | bedside     | 9     |     | 50 mg
        """,
        repeated=TWO_TABLES,
    )
    assert column(doses, "flag") == ["", "", *["also in intensive: not counted"] * 2, "", ""]
    assert column(doses, "counted") == [True, True, False, False, True, True]
    assert len(doses.frame) == 6
