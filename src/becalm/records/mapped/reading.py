"""Reading a mapping file, shipped or a user's own, and listing all its mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from becalm import vocabulary
from becalm.core import toml
from becalm.core.citations import bibliography
from becalm.core.errors import (
    DefinitionError,
    RecordsError,
    UnreadableFileError,
    did_you_mean,
    place,
)
from becalm.core.files import LARGEST_TOML, exists, read_text
from becalm.core.toml_position import TomlMistake
from becalm.records import StudyInfo
from becalm.records.mapped.cell_reading import IN_COLUMNS, CellReader
from becalm.records.mapped.model import (
    SEPARATED,
    SPREAD,
    WORKBOOK,
    Cell,
    FlatTable,
    Mapped,
    SheetPart,
    extension,
)
from becalm.records.mapped.names import wrong_names
from becalm.records.mapped.redcap_block import ANY_TABLE, read_redcap
from becalm.records.sheets.schema import SHEETS
from becalm.records.sheets.source import study_info
from becalm.vocabulary import site_words

FOLDER: Final = Path(__file__).parents[1] / "mappings"
_TOP: Final = ("notice", "cite", "words_file", "study", "tables", "redcap", *SHEETS)
_TABLE: Final = ("file", "sheet", "separator", "nothing", "person_id")


def shipped() -> tuple[str, ...]:
    """Return the names of the mappings that come with becalm."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def file_of(name_or_path: str) -> Path:
    """Return the file of a mapping, shipped or a user's own."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not exists(path):
            hint = f"Mappings that come with becalm are named without .toml: {', '.join(shipped())}"
            raise UnreadableFileError("is not there", where=name_or_path, hint=hint)
        return path
    if name_or_path not in shipped():
        raise DefinitionError(
            f"no mapping is called {name_or_path!r}",
            hint=f"A file of your own ends in .toml. {did_you_mean(name_or_path, shipped())}",
        )
    return FOLDER / f"{name_or_path}.toml"


def load(name_or_path: str) -> Mapped:
    """Read a mapping; raises `DefinitionError` with one line for each mistake in it."""
    path = file_of(name_or_path)
    return parse(read_text(path, most=LARGEST_TOML), path.name, path.parent)


def parse(text: str, file: str, folder: Path | None = None) -> Mapped:
    """Read a mapping from TOML text; `file` is only for messages. folder : of its file of words."""
    document = toml.document(text, file)
    reader = Reader(file, folder)
    mapped = reader.mapped(document, text)
    complaints = reader.complaints or list(wrong_names(mapped))
    stop(complaints, mapped, reader.of_words)
    return mapped


def stop(
    complaints: Iterable[TomlMistake], mapped: Mapped, besides: Iterable[DefinitionError] = ()
) -> None:
    """Raise all mistakes together, in the order of the file; `besides` are those of other files."""
    errors = [
        (complaint.row(mapped.text), complaint.error(mapped.text, mapped.file))
        for complaint in complaints
    ]
    told = [error for _, error in sorted(errors, key=lambda e: e[0])]
    told += [each for error in besides for each in error.each()]
    if told:
        raise DefinitionError.of(told)


@dataclass
class Reader(CellReader):
    """Reader of one mapping file, with the mistakes so far."""

    file: str
    folder: Path | None = None
    of_words: list[DefinitionError] = field(default_factory=list)

    def mapped(self, document: Mapping[str, Any], text: str) -> Mapped:
        self.keys(document, "", _TOP)
        redcap = read_redcap(self, document)
        tables: dict[str, FlatTable] = {}
        if redcap:
            persons = {ANY_TABLE: Cell("redcap.record_id", column=redcap.record_id)}
        else:
            tables, persons = self._tables(document.get("tables"))
        parts: list[SheetPart] = []
        if "persons" not in document:
            self.wrong("", "the table [persons] is missing", "It says who the patients are")
        for sheet in SHEETS:
            for at, block in self._blocks(sheet, document.get(sheet)):
                parts += self._block(at, sheet, block, tables, persons)
        self._other_tables(parts, tables)
        self._twice(parts)
        return Mapped(
            self.file,
            text,
            tables,
            tuple(parts),
            notices=self.texts(document.get("notice", []), "notice"),
            citations=self._cited(document.get("cite", [])),
            info=self._study(document.get("study", {})),
            redcap=redcap,
            **self._words_file(document.get("words_file", "")),
        )

    # ------------------------------------------------------------ the parts of the file

    def _tables(self, tables_of_file: Any) -> tuple[dict[str, FlatTable], dict[str, Cell]]:
        """Return the tables, and the cell with the person id of each."""
        tables: dict[str, FlatTable] = {}
        persons: dict[str, Cell] = {}
        if not isinstance(tables_of_file, dict) or not tables_of_file:
            self.wrong("tables", "no table is named", 'Write [tables.NAME] with file = "..."')
            return tables, persons
        for name, table in tables_of_file.items():
            at = f"tables.{name}"
            if not isinstance(table, dict):
                self.wrong(at, "needs a table", f'Write [tables.{name}] with file = "..."')
                continue
            self.keys(table, at, _TABLE)
            file = self.text(table.get("file", ""), f"{at}.file")
            if not file:
                self.wrong(at, "'file' is missing", 'Write file = "labs.csv"')
            elif Path(file).is_absolute() or ".." in Path(file).parts:
                hint = "Name it relative to the folder of the records"
                self.wrong(f"{at}.file", f"{file!r} is outside the folder of the records", hint)
            separator = self.text(table.get("separator", ""), f"{at}.separator")
            if len(separator) > 1:
                self.wrong(f"{at}.separator", "must be one character", 'A tab is "\\t"')
            sheet = self.text(table.get("sheet", ""), f"{at}.sheet")
            for key, given, kinds in (
                ("separator", separator, SEPARATED),
                ("sheet", sheet, (WORKBOOK,)),
            ):
                if given and file and extension(file) not in kinds:
                    what = f"{key!r} has no effect on {file}"
                    self.wrong(f"{at}.{key}", what, f"Remove it; it is for {', '.join(kinds)}")
            nothing = self.tokens(table.get("nothing", []), f"{at}.nothing")
            tables[name] = FlatTable(name, file, nothing, separator, sheet)
            if "person_id" in table:
                persons[name] = self.cell(table["person_id"], f"{at}.person_id")
        return tables, persons

    def _blocks(self, sheet: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if value is None:
            return
        if sheet == "persons":
            if isinstance(value, dict):
                yield "persons", value
            else:
                self.wrong("persons", "needs one table", "Write [persons] once")
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            for i, block in enumerate(value):
                yield f"{sheet}[{i}]", block
        else:
            self.wrong(sheet, "needs a list of tables", f"Write [[{sheet}]]")

    def _block(
        self,
        at: str,
        sheet: str,
        block: Mapping[str, Any],
        tables: Mapping[str, FlatTable],
        persons: Mapping[str, Cell],
    ) -> Iterator[SheetPart]:
        """Yield a block as one part or, where it is spread over columns, one a column."""
        columns = SHEETS[sheet].columns
        self.keys(block, at, ("table", "where", "columns", *columns))
        table = self.text(block.get("table", ""), f"{at}.table") or next(iter(tables), "")
        if "table" not in block and (len(tables) > 1 or ANY_TABLE in persons):
            one_of = f"One of {', '.join(tables)}" if tables else "Write the instrument it reads"
            self.wrong(at, "'table' is missing", one_of)
        if tables and table not in tables:
            self.wrong(f"{at}.table", f"no table is called {table!r}", did_you_mean(table, tables))
        cells = {name: self.cell(block[name], f"{at}.{name}") for name in columns if name in block}
        for name, cell in cells.items():
            if cell.counted_in and columns[name].kind not in {"time", "end"}:
                times = [key for key, column in columns.items() if column.kind in {"time", "end"}]
                what = f"{name} is not a time"
                self.wrong(f"{at}.{name}.in", what, f"Times of {sheet}: {', '.join(times)}")
        if "person_id" not in cells and (whose := persons.get(table) or persons.get(ANY_TABLE)):
            cells["person_id"] = whose
        where = Cell(f"{at}", where=self.where(block.get("where", {}), f"{at}.where"))
        spread = block.get("columns")
        if spread is None:
            self._complete(at, sheet, cells)
            yield SheetPart(at, sheet, table, cells, where)
        elif sheet not in SPREAD or not isinstance(spread, dict):
            hint = f"Sheets that may be spread over columns: {', '.join(SPREAD)}"
            self.wrong(f"{at}.columns", "is not allowed here", hint)
        else:
            if not spread:
                self.wrong(f"{at}.columns", "names no column", "Write one, or remove the block")
            if (filled := SPREAD[sheet]) in cells:
                what = f"{filled!r} is filled by the cells of 'columns'"
                self.wrong(f"{at}.{filled}", what, "Keep one of the two")
            for column, means in spread.items():
                yield self._spread(
                    f"{at}.columns.{column}",
                    SheetPart(at, sheet, table, cells, where),
                    column,
                    means,
                )

    def _spread(self, at: str, block: SheetPart, column: str, means: Any) -> SheetPart:
        """Return the part for one column of the table."""
        columns = SHEETS[block.sheet].columns
        if not isinstance(means, dict):
            self.wrong(at, "needs a table", 'Write { name = "ferritin", unit = "ng/mL" }')
            means = {}
        self.keys(means, at, (*columns, *IN_COLUMNS))
        constants = {
            name: Cell(f"{at}.{name}", always=self.text(means[name], f"{at}.{name}"))
            for name in columns
            if name in means
        }
        options = {key: means[key] for key in IN_COLUMNS if key in means}
        filled = self.cell({"column": column, **options}, at)
        cells = {**block.cells, **constants, SPREAD[block.sheet]: filled}
        self._complete(at, block.sheet, cells)
        return SheetPart(at, block.sheet, block.table, cells, block.where, column)

    def _complete(self, at: str, sheet: str, cells: Mapping[str, Cell]) -> None:
        """Report missing required columns; a missing unit is checked later."""
        schema = SHEETS[sheet]
        for name in schema.required():
            if name not in cells and not (sheet == "labs" and name == "unit"):
                hint = f'Write {name} = "COLUMN", or {name} = {{ always = "..." }}'
                self.wrong(at, f"{name!r} is missing", hint)
        if schema.either and not any(set(group) <= set(cells) for group in schema.either):
            groups = " or ".join(" with ".join(group) for group in schema.either)
            self.wrong(at, f"{groups} is missing")

    def _other_tables(self, parts: Iterable[SheetPart], tables: Mapping[str, FlatTable]) -> None:
        """Report cells that are looked up in a table that is not there."""
        cells = {c.at: c for part in parts for cell in part.cells.values() for c in cell.inner()}
        for at, cell in cells.items():
            if tables and cell.table and cell.table not in tables:
                what = f"no table is called {cell.table!r}"
                self.wrong(f"{at}.table", what, did_you_mean(cell.table, tables))

    def _twice(self, parts: Iterable[SheetPart]) -> None:
        seen: dict[tuple[str, str, str], str] = {}
        for part in parts:
            first = seen.setdefault((part.table, part.sheet, part.spread), part.at)
            if part.spread and first != part.at:
                what = f"the column {part.spread!r} is mapped twice"
                self.wrong(part.at, what, f"It is already {first}: keep one")

    # ------------------------------------------------------------ the top of the file

    def _cited(self, value: Any) -> tuple[str, ...]:
        keys = self.texts(value, "cite")
        for key in keys:
            if key not in bibliography():
                self.wrong(
                    "cite", f"no reference is called {key!r}", did_you_mean(key, bibliography())
                )
        return keys

    def _words_file(self, value: Any) -> dict[str, Any]:
        """Return the file of words beside the mapping, and what it says."""
        at = "words_file"
        name = self.text(value, at)
        if not name:
            return {}
        if Path(name).is_absolute() or ".." in Path(name).parts:
            hint = "Put the file beside the mapping, and write its name"
            self.wrong(at, f"{name!r} is outside the folder of the mapping", hint)
            return {}
        path = (self.folder or Path()) / name
        if not exists(path):
            there = [p.name for p in path.parent.glob("*.toml") if p.name != self.file]
            hint = did_you_mean(name, there) if there else "Put it there, or remove the key"
            self.wrong(at, f"no file {name!r} is beside the mapping", hint)
            return {}
        try:
            return {"words_file": name, "site": site_words.read(path, vocabulary.load())}
        except DefinitionError as error:
            self.of_words.append(error)
            return {}

    def _study(self, value: Any) -> StudyInfo:
        if not isinstance(value, dict):
            self.wrong("study", "needs a table", "Write [study]")
            return StudyInfo()
        try:
            return study_info(value, place(self.file))
        except RecordsError as error:
            key = next((key for key in value if key in error.what), "")
            self.wrong(f"study.{key}".rstrip("."), error.what, error.hint or "")
            return StudyInfo()
