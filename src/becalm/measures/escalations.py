"""Steps of an infusion up and down, and signs of worsening before each step."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np

from becalm.core.answers import answers_of_both
from becalm.core.arrays import Array, Floats, Index, Mask, Persons, Times
from becalm.core.clock import HOUR, MINUTE, UNKNOWN_TIME
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
"""Vasopressors are added up as equivalents of this drug."""


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
    """Return each step of a continuous infusion in the cohort, with signs of worsening before it.

    They are looked for in the window `worsening_within` before a step. Ferritin and AST: the newest
    value is above the last one at the start of the window. Temperature: fever, and a higher maximum
    than in the window before. Vasopressors: the highest noradrenaline equivalent is above the one at
    the start of the window. Each is true, false, or unknown if a value is missing or only a limit.
    to_rate_per_kg uses the weight at the step. replacement : when renal replacement ran; None if not
    recorded. clearance : in mL/min per kg, at the step; unknown during renal replacement.
    """
    steps = Frame.concat([courses.steps, courses.falls])
    owner = _row_of(cohort, steps["person"], steps["time"])
    steps, owner = steps.take(owner >= 0), owner[owner >= 0]
    person, time = steps["person"], steps["time"]
    back = protocol.escalation.worsening_within.us
    weight = weights_of_rows(doses, _running_rows(doses, steps["drug"], person, time))
    rrt = np.full(len(steps), None, dtype=object)
    if replacement is not None:
        rrt[:] = replacement.contains(person, time).tolist()
    number = [
        1 + int(np.sum(_same(steps, i) & (steps["time"] < time[i]))) for i in range(len(steps))
    ]
    table = Frame.of(
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
        **weight.columns,
        ferritin=_risen("ferritin", events, protocol, person, time),
        ast=_risen("ast", events, protocol, person, time),
        temperature=_hotter(events, protocol, person, time),
        vasopressor=_more_pressor(doses, person, time, back),
        rrt=rrt,
        unit_canonical=[doses.unit(drug) for drug in steps["drug"]],
        direction=steps["direction"],
        **_cleared(events, clearance, person, time, weight),
    )
    return table.sort("person_id", "drug", "time")


def _cleared(
    events: Events,
    clearance: Timeline | None,
    person: Persons,
    time: Times,
    weight: DayWeights,
) -> dict[str, Array]:
    """Return the clearance at each moment, with `weight`, and the rows it was computed from."""
    if clearance is None:
        return {}
    low, _ = clearance.at(person, time)
    exact = np.isfinite(low) & ~np.isnan(weight.kg)
    number, row = clearance.evidence_at(person, time)
    rows: list[list[str]] = [[] for _ in range(len(person))]
    for at, source_row in zip(number.tolist(), row.tolist(), strict=True):
        rows[at].append(events.source_row(source_row))
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
    """Describe each drug's course in the cohort from t0 on: routes in order, ceiling, steps, taper.

    modes : in order, without repeats. The ceiling is the highest continuous rate; the time to it
    counts from the first dose of any route, and the time at it is a sum. A step down is the reverse
    of a step up. taper_hours : from the first step down after the last time at the ceiling to the
    end of that infusion; 0 if the infusion was stopped at its ceiling. These columns are empty if
    there was no continuous infusion.
    """
    rules = EpisodeRules.of(protocol)
    rows: list[dict[str, Any]] = []
    for drug in sorted(drugs):
        assumed = doses.exposed(drug)
        assumed = assumed[doses.frame["assumed_end"][assumed]]
        line = continuous_rate(doses, drug, rules)
        steady = continuous_rate(doses, drug, rules, at_one_weight=True)
        episodes = courses.episodes.take(courses.episodes["drug"] == drug).sort("person", "start")
        begin, stop = (np.searchsorted(episodes["person"], cohort["person"], side)
                       for side in ("left", "right"))  # fmt: skip
        for i in np.flatnonzero(begin < stop).tolist():
            own_episodes = episodes.take(np.arange(begin[i], stop[i]))
            own_episodes = own_episodes.take(own_episodes["end"] >= cohort["t0"][i])
            if not len(own_episodes):
                continue
            modes = own_episodes["mode"].tolist()
            kept = [mode for n, mode in enumerate(modes) if not n or mode != modes[n - 1]]
            row: dict[str, Any] = {
                "person_id": cohort["person_id"][i],
                "drug": drug,
                "unit_canonical": doses.unit(drug),
                "switches": len(kept) - 1,
                "modes": " > ".join(mode or NO_ROUTE for mode in kept),
                "any_end_assumed": _any_from(doses, assumed, cohort["person"][i], cohort["t0"][i]),
            }
            infused = own_episodes.take(own_episodes["mode"] == CONTINUOUS)
            if len(infused):
                rates, at_one_weight = (
                    _since(each, int(cohort["person"][i]), infused["start"][0])
                    for each in (line, steady)
                )
                start, end, rate = rates
                row |= _shape(doses.clock.real(start), doses.clock.real(end), rate, rules)
                row |= _steps(*at_one_weight, rules)
                if "hours_to_ceiling" in row:
                    begun = doses.clock.real(own_episodes["start"][:1])[0] / HOUR
                    row["hours_to_ceiling"] = round(row["hours_to_ceiling"] - begun, 6)
            rows.append(row)
    return Frame.of_rows(COURSES, rows)


def _any_from(doses: Doses, rows: Index, person: int, time: int) -> bool:
    """Return whether any of some rows is a person's and runs at or after a moment."""
    f = doses.frame
    return bool(((f["person"][rows] == person) & (f["until"][rows] > time)).any())


def _since(line: Timeline, person: int, time: int) -> tuple[Times, Times, Floats]:
    """Return start, end and rate of a person's segments that end after a moment."""
    first, last = np.searchsorted(line.person, (person, person + 1))
    own = np.arange(first, last)
    own = own[line.end[own] > time]
    return line.start[own], line.end[own], line.low[own]


def _steps(start: Times, end: Times, rate: Floats, rules: EpisodeRules) -> dict[str, int]:
    """Return the number of steps up and down of sorted segments; none if nothing runs."""
    runs = rate > 0
    if not runs.any():
        return {}
    start, end, rate = start[runs], end[runs], rate[runs]
    # A fall of the rate is a rise of its reciprocal.
    return {
        "steps_up": len(stepped(start, end, rate, rules)),
        "steps_down": len(stepped(start, end, 1 / rate, rules)),
    }


def _shape(start: Times, end: Times, rate: Floats, rules: EpisodeRules) -> dict[str, Any]:
    """Return the ceiling and the pauses of sorted segments; here hours_to_ceiling counts from 1970."""
    runs = rate > 0
    if not runs.any():
        return {}
    start, end, rate = start[runs], end[runs], rate[runs]
    top = rate == rate.max()
    gap = start[1:] - end[:-1]
    paused = (gap > 0) & (gap <= rules.gaps[CONTINUOUS])  # a longer gap ends the episode
    return {
        "ceiling_per_day": round(float(rate.max()) * 24, 9),
        "hours_to_ceiling": float(start[top][0] / HOUR),
        "hours_at_ceiling": float((end[top] - start[top]).sum() / HOUR),
        "taper_hours": _taper(start, end, rate),
        "pauses": int(paused.sum()),
        "paused_hours": float(gap[paused].sum() / HOUR),
    }


def _taper(start: Times, end: Times, rate: Floats) -> float:
    """Return the hours from the last time at the ceiling to the end of the infusion."""
    last_top = int(np.flatnonzero(rate == rate.max())[-1])
    lower = np.flatnonzero(rate[last_top + 1 :] > 0) + last_top + 1
    return float((end[lower[-1]] - start[lower[0]]) / HOUR) if len(lower) else 0.0


def _row_of(cohort: Frame, person: Persons, time: Times) -> Times:
    """Return the cohort row of each moment; -1 before time zero and for persons outside the cohort."""
    rows = np.full(len(person), -1, np.int64)
    for i in np.flatnonzero(cohort["t0"] != UNKNOWN_TIME).tolist():
        rows[(person == cohort["person"][i]) & (time >= cohort["t0"][i])] = i
    return rows


def _same(steps: Frame, i: int) -> Mask:
    same: Mask = (
        (steps["person"] == steps["person"][i])
        & (steps["drug"] == steps["drug"][i])
        & (steps["direction"] == steps["direction"][i])
        & (steps["episode_start"] == steps["episode_start"][i])
    )
    return same


def _running_rows(doses: Doses, drugs: Array, person: Persons, time: Times) -> Index:
    """Return the last dose row with a weight that runs at each moment; -1 if there is none."""
    running = np.full(len(person), -1, np.intp)
    f = doses.frame
    for drug in set(drugs.tolist()):
        rows = doses.exposed(drug, ("IV",))
        rows = rows[~np.isnan(f["weight_kg"][rows])]
        for i in np.flatnonzero(drugs == drug).tolist():
            of_person = rows[f["person"][rows] == person[i]]
            runs = (f["start"][of_person] <= time[i]) & (f["until"][of_person] > time[i])
            if runs.any():
                running[i] = of_person[runs][-1]
    return running


def _risen(
    variable: str, events: Events, protocol: Protocol, person: Persons, time: Times
) -> Array:
    """Return whether the newest value before each step is above the one at the start of the window."""
    points = events.points(variable)
    back = protocol.escalation.worsening_within.us
    held = load().variable(variable).valid.us
    newest = last(points, *within(points, person, time - back, time, after=True))
    before = last(points, *within(points, person, time - back - held, time - back))
    known = newest.found & before.found
    return answers_of_both(
        known & (newest.low > before.high),
        known & (newest.high <= before.low),
    )


def _hotter(events: Events, protocol: Protocol, person: Persons, time: Times) -> Array:
    """Return whether there was fever with a higher maximum than in the window before."""
    points: Points = events.points("temperature")
    back = protocol.escalation.worsening_within.us
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
    """Return whether vasopressors increased: their highest dose is above that at the start."""
    line = equivalent_rate(doses, VASOPRESSORS, at_one_weight=True)
    unknown = _unknown_pressors(doses, line.known())
    begin = time - back
    low, _ = line.at(person, begin)
    usual = np.where(np.isfinite(low), low, 0.0)
    most = usual.copy()
    window = np.full(len(person), False)
    for i in range(len(person)):
        overlapping = (line.person == person[i]) & (line.start < time[i]) & (line.end > begin[i])
        most[i] = max([usual[i], *line.low[overlapping].tolist()])
        window[i] = bool(len(unknown.overlaps(person[[i]], begin[[i]], time[[i]] + 1)[0]))
    return answers_of_both(~window & (most > usual + 1e-9), ~window & (most <= usual + 1e-9))


def _unknown_pressors(doses: Doses, known: Intervals) -> Intervals:
    """Return when a vasopressor was infused at an unknown rate."""
    infused = Intervals.empty()
    for drug in EQUIVALENTS[VASOPRESSORS].times:
        running = doses.exposure(drug, routes=("IV",))
        infused = infused.union(running.at_least(2 * MINUTE))
    return infused.without(known)


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
