"""SOFA as an interval, vasopressor equivalents, suspected infection and Sepsis-3."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import becalm
from becalm.core.clock import HOUR, to_us
from becalm.doses import equivalent_rate
from becalm.measures.organs import rules, sofa, vasopressors
from becalm.patients.understood import Patients
from tests.records import Row, chunk, culture, dose, infusion, lab, measured, procedure
from tests.records import hours as since_origin
from tests.reference import organs as plain
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


# ---------------------------------------------------------------- real records
real = pytest.mark.skipif(
    not (DATA / "mimic-iv-demo").is_dir(), reason="no mimic-iv-demo in ../shared/data"
)


@cache
def demo() -> Patients:
    [batch] = becalm.understand(becalm.open_records(str(DATA / "mimic-iv-demo"))).batches
    return batch


def draws(name: str) -> dict[int, list[plain.Draw]]:
    """The draws of those of whom no draw is a limit or a range."""
    points = demo().events.points(name)
    found: dict[int, list[plain.Draw]] = {}
    ranged = set(points.person[points.low != points.high].tolist())
    columns = (points.person.tolist(), points.time.tolist(), points.low.tolist())
    for who, time, low in zip(*columns, strict=True):
        if who not in ranged:
            found.setdefault(who, []).append((time, low))
    return found


def infusions() -> dict[int, dict[str, list[plain.Run]]]:
    found: dict[int, dict[str, list[plain.Run]]] = {}
    everybody = np.ones(len(demo()), np.bool_)
    for drug in (
        "norepinephrine",
        "epinephrine",
        "phenylephrine",
        "dopamine",
        "dobutamine",
        "vasopressin",
    ):
        line = vasopressors.rates(demo(), drug, everybody)
        for who, start, end, rate in zip(line.person, line.start, line.end, line.low, strict=True):
            found.setdefault(int(who), {}).setdefault(drug, []).append(
                (int(start), int(end), float(rate))
            )
    return found


@real
@pytest.mark.parametrize(
    ("name", "variable", "reading"),
    [
        ("coagulation", "platelets", plain.coagulation),
        ("liver", "bilirubin", plain.liver),
    ],
)
def test_items_on_real_records_equal_a_plain_reading(
    name: str, variable: str, reading: Any
) -> None:
    """Every person of the MIMIC-IV demo, every six hours of their draws."""
    everybody = np.ones(len(demo()), np.bool_)
    line = sofa.items(demo(), rules.load().sofa, everybody)[name]
    compared = 0
    for who, of_person in draws(variable).items():
        first, last = int(of_person[0][0]), int(of_person[-1][0])
        for hour in range(first - 3 * HOUR, last + 30 * HOUR, 6 * HOUR):
            low, high = line.at([who], [hour])
            expected = reading(of_person, hour)
            if np.isfinite(low[0]) and low[0] != high[0]:
                continue  # limits of the laboratory
            assert (None if not np.isfinite(low[0]) else int(low[0])) == expected, (who, hour)
            compared += 1
    assert compared > 2000


@real
def test_pressure_and_vasopressors_on_real_records_equal_a_plain_reading() -> None:
    """Every person of the MIMIC-IV demo with a pressure, every six hours."""
    everybody, runs = np.ones(len(demo()), np.bool_), infusions()
    line = sofa.items(demo(), rules.load().sofa, everybody)["cardiovascular"]
    compared: Counter[int] = Counter()
    for who, of_person in draws("mean_arterial_pressure").items():
        for hour in range(int(of_person[0][0]), int(of_person[-1][0]) + 30 * HOUR, 6 * HOUR):
            low, high = line.at([who], [hour])
            if not np.isfinite(low[0]) or low[0] != high[0]:
                continue
            assert int(low[0]) == plain.cardiovascular(of_person, runs.get(who, {}), hour), (
                who,
                hour,
            )
            compared[int(low[0])] += 1
    assert set(compared) == {0, 1, 2, 3, 4} or len(compared) >= 3


@real
def test_noradrenaline_equivalents_equal_the_published_queries() -> None:
    """At the middle of each of their stretches; two doubled bags are left out."""
    line = equivalent_rate(demo().doses, "norepinephrine")
    ids = {name: i for i, name in enumerate(demo().records.persons["person_id"].tolist())}
    with gzip.open(
        DATA / "mimic-iv-demo-concepts" / "norepinephrine_equivalent_dose.csv.gz", "rt"
    ) as file:
        rows = list(csv.DictReader(file))
    differs: list[tuple[str, str, float, float]] = []
    for row in rows:
        start, end = (to_us(datetime.fromisoformat(row[each])) for each in ("starttime", "endtime"))
        found = float(line.at([ids[row["subject_id"]]], [(start + end) // 2])[0][0])
        theirs = float(row["norepinephrine_equivalent_dose"] or "nan")
        ours = found if np.isfinite(found) else float("nan")
        if np.isnan(theirs) and np.isnan(ours):
            continue
        if not abs(ours - theirs) <= 1.5e-4:  # theirs is rounded to four decimals
            differs.append((row["stay_id"], row["starttime"], ours, theirs))
    doubled = {("32359580", "23"), ("32119961", "03")}
    unexplained = [each for each in differs if (each[0], each[1][8:10]) not in doubled]
    assert len(rows) > 1500
    assert unexplained == []


@real
def test_suspicions_on_real_records_equal_a_plain_reading() -> None:
    """Every person of a study of the MIMIC-IV demo: the same onset, antibiotic and culture."""
    from becalm import protocol
    from becalm.records import open_records
    from becalm.study.run import run

    result = run(
        open_records(str(DATA / "mimic-iv-demo")), protocol.load("hyperinflammation"), "demo"
    )
    table = result.tables["suspected_infections"]
    assert len(table) > 10
    ids = {name: i for i, name in enumerate(demo().records.persons["person_id"].tolist())}
    cultures = demo().records.cultures
    banned = [f" {each} " for each in FILE["suspicion"]["not_cultures"]]
    for name in sorted(set(table["person_id"].tolist())):
        mine = table.take(table["person_id"] == name)
        taken = []
        for at in np.flatnonzero(cultures["person"] == ids[name]).tolist():
            label = " " + becalm_words(f"{cultures['specimen'][at]} {cultures['test'][at]}") + " "
            if not any(each in label for each in banned):
                taken.append(int(cultures["collected"][at]))
        given_ = [(int(row["antibiotic_start"]), row["antibiotic"]) for row in mine.rows()]
        expected = plain.suspicions(given_, taken)
        columns = ("suspected", "antibiotic_start", "cultured", "antibiotic")
        found = sorted(tuple(row[each] for each in columns) for row in mine.rows())
        assert [each[:2] for each in found] == [each[:2] for each in expected]


def becalm_words(text: str) -> str:
    from becalm.vocabulary import words

    return words(text)
