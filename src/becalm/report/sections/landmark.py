"""Deaths in hospital after the landmark, by the status of each definition at the landmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from becalm.core.digits import fixed, percentage
from becalm.report import stays_by_status
from becalm.report.cells import marked
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.stays_by_status import StatusCount
from becalm.report.text import UNKNOWN, days, interval, spaced
from becalm.report.theme import Figure

HEAD: Final = ("patient", "possible totals", "outcome", "day from the landmark")


def ends(cohort: Cohort) -> dict[str, stays_by_status.Ended]:
    """Return how each patient's admission stood at the horizon."""
    rule = cohort.result.protocol.landmark
    assert rule is not None
    tables = cohort.result.tables
    return stays_by_status.ended(
        cohort.keep(tables["persons"]), cohort.keep(tables["outcome"]), rule
    )


def status_counts(cohort: Cohort) -> list[StatusCount]:
    """Return how those of each status by each definition had ended."""
    names = cohort.result.protocol.definitions.report
    return stays_by_status.cells(cohort.keep(cohort.result.tables["criteria"]), ends(cohort), names)


def verified_definitions(cohort: Cohort) -> dict[str, bool]:
    """Return of each definition whether all that it rests on was checked against its source."""
    found: dict[str, bool] = {}
    for row in cohort.criteria:
        found[row["criterion"]] = found.get(row["criterion"], True) and bool(row["verified"])
    return found


def known_ends(cohort: Cohort) -> list[tuple[StatusCount, list[tuple[Any, ...]]]]:
    """Return every cell with a line (`HEAD`) for each of those whose end is known."""
    return [
        (cell, [line for line in lines.values() if line[2] != "unknown"])
        for cell, lines in _with_patients(cohort)
    ]


def _with_patients(cohort: Cohort) -> Iterator[tuple[StatusCount, dict[str, tuple[Any, ...]]]]:
    """Yield every cell with a line for each patient in it, by patient."""
    names = cohort.result.protocol.definitions.report
    people = stays_by_status.members(
        cohort.keep(cohort.result.tables["criteria"]), ends(cohort), names
    )
    totals = {(row["criterion"], row["person_id"]): row for row in cohort.criteria}
    for cell in status_counts(cohort):
        mine = people[cell.criterion, cell.status]
        yield (
            cell,
            {who: _line(cohort, totals[cell.criterion, who], mine[who]) for who in sorted(mine)},
        )


def death_table(cohort: Cohort, drill: Drill) -> PageTable | None:
    """Return deaths by status of each definition; None where the protocol has no landmark.

    Every number opens whom it counts.
    """
    rule = cohort.result.protocol.landmark
    if rule is None:
        return None
    checked = verified_definitions(cohort)
    rows: list[list[Any]] = []
    for cell, lines in _with_patients(cohort):
        everybody = list(lines.values())
        counts = [drill.people(str(cell.n), HEAD, everybody)]
        for end in stays_by_status.ENDS:
            mine = [line for line in everybody if line[2] == end]
            counts.append(drill.people(str(len(mine)), HEAD, mine))
        known = [line for line in everybody if line[2] != "unknown"]
        name = marked(
            cohort.definition_label(cell.criterion), verified=checked.get(cell.criterion, True)
        )
        rows.append(
            [name if cell.status == stays_by_status.STATUSES[0] else "", cell.status, *counts,
             drill.people(risk(cell), HEAD, known)]
        )  # fmt: skip
    head = ["Definition", f"at {spaced(rule.after)}", "patients", "died in hospital", "discharged alive",
            "still in hospital", "unknown", "died, of known outcomes (exact 95 % interval)"]  # fmt: skip
    return PageTable(head, rows, kind="grouped")


def risk(cell: StatusCount) -> str:
    """Return the risk with its interval; unknown where the end of nobody is known."""
    if cell.risk is None or cell.interval is None:
        return UNKNOWN
    low, high = map(percentage, cell.interval)
    return f"{percentage(cell.risk)} % ({low} to {high})"


def _line(cohort: Cohort, total: Row, end: str) -> tuple[Any, ...]:
    who = total["person_id"]
    last = cohort.outcome[who]
    at = last["discharged"] if end == "discharged" else last["last_contact"]
    day = cohort.hours(who, at) / 24
    shown = "" if end in {"in hospital", "unknown"} else fixed(day, 1)
    return who, interval(total["low"], total["high"]), end, shown


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return hospital deaths by the status of each definition at the landmark."""
    rule, table = cohort.result.protocol.landmark, death_table(cohort, drill)
    if rule is None or table is None:
        return None
    after, horizon = spaced(rule.after), days(rule.horizon)
    return Section(
        "Deaths in hospital by definition",
        [f"The {cohort.n} patients were alive and in hospital {after} after admission (the landmark). The status of "
         f"each definition uses the tests drawn until then. The outcome is that of the stay {horizon} after admission.",
         "Discharge alive competes with death in hospital: a patient who went home did not die in hospital. "
         "Undetermined does not mean \"not met\": too few tests were done to decide. The table describes; it does "
         "not say that a definition causes death."],
        figures_named(figures, "landmark"), [captioned(table, f"Outcome of the stay {horizon} after admission")], [],
    )  # fmt: skip


SECTION: Final = DeclaredSection("landmark", 20, section)
