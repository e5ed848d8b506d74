"""What the records of some patients leave open, counted in one place: ends, cultures, urine, baselines, rows after a death."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from markupsafe import Markup

from becalm.core.arrays import Mask
from becalm.core.frame import Frame
from becalm.report import labels
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.study.result import PER_PERSON

HEADING: Final = "What the records of some patients leave open"
AFTER_DEATH: Final = "after death"


class State(NamedTuple):
    """What the records say, what follows from it, of whom it is true, and of how many it could be."""

    words: str
    so: str
    who: list[str]
    of: int


def table(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each state that occurs, with the patients that it is true of."""
    rows: list[list[Any]] = []
    for state in (*_ends(cohort), *_samples(cohort), *_baselines(cohort)):
        people = sorted(set(state.who))
        if people:
            lines = [[each] for each in people] if cohort.n <= PER_PERSON else []
            shown = drill.people(f"{len(people):,} of {state.of:,}", ["patient"], lines)
            rows.append([state.words, state.so, shown])
    refused = cohort.result.tables["rows_refused"]
    late = int(refused["rows"][refused["reason"] == AFTER_DEATH].sum())
    if late:
        link = Markup('<a href="#missing">{}</a>').format(f"{late:,} rows")
        rows.append(["Rows from after the death", "not used; they are listed below", link])
    return PageTable(["What the records say", "what follows", "patients"], rows)


def _ends(cohort: Cohort) -> Iterator[State]:
    outcome = cohort.keep(cohort.result.tables["outcome"])
    for which, words, so in (
        (
            outcome["follow_up_is"] == "before time zero",
            "All records end before",
            "follow-up of 0 days",
        ),
        (
            outcome["contact_before_zero"] == np.True_,
            "The recorded last contact is before",
            "it cannot be the last: a later row ends the follow-up, if there is one",
        ),
    ):
        yield State(f"{words} {cohort.zero}", so, _of(outcome, which), len(outcome))


def _samples(cohort: Cohort) -> Iterator[State]:
    grown = cohort.keep(cohort.result.tables["infections"])
    kidney = cohort.keep(cohort.result.tables["kidney"])
    for state, words, so in (
        ("date", "A culture has a date and no hour", "what its hour decides is not known"),
        ("unknown", "A culture has no date", "nobody knows whether it is new"),
    ):
        yield State(words, so, _of(grown, grown["onset_is"] == state), cohort.n)
    weightless = _of(kidney, kidney["urine_without_weight"] > 0)
    yield State("Urine has no weight beside it", "it gives no stage", weightless, len(kidney))


def _baselines(cohort: Cohort) -> Iterator[State]:
    kidney = cohort.keep(cohort.result.tables["kidney"])
    yield State(
        f"No way of the protocol gives a baseline of {labels.variable('creatinine')}",
        "recovery is not known, and a first value has no stage",
        _of(kidney, kidney["baseline_way"] == "not known"),
        len(kidney),
    )
    response = cohort.keep(cohort.result.tables["response"])
    response = response.take(np.isin(response["clock"].astype(str), cohort.clocks[:1]))
    for name in cohort.result.protocol.response.variables:
        mine = response.take(response["variable"] == name)
        yield State(
            f"{labels.heading(labels.variable(name))} has no baseline before {cohort.zero}",
            f"its {cohort.claim} is not known",
            _of(mine, np.isnan(mine["baseline"])),
            len(mine),
        )


def _of(frame: Frame, which: Mask) -> list[str]:
    people: list[str] = frame["person_id"][which].tolist()
    return people
