"""Read an XLSX workbook as text: calamine for the cells, its XML for what calamine hides."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree

from becalm.core.errors import RecordsError, UnreadableFileError
from becalm.core.files import LARGEST_PART, open_file, too_large
from becalm.records.sheets.cells import Cell, Sheet, TypedNumber, make_sheet, misspelt_sheet
from becalm.records.sheets.number_formats import NumberFormats, elements
from becalm.records.sheets.open_elsewhere import CLOSE_IT, kept_beside
from becalm.records.sheets.schema import SHEETS

_OLE: Final = b"\xd0\xcf\x11\xe0"
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v[^>/]*>([^<]+)<")
_SAVE_AGAIN: Final = "Open it in Excel or LibreOffice and save it as .xlsx again"
_ROW: Final = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
_FAR_CELL: Final = re.compile(rb'\br="([A-Z]{2,3}\d+)"')
_REFERENCE: Final = re.compile(rb'\br="([A-Z]+\d+)"')
_CONTENT: Final = re.compile(rb"<(?:\w+:)?(?:v|is)\b")
_BLOCK: Final = 1 << 20
_FEW_CELLS: Final = 1 << 22
_MOST_CELLS: Final = 1 << 24
_MOST_BLANK_ROWS: Final = 1 << 14
_MOST_BLANK_COLUMNS: Final = 1 << 10
"""Blank rows or columns beside each other; a cell behind more of them belongs to no table."""
STUDY: Final = "study"
MIDNIGHT: Final = "T00:00:00"
"""Behind the date of a cell that may be a date or its midnight: the cell's column decides."""

Odd = dict[tuple[int, int], str]


class Workbook(NamedTuple):
    """What a workbook holds.

    sheets : those with a header that can be understood. study : keys and values of the sheet `study`.
    tabs : the names of all sheets. wrong : the mistakes in names of tabs and in headers. notices : what the
    user should know of how cells were read.
    """

    sheets: dict[str, Sheet]
    study: dict[str, str]
    tabs: tuple[str, ...]
    wrong: list[RecordsError]
    notices: list[str]


def read_workbook(path: Path) -> Workbook:
    """Read every sheet of a workbook.

    Raises `UnreadableFileError` for what is not a whole XLSX file.
    """
    sheets: dict[str, Sheet] = {}
    study: dict[str, str] = {}
    notices: list[str] = []
    with _opened(path) as book:
        tabs, wrong = _tabs(path.name, book.tabs)
        for name, tab in tabs.items():
            cells, broken, hidden = book.cells(tab)
            if name == STUDY:
                study = {str(row[0]): str(row[1]) for row in cells if len(row) > 1 and row[0]}
                continue
            names, *rows = cells or [[]]
            header = [str(title) for title in names]
            at = [(row + 1, column, what) for (row, column), what in broken.items()]
            try:
                title = f"{path.name}, sheet {tab}"
                sheets[name] = make_sheet(name, title, header, rows, broken=at)
                notices += _hidden_clocks(sheets[name], header, hidden)
            except RecordsError as error:
                wrong.append(error)
    return Workbook(sheets, study, tuple(tabs), wrong, notices)


def _hidden_clocks(sheet: Sheet, header: list[str], hidden: Mapping[int, int]) -> Iterator[str]:
    """Yield a notice for each column of times in which cells hold a time of day that they do not show."""
    for position, cells in sorted(hidden.items()):
        title = header[position].strip()
        if title.casefold() in SHEETS[sheet.name].times():
            yield (
                f"{sheet.file}, column {title}: {cells} cells show a date and hold a time of day, which is used. "
                "Where the hour is not known, write the date alone"
            )


def tab_names(path: Path) -> list[str]:
    """Return the names of all sheets of a workbook."""
    with _opened(path) as book:
        return book.tabs


def tab_rows(path: Path, tab: str = "") -> tuple[str, list[str], list[list[Cell]], Odd]:
    """Return the name of a sheet (by default the first), its header, its rows, and its broken cells.

    Broken cells are found by row, as a spreadsheet counts them, and position.
    """
    with _opened(path) as book:
        tab = tab or book.tabs[0]
        cells, broken, _ = book.cells(tab)
    names, *rows = cells or [[]]
    header = [str(title) for title in names]
    return tab, header, rows, {(row + 1, column): what for (row, column), what in broken.items()}


class _Cells(NamedTuple):
    """The cells of a sheet. broken : what is wrong with some. hidden : how many of a column do not show their clock."""

    rows: list[list[Cell]]
    broken: Odd
    hidden: Mapping[int, int]


class _Book(NamedTuple):
    """An open workbook."""

    file: str
    parts: zipfile.ZipFile
    book: Any
    xml_of: Mapping[str, str]
    formats: NumberFormats

    @property
    def tabs(self) -> list[str]:
        """The names of all sheets."""
        return list(self.book.sheet_names)

    def cells(self, tab: str) -> _Cells:
        """Return the cells of a sheet as text.

        A whole day whose format does not say that it is a date only is shown with the clock of `MIDNIGHT`.
        """
        xml = self.parts.read(self.xml_of[tab])
        _require_near(xml, f"{self.file}, sheet {tab}")
        raw = self.book.get_sheet_by_name(tab).to_python(skip_empty_area=False)
        cells = [[_as_cell(cell) for cell in row] for row in raw]
        bare = _shown_without_a_clock(xml, self.formats.days)
        hidden: Counter[int] = Counter()
        for row, line in enumerate(raw):
            for column, cell in enumerate(line):
                if not isinstance(cell, date):
                    continue
                if not _is_whole_day(cell):
                    hidden[column] += (row, column) in bare
                elif (row, column) not in bare:
                    cells[row][column] = f"{cells[row][column]}{MIDNIGHT}"
        shown, broken = _hidden(xml, self.formats.percent)
        for (row, column), text in shown.items():
            cells[row][column] = text
        return _Cells(cells, broken, +hidden)


@contextmanager
def _opened(path: Path) -> Iterator[_Book]:
    """Open a workbook; raises `UnreadableFileError` for what is not a whole XLSX file."""
    import python_calamine as calamine

    _require_xlsx(path)
    try:
        with zipfile.ZipFile(path) as parts:
            _require_small(parts, path.name)
            book = calamine.CalamineWorkbook.from_path(path)
            yield _Book(path.name, parts, book, _sheet_parts(parts), NumberFormats.of(parts))
    except (
        calamine.CalamineError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        KeyError,
        OSError,
    ) as error:
        raise _damaged(path, error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # how calamine ends where it cannot go on
            raise _damaged(path, error) from error
        raise


def _damaged(path: Path, error: BaseException) -> UnreadableFileError:
    return UnreadableFileError(
        f"not a whole XLSX workbook ({error})", where=path.name, hint=_mend(path)
    )


def _mend(path: Path) -> str:
    return CLOSE_IT if kept_beside(path) else _SAVE_AGAIN


def _require_xlsx(path: Path) -> None:
    hint = CLOSE_IT if kept_beside(path) else None
    with open_file(path, where=path.name, hint=hint) as file:
        start = file.read(4)
    if start == _OLE:
        raise UnreadableFileError(
            "an old .xls, or a workbook with a password",
            where=path.name,
            hint="Save it as .xlsx without a password",
        )
    if not zipfile.is_zipfile(path):
        what = "a cut-off XLSX workbook" if start == b"PK\x03\x04" else "not an XLSX workbook"
        raise UnreadableFileError(what, where=path.name, hint=_mend(path))


def _require_small(parts: zipfile.ZipFile, file: str) -> None:
    """Raise `UnreadableFileError` for a workbook that is too large once unpacked, before it is unpacked.

    Parts that are larger than the list of parts says are not unpacked further than that, and are damaged.
    """
    if sum(part.file_size for part in parts.infolist()) > LARGEST_PART:
        raise too_large(file, LARGEST_PART, "the unpacked workbook")
    for part in parts.infolist():
        try:
            with parts.open(part) as stream:
                while stream.read(_BLOCK):
                    pass
        except (zlib.error, EOFError, RuntimeError) as error:
            raise zipfile.BadZipFile(f"{part.filename}: {error}") from error


def _require_near(xml: bytes, where: str) -> None:
    """Raise `UnreadableFileError` if one cell is so far from the others that the sheet cannot be held.

    All cells up to it would be held, blank ones too. Cells without content do not count.
    """
    rows = max((int(row) for row in _ROW.findall(xml)), default=0)
    columns = max((_position(cell)[1] for cell in _FAR_CELL.findall(xml)), default=25) + 1
    if rows * columns <= _FEW_CELLS:
        return
    filled = [
        _position(reference.group(1))
        for attributes, inside in _CELL.findall(xml)
        if _CONTENT.search(inside) and (reference := _REFERENCE.search(attributes))
    ]
    by_row, by_column = sorted({row for row, _ in filled}), sorted({at for _, at in filled})
    rows, columns = (each[-1] + 1 if each else 0 for each in (by_row, by_column))
    stray = _behind_a_gap(by_row, _MOST_BLANK_ROWS), _behind_a_gap(by_column, _MOST_BLANK_COLUMNS)
    if stray == (None, None) and rows * columns <= _MOST_CELLS:
        return
    outside = (
        cell
        for cell in filled
        if (stray[0] is not None and cell[0] >= stray[0])
        or (stray[1] is not None and cell[1] >= stray[1])
    )
    cell = next(outside, None)
    because = f" because of the cell {_named(*cell)}" if cell else ""
    raise UnreadableFileError(
        f"the sheet has {rows} rows of {columns} columns{because}, too many to be read",
        where=where,
        hint="Delete the rows and columns beside the table, and save it again",
    )


def _behind_a_gap(used: Sequence[int], most: int) -> int | None:
    """Return the first row or column that is used behind more than `most` blank ones; None without any."""
    before = -1
    for each in used:
        if each - before - 1 > most:
            return each
        before = each
    return None


def _named(row: int, column: int) -> str:
    """Return the name of a cell: B12 for row 11 and column 1, counted from 0."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = ascii_uppercase[letter] + letters
    return f"{letters}{row + 1}"


def _tabs(file: str, names: list[str]) -> tuple[dict[str, str], list[RecordsError]]:
    """Return the tab of every sheet, `study` included, and the mistakes in the names of tabs."""
    tabs: dict[str, str] = {}
    wrong: list[RecordsError] = []
    for tab in names:
        name = tab.strip().casefold()
        if name not in SHEETS and name != STUDY:
            continue
        if name in tabs:
            twice = f"the sheet {name} exists twice"
            wrong.append(RecordsError(twice, where=file, hint="Rename or remove one"))
        tabs[name] = tab
    for tab in names:
        if tab.strip().casefold() not in tabs and (
            mistake := misspelt_sheet(file, tab.strip(), tabs)
        ):
            wrong.append(mistake)
    return tabs, wrong


def _as_cell(cell: object) -> Cell:
    """Return a cell as a spreadsheet shows it: 12 for 12.0, ISO 8601 for a date or a time.

    A workbook keeps midnight and a bare date as one number: a whole day is shown as a date, see `_Book.cells`.
    Numbers show 15 digits, as many as a spreadsheet keeps.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | int):
        whole = cell == int(cell) and abs(cell) < 1e15
        return str(int(cell)) if whole else TypedNumber(f"{cell:.15g}")
    if isinstance(cell, datetime):
        cell = _to_millisecond(cell)
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def _to_millisecond(moment: datetime) -> datetime:
    """Round to the millisecond: a spreadsheet's days as a fraction are no more exact."""
    whole = moment.replace(microsecond=0)
    return whole + timedelta(milliseconds=round(moment.microsecond / 1000))


def _sheet_parts(parts: zipfile.ZipFile) -> dict[str, str]:
    """Return the XML part of every tab."""
    links = {
        link.attrib["Id"]: link.attrib["Target"]
        for link in ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    }
    return {
        element.attrib["name"]: _part(links[key])
        for element in elements(ElementTree.fromstring(parts.read("xl/workbook.xml")), "sheet")
        for attribute, key in element.attrib.items()
        if attribute.endswith("}id")
    }


def _part(target: str) -> str:
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _shown_without_a_clock(xml: bytes, days: frozenset[bytes]) -> set[tuple[int, int]]:
    """Return the cells whose format shows a date and no clock."""
    if not any(b's="%s"' % style in xml for style in days):
        return set()
    style = b"|".join(sorted(days))
    cell = rb'<(?:\w+:)?c\b(?=[^>]*\bs="(?:%s)")[^>]*?\br="([A-Z]+\d+)"' % style
    return {_position(reference) for reference in re.findall(cell, xml)}


def _is_whole_day(cell: date) -> bool:
    return not isinstance(cell, datetime) or _to_millisecond(cell).time() == time()


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return dict(re.findall(rb'(\w+)="([^"]*)"', text))


def _hidden(xml: bytes, percent: frozenset[bytes]) -> tuple[Odd, Odd]:
    """Return what a cell shows where calamine gives something else, and cells that are broken.

    45 % is stored as 0.45 and would be read as such. An Excel error (#N/A) and a formula that
    was never calculated would be read as blank, that is as unknown.
    """
    shown: Odd = {}
    broken: Odd = {}
    suspect = b't="e"' in xml or _FORMULA.search(xml) or any(b's="%s"' % s in xml for s in percent)
    for attributes, inside in _CELL.findall(xml) if suspect else ():
        attribute = _attributes(attributes)
        value = _VALUE.search(inside)
        text = value.group(1).decode() if value else ""
        if attribute.get(b"t") == b"e":
            broken[_position(attribute[b"r"])] = f"the cell shows the error {text}"
        elif not text and attribute.get(b"t") != b"str" and _FORMULA.search(inside):
            broken[_position(attribute[b"r"])] = "a formula without a calculated value"
        elif text and attribute.get(b"s") in percent and attribute.get(b"t", b"n") == b"n":
            shown[_position(attribute[b"r"])] = f"{float(text) * 100:.15g}%"
    return shown, broken


def _position(reference: bytes) -> tuple[int, int]:
    """Return row and column, counted from 0, of a reference such as B12."""
    letters = reference.rstrip(b"0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + letter - ord("A") + 1
    return int(reference[len(letters) :]) - 1, column - 1
