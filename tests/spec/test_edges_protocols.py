"""At, one minute before and one minute after every window and bound of the shipped protocols.

Made from the files: each key of a protocol is in `TESTED` or in `NO_EDGE`, and a case is made for each
protocol that has it. What is expected is the protocols' common rule in words, written beside each test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm import protocol
from becalm.cohort.clocks import Clocks
from becalm.cohort.landmark import ended
from becalm.cohort.selection import StormJudge, candidates
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import EpisodeRules, treatments
from becalm.doses.rate_steps import steps_up
from becalm.doses.time_at_dose import time_at_dose
from becalm.measures.escalations import escalations
from becalm.protocol import Protocol
from becalm.records import StudyInfo
from becalm.tables import OUTCOME, PERSONS
from becalm.timeline import Timeline
from tests.records import (
    Row,
    at,
    chunk,
    condition,
    dose,
    finding,
    infusion,
    lab,
    left,
    person,
    stay,
    study,
)
from tests.spec.edges import MINUTE, around, files, hours, inclusive, read, unknown_keys
from tests.spec.patients import patients

SHIPPED = files("protocol/shipped")
DAY = 24.0
TESTED = dict.fromkeys(
    [
        "population.min_age", "entry.min_duration", "entry.bridge", "entry.intermittent_up_to",
        "entry.t0_within", "entry.transferred_within", "entry.high_rate_mg_day", "treatment_episode.*",
        "storm.look_back", "storm.also_at", "storm.definite[].at_least", "storm.possible.ferritin_at_least",
        "storm.definite[].underlying", "storm.possible.any[].at_least", "baseline.ferritin",
        "baseline.other", "baseline.peak", "horizons.*.from", "horizons.*.to", "horizons.*.at",
        "horizons.*.open", "response.graded_falls", "response.strict_horizon", "confounder[].from",
        "confounder[].to", "refractory.glucocorticoid_mg_kg_day", "refractory.glucocorticoid_for",
        "refractory.bridge", "refractory.begun_before", "refractory.within", "refractory.ferritin_fall",
        "escalation.min_rise", "escalation.min_duration", "escalation.resume_within",
        "escalation.worsening_within", "escalation.fever_at_least", "kidney.outpatient_from",
        "kidney.outpatient_to", "kidney.minimum_within", "kidney.after_last_dose",
        "safety.after_last_dose", "safety.until", "outcome.maintenance_max_mg_day",
        "outcome.maintenance_min", "doses.levels_per_day", "index.at_least", "index.within",
        "index.qualifying[].at_least", "index.qualifying[].below", "entry_test.at_least",
        "landmark.before", "landmark.after", "landmark.horizon",
    ],
    "tested here",
)  # fmt: skip
NO_EDGE = {
    **dict.fromkeys(["name", "title", "cite", "design", "clock"], "words and choices"),
    **dict.fromkeys(["population.recruitment", "entry.drug", "entry.mode", "response.claim"], "a choice"),
    **dict.fromkeys(["storm.clinician", "exclude.conditions", "definitions.report"], "a list of names"),
    **dict.fromkeys(["storm.definite[].criterion", "storm.possible.any[].criterion"], "a name"),
    **dict.fromkeys(["index.variable", "index.qualifying[].variable", "entry_test.variable"], "a name"),
    **dict.fromkeys(["landmark.condition", "response.of", "response.variables"], "a name"),
    **dict.fromkeys(["response.primary", "response.primary_any", "safety.events"], "a list of names"),
    **dict.fromkeys(["confounder[].drugs", "confounder[].procedures"], "a list of names"),
    **dict.fromkeys(["confounder[].started_or_doubled", "outcome.maintenance_drugs"], "a choice"),
    "kidney.assumed_egfr": "goes into a formula; nothing begins or ends at it",
    **dict.fromkeys(["outcome.episode_break", "outcome.resolution_min"], "no table measures it yet"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_every_key_of_a_protocol_is_tested_or_has_no_edge(name: str) -> None:
    """A new window is tested here, or says why it has no edge."""
    assert not unknown_keys(name, TESTED, NO_EDGE), "nobody knows how to test the edge of these"


def having(*path: str) -> list[str]:
    """The names of the protocols whose file has a key."""
    found = []
    for file in SHIPPED:
        value: Any = read(file)
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            found.append(read(file)["name"])
    return found


def raw(name: str) -> dict[str, Any]:
    return next(read(file) for file in SHIPPED if read(file)["name"] == name)


def rules(name: str) -> Protocol:
    return protocol.load(name)


def clocks(name: str, *rows: Row) -> Clocks:
    """The clocks of one person, whose records go on for long."""
    late = lab("crp", 5, 5000)
    return candidates(chunk(*rows, late), rules(name), StudyInfo()).clocks


def enters(name: str, *rows: Row) -> bool:
    return bool(clocks(name, *rows).index[0] != UNKNOWN_TIME)


@pytest.mark.parametrize("name", having("population", "min_age"))
def test_the_youngest_age_counts_from_the_birthday_on(name: str) -> None:
    """Completed years: on the birthday in, the day before it too young."""
    least = raw(name)["population"]["min_age"]
    reason = f"younger than {least}"
    young = left(name, person(birth=f"{2020 - least}-01-02"), lab("crp", 5, 12))
    old = left(name, person(birth=f"{2020 - least}-01-01"), lab("crp", 5, 12))
    assert young == [reason]
    assert old != [reason]


@pytest.mark.parametrize("name", having("entry", "min_duration"))
def test_an_infusion_enters_from_its_least_duration_on(name: str) -> None:
    """The rule says "For at least 6 h": 6 h enter."""
    length = hours(raw(name)["entry"]["min_duration"])
    assert [enters(name, infusion(0, end)) for end in around(length)] == [False, True, True]


@pytest.mark.parametrize("name", having("entry", "bridge"))
def test_a_gap_as_long_as_the_bridge_is_bridged(name: str) -> None:
    """The rule says "Gaps up to 2 h": 2 h are bridged. Each half alone is too short to enter."""
    half = hours(raw(name)["entry"]["min_duration"]) - 1
    answers = [
        enters(name, infusion(0, half), infusion(half + gap, 2 * half + gap))
        for gap in around(hours(raw(name)["entry"]["bridge"]))
    ]
    assert answers == [True, True, False]


@pytest.mark.parametrize("name", having("entry", "intermittent_up_to"))
def test_a_planned_infusion_as_long_as_that_is_intermittent(name: str) -> None:
    """The rule says "A planned infusion no longer than 3 h is intermittent": 3 h are."""
    entry = raw(name)["entry"]

    def mode(*rows: Row) -> list[str]:
        found = treatments(chunk(*rows).doses, [entry["drug"]], EpisodeRules.of(rules(name)))
        return [str(each) for each in found.episodes["mode"]]

    for length, said in zip(
        around(hours(entry["intermittent_up_to"])),
        ("intermittent IV", "intermittent IV", "continuous IV"),
        strict=True,
    ):
        late = lab("crp", 5, 500)
        assert mode(dose(entry["drug"], 0, length, amount="100 mg"), late) == [said]


@pytest.mark.parametrize("name", having("entry", "intermittent_up_to"))
def test_a_planned_piece_neither_begins_nor_prolongs_an_infusion(name: str) -> None:
    """An amount over exactly 3 h an hour before an infusion is a dose of its own."""
    entry = raw(name)["entry"]
    length = hours(entry["intermittent_up_to"])
    begins = []
    for planned in around(length):
        piece = dose(entry["drug"], -1 - planned, -1, amount="100 mg")
        begins.append(clocks(name, piece, infusion(0, 48)).infusion_start[0])
    assert begins == [at(0), at(0), at(-1 - length - MINUTE)]


@pytest.mark.parametrize("name", having("entry", "t0_within"))
def test_time_zero_is_a_first_dose_no_older_than_it_may_be(name: str) -> None:
    """The rule says "First dose in [entry − 7 d, entry]": exactly 7 d before is time zero, older is earlier use."""
    entry = raw(name)["entry"]
    back = hours(entry["t0_within"])
    found = [
        clocks(name, dose(entry["drug"], -age, amount="100 mg", route="SC"), infusion(0, 48)).t0[0]
        for age in around(back)
    ]
    assert found == [at(-back + MINUTE), at(-back), at(0)]


@pytest.mark.parametrize("name", having("entry", "high_rate_mg_day"))
def test_the_third_clock_starts_at_its_rate(name: str) -> None:
    """The rule says "First rate at or above this"."""
    least = raw(name)["entry"]["high_rate_mg_day"]
    found = [
        clocks(name, infusion(0, 10, 10), infusion(10, 48, round(rate / 24, 9))).high_rate[0]
        for rate in (least - 0.1, least, least + 0.1)
    ]
    assert found == [UNKNOWN_TIME, at(10), at(10)]


@pytest.mark.parametrize("name", having("entry", "transferred_within"))
def test_left_truncated_is_who_was_on_the_drug_so_soon_after_a_transfer(name: str) -> None:
    """The rule says "On the drug this soon after a transfer in": one hour is."""
    rule = raw(name)["entry"]
    found = []
    for start in around(hours(rule["transferred_within"])):
        rows = (
            stay(0, 900, origin="transfer"),
            condition("macrophage activation syndrome", 1),
            infusion(start, 100),
        )
        [row] = study(name, *rows)[1].cohort.rows()
        found.append(row["left_truncated"])
    assert found == [True, True, False]


ROUTES = {"SC": "SC", "oral": "PO", "intermittent IV": "IV"}


@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, mode) for name in having("treatment_episode") for mode in raw(name)["treatment_episode"]],
)  # fmt: skip
def test_a_treatment_episode_ends_after_its_gap(name: str, mode: str) -> None:
    """The rule says "Ends after so long without drug": a pause exactly as long does not end it yet."""
    gap = hours(raw(name)["treatment_episode"][mode])

    def episodes(pause: float) -> int:
        if mode == "continuous IV":
            rows = [infusion(0, 10), infusion(10 + pause, 20 + pause)]
        else:
            rows = [
                dose("anakinra", hour, amount="100 mg", route=ROUTES[mode]) for hour in (0, pause)
            ]
        found = treatments(chunk(*rows).doses, ["anakinra"], EpisodeRules.of(rules(name)))
        assert set(found.episodes["mode"].tolist()) == {mode}
        return len(found.episodes)

    assert [episodes(pause) for pause in around(gap)] == [1, 1, 2]


def judged(name: str, totals: dict[str, tuple[float, float]], ferritin: float, disease: str) -> str:
    """Judge a storm on totals (lowest, highest) by definition and one ferritin, all at hour 1."""

    class Total:
        def __init__(self, low: float, high: float) -> None:
            self.observed = Timeline.build([0], [at(1)], [at(2)], [low], [high])

    asked = {
        rule.criterion for rule in (*rules(name).storm.definite, *rules(name).storm.possible.any)
    }
    evaluations: Any = {each: Total(*totals.get(each, (0, 0))) for each in asked}
    events = chunk(lab("ferritin", ferritin, 1)).events
    court = StormJudge(evaluations, events, rules(name), [disease])
    one = np.zeros(1, np.int32)
    return str(court.judge(one, np.array([at(0)]), np.array([at(1)])).words()[0])


@pytest.mark.parametrize("name", having("storm", "definite"))
def test_a_storm_is_definite_from_its_cut_off_on(name: str) -> None:
    """The lowest possible total at the bound is enough; of a bound of one disease only with it."""
    for rule in raw(name)["storm"]["definite"]:
        for disease in rule.get("underlying", [""]):
            bound = rule["at_least"]
            words = [
                judged(name, {rule["criterion"]: (total, total)}, 1, disease)
                for total in (bound - 0.5, bound, bound + 0.5)
            ]
            assert words == ["not met", "definite", "definite"]
        if "underlying" in rule:
            assert judged(name, {rule["criterion"]: (9, 9)}, 1, "rheumatoid_arthritis") == "not met"


@pytest.mark.parametrize("name", having("storm", "possible"))
def test_a_storm_is_possible_from_both_of_its_bounds_on(name: str) -> None:
    """A ferritin at its bound and a highest possible total at its cut-off."""
    possible = raw(name)["storm"]["possible"]
    bound = possible["ferritin_at_least"]
    for rule in possible["any"]:
        cut = rule["at_least"]
        words = [
            judged(name, {rule["criterion"]: (0, total)}, ferritin, "")
            for ferritin, total in (
                (bound - 1, cut), (bound, cut), (bound + 1, cut), (bound, cut - 0.5), (bound, cut + 0.5),
            )
        ]  # fmt: skip
        assert words == ["not met", "possible", "possible", "not met", "possible"]


def storm_rows(start: float) -> list[Row]:
    """An HScore of 181 without fever and low counts, from `start` until ferritin expires."""
    return [
        lab("ferritin", 7000, start),
        *(lab(*each, start) for each in (("triglycerides", 5), ("fibrinogen", 1), ("ast", 100))),
        finding("immunosuppression", "yes", start),
    ]


def storm_of(name: str, *rows: Row, ferritin: float = 600) -> dict[str, Any]:
    """The cohort's row of one person whose index is hour 0; a storm is not needed to enter."""
    design = raw(name)["design"]
    if design == "treatment":
        own = [infusion(0, 48), condition("macrophage activation syndrome", 0)]
    elif design == "index":
        own = [lab("ferritin", ferritin, 0), lab("temperature", 39, 0)]
    else:
        start = -hours(raw(name)["landmark"]["after"])
        own = [stay(start, 900), condition("COVID-19", start)]
    late = lab("crp", 5, 900)
    [row] = study(name, *own, *rows, late)[1].cohort.rows()
    assert row["index_time"] == at(0)
    return row


@pytest.mark.parametrize("name", having("storm", "look_back"))
def test_a_storm_that_ended_before_the_look_back_is_not_this_one(name: str) -> None:
    """The rule says "In [entry − 14 d, entry]". The total holds until ferritin, valid for 72 h, has expired."""
    back = hours(raw(name)["storm"]["look_back"])
    found = [
        storm_of(name, *storm_rows(-back - 72 + shift))["storm"] for shift in (-MINUTE, 0, MINUTE)
    ]
    assert found == ["not met", "not met", "definite"]
    by_index = raw(name)["design"] == "index"  # whose own ferritin is drawn at the index
    found = [
        storm_of(name, *storm_rows(hour)[by_index:], ferritin=7000)["storm"] for hour in around(0)
    ]
    assert found[:2] == ["definite", "definite"]
    assert found[2] != "definite"


@pytest.mark.parametrize("name", having("storm", "also_at"))
def test_a_storm_is_judged_again_so_long_after_the_index(name: str) -> None:
    """Everything known exactly then belongs to it."""
    after = hours(raw(name)["storm"]["also_at"])
    found = [storm_of(name, *storm_rows(hour))["storm_72h"] for hour in around(after)]
    assert found == ["definite", "definite", "not met"]


@pytest.mark.parametrize("name", having("index"))
def test_the_index_turns_at_its_bounds_and_its_distance(name: str) -> None:
    """A ferritin at its bound, each qualifying value at its own, drawn up to so far apart either way."""
    index = raw(name)["index"]

    def indexed(bound: float, other: str, value: float, apart: float = 0) -> bool:
        return enters(name, lab(index["variable"], bound, 100), lab(other, value, 100 + apart))

    for each in index["qualifying"]:
        edge = each.get("at_least", each.get("below"))
        sign = 1 if "at_least" in each else -1
        good, other = edge + sign * 0.5, each["variable"]
        least = index["at_least"]
        assert [indexed(v, other, good) for v in (least - 1, least, least + 1)] == [
            False,
            True,
            True,
        ]
        values = (edge - 0.01, edge, edge + 0.01)
        expected = [False, True, True] if "at_least" in each else [True, False, False]
        assert [indexed(least, other, v) for v in values] == expected
        for side in (-1, 1):
            far = [side * hour for hour in around(hours(index["within"]))]
            assert [indexed(least, other, good, apart) for apart in far] == [True, True, False]


@pytest.mark.parametrize("name", having("entry_test"))
def test_the_entry_test_is_passed_at_its_bound(name: str) -> None:
    """The rule says "A ferritin ≥500, ever"."""
    test = raw(name)["entry_test"]
    bound = test["at_least"]
    for value, passes in ((bound - 1, False), (bound, True), (bound + 1, True)):
        [reason] = left(name, lab(test["variable"], value, 1))
        assert reason.startswith("entry test not met") != passes


@pytest.mark.parametrize("name", having("landmark"))
def test_the_illness_counts_from_so_long_before_the_admission(name: str) -> None:
    """The rule says "Up to 14 days before": a diagnosis exactly 14 days before counts."""
    back = hours(raw(name)["landmark"]["before"])
    found = [left(name, condition("COVID-19", 10 - age), stay(10, 400))[0] for age in around(back)]
    assert found == ["", "", "no admission with COVID-19"]


@pytest.mark.parametrize("name", having("landmark"))
def test_at_the_landmark_one_is_alive_and_in_hospital_or_not(name: str) -> None:
    """Who died or went home exactly at it is not among those alive and in hospital."""
    after = raw(name)["landmark"]["after"]
    ill = condition("COVID-19", 0)
    died, home = f"died within {after} of admission", f"discharged within {after} of admission"
    for hour, out in zip(around(hours(after)), (True, True, False), strict=True):
        end = 10 + hour
        assert left(name, ill, person(death=end), stay(10, 400)) == [died if out else ""]
        assert left(name, ill, person(death=end), stay(10, end, destination="died")) == [
            died if out else ""
        ]
        assert left(name, ill, stay(10, end, destination="home")) == [home if out else ""]


@pytest.mark.parametrize("name", having("landmark"))
def test_an_end_exactly_at_the_horizon_is_by_the_horizon(name: str) -> None:
    """The rule says "By day 28": a death or a discharge at it counts, one minute later the person was in hospital."""
    rule = rules(name).landmark
    assert rule is not None
    index = hours(raw(name)["landmark"]["after"])
    horizon = hours(raw(name)["landmark"]["horizon"])
    persons = Frame.of(PERSONS, person_id=["P1"], index_time=[at(index)])

    def end(**cells: Any) -> str:
        row = {"person_id": "P1", "discharged": UNKNOWN_TIME, "died": None, **cells}
        return ended(persons, Frame.of_rows(OUTCOME, [row]), rule)["P1"]

    found = [
        (end(died=True, last_contact=at(h)), end(discharged=at(h), last_contact=at(h)), end(last_contact=at(h)))
        for h in around(horizon)
    ]  # fmt: skip
    assert found == [
        ("died", "discharged", "unknown"),
        ("died", "discharged", "in hospital"),
        ("in hospital", "in hospital", "in hospital"),
    ]


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
    for when, said in zip(around(hour), words, strict=True):
        dead = patients("hour | ferritin\n-1 | 9000", protocol=name, death_time=when).response()
        home = patients("hour | ferritin\n-1 | 9000", protocol=name, discharge=when).response()
        assert dead["status"] == (f"died {said}" if said == "before" else said)
        assert home["status"] == (f"discharged {said}" if said == "before" else said)


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
            table = {"procedures": f"hour | until | name\n{hour} | | {what}"}
        else:
            table = {"doses": f"hour | until | drug | route | mg\n{hour} | | {what} | IV | 100"}
        row = patients("hour | ferritin\n-1 | 9000", protocol=name, **table).response()  # type: ignore[arg-type]
        return what in row["confounded_by"].split("|")

    start = -hours(says["from"].removeprefix("-"))
    assert says["from"].startswith("-")
    assert [confounds(hour) for hour in around(start)] == [False, True, True]
    assert [confounds(hour) for hour in around(hours(says["to"]))] == [True, True, False]


def line(name: str, doses: list[tuple[float, str, float]], labs: str) -> bool | None:
    """Whether the one earlier line of therapy was refractory; doses are hour, drug, mg; 60 kg."""
    table = "hour | drug | route | mg\n" + "\n".join(f"{h} | {d} | IV | {mg}" for h, d, mg in doses)
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
    rule = EpisodeRules.of(rules(name))
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
    doses = "hour | until | drug | mg_h\n0 | 100 | anakinra | 25\n100 | 130 | anakinra | 50"
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
    found = patients(labs, protocol=name, stays=f"hour | until\n{inside} | 900")
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


INFUSED = "hour | until | drug | mg_h\n0 | 96 | anakinra | 100"


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
            patients(labs.format(hour), protocol=name, doses=INFUSED, stays="hour | until\n-900 | 900", **known)
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
    table = "hour | until | drug | route | mg | mg_h\n0 | 96 | anakinra | IV | | 100\n"
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
            table = f"hour | until | drug | mg_h\n0 | 48 | {drug} | {round(daily / 24, 9)}"
            found = patients(doses=table, protocol=name)
            [row] = time_at_dose(
                found.cohort, found.doses, drug, (level,), EpisodeRules.of(found.protocol)
            ).rows()
            seen.append((row["hours_at_rate"], row["hours_at_24h"] > 0))
        assert seen == [(0, False), (48, True), (48, True)]
