"""How an infusion was stepped up, held and taken back, and what was happening before each step."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np

from becalm.core.answers import answers_of_both
from becalm.core.arrays import Array, Floats, Index, Mask, Persons, Times
from becalm.core.clock import HOUR, MINUTE, UNKNOWN_TIME, span
from becalm.core.frame import Frame
from becalm.doses import (
    CONTINUOUS,
    EQUIVALENTS,
    Doses,
    EpisodeRules,
    Treatments,
    continuous_rate,
    equivalent_rate,
    stepped,
)
from becalm.doses.exposure import DayWeights, weights_of_rows
from becalm.events import Events
from becalm.measures.stage import Stage, StageInput
from becalm.protocol import Protocol
from becalm.tables import COURSES, ESCALATIONS
from becalm.timeline import Intervals, Points, Timeline
from becalm.timeline.nearest import greatest, last, within
from becalm.vocabulary import load

NO_ROUTE: Final = "route not known"
VASOPRESSORS: Final = "norepinephrine"
"""The equivalent that vasopressors are added up to."""


def escalations(
    cohort: Frame,
    events: Events,
    doses: Doses,
    protocol: Protocol,
    courses: Treatments,
    *,
    replacement: Intervals | None = None,
    clearance: Timeline | None = None,
) -> Frame:
    """Return each step of a continuous infusion in the cohort, with what was worse before it.

    In the `worsening_within` before a step: ferritin and AST, the newest value above the one in
    force at its beginning; temperature, a higher maximum than in as long a time before, and a
    fever; vasopressors, more noradrenaline equivalent at its highest than at its beginning. True,
    false, or unknown where a value is missing or a bound. to_rate_per_kg by the weight in force.
    replacement : when renal replacement ran; unknown without it. clearance : in mL/min per kg, the
    one in force at the step; unknown while renal replacement runs.
    """
    steps = Frame.concat([courses.steps, courses.falls])
    owner = _row_of(cohort, steps["person"], steps["time"])
    steps, owner = steps.take(owner >= 0), owner[owner >= 0]
    person, time = steps["person"], steps["time"]
    back = span(protocol.escalation.worsening_within)
    weight = weights_of_rows(doses, _running_rows(doses, steps["drug"], person, time))
    rrt = np.full(len(steps), None, dtype=object)
    if replacement is not None:
        rrt[:] = replacement.contains(person, time).tolist()
    number = [
        1 + int(np.sum(_same(steps, i) & (steps["time"] < time[i]))) for i in range(len(steps))
    ]
    found = Frame.of(
        ESCALATIONS,
        person_id=steps["person_id"],
        drug=steps["drug"],
        episode_start=steps["episode_start"],
        step_in_episode=number,
        time=time,
        hours_from_t0=(time - cohort["t0"][owner]) / HOUR,
        hours_from_start=steps["hours_from_start"],
        hours_since_last=steps["hours_since_last"],
        from_rate=steps["from_rate"],
        to_rate=steps["to_rate"],
        to_rate_per_kg=np.round(steps["to_rate"] / weight.kg, 9),
        weight_used=weight.kg,
        weight_source=weight.source,
        weight_age_h=np.round(weight.age_h, 6),
        ferritin=_risen("ferritin", events, protocol, person, time),
        ast=_risen("ast", events, protocol, person, time),
        temperature=_hotter(events, protocol, person, time),
        vasopressor=_more_pressor(doses, person, time, back),
        rrt=rrt,
        unit_canonical=[doses.unit(drug) for drug in steps["drug"]],
        direction=steps["direction"],
        **_cleared(events, clearance, person, time, weight),
    )
    return found.sort("person_id", "drug", "time")


def _cleared(
    events: Events,
    clearance: Timeline | None,
    person: Persons,
    time: Times,
    weight: DayWeights,
) -> dict[str, Array]:
    """The clearance in force at each moment, by the weight beside it, and the rows it rests on."""
    if clearance is None:
        return {}
    low, _ = clearance.at(person, time)
    exact = np.isfinite(low) & ~np.isnan(weight.kg)
    number, row = clearance.evidence_at(person, time)
    rows: list[list[str]] = [[] for _ in range(len(person))]
    for at, behind in zip(number.tolist(), row.tolist(), strict=True):
        rows[at].append(events.source_row(behind))
    for at in np.flatnonzero(weight.row >= 0).tolist():
        rows[at].append(events.source_row(int(weight.row[at])))
    return {
        "crcl_ml_min": np.round(np.where(exact, low * weight.kg, np.nan), 1),
        "crcl_rows": np.array(
            ["|".join(each) if ok else "" for each, ok in zip(rows, exact, strict=True)], object
        ),
    }


def courses_of(
    cohort: Frame, doses: Doses, drugs: Collection[str], protocol: Protocol, courses: Treatments
) -> Frame:
    """Describe each drug's way in the cohort from t0 on: routes in order, ceiling, steps, taper.

    modes : as they follow one another, repeats left out. The ceiling is the highest continuous
    rate; time to it counts from the first dose of any route, time at it adds up. A step down is
    one that would be a step up on the way back. taper_hours : from the first step down after the
    ceiling was last left to the end of that infusion; 0 for an infusion stopped at its ceiling.
    Empty where there was no continuous infusion.
    """
    rules = EpisodeRules.of(protocol)
    rows: list[dict[str, Any]] = []
    for drug in sorted(drugs):
        line = continuous_rate(doses, drug, rules)
        given = courses.episodes.take(courses.episodes["drug"] == drug).sort("person", "start")
        begin, stop = (np.searchsorted(given["person"], cohort["person"], side)
                       for side in ("left", "right"))  # fmt: skip
        for i in np.flatnonzero(begin < stop).tolist():
            mine = given.take(np.arange(begin[i], stop[i]))
            mine = mine.take(mine["end"] >= cohort["t0"][i])
            if not len(mine):
                continue
            modes = mine["mode"].tolist()
            kept = [mode for n, mode in enumerate(modes) if not n or mode != modes[n - 1]]
            row: dict[str, Any] = {
                "person_id": cohort["person_id"][i],
                "drug": drug,
                "unit_canonical": doses.unit(drug),
                "switches": len(kept) - 1,
                "modes": " > ".join(mode or NO_ROUTE for mode in kept),
            }
            infused = mine.take(mine["mode"] == CONTINUOUS)
            if len(infused):
                first, last = np.searchsorted(line.person, cohort["person"][i] + np.arange(2))
                own = np.arange(first, last)
                own = own[line.end[own] > infused["start"][0]]
                row |= _shape(line.start[own], line.end[own], line.low[own], rules)
                if "hours_to_ceiling" in row:
                    begun = mine["start"][0] / HOUR
                    row["hours_to_ceiling"] = round(row["hours_to_ceiling"] - begun, 6)
            rows.append(row)
    return Frame.of_rows(COURSES, rows)


def _shape(start: Times, end: Times, rate: Floats, rules: EpisodeRules) -> dict[str, Any]:
    """Ceiling and steps of sorted segments; hours_to_ceiling still counts from the epoch."""
    runs = rate > 0
    if not runs.any():
        return {}
    start, end, rate = start[runs], end[runs], rate[runs]
    top = rate == rate.max()
    gap = start[1:] - end[:-1]
    paused = (gap > 0) & (gap <= rules.gaps[CONTINUOUS])  # a longer one ends the episode
    up = len(stepped(start, end, rate, rules))
    # Read backwards in size: a fall is a rise of the reciprocal.
    down = len(stepped(start, end, 1 / rate, rules))
    return {
        "ceiling_per_day": round(float(rate.max()) * 24, 9),
        "hours_to_ceiling": float(start[top][0] / HOUR),
        "hours_at_ceiling": float((end[top] - start[top]).sum() / HOUR),
        "steps_up": up,
        "steps_down": down,
        "taper_hours": _taper(start, end, rate),
        "pauses": int(paused.sum()),
        "paused_hours": float(gap[paused].sum() / HOUR),
    }


def _taper(start: Times, end: Times, rate: Floats) -> float:
    """Hours from leaving the ceiling for good to the end of the infusion."""
    last_top = int(np.flatnonzero(rate == rate.max())[-1])
    lower = np.flatnonzero(rate[last_top + 1 :] > 0) + last_top + 1
    return float((end[lower[-1]] - start[lower[0]]) / HOUR) if len(lower) else 0.0


def _row_of(cohort: Frame, person: Persons, time: Times) -> Times:
    """The cohort row that each moment belongs to; -1 before time zero and for everybody else."""
    found = np.full(len(person), -1, np.int64)
    for i in np.flatnonzero(cohort["t0"] != UNKNOWN_TIME).tolist():
        found[(person == cohort["person"][i]) & (time >= cohort["t0"][i])] = i
    return found


def _same(steps: Frame, i: int) -> Mask:
    same: Mask = (
        (steps["person"] == steps["person"][i])
        & (steps["drug"] == steps["drug"][i])
        & (steps["direction"] == steps["direction"][i])
        & (steps["episode_start"] == steps["episode_start"][i])
    )
    return same


def _running_rows(doses: Doses, drugs: Array, person: Persons, time: Times) -> Index:
    """The row of doses that runs at each moment, the last of several that has a weight; -1 for none."""
    found = np.full(len(person), -1, np.intp)
    f = doses.frame
    for drug in set(drugs.tolist()):
        rows = doses.exposed(drug, ("IV",))
        rows = rows[~np.isnan(f["weight_kg"][rows])]
        for i in np.flatnonzero(drugs == drug).tolist():
            of_person = rows[f["person"][rows] == person[i]]
            runs = (f["start"][of_person] <= time[i]) & (f["until"][of_person] > time[i])
            if runs.any():
                found[i] = of_person[runs][-1]
    return found


def _risen(
    variable: str, events: Events, protocol: Protocol, person: Persons, time: Times
) -> Array:
    """Whether the newest value before each step is above the one in force at the beginning."""
    points = events.points(variable, protocol.clock)
    back = span(protocol.escalation.worsening_within)
    held = span(load().variable(variable).valid)
    newest = last(points, *within(points, person, time - back, time, after=True))
    before = last(points, *within(points, person, time - back - held, time - back))
    known = newest.found & before.found
    return answers_of_both(
        known & (newest.low > before.high),
        known & (newest.high <= before.low),
    )


def _hotter(events: Events, protocol: Protocol, person: Persons, time: Times) -> Array:
    """Whether the temperature peaked higher than in as long a time before, with fever."""
    points: Points = events.points("temperature", protocol.clock)
    back = span(protocol.escalation.worsening_within)
    fever = protocol.escalation.fever_at_least
    first, stop = within(points, person, time - back, time, after=True)
    earlier, until = within(points, person, time - 2 * back, time - back, after=True)
    low, high = greatest(points, first, stop)
    low_before, high_before = greatest(points, earlier, until)
    cool = (stop > first) & (high < fever)
    both = (stop > first) & (until > earlier)
    return answers_of_both(
        both & ~cool & (low >= fever) & (low > high_before),
        cool | (both & (high <= low_before)),
    )


def _more_pressor(doses: Doses, person: Persons, time: Times, back: int) -> Array:
    """Whether vasopressors went up: more at their highest since than at the beginning."""
    line = equivalent_rate(doses, VASOPRESSORS)
    unknown = _unknown_pressors(doses, line.known())
    begin = time - back
    low, _ = line.at(person, begin)
    usual = np.where(np.isfinite(low), low, 0.0)
    most = usual.copy()
    window = np.full(len(person), False)
    for i in range(len(person)):
        mine = (line.person == person[i]) & (line.start < time[i]) & (line.end > begin[i])
        most[i] = max([usual[i], *line.low[mine].tolist()])
        window[i] = bool(len(unknown.overlaps(person[[i]], begin[[i]], time[[i]] + 1)[0]))
    return answers_of_both(~window & (most > usual + 1e-9), ~window & (most <= usual + 1e-9))


def _unknown_pressors(doses: Doses, known: Intervals) -> Intervals:
    """When a vasopressor was given at a rate that is not known."""
    given = Intervals.empty()
    for drug in EQUIVALENTS[VASOPRESSORS].times:
        running = doses.given(drug, routes=("IV",))
        given = given.union(running.at_least(2 * MINUTE))
    return given.without(known)


def measure(given: StageInput) -> Frame:
    """Fill the table `escalations`."""
    return escalations(
        given.cohort,
        given.patients.events,
        given.patients.doses,
        given.protocol,
        given.treatments,
        replacement=given.replacement,
        clearance=given.clearance,
    )


def measure_courses(given: StageInput) -> Frame:
    """Fill the table `courses`."""
    doses = given.patients.doses
    return courses_of(given.cohort, doses, given.drugs, given.protocol, given.treatments)


STAGES: Final = (
    Stage(ESCALATIONS, measure, opens=("crcl_rows",)),
    Stage(COURSES, measure_courses),
)
