"""Check of the words in a mapping: variables, units, findings, words of closed lists.

The words of a table are checked when it is read. A misspelt word of the mapping would apply to every
row and make a whole column disappear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from becalm.core.toml_position import TomlMistake
from becalm.records.mapped.model import Cell, Mapped, SheetPart
from becalm.records.sheets.reading import PLAIN_NUMBER, Wrong, read_choice, read_number, read_time
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary import MeasurementKind, Vocabulary

_NEAR: Final = "Did you mean"


def wrong_names(mapped: Mapped) -> Iterator[TomlMistake]:
    """Yield every unknown word of a mapping, and every unit that cannot be converted."""
    words = mapped.vocabulary
    seen: set[tuple[str, str]] = set()
    for part in mapped.parts:
        for complaint in wrong_words(part, words):
            if (complaint.at, complaint.what) not in seen:
                seen.add((complaint.at, complaint.what))
                yield complaint


def wrong_words(part: SheetPart, words: Vocabulary) -> Iterator[TomlMistake]:
    """Yield every unknown word of one part of a mapping."""
    yield from _cells(part)
    yield from _measured(part, words) if part.sheet == "labs" else _named(part, words)


def _stated(cell: Cell) -> Iterator[tuple[str, str]]:
    """Yield the texts that the mapping itself puts into a column, each with its place."""
    if cell.always:
        yield cell.always, cell.at if not cell.column else f"{cell.at}.always"
    for meant in cell.words.values():
        if meant:
            yield meant, f"{cell.at}.words"


def _cells(part: SheetPart) -> Iterator[TomlMistake]:
    """Yield constant texts that are not in a closed list, no number or no time."""
    for name, cell in part.cells.items():
        column = SHEETS[part.sheet].columns[name]
        if cell.counted_in:
            yield from _lengths(name, cell)
            continue
        for text, at in _stated(cell):
            if column.among:
                read: object = read_choice(text, column)
            elif column.kind in {"time", "end"}:
                read = read_time(text)
            elif column.kind in {"number", "positive"}:
                read = read_number(text, positive=column.kind == "positive")
            else:
                continue
            if isinstance(read, Wrong):
                hint = f"One of: {', '.join(column.among)}" if column.among else read.hint
                yield TomlMistake(at, f"{name}: {read.what}", hint)


def _lengths(name: str, cell: Cell) -> Iterator[TomlMistake]:
    """Yield lengths of time that are no numbers, and fixed times that are no times."""
    for text, at in _stated(cell):
        if not PLAIN_NUMBER.fullmatch(text):
            yield TomlMistake(at, f"{name}: {text!r} is not a number of {cell.counted_in}")
    for text, at in _stated(cell.since) if cell.since else ():
        read = read_time(text)
        if isinstance(read, Wrong):
            yield TomlMistake(at, f"{name}: {read.what}", read.hint)
        elif read[1] and cell.counted_in != "days":
            what = f"{name}: {cell.counted_in} cannot be counted from {text}, a date without a time"
            yield TomlMistake(at, what, f"Write {text}T00:00, or the time that is meant")


def _measured(part: SheetPart, words: Vocabulary) -> Iterator[TomlMistake]:
    """Yield unknown variables, and units that cannot be converted to the variable's unit."""
    unit = part.cells.get("unit")
    for key in ("loinc", "name"):
        cell = part.cells.get(key)
        for text, at in _stated(cell) if cell else ():
            system = "LOINC" if key == "loinc" else "name"
            unit_text = unit.always if unit and not unit.column else ""
            name = part.constant("name") if key == "loinc" else text
            resolution = words.resolve(MeasurementKind("", system, text, name, unit_text))
            if resolution.variable is None:
                yield TomlMistake(at, f"no variable is called {text!r}", words.suggest(text))
            elif unit is None or not unit.column:
                yield from _unit(
                    part, words, words.variables[resolution.variable].name, unit_text, at
                )


def _unit(
    part: SheetPart, words: Vocabulary, name: str, unit_text: str, at: str
) -> Iterator[TomlMistake]:
    variable = words.variable(name)
    _, reason = words.unit_of(variable, unit_text)
    if reason:
        unit = part.cells.get("unit")
        what = f"{unit_text!r} does not convert to {variable.unit} of {name}: {reason}"
        if not unit_text:
            what = f"'unit' is missing: {name} has one"
        yield TomlMistake(unit.at if unit else part.at, what, f"Known: {', '.join(variable.units)}")


def _named(part: SheetPart, words: Vocabulary) -> Iterator[TomlMistake]:
    """Yield names that are similar, but not equal, to a known name.

    A name that the vocabulary does not have is allowed.
    """
    questions: dict[tuple[str, str], tuple[Callable[[str], object], Callable[[str], str]]] = {
        ("doses", "drug"): (words.drug_of, words.suggest_drug),
        ("findings", "finding"): (words.findings_of, words.suggest_finding),
        ("conditions", "name"): (
            lambda text: words.conditions_of("", "", text),
            words.suggest_condition,
        ),
        ("procedures", "name"): (
            lambda text: words.procedures_of("", "", text),
            words.suggest_procedure,
        ),
    }
    for (sheet, key), (known, suggest) in questions.items():
        cell = part.cells.get(key) if part.sheet == sheet else None
        for text, at in _stated(cell) if cell else ():
            if not known(text) and (hint := suggest(text)).startswith(_NEAR):
                yield TomlMistake(at, f"no {key} is called {text!r}", hint)
