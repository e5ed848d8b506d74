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
from becalm.cohort.selection import candidates
from becalm.cohort.storm import StormJudge
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import EpisodeRules, treatments
from becalm.protocol import Protocol
from becalm.records import StudyInfo
from becalm.report.stays_by_status import ended
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
from tests.spec.edges import MINUTE, PROTOCOLS, around, having, hours, unknown_keys
from tests.spec.edges import protocol_file as raw

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
        "kidney.outpatient_to", "kidney.minimum_within", "kidney.after_last_dose", "kidney.after_session",
        "safety.after_last_dose", "safety.until", "outcome.maintenance_max_mg_day",
        "outcome.maintenance_min", "doses.levels_per_day", "index.at_least", "index.within",
        "index.qualifying[].at_least", "index.qualifying[].below", "entry_test.at_least",
        "landmark.before", "landmark.after", "landmark.horizon",
        "outcome.resolution_min",  # with the next ones in test_relapse.py
        "relapse.fever_at_least", "relapse.quiet_ferritin", "relapse.quiet_share", "relapse.rise",
        "relapse.ferritin_at_least", "relapse.platelet_fall", "relapse.dose_rise", "relapse.dose_window",
        "relapse.new_agent_after", "relapse.near", "relapse.infection_near",
        "infection.new_after", "infection.other_than_in",  # test_infections.py
        "person_time.from_t0", "person_time.after_last_dose", "person_time.lags", "person_time.bands_24h",
        "person_time.high_24h", "person_time.bands_days_high", "person_time.bands_cumulative",  # test_person_time.py
    ],
    "tested here or in test_edges_measures.py",
)  # fmt: skip
NO_EDGE = {
    "entry.unknown_mode": "a word, tested in test_modes",
    **dict.fromkeys(["name", "title", "cite", "design", "clock"], "words and choices"),
    **dict.fromkeys(["population.recruitment", "entry.drug", "entry.mode", "response.claim"], "a choice"),
    **dict.fromkeys(["storm.clinician", "exclude.conditions", "definitions.report"], "a list of names"),
    **dict.fromkeys(["storm.definite[].criterion", "storm.possible.any[].criterion"], "a name"),
    **dict.fromkeys(["index.variable", "index.qualifying[].variable", "entry_test.variable"], "a name"),
    **dict.fromkeys(["landmark.condition", "response.of", "response.variables"], "a name"),
    **dict.fromkeys(["response.primary", "response.primary_any", "safety.events"], "a list of names"),
    **dict.fromkeys(["confounder[].drugs", "confounder[].procedures"], "a list of names"),
    **dict.fromkeys(["confounder[].started_or_doubled", "outcome.maintenance_drugs"], "a choice"),
    "kidney.baseline": "a list of choices",
    "kidney.assumed_egfr": "goes into a formula; nothing begins or ends at it",
}  # fmt: skip


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_key_of_a_protocol_is_tested_or_has_no_edge(name: str) -> None:
    """A new window is tested here, or says why it has no edge."""
    assert not unknown_keys(name, TESTED, NO_EDGE), "nobody knows how to test the edge of these"


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
        given = dose(entry["drug"], 0, length, amount="100 mg", route="IV infusion")
        assert mode(given, late) == [said]


@pytest.mark.parametrize("name", having("entry", "intermittent_up_to"))
def test_a_planned_piece_neither_begins_nor_prolongs_an_infusion(name: str) -> None:
    """An amount over exactly 3 h an hour before an infusion is a dose of its own."""
    entry = raw(name)["entry"]
    length = hours(entry["intermittent_up_to"])
    begins = []
    for planned in around(length):
        piece = dose(entry["drug"], -1 - planned, -1, amount="100 mg", route="IV infusion")
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
            self.at = self.observed.at

    asked = {
        rule.criterion for rule in (*rules(name).storm.definite, *rules(name).storm.possible.any)
    }
    evaluations: Any = {each: Total(*totals.get(each, (0, 0))) for each in asked}
    ferritins = chunk(lab("ferritin", ferritin, 1)).events.points("ferritin", rules(name).clock)
    court = StormJudge(evaluations, ferritins, rules(name), [disease])
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
    """A ferritin at its bound and a highest possible total at its cut-off; it is denied only where no total could reach its own."""
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
        assert words == ["undetermined", "possible", "possible", "not met", "possible"]


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
    assert found == ["undetermined", "undetermined", "definite"]
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
    assert found == ["definite", "definite", "undetermined"]


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
        (end(died=True, last_contact=at(h)), end(discharged=at(h), last_contact=at(h)), end(died=False, last_contact=at(h)))
        for h in around(horizon)
    ]  # fmt: skip
    assert found == [
        ("died", "discharged", "unknown"),
        ("died", "discharged", "in hospital"),
        ("in hospital", "in hospital", "in hospital"),
    ]
