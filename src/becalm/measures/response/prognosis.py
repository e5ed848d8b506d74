"""Ferritin as a marker of death: baseline, peak and fall by day 3, with who died.

This is no prediction: the report describes small series and has no test below thirty patients.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm import definitions
from becalm.core.arrays import Floats, Mask, Texts
from becalm.core.clock import HOUR
from becalm.core.frame import Frame
from becalm.definitions.item_evidence import bound_and_sign
from becalm.events import Events
from becalm.measures.response import ratios
from becalm.measures.response.questions import Questions
from becalm.measures.response.ratios import Compared
from becalm.measures.response.table import gone_before, source_rows
from becalm.measures.stage import Stage, StageInput
from becalm.protocol import Protocol
from becalm.tables import PROGNOSIS
from becalm.timeline import Points, nearest, rounded
from becalm.timeline.nearest import Draws

MARKER: Final = "ferritin"
SMALL_FALL: Final = "ferritin_stays"
"""The serial change that holds the published share: a smaller fall is a bad sign."""


def small_fall() -> tuple[float, str]:
    """Return the share of the baseline that a good fall reaches by day 3, and its source."""
    item = next(each for each in definitions.serial_changes().items if each.name == SMALL_FALL)
    assert item.above is not None
    return round(1 - item.above, 9), item.source


def prognosis(cohort: Frame, events: Events, outcome: Frame, protocol: Protocol) -> Frame:
    """Return `prognosis`: one row per person and episode with a time zero.

    Baseline and peak are those of `response` (before time zero), day 3 the value nearest to 72 h in
    the protocol's window. fall_day3 is the share by which it was lower; if a laboratory reported
    only a limit, it is the known bound, and `censored` says so. small_fall is None if limits or a
    missing value leave it undecided.

    outcome : the table of the same cohort, for `died`.
    """
    everything = Questions.of(cohort)
    first = everything.clock == "t0"
    asked = Questions(cohort, everything.at[first], everything.clock[first], everything.time[first])
    points = events.points(MARKER)
    horizon = protocol.horizons["h72"]
    baseline = ratios.baseline(points, asked, MARKER, protocol)
    later = ratios.at_horizon(points, asked, horizon)
    highest = _highest(points, asked, protocol)
    compared = Compared.of(baseline, later)
    columns: dict[str, Floats] = {}
    censored = [""] * len(asked)
    for name, bounds in (
        ("baseline", baseline.bounds),
        ("peak", highest.bounds),
        ("day3", later.bounds),
    ):
        columns[name], signs = bound_and_sign(*bounds, prefer_high=True)
        _note(censored, name, signs)
    columns["fall_day3"], signs = _fall(compared)
    _note(censored, "fall_day3", signs)
    gone = gone_before(asked, events.records, asked.time + round(horizon.at * HOUR))
    died = dict(zip(outcome["person_id"].tolist(), outcome["died"].tolist(), strict=True))
    return Frame.of(
        PROGNOSIS,
        person_id=asked.column("person_id"),
        marker=[MARKER] * len(asked),
        died=[died.get(person) for person in asked.column("person_id").tolist()],
        small_fall=_small(compared),
        status=_status(baseline.found, later.found, gone.tolist()),
        censored=censored,
        unit=[events.vocabulary.variable(MARKER).unit] * len(asked),
        source_row=source_rows(events, (baseline, highest, later)),
        **columns,
    ).sort("person_id")


def _highest(points: Points, asked: Questions, protocol: Protocol) -> Draws:
    """Return the draw with the highest value before time zero, the earliest of equal ones."""
    back = asked.time - protocol.baseline.peak.us
    first, stop = nearest.within(points, asked.person, back, asked.time)
    return nearest.highest(points, first, stop)


def _note(censored: list[str], name: str, signs: Texts) -> None:
    for i, sign in enumerate(signs.tolist()):
        if sign:
            censored[i] += f"{'|' if censored[i] else ''}{name}{sign}"


def _fall(compared: Compared) -> tuple[Floats, Texts]:
    """Return the share by which it fell, with the sign >= or <= if only a limit is known."""
    low, high = compared.low, compared.high
    exact = compared.measured & (low == high)
    least = compared.measured & ~exact & np.isfinite(high)
    most = compared.measured & ~exact & ~least & (low > 0)
    value = np.where(exact | least, 1 - high, np.where(most, 1 - low, np.nan))
    signs = np.full(len(value), "", dtype=object)
    signs[least], signs[most] = ">=", "<="
    return rounded(value), signs


def _small(compared: Compared) -> list[bool | None]:
    """Return whether it fell by less than the published share: yes, no, or None (not known)."""
    bound = round(1 - small_fall()[0], 9)
    return [
        None if not known or (low <= bound < high) else bool(low > bound)
        for known, low, high in zip(
            compared.measured.tolist(), compared.low.tolist(), compared.high.tolist(), strict=True
        )
    ]


def _status(before: Mask, after: Mask, gone: list[str]) -> list[str]:
    statuses = []
    for had, has, left in zip(before.tolist(), after.tolist(), gone, strict=True):
        if has:
            statuses.append("measured" if had else "no baseline")
        else:
            statuses.append(left or "no sample")
    return statuses


def measure(given: StageInput) -> Frame:
    """Fill the table `prognosis`."""
    outcome = given.tables["outcome"]
    return prognosis(given.cohort, given.patients.events, outcome, given.protocol)


STAGES: Final = (Stage(PROGNOSIS, measure, needs=("outcome",)),)
