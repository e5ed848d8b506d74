"""The treatment: earlier immunotherapies, doses, and the steps of the infusion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from becalm.core.digits import percentage
from becalm.report import facts, labels
from becalm.report.cells import since_zero
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.text import UNKNOWN, answer, hours, number
from becalm.report.theme import Figure

REMARKS: Final = 200
"""Rows that one remark opens at most; the table `dose_remarks` has them all."""
REFERENCE: Final = "prednisolone"
"""The glucocorticoid in whose equivalents the others are given."""
REPLACEMENT: Final = "renal_replacement"
WORSE: Final = ("ferritin", "ast", "temperature", "vasopressor")


def prior(cohort: Cohort, drill: Drill) -> PageTable:
    """Return immunotherapies begun before time zero and, where judged, whether they had failed.

    Refractory is the protocol's rule; unknown stays unknown and says why.
    """
    rows: list[list[Any]] = []
    for row in cohort.prior:
        person, keys = row["person_id"], row["source_row"]
        told = [since_zero(cohort, person, row["first"]), since_zero(cohort, person, row["last"]),
                "" if row["doses"] < 0 else str(row["doses"]), *_failed(row)]  # fmt: skip
        rows.append([person, drill.rows(labels.drug(row["drug"]), person, keys), row["drug_class"],
                     *[drill.rows(each, person, keys) for each in told]])  # fmt: skip
    head = ["Patient", "Drug", "Class", "first", "last", "doses",
            f"most in 24 h, as {labels.drug(REFERENCE)}", "refractory", "reason"]  # fmt: skip
    return PageTable(head, rows)


def all_given(cohort: Cohort, drill: Drill) -> PageTable:
    """Return every immunotherapy given, whenever, with its rows."""
    found: dict[tuple[str, str], list[Row]] = {}
    for step in sorted(cohort.steps, key=lambda step: (step["person_id"], step["start"])):
        found.setdefault((step["person_id"], step["drug"]), []).append(step)
    rows: list[list[Any]] = []
    for (person, drug), steps in found.items():
        units = "|".join(dict.fromkeys(step["unit"] for step in steps if step["unit"]))
        amount, top = math.nan, math.nan
        if "|" not in units:  # amounts in different units have no sum
            amount = math.fsum(step["amount"] for step in steps)
            top = max((step["rate"] for step in steps if step["rate"] > 0), default=math.nan)
        told = [since_zero(cohort, person, steps[0]["start"]),
                since_zero(cohort, person, max(step["end"] for step in steps)),
                str(len(steps)), number(amount, 5), number(top)]  # fmt: skip
        keys = [step["source_row"] for step in steps]
        routes = ", ".join(dict.fromkeys(step["route"] for step in steps if step["route"]))
        rows.append([person, labels.drug(drug), routes or UNKNOWN, labels.joined(units),
                     *[drill.rows(each, person, keys) for each in told]])  # fmt: skip
    head = [
        "Patient",
        "Drug",
        "routes",
        "unit",
        "first",
        "last",
        "rows",
        "sum",
        "highest rate per h",
    ]
    return PageTable(head, rows, ids=[anchor("given", *key) for key in found])


def episodes(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the treatment episodes of the drug of interest."""
    rows = []
    for row in cohort.rows("episodes"):
        if row["drug"] != cohort.drug:
            continue
        person = row["person_id"]
        keys = "|".join(r["source_row"] for r in facts.doses_within(cohort, person, [row]))
        numbers = [number(row[name], 5) for name in
                   ("cumulative_canonical", "peak_rate_canonical_per_h")]  # fmt: skip
        peak = row["peak_rate_canonical_per_h"] * 24
        numbers += [number(round(peak, 9), 5), number(row["max_24h_canonical"], 5)]
        numbers.insert(1, number(row["assumed_end_canonical"], 5))
        ups = UNKNOWN if row["escalations"] < 0 else str(row["escalations"])
        told = [since_zero(cohort, person, row["start"]), since_zero(cohort, person, row["end"]), *numbers, ups,
                number(row["hours_to_peak"])]  # fmt: skip
        rows.append(
            [
                person,
                row["mode"] or "mode not recorded",
                *[drill.rows(each, person, keys) for each in told],
            ]
        )
    u = cohort.unit
    head = ["Patient", "Mode", "from", "to", f"sum, {u}", f"of this, end assumed, {u}", f"peak, {u}/h", f"peak, {u}/day",
            f"most in 24 h, {u}",
            "steps up", "hours to peak"]  # fmt: skip
    return PageTable(head, rows)


def _failed(line: Row) -> list[str]:
    peak = line["peak_equivalent"]
    shown = "" if math.isnan(peak) else f"{number(peak)} mg/kg"
    if line["drug_class"] == "glucocorticoid" and not shown:
        shown = UNKNOWN
    return [shown, answer(line["refractory"]), line["reason"]]


def escalations(cohort: Cohort, drill: Drill, direction: str = "up") -> PageTable:
    """Return each step up (or down) of the infusion, and what had grown worse in the 24 h before it."""
    rows = []
    for row in cohort.keep(cohort.result.frames["escalations"]).light_rows():
        if row["drug"] != cohort.drug or row["direction"] != direction:
            continue
        person = row["person_id"]
        keys = "|".join(
            step["source_row"] for step in cohort.steps
            if (step["person_id"], step["drug"]) == (person, row["drug"])
            and step["start"] <= row["time"] <= step["end"]  # what ran before, and what runs then
        )  # fmt: skip
        step = f"{number(row['from_rate'])} → {number(row['to_rate'])}"
        clearance = drill.rows(number(row["crcl_ml_min"]), person, row["crcl_rows"])
        told = [
            step,
            number(row["to_rate_per_kg"]),
            hours(row["hours_from_t0"]),
            number(row["hours_since_last"]),
        ]
        rows.append(
            [person, *[drill.rows(each, person, keys) for each in told],
             *[answer(row[name]) for name in WORSE], clearance, answer(row["rrt"])]
        )  # fmt: skip
    head = ["Patient", f"from → to, {cohort.unit}/h", f"to, {cohort.unit}/kg/h", "from t0", "hours since last step",
            *[f"{labels.variable(name)} worse" for name in WORSE],
            "clearance, mL/min", labels.procedure(REPLACEMENT)]  # fmt: skip
    return PageTable(head, rows)


def courses(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how each patient's infusion was stepped up, held and taken back."""
    rows = []
    for row in cohort.keep(cohort.result.frames["courses"]).light_rows():
        if row["drug"] != cohort.drug:
            continue
        up, down = (
            UNKNOWN if row[name] < 0 else str(row[name]) for name in ("steps_up", "steps_down")
        )
        person = row["person_id"]
        keys = [step["source_row"] for step in cohort.steps
                if (step["person_id"], step["drug"]) == (person, row["drug"]) and step["hours_from_t0"] >= 0]  # fmt: skip
        told = [number(row["ceiling_per_day"], 5), number(row["hours_to_ceiling"]),
                number(row["hours_at_ceiling"]), up, down, number(row["taper_hours"]),
                UNKNOWN if row["pauses"] < 0 else str(row["pauses"]), number(row["paused_hours"]),
                answer(row["any_end_assumed"])]  # fmt: skip
        rows.append([person, row["modes"].replace(" > ", " → "),
                     *[drill.rows(each, person, keys) for each in told]])  # fmt: skip
    head = ["Patient", "modes in order", f"highest rate, {cohort.unit}/day", "hours to highest rate", "hours at highest rate",
            "steps up", "steps down", "taper, hours", "pauses", "hours paused", "an end assumed"]  # fmt: skip
    return PageTable(head, rows)


def at_dose(cohort: Cohort, drill: Drill) -> PageTable:
    """Return since when and for how long each patient was at or above each amount a day."""
    rows = []
    for row in cohort.rows("time_at_dose"):
        person = row["person_id"]
        keys = [step["source_row"] for step in cohort.steps
                if (step["person_id"], step["drug"]) == (person, row["drug"]) and step["hours_from_t0"] >= 0]  # fmt: skip
        told = [f"{row['level_per_day']:,g} {row['unit_canonical']}/day", since_zero(cohort, person, row["first_reached"]),
                number(row["hours_at_rate"]), number(row["hours_at_24h"])]  # fmt: skip
        rows.append([person, *[drill.rows(each, person, keys) for each in told]])
    head = ["Patient", "dose", "first rate at or above it", "hours at or above it, by rate",
            "hours at or above it, by amount in the last 24 h"]  # fmt: skip
    return PageTable(head, rows)


def weights(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the body weight of each patient at time zero, where it is from, and what speaks against it."""
    rows = []
    for row in cohort.rows("persons"):
        person, key = row["person_id"], row["weight_row"]
        told = [number(row["weight_kg"]), number(row["weight_age_h"])]
        kg, age = (drill.rows(each, person, key) for each in told)
        remark = drill.rows(row["weight_remark"], person, key)
        rows.append([person, kg, row["weight_source"] or UNKNOWN, age, remark])
    head = ["Patient", "kg", "source", "hours from its measurement", "what speaks against it"]
    return PageTable(head, rows)


def oddities(cohort: Cohort, drill: Drill) -> PageTable:
    """Return what is remarked about rows of doses, each count opening the rows."""
    found: dict[str, list[Row]] = {}
    for row in cohort.rows("dose_remarks"):
        found.setdefault(row["remark"], []).append(row)
    head = ["patient", "drug", "from t0", "remark", "counted", "row"]
    rows = []
    for remark, mine in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        lines = [[r["person_id"], labels.drug(r["drug"]) or r["label"], since_zero(cohort, r["person_id"], r["start"]),
                  r["detail"], answer(r["counted"]), r["source_row"]] for r in mine[:REMARKS]]  # fmt: skip
        drugs = sorted({labels.drug(r["drug"]) or r["label"] for r in mine})
        counted = sum(bool(r["counted"]) for r in mine)
        named = ", ".join(drugs[:6]) + (f" and {len(drugs) - 6} more" if len(drugs) > 6 else "")
        told = [remark, f"{len(mine):,}", f"{counted:,}", named]
        rows.append([drill.people(each, head, lines) for each in told])
    return PageTable(["Remark", "rows", "of these, counted as given", "drugs"], rows, kind="long")


def assumed_ends(cohort: Cohort, drill: Drill) -> list[Markup]:
    """Say what share of the dose, and whose entry, rests on ends that nobody wrote."""
    share: dict[str, list[float]] = {}
    for row in cohort.rows("daily_dose"):
        if row["drug"] == cohort.drug and row["amount_canonical"] >= 0:
            known = share.setdefault(row["person_id"], [0.0, 0.0])
            known[0] += row["assumed_end_canonical"]
            known[1] += row["amount_canonical"]
    assumed, total = (math.fsum(each[i] for each in share.values()) for i in (0, 1))
    if not assumed:
        return []
    lines = [
        [person, number(part, 5), number(whole, 5)]
        for person, (part, whole) in share.items()
        if part
    ]
    head = ["patient", f"end assumed, {cohort.unit}", f"dose from t0, {cohort.unit}"]
    shown = drill.people(f"{percentage(assumed / total)} % of the known dose", head, lines)
    said = Markup(
        "The end of some infusions is neither written nor the next row of the drug. {} of {} from t0 rests on "
        "an end that is assumed: at death, at the end of the stay, or at the drug's limit."
    ).format(shown, labels.drug(cohort.drug))
    entered = [
        [row["person_id"], since_zero(cohort, row["person_id"], row["index_time"])]
        for row in cohort.persons
        if row["entry_end_assumed"]
    ]
    if not entered:
        return [said]
    count = drill.people(f"{len(entered)} of {cohort.n}", ["patient", "entry, from t0"], entered)
    return [
        said,
        Markup(
            "{} entered only by such an infusion: without the assumed end it was too short."
        ).format(count),
    ]


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    treated = bool(cohort.drug)
    listed = [
        captioned(
            prior(cohort, drill),
            f"Immunotherapies before {cohort.clock_label('t0') if treated else cohort.entered_at}",
        ),
        captioned(all_given(cohort, drill), "All immunotherapies given"),
    ]
    if treated:
        listed += [
            captioned(
                episodes(cohort, drill), f"Treatment episodes with {labels.drug(cohort.drug)}"
            ),
            captioned(
                courses(cohort, drill), "Course of the infusion: highest rate, steps and pauses"
            ),
            captioned(
                escalations(cohort, drill),
                "Escalation: each step up, and what had become worse in the 24 h before it",
            ),
            captioned(escalations(cohort, drill, "down"), "De-escalation: each step down"),
            captioned(at_dose(cohort, drill), "Time at or above certain doses"),
        ]
    if lists_everybody(cohort) and any(row["weight_source"] for row in cohort.rows("persons")):
        listed.append(captioned(weights(cohort, drill), "Body weight at time zero"))
    odd = oddities(cohort, drill)
    listed.append(
        captioned(odd, "Remarks about rows of doses; no row was dropped because of a remark")
    )
    said: list[str] = list(assumed_ends(cohort, drill)) if treated else []
    if not cohort.steps:
        said = ["No dose of an immunotherapy is recorded around time zero."]
    return Section(
        "Treatment", said, figures_named(figures, "swimmer", "dose", "escalation"), [],
        [t for t in listed if t and lists_everybody(cohort)],
    )  # fmt: skip


SECTION: Final = DeclaredSection("treatment", 30, section)
