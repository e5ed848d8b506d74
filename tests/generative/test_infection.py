"""Infections of generated cultures equal the rule read one sample at a time, and in every world where dates are left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm import protocol
from becalm.core.arrays import FAR_FUTURE
from becalm.measures.infection_samples import NOT_KNOWN, Antibiotics, Sample
from becalm.measures.infections import Episode, Verdict, new_onset, verdict
from becalm.timeline import Intervals
from becalm.vocabulary import organism_kinds
from tests.records import ORIGIN, Row, culture, dose, infusion, lab, measured, patient
from tests.reference import infections as slow
from tests.reference.infections import DAY, HOUR, MINUTE, Grown

STORM = (
    *(lab(name, value, -4) for name, value in {
        "ferritin": 20_000, "platelets": 20, "haemoglobin": 7, "wbc": 1.0, "neutrophils": 0.4, "triglycerides": 5,
        "fibrinogen": 1.0, "ast": 400, "temperature": 39.8,
    }.items()),
    infusion(0, 96),
)  # fmt: skip
"""A definite storm, and time zero at hour 0."""
EDGES = [0, 12, 48, 60, 62, 108, 110, 228, 300, 396, 398, 444]
MOMENTS = st.builds(
    lambda hour, minute: hour * HOUR + minute * MINUTE,
    st.one_of(st.sampled_from(EDGES), st.integers(-300, 700)),
    st.sampled_from([-1, 0, 0, 1, 17]),
)
"""After time zero, in µs; two of them are often as far apart as a bound of the rule."""
JUDGED = st.sampled_from(["", "", "", "", "infection", "contaminant", "colonisation"])
ORGANISMS, SPECIMENS = sorted(slow.ORGANISMS), sorted(slow.SITES)
COMMENSALS = [name for name in ORGANISMS if slow.ORGANISMS[name][2]]


def cultures(most: int) -> st.SearchStrategy[list[Grown]]:
    """Samples of all kinds; blood and few organisms more often, so that they meet."""
    specimens = st.one_of(st.sampled_from(["blood", "urine"]), st.sampled_from(SPECIMENS))
    organisms = st.one_of(
        st.sampled_from(["E. coli", "ESCHERICHIA COLI", *COMMENSALS]), st.sampled_from(ORGANISMS)
    )
    results = st.sampled_from([False, False, False, False, False, True])
    return st.lists(
        st.builds(Grown, MOMENTS, specimens, organisms, JUDGED, st.just(False), results),
        max_size=most,
    )


DOSES = st.lists(MOMENTS, max_size=7)


def name_of(grown: Grown) -> str:
    """The name in the table."""
    return "not known" if grown.open_result else slow.ORGANISMS[grown.organism][0]


def recorded(grown: Sequence[Grown], doses: Sequence[int]) -> list[Row]:
    """Samples and single doses of an antibiotic as rows of records."""
    return [
        *(
            culture(
                "pending" if each.open_result else "growth",
                each.moment / HOUR,
                "" if each.open_result else each.organism,
                each.specimen,
                judged=each.judged,
            )
            for each in grown
        ),
        *(dose("meropenem", moment / HOUR, amount="1000 mg") for moment in doses),
    ]


@settings(max_examples=70)
@given(people=st.lists(st.tuples(cultures(7), DOSES), min_size=1, max_size=3))
def test_the_table_is_that_of_one_sample_at_a_time(
    people: list[tuple[list[Grown], list[int]]],
) -> None:
    """Episodes, what counts and by what, what is new, and the days of antibiotic, with every moment known."""
    rows = [
        row
        for who, (grown, doses) in enumerate(people)
        for row in patient(f"P{who}", *STORM, *recorded(grown, doses))
    ]
    found: dict[str, list[tuple[object, ...]]] = {f"P{who}": [] for who in range(len(people))}
    for row in measured("anakinra_mas", *rows, only="infections"):
        found[row["person_id"]].append(
            (row["onset"], row["last_positive"], row["site"], row["organism"], row["counts"], row["proven"],
             row["new_onset"], row["antibiotic_days"], row["source_row"].count("|") + 1)
        )  # fmt: skip
    for who, (grown, doses) in enumerate(people):
        given_then = [(moment, moment + MINUTE) for moment in doses]
        # Anakinra is a dose too: of everybody it is known that they got no more antibiotics than these.
        expected = [
            (ORIGIN + row.samples[0].moment, ORIGIN + row.samples[-1].moment, slow.SITES[row.samples[0].specimen],
             name_of(row.samples[0]), row.counts, row.proven, row.new,
             slow.antibiotic_days(row.samples[0].moment, given_then), len(row.samples))
            for row in slow.rows(grown, given_then or [(FAR_FUTURE - 1, FAR_FUTURE)], 0)
            if row.samples[-1].moment >= -14 * DAY
        ]  # fmt: skip
        assert sorted(found[f"P{who}"], key=str) == sorted(expected, key=str)


DATED = st.builds(
    lambda grown, day, dated: (
        Grown(day * DAY, grown.specimen, grown.organism, "", date_only=True)
        if dated
        else Grown(day * DAY + grown.moment % DAY, grown.specimen, grown.organism)
    ),
    st.builds(Grown, MOMENTS, st.sampled_from(["blood", "CSF"]), st.sampled_from(COMMENSALS)),
    st.integers(0, 5),
    st.booleans(),
)
RULE = protocol.load("anakinra_mas").infection
NEVER = Antibiotics(Intervals.empty(), np.ones(1, np.bool_))


def sample(grown: Grown, at: int) -> Sample:
    """The same sample as the package has it."""
    last = grown.moment + DAY - 1 if grown.date_only else grown.moment
    [organism] = organism_kinds.all_of(grown.organism)
    return Sample(
        0, grown.moment, last, slow.SITES[grown.specimen], grown.specimen in ("blood", "CSF"),
        antibody=False, organism=NOT_KNOWN if grown.open_result else organism, judged=grown.judged, row=f"cultures:{at}",
        open_result="its result is pending" if grown.open_result else "",
    )  # fmt: skip


BACTERIAL = [
    name for name in ORGANISMS if slow.ORGANISMS[name][1] in ("bacterial", "not understood")
]
OPEN = st.builds(
    Grown, st.sampled_from([50, 60, 61, 98, 108, 109]).map(lambda hour: hour * HOUR),
    st.sampled_from(["blood", "blood", "CSF", "urine", "stool", "MRSA screen"]), st.sampled_from(BACTERIAL), st.just(""),
    st.just(False), st.booleans(),
)  # fmt: skip


@settings(max_examples=150)
@given(grown=st.lists(OPEN, min_size=1, max_size=3), treated=st.booleans())
def test_an_open_result_is_what_every_world_says(grown: list[Grown], treated: bool) -> None:
    """Whatever grew in the samples that nobody knows: yes and no hold in every world; open means that worlds disagree."""
    days = [(day * DAY, day * DAY + MINUTE) for day in range(1 if treated else 7, 8)]
    start, end = np.array(days, np.int64).T
    drugs = Antibiotics(
        Intervals.build(np.zeros(len(days), np.int32), start, end), np.ones(1, np.bool_)
    )
    fast = [sample(each, at) for at, each in enumerate(grown)]
    for at, one in enumerate(fast):

        def counted(world: list[Grown | None], at: int = at) -> bool | None:
            this, there = world[at], [each for each in world if each is not None]
            return False if this is None else slow.proof(this, there, days)[0]

        def new(world: list[Grown | None], at: int = at) -> bool | None:
            this = world[at]
            others = [each for i, each in enumerate(world) if i != at and each is not None]
            return None if this is None else slow.is_new(this, others, 0)

        worlds = slow.with_all_results(grown, counted)
        told = verdict(one, fast, drugs).counts
        assert worlds == {told} if told is not None else worlds & {None} or len(worlds) == 2, one
        told = new_onset(Episode((one,), Verdict()), {0: fast}, 0, RULE)
        worlds = slow.with_all_results(grown, new) - {None}
        assert worlds == {told} if told is not None else len(worlds) == 2, one


@settings(max_examples=150)
@given(grown=st.lists(DATED, min_size=2, max_size=3))
def test_a_commensal_with_a_date_is_what_every_world_says(grown: list[Grown]) -> None:
    """Yes and no hold in every world; of two samples, open means that the worlds disagree."""
    fast = [sample(each, at) for at, each in enumerate(grown)]
    for at, one in enumerate(fast):
        worlds = slow.in_all_worlds(grown, lambda world, at=at: slow.proof(world[at], world, ())[0])  # type: ignore[misc]
        told = verdict(one, fast, NEVER).counts
        if told is not None:
            assert worlds == {told}
        elif len(grown) == 2:
            assert worlds == {True, False}


@settings(max_examples=60)
@given(
    day=st.integers(3, 6),
    dated=st.booleans(),
    minute=st.integers(0, 1439),
    doses=st.lists(st.integers(0, 16 * 24).map(lambda hour: hour * HOUR), max_size=8),
)
def test_urine_with_a_date_is_what_every_world_says(
    day: int, dated: bool, minute: int, doses: list[int]
) -> None:
    """Which days of antibiotic count depends on the hour of the sample only where the answer is open."""
    moment = day * DAY + (0 if dated else minute * MINUTE)
    grown = [Grown(moment, "urine", "E. coli", "", dated)]
    spans = sorted((each, each + MINUTE) for each in doses)
    start, end = np.array(spans, np.int64).reshape(-1, 2).T
    drugs = Antibiotics(
        Intervals.build(np.zeros(len(spans), np.int32), start, end), np.ones(1, np.bool_)
    )
    told = verdict(sample(grown[0], 0), [], drugs).counts
    worlds = slow.in_all_worlds(
        grown,
        lambda world: slow.proof(world[0], world, spans or [(FAR_FUTURE - 1, FAR_FUTURE)])[0],
        also=[each + extra for each in doses for extra in (0, MINUTE - 1)],
    )
    assert told is not None or worlds != {False}
    if told is not None:
        assert worlds == {told}


DRAWN = st.tuples(
    st.sampled_from([1, 2, 2, 3, 15, 16, 16, 17]),
    st.sampled_from([0, 0, 1, 720, 1439]),
    st.booleans(),
    st.sampled_from(["E. coli", "ESCHERICHIA COLI", "E. coli", "Candida albicans"]),
)
PLACES = ("blood", "CSF", "stool")


@settings(max_examples=100)
@given(drawn=st.lists(DRAWN, min_size=1, max_size=3))
def test_new_with_a_date_is_what_every_world_says(drawn: list[tuple[int, int, bool, str]]) -> None:
    """Yes and no hold in every world; of up to two samples, open means that the worlds disagree."""
    grown = [
        Grown(day * DAY + (0 if dated else minute * MINUTE), place, name, "", dated)
        for (day, minute, dated, name), place in zip(drawn, PLACES, strict=False)
    ]
    rows = [
        culture("growth", each.moment / HOUR, each.organism, each.specimen, date_only=each.date_only)
        for each in grown
    ]  # fmt: skip
    found = measured("anakinra_mas", *STORM, *rows, only="infections")
    assert len(found) == len(grown)
    for row in found:
        [at] = [
            i for i, each in enumerate(grown)
            if (slow.SITES[each.specimen], slow.ORGANISMS[each.organism][0]) == (row["site"], row["organism"])
        ]  # fmt: skip
        worlds = slow.in_all_worlds(
            grown,
            lambda world, at=at: slow.is_new(world[at], [*world[:at], *world[at + 1 :]], 0),  # type: ignore[misc]
            also=[0],
        )
        if row["new_onset"] is not None:
            assert worlds == {row["new_onset"]}
        elif len(grown) <= 2:
            assert worlds == {True, False}
