"""A draft of the mapping of a REDCap project, from its dictionary: a person checks it and completes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from becalm import vocabulary
from becalm.records.mapped.model import RedcapBlock
from becalm.records.redcap.dictionary import RedcapDictionary, RedcapField, box, read_dictionary
from becalm.records.redcap.export import RedcapExport, read_export
from becalm.records.redcap.guesses import (
    ANNOTATED,
    Guess,
    base_and_unit,
    draft_words,
    guess,
    guess_box,
    long_guesses,
)
from becalm.records.redcap.header import EVENT, GROUP
from becalm.records.redcap.scanning import scanned
from becalm.records.redcap.tables import RECORDS, VISIT
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary import Vocabulary, words

_HEAD: Final = """\
# A mapping for the REDCap export {data}, drafted by becalm from {dictionary}.
#
# A draft is a proposal. Read every line; where it is right, delete `verified = false` (each such line is printed in
# the report as not verified), where it is wrong, correct or delete it. At the end stand the fields that are not used.
# How it is written: docs/redcap.md and docs/mapping.md. What becomes of each field and cell:
#     becalm redcap fates FOLDER --mapping THIS_FILE
"""
_WHY_NOT: Final = {
    "calc": "calculated by REDCap",
    "file": "a file",
    "notes": "free text",
    "descriptive": "text for the person who enters data",
    "sql": "a query",
}


@dataclass
class _Column:
    """A column of the export with what it probably is."""

    name: str
    field: RedcapField
    guess: Guess


@dataclass(frozen=True)
class _Time:
    """The field that dates what stands beside it, and the cell that reads it."""

    field: str
    cell: str


@dataclass
class _Draft:
    """A draft while it is written: lines by part, and the columns that have found a place."""

    dictionary: RedcapDictionary
    export: RedcapExport
    words: Vocabulary
    lines: list[str] = field(default_factory=list)
    placed: set[str] = field(default_factory=set)
    open: dict[str, str] = field(default_factory=dict)


def draft(data: Path, dictionary: Path, events: Path | None = None, head: str = _HEAD) -> str:
    """Return a draft of the mapping for an export, as TOML; all files must be in one folder.

    head : the lines above it. Every field of the dictionary is in it: read into a sheet, or listed with the reason why not.

    Raises `RecordsError` where the dictionary does not fit the export, and `UnreadableFileError`.
    """
    known = read_dictionary(dictionary)
    events_name = events.name if events else ""
    block = RedcapBlock(data.name, dictionary.name, known.record_id.name, events_name)
    block = scanned(data, known, block)
    export = read_export(data, known, block, events)
    work = _Draft(known, export, vocabulary.load())
    work.lines += [head.format(data=data.name, dictionary=dictionary.name), *_block(block)]
    by_form = {form: list(_columns(work, form)) for form in known.forms}
    work.lines += _persons(work, by_form)
    for form, columns in by_form.items():
        work.lines += _of_form(work, form, columns)
    work.lines += _unused(work)
    return "\n".join(work.lines).rstrip() + "\n"


def _block(block: RedcapBlock) -> Iterator[str]:
    yield "[redcap]"
    for key in ("data", "dictionary", "events", "record_id"):
        if text := getattr(block, key):
            yield f"{key} = {_quoted(text)}"
    if block.missing:
        yield "# Cells that no field can have otherwise; the project's own list is under Project Setup."
        yield f"missing = {_inline(block.missing)}"
    if block.instruments:
        yield f"instruments = {_inline(block.instruments)}"
    yield ""


def _columns(work: _Draft, form: str) -> Iterator[_Column]:
    """Yield the columns of a form that probably mean something."""
    fields = work.dictionary.of_form(form)
    long = long_guesses(fields, work.words)
    for one in fields:
        if one.name in long and not ANNOTATED.search(one.annotation):
            yield _Column(one.name, one, long[one.name])
        elif one.kind == "checkbox":
            for choice in one.choices:
                found = guess_box(choice, work.words)
                if found:
                    yield _Column(box(one.name, choice.code), one, found)
        elif found := guess(one, work.words):
            yield _Column(one.name, one, found)


# ------------------------------------------------------------ persons


def _persons(work: _Draft, by_form: Mapping[str, Sequence[_Column]]) -> Iterator[str]:
    """Yield `[persons]`: every record, with what the forms say of the person."""
    record = work.dictionary.record_id.name
    yield "# Every record is a person. A value is looked up in all rows of the record; where two differ the run stops."
    yield "[persons]"
    yield f"table = {_quoted(RECORDS)}"
    seen: set[str] = set()
    for form, columns in by_form.items():
        for one in columns:
            if one.guess.sheet != "persons" or one.name not in work.export.at or one.guess.lacks:
                continue
            if one.guess.column in seen:
                work.open[one.name] = f"another field fills persons.{one.guess.column}"
                continue
            seen.add(one.guess.column)
            cell = [f"table = {_quoted(form)}", f"column = {_quoted(one.name)}"]
            cell += [f"key = {_quoted(record)}", 'otherwise = ""', *_meant(one), *_doubt(one)]
            yield f"{one.guess.column} = {{ {', '.join(cell)} }}"
            work.placed.add(one.name)
    yield ""


# ------------------------------------------------------------ the other sheets


def _of_form(work: _Draft, form: str, columns: Sequence[_Column]) -> Iterator[str]:
    """Yield the blocks of one form."""
    of_sheet: dict[tuple[str, bool], list[_Column]] = {}
    for one in columns:
        if one.name not in work.export.at:
            work.open.setdefault(one.name, "not in the export")
        elif one.guess.lacks:
            work.open[one.name] = f"{_as_cell(one)} lacks {one.guess.lacks}"
        elif one.guess.sheet != "persons":
            of_sheet.setdefault((one.guess.sheet, one.guess.whole), []).append(one)
    for (sheet, whole), found in of_sheet.items():
        if whole:
            yield from _whole(work, form, sheet, found)
            continue
        time = None if sheet == "conditions" else _time(work, form)
        if time is None and sheet != "conditions":
            for one in found:
                work.open[one.name] = f"{_as_cell(one)}, but no date says when"
            continue
        spread = [one for one in found if one.guess.spread]
        if spread:
            yield from _spread(work, form, sheet, time, spread)
        for one in found:
            if not one.guess.spread:
                yield from _single(work, form, sheet, time, one)


def _whole(work: _Draft, form: str, sheet: str, found: Sequence[_Column]) -> Iterator[str]:
    """Yield one block that is filled by several fields of one row, if it has what a row must have."""
    filled: dict[str, _Column] = {}
    for one in found:
        if filled.setdefault(one.guess.column, one) is not one:
            work.open[one.name] = f"another field fills {sheet}.{one.guess.column}"
    time = None
    if "time" in SHEETS[sheet].required() and "time" not in filled:
        time = _time(work, form)
    if lacking := _lacking(sheet, {*filled, *(["time"] if time else [])}):
        for one in filled.values():
            work.open[one.name] = f"{_as_cell(one)}, but no field is {sheet}.{lacking}"
        return
    yield f"[[{sheet}]]"
    yield f"table = {_quoted(form)}"
    if time:
        work.placed.add(time.field)
        yield f"time = {time.cell}"
    for one in filled.values():
        cell = [f"column = {_quoted(one.name)}", *_meant(one), *_doubt(one)]
        simple = len(cell) == 1
        yield f"{one.guess.column} = {_quoted(one.name) if simple else _table(cell)}"
        work.placed.add(one.name)
    if sheet == "stays" and GROUP in work.export.at and "hospital" not in filled:
        yield f"hospital = {_quoted(GROUP)}"
    yield ""


def _lacking(sheet: str, filled: set[str]) -> str:
    """Return a column without which a row of a sheet cannot be read, '' if it has all."""
    schema = SHEETS[sheet]
    lacking = [name for name in schema.required() if name not in {*filled, "person_id"}]
    if not lacking and schema.either and not any(set(group) <= filled for group in schema.either):
        group = max(schema.either, key=lambda each: len(filled & set(each)))
        lacking = [name for name in group if name not in filled]
    return lacking[0] if lacking else ""


def _spread(
    work: _Draft, form: str, sheet: str, time: _Time | None, found: Sequence[_Column]
) -> Iterator[str]:
    """Yield one block with a column for each variable."""
    start = "start" if sheet == "doses" else "time"
    yield f"[[{sheet}]]"
    yield f"table = {_quoted(form)}"
    if time:
        work.placed.add(time.field)
        yield f"{start} = {time.cell}"
    yield f"[{sheet}.columns]"
    for one in found:
        constants = [f"{name} = {_quoted(text)}" for name, text in one.guess.constants.items()]
        yield f"{one.name} = {_table([*constants, *_meant(one), *_doubt(one)])}"
        work.placed.add(one.name)
    yield ""


def _single(work: _Draft, form: str, sheet: str, time: _Time | None, one: _Column) -> Iterator[str]:
    """Yield a block for one field."""
    yield f"[[{sheet}]]"
    yield f"table = {_quoted(form)}"
    if time:
        work.placed.add(time.field)
        yield f"start = {time.cell}"
    for name, text in one.guess.constants.items():
        yield f"{name} = {{ always = {_quoted(text)} }}"
    cell = [f"column = {_quoted(one.name)}", *_meant(one), *_doubt(one)]
    yield f"{one.guess.column} = {_table(cell)}"
    yield ""
    work.placed.add(one.name)


# ------------------------------------------------------------ when


def _time(work: _Draft, form: str) -> _Time | None:
    """Return the time of what a form has: a date of its own, else one of the same visit."""
    own = _best_date(work, form)
    if own:
        others = [one.name for one in _dates(work, form) if one is not own]
        why = f"drafted: the date of {form} is taken from {own.name}"
        why += f", not from {', '.join(others)}" if others else ""
        return _Time(own.name, _table([f"column = {_quoted(own.name)}", *_marked(why)]))
    rows = work.export.rows_of_form[form]
    visits = {work.export.visits[row] for row in rows}
    # Without events, or in an instrument that repeats, one date of the record would date all of them.
    if not rows or EVENT not in work.export.at or any(work.export.repeats[row] for row in rows):
        return None
    for other in work.dictionary.forms:
        one = _best_date(work, other) if other != form else None
        if one is None:
            continue
        cells = work.export.cells[work.export.at[one.name]]
        dated = [work.export.visits[r] for r in work.export.rows_of_form[other] if cells[r].text]
        if visits <= set(dated) and len(dated) == len(set(dated)):
            why = f"drafted: {form} has no date, so that of the same visit in {other}"
            cell = [f"table = {_quoted(other)}", f"column = {_quoted(one.name)}"]
            cell += [f"key = {_quoted(VISIT)}", 'otherwise = ""', *_marked(why)]
            return _Time(one.name, _table(cell))
    return None


def _dates(work: _Draft, form: str) -> list[RedcapField]:
    """Return the fields of a form that may date what stands beside them."""
    never = draft_words().times.never
    return [
        one
        for one in work.dictionary.of_form(form)
        if one.is_time
        and one.name in work.export.at
        and not any(word in words(f"{one.label} {one.name}") for word in never)
        and guess(one, work.words) is None
    ]


def _best_date(work: _Draft, form: str) -> RedcapField | None:
    """Return the date whose name says most clearly that it is the time of a sample or a visit."""
    dates = _dates(work, form)
    for word in draft_words().times.words:
        for one in dates:
            if word in words(f"{one.label} {one.name}".replace("_", " ")).split():
                return one
    return dates[0] if dates else None


# ------------------------------------------------------------ what is not used


def _unused(work: _Draft) -> Iterator[str]:
    """Yield the fields that nothing reads, form by form, with the reason."""
    yield "# Fields that this mapping does not use:"
    for form in work.dictionary.forms:
        listed = [line for one in work.dictionary.fields if one.form == form
                  for line in _why_not(work, one)]  # fmt: skip
        if listed:
            yield f"#   {form}"
            yield from (f"#     {line}" for line in listed)


def _why_not(work: _Draft, one: RedcapField) -> Iterator[str]:
    """Yield a line for a field, or for each box of it, that is not used."""
    if one is work.dictionary.record_id:
        yield f"{one.name}: the id of the record, which every row has"
        return
    names = (
        [(box(one.name, choice.code), choice.label) for choice in one.choices]
        if one.kind == "checkbox"
        else [(one.name, one.label)]
    )
    for name, label in names:
        if name not in work.placed:
            kind = _WHY_NOT.get(one.kind, f"{one.kind} {one.validation}".strip())
            why = work.open.get(name) or kind
            who = ", identifies a person" if one.identifier else ""
            yield f"{name}: {json.dumps(label, ensure_ascii=False)} ({why}{who})"


# ------------------------------------------------------------ TOML


def _as_cell(one: _Column) -> str:
    said = ", ".join(text for text in one.guess.constants.values() if text)
    return f"{one.guess.sheet}.{one.guess.column}{f' ({said})' if said else ''}"


def _meant(one: _Column) -> list[str]:
    return [f"words = {_inline(one.guess.meanings)}"] if one.guess.meanings else []


def _doubt(one: _Column) -> list[str]:
    if one.guess.stated:
        return []
    label, unit = base_and_unit(one.field)
    said = one.field.label if not unit or unit in one.field.label else f"{label}, {unit}"
    return _marked(f"drafted from the label {said!r}{one.guess.note}")


def _marked(why: str) -> list[str]:
    return ["verified = false", f"source = {_quoted(why)}"]


def _table(parts: Sequence[str]) -> str:
    return f"{{ {', '.join(parts)} }}"


def _inline(texts: Mapping[str, str]) -> str:
    return _table([f"{_quoted(key)} = {_quoted(text)}" for key, text in texts.items()])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
