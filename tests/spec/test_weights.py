"""Weights that cannot both be true: which one holds, what is remarked, and what is no escalation."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from becalm.doses import Doses, treatments
from becalm.measures.escalations import escalations
from becalm.records import open_records
from becalm.study.protocol_names import load as load_protocol
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.records import Row, chunk, condition, dose, lab, person, sheets, stay
from tests.spec.dosing import RULES, column, doses_of
from tests.spec.patients import patients

CASES = Path(__file__).parents[3] / "shared" / "cases"
PER_KG = "start | end | drug | rate | weight\n"


def study(folder: Path) -> StudyResult:
    return run(open_records(str(folder)), load_protocol("anakinra_mas"), folder.name)


def case(name: str) -> StudyResult:
    folder = CASES / name
    if not folder.is_dir():
        pytest.skip("shared/cases is absent")
    return study(folder)


def given(
    weighed: dict[float, float], *, at: float = 0, sheet: float = np.nan
) -> tuple[float | None, str]:
    """The rate in mg/h of 1 mg/kg/h that begins at an hour, and its remarks."""
    table = f"{PER_KG} {at} | {at + 8} | anakinra | 1 mg/kg/h |"
    doses = doses_of(table, weighed=weighed, weight_kg=sheet, stay=(-100, 100))
    return column(doses, "rate_mg_h")[0], str(doses.frame["flag"][0])


@pytest.mark.parametrize(
    ("middle", "used"),
    [(240, 70), (154, 70), (105, 70), (104.9, 104.9), (90, 90), (46.7, 46.7), (46.6, 70), (30, 70)],
)
def test_a_weight_far_from_both_neighbours_is_set_aside(middle: float, used: float) -> None:
    """A weight 1.5 times its neighbours or more, or as much below them, is not used; the dose says so."""
    rate, remark = given({-5: 70, -1: middle, 3: 70})
    assert rate == used
    assert ("weight set aside" in remark) == (used != middle)
    assert "weights disagree" not in remark


@pytest.mark.parametrize(
    ("measured", "sheet", "used"),
    [(240, 71, 70), (105, 70, 70), (104, 70, 104), (240, 230, 240), (30, 80, 70), (46, 31, 46)],
)
def test_a_weight_with_one_neighbour_is_also_compared_with_the_sheet(
    measured: float, sheet: float, used: float
) -> None:
    """The last weight is set aside if it is far from the one before and from the persons sheet."""
    rate, remark = given({-5: 70, -1: measured}, sheet=sheet)
    assert rate == used
    assert ("weight set aside" in remark) == (used != measured)


@pytest.mark.parametrize(
    ("weighed", "sheet", "used", "remark"),
    [
        ({-1: 154}, 70, 154, "weights disagree: 154 kg and 70 kg (154 may be pounds)"),
        ({-1: 70}, 154, 70, "weights disagree: 70 kg and 154 kg (154 may be pounds)"),
        ({-5: 70, -1: 240}, np.nan, 240, "weights disagree: 240 kg and 70 kg"),
        ({-1: 105}, 70, 105, "weights disagree: 105 kg and 70 kg"),
        ({-1: 104.9}, 70, 104.9, ""),
        ({-5: 70, -1: 71}, 154, 71, ""),
        ({-1: 70, 3: 110}, np.nan, 70, "weights disagree: 70 kg and 110 kg"),
    ],
)
def test_of_two_that_disagree_neither_is_set_aside_and_the_dose_is_remarked(
    weighed: dict[float, float], sheet: float, used: float, remark: str
) -> None:
    """Two weights that cannot both be true, and nothing else: the order decides, and the dose says so."""
    rate, said = given(weighed, sheet=sheet)
    assert rate == used
    assert said == remark


def test_a_weight_between_its_neighbours_is_growth() -> None:
    """A weight above the one before and below the one after is kept, however far apart they are."""
    assert given({-20: 40, -1: 65, 10: 100})[0] == 65


@pytest.mark.parametrize("middle", [[240, 238], [154, 160], [30, 31]])
def test_two_wrong_weights_that_agree_are_not_called_wrong(middle: list[float]) -> None:
    """Two weights that confirm each other stand; only one that stands alone is set aside."""
    rate, _ = given({-9: 70, -2: middle[0], -1: middle[1], 3: 71})
    assert rate == middle[1]


def test_the_weight_furthest_off_is_set_aside_first() -> None:
    """A typing error does not make its neighbour look wrong: it goes first, then the others are compared."""
    assert given({-9: 70, -5: 300, -1: 72, 3: 290})[0] == 72
    assert given({-9: 70, -5: 300, -1: 110, 3: 72})[0] == 70


@pytest.mark.parametrize(
    ("own", "weighed", "sheet", "used"),
    [
        (154, {-1: 70, 3: 71}, np.nan, 70),
        (105, {-1: 70, 3: 71}, np.nan, 105),
        (107, {-1: 70, 3: 71}, np.nan, 70),
        (154, {-1: 70}, 72, 70),
        (154, {-1: 70}, np.nan, 154),
        (154, {-1: 70}, 150, 154),
        (61, {-1: 90}, np.nan, 61),
    ],
)
def test_the_weight_of_a_row_is_set_aside_by_the_same_rule(
    own: float, weighed: dict[float, float], sheet: float, used: float
) -> None:
    """A dose row's own weight comes first, unless the weights measured around it both contradict it."""
    table = f"{PER_KG} 0 | 8 | anakinra | 1 mg/kg/h | {own}"
    doses = doses_of(table, weighed=weighed, weight_kg=sheet)
    assert column(doses, "rate_mg_h") == [used]
    assert ("weight set aside" in doses.frame["flag"][0]) == (used != own)


@pytest.mark.parametrize(
    ("own", "weighed", "sheet", "used", "remark"),
    [
        ((70, 240, 71), {}, np.nan, 240, "weights disagree: 240 kg and 70 kg"),
        ((70, 240, 71), {}, 70, 70, "weight set aside: 240 kg is far from 70 kg"),
        ((70, 240, 71), {-30: 72}, np.nan, 72, "weight set aside: 240 kg is far from 72 kg"),
        ((70, 240, 71), {}, 230, 240, ""),
        (
            (70, 154, 71),
            {},
            70,
            70,
            "weight set aside: 154 kg is far from 70 kg (154 may be pounds)",
        ),
        ((70, 240, 240), {}, 70, 240, "weights disagree: 240 kg and 70 kg"),
        ((70, 104, 71), {}, 70, 104, ""),
        ((70, 107, 71), {}, 70, 70, "weight set aside: 107 kg is far from 70 kg"),
    ],
)
def test_the_weight_of_one_row_is_compared_with_those_of_the_rows_around_it(
    own: tuple[float, float, float],
    weighed: dict[float, float],
    sheet: float,
    used: float,
    remark: str,
) -> None:
    """A row's own weight far from those of the rows before and after gives way to another, or is remarked."""
    lines = [f"{2 * i} | {2 * i + 2} | anakinra | 1 mg/kg/h | {kg}" for i, kg in enumerate(own)]
    doses = doses_of(PER_KG + "\n".join(lines), weighed=weighed, weight_kg=sheet)
    assert column(doses, "rate_mg_h")[:2] == [70, used]
    said = [part for part in doses.frame["flag"][1].split("|") if "persons sheet" not in part]
    assert [part for part in said if "longer before" not in part] == [remark]
    found = treatments(doses, ["anakinra"], RULES)
    assert [len(found.steps), len(found.falls)] == [0, 0]


@pytest.mark.parametrize(
    ("first", "weighed", "used"),
    [
        (58, {-20: 94, -10: 95}, 95),
        (58.5, {-20: 94, -10: 95}, 95),
        (58.6, {-20: 94, -10: 95}, 58),
        (58, {-10: 95}, 58),
        (58, {-20: 60, -10: 95}, 58),
        (58, {-20: 94, -10: 86}, 58),
        (58, {-40: 94, -35: 95}, 58),
    ],
)
def test_a_row_that_repeats_a_weight_from_before_two_measured_ones_is_no_new_measurement(
    first: float, weighed: dict[float, float], used: float
) -> None:
    """Charted 30 h ago and repeated since, it gives way to two later measured ones that are far from it."""
    lines = f"-30 | -28 | anakinra | 1 mg/kg/h | {first}\n0 | 8 | anakinra | 1 mg/kg/h | 58"
    doses = doses_of(PER_KG + lines, weighed=weighed)
    assert column(doses, "rate_mg_h")[1] == used
    assert ("weight set aside: 58 kg" in doses.frame["flag"][1]) is (used != 58)


def test_an_amount_that_was_charted_with_its_own_weight_keeps_it() -> None:
    """Amount and rate of one row belong together: the amount stands, and the set rate is that of the pump."""
    table = """
        start | end | drug     | rate      | amount | weight
        0     | 8   | anakinra | 1 mg/kg/h | 464 mg | 58
    """
    doses = doses_of(table, weighed={-1: 94, 3: 95})
    assert column(doses, "rate_mg_h") == column(doses, "set_canonical_per_h") == [58]
    assert column(doses, "weight_kg") == [94]
    assert doses.frame["flag"][0] == "weight set aside: 58 kg is far from 94 kg"


def test_the_sheets_weight_is_set_aside_between_two_measured_ones() -> None:
    """The persons sheet says 154, weeks of measured weights around 70: an older measurement is used."""
    assert given({-60: 70, 60: 71}, sheet=154)[0] == 70
    assert given({-60: 70, 60: 71}, sheet=104)[0] == 104
    assert given({-60: 70}, sheet=154)[0] == 154


@pytest.mark.parametrize(
    ("pair", "sheet", "used"),
    [((70, 240), 71, 70), ((70, 240), 230, 240), ((70, 90), 71, 71), ((70, 240), np.nan, None)],
)
def test_of_two_weights_of_one_minute_the_one_that_something_confirms_holds(
    pair: tuple[float, float], sheet: float, used: float | None
) -> None:
    """70 and 240 kg in one minute: the one that the sheet confirms; 70 and 90 are none of both."""
    patients = [lab("weight", kg, -1) for kg in pair]
    doses = _rebuilt(person(weight_kg=sheet), *patients)
    assert column(doses, "rate_mg_h") == [used]


def _rebuilt(*rows: Row) -> Doses:
    return chunk(*rows, dose("anakinra", 0, 8, rate="1 mg/kg/h")).doses


@pytest.mark.parametrize(
    ("name", "second", "used"),
    [
        ("admission weight", 70, 94),
        ("Admission Weight (kg)", 69.9, 94),
        ("admission weight", 69.3, 94),
        ("admission weight", 69.2, 69.2),
        ("admission weight", 70.8, 70.8),
        ("weight", 70, 70),
        ("dosing weight", 80, 94),
        ("dosing weight", 94, 94),
    ],
)
def test_a_weight_charted_again_is_no_new_measurement(
    name: str, second: float, used: float
) -> None:
    """An admission weight that repeats an earlier one, or a dosing weight, does not undo what was measured since."""
    doses = _rebuilt(
        person(),
        stay(-10, 50),
        lab("admission weight", 70, -5, "kg"),
        lab("daily weight", 94, -3, "kg"),
        lab(name, second, -1, "kg"),
    )
    assert column(doses, "weight_kg") == [used]
    assert column(doses, "weight_age_h") == [3 if used == 94 else 1]


def test_an_admission_weight_of_another_stay_is_a_measurement() -> None:
    """The same admission weight a month later, in another stay, was measured again."""
    doses = _rebuilt(
        person(),
        stay(-900, -700),
        stay(-10, 50, name="S2"),
        lab("admission weight", 58, -890, "kg"),
        lab("daily weight", 62, -800, "kg"),
        lab("admission weight", 58, -5, "kg"),
    )
    assert column(doses, "weight_source") == ["measured before"]


# ------------------------------------------------------------------ no escalation by weight


def stepped(lines: str, weighed: dict[float, float]) -> list[tuple[float, float, float]]:
    """Hour, rate before and rate after of each step up and down."""
    doses = doses_of(PER_KG + lines, weighed=weighed)
    found = treatments(doses, ["anakinra"], RULES)
    steps = [*found.steps.rows(), *found.falls.rows()]
    assert [row["escalations"] for row in found.episodes.rows()] == [len(found.steps)]
    return [
        (
            (step["time"] - doses.frame["start"][0]) / 3.6e9,
            round(step["from_rate"], 6),
            round(step["to_rate"], 6),
        )
        for step in steps
    ]


def line(start: float, end: float, rate: str, unit: str = "mg/kg/h") -> str:
    return f" {start} | {end} | anakinra | {rate} {unit} |\n"


@pytest.mark.parametrize("second", [77, 84, 90, 100, 104, 60, 50, 47])
def test_a_new_weight_alone_is_no_step(second: float) -> None:
    """The same rate per kg with a new weight is another rate in mg/h, and neither a step up nor down."""
    lines = line(0, 6, "0.5") + line(6, 12, "0.5") + line(12, 24, "0.5")
    assert stepped(lines, {-1: 70, 5: second}) == []


@pytest.mark.parametrize(
    ("per_kg", "second", "steps"),
    [
        ("0.6", 90, [(6, 35, 54)]),
        ("0.55", 90, [(6, 35, 49.5)]),
        ("0.54", 90, []),
        ("0.4", 87.5, []),
        ("0.4", 60, [(6, 35, 24)]),
        ("0.55", 60, []),
    ],
)
def test_a_new_rate_per_kg_is_a_step_as_far_as_it_was_ordered(
    per_kg: str, second: float, steps: list[tuple[float, float, float]]
) -> None:
    """With a new weight and a new rate per kg, a step is what both the rate and the rate per kg rose by."""
    found = stepped(line(0, 6, "0.5") + line(6, 24, per_kg), {-1: 70, 5: second})
    assert found == steps


def test_a_step_after_a_new_weight_has_the_rates_that_were_given() -> None:
    """35 mg/h, 45 mg/h by weight alone, then an ordered 0.75 mg/kg/h: one step, from 45 to 67.5 mg/h."""
    lines = line(0, 6, "0.5") + line(6, 12, "0.5") + line(12, 24, "0.75")
    assert stepped(lines, {-1: 70, 5: 90}) == [(12, 45, 67.5)]


def test_a_rate_in_mg_per_hour_after_a_new_weight_is_compared_with_what_ran() -> None:
    """45 mg/h by weight, then 45 mg/h as ordered: no step; 60 mg/h as ordered: one."""
    lines = line(0, 6, "0.5") + line(6, 12, "0.5")
    weighed = {-1.0: 70.0, 5.0: 90.0}
    assert stepped(lines + line(12, 24, "45", "mg/h"), weighed) == []
    [step] = stepped(lines + line(12, 24, "60", "mg/h"), weighed)
    assert step == (12, 45, 60)


def test_a_course_counts_no_step_that_only_a_weight_made(tmp_path: Path) -> None:
    """The table of courses and that of steps agree: a new weight alone is in neither."""
    result = study(sheets(tmp_path / "records", *_storm(), lab("weight", 90, "2020-03-04T11:00")))
    [course] = result.tables["courses"].rows()
    assert (course["steps_up"], course["steps_down"]) == (0, 0)
    assert course["ceiling_per_day"] == 45 * 24
    assert len(result.tables["escalations"]) == 0


def _storm() -> list[Row]:
    """A storm treated with 0.5 mg/kg/h, in three rows."""
    hours = ("09:00", "10:00", "12:00", "20:00")
    return [
        person("P1", age=40, age_at="2020-03-01", sex="M"),
        stay("2020-03-01", "2020-03-20", kind="ICU"),
        condition("MAS", onset="2020-03-04"),
        lab("ferritin", 9850, "2020-03-04T08:00"),
        lab("creatinine", 1.0, "2020-03-04T08:00"),
        lab("weight", 70, "2020-03-04T08:00"),
        *(
            dose("anakinra", f"2020-03-04T{a}", f"2020-03-04T{b}", rate="0.5 mg/kg/h")
            for a, b in pairwise(hours)
        ),
    ]


# ------------------------------------------------------------------------------ cases


def test_70_240_and_71_kg_within_three_hours_are_no_escalation() -> None:
    """Records that once made 120 mg/h of a slip: 35, 35 and 35.5 mg/h, no step, and the slip remarked."""
    result = case("weights-jump")
    rows = list(result.tables["doses"].rows())
    assert [row["rate_mg_h"] for row in rows] == [35, 35, 35.5]
    assert ["weight set aside: 240 kg" in row["flag"] for row in rows] == [False, True, False]
    assert len(result.tables["escalations"]) == 0
    assert [row["escalations"] for row in result.tables["episodes"].rows()] == [0]
    assert {row["weight_used"] for row in result.tables["daily_dose"].rows()} == {70}


def test_units_of_weight_and_pounds_without_a_name() -> None:
    """Pounds, ounces, stones and grams are read; 154 kg beside 70 kg of the sheet may be pounds, and says so."""
    result = case("weights-units")
    rows = {
        row["person_id"]: row for row in result.tables["doses"].rows() if row["drug"] == "anakinra"
    }
    for named in ("lb", "lbs", "oz", "g", "st", "kgs", "lab7", "lab700"):
        assert rows[named]["rate_mg_h"] == pytest.approx(7, abs=0.02), named
    assert rows["sheet70_lab154"]["rate_mg_h"] == pytest.approx(15.4)
    assert "154 kg and 70 kg (154 may be pounds)" in rows["sheet70_lab154"]["flag"]
    assert "weight set aside: 7 kg is no possible weight" in rows["lab7"]["flag"]
    assert "no weight is known" in rows["lboz"]["flag"]


IMPLAUSIBLE = ("norepinephrine", "vasopressin", "propofol", "insulin", "heparin")


def test_rates_that_nobody_gives_are_remarked_and_those_of_a_ward_are_not() -> None:
    """12 µg/kg/min of noradrenaline, 2.4 units/min of vasopressin and their like are implausible rates."""
    rows = [
        row for row in case("weights-units").tables["doses"].rows() if row["drug"] in IMPLAUSIBLE
    ]
    assert len(rows) == 6
    assert all("implausible rate" in row["flag"] for row in rows)
    weighed, usual = lab("weight", 70, -1), {
        "norepinephrine": "1 mcg/kg/min",
        "vasopressin": "0.04 units/min",
        "propofol": "4 mg/kg/h",
        "insulin": "20 units/h",
        "heparin": "2000 units/h",
        "phenylephrine": "200 mcg/min",
        "dopamine": "20 mcg/kg/min",
    }  # fmt: skip
    for drug, rate in usual.items():
        assert chunk(weighed, dose(drug, 0, 5, rate=rate)).doses.frame["flag"].tolist() == [""]


@pytest.mark.parametrize(("mcg_kg_min", "minutes"), [(7.56, 13), (7.26, 10), (5.01, 2)])
def test_the_last_rate_of_a_bag_charted_over_minutes_is_implausible(
    mcg_kg_min: float, minutes: int
) -> None:
    """What was left of a bag, charted over a few minutes with its rate: remarked, and its amount counts."""
    left = mcg_kg_min * 70 * minutes / 1000
    row = dose(
        "norepinephrine", 0, minutes / 60, rate=f"{mcg_kg_min} mcg/kg/min", amount=f"{left} mg"
    )
    doses = chunk(lab("weight", 70, -1), row).doses
    assert doses.frame["flag"][0] == f"implausible rate: {mcg_kg_min:g} mcg/kg/min"
    assert column(doses, "amount_mg") == [pytest.approx(left)]
    assert doses.frame["counted"].all()


@pytest.mark.parametrize(
    ("rate", "weights", "worse"),
    [
        ("0.5 mg/h", (100, 80), False),
        ("0.5 mg/h", (80, 100), False),
        ("0.1 mcg/kg/min", (80, 100), False),
        ("0.1 mcg/kg/min", (100, 80), False),
    ],
)
def test_a_vasopressor_did_not_get_worse_because_a_weight_changed(
    rate: str, weights: tuple[float, float], worse: bool
) -> None:
    """The same pump rate, or the same rate per kg, with a new weight: no more vasopressor was needed."""
    rows = "".join(
        f"{start} | {start + 10} | norepinephrine | {rate} | {kg}\n"
        for start, kg in zip((0, 10, 20), (weights[0], weights[1], weights[1]), strict=True)
    )
    doses = f"{PER_KG}0 | 30 | anakinra | 25 mg/h |\n30 | 60 | anakinra | 50 mg/h |\n{rows}"
    found = patients(doses=doses)
    courses = treatments(found.doses, ["anakinra"], RULES)
    [step] = escalations(found.cohort, found.events, found.doses, found.protocol, courses).rows()
    assert step["vasopressor"] is worse
