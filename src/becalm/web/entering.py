"""The calls of the page that enter and correct rows of a chart review."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import jinja2
import msgspec

from becalm.core.errors import UsageError
from becalm.patients.understood import Patients
from becalm.records.review.entry import ENTERED, Checks, RowChange, SheetDesk, SheetRow
from becalm.web.workbench import Workbench

SHOWN: Final = 9
"""Columns of a sheet that the list of rows shows."""


class RowsCall(msgspec.Struct, forbid_unknown_fields=True):
    """The rows of a patient in a sheet. row : the one that is edited, '' for a new one."""

    reviewer: str
    sheet: str = "labs"
    person_id: str = ""
    row: str = ""


class RowCall(msgspec.Struct, forbid_unknown_fields=True):
    """A row as it shall be. row : '' for a new one. before : the cells as they were shown."""

    reviewer: str
    sheet: str
    row: str
    before: dict[str, str]
    after: dict[str, str]
    reason: str = ""
    only_check: bool = False
    leave_out: bool = False


class ShowCall(msgspec.Struct, forbid_unknown_fields=True):
    """A sheet of a patient that is to be shown although it tells what the protocol hides."""

    reviewer: str
    sheet: str
    person_id: str


class SaveAsCall(msgspec.Struct, forbid_unknown_fields=True):
    """The name of a new workbook."""

    reviewer: str
    name: str


def told_by(sheet: str) -> frozenset[str]:
    """Return what the rows of a sheet tell of a patient: any row may be later than what is shown of the outcome.

    >>> sorted(told_by("doses"))
    ['outcome', 'treatment']
    """
    return frozenset({"outcome", "treatment"} if sheet == "doses" else {"outcome"})


@dataclass
class EntryDesk:
    """Answers the calls about sheets. desk : None where the records are no sheets."""

    bench: Workbench
    templates: jinja2.Environment

    @property
    def desk(self) -> SheetDesk:
        """The sheets; raises `UsageError` where the records are of another kind."""
        if self.bench.sheets is None:
            raise UsageError(
                "only chart-review sheets and workbooks can be corrected here",
                where=self.bench.name,
            )
        return self.bench.sheets

    def rows(self, call: RowsCall) -> dict[str, Any]:
        """Return the rows of a patient, and a form for one of them or a new one.

        What the protocol hides from those who judge is not sent before somebody asked for it by `show`.
        """
        desk = self.desk
        columns = desk.columns(call.sheet)
        person = call.person_id.strip()
        hidden = (
            self.bench.still_hidden(told_by(call.sheet), call.reviewer, person)
            if person
            else frozenset()
        )
        rows = [] if hidden else desk.rows(call.sheet, person)
        editing = next((row for row in rows if row.row == call.row), None)
        used = [name for name in columns if any(row.cells.get(name) for row in rows)]
        html = self.templates.get_template("entry.html.j2").render(
            sheet=call.sheet, names=desk.names(), person_id=call.person_id.strip(), file=desk.file,
            people=[each.person_id for each in self.bench.people][:2000], columns=columns, rows=rows,
            editing=editing, shown=[name for name in used if name != "person_id"][:SHOWN], hidden=sorted(hidden),
        )  # fmt: skip
        return {"html": html}

    def show(self, call: ShowCall) -> dict[str, Any]:
        """Write down that somebody is shown a sheet of a patient that tells what the protocol hides."""
        self.desk.columns(call.sheet)
        self.bench.show(told_by(call.sheet), call.reviewer, call.person_id.strip())
        return {}

    def row(self, call: RowCall) -> dict[str, Any]:
        """Check a row or save it; it is on the disk when this returns."""
        if call.only_check:
            checks = self.desk.check(call.sheet, call.after)
            return {
                "wrong": checks.wrong,
                "notes": [*checks.notes, *self._not_used(call.sheet, checks)],
            }
        return {"told": self._saved(call)}

    def _not_used(self, sheet: str, checks: Checks) -> list[str]:
        """Return what a study would not use of a row, or not understand in it."""
        if checks.records is None:
            return []
        patients = Patients.of(checks.records, self.bench.vocabulary)
        tables = {ENTERED, sheet}
        refused = [
            f"{each.variable or 'the row'}: {each.reason}"
            for each in patients.refused
            if each.source_table in tables
        ]
        names = [
            f"nobody knows the {row['kind']} {row['label']!r}"
            for row in patients.unrecognised.rows()
            if str(row["source_row"]).partition(":")[0] in tables
        ]
        return [*refused, *names]

    def _saved(self, call: RowCall) -> str:
        if call.leave_out:
            seen = SheetRow(call.row, call.before)
            self.desk.leave_out(call.sheet, seen, call.reviewer, call.reason)
            return f"Saved: row {call.row} does not count"
        if not call.row:
            row = self.desk.enter(call.sheet, call.after, call.reviewer, call.reason)
            return f"Saved: {call.sheet}, row {row}"
        change = RowChange(call.row, call.before, call.after)
        n = self.desk.correct(call.sheet, change, call.reviewer, call.reason)
        return f"Saved: {n} cells of row {call.row}" if n else "Nothing was changed"

    def save_as(self, call: SaveAsCall) -> dict[str, Any]:
        """Write a new workbook beside the records."""
        name = call.name.strip()
        if PurePath(name).name != name or name.startswith(".") or "\\" in name:
            raise UsageError("write a name alone, without a folder")
        name = name if name.lower().endswith(".xlsx") else f"{name}.xlsx"
        folder = self.desk.folder.parent
        saved = self.desk.save_as(folder / name, self._answers())
        return {"told": f"Saved: {saved.name}"}

    def _answers(self) -> list[list[str]]:
        return [
            [each.person, each.reviewer, each.question, each.answer, each.confidence, each.written, each.comment]
            for each in self.bench.book.holding()
        ]  # fmt: skip
