"""Reading the cells of a mapping file, and noting what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from becalm.core.errors import did_you_mean
from becalm.core.toml_position import TomlMistake
from becalm.records.mapped.model import UNITS_OF_TIME, Cell, token, unnamed

CELL: Final = (
    "column", "position", "always", "words", "nothing", "where", "only_with", "carry_down", "whole",
    "ceiling", "floor", "verified", "source", "table", "key", "by", "otherwise",
    "in", "since", "first",
)  # fmt: skip
_ORIGIN: Final = ("column", "position", "always")
_LOOKED_UP: Final = ("table", "key", "by", "otherwise")
_COUNTED: Final = ("in", "since", "first")
_UNNAMED: Final = "A column without a name is { position = 1 }"
_LOOK_UP: Final = 'Write { table = "stays", column = "patient", key = "stay" }'
_COUNT: Final = 'Write { column = "hour", in = "hours", since = "admitted" }'
OF_COLUMN: Final = ("words", "nothing", "carry_down", "whole", "ceiling", "floor")
"""Keys about the texts of a column: beside `always` they would be ignored."""
IN_COLUMNS: Final = tuple(
    key for key in CELL if key not in {*_ORIGIN, *_LOOKED_UP, *_COUNTED, "carry_down"}
)
"""Keys about the cells of a column that `columns` names."""


@dataclass(kw_only=True)
class CellReader:
    """Reader of cells and of single values, with the mistakes so far."""

    complaints: list[TomlMistake] = field(default_factory=list)

    def wrong(self, at: str, what: str, hint: str = "") -> None:
        """Note a mistake at a place of the mapping."""
        self.complaints.append(TomlMistake(at, what, hint))

    def cell(self, value: Any, at: str, without: Iterable[str] = ()) -> Cell:
        """Return a cell; `without` are keys that it cannot have because it stands in another cell."""
        if isinstance(value, str) and value:
            return Cell(at, column=value.strip())
        if not isinstance(value, dict):
            hint = 'Write the column\'s name in quotes, or { always = "..." }'
            self.wrong(at, "needs the name of a column, or a table", hint)
            return Cell(at, always="?")
        self.keys(value, at, [key for key in CELL if key not in set(without)])
        if sum(key in value for key in _ORIGIN) != 1:
            self.wrong(at, "needs either 'column' or 'always'", _UNNAMED)
        if "column" not in value and "position" not in value:
            for key in OF_COLUMN:
                if key in value:
                    what = f"{key!r} has no effect without a column"
                    self.wrong(f"{at}.{key}", what, "Remove it, or write 'column'")
        words = self._words(value.get("words", {}), f"{at}.words")
        if "" in words and value.get("carry_down") is True:
            what = "an empty cell cannot be both a word and the cell above it"
            self.wrong(f"{at}.words", what, 'Remove "" from words, or remove carry_down')
        column = self.text(value.get("column", ""), f"{at}.column")
        if "position" in value:
            column = self._position(value["position"], f"{at}.position")
        return Cell(
            at,
            column=column,
            always=self.text(value.get("always", ""), f"{at}.always"),
            words=words,
            nothing=self.tokens(value.get("nothing", []), f"{at}.nothing"),
            where=self.where(value.get("where", {}), f"{at}.where"),
            only_with=self.text(value.get("only_with", ""), f"{at}.only_with"),
            carry_down=self.flag(value.get("carry_down", False), f"{at}.carry_down"),
            whole=self.flag(value.get("whole", False), f"{at}.whole"),
            ceiling=self.number(value.get("ceiling"), f"{at}.ceiling"),
            floor=self.number(value.get("floor"), f"{at}.floor"),
            verified=self.flag(value.get("verified", True), f"{at}.verified"),
            source=self.text(value.get("source", ""), f"{at}.source"),
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
        key = self.cell(value["key"], f"{at}.key", simple)
        by = Cell(f"{at}.key", column=key.column)
        if "by" in value:
            by = self.cell(value["by"], f"{at}.by", simple)
        table = self.text(value["table"], f"{at}.table")
        if value.get("otherwise") in ("", None):
            other = Cell(f"{at}.otherwise") if "otherwise" in value else None
        else:
            other = self.cell(value["otherwise"], f"{at}.otherwise", simple)
        return {"table": table, "key": key, "by": by, "otherwise": other}

    def _counted(self, value: Mapping[str, Any], at: str, without: Iterable[str]) -> dict[str, Any]:
        """Return the unit in which a time is counted, and from when."""
        given = [key for key in _COUNTED if key in value and key not in set(without)]
        if not given:
            return {}
        for key in ("in", "since"):
            if key not in value:
                self.wrong(at, f"{key!r} is missing", _COUNT)
                return {}
        unit = self.text(value["in"], f"{at}.in")
        if unit not in UNITS_OF_TIME:
            hint = did_you_mean(unit, UNITS_OF_TIME)
            self.wrong(f"{at}.in", f"no unit of time is called {unit!r}", hint)
            return {}
        since = self.cell(value["since"], f"{at}.since", _COUNTED)
        first = self.number(value.get("first", 0), f"{at}.first") or 0.0
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
            words[known] = self.text(meant, f"{at}.words.{word}".rstrip("."))
        return words

    def where(self, value: Any, at: str) -> dict[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            self.wrong(at, "needs a table", 'Write { COLUMN = "text" }')
            return {}
        return {column: self.tokens(allowed, f"{at}.{column}") for column, allowed in value.items()}

    def keys(self, table: Mapping[str, Any], at: str, known: Iterable[str]) -> None:
        words = list(known)
        for key in table:
            if key not in words:
                here = f"{at}.{key}" if at else key
                self.wrong(here, f"unknown key {key!r}", did_you_mean(key, words))

    def text(self, value: Any, at: str) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.wrong(at, "needs a text in quotes")
            return ""
        return str(value) if value == "\t" else str(value).strip()

    def texts(self, value: Any, at: str) -> tuple[str, ...]:
        return tuple(
            self.text(each, at) for each in (value if isinstance(value, list) else [value])
        )

    def tokens(self, value: Any, at: str) -> tuple[str, ...]:
        return tuple(token(text) for text in self.texts(value, at))

    def flag(self, value: Any, at: str) -> bool:
        if not isinstance(value, bool):
            self.wrong(at, "needs true or false")
        return value is True

    def number(self, value: Any, at: str) -> float | None:
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return None if value is None else float(value)
        self.wrong(at, "needs a number")
        return None
