"""Flat tables as a source of records, read with a mapping file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from becalm.core.errors import DefinitionError, UnreadableFileError, did_you_mean
from becalm.core.files import exists, require_file
from becalm.core.toml_position import TomlMistake
from becalm.records import Doubt, InputFile
from becalm.records.files import input_file, stamp, unchanged
from becalm.records.mapped.filling import fill
from becalm.records.mapped.flat import Flat, read_flat
from becalm.records.mapped.model import (
    WORKBOOK,
    Cell,
    Mapped,
    SheetPart,
    extension,
    position_of,
)
from becalm.records.mapped.reading import file_of, load, stop
from becalm.records.sheets.build import Built, build
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.schema import SHEETS
from becalm.records.sheets.source import SheetsSource, absent
from becalm.records.sheets.workbook import tab_names
from becalm.vocabulary import MeasurementKind, Vocabulary


def open_mapped(path: Path, mapping: str) -> SheetsSource:
    """Read and check all flat tables of a mapping, as chart-review sheets.

    path : the folder with the mapping's files or, if it reads only one, that file.

    Raises `DefinitionError` with all mistakes in the mapping, also columns that the tables do not
    have, `UnreadableFileError` for a missing or damaged file, and `RecordsError`, with file, row and
    column, for records that cannot be understood.
    """
    mapped = load(mapping)
    files = _files(path, mapped)
    root = path if path.is_dir() else path.parent
    seen = [stamp(file) for file in files.values()]
    wrong = list(_missing_sheets(mapped, files))
    used = [each for part in mapped.parts for each in part.used()]
    flats = {
        name: read_flat(
            file,
            mapped.tables[name],
            [c for table, c, _ in used if table == name],
            {c for part in mapped.parts for table, c in part.numeric() if table == name},
        )
        for name, file in files.items()
        if f"tables.{name}.sheet" not in {mistake.at for mistake in wrong}
    }
    stop([*wrong, *_missing_columns(used, flats)], mapped)
    decided = [flat.notice for flat in flats.values() if flat.notice]
    sheets = fill(mapped, flats)
    built = build(sheets, timezone=mapped.info.timezone)
    inputs = [input_file(file, root) for file in dict.fromkeys(files.values())]
    unchanged(seen, root)
    notices = (*decided, *built.notices)
    return as_source(mapped, mapping, inputs, notices=notices, built=built, sheets=sheets)


def as_source(
    mapped: Mapped,
    mapping: str,
    inputs: Sequence[InputFile],
    *,
    notices: Sequence[str],
    built: Built,
    sheets: Mapping[str, Sequence[Sheet]],
    name: str = "mapped",
) -> SheetsSource:
    """Return the records that a mapping made, with what must be said of them.

    inputs : the files of the records. notices : what reading them remarked. name : of the source.
    """
    doubts = tuple(_doubts(mapped))
    described = [file_of(mapping)]
    if mapped.words_file:
        described.append(described[0].parent / mapped.words_file)
    notice = f"{len(doubts)} statements of the mapping {mapped.file} are marked as not verified."
    return SheetsSource(
        info=mapped.info,
        licences=mapped.notices,
        notices=(*mapped.notices, *([notice] if doubts else []), *notices),
        missing=tuple(name for name in SHEETS if name not in sheets),
        _inputs=(*sorted(inputs, key=lambda f: f.name), *map(input_file, described)),
        _absent=tuple(absent({name: sum(map(len, parts)) for name, parts in sheets.items()})),
        _refused=built.refused,
        _records=built.records,
        name=name,
        citations=mapped.citations,
        doubts=doubts,
        site=mapped.site,
    )


def _files(path: Path, mapped: Mapped) -> dict[str, Path]:
    """Return the file of each table."""
    if path.is_file():
        needed = dict.fromkeys(table.file for table in mapped.tables.values())
        if len(needed) > 1:
            raise DefinitionError(
                f"reads {len(needed)} files, and RECORDS is one",
                where=mapped.file,
                hint=f"Name the folder with {', '.join(needed)}",
            )
        return dict.fromkeys(mapped.tables, path)
    files = {name: path / table.file for name, table in mapped.tables.items()}
    for name, file in files.items():
        if not exists(file):
            there = [each.name for each in path.iterdir() if each.is_file()]
            raise UnreadableFileError(
                f"the table {name} of the mapping {mapped.file} does not exist",
                where=mapped.tables[name].file,
                hint=did_you_mean(file.name, there) if there else "The folder is empty",
            )
        require_file(file, where=mapped.tables[name].file)
    return files


def _missing_sheets(mapped: Mapped, files: Mapping[str, Path]) -> Iterator[TomlMistake]:
    """Yield the sheets that a workbook does not have."""
    for name, file in files.items():
        if not (sheet := mapped.tables[name].sheet):
            continue
        at = f"tables.{name}.sheet"
        if extension(file.name) != WORKBOOK:
            yield TomlMistake(at, f"{file.name} is not a workbook", "Remove 'sheet'")
        elif sheet not in (there := tab_names(file)):
            yield TomlMistake(at, f"{file.name} has no sheet {sheet!r}", did_you_mean(sheet, there))


def _missing_columns(
    used: Iterable[tuple[str, str, str]], flats: Mapping[str, Flat]
) -> Iterator[TomlMistake]:
    """Yield columns that a table does not have, once for each place in the mapping."""
    seen: set[str] = set()
    for table, column, at in used:
        flat = flats.get(table)
        if flat is None or column in flat.header or at in seen:
            continue
        seen.add(at)
        position = position_of(column)
        if position is None:
            known = (name for name in flat.header if position_of(name) is None)
            what = f"{flat.file} has no column {column!r}"
            yield TomlMistake(at, what, did_you_mean(column, known))
        elif position > len(flat.header):
            yield TomlMistake(at, f"{flat.file} has only {len(flat.header)} columns")
        else:
            title = flat.header[position - 1]
            what = f"column {position} of {flat.file} has the name {title!r}"
            yield TomlMistake(at, what, f'Write column = "{title}"')


def _doubts(mapped: Mapped) -> Iterator[Doubt]:
    """Yield the statements that the mapping marks as not verified, in the order of the file."""
    seen: set[str] = set()
    for part in mapped.parts:
        for name, cell in part.cells.items():
            if cell.verified or cell.at in seen:
                continue
            seen.add(cell.at)
            if cell.at == part.at and part.sheet == "labs":
                variable, title = _variable(part, mapped.vocabulary)
                unit = part.constant("unit")
                how = f"in {unit}" if unit else "without a unit"
                text = f"{title} from column {part.spread!r}, read {how}"
                yield Doubt(_because(text, cell), variable)
            else:
                what = cell.column or cell.always
                yield Doubt(_because(f"{part.sheet}, {name}: read from {what!r}", cell))


def _because(text: str, cell: Cell) -> str:
    return f"{text}: {cell.source}" if cell.source else text


def _variable(part: SheetPart, words: Vocabulary) -> tuple[str, str]:
    """Return the name and the title of the variable of a column."""
    loinc, name = part.constant("loinc"), part.constant("name")
    kind = MeasurementKind(
        "", "LOINC" if loinc else "name", loinc or name, name, part.constant("unit")
    )
    code = words.resolve(kind).variable
    if code is None:
        return "", name or loinc
    return words.variables[code].name, words.variables[code].title
