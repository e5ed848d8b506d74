"""The release: suppressed aggregates only. No rows, no persons, no dates, no examples, no drill-down."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from becalm.core import stats
from becalm.core.digits import percentage
from becalm.core.spreadsheets import csv_text
from becalm.report import disclosure, facts, labels, methods, page
from becalm.report.cohort import Cohort
from becalm.report.page_table import PageTable
from becalm.report.sections import landmark
from becalm.report.stays_by_status import StatusCount
from becalm.report.text import days, horizon_text, number, percent
from becalm.tables import ATTRITION

HIDDEN: Final = "suppressed"
PRINTED: Final = {
    "low95": "95 % interval, lower limit", "high95": "95 % interval, upper limit",
    "quartile1": "first quartile", "quartile3": "third quartile",
}  # fmt: skip
"""Heads of columns on the page, if they are not those of the CSV files."""
HORIZONS: Final = ("h24", "h48", "h72", "d7")


@dataclass(frozen=True)
class ReleaseSheet:
    """One aggregate table: printed on the page, and written as a CSV of its own."""

    name: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def csv(self) -> str:
        """Return the table as CSV; a suppressed cell says so."""
        return csv_text(self.head, self.rows)


def sheets(cohort: Cohort, threshold: int) -> list[ReleaseSheet]:
    """Return every aggregate of the release, small cells suppressed."""
    found = [
        _attrition(cohort, threshold),
        _patients(cohort, threshold),
        _criteria(cohort, threshold),
        _landmark(cohort, threshold),
        _items(cohort, threshold),
        _primary(cohort, threshold),
        _distributions(cohort, threshold),
        _safety(cohort, threshold),
        _outcome(cohort, threshold),
        _refused(cohort, threshold),
    ]
    return [sheet for sheet in found if sheet.rows]


def _attrition(cohort: Cohort, threshold: int) -> ReleaseSheet:
    steps = sorted(cohort.result.tables["attrition"].rows(), key=lambda row: row["step"])
    counted = [name for name, column in ATTRITION.columns.items() if column.counts_persons]
    shown = disclosure.flow([[row[name] for name in counted] for row in steps], threshold)
    rows = [
        [cohort.reason(row["reason"]), *(f"{row[name]}" if keep else HIDDEN for name in counted)]
        for row, keep in zip(steps, shown, strict=True)
    ]
    return ReleaseSheet(
        "attrition",
        "Persons and stays that remain after each step",
        ("step", *counted),
        rows,
    )


def _count(cell: disclosure.Cell, n: int, threshold: int) -> list[str]:
    """Return a count of `n` as count, n, percentage and exact interval; or suppressed throughout."""
    if cell is None:
        whole = HIDDEN if disclosure.small(n, threshold) else str(n)
        return [HIDDEN, whole, HIDDEN, HIDDEN, HIDDEN]
    limits = stats.proportion(cell, n)
    if limits is None:
        return [str(cell), str(n), "", "", ""]
    low, high = limits
    return [str(cell), str(n), percent(cell, n), percentage(low, 1), percentage(high, 1)]


_COUNTED: Final = ("count", "n", "percent", "low95", "high95")


def _partition(
    about: str, counts: Mapping[str, int], n: int, threshold: int, *unknown: str
) -> Iterable[list[str]]:
    """Return the rows of counts that add up to `n`.

    unknown : the names of those of whom it is not known: the others are counts of the known ones. With
    unknown ones suppressed, their number must not follow from how many are known.
    """
    if disclosure.small(n, threshold):
        yield [about, "all", *_count(None, n, threshold)]
        return
    cells = disclosure.partition(counts, threshold)
    known = n - sum(counts.get(name, 0) for name in unknown)
    hidden = any(cells.get(name, 0) is None for name in unknown)
    for name, cell in cells.items():
        row = _count(cell, n if name in unknown else known, threshold)
        if name not in unknown and hidden:
            row = [row[0], *[HIDDEN] * (len(row) - 1)]
        yield [about, name, *row]


def _single(about: str, what: str, events: int, n: int, threshold: int) -> list[str]:
    """Return the row of one yes-or-no count of `n`."""
    return [about, what, *_count(disclosure.proportion(events, n, threshold), n, threshold)]


def _open(
    about: str, counts: Mapping[str, int], n: int, threshold: int, *unknown: str
) -> Iterable[list[str]]:
    """Return the rows of a partition into names that the records brought; hidden names stay unsaid.

    Naming a disease beside a suppressed count would say that somebody of a handful has it.
    """
    rows = list(_partition(about, counts, n, threshold, *unknown))
    yield from (row for row in rows if row[2] != HIDDEN)
    if any(row[2] == HIDDEN for row in rows):
        yield [about, "all others", *_count(None, n, threshold)]


def _patients(cohort: Cohort, threshold: int) -> ReleaseSheet:
    n = cohort.n
    rows: list[list[str]] = []
    if n:
        sexes, storms = facts.sexes(cohort), facts.storms(cohort)
        rows += _partition(
            "sex",
            {k: sexes[k] for k in ("women", "men", "sex unknown")},
            n,
            threshold,
            "sex unknown",
        )
        words = ("definite", "possible", "not met", *facts.STORM_NOT_KNOWN)
        sure = {word: storms[word] for word in words}
        rows += _partition("storm", sure, n, threshold, *facts.STORM_NOT_KNOWN)
        rows += _open("background", _backgrounds(cohort), n, threshold)
        given = {labels.drug(d): len(p) for d, p in facts.given(cohort).items() if d != cohort.drug}
        told = [_single("given", drug, k, n, threshold) for drug, k in given.items()]
        rows += [row for row in told if row[2] != HIDDEN]
        if any(row[2] == HIDDEN for row in told):
            rows.append(["given", "any other immunotherapy", *_count(None, n, threshold)])
        if cohort.drug:
            rows += _open(
                f"first {labels.drug(cohort.drug)}", facts.routes(cohort), n, threshold, "unknown"
            )
    return ReleaseSheet("patients", "Patients", ("about", "value", *_COUNTED), rows)


def _backgrounds(cohort: Cohort) -> Counter[str]:
    """Count whole combinations of diseases, which add up to the cohort as a partition must."""
    return Counter(", ".join(facts.background(row)) for row in cohort.persons)


def _criteria(cohort: Cohort, threshold: int) -> ReleaseSheet:
    rows: list[list[str]] = []
    for name in cohort.result.protocol.definitions.report:
        counts = facts.statuses(cohort, name)
        given = {status: counts.get(status, 0) for status in ("met", "not met", "undetermined")}
        if counts:
            rows += _partition(
                cohort.definition_label(name), given, sum(given.values()), threshold, "undetermined"
            )
    return ReleaseSheet("criteria", f"Definitions {cohort.moment_text}",
                 ("definition", "status", *_COUNTED), rows)  # fmt: skip


def _landmark(cohort: Cohort, threshold: int) -> ReleaseSheet:
    """Return deaths in hospital by status of each definition.

    Statuses that `_criteria` does not tell apart are counted together, so that the one table does not
    give back what the other suppresses.
    """
    rule = cohort.result.protocol.landmark
    found: dict[str, list[StatusCount]] = {}
    for cell in landmark.status_counts(cohort) if rule else ():
        found.setdefault(cell.criterion, []).append(cell)
    rows: list[list[str]] = []
    for name, cells in found.items():
        told = disclosure.partition({cell.status: cell.n for cell in cells}, threshold)
        groups = [[cell] for cell in cells if told[cell.status]]
        if apart := [cell for cell in cells if told[cell.status] is None]:
            groups.append(apart)
        table = [
            [sum(c.died for c in g), sum(c.discharged + c.in_hospital for c in g), sum(c.unknown for c in g)]
            for g in groups
        ]  # fmt: skip
        for group, (died, alive, unknown) in zip(
            groups, disclosure.crossed(table, threshold), strict=True
        ):
            about = f"{cohort.definition_label(name)}: {' or '.join(cell.status for cell in group)}"
            n = sum(cell.n for cell in group)
            known = n - sum(cell.unknown for cell in group)
            for what, count in (
                ("died in hospital", died),
                ("discharged alive, or still in hospital", alive),
            ):
                # With unknown ends suppressed, their number must not follow from how many are known.
                row = _count(None if unknown is None else count, known, threshold)
                rows.append([about, what, *([HIDDEN] * len(row) if unknown is None else row)])
            if unknown != 0:
                rows.append([about, "unknown", *_count(unknown, n, threshold)])
    title = "Deaths in hospital by status of each definition at the landmark"
    if rule:
        title += f", {days(rule.horizon)} after admission"
    return ReleaseSheet("landmark", title, ("definition", "outcome of the stay", *_COUNTED), rows)


def _items(cohort: Cohort, threshold: int) -> ReleaseSheet:
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in cohort.items:
        if "." not in row["item"]:
            found.setdefault((row["criterion"], row["item"]), Counter())[row["state"]] += 1
    rows: list[list[str]] = []
    for (criterion, item), states in found.items():
        n = sum(states.values())
        given = {state: states.get(state, 0) for state in ("met", "not met", "not assessed")}
        about = f"{cohort.definition_label(criterion)}: {cohort.item_label(criterion, item)}"
        rows += _partition(about, given, n, threshold, "not assessed")
    return ReleaseSheet("items", "Items of the definitions", ("item", "state", *_COUNTED), rows)


def _primary(cohort: Cohort, threshold: int) -> ReleaseSheet:
    rows: list[list[str]] = []
    for clock in cohort.clocks:
        found = facts.primary(cohort, clock)
        counts = {
            facts.primary_answer(cohort, "responded"): len(found.yes),
            f"{facts.primary_answer(cohort, 'did not respond')}, or died before": len(found.no),
            "no sample, or discharged before": len(found.unknown),
        }
        n = sum(counts.values())
        if n:
            about = f"48 h from {cohort.clock_name(clock)}"
            rows += _partition(about, counts, n, threshold, "no sample, or discharged before")
    title = "Response at 48 h" if cohort.claim == "response" else "Course at 48 h"
    return ReleaseSheet(
        "primary", f"{title}: {facts.primary_words(cohort)}", ("clock", "result", *_COUNTED), rows
    )


def _distributions(cohort: Cohort, threshold: int) -> ReleaseSheet:
    """Medians and quartiles; none of fewer than ten values or twice the threshold, never a range."""
    found: dict[str, list[float]] = {
        "age, years (90 stands for above 89)": [
            float(min(row["age"], 90)) for row in cohort.persons
        ],
        "follow-up, days": [row["follow_up_days"] for row in cohort.outcome.values()],
    }
    for row in cohort.criteria:
        for end in ("low", "high"):
            about = f"{cohort.definition_label(row['criterion'])}, {'lowest' if end == 'low' else 'highest'} possible"
            found.setdefault(about, []).append(row[end])
    for row in cohort.response:
        for horizon in HORIZONS:
            if row["baseline"] > 0 and not row["censored"]:
                about = f"{labels.variable(row['variable'])}, {horizon_text(horizon)} ÷ baseline from {cohort.clock_label(row['clock'])}"
                found.setdefault(about, []).append(row[horizon] / row["baseline"])
    rows = []
    for about, given in found.items():
        known = [x for x in given if math.isfinite(x)]
        spread, middle = stats.quartiles(known), stats.summary(known)
        if spread and middle and len(known) >= 2 * threshold:
            rows.append([about, *[number(x) for x in (middle.median, *spread)], str(len(known))])
    return ReleaseSheet("distributions", "Medians and quartiles",
                 ("about", "median", "quartile1", "quartile3", "n"), rows)  # fmt: skip


def _safety(cohort: Cohort, threshold: int) -> ReleaseSheet:
    rows: list[list[str]] = []
    for shift in facts.shifts(cohort):
        counts = {
            "new": len(shift.new),
            "present before, worse": len(shift.worse),
            "present before, not worse": len(shift.prevalent),
        }
        counts["never"] = len(shift.never)
        n = shift.graded + shift.unknown
        counts["unknown before or after"] = n - sum(counts.values())
        if shift.graded:
            about = facts.event_title(shift.event)
            rows += _partition(about, counts, n, threshold, "unknown before or after")
    return ReleaseSheet("safety", "Safety: grade before time zero and worst grade after it",
                 ("event", "shift", *_COUNTED), rows)  # fmt: skip


def _outcome(cohort: Cohort, threshold: int) -> ReleaseSheet:
    """Return who died; with a landmark those by its horizon are told, and no difference to later ones."""
    if cohort.result.protocol.landmark:
        return ReleaseSheet("outcome", "Outcome", (), [])
    died, unknown = facts.deaths(cohort)
    counts = {
        "died": len(died),
        "alive at last contact": len(cohort.outcome) - len(died) - len(unknown),
        "unknown": len(unknown),
    }
    n = sum(counts.values())
    rows = list(_partition("outcome", counts, n, threshold, "unknown")) if n else []
    return ReleaseSheet("outcome", "Outcome", ("about", "value", *_COUNTED), rows)


def _refused(cohort: Cohort, threshold: int) -> ReleaseSheet:
    """Rows that were not used, by reason: no example, and no label that a record wrote."""
    found: Counter[str] = Counter()
    for row in cohort.result.tables["rows_refused"].rows():
        found[row["reason"]] += row["rows"]
    rows = [
        [reason, HIDDEN if disclosure.small(n, threshold) else str(n)]
        for reason, n in found.most_common()
    ]
    return ReleaseSheet("rows_refused", "Rows that were not used", ("reason", "rows"), rows)


def suppressed_share(given: Sequence[ReleaseSheet]) -> tuple[int, int]:
    """Return how many counts are suppressed, and how many there are."""
    cells = [row[min(2, len(row) - 1)] for sheet in given for row in sheet.rows]
    return cells.count(HIDDEN), len(cells)


def render(cohort: Cohort, given: Sequence[ReleaseSheet], threshold: int) -> str:
    """Return the release as one page."""
    result = cohort.result
    hidden, cells = suppressed_share(given)
    context: dict[str, Any] = {
        "style": page.style(),
        "title": result.info.title or result.protocol.title,
        "banners": page.banners(cohort),
        "result": result,
        "cohort": cohort,
        "threshold": threshold,
        "default": disclosure.THRESHOLD,
        "hidden": hidden,
        "cells": cells,
        "size": "" if disclosure.small(cohort.n, threshold) else f"{cohort.n}",
        "tables": [
            PageTable(
                [PRINTED.get(name, name) for name in sheet.head], sheet.rows, caption=sheet.title
            )
            for sheet in given
        ],
        "methods": methods.methods(cohort),
        "references": methods.references(cohort),
        "no_test": "No p-value is given."
        if disclosure.small(cohort.n, threshold)
        else methods.why_no_test(cohort.n),
    }
    return page.environment().get_template("release.html.j2").render(context)
