"""Rows entered and cells corrected in the page: `NAME.becalm/corrections.csv`, read above the sheets of a chart review.

Nothing rewrites a workbook or a sheet. One row of the file is one act of one person: a cell that was changed, a row that is
left out, or a new row, with all its cells in one text. It says what the cell held before, so that a sheet that was changed
meanwhile is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from becalm.core.errors import RecordsError, did_you_mean, place
from becalm.core.files import exists
from becalm.records.review.folder import added_rows, review_folder
from becalm.records.sheets.cells import Sheet, make_sheet
from becalm.records.sheets.schema import SHEETS

FILE: Final = "corrections.csv"
HEADER: Final = (
    "time", "who", "sheet", "row", "person_id", "column", "was", "value", "reason",
)  # fmt: skip
ADDED: Final = "+"
"""Before the number of a row that was entered in the page: `+5` is the one of row 5 of the file."""
BEYOND: Final = 1_000_000
"""Added to the numbers of persons who were entered in the page, so that no row of the sheet has them."""


@dataclass(frozen=True)
class Correction:
    """One row of the file. at : its number. row : of the sheet, `+5` for one that was entered, '' for a new one."""

    at: int
    time: str
    who: str
    sheet: str
    row: str
    person_id: str
    column: str
    was: str
    value: str
    reason: str


@dataclass
class CorrectedChart:
    """The sheets of a chart review with what was corrected. sheets : the parts of each, by name."""

    file: str
    sheets: dict[str, list[Sheet]]
    corrections: Sequence[Correction] = ()
    wrong: list[RecordsError] = field(default_factory=list)
    torn: bool = False

    def notices(self) -> Iterator[str]:
        """Yield what a report must say of it."""
        if self.corrections:
            people = ", ".join(dict.fromkeys(each.who for each in self.corrections))
            yield f"{self.file}: {len(self.corrections)} corrections and entries by {people} are read with the sheets"
        if self.torn:
            yield f"{self.file}: the last row was not finished when a program was stopped, and is not read"


def corrections_file(records: str | Path) -> Path | None:
    """Return the file of corrections beside records, None where there is none."""
    folder = review_folder(records)
    return None if folder is None or not exists(folder / FILE) else folder / FILE


def corrected(sheets: Mapping[str, Sheet], file: Path | None) -> CorrectedChart:
    """Return sheets with the corrections of a file; without a file as they are."""
    if file is None:
        return CorrectedChart("", {name: [sheet] for name, sheet in sheets.items()})
    where = f"{file.parent.name}/{file.name}"
    header, rows, torn = added_rows(file)
    if tuple(header) != HEADER:
        wrong = RecordsError(
            "has other columns than the page writes",
            where=where,
            hint=f"Row 1 must be {','.join(HEADER)}",
        )
        return CorrectedChart(where, {n: [s] for n, s in sheets.items()}, wrong=[wrong])
    found = [
        Correction(number, *row)
        for number, row in enumerate(rows, start=2)
        if len(row) == len(HEADER)
    ]
    broken = [number for number, row in enumerate(rows, start=2) if row and len(row) != len(HEADER)]
    work = _Work(where, dict(sheets))
    for number in broken:
        work.mistake(number, None, "not as many cells as row 1", "Mend the row or remove it")
    for each in found:
        work.apply(each)
    return CorrectedChart(where, work.parts(), found, work.wrong, bool(torn))


@dataclass
class _Work:
    """Sheets while corrections are applied to them, one after the other."""

    where: str
    sheets: dict[str, Sheet]
    wrong: list[RecordsError] = field(default_factory=list)
    added: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)
    left_out: set[tuple[str, str]] = field(default_factory=set)

    def mistake(self, at: int, column: str | None, what: str, hint: str) -> None:
        self.wrong.append(RecordsError(what, where=place(self.where, at, column), hint=hint))

    def apply(self, each: Correction) -> None:
        """Apply one correction, or note what is wrong with it."""
        schema = SHEETS.get(each.sheet)
        if schema is None:
            hint = did_you_mean(each.sheet, SHEETS)
            self.mistake(each.at, "sheet", f"no sheet is called {each.sheet!r}", hint)
        elif not each.row:
            self._add(each)
        elif each.column and each.column not in schema.columns:
            hint = did_you_mean(each.column, schema.columns)
            self.mistake(each.at, "column", f"{each.sheet} has no column {each.column!r}", hint)
        else:
            self._change(each)

    def _add(self, each: Correction) -> None:
        try:
            cells = msgspec.json.decode(each.value, type=dict[str, str])
        except (msgspec.ValidationError, msgspec.DecodeError):
            self.mistake(
                each.at, "value", "the cells of a new row cannot be read", "Remove the row"
            )
            return
        unknown = set(cells) - set(SHEETS[each.sheet].columns)
        if unknown:
            what = f"{each.sheet} has no column {min(unknown)!r}"
            self.mistake(each.at, "value", what, "Remove the row")
            return
        self.added.setdefault(each.sheet, {})[each.at] = cells

    def _change(self, each: Correction) -> None:
        now = self.cells(each.sheet, each.row)
        if now is None or (each.sheet, each.row) in self.left_out:
            self.mistake(
                each.at,
                "row",
                f"{each.sheet} has no row {each.row}",
                "The sheet was changed: correct it again",
            )
        elif _plain(now.get("person_id", "")) != _plain(each.person_id):
            what = (
                f"row {each.row} of {each.sheet} is about another person than when it was corrected"
            )
            self.mistake(each.at, "row", what, "Rows were moved in the sheet: correct it again")
        elif not each.column:
            self.left_out.add((each.sheet, each.row))
        elif _plain(now.get(each.column, "")) != _plain(each.was):
            what = (
                f"{each.column} of row {each.row} of {each.sheet} was {each.was!r} when it was corrected, and is "
                f"{now.get(each.column, '')!r}"
            )
            self.mistake(
                each.at, "was", what, "Remove this row of the file, or undo the change in the sheet"
            )
        else:
            self._set(each)

    def cells(self, sheet: str, row: str) -> dict[str, str] | None:
        """Return the cells of a row as they are now; None where it is not there."""
        if row.startswith(ADDED):
            number = int(row[1:]) if row[1:].isdecimal() else -1
            return self.added.get(sheet, {}).get(number)
        at = self._position(sheet, row)
        if at is None:
            return None
        return {name: texts[at] for name, texts in self.sheets[sheet].columns.items()}

    def _position(self, sheet: str, row: str) -> int | None:
        found = self.sheets.get(sheet)
        if found is None or not row.isdecimal() or int(row) not in found.rows:
            return None
        return found.rows.index(int(row))

    def _set(self, each: Correction) -> None:
        if each.row.startswith(ADDED):
            self.added[each.sheet][int(each.row[1:])][each.column] = each.value
            return
        sheet, at = self.sheets[each.sheet], self._position(each.sheet, each.row)
        assert at is not None
        texts = list(sheet.texts(each.column))
        texts[at] = each.value
        self.sheets[each.sheet] = replace(sheet, columns={**sheet.columns, each.column: texts})

    def parts(self) -> dict[str, list[Sheet]]:
        """Return every sheet without the rows that are left out, and what was entered."""
        found: dict[str, list[Sheet]] = {}
        for name in SHEETS:
            new = {
                at: cells
                for at, cells in self.added.get(name, {}).items()
                if (name, f"{ADDED}{at}") not in self.left_out
            }
            old = self.sheets.get(name)
            if old is not None:
                found[name] = [self._kept(name, old)]
            if new and name == "persons" and old is not None:
                found[name] = [_longer(found[name][0], new)]
            elif new:
                found.setdefault(name, []).append(self._entered(name, new))
        return found

    def _kept(self, name: str, sheet: Sheet) -> Sheet:
        out = {int(row) for of, row in self.left_out if of == name and row.isdecimal()}
        if not out:
            return sheet
        keep = [i for i, row in enumerate(sheet.rows) if row not in out]
        columns = {each: [texts[i] for i in keep] for each, texts in sheet.columns.items()}
        return replace(sheet, columns=columns, rows=[sheet.rows[i] for i in keep])

    def _entered(self, name: str, new: Mapping[int, Mapping[str, str]]) -> Sheet:
        header = list(SHEETS[name].columns)
        rows = [[cells.get(column, "") for column in header] for cells in new.values()]
        sheet = make_sheet(name, self.where, header, rows)
        return replace(sheet, rows=list(new), label="" if name == "persons" else FILE)


def _plain(text: str) -> str:
    """Return a text without the difference that a line of the file cannot keep: how wide a blank is."""
    return " ".join(text.split())


def _longer(sheet: Sheet, new: Mapping[int, Mapping[str, str]]) -> Sheet:
    """Return a sheet with further rows of its own."""
    names = dict.fromkeys([*sheet.columns, *(name for cells in new.values() for name in cells)])
    columns = {
        name: [*sheet.texts(name), *(cells.get(name, "") for cells in new.values())]
        for name in names
    }
    return replace(sheet, columns=columns, rows=[*sheet.rows, *(BEYOND + at for at in new)])
