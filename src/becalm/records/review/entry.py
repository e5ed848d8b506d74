"""Entering and correcting the rows of a chart review in the page, with the checks of the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from becalm.core.errors import OutputError, RecordsError, UsageError
from becalm.core.files import exists
from becalm.records.model import Records
from becalm.records.review.corrections import (
    ADDED,
    BEYOND,
    FILE,
    HEADER,
    CorrectedChart,
    corrected,
    corrections_file,
)
from becalm.records.review.folder import AddedRows, review_folder
from becalm.records.review.log import add_rows, now
from becalm.records.sheets.build import build
from becalm.records.sheets.cells import Sheet, make_sheet
from becalm.records.sheets.schema import SHEETS, SheetColumn
from becalm.records.sheets.source import raw_sheets, study_texts

NOT_HERE: Final = ("judgements",)
"""Sheets that have a place of their own in the page."""
ENTERED: Final = "entered here"
"""The table that a row is of while it is checked."""


@dataclass(frozen=True)
class SheetRow:
    """One row of a sheet as text. row : its number, `+5` for one that was entered in the page."""

    row: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class RowChange:
    """The cells of a row as somebody saw them, and as they shall be."""

    row: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True)
class Checks:
    """What is wrong with a row, so that it cannot be saved, and what would not be used of it.

    records : of the row, in the table `ENTERED`, among all persons; None where it is wrong.
    """

    wrong: tuple[str, ...]
    notes: tuple[str, ...] = ()
    records: Records | None = None


class SheetDesk:
    """The sheets of a chart review while people work on them. records : the folder or the workbook."""

    def __init__(self, records: str | Path) -> None:
        folder = review_folder(records)
        assert folder is not None
        self.records, self.folder = Path(records), folder

    @property
    def file(self) -> Path:
        """The file that corrections are added to."""
        return self.folder / FILE

    def columns(self, sheet: str) -> Mapping[str, SheetColumn]:
        """Return the columns of a sheet.

        Raises `UsageError` where no sheet has that name.
        """
        if sheet not in self.names():
            raise UsageError("no sheet has this name")
        return SHEETS[sheet].columns

    @staticmethod
    def names() -> list[str]:
        """Return the sheets that can be entered here."""
        return [name for name in SHEETS if name not in NOT_HERE]

    def chart(self) -> CorrectedChart:
        """Return the sheets as they are now, with what anybody corrected."""
        return corrected(raw_sheets(self.records), corrections_file(self.records))

    def rows(self, sheet: str, person_id: str) -> list[SheetRow]:
        """Return a person's rows of a sheet."""
        self.columns(sheet)
        return [
            row for row in _all_rows(self.chart(), sheet) if row.cells["person_id"] == person_id
        ]

    def everything(self, sheet: str) -> list[SheetRow]:
        """Return every row of a sheet as it is now."""
        return _all_rows(self.chart(), sheet)

    def check(self, sheet: str, cells: Mapping[str, str]) -> Checks:
        """Return what the command would say of a row."""
        return self._checks(self.chart(), sheet, self._whole(sheet, cells))

    def _whole(self, sheet: str, cells: Mapping[str, str]) -> dict[str, str]:
        columns = self.columns(sheet)
        if unknown := set(cells) - set(columns):
            raise UsageError(f"the sheet {sheet} has no column {min(unknown)!r}")
        return {name: " ".join(cells.get(name, "").split()) for name in columns}

    def _checks(self, chart: CorrectedChart, sheet: str, cells: Mapping[str, str]) -> Checks:
        if not any(text for name, text in cells.items() if name != "person_id"):
            return Checks(("the row is empty",))
        header = list(cells)
        try:
            one = make_sheet(sheet, "the row", header, [[cells[name] for name in header]])
            one = replace(one, label=ENTERED)
            needed = () if sheet == "persons" else ("persons", "stays")
            around: dict[str, Sequence[Sheet]] = {
                name: chart.sheets[name] for name in needed if name in chart.sheets
            }
            built = build({**around, sheet: [one]})
        except RecordsError as error:
            lines = [f"{each.where}: {each.what}. {each.hint or ''}" for each in error.each()]
            return Checks(tuple(line.replace("the row, row 2, ", "").strip() for line in lines))
        told = [
            f"{each.variable}: {each.reason}" if each.variable else each.reason
            for each in built.refused
            if each.source_table == ENTERED
        ]
        if sheet == "persons":
            told = [f"{each.variable}: {each.reason}" for each in built.refused]
        return Checks((), tuple(told), built.records)

    def enter(self, sheet: str, cells: Mapping[str, str], who: str, reason: str = "") -> str:
        """Add a new row and return its number; it is on the disk when this returns.

        Raises `UsageError` with what is wrong with it, and then nothing is saved.
        """
        whole = self._whole(sheet, cells)

        def check(_: AddedRows) -> None:
            chart = self.chart()
            _stop(self._checks(chart, sheet, whole))
            if sheet == "persons" and any(
                row.cells["person_id"] == whole["person_id"] for row in _all_rows(chart, sheet)
            ):
                raise UsageError(f"the person {whole['person_id']!r} is there already")

        kept = {name: text for name, text in whole.items() if text}
        value = msgspec.json.encode(kept).decode()
        row = [now(), _name(who), sheet, "", whole["person_id"], "", "", value, reason]
        (number,) = add_rows(self.file, HEADER, [row], check=check)
        return f"{ADDED}{number}"

    def correct(self, sheet: str, change: RowChange, who: str, reason: str = "") -> int:
        """Save the cells of a row that were changed, and return how many; they are on the disk when this returns.

        If somebody changed the row meanwhile, nothing is saved: `UsageError`.
        """
        row = change.row
        whole, seen = self._whole(sheet, change.after), self._whole(sheet, change.before)
        changed = [name for name in whole if whole[name] != seen[name]]
        if "person_id" in changed:
            raise UsageError(
                "a row cannot be given to another person", hint="Leave it out, and enter a new one"
            )

        def check(_: AddedRows) -> None:
            chart = self.chart()
            self._require(chart, sheet, row, seen)
            _stop(self._checks(chart, sheet, whole))

        if not changed:
            return 0
        raw = self._raw(self.chart(), sheet, row)
        who_, when = _name(who), now()
        rows = [
            [
                when,
                who_,
                sheet,
                row,
                whole["person_id"],
                name,
                raw.get(name, ""),
                whole[name],
                reason,
            ]
            for name in changed
        ]
        return len(add_rows(self.file, HEADER, rows, check=check))

    def leave_out(self, sheet: str, seen_row: SheetRow, who: str, reason: str) -> None:
        """Save that a row does not count; it stays where it is."""
        if not reason.strip():
            raise UsageError("write why the row does not count")
        seen = self._whole(sheet, seen_row.cells)

        def check(_: AddedRows) -> None:
            self._require(self.chart(), sheet, seen_row.row, seen)

        line = [now(), _name(who), sheet, seen_row.row, seen["person_id"], "", "", "", reason]
        add_rows(self.file, HEADER, [line], check=check)

    def _raw(self, chart: CorrectedChart, sheet: str, row: str) -> Mapping[str, str]:
        return next((each.cells for each in _all_rows(chart, sheet) if each.row == row), {})

    def _require(
        self, chart: CorrectedChart, sheet: str, row: str, seen: Mapping[str, str]
    ) -> None:
        cells = self._raw(chart, sheet, row)
        if not cells or self._whole(sheet, cells) != seen:
            raise UsageError(
                "somebody changed this row meanwhile; nothing was saved", hint="Open it again"
            )

    def save_as(self, file: Path, answers: Sequence[Sequence[str]]) -> Path:
        """Write a new workbook with the sheets as they are now, corrections and answers included.

        answers : rows of the sheet `judgements` that hold. Cells are texts, so that they are read as they stand here.

        Raises `OutputError` where a file of that name is there already.
        """
        import xlsxwriter  # type: ignore[import-untyped]

        if exists(file):
            raise OutputError("is there already", where=file.name, hint="Choose another name")
        chart = self.chart()
        if chart.wrong:
            raise RecordsError.of(chart.wrong)
        try:
            with xlsxwriter.Workbook(
                str(file), {"strings_to_formulas": False, "strings_to_urls": False}
            ) as book:
                _write_tab(book, "study", [("key", "value"), *study_texts(self.records).items()])
                for name, schema in SHEETS.items():
                    header = list(schema.columns)
                    rows = [
                        [row.cells.get(c, "") for c in header] for row in _all_rows(chart, name)
                    ]
                    if name == "judgements":
                        rows = [list(row) for row in answers]
                    _write_tab(book, name, [header, *rows])
        except OSError as error:
            raise OutputError(
                f"cannot be written ({error.strerror or error})", where=file.name
            ) from error
        return file


def _write_tab(book: object, name: str, rows: Sequence[Sequence[str]]) -> None:
    tab = book.add_worksheet(name)  # type: ignore[attr-defined]
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            if text:
                tab.write_string(i, j, text)


def _all_rows(chart: CorrectedChart, sheet: str) -> list[SheetRow]:
    """Return every row of a sheet as it is now."""
    found = []
    for part in chart.sheets.get(sheet, ()):
        for at, number in enumerate(part.rows):
            cells = {name: texts[at] for name, texts in part.columns.items()}
            found.append(SheetRow(_number(part, number), {"person_id": "", **cells}))
    return found


def _number(part: Sheet, number: int) -> str:
    if part.label == FILE:
        return f"{ADDED}{number}"
    return f"{ADDED}{number - BEYOND}" if number > BEYOND else str(number)


def _stop(checks: Checks) -> None:
    if checks.wrong:
        raise UsageError("; ".join(checks.wrong))


def _name(who: str) -> str:
    if not who.strip():
        raise UsageError("whoever writes has no name", hint="Write your name or initials")
    return who.strip()
