"""The table `response`: each variable of each person at each clock, against its baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.answers import answers
from becalm.core.arrays import Mask, Pair, Texts, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.definitions import Modifiers
from becalm.definitions.item_evidence import bound_and_sign
from becalm.doses import Doses
from becalm.events import Events
from becalm.measures.response import ratios
from becalm.measures.response.confounders import confounded_by
from becalm.measures.response.questions import Questions
from becalm.measures.stage import Stage, StageInput
from becalm.patients import organ_support
from becalm.patients.unrecognised import unrecognised
from becalm.persons.death import Deaths
from becalm.protocol import Protocol
from becalm.records import Records
from becalm.tables import RESPONSE
from becalm.timeline.nearest import Draws

FILE: Final = Path(__file__).with_name("old_baseline.toml")


class OldBaseline(toml.TomlTable, frozen=True):
    """From which age on a baseline is said to be old."""

    ferritin: Length
    other: Length
    source: str


def old_after(variable: str) -> Length:
    """Return the age above which the baseline of a variable is old."""
    found = toml.load(FILE, OldBaseline)
    return found.ferritin if variable == "ferritin" else found.other


def response(  # noqa: PLR0917 - the results of earlier stages, in their order
    cohort: Frame,
    events: Events,
    doses: Doses,
    records: Records,
    protocol: Protocol,
    modifiers: Modifiers,
    *,
    unknown: Frame | None = None,
) -> Frame:
    """Return `response`: one row per person, variable and known clock.

    A value belongs to a window by when it was drawn, whatever the protocol's clock. `fell` means that the
    number is lower at 48 h than at baseline, for every variable: this is good for ferritin and bad
    for platelets and fibrinogen. `peak` is the highest value before the clock, also of those two. An
    equal value did not fall. A baseline of `>x` gives a fall of *at least* so much. A person without
    a value at 48 h died or was discharged before, or has no sample. Confounders, and causes that
    change a value without the disease, are reported with the status and never change it.

    unknown : the rows whose label nobody knows (`patients.unrecognised`); they may be confounders.
    """
    return around(
        Questions.of(cohort), events, doses, records, protocol, modifiers, unknown=unknown
    ).sort("person_id", "variable", "clock")


def around(  # noqa: PLR0917 - the results of earlier stages, in their order
    asked: Questions,
    events: Events,
    doses: Doses,
    records: Records,
    protocol: Protocol,
    modifiers: Modifiers,
    *,
    unknown: Frame | None = None,
) -> Frame:
    """Return the same of any questions, variable by variable in their order."""
    vocabulary = events.vocabulary
    confounded = confounded_by(
        asked,
        doses,
        organ_support.running(records, vocabulary),
        protocol,
        vocabulary,
        unrecognised=unrecognised(records, doses, vocabulary) if unknown is None else unknown,
    )
    gone = gone_before(asked, records, asked.time + round(protocol.horizons["h48"].at * HOUR))
    frames = [Frame.of(RESPONSE)]
    for variable in protocol.response.variables:
        frames.append(
            _variable(
                variable, asked, events, protocol, modifiers, gone=gone, confounded=confounded
            )
        )
    return Frame.concat(frames)


def gone_before(asked: Questions, records: Records, moment: Times) -> Texts:
    """Return `died before` or `discharged before` (a moment), or ''.

    A death of which only the date is known counts as before if that day was over.
    """
    gone = np.full(len(asked), "", dtype=object)
    left = asked.column("discharge")
    gone[(left != UNKNOWN_TIME) & (left < moment)] = "discharged before"
    deaths = Deaths.of(records)
    over = deaths.over[asked.person]
    gone[(over != UNKNOWN_TIME) & (over < moment) & ~deaths.disputed[asked.person]] = "died before"
    return gone


def _variable(
    variable: str,
    asked: Questions,
    events: Events,
    protocol: Protocol,
    modifiers: Modifiers,
    *,
    gone: Texts,
    confounded: Texts,
) -> Frame:
    points = events.points(variable)
    baseline = ratios.baseline(points, asked, variable, protocol)
    later = {
        name: ratios.at_horizon(points, asked, horizon)
        for name, horizon in protocol.horizons.items()
    }
    h48 = later["h48"]
    compared = ratios.Compared.of(baseline, h48)
    numbers: dict[str, Pair] = {
        "baseline": baseline.bounds,
        "peak": ratios.peak(points, asked, protocol),
        **{name: draw.bounds for name, draw in later.items() if name in RESPONSE},
    }
    age = np.where(baseline.found, asked.time - baseline.time, 0)
    values, censored = {}, [""] * len(asked)
    for name, (low, high) in numbers.items():
        values[name], signs = bound_and_sign(low, high, prefer_high=True)
        for i in np.flatnonzero(signs != "").tolist():
            censored[i] += f"{'|' if censored[i] else ''}{name}{signs[i]}"
    return Frame.of(
        RESPONSE,
        person_id=asked.column("person_id"),
        variable=[variable] * len(asked),
        clock=asked.clock,
        **values,
        baseline_time=baseline.time,
        baseline_hours=np.where(baseline.found, age / HOUR, np.nan),
        baseline_old=answers(age > old_after(variable).us, known=baseline.found),
        h48_time=h48.time,
        ratio_48h=compared.number(),
        censored=censored,
        status=_status(compared, h48.found, gone),
        confounded_by=confounded,
        modified_by=_modified_by(variable, asked, (baseline, h48), modifiers),
        unit=[events.vocabulary.variable(variable).unit] * len(asked),
        source_row=source_rows(events, (baseline, h48)),
    )


def _status(compared: ratios.Compared, sampled: Mask, gone: Texts) -> Texts:
    status = compared.status()
    open_ = status == ""
    status[open_] = np.where(sampled, "", gone)[open_]
    status[status == ""] = "no sample"
    return status


def _modified_by(
    variable: str, asked: Questions, draws: tuple[Draws, ...], modifiers: Modifiers
) -> list[str]:
    """Return what changed the variable without the disease at the draw of either value."""
    labels_of: list[list[str]] = [[] for _ in range(len(asked))]
    for label, when in sorted(modifiers.get(variable, ()), key=lambda each: each[0]):
        hit = np.zeros(len(asked), np.bool_)
        for draw in draws:
            hit |= draw.found & when.contains(asked.person, draw.drawn)
        for i in np.flatnonzero(hit).tolist():
            if label not in labels_of[i]:
                labels_of[i].append(label)
    return ["|".join(labels) for labels in labels_of]


def source_rows(events: Events, draws: tuple[Draws, ...]) -> list[str]:
    """Return the rows of the draws of each question, joined by `|`."""
    return events.joined_names(np.array([draw.row for draw in draws]))


def measure(given: StageInput) -> Frame:
    """Fill the table `response`."""
    of = given.patients
    return response(
        given.described,
        of.events,
        of.doses,
        of.records,
        given.protocol,
        given.modifiers,
        unknown=of.unrecognised,
    )


STAGES: Final = (Stage(RESPONSE, measure),)
