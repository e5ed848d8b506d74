"""Deaths in hospital after the landmark, by what each definition said at it."""

from __future__ import annotations

import re

from becalm import landmark
from becalm.report.cohort import Cohort
from becalm.report.tables import Table
from becalm.report.text import UNKNOWN, label


def spaced(length: str) -> str:
    """Return a length of time as print has it: `24h` -> `24 h`."""
    return re.sub(r"(?<=\d)(?=[a-z])", " ", length)


def deaths(cohort: Cohort) -> Table | None:
    """Return deaths by status of each definition; None where the protocol has no landmark."""
    result = cohort.result
    rule = result.protocol.landmark
    if rule is None:
        return None
    persons = cohort.keep(result.tables["persons"])
    ends = landmark.ended(persons, cohort.keep(result.tables["outcome"]), rule)
    names = result.protocol.definitions.report
    rows = []
    for cell in landmark.cells(cohort.keep(result.tables["criteria"]), ends, names):
        risk = UNKNOWN
        if cell.risk is not None and cell.interval is not None:
            low, high = (f"{100 * end:.0f}" for end in cell.interval)
            risk = f"{100 * cell.risk:.0f} % ({low} to {high})"
        rows.append(
            [label(cell.criterion), cell.status, cell.n, cell.died, cell.discharged,
             cell.in_hospital, cell.unknown, risk]
        )  # fmt: skip
    head = ["Definition", f"at {spaced(rule.after)}", "patients", "died in hospital", "discharged alive",
            "still in hospital", "not known", "died, of those known (exact 95 % interval)"]  # fmt: skip
    return Table(head, rows)
