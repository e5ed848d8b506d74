"""Results that a later report of the same draw changed, and what had been met on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from becalm import vocabulary
from becalm.core.clock import iso
from becalm.report import labels
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, number, unit
from becalm.report.theme import Figure

_LISTED: Final = 200
_NAMES: Final = {"index": "the index", "storm": "the storm", "storm_72h": "the storm judged later"}


def changed(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each value of a patient that a later report changed; first those on which a definition was met."""
    rows = sorted(
        cohort.rows("replaced_reports"),
        key=lambda row: (not row["no_longer_met"], row["person_id"], row["time"], row["available"]),
    )
    shown = []
    for row in rows[:_LISTED]:
        met = [cohort.definition_label(name) for name in row["no_longer_met"].split("|") if name]
        measured = unit(vocabulary.load().variable(row["variable"]).unit)
        opened = [
            drill.rows(text, row["person_id"], row["source_row"])
            for text in (
                iso(row["time"]), iso(row["available"]), _value(row, "earlier_"), iso(row["replaced"]),
                _value(row, "later_"),
            )
        ]  # fmt: skip
        test = labels.variable(row["variable"])
        shown.append([row["person_id"], test, measured, *opened, row["change"], ", ".join(met)])
    return PageTable(
        ["Patient", "Test", "unit", "drawn", "reported", "value", "reported again", "value then", "change",
         "no longer met"], shown,
    )  # fmt: skip


def _value(row: Row, prefix: str) -> str:
    low, high = (
        None if math.isnan(row[prefix + end]) else row[prefix + end] for end in ("low", "high")
    )
    if low is None and high is None:
        return "none" if prefix == "later_" else UNKNOWN
    if low == high:
        return number(low)
    if high is None:
        return f"≥ {number(low)}"
    return f"≤ {number(high)}" if low is None else f"{number(low)}–{number(high)}"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the results that a later report changed; None where there is none."""
    del figures
    table = cohort.result.tables["replaced_reports"]
    if not len(table):
        return None
    met = len({row["person_id"] for row in table.light_rows() if row["no_longer_met"]})
    people = len(set(table["person_id"].tolist()))
    intro = [
        f"{_counted(len(table), 'result')} of {_counted(people, 'person')} {'was' if len(table) == 1 else 'were'} "
        "changed by a later report of the same draw. A report that says that it corrects replaces the earlier one; otherwise both are believed, and "
        "the value is the range of both. By what was available the earlier value holds until the later report. "
        + (
            f"In {_counted(met, 'person')} a definition had been met on such a value and was not afterwards."
            if met
            else "No definition had been met on such a value."
        )
    ]
    intro += [
        f"{row['person_id']}: {' and '.join(_NAMES[name] for name in row['taken_back'].split('|'))} rests on a value "
        "that was later taken back."
        for row in cohort.persons
        if row["taken_back"] and lists_everybody(cohort)
    ]
    if not lists_everybody(cohort) or not cohort.rows("replaced_reports"):
        intro.append("The table replaced_reports lists them.")
        return Section("Results changed by a later report", intro)
    caption = "Results that a later report changed"
    return Section(
        "Results changed by a later report", intro, [], [captioned(changed(cohort, drill), caption)]
    )


SECTION: Final = DeclaredSection("replaced_reports", 102, section, without_patients=True)
