"""Units of doses and rates, and the odd row."""

from pathlib import Path

import numpy as np
import pytest

from becalm.core.clock import HOUR
from becalm.core.columns import unique_keys
from becalm.core.frame import Frame
from becalm.doses import daily_dose, steps_up
from becalm.doses.limits import TABLE as LIMITS
from becalm.doses.unit_table import TABLE
from becalm.doses.units import (
    A_SCHEDULE,
    NO_TIME,
    NO_UNIT,
    NOT_A_CONCENTRATION,
    NOT_AN_AMOUNT,
    UNKNOWN_UNIT,
    amount_unit,
    concentration_unit,
    rate_unit,
)
from becalm.tables import DAILY_DOSE, DOSES, EPISODES
from becalm.tables.writing import write
from tests.records import at
from tests.spec.dosing import column, courses, doses_of, mg


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
        (amount_unit, "mg/m3", UNKNOWN_UNIT),
        (amount_unit, "mg/kg/m2", UNKNOWN_UNIT),
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
    assert all(one.source for one in LIMITS.plausible)


def test_no_administrations_are_ordinary_input() -> None:
    doses = doses_of([])
    assert len(doses.frame) == 0
    assert mg(doses) == 0
    assert not len(doses.rate("anakinra"))
    assert not len(doses.exposure("anakinra", "propofol"))
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
    assert column(doses, "source_row") == ["doses:4", "doses:3", "doses:2"]
    assert column(doses, "person_id") == ["P1", "P1", "P2"]
    person, first = doses.first_dose("anakinra")
    assert (person.tolist(), first.tolist()) == ([0, 1], [at(3), at(5)])


def test_an_open_rate_ends_with_the_next_row_of_the_same_person_and_drug() -> None:
    """The next row of another person or another drug ends nothing; one of another route does."""
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
    assert column(doses, "end")[0] == at(2)


def test_rows_that_are_alike_but_for_the_drug_are_no_duplicates() -> None:
    doses = doses_of(
        """
        drug     | start | amount
        anakinra | 0     | 100 mg
        propofol | 0     | 100 mg
        anakinra | 0     | 100 mg
        anakinra | 1     | 100 mg
        """
    )
    assert column(doses, "flag") == ["", "", "possible duplicate", ""]


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
    assert [(step.from_rate, step.to_rate, step.hours_since_last) for step in found] == [
        (0, 50, 10)
    ]


@pytest.mark.parametrize("apart", [1, 10**12])
def test_distinct_keys_are_those_of_numpy(apart: int) -> None:
    """Counted where they are dense and sorted where they are not, with the same answer."""
    for rows in (0, 1, 500):
        key = np.random.default_rng(rows).integers(0, 40, rows) * apart
        first, back = unique_keys(key)
        values, index, inverse = np.unique(key, return_index=True, return_inverse=True)
        assert first.tolist() == index.tolist()
        assert back.tolist() == inverse.tolist()
        assert key[first].tolist() == values.tolist()
