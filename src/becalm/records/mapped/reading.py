"""Reading a mapping file, shipped or a user's own, and listing all its mistakes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from becalm.core.citations import bibliography
from becalm.core.errors import (
    DefinitionError,
    RecordsError,
    UnreadableFileError,
    did_you_mean,
    place,
)
from becalm.core.toml_position import TomlMistake
from becalm.records import StudyInfo
from becalm.records.files import read_text
from becalm.records.mapped.model import (
    SEPARATED,
    SPREAD,
    UNITS_OF_TIME,
    WORKBOOK,
    Cell,
    FlatTable,
    Mapped,
    SheetPart,
    extension,
    token,
    unnamed,
)
from becalm.records.mapped.names import wrong_names
from becalm.records.sheets.schema import SHEETS
from becalm.records.sheets.source import study_info

FOLDER: Final = Path(__file__).parents[1] / "mappings"
_TOP: Final = ("notice", "cite", "study", "tables", *SHEETS)
_TABLE: Final = ("file", "sheet", "separator", "nothing", "person_id")
_CELL: Final = (
    "column", "position", "always", "words", "nothing", "where", "only_with", "carry_down", "whole",
    "ceiling", "floor", "verified", "source", "table", "key", "by", "in", "since", "first",
)  # fmt: skip
_ORIGIN: Final = ("column", "position", "always")
_LOOKED_UP: Final = ("table", "key", "by")
_COUNTED: Final = ("in", "since", "first")
_UNNAMED: Final = "A column without a name is { position = 1 }"
_LOOK_UP: Final = 'Write { table = "stays", column = "patient", key = "stay" }'
_COUNT: Final = 'Write { column = "hour", in = "hours", since = "admitted" }'
_OF_COLUMN: Final = ("words", "nothing", "carry_down", "whole", "ceiling", "floor")
"""Keys about the texts of a column: beside `always` they would be ignored."""
_IN_COLUMNS: Final = tuple(
    key for key in _CELL if key not in {*_ORIGIN, *_LOOKED_UP, *_COUNTED, "carry_down"}
)
"""Keys about the cells of a column that `columns` names."""


def shipped() -> tuple[str, ...]:
    """Return the names of the mappings that come with becalm."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def file_of(name_or_path: str) -> Path:
    """Return the file of a mapping, shipped or a user's own."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
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
    return parse(read_text(path), path.name)


def parse(text: str, file: str) -> Mapped:
    """Read a mapping from TOML text; `file` is only for messages."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"is not valid TOML: {error}", where=file) from error
    reader = Reader(file)
    mapped = reader.mapped(document, text)
    complaints = reader.complaints or list(wrong_names(mapped))
    stop(complaints, mapped)
    return mapped


def stop(complaints: Iterable[TomlMistake], mapped: Mapped) -> None:
    """Raise all mistakes together, in the order of the file."""
    errors = [
        (complaint.row(mapped.text), complaint.error(mapped.text, mapped.file))
        for complaint in complaints
    ]
    if errors:
        raise DefinitionError.of([error for _, error in sorted(errors, key=lambda e: e[0])])


@dataclass
class Reader:
    """Reader of one mapping file, with the mistakes so far."""

    file: str
    complaints: list[TomlMistake] = field(default_factory=list)

    def wrong(self, at: str, what: str, hint: str = "") -> None:
        self.complaints.append(TomlMistake(at, what, hint))

    def mapped(self, document: Mapping[str, Any], text: str) -> Mapped:
        self._keys(document, "", _TOP)
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
            notices=self._texts(document.get("notice", []), "notice"),
            citations=self._cited(document.get("cite", [])),
            info=self._study(document.get("study", {})),
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
            self._keys(table, at, _TABLE)
            file = self._text(table.get("file", ""), f"{at}.file")
            if not file:
                self.wrong(at, "'file' is missing", 'Write file = "labs.csv"')
            elif Path(file).is_absolute() or ".." in Path(file).parts:
                hint = "Name it relative to the folder of the records"
                self.wrong(f"{at}.file", f"{file!r} is outside the folder of the records", hint)
            separator = self._text(table.get("separator", ""), f"{at}.separator")
            if len(separator) > 1:
                self.wrong(f"{at}.separator", "must be one character", 'A tab is "\\t"')
            sheet = self._text(table.get("sheet", ""), f"{at}.sheet")
            for key, given, kinds in (
                ("separator", separator, SEPARATED),
                ("sheet", sheet, (WORKBOOK,)),
            ):
                if given and file and extension(file) not in kinds:
                    what = f"{key!r} has no effect on {file}"
                    self.wrong(f"{at}.{key}", what, f"Remove it; it is for {', '.join(kinds)}")
            nothing = self._tokens(table.get("nothing", []), f"{at}.nothing")
            tables[name] = FlatTable(name, file, nothing, separator, sheet)
            if "person_id" in table:
                persons[name] = self._cell(table["person_id"], f"{at}.person_id")
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
        self._keys(block, at, ("table", "where", "columns", *columns))
        table = self._text(block.get("table", ""), f"{at}.table") or next(iter(tables), "")
        if "table" not in block and len(tables) > 1:
            self.wrong(at, "'table' is missing", f"One of {', '.join(tables)}")
        if tables and table not in tables:
            self.wrong(f"{at}.table", f"no table is called {table!r}", did_you_mean(table, tables))
        cells = {name: self._cell(block[name], f"{at}.{name}") for name in columns if name in block}
        for name, cell in cells.items():
            if cell.counted_in and columns[name].kind not in {"time", "end"}:
                times = [key for key, column in columns.items() if column.kind in {"time", "end"}]
                what = f"{name} is not a time"
                self.wrong(f"{at}.{name}.in", what, f"Times of {sheet}: {', '.join(times)}")
        if "person_id" not in cells and table in persons:
            cells["person_id"] = persons[table]
        where = Cell(f"{at}", where=self._where(block.get("where", {}), f"{at}.where"))
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
        self._keys(means, at, (*columns, *_IN_COLUMNS))
        constants = {
            name: Cell(f"{at}.{name}", always=self._text(means[name], f"{at}.{name}"))
            for name in columns
            if name in means
        }
        options = {key: means[key] for key in _IN_COLUMNS if key in means}
        filled = self._cell({"column": column, **options}, at)
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

    def _twice(self, parts: Iterable[SheetPart]) -> None:
        seen: dict[tuple[str, str, str], str] = {}
        for part in parts:
            first = seen.setdefault((part.table, part.sheet, part.spread), part.at)
            if part.spread and first != part.at:
                what = f"the column {part.spread!r} is mapped twice"
                self.wrong(part.at, what, f"It is already {first}: keep one")

    # ------------------------------------------------------------ cells

    def _other_tables(self, parts: Iterable[SheetPart], tables: Mapping[str, FlatTable]) -> None:
        """Report cells that are looked up in a table that is not there."""
        cells = {c.at: c for part in parts for cell in part.cells.values() for c in cell.inner()}
        for at, cell in cells.items():
            if tables and cell.table and cell.table not in tables:
                what = f"no table is called {cell.table!r}"
                self.wrong(f"{at}.table", what, did_you_mean(cell.table, tables))

    def _cell(self, value: Any, at: str, without: Iterable[str] = ()) -> Cell:
        """Return a cell; `without` are keys that it cannot have because it stands in another cell."""
        if isinstance(value, str) and value:
            return Cell(at, column=value.strip())
        if not isinstance(value, dict):
            hint = 'Write the column\'s name in quotes, or { always = "..." }'
            self.wrong(at, "needs the name of a column, or a table", hint)
            return Cell(at, always="?")
        self._keys(value, at, [key for key in _CELL if key not in set(without)])
        if sum(key in value for key in _ORIGIN) != 1:
            self.wrong(at, "needs either 'column' or 'always'", _UNNAMED)
        if "column" not in value and "position" not in value:
            for key in _OF_COLUMN:
                if key in value:
                    what = f"{key!r} has no effect without a column"
                    self.wrong(f"{at}.{key}", what, "Remove it, or write 'column'")
        words = self._words(value.get("words", {}), f"{at}.words")
        if "" in words and value.get("carry_down") is True:
            what = "an empty cell cannot be both a word and the cell above it"
            self.wrong(f"{at}.words", what, 'Remove "" from words, or remove carry_down')
        column = self._text(value.get("column", ""), f"{at}.column")
        if "position" in value:
            column = self._position(value["position"], f"{at}.position")
        return Cell(
            at,
            column=column,
            always=self._text(value.get("always", ""), f"{at}.always"),
            words=words,
            nothing=self._tokens(value.get("nothing", []), f"{at}.nothing"),
            where=self._where(value.get("where", {}), f"{at}.where"),
            only_with=self._text(value.get("only_with", ""), f"{at}.only_with"),
            carry_down=self._flag(value.get("carry_down", False), f"{at}.carry_down"),
            whole=self._flag(value.get("whole", False), f"{at}.whole"),
            ceiling=self._number(value.get("ceiling"), f"{at}.ceiling"),
            floor=self._number(value.get("floor"), f"{at}.floor"),
            verified=self._flag(value.get("verified", True), f"{at}.verified"),
            source=self._text(value.get("source", ""), f"{at}.source"),
            **self._looked_up(value, at, without),
            **self._counted(value, at, without),
        )

    def _position(self, value: Any, at: str) -> str:
        """Return the name that stands for a column without one."""
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.wrong(at, "needs a whole number", "The first column is 1")
            return "?"
        return unnamed(value)

    def _looked_up(
        self, value: Mapping[str, Any], at: str, without: Iterable[str]
    ) -> dict[str, Any]:
        """Return how a cell is looked up in another table."""
        given = [key for key in _LOOKED_UP if key in value and key not in set(without)]
        if not given:
            return {}
        missing = [key for key in ("table", "key") if key not in value]
        if missing or "always" in value:
            what = f"{missing[0]!r} is missing" if missing else "'always' is not looked up"
            self.wrong(at, what, _LOOK_UP)
            return {}
        simple = {*_LOOKED_UP, *_COUNTED}
        key = self._cell(value["key"], f"{at}.key", simple)
        by = Cell(f"{at}.key", column=key.column)
        if "by" in value:
            by = self._cell(value["by"], f"{at}.by", simple)
        return {"table": self._text(value["table"], f"{at}.table"), "key": key, "by": by}

    def _counted(self, value: Mapping[str, Any], at: str, without: Iterable[str]) -> dict[str, Any]:
        """Return the unit in which a time is counted, and from when."""
        given = [key for key in _COUNTED if key in value and key not in set(without)]
        if not given:
            return {}
        for key in ("in", "since"):
            if key not in value:
                self.wrong(at, f"{key!r} is missing", _COUNT)
                return {}
        unit = self._text(value["in"], f"{at}.in")
        if unit not in UNITS_OF_TIME:
            hint = did_you_mean(unit, UNITS_OF_TIME)
            self.wrong(f"{at}.in", f"no unit of time is called {unit!r}", hint)
            return {}
        since = self._cell(value["since"], f"{at}.since", _COUNTED)
        first = self._number(value.get("first", 0), f"{at}.first") or 0.0
        return {"counted_in": unit, "since": since, "first": first}

    def _words(self, value: Any, at: str) -> dict[str, str]:
        """Return the meaning of each word; words that are compared as equal are a mistake."""
        if not isinstance(value, dict):
            self.wrong(at, "needs a table", 'Write { "1" = "M", "2" = "F" }')
            return {}
        words: dict[str, str] = {}
        for word, meant in value.items():
            known = token(word.strip())
            if known in words:
                what = f"{word!r} is there twice: texts are compared without case, numbers by value"
                self.wrong(at, what, "Keep one of them")
            words[known] = self._text(meant, f"{at}.words.{word}".rstrip("."))
        return words

    def _where(self, value: Any, at: str) -> dict[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            self.wrong(at, "needs a table", 'Write { COLUMN = "text" }')
            return {}
        return {
            column: self._tokens(allowed, f"{at}.{column}") for column, allowed in value.items()
        }

    def _keys(self, table: Mapping[str, Any], at: str, known: Iterable[str]) -> None:
        words = list(known)
        for key in table:
            if key not in words:
                here = f"{at}.{key}" if at else key
                self.wrong(here, f"unknown key {key!r}", did_you_mean(key, words))

    def _text(self, value: Any, at: str) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.wrong(at, "needs a text in quotes")
            return ""
        return str(value) if value == "\t" else str(value).strip()

    def _texts(self, value: Any, at: str) -> tuple[str, ...]:
        return tuple(
            self._text(each, at) for each in (value if isinstance(value, list) else [value])
        )

    def _tokens(self, value: Any, at: str) -> tuple[str, ...]:
        return tuple(token(text) for text in self._texts(value, at))

    def _flag(self, value: Any, at: str) -> bool:
        if not isinstance(value, bool):
            self.wrong(at, "needs true or false")
        return value is True

    def _number(self, value: Any, at: str) -> float | None:
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return None if value is None else float(value)
        self.wrong(at, "needs a number")
        return None

    def _cited(self, value: Any) -> tuple[str, ...]:
        keys = self._texts(value, "cite")
        for key in keys:
            if key not in bibliography():
                self.wrong(
                    "cite", f"no reference is called {key!r}", did_you_mean(key, bibliography())
                )
        return keys

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
