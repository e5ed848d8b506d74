"""SOFA as an interval, vasopressor equivalents, suspected infection and Sepsis-3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from becalm.doses import equivalent_rate
from becalm.measures.organs import rules, sofa
from tests.records import Row, chunk, culture, dose, infusion, lab, measured, procedure
from tests.records import hours as since_origin
from tests.spec.edges import around, hours, read, unknown_keys

FILE = read("measures/organs/organs.toml")
[EQUIVALENT] = read("doses/equivalents.toml")["equivalent"]
FACTORS = {drug: each["times"] / each["by"] for drug, each in EQUIVALENT["times"].items()}
DATA = Path(__file__).parents[3] / "shared" / "data"
STORM = (
    lab("ferritin", 20_000, -4), lab("platelets", 200, -400), lab("haemoglobin", 7, -4), lab("wbc", 1.0, -4),
    lab("neutrophils", 0.4, -4), lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), lab("ast", 400, -4),
    lab("temperature", 39.8, -4), infusion(0, 96),
)  # fmt: skip
WEIGHT = lab("weight", 100, 0)


def test_every_number_is_tested_here() -> None:
    """A new cut-off is tested or says why it has no edge."""
    tested = dict.fromkeys(
        [f"sofa.{key}" for key in ("worst_within", "pressure")]
        + [f"sofa.{key}.*" for key in ("oxygen", "platelets", "bilirubin", "creatinine", "urine", "coma", "any")]
        + ["sofa.above.*.*"] + [f"suspicion.{key}" for key in ("culture_first", "antibiotic_first", "before", "after", "rise", "new_course")],
        "here",
    )  # fmt: skip
    words = dict.fromkeys(["*.source", "*.verified", "suspicion.not_cultures"], "words")
    assert not unknown_keys("measures/organs/organs.toml", tested, words)


def item(name: str, hour: float, *rows: Row) -> tuple[float, float] | None:
    """The lowest and highest points of one item at an hour; None where it is unknown."""
    patients = chunk(*rows, lab("crp", 5, 0))
    lines = sofa.items(patients, rules.load().sofa, np.ones(len(patients), np.bool_))
    low, high = lines[name].at([0], [lab_time(hour)])
    return (float(low[0]), float(high[0])) if np.isfinite(low[0]) else None


def known(name: str, hour: float, *rows: Row) -> tuple[float, float]:
    """The same, where it must be known."""
    found = item(name, hour, *rows)
    if found is None:
        pytest.fail(f"{name} is unknown")
    return found


def lab_time(hour: float) -> int:
    from tests.records import at

    return at(hour)


CUTS = [
    (name, variable, points, bound, below)
    for name, variable, key, below in (
        ("coagulation", "platelets", "platelets", True),
        ("liver", "bilirubin", "bilirubin", False),
        ("renal", "creatinine", "creatinine", False),
        ("nervous_system", "gcs", "coma", True),
    )
    for points, bound in ((int(k), v) for k, v in FILE["sofa"][key].items())
]


@pytest.mark.parametrize(("name", "variable", "points", "bound", "below"), CUTS)
def test_an_item_changes_at_its_cut_off(
    name: str, variable: str, points: int, bound: float, below: bool
) -> None:
    """At the bound and a printed step to either side."""
    step = 0.1 if variable in {"bilirubin", "creatinine"} else 1
    inside, outside = (bound - step, bound) if below else (bound, bound - step)
    # Of creatinine alone nobody knows whether any urine was passed.
    most = sofa.MOST if name == "renal" else points
    assert known(name, 1, lab(variable, inside, 0)) == (points, most)
    assert known(name, 1, lab(variable, outside, 0))[0] < points


def test_pressure_and_vasopressors_have_their_cut_offs() -> None:
    """Below 70 mmHg, and each drug at its rates, for 100 kg."""
    low = FILE["sofa"]["pressure"]
    assert item(
        "cardiovascular", 1, lab("mean_arterial_pressure", low, 0), dose("x", 500, amount="1 mg")
    ) == (0, 0)
    assert item(
        "cardiovascular",
        1,
        lab("mean_arterial_pressure", low - 1, 0),
        dose("x", 500, amount="1 mg"),
    ) == (
        1,
        1,
    )
    for drug, points in FILE["sofa"]["any"].items():
        found = item("cardiovascular", 1, WEIGHT, dose(drug, 0, 2, rate="0.01 mcg/kg/min"))
        assert found == (points, points), drug
    for drug, bounds in FILE["sofa"]["above"].items():
        for number, bound in bounds.items():
            at = known("cardiovascular", 1, WEIGHT, dose(drug, 0, 2, rate=f"{bound} mcg/kg/min"))
            over = item(
                "cardiovascular", 1, WEIGHT, dose(drug, 0, 2, rate=f"{bound * 1.01} mcg/kg/min")
            )
            assert list(over or ()) == [int(number)] * 2, drug
            assert at[0] < int(number), drug


def test_a_vasopressor_without_a_weight_leaves_a_range() -> None:
    """The fewest points of the drug are certain; four are possible."""
    assert item("cardiovascular", 1, dose("norepinephrine", 0, 2, rate="10 mcg/min")) == (3, 4)


def test_oxygen_needs_a_ventilator_for_three_points() -> None:
    """PaO2 of 60 on 100 % is 60: four points ventilated, two without."""
    gas = (lab("pao2", 60, 0), lab("fio2", 100, 0))
    assert item("respiration", 1, *gas, procedure("mechanical ventilation", -1, 5)) == (4, 4)
    assert item("respiration", 1, *gas, procedure("haemodialysis", -1, 5)) == (2, 2)
    assert item("respiration", 1, *gas) == (2, 4)  # nobody wrote down any procedure
    assert item("respiration", 1, lab("pao2", 60, 0)) is None
    for points, bound in FILE["sofa"]["oxygen"].items():
        on = procedure("mechanical ventilation", -1, 5)
        below = item("respiration", 1, lab("pao2", bound - 1, 0), lab("fio2", 100, 0), on)
        assert list(below or ()) == [int(points)] * 2
        at = known("respiration", 1, lab("pao2", bound, 0), lab("fio2", 100, 0), on)
        assert at[0] == int(points) - 1


def test_what_an_intubated_patient_cannot_say_is_a_range() -> None:
    """Eyes and motor known, speech not: from all that could be to nothing."""
    seen = (lab("gcs_eye", 4, 0), lab("gcs_motor", 6, 0))
    assert item("nervous_system", 1, *seen, lab("gcs_verbal", 5, 0)) == (0, 0)
    assert item("nervous_system", 1, *seen) == (0, 2)
    assert item("nervous_system", 1, seen[0]) is None


def test_no_word_with_a_tube_can_be_any_speech() -> None:
    """Speech is charted as 1 of who has a tube; of who has none, 1 is 1; without any procedure nobody knows."""
    parts = (lab("gcs_eye", 4, 0), lab("gcs_motor", 6, 0), lab("gcs_verbal", 1, 0))
    tube, other = procedure("mechanical ventilation", -1, 5), procedure("haemodialysis", -1, 5)
    assert item("nervous_system", 1, *parts, tube) == (0, 2)
    assert item("nervous_system", 1, *parts, other) == (2, 2)
    assert item("nervous_system", 1, *parts, procedure("cpap", -1, 5)) == (2, 2)
    assert item("nervous_system", 1, *parts) == (0, 2)
    # A whole score of up to 11 has no word in it: 4 + 6 + 1.
    assert item("nervous_system", 1, lab("gcs", 11, 0), tube) == (0, 2)
    assert item("nervous_system", 1, lab("gcs", 12, 0), tube) == (2, 2)
    assert item("nervous_system", 1, lab("gcs", 11, 0), other) == (2, 2)


def test_a_score_that_is_charted_again_without_a_change_counts_again() -> None:
    """The same eyes, speech and motor every 8 h for three days are known for four days."""
    rows = [
        lab(f"gcs_{part}", points, hour)
        for hour in range(0, 73, 8)
        for part, points in (("eye", 2), ("verbal", 2), ("motor", 4))
    ]
    on = procedure("haemodialysis", -1, 5)
    for hour, points in ((1, (3, 3)), (60, (3, 3)), (95, (3, 3)), (96, None)):
        assert item("nervous_system", hour, *rows, on) == points, hour


@pytest.mark.parametrize("variable", ["respiration", "nervous_system"])
def test_ventilation_known_by_its_date_alone_may_last_to_the_discharge(variable: str) -> None:
    """From that day on, until the stay ends; where the day has one with hours, these say it."""
    from tests.records import stay

    coded = procedure("mechanical ventilation", "2020-01-03")  # hour 48
    if variable == "respiration":
        rows, without, with_ = ("pao2", 60), (2, 2), (2, 4)
        beside = [("fio2", 100)]
    else:
        rows, without, with_ = ("gcs_verbal", 1), (2, 2), (0, 2)
        beside = [("gcs_eye", 4), ("gcs_motor", 6)]
    for hour, points in ((47, without), (49, with_), (199, with_), (201, without)):
        drawn = [lab(name, value, hour) for name, value in (rows, *beside)]
        assert item(variable, hour, stay(0, 200), coded, *drawn) == points, hour
    timed = procedure("mechanical ventilation", 50, 51)
    drawn = [lab(name, value, 60) for name, value in (rows, *beside)]
    assert item(variable, 60, stay(0, 200), coded, timed, *drawn) == without


def renal(*volumes: tuple[float, float], creatinine: float | None = 0.8, hour: float = 24) -> Any:
    """The kidney's points of a stay that began at hour 0, with volumes (hour, mL)."""
    from tests.records import stay

    blood = () if creatinine is None else (lab("creatinine", creatinine, hour - 1),)
    rows = [lab("urine output", ml, each, "mL") for each, ml in volumes]
    return item("renal", hour, stay(0, 100), *blood, *rows)


def test_urine_of_a_day_counts_where_all_of_it_is_known() -> None:
    """Below 500 and below 200 mL: exact where the whole day is known."""
    for points, bound in FILE["sofa"]["urine"].items():
        for ml, reached in ((bound, False), (bound - 1, True)):
            found = renal((12, ml / 2), (24, ml / 2))
            assert found[0] == found[1], ml
            assert (found[0] == int(points)) is reached, ml


def test_what_is_not_known_of_the_urine_leaves_a_range() -> None:
    """Urine that nobody charted may be none at all; what is known of a part of the day is the least of it."""
    assert renal() == (0, 4)
    assert renal(creatinine=2.1) == (2, 4)
    assert renal(creatinine=5.0) == (4, 4)
    for points, bound in FILE["sofa"]["urine"].items():  # of half a day
        assert renal((12, bound), hour=12)[1] == int(points) - (3 if points == "3" else 1)
        assert renal((12, bound - 1), hour=12) == (0, int(points))
    assert renal((12, 0), creatinine=None, hour=12) is None
    assert renal((12, 900), (24, 900), creatinine=None) is None  # creatinine may be anything
    assert renal((12, 90), (24, 90), creatinine=None) == (4, 4)
    assert renal((12, 150), (24, 150), creatinine=None) == (3, 4)


def test_creatinine_drawn_on_renal_replacement_is_the_least_that_it_says() -> None:
    """The machine lowers it: with 900 mL in half a day the points are those of creatinine, or more."""
    day = (
        lab("urine output", 900, 12, "mL"),
        lab("urine output", 900, 24, "mL"),
        lab("creatinine", 2.1, 23),
    )
    from tests.records import stay

    assert item("renal", 24, stay(0, 100), *day) == (2, 2)
    on = procedure("haemodialysis", 20, 24)
    assert item("renal", 24, stay(0, 100), *day, on) == (2, 4)


def test_an_item_is_the_worst_of_the_last_24_h_and_then_unknown() -> None:
    """24 h after the draw it is over."""
    length = hours(FILE["sofa"]["worst_within"])
    for hour, known in zip(around(length), (True, False, False), strict=True):
        assert (item("coagulation", hour, lab("platelets", 10, 0)) is not None) is known


def test_items_stand_by_themselves() -> None:
    """Without a blood gas the others count: a known error of others made the total 0 then."""
    rows = measured("anakinra_mas", *STORM, lab("platelets", 10, -1), only="sofa")
    first = next(row for row in rows if row["moment_of"] == "t0")
    assert first["coagulation"] == 4
    assert first["sofa_low"] >= 4
    assert first["sofa_high"] == first["sofa_low"] + 4 * len(first["not_measured"].split("|"))


@pytest.mark.parametrize("drug", ["norepinephrine", "epinephrine", "phenylephrine", "dopamine"])
def test_vasopressors_add_up_as_noradrenaline(drug: str) -> None:
    """By weight; vasopressin by units."""
    patients = chunk(
        WEIGHT,
        dose(drug, 0, 2, rate="0.2 mcg/kg/min"),
        dose("vasopressin", 1, 2, rate="0.04 units/min"),
    )
    line = equivalent_rate(patients.doses, "norepinephrine")
    alone, both = (float(line.at([0], [lab_time(h)])[0][0]) for h in (0.5, 1.5))
    factor = FACTORS[drug]
    assert alone == pytest.approx(0.2 * factor)
    assert both == pytest.approx(0.2 * factor + 0.04 * FACTORS["vasopressin"])


def suspected(*rows: Row) -> list[dict[str, Any]]:
    return measured("anakinra_mas", *STORM, *rows, only="suspected_infections")


def test_a_culture_and_an_antibiotic_near_it_are_a_suspicion() -> None:
    """An antibiotic up to 72 h after the culture, a culture up to 24 h after the antibiotic; the earlier is the onset."""
    after, before = (hours(FILE["suspicion"][key]) for key in ("culture_first", "antibiotic_first"))
    for gap, found in zip(around(after), (1, 1, 0), strict=True):
        rows = suspected(culture("no growth", 50), dose("meropenem", 50 + gap, amount="1000 mg"))
        assert len(rows) == found, gap
        assert not rows or since_origin(rows[0]["suspected"]) == 50
    for gap, found in zip(around(before), (1, 1, 0), strict=True):
        rows = suspected(culture("no growth", 50 + gap), dose("meropenem", 50, amount="1000 mg"))
        assert len(rows) == found, gap
        assert not rows or since_origin(rows[0]["suspected"]) == 50


def test_a_screen_a_cream_or_a_course_that_goes_on_is_none() -> None:
    """Only a new course of a drug that reaches the blood, and a culture of the patient's infection."""
    given_ = dose("meropenem", 50, amount="1000 mg")
    assert suspected(culture("no growth", 49, specimen="MRSA SCREEN"), given_) == []
    assert (
        suspected(culture("no growth", 49, test="CMV antibody", specimen="serology"), given_) == []
    )
    assert (
        suspected(
            culture("no growth", 49), dose("gentamicin", 50, amount="1 mg", route="ophthalmic")
        )
        == []
    )
    apart = hours(FILE["suspicion"]["new_course"])
    for gap, found in zip(around(apart), (1, 1, 2), strict=True):
        again = dose("meropenem", 50 + gap + 1 / 60, amount="1000 mg")
        cultures = culture("no growth", 49), culture("no growth", 50 + gap)
        assert len(suspected(*cultures, given_, again)) >= found, gap


@pytest.mark.parametrize(
    ("result", "grew"), [("growth", True), ("no growth", False), ("pending", None), ("", None)]
)
def test_a_pending_culture_is_not_a_culture_without_growth(result: str, grew: bool | None) -> None:
    """What nobody knows yet is not no."""
    [row] = suspected(culture(result, 49), dose("meropenem", 50, amount="1000 mg"))
    assert row["culture_grew"] is grew


@pytest.mark.parametrize(
    ("results", "grew"),
    [
        (("no growth", "growth"), True),
        (("growth", "no growth"), True),
        (("pending", "growth"), True),
        (("no growth", "pending"), None),
        (("pending", "no growth"), None),
        (("no growth", "no growth"), False),
    ],
)
def test_cultures_of_one_moment_count_together(results: tuple[str, str], grew: bool | None) -> None:
    """Whichever stands first; the rows of both are named."""
    [row] = suspected(
        *(culture(result, 49) for result in results), dose("meropenem", 50, amount="1000 mg")
    )
    assert row["culture_grew"] is grew
    assert row["source_row"].count("cultures:") == 2


def test_a_culture_with_a_date_alone_says_how_well_the_onset_is_known() -> None:
    """On 3 January, hour 48 to 72: near at every hour, near at some hours, and two courses beside one culture."""
    date = culture("no growth", "2020-01-03")
    for hour, how in (
        (47, "possible"),
        (48, "exact"),
        (58, "date"),
        (120, "date"),
        (121, "possible"),
    ):
        [row] = suspected(date, dose("meropenem", hour, amount="1000 mg"))
        assert row["suspected_is"] == how, hour
    courses = [dose("meropenem", hour, amount="1000 mg") for hour in (58, 58 + 72.5)]
    rows = suspected(date, *courses)
    keys = {(row["suspected"], row["antibiotic"], row["antibiotic_start"]) for row in rows}
    assert len(rows) == len(keys) == 2


def test_sepsis_by_the_total_and_by_the_rise() -> None:
    """A storm has its points before: the total says yes, and the rise is what the measured items allow."""
    whole = [
        row
        for hour in (0, 20, 40, 60, 80)
        for row in (
            lab("platelets", 90, hour), lab("bilirubin", 0.5, hour), lab("creatinine", 0.7, hour), lab("mean_arterial_pressure", 90, hour),
            lab("gcs", 15, hour), lab("pao2", 90, hour), lab("fio2", 21, hour),
        )
    ]  # fmt: skip
    whole += [lab("urine output", 1500, hour, "mL") for hour in range(-20, 100, 20)]
    on = procedure("haemodialysis", -300, -299)
    calm = suspected(*whole, on, culture("no growth", 60), dose("meropenem", 61, amount="1000 mg"))
    assert [(row["sepsis_by_total"], row["sepsis_by_change"]) for row in calm] == [(True, False)]
    worse = suspected(
        *whole,
        on,
        lab("platelets", 15, 62),
        culture("no growth", 60),
        dose("meropenem", 61, amount="1000 mg"),
    )
    assert [(row["sepsis_by_total"], row["sepsis_by_change"]) for row in worse] == [(True, True)]
    late = hours(FILE["suspicion"]["after"])
    for hour, counts in zip(around(60 + late), (True, True, False), strict=True):
        row = suspected(
            *whole,
            on,
            lab("platelets", 15, hour),
            culture("no growth", 60),
            dose("meropenem", 61, amount="1000 mg"),
        )[0]
        assert row["sepsis_by_change"] is counts, hour
    assert FILE["suspicion"]["rise"] == 2
    assert hours(FILE["suspicion"]["before"]) == 48


def moments_of(*rows: Row) -> dict[str, dict[str, Any]]:
    return {row["moment_of"]: row for row in measured("anakinra_mas", *STORM, *rows, only="sofa")}


def test_a_worst_total_has_its_moment_its_items_and_their_rows() -> None:
    """The first moment of the greatest lowest total, not the end of the window; the items add up to it."""
    rows = moments_of(
        lab("platelets", 90, -1), lab("platelets", 10, 20), lab("platelets", 15, 30), lab("creatinine", 2.0, 25),
        lab("platelets", 200, 60), lab("bilirubin", 0.5, 28), WEIGHT, dose("norepinephrine", 26, 27, rate="0.2 mcg/kg/min"),
        dose("norepinephrine", 27, 28, rate="0.05 mcg/kg/min"),
    )  # fmt: skip
    assert since_origin(rows["t0"]["points_at"]) == 0
    assert (rows["24h"]["coagulation"], since_origin(rows["24h"]["points_at"])) == (4, 20)
    for moment in ("48h", "72h", "d7"):
        row = rows[moment]
        assert since_origin(row["points_at"]) == 26, moment
        assert (row["coagulation"], row["renal"], row["renal_high"], row["cardiovascular"]) == (
            4,
            2,
            4,
            4,
        )
    for row in rows.values():
        assert row["sofa_low"] == sum(max(row[name], 0) for name in sofa.ITEMS)
        assert row["sofa_high"] >= sum(
            row[f"{name}_high"] if row[name] >= 0 else 4 for name in sofa.ITEMS
        )
    assert rows["at_72h"]["coagulation"] == 0
    assert rows["at_72h"]["change_of_measured"] == -2
    assert rows["d7"]["change_of_measured"] == 2
    names = rows["d7"]["source_row"].split("|")
    assert [name.partition(":")[0] for name in names].count("doses") == 1  # the higher of two rates
    assert rows["24h"]["source_row"] != rows["t0"]["source_row"]


def test_a_total_with_urine_opens_all_volumes_of_the_day() -> None:
    """The first is of the day before and is not among them."""
    from tests.records import stay

    volumes = [lab("urine output", 30, hour, "mL") for hour in (-30, -20, -8, 0)]
    rows = moments_of(stay(-40, 100), *volumes)
    without = moments_of(stay(-40, 100))
    new = set(rows["t0"]["source_row"].split("|")) - set(without["t0"]["source_row"].split("|"))
    assert len(new) == 3
    assert (rows["t0"]["renal"], rows["t0"]["renal_high"]) == (4, 4)
