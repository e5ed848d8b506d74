"""The tables of an export, as a mapping reads them: one for each instrument, and one of the records.

Rows of a table are rows of the export, with their numbers, so that every value leads back to its cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from becalm.core.errors import did_you_mean
from becalm.core.toml_position import TomlMistake
from becalm.records.mapped.flat import Flat, as_texts
from becalm.records.mapped.model import Mapped
from becalm.records.redcap.export import (
    MISSING,
    NOTHING,
    UNTICKED,
    RedcapExport,
)
from becalm.records.redcap.header import (
    EVENT,
    GROUP,
    INSTANCE,
    INSTRUMENT,
    ExportColumn,
    possible,
)
from becalm.records.sheets.cells import Cell as FileCell

RECORDS: Final = "redcap_records"
"""The table with one row for each record."""
VISIT: Final = "redcap_visit"
"""The column with what the rows of one visit have in common."""
_OWN: Final = (EVENT, INSTRUMENT, INSTANCE, GROUP, VISIT)


def table_names(export: RedcapExport) -> tuple[str, ...]:
    """Return the names of all tables."""
    return (RECORDS, *export.dictionary.forms)


def rows_of(export: RedcapExport, table: str) -> list[int]:
    """Return the positions of the rows of a table."""
    return export.first_rows if table == RECORDS else export.rows_of_form[table]


def header_of(export: RedcapExport, table: str) -> tuple[str, ...]:
    """Return the columns of a table: those of the form, and REDCap's own."""
    own = [column.name for column in export.columns if column.form == table]
    return (export.dictionary.record_id.name, *_OWN, *own)


def flats(mapped: Mapped, export: RedcapExport) -> dict[str, Flat]:
    """Return the tables that a mapping reads; every table and column of it must exist (`wrong_tables`)."""
    used: dict[str, list[str]] = {}
    numeric: dict[str, set[str]] = {}
    for part in mapped.parts:
        used.setdefault(part.table, [])
        for table, column, _ in part.used():
            used.setdefault(table, []).append(column)
        for table, column in part.numeric():
            numeric.setdefault(table, set()).add(column)
    stem = export.file.removesuffix(".gz").rpartition(".")[0]
    found: dict[str, Flat] = {}
    for table, names in used.items():
        rows = rows_of(export, table)
        written = {
            name: [_cell(export, name, row) for row in rows] for name in dict.fromkeys(names)
        }
        texts, notice = as_texts(written, numeric.get(table, ()), export.separator)
        found[table] = Flat(
            export.file,
            stem,
            header_of(export, table),
            texts,
            [export.rows[row] for row in rows],
            NOTHING,
            {},
            notice and f"{export.file}: {notice}",
        )
    return found


def _cell(export: RedcapExport, name: str, row: int) -> FileCell:
    """Return a cell of a table; one that says nothing is marked, so that no word replaces it."""
    if name == VISIT:
        return export.visits[row]
    position = export.at.get(name)
    if position is None:
        return ""
    cell = export.cells[position][row]
    if cell.is_missing:
        return MISSING
    if cell.text == "0" and position in export.silent_boxes and export.silent_boxes[position][row]:
        return UNTICKED
    return cell.for_table()


def wrong_tables(mapped: Mapped, export: RedcapExport) -> Iterator[TomlMistake]:
    """Yield the tables and columns of a mapping that the project or the export does not have."""
    names = table_names(export)
    seen: set[str] = set()
    for part in mapped.parts:
        if part.table not in names:
            what = f"{export.dictionary.file} has no instrument {part.table!r}"
            yield TomlMistake(f"{part.at}.table", what, did_you_mean(part.table, names))
            continue
        for table, column, at in part.used():
            if at in seen:
                continue
            seen.add(at)
            if table not in names:
                what = f"{export.dictionary.file} has no instrument {table!r}"
                yield TomlMistake(f"{at}.table", what, did_you_mean(table, names))
            elif mistake := _wrong_column(export, table, column):
                yield TomlMistake(at, *mistake)


def _wrong_column(export: RedcapExport, table: str, column: str) -> tuple[str, str] | None:
    """Return what is wrong with a column of a table, and a hint."""
    header = header_of(export, table)
    if column in header:
        return None
    dictionary = export.dictionary
    one = dictionary.by_name.get(column)
    if one is not None and one.kind == "checkbox":
        boxes = [each.name for each in _expected(export) if each.field is one]
        return f"{column!r} is a checkbox field: read one of its boxes", ", ".join(boxes[:8])
    owner = next((each for each in _expected(export) if each.name == column), None)
    if owner is None:
        return f"{dictionary.file} has no field {column!r}", did_you_mean(column, header)
    if owner.form == table:
        what = f"{column!r} is in {dictionary.file}, but {export.file} has no such column"
        return what, "Export it too, or take it out of the mapping"
    what = f"{column!r} is a field of {owner.form}, not of {table}"
    return what, f'Write table = "{owner.form}", or look it up there by {VISIT}'


def _expected(export: RedcapExport) -> Sequence[ExportColumn]:
    return list(possible(export.dictionary, {}))


def used_columns(mapped: Mapped) -> Mapping[tuple[str, str], list[str]]:
    """Return, for each table and column that a mapping reads, the columns of sheets that it fills."""
    found: dict[tuple[str, str], list[str]] = {}
    for part in mapped.parts:
        for name, cell in part.cells.items():
            for table, column, _ in cell.used(part.table):
                _add(found, table, column, f"{part.sheet}.{name}")
        for table, column, _ in part.where.used(part.table):
            _add(found, table, column, f"{part.sheet}, which rows")
    return found


def _add(found: dict[tuple[str, str], list[str]], table: str, column: str, fills: str) -> None:
    known = found.setdefault((table, column), [])
    if fills not in known:
        known.append(fills)
