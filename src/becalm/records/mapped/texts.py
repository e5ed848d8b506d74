"""The texts of a cell in every row: read from the table, looked up in another, or counted from a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from becalm.core.clock import from_us
from becalm.records.mapped.flat import Flat
from becalm.records.mapped.model import Cell
from becalm.records.possible import is_placeholder
from becalm.records.sheets.blanks import stands_for_blank
from becalm.records.sheets.reading import PLAIN_NUMBER, Wrong, read_time

_WHOLE: Final = re.compile(r"([+-]?\d+)\.0+")
_OFFSET: Final = re.compile(r":\d\d(?:[.,]\d+)? ?(Z|[+-]\d\d(?::?\d\d)?)$")
_CORRECT: Final = "Correct it, or clear the cell if the value is unknown"


@dataclass(frozen=True)
class CellTexts:
    """The texts of a cell in every row of a table, and what is wrong with some, by position."""

    texts: list[str]
    broken: Mapping[int, Wrong]


def cell_texts(
    cell: Cell, table: str, flats: Mapping[str, Flat], *, blank_is_told: bool = False
) -> CellTexts:
    """Return the texts of a cell of a part that reads `table`.

    blank_is_told : whether a blank in this column is itself counted or a mistake. Where it is not, a time that
    is counted from a blank is a mistake.
    """
    found = (
        _looked_up(cell, flats[table], flats[cell.table])
        if cell.table
        else _own(cell, flats[table])
    )
    if cell.since is None:
        return found
    anchors = cell_texts(cell.since, table, flats)
    return _counted(cell, found, anchors, blank_is_told=blank_is_told)


def _own(cell: Cell, flat: Flat) -> CellTexts:
    broken = {i: Wrong("broken", what, _CORRECT) for i, what in flat.broken_for(cell).items()}
    return CellTexts(flat.texts(cell), broken)


def _looked_up(cell: Cell, flat: Flat, other: Flat) -> CellTexts:
    """Return the texts of another table's rows that have the same key.

    A key without a row has the text of `otherwise`, and is a mistake where the mapping says none.
    """
    assert cell.key is not None
    assert cell.by is not None
    keys, values = _own(cell.key, other), _own(cell, other)
    means: dict[str, str] = {}
    wrong: dict[str, Wrong] = {}
    row_of: dict[str, int] = {}
    for i, (written, text) in enumerate(zip(keys.texts, values.texts, strict=True)):
        key = as_key(written)
        if not key:
            continue
        before = means.setdefault(key, "")
        if i in values.broken:
            what = f"{other.file}, row {other.rows[i]}: {values.broken[i].what}"
            wrong[key] = Wrong("broken", what, _CORRECT)
        if text and before and text != before:
            rows = f"rows {other.rows[row_of[key]]} and {other.rows[i]}"
            what = f"{rows} of {other.file} have different {cell.column} for {cell.key.column} {written!r}"
            wrong.setdefault(key, Wrong("several", what, "Correct one, or choose rows with where"))
        elif text and not before:
            means[key], row_of[key] = text, i
    asked = _own(cell.by, flat)
    texts, broken = [], dict(asked.broken)
    others = _others(cell, flat)
    for i, written in enumerate(asked.texts):
        key = as_key(written)
        texts.append("" if key in wrong else means.get(key, ""))
        if key in wrong:
            broken.setdefault(i, wrong[key])
        elif key not in means and others is not None:
            texts[-1] = others.texts[i]
            if i in others.broken:
                broken.setdefault(i, others.broken[i])
        elif key and key not in means:
            what = f"{other.file} has no row with {cell.key.column} {written!r}"
            broken.setdefault(i, Wrong("no row", what, "Add the row there, or correct the key"))
    return CellTexts(texts, broken)


def _others(cell: Cell, flat: Flat) -> CellTexts | None:
    """Return the texts for keys without a row: of a cell of the own table, or blank; None where none is stated."""
    if cell.otherwise is None:
        return None
    if cell.otherwise.column or cell.otherwise.always:
        return _own(cell.otherwise, flat)
    return CellTexts([""] * len(flat.rows), {})


def as_key(key: str) -> str:
    """Return a key in the form for comparison: 12.0 is 12, and 012 is another one."""
    whole = _WHOLE.fullmatch(key)
    return whole.group(1) if whole else key


def _counted(
    cell: Cell, lengths: CellTexts, anchors: CellTexts, *, blank_is_told: bool
) -> CellTexts:
    """Return times, each counted from its anchor; a column of whole days has dates only."""
    numbers = [float(text) for text in set(lengths.texts) if PLAIN_NUMBER.fullmatch(text)]
    dates = cell.counted_in == "days" and all((n - cell.first).is_integer() for n in numbers)
    read: dict[tuple[str, str], str | Wrong] = {}
    texts, broken = [], dict(lengths.broken)
    for i, pair in enumerate(zip(lengths.texts, anchors.texts, strict=True)):
        length, _ = pair
        if not length or stands_for_blank(length):
            texts.append("")
            continue
        if pair not in read:
            read[pair] = _moment(cell, *pair, dates=dates, blank_is_told=blank_is_told)
        moment = anchors.broken.get(i) or read[pair]
        texts.append("" if isinstance(moment, Wrong) else moment)
        if isinstance(moment, Wrong):
            broken.setdefault(i, moment)
    return CellTexts(texts, broken)


def _moment(
    cell: Cell, length: str, anchor: str, *, dates: bool, blank_is_told: bool
) -> str | Wrong:
    """Return the time that is a length of time after its anchor."""
    assert cell.since is not None
    counted = f"{length} {cell.counted_in} after {cell.since.column or 'a time'}"
    if not PLAIN_NUMBER.fullmatch(length):
        what = f"{length!r} is not a number of {cell.counted_in}"
        return Wrong("count", what, "Write a number alone, or give it a meaning with words")
    if not anchor or stands_for_blank(anchor) or is_placeholder(anchor):
        wrong = Wrong("anchor", f"{counted}, which is blank", "Write the time it is counted from")
        return "" if blank_is_told else wrong
    start = _start(anchor, counted, dates=dates)
    if isinstance(start, Wrong):
        return start
    try:
        moment = from_us(start) + timedelta(**{cell.counted_in: float(length) - cell.first})
    except OverflowError:
        return Wrong("far", f"{counted} is not a date", "Correct the number")
    offset = _OFFSET.search(anchor)
    whole = moment.isoformat() + (offset.group(1) if offset else "")
    return moment.date().isoformat() if dates else whole


def _start(anchor: str, counted: str, *, dates: bool) -> int | Wrong:
    """Return the time of an anchor; minutes and hours need one with a time of day."""
    start = read_time(anchor)
    if isinstance(start, Wrong):
        return Wrong(start.kind, f"{counted}: {start.what}", start.hint)
    if start[1] and not dates:
        what = f"{counted} {anchor}, a date without a time of day"
        return Wrong("date", what, "Write its time of day, or count in whole days")
    return start[0]
