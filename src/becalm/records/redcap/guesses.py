"""What a field of a dictionary probably means: guesses for a draft, each with the words that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.records.mapped.model import Cell, SheetPart
from becalm.records.mapped.names import wrong_words
from becalm.records.redcap.dictionary import RedcapChoice, RedcapField
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary import MeasurementKind, Vocabulary, sexes, words

FILE: Final = Path(__file__).with_name("drafting.toml")
ANNOTATED: Final = re.compile(r"\bbecalm\s*[=:]\s*([a-z]+)\.([a-z_]+)")
_IN_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]+)[)\]]\s*[:?]?$")
_AMOUNT: Final = re.compile(r"(?:mg|g|mcg|µg|ug|iu|units?|ml)(?:/kg|/m2|/m²)?", re.IGNORECASE)
_RATE: Final = re.compile(
    r"(?:mg|g|mcg|µg|ug|iu|units?|ml)(?:/kg)?/(?:h|hr|hour|min|day|d)", re.IGNORECASE
)


class _Times(toml.TomlTable, frozen=True):
    words: tuple[str, ...]
    never: tuple[str, ...]


class _Missing(toml.TomlTable, frozen=True):
    numbers: tuple[int, ...]
    words: tuple[str, ...]
    source: str


class LongForm(toml.TomlTable, frozen=True):
    """A form in which a row says what it is: words of the fields for each column of a sheet, and which it needs."""

    sheet: str
    needs: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]


class DraftWords(toml.TomlTable, frozen=True):
    """The whole file `drafting.toml`."""

    persons: Mapping[str, tuple[str, ...]]
    stays: Mapping[str, tuple[str, ...]]
    times: _Times
    answers: Mapping[str, tuple[str, ...]]
    missing: _Missing
    long: tuple[LongForm, ...]


@cache
def draft_words() -> DraftWords:
    """Return the words by which a draft recognises fields."""
    return toml.load(FILE, DraftWords)


@dataclass(frozen=True)
class Guess:
    """What a column of an export may be: the column of a sheet it fills, and what the mapping must say with it.

    constants : further columns of the sheet with a fixed text. meanings : what its codes mean. spread : whether
    the sheet can be spread over columns by it. whole : whether it is one of several cells of one row of the
    sheet. stated : whether the dictionary's own annotation says so.
    lacks : what a person must add before it can be read. note : what else a person should know of the guess.
    """

    sheet: str
    column: str
    constants: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    spread: bool = False
    whole: bool = False
    stated: bool = False
    lacks: str = ""
    note: str = ""


def base_and_unit(one: RedcapField) -> tuple[str, str]:
    """Return a label without the unit in brackets at its end, and that unit; the note may have the unit alone."""
    label = one.label.strip().rstrip("?:").strip()
    found = _IN_BRACKETS.search(label)
    if found:
        return label[: found.start()].strip(), found.group(1).strip()
    return label, one.note if len(one.note.split()) == 1 else ""


def guess(one: RedcapField, vocabulary: Vocabulary) -> Guess | None:
    """Return what a field that is no checkbox probably means; None if nothing says so."""
    said = ANNOTATED.search(one.annotation)
    if said and said.group(1) in SHEETS and said.group(2) in SHEETS[said.group(1)].columns:
        sheet, column, meanings = said.group(1), said.group(2), _as_labels(one)
        lacks = _unreadable(sheet, column, meanings, vocabulary)
        return Guess(sheet, column, meanings=meanings, whole=True, stated=True, lacks=lacks)
    named = _names(one)
    for sheet, columns in (("persons", draft_words().persons), ("stays", draft_words().stays)):
        for column, known in columns.items():
            if named & {words(each) for each in known} and _fits(one, sheet, column):
                lacks = "the date of that age (age_at)" if column == "age" else ""
                meant = _persons_meanings(one, column)
                return Guess(sheet, column, meanings=meant, whole=True, lacks=lacks)
    if one.is_number or (one.kind == "text" and not one.validation):
        return _measured(one, vocabulary)
    if one.is_chosen:
        return _asked(base_and_unit(one)[0], _answers(one.choices), vocabulary)
    return None


def _names(one: RedcapField) -> set[str]:
    """Return what a field is called, by its label and its name."""
    label = base_and_unit(one)[0]
    return {words(one.label.rstrip("?:")), words(label), words(one.name.replace("_", " "))}


def long_guesses(fields: Iterable[RedcapField], vocabulary: Vocabulary) -> dict[str, Guess]:
    """Return what the fields of a form are in which each row says itself what it is; empty for other forms."""
    for form in draft_words().long:
        found: dict[str, RedcapField] = {}
        for column, known in form.words.items():
            kind = SHEETS[form.sheet].columns[column].kind
            said = {words(each) for each in known}
            for one in fields:
                is_time = kind in {"time", "end"}
                if is_time == one.is_time and one.kind != "checkbox" and _names(one) & said:
                    found.setdefault(column, one)
        if set(form.needs) <= set(found) and len({one.name for one in found.values()}) == len(
            found
        ):
            return {
                one.name: _of_row(form.sheet, column, one, vocabulary)
                for column, one in found.items()
            }
    return {}


def _of_row(sheet: str, column: str, one: RedcapField, vocabulary: Vocabulary) -> Guess:
    meanings = _known_names(sheet, column, one, vocabulary)
    unknown = [c.label for c in one.choices if not meanings[c.code]]
    note = f"; no test that becalm knows: {', '.join(unknown)}" if unknown else ""
    lacks = _unreadable(sheet, column, meanings, vocabulary)
    return Guess(sheet, column, meanings=meanings, whole=True, lacks=lacks, note=note)


def _known_names(
    sheet: str, column: str, one: RedcapField, vocabulary: Vocabulary
) -> dict[str, str]:
    """Return what each code of a choice means: the name that becalm has for its label, else the label.

    A test that becalm does not know has no meaning: a mapping cannot name it.
    """
    found = {}
    for choice in one.choices:
        label, unit = choice.label, ""
        if inside := _IN_BRACKETS.search(label):
            label, unit = label[: inside.start()].strip(), inside.group(1)
        known = choice.label
        if sheet == "labs" and column == "name":
            test = vocabulary.resolve(MeasurementKind("", "name", label, label, unit)).variable
            known = "" if test is None else vocabulary.variables[test].name
        elif column == "drug":
            drug = vocabulary.drug_of(choice.label)
            known = drug.name if drug else choice.label
        found[choice.code] = known
    return found


def _unreadable(
    sheet: str, column: str, meanings: Mapping[str, str], vocabulary: Vocabulary
) -> str:
    """Return what is missing where a word cannot stand in a column of a sheet, '' if all can."""
    cells = {column: Cell(column, column=column, words=meanings)}
    if sheet == "labs":
        cells.setdefault("unit", Cell("unit", column="unit"))
    for wrong in wrong_words(SheetPart("", sheet, "", cells, Cell("")), vocabulary):
        return f"a meaning for its choices: {wrong.what}. {wrong.hint}".strip()
    return ""


def guess_box(choice: RedcapChoice, vocabulary: Vocabulary) -> Guess | None:
    """Return what a box of a checkbox field probably means."""
    return _asked(choice.label, {"1": "yes", "0": ""}, vocabulary)


def _fits(one: RedcapField, sheet: str, column: str) -> bool:
    """Return whether a field can fill a column: a date one of times, a choice one of words."""
    kind = SHEETS[sheet].columns[column].kind
    if kind in {"time", "end"}:
        return one.is_time
    if kind in {"number", "positive"}:
        unit = base_and_unit(one)[1].casefold()
        return column == "age" or (one.is_number and unit == "cm")
    if column == "sex":
        return one.is_chosen and bool(_persons_meanings(one, column))
    return one.is_chosen and bool(_answers(one.choices))


def _persons_meanings(one: RedcapField, column: str) -> dict[str, str]:
    if column == "sex":
        known = {words(text): letter for text, letter in sexes().items()} | {"f": "F", "m": "M"}
        found = {c.code: known.get(words(c.label), "") for c in one.choices}
        return found if set(found.values()) - {""} else {}
    if column == "died":
        return _answers(one.choices)
    return {}


def _as_labels(one: RedcapField) -> dict[str, str]:
    """Return the label of every code: what the annotation of a field fills is read as its label."""
    if one.kind in {"yesno", "truefalse"}:
        return {"1": "yes", "0": "no"}
    return {choice.code: choice.label for choice in one.choices}


def _answers(choices: tuple[RedcapChoice, ...]) -> dict[str, str]:
    """Return what each code answers; empty unless there is a yes and a no."""
    answers = draft_words().answers
    of_word = {words(text): meant for meant, texts in answers.items() for text in texts}
    found = {choice.code: of_word.get(words(choice.label), "") for choice in choices}
    return found if {"yes", "no"} <= set(found.values()) else {}


def _measured(one: RedcapField, vocabulary: Vocabulary) -> Guess | None:
    """Return a laboratory value, a weight, a temperature, or a dose in a column of its own."""
    base, unit = base_and_unit(one)
    for name in dict.fromkeys((base, base.replace("_", " "), one.name.replace("_", " "))):
        found = vocabulary.resolve(MeasurementKind("", "name", name, name, unit))
        if found.variable is not None:
            variable = vocabulary.variables[found.variable]
            lacks = f"the unit ({found.reason})" if found.reason else ""
            constants = {"name": variable.name, "unit": unit}
            return Guess("labs", "value", constants, spread=True, lacks=lacks)
    drug = vocabulary.drug_of(base)
    if drug is None or not one.is_number:
        return None
    if _RATE.fullmatch(unit):
        return Guess("doses", "rate", {"drug": drug.name, "rate_unit": unit})
    lacks = "" if _AMOUNT.fullmatch(unit) else "the unit of the amount"
    return Guess(
        "doses", "amount", {"drug": drug.name, "amount_unit": unit}, spread=True, lacks=lacks
    )


def _asked(label: str, answers: Mapping[str, str], vocabulary: Vocabulary) -> Guess | None:
    """Return a finding, a diagnosis or a procedure that is answered by yes or no."""
    if not answers:
        return None
    if vocabulary.findings_of(label):
        name = vocabulary.finding_of(label) or label
        return Guess("findings", "present", {"finding": name}, dict(answers), spread=True)
    if vocabulary.conditions_of("", "", label):
        means = {"yes": "confirmed", "no": "excluded"}
        status = {code: means.get(meant, "") for code, meant in answers.items()}
        return Guess("conditions", "status", {"name": label}, status, spread=True)
    if vocabulary.procedures_of("", "", label):
        done = {code: label if meant == "yes" else "" for code, meant in answers.items()}
        return Guess("procedures", "name", meanings=done)
    return None
