"""The tables of the report, every number opening its rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from markupsafe import Markup, escape

from becalm.core import stats
from becalm.core.clock import UNKNOWN_TIME
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill, series_value
from becalm.report.page_table import PageTable
from becalm.report.text import (
    UNKNOWN,
    answer,
    heading,
    hours,
    interval,
    label,
    labels,
    number,
    share,
    signs,
    unit,
    words,
)  # fmt: skip

HORIZON: Final = {"h24": "24 h", "h48": "48 h", "h72": "72 h", "d7": "day 7"}
FALLS: Final = ("fall_15", "fall_25", "fall_50")
DRAWN: Final = 4000
"""Values listed under a figure at most."""


def mark(shown: Any, *, verified: bool) -> Markup:
    """Return a result with the mark of one that rests on an unverified value."""
    note = Markup(
        '<sup class="un" title="rests on a value not verified against its source">u</sup>'
    )
    return escape(shown) if verified else escape(shown) + note


def when(cohort: Cohort, person: str, time: int) -> str:
    """Return an instant as hours from time zero."""
    return UNKNOWN if time == UNKNOWN_TIME else hours(cohort.hours(person, time))


def total(drill: Drill, row: Row | None, *, items: bool = False) -> Markup:
    """Return a definition's total with its status, opening the rows of its items."""
    if row is None:
        return Markup("not assessed")
    person, name = row["person_id"], row["criterion"]
    sources = [
        key
        for item in drill.cohort.items_of.get((person, name), ())
        for key in item["source_row"].split("|")
    ]
    shown = drill.rows(interval(row["low"], row["high"]), person, sources)
    tail = f" ({row['items_assessed']}/{row['items_total']})" if items else ""
    status = Markup('<br><span class="sub">{}{}</span>').format(row["status"], tail)
    return mark(shown, verified=row["verified"]) + status


def steps(cohort: Cohort, person: str, episodes: list[Row]) -> list[Row]:
    """Return the doses of the drug of interest inside some treatment episodes, in order."""
    mine = [r for r in cohort.steps if r["person_id"] == person and r["drug"] == cohort.drug]
    kept = [
        row
        for row in mine
        if any(e["start"] <= row["start"] <= max(e["end"], e["start"]) for e in episodes)
    ]
    return sorted(kept, key=lambda row: row["start"])


def grade(value: int) -> str:
    return "?" if value < 0 else str(value)


def ending(cohort: Cohort, drill: Drill, person: str) -> list[Any]:
    row = cohort.outcome.get(person)
    if row is None:
        return [UNKNOWN, UNKNOWN]
    days = row["follow_up_days"]
    followed = "0 d" if days == 0 else f"{number(days)} d" if not math.isnan(days) else UNKNOWN
    followed_cell = drill.about(followed, person)
    if row["died"] is True:
        at = cohort.hours(person, row["death_time"]) / 24
        text = "died" if math.isnan(at) else f"died, day {at:.1f}"
        cause = labels(row["cause_of_death"])
        return [drill.about(text, person) + escape(f" ({cause})" if cause else ""), followed_cell]
    if row["died"] is None:
        return ["unknown", followed_cell]
    drug = labels(row["maintenance_drug"])
    return [f"alive{f', on {drug}' if drug else ''}", followed_cell]


def response(cohort: Cohort, drill: Drill, clock: str) -> PageTable:
    """Return values at each horizon against baseline on one clock, with status and confounders."""
    rows, ids = [], []
    for row in cohort.response:
        if row["clock"] != clock:
            continue
        person, marks = row["person_id"], signs(row["censored"])
        cells: list[Any] = [person, f"{heading(row['variable'])}, {unit(row['unit'])}"]
        at = {"baseline": 0.0, "peak": -36.0, "h24": 24.0, "h48": 48.0, "h72": 72.0, "d7": 168.0}
        for name, when in at.items():
            value = row[name]
            shown = UNKNOWN if math.isnan(value) else marks.get(name, "") + number(value)
            source = drill.value(person, row["variable"], value, when, clock)
            cells.append(drill.rows(shown, person, source or row["source_row"]))
        ratio = number(row["ratio_48h"], 2)
        cells.append(drill.rows(ratio, person, row["source_row"]))
        cells += [row["status"], labels(row["confounded_by"]), labels(row["modified_by"])]
        rows.append(cells)
        ids.append(anchor("change", clock, person, row["variable"]))
    head = ["Patient", "Test", "baseline", "peak, 72 h before", *HORIZON.values(), "48 h ÷ baseline",
            "status at 48 h", "also given (confounded by)", "moved by (modified by)"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def definitions(cohort: Cohort, drill: Drill) -> PageTable:
    """Return every definition's total at its three moments, and what it rests on."""
    moments = {
        (row["person_id"], row["criterion"], row["moment"]): row for row in cohort.rows("criteria")
    }
    rows = []
    for row in cohort.criteria:
        person, name = row["person_id"], row["criterion"]
        others = []
        for moment in ("index", "peak_ever"):
            other = moments.get((person, name, moment))
            text = (
                UNKNOWN
                if other is None
                else f"{interval(other['low'], other['high'])}, {other['status']}"
            )
            others.append(drill.definition(text, person, name, moment))
        without = interval(row["low_unmodified"], row["high_unmodified"])
        held = number(row["held_hours"])
        numbers = [
            without if without[:1] != "–" else UNKNOWN,
            f"{row['items_assessed']} of {row['items_total']}",
            f"{row['probability']} %" if row["probability"] else "",
            when(cohort, person, row["first_possible"]),
            when(cohort, person, row["first_met"]),
            f"{held} h" if held != UNKNOWN else UNKNOWN,
        ]
        shown = [drill.definition(each, person, name, cohort.moment) for each in numbers]
        rows.append([person, label(name), total(drill, row), *shown, *others,
                     answer(row["in_derivation_population"])])  # fmt: skip
    head = ["Patient", "Definition", "Peak to index", "without modified items", "items assessed",
            "probability as published", "first possible", "first met", "held", "at index",
            "peak ever", "in its own population"]  # fmt: skip
    ids = [anchor("total", row["criterion"], row["person_id"]) for row in cohort.criteria]
    return PageTable(head, rows, ids=ids)


def items(cohort: Cohort, drill: Drill, criterion: str) -> PageTable:
    """Return the value behind every item of one definition at the moment shown."""
    mine = [row for row in cohort.items if row["criterion"] == criterion]
    names = list(dict.fromkeys(row["item"] for row in mine))
    cells = {(row["person_id"], row["item"]): row for row in mine}
    people = [person for person in cohort.ids if any((person, name) in cells for name in names)]
    rows = [
        [person, *[_item(drill, cells.get((person, name))) for name in names]] for person in people
    ]
    head = ["Patient", *[heading(name.replace(".", ": ")) for name in names]]
    return PageTable(head, rows, ids=[anchor("items", criterion, person) for person in people])


def _item(drill: Drill, row: Row | None) -> Markup:
    if row is None:
        return Markup(UNKNOWN)
    if row["state"] == "not assessed":
        return Markup('<span class="sub">not assessed</span>')
    value = number(row["value"])
    told = (
        row["state"]
        if value == UNKNOWN
        else f"{signs(row['censored']).get('value', '')}{value} {unit(row['unit'])}".strip()
    )
    shown = drill.rows(told, row["person_id"], row["source_row"])
    if row["state"] == "not met" and value != UNKNOWN:
        shown += Markup('<br><span class="sub">not met</span>')
    if row["modified_by"]:
        shown += Markup('<br><span class="sub">* {}</span>').format(labels(row["modified_by"]))
    return shown


def safety(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each event's grade before time zero and its worst after, with onset and reference."""
    rows = []
    for row in cohort.safety:
        person = row["person_id"]
        onset = row["hours_from_t0"]
        moved = f"{grade(row['grade_before'])} → {grade(row['grade_after'])}"
        rows.append(
            [person, heading(row["event"]), drill.rows(moved, person, row["source_row"]),
             drill.rows(hours(onset), person, row["source_row"]), answer(row["on_drug"]),
             row["attribution"], drill.rows(row["reference"], person, row["source_row"])]
        )  # fmt: skip
    head = ["Patient", "Event", "before → worst after", "onset of the worst",
            f"on {cohort.drug or 'drug'}", "attribution (said by a person)", "counted against"]  # fmt: skip
    ids = [anchor("safety", row["event"], row["person_id"]) for row in cohort.safety]
    return PageTable(head, rows, ids=ids)


def episodes(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the treatment episodes of the drug of interest."""
    rows = []
    for row in cohort.rows("episodes"):
        if row["drug"] != cohort.drug:
            continue
        person = row["person_id"]
        keys = "|".join(r["source_row"] for r in steps(cohort, person, [row]))
        numbers = [number(row[name], 5) for name in
                   ("cumulative_canonical", "peak_rate_canonical_per_h")]  # fmt: skip
        peak = row["peak_rate_canonical_per_h"] * 24
        numbers += [number(round(peak, 9), 5), number(row["max_24h_canonical"], 5)]
        ups = UNKNOWN if row["escalations"] < 0 else str(row["escalations"])
        told = [when(cohort, person, row["start"]), when(cohort, person, row["end"]), *numbers, ups,
                number(row["hours_to_peak"])]  # fmt: skip
        rows.append([person, row["mode"], *[drill.rows(each, person, keys) for each in told]])
    u = cohort.unit
    head = ["Patient", "Mode", "from", "to", f"{u} in all", f"peak {u}/h", f"peak {u}/day",
            f"most {u} in 24 h",
            "steps up", "hours to peak"]  # fmt: skip
    return PageTable(head, rows)


def outcome(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how each patient's story ended, as far as it is known."""
    rows = []
    for person in cohort.ids:
        row = cohort.outcome.get(person)
        if row is None:
            continue
        end, followed = ending(cohort, drill, person)
        rows.append(
            [person, end, drill.stays(when(cohort, person, row["discharged"]), person), answer(row["on_drug_at_death"]),
             answer(row["infection_linked"]), when(cohort, person, row["relapse_time"]), followed]
        )  # fmt: skip
    head = ["Patient", "Outcome", "discharged", "on drug at death", "infection-linked death", "relapse",
            "follow-up"]  # fmt: skip
    return PageTable(head, rows, ids=[anchor("end", row[0]) for row in rows])


def nearest(cohort: Cohort, drill: Drill) -> PageTable:
    """Return those who came closest to entering, and what kept them out."""
    rows = [
        [row["person_id"], words(row["reason"]), label(row["criterion"]),
         drill.outsider(interval(row["low"], row["high"]), row["person_id"], row["criterion"]),
         labels(row["missing"])]
        for row in cohort.result.frames["nearest"].rows()
    ]  # fmt: skip
    return PageTable(["Person", "left at", "definition", "lowest–highest", "not assessed"], rows)


def refused(cohort: Cohort) -> PageTable:
    """Return the rows that were not used, and why."""
    rows = [
        [row["source_table"], label(row["variable"]), row["unit"] or "none", row["reason"],
         f"{row['rows']:,}", row["example"]]
        for row in cohort.result.tables["rows_refused"].rows()
    ]  # fmt: skip
    return PageTable(["Table", "What", "Unit as written", "Reason", "Rows", "Example"], rows)


def drawn(cohort: Cohort, drill: Drill, shown: Iterable[str]) -> PageTable:
    """Return the values that the course figures draw; the rows' ids are the figures' links."""
    names, persons = set(shown), set(cohort.described)
    rows: list[list[Any]] = []
    ids: list[str] = []
    for i, row in enumerate(cohort.series):
        at = cohort.hours(row["person_id"], row["time"])
        if row["variable"] not in names or row["person_id"] not in persons:
            continue
        if not -24 * 14 <= at <= 24 * 42 or len(rows) >= DRAWN:
            continue
        value = drill.rows(series_value(row), row["person_id"], row["source_row"])
        rows.append(
            [
                row["person_id"],
                heading(row["variable"]),
                drill.rows(hours(at), row["person_id"], row["source_row"]),
                value,
                unit(row["unit"]),
            ]
        )
        ids.append(f"v{i}")
    return PageTable(["Patient", "Test", "when", "value", "unit"], rows, ids=ids)


def falls(cohort: Cohort, drill: Drill) -> PageTable:
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
            told = share(sum(row[name] is True for row in known), len(known))
            lines = [[r["person_id"], answer(r[name]), r["reason"]] for r in mine]
            cells.append(drill.people(told, ["patient", "fell so far", "against baseline"], lines))
        strict = [
            row for row in mine if row["strict"] in {"responded", "did not respond", "died before"}
        ]
        told = share(sum(row["strict"] == "responded" for row in strict), len(strict))
        lines = [[r["person_id"], _course(cohort, r["strict"])] for r in mine]
        cells.append(drill.people(told, ["patient", "last value in time"], lines))
        rows.append(cells)
    head = ["Clock", *[f"fell by {name.split('_')[1]} % or more" for name in FALLS],
            f"primary, last value within {cohort.result.protocol.response.strict_horizon.strip('<=')}"]  # fmt: skip
    return PageTable(head, rows)


def _course(cohort: Cohort, said: str) -> str:
    """Say what became of the values without claiming a response where none is studied."""
    return (
        said
        if cohort.claim == "response"
        else said.replace("responded", "fell").replace("respond", "fall")
    )


def no_test(n: int) -> str:
    """Say why there is no p-value."""
    if not n:
        return ""
    if n < stats.TEST_FROM:
        return (
            f"No p-value is given: with {n} pairs the smallest that an exact two-sided sign test "
            f"can reach is {stats.smallest_sign_p(n):.4g}."
        )
    return "No p-value is given: nobody was assigned to anything."
