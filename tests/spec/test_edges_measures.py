"""At, just before and just after every bound of a protocol's measures: response, lines, steps, harm, outcome.

`test_edges_protocols.py` holds the list of keys and the bounds of who enters. Made from the files, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from becalm import protocol
from becalm.core.clock import HOUR
from becalm.doses import EpisodeRules, treatments
from becalm.doses.rate_steps import steps_up
from becalm.doses.time_at_dose import time_at_dose
from becalm.measures.escalations import escalations
from tests.spec.edges import DAY, MINUTE, around, having, hours, inclusive
from tests.spec.edges import protocol_file as raw
from tests.spec.patients import patients


def has(name: str, column: str, variable: str, hour: float, **known: Any) -> bool:
    """Whether a value at an hour is seen in a column of `response`."""
    row = patients(f"hour | {variable}\n{hour} | 50", protocol=name, **known).response(variable)
    return bool(np.isfinite(row[column]))


@pytest.mark.parametrize("name", having("baseline"))
def test_a_baseline_reaches_as_far_back_as_it_says(name: str) -> None:
    """The rule says "In [−48 h, 0]", both ends included."""
    says = raw(name)["baseline"]
    for column, variable, key in (
        ("baseline", "ferritin", "ferritin"), ("baseline", "crp", "other"), ("peak", "crp", "peak"),
    ):  # fmt: skip
        seen = [has(name, column, variable, -age) for age in around(hours(says[key]))]
        assert seen == [True, True, False], key
        assert [has(name, column, variable, hour) for hour in around(0)] == [True, True, False], key


HORIZONS = [(name, key) for name in having("horizons") for key in raw(name)["horizons"]]


@pytest.mark.parametrize(("name", "key"), HORIZONS)
def test_a_horizon_has_its_window(name: str, key: str) -> None:
    """[from, to], or (from, to] where it is open; the nearest counts, of two the earlier."""
    says = raw(name)["horizons"][key]
    column = key
    first = [has(name, column, "ferritin", hour) for hour in around(says["from"])]
    assert first == [False, not says["open"], True]
    last = [has(name, column, "ferritin", hour) for hour in around(says["to"])]
    assert last == [True, True, False]

    def nearest(before: float, after: float) -> float:
        table = f"hour | ferritin\n{says['at'] - before} | 5\n{says['at'] + after} | 7"
        return float(patients(table, protocol=name).response("ferritin")[column])

    assert [nearest(2, after) for after in (2 - MINUTE, 2, 2 + MINUTE)] == [7, 5, 5]


@pytest.mark.parametrize("name", having("response", "graded_falls"))
def test_a_fall_of_exactly_the_share_is_one(name: str) -> None:
    """From 1,000 to 850 is a fall of 15 %."""
    for share in raw(name)["response"]["graded_falls"]:
        found = []
        for value in (1000 * (1 - share) - 0.1, 1000 * (1 - share), 1000 * (1 - share) + 0.1):
            row = patients(f"hour | ferritin\n-1 | 1000\n48 | {round(value, 1)}", protocol=name)
            found.append(row.primary()[f"fall_{round(100 * share)}"])
        assert found == [True, True, False]


@pytest.mark.parametrize("name", having("response", "strict_horizon"))
def test_the_strict_horizon_is_as_inclusive_as_it_is_written(name: str) -> None:
    """`<=48h` includes a value at 48 h."""
    says = raw(name)["response"]["strict_horizon"]
    answers = []
    for hour in around(hours(says)):
        labs = f"hour | ferritin | ast\n-1 | 1000 | 100\n{hour} | 500 | 50"
        answers.append(patients(labs, protocol=name).primary()["strict"] == "responded")
    assert answers == [True, inclusive(says), False]


@pytest.mark.parametrize("name", having("response", "strict_horizon"))
def test_who_died_exactly_at_a_horizon_was_alive_until_it(name: str) -> None:
    """Before means before: at the horizon itself the patient has only no sample."""
    hour = raw(name)["horizons"]["h48"]["at"]
    words = ("before", "no sample", "no sample")
    begun = (
        7  # time zero: 48 h after midnight would be a midnight, and a death at midnight is a date
    )

    def status(**known: Any) -> str:
        found = patients(f"hour | ferritin\n{begun - 1} | 9000", protocol=name, **known)
        t0 = found.cohort["t0"] + begun * HOUR
        return str(replace(found, cohort=found.cohort.replace(t0=t0)).response()["status"])

    for when, said in zip(around(begun + hour), words, strict=True):
        assert status(death_time=when) == (f"died {said}" if said == "before" else said)
        assert status(discharge=when) == (f"discharged {said}" if said == "before" else said)


CONFOUNDERS = [
    (name, at_, what)
    for name in having("confounder")
    for at_, rule in enumerate(raw(name)["confounder"])
    for what in (*rule.get("drugs", ()), *rule.get("procedures", ()))
]


@pytest.mark.parametrize(("name", "rule", "what"), CONFOUNDERS)
def test_a_confounder_counts_in_its_window_with_both_ends(name: str, rule: int, what: str) -> None:
    """A single dose, which stands for one minute, or a procedure, at either end of the window."""
    says = raw(name)["confounder"][rule]

    def confounds(hour: float) -> bool:
        if what in says.get("procedures", ()):
            table = {"procedures": f"start | end | name\n{hour} | | {what}"}
        else:
            table = {"doses": f"start | end | drug | route | mg\n{hour} | | {what} | IV | 100"}
        row = patients("hour | ferritin\n-1 | 9000", protocol=name, **table).response()  # type: ignore[arg-type]
        return what in row["confounded_by"].split("|")

    start = -hours(says["from"].removeprefix("-"))
    assert says["from"].startswith("-")
    assert [confounds(hour) for hour in around(start)] == [False, True, True]
    assert [confounds(hour) for hour in around(hours(says["to"]))] == [True, True, False]


def line(name: str, doses: list[tuple[float, str, float]], labs: str) -> bool | None:
    """Whether the one earlier line of therapy was refractory; doses are hour, drug, mg; 60 kg."""
    table = "start | drug | route | mg\n" + "\n".join(
        f"{h} | {d} | IV | {mg}" for h, d, mg in doses
    )
    found = patients(labs, doses=table, protocol=name, weight_kg=60.0)
    [row] = found.prior()
    answer: bool | None = row["refractory"]
    return answer


STEADY = "hour | ferritin\n-350 | 1000\n-300 | 1000\n-240 | 1000\n-180 | 1000\n-120 | 1000\n-60 | 1000\n-25 | 1000\n0 | 1000"
REFRACTORY = [*having("refractory")]


@pytest.mark.parametrize("name", REFRACTORY)
def test_a_glucocorticoid_counts_from_its_dose_and_its_time_on(name: str) -> None:
    """At least 1 mg/kg in 24 h for at least 48 h, pauses up to 12 h not counting."""
    rule = raw(name)["refractory"]
    daily = rule["glucocorticoid_mg_kg_day"] * 60
    for mg, enough in ((daily - 0.1, False), (daily, True), (daily + 0.1, True)):
        doses = [(hour, "prednisolone", mg) for hour in (-96.0, -72.0, -48.0, -24.0)]
        assert line(name, doses, STEADY) is enough, mg
    long = hours(rule["glucocorticoid_for"])
    # Two doses stand for a day each; the second begins so that both together last just so long.
    for apart, enough in zip(around(long - DAY), (False, True, True), strict=True):
        doses = [(-100.0, "prednisolone", daily), (-100 + apart, "prednisolone", daily)]
        assert line(name, doses, STEADY) is enough, apart
    for pause, bridged in zip(around(hours(rule["bridge"])), (True, True, False), strict=True):
        doses = [(-100.0, "prednisolone", daily), (-100 + DAY + pause, "prednisolone", daily)]
        assert line(name, doses, STEADY) is bridged, pause


@pytest.mark.parametrize("name", REFRACTORY)
def test_another_agent_counts_when_begun_in_its_window(name: str) -> None:
    """The rule says "Given 24 h to 14 d before time zero", both ends included."""
    rule = raw(name)["refractory"]
    near, far = hours(rule["begun_before"]), hours(rule["within"])

    def tried(age: float) -> bool:
        return line(name, [(-age, "tocilizumab", 400)], STEADY) is True

    assert [tried(age) for age in around(near)] == [False, True, True]
    assert [tried(age) for age in around(far)] == [True, True, False]


@pytest.mark.parametrize("name", REFRACTORY)
def test_a_ferritin_down_by_exactly_the_share_fell(name: str) -> None:
    """The rule says "Not down by ≥25 %" is refractory; down by exactly 25 % is not."""
    kept = 1000 * (1 - raw(name)["refractory"]["ferritin_fall"])
    found = [
        line(name, [(-100, "tocilizumab", 400)], f"hour | ferritin\n-101 | 1000\n0 | {value}")
        for value in (kept - 0.1, kept, kept + 0.1)
    ]
    assert found == [False, False, True]


def risen(name: str, segments: list[tuple[float, float, float]]) -> int:
    """How many steps up a protocol counts in segments of start, end and rate."""
    rule = EpisodeRules.of(protocol.load(name))
    start, end = (np.array([round(s[i] * HOUR) for s in segments], np.int64) for i in (0, 1))
    found = steps_up(
        start, end, np.array([s[2] for s in segments]),
        min_rise=rule.min_rise, held=rule.held, resume_within=rule.resume_within,
    )  # fmt: skip
    return len(found)


@pytest.mark.parametrize("name", having("escalation"))
def test_a_step_turns_at_its_rise_its_duration_and_its_pause(name: str) -> None:
    """The rule says "≥10 % for ≥30 min; resuming after a pause ≤6 h is not a step"."""
    rule = raw(name)["escalation"]
    rates = [50 * (1 + rule["min_rise"]) + more for more in (-0.01, 0, 0.01)]
    assert [risen(name, [(0, 9, 50), (9, 18, rate)]) for rate in rates] == [0, 1, 1]
    held = [
        (risen(name, [(0, 9, 50), (9, 9 + h, 99), (9 + h, 18, 50)]))
        for h in around(hours(rule["min_duration"]))
    ]
    assert held == [0, 1, 1]
    # The same where the infusion ends with it.
    ends = [risen(name, [(0, 9, 50), (9, 9 + h, 99)]) for h in around(hours(rule["min_duration"]))]
    assert ends == [0, 1, 1]
    pauses = around(hours(rule["resume_within"]))
    assert [risen(name, [(0, 9, 50), (9 + p, 18 + p, 50)]) for p in pauses] == [0, 0, 1]


def worse(name: str, labs: str, column: str) -> bool | None:
    """What was worse before the one step, at hour 100."""
    doses = "start | end | drug | mg_h\n0 | 100 | anakinra | 25\n100 | 130 | anakinra | 50"
    found = patients(labs, doses=doses, protocol=name, weight_kg=50.0)
    courses = treatments(found.doses, ["anakinra"], EpisodeRules.of(found.protocol))
    table = escalations(found.cohort, found.events, found.doses, found.protocol, courses)
    [row] = table.rows()
    answer: bool | None = row[column]
    return answer


@pytest.mark.parametrize("name", having("escalation", "worsening_within"))
def test_worsening_before_a_step_is_newer_than_its_window(name: str) -> None:
    """A value drawn exactly 24 h before is the one in force at the beginning, a later one the newest."""
    back = hours(raw(name)["escalation"]["worsening_within"])
    found = [
        worse(name, f"hour | ferritin\n{90 - back} | 100\n{100 - age} | 200", "ferritin")
        for age in around(back)
    ]
    assert found == [True, None, None]
    bound = raw(name)["escalation"]["fever_at_least"]
    heat = [
        worse(
            name, f"hour | temperature\n{90 - back} | 36.5\n99 | {round(value, 2)}", "temperature"
        )
        for value in (bound - 0.1, bound, bound + 0.1)
    ]
    assert heat == [False, True, True]


def reference(name: str, age: float, *, outpatient: bool) -> str:
    """How the baseline was made from one creatinine so many hours before onset, at −48 h."""
    inside = -48 - 1 if outpatient else -9000
    labs = f"hour | creatinine\n{-48 - age} | 0.9\n-40 | 1.0"
    found = patients(labs, protocol=name, stays=f"start | end\n{inside} | 900")
    return str(found.safety("aki")["reference"])


@pytest.mark.parametrize("name", having("kidney"))
def test_a_creatinine_is_a_baseline_in_its_window_with_both_ends(name: str) -> None:
    """The rule says "Outpatient median 365–7 d, else minimum of the 7 d before onset"."""
    says = raw(name)["kidney"]
    far, near = hours(says["outpatient_from"]), hours(says["outpatient_to"])
    seen = ["outpatient" in reference(name, age, outpatient=True) for age in around(far)]
    assert seen == [True, True, False]
    seen = ["outpatient" in reference(name, age, outpatient=True) for age in around(near)]
    assert seen == [False, True, True]
    back = hours(says["minimum_within"])
    seen = ["lowest" in reference(name, age, outpatient=False) for age in around(back)]
    assert seen == [True, True, False]
    seen = ["lowest" in reference(name, age, outpatient=False) for age in around(0)]
    assert seen == [False, False, True]


INFUSED = "start | end | drug | mg_h\n0 | 96 | anakinra | 100"


@pytest.mark.parametrize("name", having("safety"))
def test_harm_counts_until_the_end_of_its_window(name: str) -> None:
    """So long after the last continuous dose, or until discharge; the last moment included."""
    says = raw(name)
    for event, labs, key in (
        ("aki", "hour | creatinine\n-50 | 1.0\n-1 | 1.0\n{} | 4.5", says["kidney"].get("after_last_dose")),
        ("neutropenia", "hour | neutrophils\n-1 | 3.0\n{} | 0.1", says["safety"].get("after_last_dose")),
    ):  # fmt: skip
        to_discharge = says["safety"].get("until") == "discharge"
        assert to_discharge or key
        end = 300.0 if to_discharge else 96 + hours(key)
        known: dict[str, Any] = {"discharge": 300} if to_discharge else {"infusion_start": 0}
        found = [
            patients(labs.format(hour), protocol=name, doses=INFUSED, stays="start | end\n-900 | 900", **known)
            .safety(event)["grade_after"] for hour in around(end)
        ]  # fmt: skip
        assert [grade > 0 for grade in found] == [True, True, False], event


@pytest.mark.parametrize("name", having("baseline"))
def test_grades_before_reach_back_as_far_as_a_peak_and_include_time_zero(name: str) -> None:
    """[−72 h, 0] before, later than time zero after."""
    back = hours(raw(name)["baseline"]["peak"])

    def grades(hour: float) -> tuple[bool, bool]:
        row = patients(f"hour | neutrophils\n{hour} | 0.1", protocol=name).safety("neutropenia")
        return row["grade_before"] == 4, row["grade_after"] == 4

    assert [grades(-age)[0] for age in around(back)] == [True, True, False]
    assert [grades(hour) for hour in around(0)] == [(True, False), (True, False), (False, True)]


def maintained(name: str, doses: list[tuple[float, float]]) -> bool:
    """Whether doses (hour, mg) under the skin after an infusion are maintenance."""
    table = "start | end | drug | route | mg | mg_h\n0 | 96 | anakinra | IV | | 100\n"
    table += "\n".join(f"{hour} | | anakinra | SC | {mg} |" for hour, mg in doses)
    found = patients(
        doses=table, protocol=name, infusion_start=0, last_contact=9000, end_of_records=9000
    )
    return "anakinra" in str(found.outcome()["maintenance_drug"])


@pytest.mark.parametrize("name", having("outcome", "maintenance_min"))
def test_maintenance_turns_at_its_dose_and_its_length(name: str) -> None:
    """The rule says "Anakinra ≤200 mg/day for ≥14 d": a daily dose stands for its day."""
    says = raw(name)["outcome"]
    most, days = says["maintenance_max_mg_day"], round(hours(says["maintenance_min"]) / DAY)
    found = [
        maintained(name, [(100 + DAY * day, mg) for day in range(days + 6)])
        for mg in (most - 0.1, most, most + 0.1)
    ]
    assert found == [True, True, False]
    for last, enough in zip(around(DAY * (days - 1)), (False, True, True), strict=True):
        doses = [*((100 + DAY * day, 100.0) for day in range(days - 1)), (100 + last, 100.0)]
        assert maintained(name, doses) is enough, last


@pytest.mark.parametrize("name", having("doses", "levels_per_day"))
def test_time_at_a_level_counts_from_the_level_on(name: str) -> None:
    """The rule says "At or above each", by the rate and by what was given in 24 h."""
    drug = raw(name)["entry"]["drug"]
    for level in raw(name)["doses"]["levels_per_day"]:
        seen = []
        for daily in (level - 0.1, level, level + 0.1):
            table = f"start | end | drug | mg_h\n0 | 48 | {drug} | {round(daily / 24, 9)}"
            found = patients(doses=table, protocol=name)
            [row] = time_at_dose(
                found.cohort, found.doses, drug, (level,), EpisodeRules.of(found.protocol)
            ).rows()
            seen.append((row["hours_at_rate"], row["hours_at_24h"] > 0))
        assert seen == [(0, False), (48, True), (48, True)]
