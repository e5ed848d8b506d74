"""Which single missing test would settle a definition that is undetermined, and by which results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Texts
from becalm.core.frame import Frame
from becalm.report import facts, labels
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, duration, interval, number, signs
from becalm.report.theme import Figure

VARIES: Final = "differ between patients"
HISTORY: Final = "history"


class NextTests:
    """The rows of the cohort, counted by columns."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort

    @cached_property
    def table(self) -> Frame:
        return self.cohort.shown("next_test")

    @cached_property
    def settling(self) -> Frame:
        """The tests of which one alone could settle a definition."""
        return self.table.take(self.table["rank"] > 0)

    def undetermined(self, criterion: str) -> int:
        return facts.statuses(self.cohort, criterion)["undetermined"]

    def rows(self, criterion: str, test: str = "") -> Frame:
        """Return the rows of a definition, or of one test of it."""
        mine = self.settling.coded("criterion").among([criterion])
        if test:
            mine &= self.settling.coded("test").among([test])
        return self.settling.take(mine)

    def persons(self, criterion: str, test: str = "") -> list[str]:
        """Return in whom one test alone could settle a definition; with `test` only that one."""
        return sorted(set(self.rows(criterion, test)["person_id"].tolist()))

    def without(self, criterion: str) -> list[str]:
        """Return in whom no single test could settle a definition."""
        mine = self.table.coded("criterion").among([criterion]) & (self.table["rank"] == 0)
        found: list[str] = self.table["person_id"][mine].tolist()
        return found

    def tests(self, criterion: str) -> list[str]:
        """Return the tests of a definition, those of most patients first."""
        found, counts = np.unique(self.rows(criterion)["test"].astype(str), return_counts=True)
        return [str(found[at]) for at in np.lexsort((found, -counts))]


def by_which(rows: Frame) -> str:
    """Return the results that settle, of the rows of one test; where they differ it says so."""
    parts = []
    for column, status in (("settles_met_if", "met"), ("settles_not_met_if", "not met")):
        found: set[str] = {text for text in np.unique(_texts(rows, column)).tolist() if text}
        if found:
            parts.append(f"{status}: {found.pop() if len(found) == 1 else VARIES}")
    return "; ".join(parts)


def _texts(rows: Frame, column: str) -> Texts:
    held: Texts = rows[column].astype(str)
    return held


def counts(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many one test could have settled, by definition and test."""
    found = NextTests(cohort)
    rows: list[list[Any]] = []
    ids = []
    for name in cohort.result.protocol.definitions.report:
        open_ = found.undetermined(name)
        if not open_:
            continue
        definition = cohort.definition_label(name)
        people = found.persons(name)
        without = sorted({*found.without(name)})
        shown = drill.people(
            f"{len(people):,} of {open_:,}",
            ["patient", "one test could settle it"],
            [*([who, "yes"] for who in people), *([who, "no"] for who in without)],
        )
        rows.append([definition, "any one of the tests", shown, "", "", "", ""])
        ids.append(anchor("settled", name))
        for test in found.tests(name):
            mine = found.rows(name, test)
            settles = mine.coded("settles")
            whom = mine["person_id"]
            ways = (
                ["whatever the result"],
                ["whatever the result", "met or not met", "met only"],
                ["whatever the result", "met or not met", "not met only"],
            )
            masks = [settles.among(way) for way in ways]
            masks[1] &= _texts(mine, "settles_met_if") != ""
            masks[2] &= _texts(mine, "settles_not_met_if") != ""
            cells = [
                drill.people(
                    str(int(mask.sum())),
                    ["patient"],
                    [[who] for who in sorted(whom[mask].tolist())],
                )
                for mask in masks
            ]
            together = drill.people(
                f"{len(mine):,} of {open_:,}", ["patient"], [[who] for who in sorted(whom.tolist())]
            )
            columns = (whom, mine["settles_met_if"], mine["settles_not_met_if"])
            which = drill.people(
                by_which(mine),
                ["patient", "met if", "not met if"],
                sorted(zip(*(column.tolist() for column in columns), strict=True)),
            )
            rows.append([definition, _test(mine["test_kind"][0], test), together, *cells, which])
            ids.append(anchor("settled", name, test))
    head = ["Definition", "Test", "could settle it alone, of those undetermined", "whatever the result",
            "could make it met", "could make it not met", "by which result"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def _test(kind: str, test: str) -> str:
    name = labels.heading(labels.variable(test))
    return f"{name} (a question to the history)" if kind == HISTORY else name


def each(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the tests of every patient, the best first; and in whom no single one would settle it."""
    order = {name: at for at, name in enumerate(cohort.result.protocol.definitions.report)}
    listed = sorted(
        NextTests(cohort).table.light_rows(),
        key=lambda row: (row["person_id"], order.get(row["criterion"], 99), row["rank"]),
    )
    rows, ids = [], []
    for row in listed:
        person, name = row["person_id"], row["criterion"]
        total = drill.definition(interval(row["low"], row["high"]), person, name, cohort.moment)
        if not row["rank"]:
            rows.append(
                [
                    person,
                    cohort.definition_label(name),
                    total,
                    "no single test would settle it",
                    "",
                    "",
                    "",
                    "",
                ]
            )
        else:
            told = [
                row["settles_met_if"] or UNKNOWN,
                row["settles_not_met_if"] or UNKNOWN,
                _look_back(row["counts_for_hours"]),
            ]
            opened = [drill.definition(text, person, name, cohort.moment) for text in told]
            rows.append(
                [person, cohort.definition_label(name), total, _test(row["test_kind"], row["test"]), *opened,
                 drill.rows(_state(row), person, row["source_row"])]
            )  # fmt: skip
        ids.append(anchor("next", person, name, row["test"]))
    head = ["Patient", "Definition", "Total, from–to", "Test", "met if", "not met if", "counts for",
            "why it is asked for"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def _look_back(hours: float) -> str:
    return f"{number(hours / 24)} d" if hours >= 96 else duration(hours)


def _state(row: Row) -> str:
    """Return why a test is asked for, with the last value and its age."""
    value = number(row["last_value"])
    if value == UNKNOWN:
        return str(row["test_state"])
    sign = signs(row["censored"]).get("last_value", "")
    if not row["unit"]:
        value = (
            ("absent", "present")[row["last_value"] == 1] if row["last_value"] in {0, 1} else value
        )
    last = f"{sign}{value} {row['unit']}".strip()
    age = _look_back(row["last_value_hours"])
    return f"{row['test_state']}: {last}, {'at the moment' if age == UNKNOWN else f'{age} before'}"


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the section, where some definition is undetermined in somebody."""
    del figures
    counted = counts(cohort, drill)
    if not counted:
        return None
    intro = [
        f"For every definition that is undetermined {cohort.moment_text}: which one test would have settled it, if its "
        "value had been known then and nothing else had changed. A test is what records hold: the spleen is one, the "
        "liver another. Where two tests together would be needed, no single one is listed.",
        "What no test shows, such as drugs that were taken before, is a question to the history. Tests are ranked by what they "
        "would decide, never by how likely a result is.",
    ]
    long = []
    if lists_everybody(cohort):
        long.append(
            captioned(each(cohort, drill), "The tests of every patient, the most decisive first")
        )
    few = bool(long) and len(long[0].rows) <= 20
    main = [captioned(counted, "How many one test could have settled")]
    return Section(
        "Next best test", intro, [], [*main, *(long if few else [])], [] if few else long
    )


SECTION: Final = DeclaredSection("next_test", 106, section)
