"""Units of doses and rates, the odd row, and the real records of the MIMIC-IV demo."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from becalm.clock import DAY, HOUR, to_us
from becalm.doses import ROUTES, Doses, daily_dose, rebuild, steps_up, treatments
from becalm.doses.units import (
    A_SCHEDULE,
    NO_TIME,
    NO_UNIT,
    NOT_A_CONCENTRATION,
    NOT_AN_AMOUNT,
    TABLE,
    UNKNOWN_UNIT,
    amount_unit,
    concentration_unit,
    rate_unit,
)
from becalm.events import harmonise
from becalm.frame import Frame
from becalm.sources.mimic4 import open_mimic4
from becalm.tables import DAILY_DOSE, DOSES, EPISODES, write
from becalm.vocabulary import load
from tests.spec.dosing import RULES, column, courses, doses_of, mg, us

MIMIC = Path(__file__).parents[2] / ".." / "shared" / "data" / "mimic-iv-demo"


@pytest.mark.parametrize(
    ("text", "name", "mg_of_one"),
    [
        ("mg", "mg", 1),
        ("MG", "mg", 1),
        ("grams", "g", 1000),
        ("Gm", "g", 1000),
        ("mcg", "mcg", 0.001),
        ("µg", "mcg", 0.001),
        ("μg", "mcg", 0.001),
        ("ug.", "mcg", 0.001),
        ("\u200bmg", "mg", 1),
        ("syringe (100 mg)", "syringe (100 mg)", 100),
        ("100 mg syringes", "syringe (100 mg)", 100),
        ("100 mg/0.67 mL syringe", "syringe (100 mg)", 100),
        ("vials of 0.5 g", "vial (0.5 g)", 500),
    ],
)
def test_amounts_with_a_mass(text: str, name: str, mg_of_one: float) -> None:
    unit = amount_unit(text)
    assert (unit.name, unit.dimension, unit.reason) == (name, "mass", "")
    assert unit.size == pytest.approx(mg_of_one)


@pytest.mark.parametrize(
    ("text", "name", "dimension"),
    [
        ("units", "units", "activity"),
        ("IU", "IU", "activity"),
        ("mEq.", "mEq", "charge"),
        ("mmol", "mmol", "substance"),
        ("ml", "mL", "volume"),
        ("dose", "dose", "dose"),
        ("TAB", "tablet", "tablet"),
        ("Syringes", "syringe", "syringe"),
    ],
)
def test_amounts_without_a_mass(text: str, name: str, dimension: str) -> None:
    unit = amount_unit(text)
    assert (unit.name, unit.dimension) == (name, dimension)


@pytest.mark.parametrize(
    ("text", "size", "per_kg", "hours"),
    [
        ("mL/hour", 1, False, 1),
        ("mcg/kg/min", 0.001, True, 1 / 60),
        ("mcgkgmin", 0.001, True, 1 / 60),
        ("units/hour", 1, False, 1),
        ("mcg/hour", 0.001, False, 1),
        ("mg/hour", 1, False, 1),
        ("mcg/kg/hour", 0.001, True, 1),
        ("mEq./hour", 1, False, 1),
        ("mg/min", 1, False, 1 / 60),
        ("grams/hour", 1000, False, 1),
        ("grams/min", 1000, False, 1 / 60),
        ("mg/kg/day", 1, True, 24),
        ("mg per hour", 1, False, 1),
        ("mg/24h", 1, False, 24),
        ("mg/h/kg", 1, True, 1),
        ("100 mg syringes/6 h", 100, False, 6),
    ],
)
def test_rates(text: str, size: float, per_kg: bool, hours: float) -> None:
    unit = rate_unit(text)
    assert unit.reason == ""
    assert (unit.size, unit.per_kg) == (size, per_kg)
    assert unit.hours == pytest.approx(hours)


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        (amount_unit, "", NO_UNIT),
        (amount_unit, "n/a", NO_UNIT),
        (amount_unit, "mg/h", NOT_AN_AMOUNT),
        (amount_unit, "mg q6h", A_SCHEDULE),
        (amount_unit, "mg BID", A_SCHEDULE),
        (amount_unit, "mg/m2", UNKNOWN_UNIT),
        (amount_unit, "gr", UNKNOWN_UNIT),  # gram or grain
        (amount_unit, "MU", UNKNOWN_UNIT),  # a million or a thousandth
        (rate_unit, "mg", NO_TIME),
        (rate_unit, "mg/kg", NO_TIME),
        (rate_unit, "mg/kg/kg/h", UNKNOWN_UNIT),
        (rate_unit, "mg/h/h", UNKNOWN_UNIT),
        (rate_unit, "drops per fortnight", UNKNOWN_UNIT),
        (concentration_unit, "mg", NOT_A_CONCENTRATION),
        (concentration_unit, "mL/mg", NOT_A_CONCENTRATION),
        (concentration_unit, "mg/0 mL", NOT_A_CONCENTRATION),
        (concentration_unit, "", NO_UNIT),
    ],
)
def test_units_that_cannot_be_used_say_why(read: object, text: str, reason: str) -> None:
    assert callable(read)
    assert read(text).reason == reason


@pytest.mark.parametrize(
    ("text", "mg_per_ml"),
    [
        ("mg/mL", 1),
        ("g/L", 1),
        ("mcg/mL", 0.001),
        ("mg/50 mL", 0.02),
        ("mg in 50 mL", 0.02),
        ("100 mg/0.67 mL", 100 / 0.67),
        ("%", 10),
    ],
)
def test_concentrations(text: str, mg_per_ml: float) -> None:
    assert concentration_unit(text).size == pytest.approx(mg_per_ml)


def test_every_number_of_the_table_has_a_source() -> None:
    assert all(product.source for product in TABLE.product)
    assert all(one.source for one in TABLE.plausible)


def test_no_administrations_are_ordinary_input() -> None:
    doses = doses_of([])
    assert len(doses.frame) == 0
    assert mg(doses) == 0
    assert not len(doses.rate("anakinra"))
    assert not len(doses.given("anakinra", "propofol"))
    assert not len(courses(doses).episodes)
    assert not len(daily_dose(doses, ["anakinra"]))
    assert doses.first_dose("anakinra")[0].tolist() == []


def test_the_frames_write_as_their_tables(tmp_path: Path) -> None:
    doses = doses_of(
        """
        route | start | end | rate    | amount
        SC    | 0     |     |         | 100 mg
        IV    | 6     | 30  | 25 mg/h |
        """
    )
    found = courses(doses)
    day = daily_dose(doses, ["anakinra"], inside={"anakinra": found.inside("anakinra")})
    frames = {
        "doses": doses.table(),
        "episodes": Frame({name: found.episodes[name] for name in EPISODES}),
        "daily_dose": Frame({name: day[name] for name in DAILY_DOSE}),
    }
    assert list(frames["doses"].columns) == list(DOSES)
    for name, frame in frames.items():
        assert write(name, frame, tmp_path).rows == len(frame) > 0


def test_rows_keep_the_order_of_the_record_and_their_way_back() -> None:
    doses = doses_of(
        """
        person | start | amount
        1      | 5     | 100 mg
        0      | 9     | 100 mg
        0      | 3     | 100 mg
        """,
        persons=2,
    )
    assert column(doses, "source_row") == ["doses:2", "doses:3", "doses:4"]
    assert column(doses, "person_id") == ["P2", "P1", "P1"]
    person, first = doses.first_dose("anakinra")
    assert (person.tolist(), (first / HOUR).tolist()) == ([0, 1], [3, 5])


def test_an_open_rate_ends_with_the_same_person_and_route_only() -> None:
    """The next rate of another person, another drug or another route ends nothing."""
    doses = doses_of(
        """
        person | drug     | route | start | end | rate
        0      | anakinra | IV    | 0     |     | 25 mg/h
        0      | propofol | IV    | 1     | 9   | 25 mg/h
        0      | anakinra | SC    | 2     | 9   | 1 mg/h
        1      | anakinra | IV    | 3     | 9   | 25 mg/h
        0      | anakinra | IV    | 4     | 9   | 50 mg/h
        """,
        persons=2,
    )
    assert column(doses, "end")[0] == us(4)


def test_rows_that_are_alike_but_for_the_drug_are_no_duplicates() -> None:
    doses = doses_of(
        """
        drug     | start | amount
        anakinra | 0     | 100 mg
        propofol | 0     | 100 mg
        anakinra | 1     | 100 mg
        anakinra | 0     | 100 mg
        """
    )
    assert column(doses, "flag") == ["", "", "", "possible duplicate"]


def test_an_order_neither_repeats_nor_overlaps_what_was_given() -> None:
    doses = doses_of(
        """
        status  | start | end | amount
        ordered | 0     | 6   | 150 mg
        given   | 0     | 6   | 150 mg
        ordered | 3     | 9   | 150 mg
        given   | 6     | 12  | 150 mg
        """
    )
    assert column(doses, "flag") == ["", "", "", ""]


def test_two_weights_of_one_minute_that_differ_are_no_weight() -> None:
    """80 and 80.2 kg are one weight, 60 and 80 are none."""
    row = [{"start": 1, "end": 2, "rate": "1 mg/kg/h"}]
    assert column(doses_of(row, weighed={0: 80}, weight_kg=50), "rate_mg_h") == [80]
    near = doses_of([*row], weighed={0: 80, 1e-12: 80.2}, weight_kg=50)
    far = doses_of([*row], weighed={0: 60, 1e-12: 80}, weight_kg=50)
    assert column(near, "rate_mg_h") == [80.1]
    assert column(far, "rate_mg_h") == [50]


def test_a_step_after_too_long_a_pause_begins_at_zero() -> None:
    found = steps_up(
        np.array([0, 10 * HOUR]),
        np.array([2 * HOUR, 20 * HOUR]),
        np.array([50.0, 50.0]),
        min_rise=0.1,
        held=HOUR // 2,
        resume_within=6 * HOUR,
    )
    assert [(step.from_mg_h, step.to_mg_h, step.hours_since_last) for step in found] == [
        (0, 50, 10)
    ]


# ---------------------------------------------------------------- real records


@pytest.fixture(scope="module")
def demo() -> Doses:
    if not MIMIC.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    [records] = open_mimic4(MIMIC, items=[]).chunks()
    vocabulary = load()
    return rebuild(records, harmonise(records, vocabulary), vocabulary)


def test_every_rated_row_of_the_demo_conserves_its_dose(demo: Doses) -> None:
    """All 11,038 rows with a rate: rate × time is the amount within 5 %, two of them 0 = 0."""
    with duckdb.connect() as con:
        raw = con.execute(
            "SELECT row_number() OVER () AS key, subject_id, starttime, amount, amountuom, rate,"
            " rateuom, patientweight FROM read_csv(?)",
            [str(MIMIC / "icu" / "inputevents.csv.gz")],
        ).fetchall()
    place = {text: i for i, text in enumerate(demo.frame["source_row"].tolist())}
    f = {name: demo.frame[name].tolist() for name in demo.frame.columns}
    per_hour = {"hour": 1, "min": 60}
    checked = zeros = 0
    for key, subject, start, amount, amount_unit_, rate, rate_unit_, kg in raw:
        at = place[f"inputevents:{key}"]
        assert (f["person_id"][at], f["start"][at]) == (str(subject), to_us(start))
        assert f["amount"][at] == pytest.approx(amount, abs=1e-8)
        if rate is None:
            continue
        unit, *per = rate_unit_.split("/")
        expected = rate * per_hour[per[-1]] * (kg if "kg" in per else 1)
        if (unit, amount_unit_) == ("mcg", "mg"):
            expected /= 1000
        assert f["rate_per_h"][at] == pytest.approx(expected, rel=0.05)
        assert f["set_per_h"][at] * (1 if unit != "mcg" or amount_unit_ == "mcg" else 0.001) == (
            pytest.approx(expected, rel=1e-6, abs=1e-8)
        )
        assert "rate" not in f["flag"][at]
        checked += 1
        zeros += rate == 0
    assert (checked, zeros) == (11_038, 2)


def test_totals_of_the_demo_are_the_recorded_ones(demo: Doses) -> None:
    """Mg per drug from rates and single doses equals the plain sum of what was charted."""
    f = demo.frame
    factor = {"mg": 1.0, "mcg": 0.001, "g": 1000.0}
    compared = 0
    for code, drug in enumerate(demo.drugs):
        mine = (f["drug_code"] == code) & np.isin(f["amount_unit"].astype(str), list(factor))
        mine &= f["route_code"] != ROUTES.index("other")
        if not mine.any():
            continue
        recorded = sum(
            amount * factor[unit]
            for amount, unit in zip(f["amount"][mine], f["amount_unit"][mine], strict=True)
        )
        everyone = np.arange(len(demo.person_id))
        found = demo.amounts(drug).at(everyone, np.full(len(everyone), f["end"].max() + DAY)).sum()
        assert found == pytest.approx(recorded, rel=0.005), drug
        compared += 1
    assert compared > 20


def test_episodes_of_the_demo_hold_what_was_given(demo: Doses) -> None:
    """Cumulative mg over the episodes of noradrenaline and propofol, and over their days, is the total."""
    for drug in ("norepinephrine", "propofol"):
        found = treatments(demo, [drug], RULES)
        f = demo.frame
        mine = (f["drug_code"] == demo.drugs.index(drug)) & f["exposed"]
        total = np.nansum(f["amount_mg"][mine])
        assert found.episodes["cumulative_mg"].sum() == pytest.approx(total, rel=0.005)
        day = daily_dose(demo, [drug], inside={drug: found.inside(drug)})
        assert day["mg"].sum() == pytest.approx(total, rel=0.005)
        assert (day["rrt"] == None).all()  # noqa: E711
