"""Fever hour by hour, what rose and fell over a day or two, and ferritin beside who died."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from markupsafe import Markup

from becalm.core.digits import fixed
from becalm.definitions import Item, serial_changes
from becalm.measures.fever import VARIABLE
from becalm.measures.fever import rule as fever_rule
from becalm.report import labels
from becalm.report.cells import marked
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, middle, number, signs, spaced
from becalm.report.theme import Figure

FEVER_HEAD: Final = ("hours febrile", "hours afebrile", "hours unknown", "measurements",
                     "longest gap, h", "highest, °C")  # fmt: skip


def fever(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each patient's hours of fever in every 24 h, with how densely it was measured."""
    rows = []
    for row in cohort.rows("fever"):
        told = [_hours(row[name]) for name in ("hours_febrile", "hours_afebrile", "hours_unknown")]
        told += [f"{row['measurements']}", _hours(row["longest_gap_h"]), number(row["highest"])]
        cells = [_opens(drill, shown, row) for shown in (f"{row['day']}", *told)]
        rows.append([row["person_id"], *cells, labels.joined(row["modified_by"])])
    return PageTable(["Patient", "day", *FEVER_HEAD, "modified by"], rows)


def fever_by_day(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the hours of fever of the whole cohort, day by day."""
    table = cohort.keep(cohort.result.tables["fever"])
    known = table["hours_febrile"] + table["hours_afebrile"] > 0
    rows = []
    for day in np.unique(table["day"]).tolist():
        at = np.flatnonzero(table["day"] == day)
        mine, measured = table.take(at), table.take(at[known[at]])
        lines = [
            [row["person_id"], *(_hours(row[name]) for name in
             ("hours_febrile", "hours_afebrile", "hours_unknown")), f"{row['measurements']}"]
            for row in table.take(at[: drill.most]).light_rows()
        ]  # fmt: skip
        told = [
            f"{day}", f"{len(mine):,}", f"{len(measured):,}",
            middle(round(each, 1) for each in measured["hours_febrile"].tolist()),
            middle(round(each, 1) for each in mine["hours_unknown"].tolist()),
            middle(map(float, mine["measurements"].tolist())),
        ]  # fmt: skip
        head = ["patient", *FEVER_HEAD[:4]]
        rows.append([drill.people(each, head, lines, len(mine)) for each in told])
    return PageTable(
        ["day", "patients followed", f"with a {labels.variable(VARIABLE)}", "hours febrile, if known", "hours unknown",
         "measurements"], rows,
    )  # fmt: skip


def _hours(value: float) -> str:
    return UNKNOWN if math.isnan(value) else fixed(value, 1).removesuffix(".0")


def _opens(drill: Drill, shown: str, row: Row) -> Markup:
    """Open the measurements of a day; where there is none, that there is none."""
    person = str(row["person_id"])
    if row["source_row"]:
        return drill.rows(shown, person, row["source_row"])
    if shown == UNKNOWN:
        return Markup(UNKNOWN)
    return drill.people(shown, ["patient", labels.variable(VARIABLE)], [[person, "none recorded"]])


def serial_changes_table(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each feature: in how many patients it was met, and the value of each patient.

    The value is a multiple of an earlier value or, for a sign of several parts, the number of parts met.
    """
    cells: dict[str, dict[str, Row]] = {}
    for row in cohort.rows("serial_changes"):
        if row["moment"] == cohort.moment:
            cells.setdefault(row["feature"], {})[row["person_id"]] = row
    each = cohort.n <= ROW_EACH
    rows = []
    for item in serial_changes().items:
        mine = cells.get(item.key, {})
        assessed = [row for row in mine.values() if row["state"] != "not assessed"]
        met = [row for row in assessed if row["state"] == "met"]
        lines = [[row["person_id"], row["state"], _value(item, row)] for row in mine.values()]
        shown = drill.people(f"{len(met)} of {len(assessed)}", ["patient", "state", "value"], lines)
        way = "rises" if item.above == 1 else "falls" if item.below == 1 else ""
        patients = [_change(drill, item, mine.get(person)) for person in cohort.ids] if each else []
        title = drill.people(spaced(item.title), ["source"], [[item.source]])
        rows.append([title, way, marked(shown, verified=item.verified), *patients])
    head = ["Feature", "in a storm it", "met, of patients assessed"]
    return PageTable([*head, *(cohort.ids if each else [])], rows)


def _value(item: Item, row: Row) -> str:
    value = number(row["value"])
    if item.count and value != UNKNOWN:
        return f"{value} of {len(item.count)} parts"
    return value if value == UNKNOWN else f"{signs(row['censored']).get('value', '')}{value}"


def _change(drill: Drill, item: Item, row: Row | None) -> Markup:
    if row is None or row["state"] == "not assessed":
        return Markup('<span class="sub">not assessed</span>')
    shown = drill.rows(_value(item, row), row["person_id"], row["source_row"])
    return shown + Markup('<br><span class="sub">met</span>' if row["state"] == "met" else "")


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    """Return the hours of fever, and the changes over one and two days."""
    del figures
    words: list[str] = []
    shown: list[PageTable] = []
    folded: list[PageTable] = []
    if cohort.keep(cohort.result.tables["fever"])["measurements"].any():
        words.append(
            f"Fever: hours at {fixed(fever_rule().at_least, 1)} °C or more in each 24 h. A value is valid until the "
            "next value, or until it expires. Hours without a valid value are unknown: neither febrile nor afebrile."
        )
        days = captioned(fever_by_day(cohort, drill), "Fever by day from time zero, median (range)")
        (shown if cohort.n > ROW_EACH else folded).append(days)
        if lists_everybody(cohort):
            each = "Fever of every patient by day; day 1 is the first 24 h from time zero"
            folded.append(captioned(fever(cohort, drill), each))
    else:
        words.append(f"No {labels.variable(VARIABLE)} is recorded, so fever is unknown.")
    if lists_everybody(cohort):
        words.append(
            "Changes over one and two days: the value as a multiple of the earlier value. They are not a score: "
            "nothing is added up."
        )
        caption = f"{serial_changes().title}, {cohort.moment_text}"
        folded.append(captioned(serial_changes_table(cohort, drill), caption))
    return Section("Fever and change over days", words, [], shown, folded)


SECTION: Final = DeclaredSection("serial", 56, section)
