"""Reading a mapping file, shipped or a user's own, and finding everything that is wrong with it."""

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
from becalm.records.mapped.model import SPREAD, Cell, FlatTable, Mapped, SheetPart, token
from becalm.records.mapped.names import wrong_names
from becalm.records.sheets.schema import SHEETS
from becalm.records.sheets.source import study_info

FOLDER: Final = Path(__file__).parents[1] / "mappings"
_TOP: Final = ("notice", "cite", "study", "tables", *SHEETS)
_TABLE: Final = ("file", "separator", "nothing", "person_id")
_CELL: Final = (
    "column", "always", "words", "nothing", "where", "only_with", "carry_down", "whole",
    "ceiling", "floor", "verified", "source",
)  # fmt: skip
_IN_COLUMNS: Final = tuple(key for key in _CELL if key not in {"column", "always", "carry_down"})


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
    """Read a mapping; raises `DefinitionError` with everything that is wrong in it, a line each."""
    path = file_of(name_or_path)
    return parse(read_text(path), path.name)


def parse(text: str, file: str) -> Mapped:
    """Read a mapping from TOML text; `file` is only for messages."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"is not valid TOML: {error}", where=file) from error
    reader = Reader(file)
    mapped = reader.mapped(given, text)
    complaints = reader.complaints or list(wrong_names(mapped))
    stop(complaints, mapped)
    return mapped


def stop(complaints: Iterable[TomlMistake], mapped: Mapped) -> None:
    """Raise what is wrong, all of it, in the order of the file."""
    errors = [
        (complaint.row(mapped.text), complaint.error(mapped.text, mapped.file))
        for complaint in complaints
    ]
    if errors:
        raise DefinitionError.of([error for _, error in sorted(errors, key=lambda e: e[0])])


@dataclass
class Reader:
    """What is being read, and what was found wrong so far."""

    file: str
    complaints: list[TomlMistake] = field(default_factory=list)

    def wrong(self, at: str, what: str, hint: str = "") -> None:
        self.complaints.append(TomlMistake(at, what, hint))

    def mapped(self, given: Mapping[str, Any], text: str) -> Mapped:
        self._keys(given, "", _TOP)
        tables, persons = self._tables(given.get("tables"))
        parts: list[SheetPart] = []
        if "persons" not in given:
            self.wrong("", "the table [persons] is missing", "It says who the patients are")
        for sheet in SHEETS:
            for at, block in self._blocks(sheet, given.get(sheet)):
                parts += self._block(at, sheet, block, tables, persons)
        self._twice(parts)
        return Mapped(
            self.file,
            text,
            tables,
            tuple(parts),
            notices=self._texts(given.get("notice", []), "notice"),
            citations=self._cited(given.get("cite", [])),
            info=self._study(given.get("study", {})),
        )

    # ------------------------------------------------------------ the parts of the file

    def _tables(self, given: Any) -> tuple[dict[str, FlatTable], dict[str, Cell]]:
        """Return the tables, and where each of them names the person."""
        tables: dict[str, FlatTable] = {}
        persons: dict[str, Cell] = {}
        if not isinstance(given, dict) or not given:
            self.wrong("tables", "no table is named", 'Write [tables.NAME] with file = "..."')
            return tables, persons
        for name, table in given.items():
            at = f"tables.{name}"
            if not isinstance(table, dict):
                self.wrong(at, "needs a table", f'Write [tables.{name}] with file = "..."')
                continue
            self._keys(table, at, _TABLE)
            file = self._text(table.get("file", ""), f"{at}.file")
            if not file:
                self.wrong(at, "'file' is missing", 'Write file = "labs.csv"')
            elif Path(file).is_absolute() or ".." in Path(file).parts:
                hint = "Name it as it lies in the folder that becalm is given"
                self.wrong(f"{at}.file", f"{file!r} leads out of the records", hint)
            separator = self._text(table.get("separator", ""), f"{at}.separator")
            if len(separator) > 1:
                self.wrong(f"{at}.separator", "must be one character", 'A tab is "\\t"')
            tables[name] = FlatTable(
                name, file, self._tokens(table.get("nothing", []), f"{at}.nothing"), separator
            )
            if "person_id" in table:
                persons[name] = self._cell(table["person_id"], f"{at}.person_id")
        return tables, persons

    def _blocks(self, sheet: str, given: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if given is None:
            return
        if sheet == "persons":
            if isinstance(given, dict):
                yield "persons", given
            else:
                self.wrong("persons", "needs one table", "Write [persons] once")
        elif isinstance(given, list) and all(isinstance(each, dict) for each in given):
            for i, block in enumerate(given):
                yield f"{sheet}[{i}]", block
        else:
            self.wrong(sheet, "needs a list of tables", f"Write [[{sheet}]]")

    def _block(
        self,
        at: str,
        sheet: str,
        given: Mapping[str, Any],
        tables: Mapping[str, FlatTable],
        persons: Mapping[str, Cell],
    ) -> Iterator[SheetPart]:
        """Yield a block as one part or, where it is spread over columns, one a column."""
        columns = SHEETS[sheet].columns
        self._keys(given, at, ("table", "where", "columns", *columns))
        table = self._text(given.get("table", ""), f"{at}.table") or next(iter(tables), "")
        if "table" not in given and len(tables) > 1:
            self.wrong(at, "'table' is missing", f"One of {', '.join(tables)}")
        if tables and table not in tables:
            self.wrong(f"{at}.table", f"no table is called {table!r}", did_you_mean(table, tables))
        cells = {name: self._cell(given[name], f"{at}.{name}") for name in columns if name in given}
        if "person_id" not in cells and table in persons:
            cells["person_id"] = persons[table]
        where = Cell(f"{at}", where=self._where(given.get("where", {}), f"{at}.where"))
        spread = given.get("columns")
        if spread is None:
            self._complete(at, sheet, cells)
            yield SheetPart(at, sheet, table, cells, where)
        elif sheet not in SPREAD or not isinstance(spread, dict):
            hint = f"Sheets that may be spread over columns: {', '.join(SPREAD)}"
            self.wrong(f"{at}.columns", "cannot stand here", hint)
        else:
            if not spread:
                self.wrong(f"{at}.columns", "names no column", "Write one, or remove the block")
            if (filled := SPREAD[sheet]) in cells:
                what = f"{filled!r} is what the cells of 'columns' say"
                self.wrong(f"{at}.{filled}", what, "Keep one of the two")
            for column, means in spread.items():
                yield self._spread(
                    f"{at}.columns.{column}",
                    SheetPart(at, sheet, table, cells, where),
                    column,
                    means,
                )

    def _spread(self, at: str, block: SheetPart, column: str, means: Any) -> SheetPart:
        """Return the part that one column of the table is."""
        columns = SHEETS[block.sheet].columns
        if not isinstance(means, dict):
            self.wrong(at, "needs a table", 'Write { name = "ferritin", unit = "ng/mL" }')
            means = {}
        self._keys(means, at, (*columns, *_IN_COLUMNS))
        said = {
            name: Cell(f"{at}.{name}", always=self._text(means[name], f"{at}.{name}"))
            for name in columns
            if name in means
        }
        options = {key: means[key] for key in _IN_COLUMNS if key in means}
        filled = self._cell({"column": column, **options}, at)
        cells = {**block.cells, **said, SPREAD[block.sheet]: filled}
        self._complete(at, block.sheet, cells)
        return SheetPart(at, block.sheet, block.table, cells, block.where, column)

    def _complete(self, at: str, sheet: str, cells: Mapping[str, Cell]) -> None:
        """Complain of what the sheet cannot be understood without; a unit may turn out optional."""
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

    def _cell(self, given: Any, at: str) -> Cell:
        if isinstance(given, str) and given:
            return Cell(at, column=given.strip())
        if not isinstance(given, dict):
            hint = 'Write the column\'s name in quotes, or { always = "..." }'
            self.wrong(at, "needs the name of a column, or a table", hint)
            return Cell(at, always="?")
        self._keys(given, at, _CELL)
        if ("column" in given) == ("always" in given):
            self.wrong(at, "needs either 'column' or 'always'")
        words = given.get("words", {})
        if not isinstance(words, dict):
            self.wrong(f"{at}.words", "needs a table", 'Write { "1" = "M", "2" = "F" }')
            words = {}
        return Cell(
            at,
            column=self._text(given.get("column", ""), f"{at}.column"),
            always=self._text(given.get("always", ""), f"{at}.always"),
            words={
                token(word): self._text(meant, f"{at}.words.{word}")
                for word, meant in words.items()
            },
            nothing=self._tokens(given.get("nothing", []), f"{at}.nothing"),
            where=self._where(given.get("where", {}), f"{at}.where"),
            only_with=self._text(given.get("only_with", ""), f"{at}.only_with"),
            carry_down=self._flag(given.get("carry_down", False), f"{at}.carry_down"),
            whole=self._flag(given.get("whole", False), f"{at}.whole"),
            ceiling=self._number(given.get("ceiling"), f"{at}.ceiling"),
            floor=self._number(given.get("floor"), f"{at}.floor"),
            verified=self._flag(given.get("verified", True), f"{at}.verified"),
            source=self._text(given.get("source", ""), f"{at}.source"),
        )

    def _where(self, given: Any, at: str) -> dict[str, tuple[str, ...]]:
        if not isinstance(given, dict):
            self.wrong(at, "needs a table", 'Write { COLUMN = "text" }')
            return {}
        return {
            column: self._tokens(allowed, f"{at}.{column}") for column, allowed in given.items()
        }

    def _keys(self, given: Mapping[str, Any], at: str, known: Iterable[str]) -> None:
        words = list(known)
        for key in given:
            if key not in words:
                here = f"{at}.{key}" if at else key
                self.wrong(here, f"unknown key {key!r}", did_you_mean(key, words))

    def _text(self, given: Any, at: str) -> str:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            self.wrong(at, "needs a text in quotes")
            return ""
        return str(given) if given == "\t" else str(given).strip()

    def _texts(self, given: Any, at: str) -> tuple[str, ...]:
        return tuple(
            self._text(each, at) for each in (given if isinstance(given, list) else [given])
        )

    def _tokens(self, given: Any, at: str) -> tuple[str, ...]:
        return tuple(token(text) for text in self._texts(given, at))

    def _flag(self, given: Any, at: str) -> bool:
        if not isinstance(given, bool):
            self.wrong(at, "needs true or false")
        return given is True

    def _number(self, given: Any, at: str) -> float | None:
        if given is None or (isinstance(given, int | float) and not isinstance(given, bool)):
            return None if given is None else float(given)
        self.wrong(at, "needs a number")
        return None

    def _cited(self, given: Any) -> tuple[str, ...]:
        keys = self._texts(given, "cite")
        for key in keys:
            if key not in bibliography():
                self.wrong(
                    "cite", f"no reference is called {key!r}", did_you_mean(key, bibliography())
                )
        return keys

    def _study(self, given: Any) -> StudyInfo:
        if not isinstance(given, dict):
            self.wrong("study", "needs a table", "Write [study]")
            return StudyInfo()
        try:
            return study_info(given, place(self.file))
        except RecordsError as error:
            key = next((key for key in given if key in error.what), "")
            self.wrong(f"study.{key}".rstrip("."), error.what, error.hint or "")
            return StudyInfo()
