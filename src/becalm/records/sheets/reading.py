"""Reading the text of one cell: a time, a number, a word of a closed list; or what is wrong with it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from becalm.core.clock import UNKNOWN_TIME, parse
from becalm.core.errors import did_you_mean
from becalm.records.sheets.schema import SheetColumn
from becalm.vocabulary import words

PLAIN_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d{1,2})(:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?) ?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_COMMON_MOMENT: Final = re.compile(
    r"(?:19|2\d)\d\d-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
)
_DAY_FIRST_OR_MONTH_FIRST: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d\d)\b.*")
_TIME_OF_DAY: Final = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?")
_WRITE_A_DATE: Final = "Write 2020-03-04T10:00, or 2020-03-04 if the time is not known"


@dataclass(frozen=True)
class Wrong:
    """A mistake in a cell's text: its kind, the message, and how to correct it."""

    kind: str
    what: str
    hint: str


def read_common_times(texts: set[str]) -> dict[str, tuple[int, bool]]:
    """Return the result of `read_time` for texts in the most common form, all at once."""
    common = [text for text in texts if _COMMON_MOMENT.fullmatch(text)]
    try:
        moments = np.array(common, dtype="datetime64[us]").astype(np.int64).tolist()
    except ValueError:  # a day that is not in the calendar: read_time reports it
        return {}
    return {text: (moment, False) for text, moment in zip(common, moments, strict=True)}


def read_time(text: str) -> tuple[int, bool] | Wrong:
    """Return microseconds and whether the text is a date only; '' is an unknown time."""
    if not text:
        return UNKNOWN_TIME, False
    match = _MOMENT.fullmatch(text)
    if match is None:
        return _not_a_time(text)
    day, hour, rest = match.groups()
    try:
        moment, date_only = parse(f"{day}T{hour:0>2}{rest}" if hour else day)
    except ValueError:
        return Wrong("time", f"{text!r} is not a valid date and time", _WRITE_A_DATE)
    return moment, date_only


def _not_a_time(text: str) -> Wrong:
    if PLAIN_NUMBER.fullmatch(text):
        return Wrong("number", f"{text!r} is a number, but a date is needed", _WRITE_A_DATE)
    if _TIME_OF_DAY.fullmatch(text):
        return Wrong("clock", f"{text!r} is a time of day without a date", _WRITE_A_DATE)
    match = _DAY_FIRST_OR_MONTH_FIRST.fullmatch(text)
    if match is None:
        return Wrong("time", f"{text!r} is not a date or a time", _WRITE_A_DATE)
    one, two, year = (int(part) for part in match.groups())
    if year >= 1000 and 1 <= one <= 12 and 1 <= two <= 12 and one != two:
        either = f"{date(year, two, one)} or {date(year, one, two)}"
        return Wrong("slash", f"{text!r} can be read in two ways", f"Write {either}")
    return Wrong("slash", f"{text!r} is not written year-month-day", _WRITE_A_DATE)


def read_number(text: str, *, positive: bool = False) -> float | Wrong:
    """Return a number of at least zero (`positive`: above zero); '' is NaN, unknown."""
    if not text:
        return math.nan
    if not PLAIN_NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        hint = "Write a number alone; its unit has a column of its own"
        return Wrong("number", f"{text!r} is not a number", hint)
    number = float(text)
    if number < 0 or (positive and number == 0):
        least = "above 0" if positive else "at least 0"
        return Wrong("range", f"{text} must be {least}", "Clear the cell if it is unknown")
    return number


def read_choice(text: str, column: SheetColumn) -> str | Wrong:
    """Return a word of a column's closed list in the list's spelling; '' stays '', unknown."""
    known = {word.casefold(): word for word in column.among}
    chosen: list[str] = []
    for part in text.split("|") if column.kind == "choices" else [text]:
        word = part.strip()
        if not word:
            continue
        if "?" not in word:  # "definite?" says less than "definite"
            word = column.spelled.get(words(word), word)
        if column.reads and (meant := column.reads(word)) is not None:
            if not meant:
                continue
            word = meant
        if word.casefold() not in known:
            near = did_you_mean(word, column.among)
            leave = "leave it blank if it is unknown"
            hint = f"{near} Or {leave}" if near.endswith("?") else f"{near}; {leave}"
            return Wrong("choice", f"{word!r} is not one of the list", hint)
        if known[word.casefold()] not in chosen:
            chosen.append(known[word.casefold()])
    return "|".join(chosen)
