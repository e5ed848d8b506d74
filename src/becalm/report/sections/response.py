"""Response, or change against baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from becalm.report import facts, labels
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.text import (
    UNKNOWN,
    answer,
    duration,
    horizon_text,
    hours,
    number,
    share,
    signs,
    spaced,
    unit,
)
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON

STEP: Final = ("step", "from t0", "rate", "until the next step up")
FALLS: Final = ("fall_15", "fall_25", "fall_50")


def against_baseline(cohort: Cohort, drill: Drill, clock: str) -> PageTable:
    """Return values at each horizon against baseline on one clock, with status and confounders."""
    rows, ids = [], []
    for row in cohort.response:
        if row["clock"] != clock:
            continue
        person, marks = row["person_id"], signs(row["censored"])
        cells: list[Any] = [
            person,
            f"{labels.heading(labels.variable(row['variable']))}, {unit(row['unit'])}",
        ]
        at = {"baseline": 0.0, "peak": -36.0, "h24": 24.0, "h48": 48.0, "h72": 72.0, "d7": 168.0}
        for name, when in at.items():
            value = row[name]
            shown = UNKNOWN if math.isnan(value) else marks.get(name, "") + number(value)
            source = drill.value(person, row["variable"], value, when, clock)
            cells.append(drill.rows(shown, person, source or row["source_row"]))
            if name == "baseline":
                cells.append(drill.rows(_age(row), person, row["source_row"]))
        ratio = number(row["ratio_48h"], 2)
        cells.append(drill.rows(ratio, person, row["source_row"]))
        cells += [
            row["status"],
            labels.drugs(row["confounded_by"]),
            labels.joined(row["modified_by"]),
        ]
        rows.append(cells)
        ids.append(anchor("change", clock, person, row["variable"]))
    head = ["Patient", "Test", "baseline", "hours before", f"peak, {spaced(cohort.result.protocol.baseline.peak)} before", *map(horizon_text, ("h24", "h48", "h72", "d7")), "48\u00a0h ÷ baseline",
            "status at 48\u00a0h", "confounded by", "modified by"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def _age(row: Row) -> str:
    """Return how long before the clock the baseline was drawn, and whether it is old."""
    old = " (old)" if row["baseline_old"] else ""
    return f"{number(round(row['baseline_hours'], 1))}{old}"


def by_escalation(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the primary variables before and after each step up of the drug."""
    rule = cohort.result.protocol.response
    rows, ids = [], []
    for row in cohort.rows("escalation_response"):
        if row["variable"] not in {*rule.primary, *rule.primary_any}:
            continue
        person, marks = row["person_id"], signs(row["censored"])
        step = [
            row["from_step"].rpartition(" ")[2], hours(cohort.hours(person, row["step_time"])),
            f"{number(row['from_rate'])} to {number(row['to_rate'])} {row['unit_canonical']}/h",
            duration(row["hours_to_next_step"]),
        ]  # fmt: skip
        number_, when, rate, to_next = [drill.people(each, STEP, [step]) if each != UNKNOWN else each for each in step]  # fmt: skip
        cells: list[Any] = [
            person, number_, when, rate, f"{labels.heading(labels.variable(row['variable']))}, {unit(row['unit'])}",
        ]  # fmt: skip
        for name in ("baseline", "h24", "h48", "h72", "d7"):
            value = row[name]
            shown = UNKNOWN if math.isnan(value) else marks.get(name, "") + number(value)
            cells.append(drill.rows(shown, person, row["source_row"]))
        cells.append(drill.rows(number(row["ratio_48h"], 2), person, row["source_row"]))
        rows.append([*cells, row["status"], to_next])
        ids.append(anchor("step", person, row["from_step"], row["variable"]))
    head = ["Patient", "step", f"from {cohort.clock_from('t0')}", "rate", "Test", "baseline",
            *map(horizon_text, ("h24", "h48", "h72", "d7")), "48\u00a0h ÷ baseline", "status at 48\u00a0h",
            "until the next step up"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def falls_at_48_h(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many fell by how much, on every clock and on the strict horizon."""
    rows: list[list[Any]] = []
    for clock in cohort.clocks:
        mine = [row for row in cohort.primary if row["clock"] == clock
                and row["person_id"] not in cohort.not_analysed]  # fmt: skip
        if not mine:
            continue
        cells: list[Any] = [f"from {cohort.clock_from(clock)}" if cohort.drug else cohort.zero]
        for name in FALLS:
            known = [row for row in mine if row[name] is not None]
            told = share(
                sum(row[name] is True for row in known), len(known), len(mine) - len(known)
            )
            lines = [[r["person_id"], answer(r[name]), facts.ratios(r["reason"])] for r in mine]
            cells.append(
                drill.people(told, ["patient", "fell", "value at 48\u00a0h ÷ baseline"], lines)
            )
        strict = [
            row for row in mine if row["strict"] in {"responded", "did not respond", "died before"}
        ]
        told = share(
            sum(row["strict"] == "responded" for row in strict),
            len(strict),
            len(mine) - len(strict),
        )
        lines = [[r["person_id"], _words(cohort, r["strict"])] for r in mine]
        cells.append(drill.people(told, ["patient", "result"], lines))
        rows.append(cells)
    head = ["Clock", *[f"fell by {name.split('_')[1]} % or more" for name in FALLS],
            f"{'response' if cohort.claim == 'response' else 'fall'} by the last value within {spaced(cohort.result.protocol.response.strict_horizon.strip('<='))}"]  # fmt: skip
    return PageTable(head, rows)


def _words(cohort: Cohort, said: str) -> str:
    """Say what became of the values without claiming a response where none is studied."""
    return (
        said
        if cohort.claim == "response"
        else said.replace("responded", "fell").replace("respond", "fall")
    )


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if not cohort.described:
        return None
    claim = "Response" if cohort.claim == "response" else "Change against baseline"
    intro = [
        "Other treatments that could explain a result (confounded by), and treatments that change a test "
        "directly (modified by), are shown with each result. They do not change the result."
    ]
    if cohort.claim != "response":
        intro.append("This protocol describes change; it claims no effect of any drug.")
    falls = captioned(
        falls_at_48_h(cohort, drill),
        f"Fall of {' and '.join(map(labels.variable, cohort.result.protocol.response.primary))} at 48 h",
    )
    long = []
    if len(cohort.described) <= PER_PERSON:
        for clock in cohort.clocks:
            caption = f"Every test against its baseline, from {cohort.clock_from(clock)}"
            long.append(captioned(against_baseline(cohort, drill, clock), caption))
        steps = (
            "Before and after each step up of the dose; a value after the next step follows both"
        )
        long.append(captioned(by_escalation(cohort, drill), steps))
    return Section(
        claim, intro, figures_named(figures, "waterfall"), [falls] if falls else [],
        [table for table in long if table],
    )  # fmt: skip


SECTION: Final = DeclaredSection("change", 50, section)
