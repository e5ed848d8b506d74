"""Typing and checking the cells of a sheet, a whole column at a time.

Each different text is read once, so 300,000 rows take little longer than their different cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Array, Floats, Mask, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.errors import RecordsError
from becalm.records.possible import PLACEHOLDER, no_date, no_year
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.partial_dates import Span, read_span, year_of_span
from becalm.records.sheets.plausible import longest, plausible_range
from becalm.records.sheets.reading import (
    Wrong,
    read_choice,
    read_common_times,
    read_number,
    read_time,
)
from becalm.records.sheets.schema import SHEETS, SheetColumn
from becalm.records.sheets.top_coded import least_of
from becalm.vocabulary.numbers import Spelling, spelling, undecided

_SHOWN: Final = 5
_LINES: Final = 50


@dataclass(frozen=True)
class _Mistake:
    sheet: Sheet
    row: int
    column: str
    what: str
    hint: str

    def where(self) -> str:
        return self.sheet.where(self.row, self.column)


@dataclass
class Mistakes:
    """All mistakes, in groups of one kind, so that one line can report many rows."""

    groups: dict[tuple[str, str, str], list[_Mistake]] = field(default_factory=dict)

    def add(self, sheet: Sheet, row: int, column: str, wrong: Wrong) -> None:
        """Note a mistake at a row and column of a sheet."""
        mistake = _Mistake(sheet, row, column, wrong.what, wrong.hint)
        self.groups.setdefault((sheet.name, column, wrong.kind), []).append(mistake)

    def stop(self, earlier: Sequence[RecordsError] = ()) -> None:
        """Raise all mistakes as one `RecordsError`, one line for each kind with its rows.

        earlier : mistakes that were found before the cells were read. Of more than 50 lines the last
        says how many there are besides.
        """
        lines = [each for error in earlier for each in error.each()]
        seen: set[tuple[str, str]] = set()
        for group in self.groups.values():
            places = {(each.where(), each.what): each for each in group}  # read by two parts: once
            told = [each for place, each in places.items() if place not in seen]
            seen.update(places)
            lines += [_in_one_line(told)] if told else []
        if len(lines) > _LINES:
            besides = len(lines) - _LINES + 1
            lines[_LINES - 1 :] = [
                RecordsError(f"{besides} more kinds of mistakes", hint="Correct those above first")
            ]
        if lines:
            raise RecordsError.of(lines)


def _in_one_line(group: Sequence[_Mistake]) -> RecordsError:
    """Return the mistakes of one kind: the first one, and the rows of the others."""
    first, *rest = sorted(group, key=lambda mistake: mistake.row)
    rows = ", ".join(str(mistake.row) for mistake in rest[:_SHOWN])
    more = " ...)" if len(rest) > _SHOWN else ")"
    like = f", and {len(rest)} more like it ({_rows(rest)} {rows}{more}" if rest else ""
    return RecordsError(first.what + like, where=first.where(), hint=first.hint)


def _rows(rest: Sequence[_Mistake]) -> str:
    return "row" if len(rest) == 1 else "rows"


@dataclass(frozen=True)
class Checked:
    """A sheet whose cells are being typed; mistakes are noted, not raised.

    A mistake in a row that is not used (a dose that was not given) stops nobody. `unused` has the word
    that says so, `left_out` the column of the first mistake, both by the position of the row. `cells` has
    the reason for each cell that is not used although its row is. `broken` are cells that were already noted.
    `silent` are cells that say nothing, whatever is in them (the rate of a row that says stopped).
    `chosen` are the numbers that had two readings, each with the one that the sheet's other cells decided.
    """

    sheet: Sheet
    mistakes: Mistakes
    left_out: dict[int, str] = field(default_factory=dict)
    unused: dict[int, str] = field(default_factory=dict)
    cells: dict[tuple[int, str], str] = field(default_factory=dict)
    broken: set[tuple[int, str]] = field(default_factory=set)
    silent: set[tuple[int, str]] = field(default_factory=set)
    chosen: dict[str, str] = field(default_factory=dict)
    _times: dict[str, tuple[Times, Mask]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unused := SHEETS[self.sheet.name].unused:
            name, unused_words = unused
            texts = self.sheet.texts(name)
            words_of = {text: read_choice(text, self.column(name)) for text in set(texts)}
            for i, text in enumerate(texts):
                if (word := words_of[text]) in unused_words:
                    self.unused[i] = str(word)
        if silent := SHEETS[self.sheet.name].silent:
            name, word, columns = silent
            texts = self.sheet.texts(name)
            says = {text: read_choice(text, self.column(name)) == word for text in set(texts)}
            rows = [i for i, text in enumerate(texts) if says[text]]
            self.silent.update((i, column) for i in rows for column in columns)
        place = {row: i for i, row in enumerate(self.sheet.rows)} if self.sheet.broken else {}
        for cell in self.sheet.broken:
            wrong = Wrong(cell.kind, cell.what, cell.hint)
            if cell.row in place:
                self.broken.add((place[cell.row], cell.column))
                self.add(place[cell.row], cell.column, wrong)
            else:  # the only cell of its row
                self.mistakes.add(self.sheet, cell.row, cell.column, wrong)

    def column(self, name: str) -> SheetColumn:
        """Return the rules for a column of this sheet."""
        return SHEETS[self.sheet.name].columns[name]

    def add(self, at: int, column: str, wrong: Wrong) -> None:
        """Note a mistake at a position; a row that is not used is left out instead."""
        if (at, column) in self.silent:
            return
        if at in self.unused:
            self.left_out.setdefault(at, column)
        else:
            self.mistakes.add(self.sheet, self.sheet.rows[at], column, wrong)

    def refuse_cell(self, at: int, column: str, reason: str) -> None:
        """Count a cell that is not used; the rest of its row is."""
        if (at, column) not in self.silent:
            self.cells[at, column] = reason

    def note(self, at: Iterable[int], column: str, wrong: Callable[[int], Wrong]) -> None:
        """Note a mistake at each of these positions."""
        for position in at:
            self.add(position, column, wrong(position))

    def texts(self, name: str) -> Array:
        """Return a column of text; a blank in a column that must be filled is a mistake.

        A text that its column does not understand is counted, and stays as written.
        """
        texts = self.sheet.texts(name)
        if reads := self.column(name).reads:
            lost = {text for text in set(texts) if text and reads(text) is None}
            self._refuse_words(name, [i for i, text in enumerate(texts) if text in lost])
        if self.column(name).blank == "mistake":
            self._note_blanks(name, texts)
        return _objects(texts)

    def times(self, name: str) -> tuple[Times, Mask]:
        """Return microseconds, and which cells hold a date without a time.

        The date of an `end` column means the end of that day, any other its beginning.
        """
        if name in self._times:
            return self._times[name]
        texts = self._dates_that_can_be(name)
        if self.column(name).partial:
            partial = {text for text in set(texts) if read_span(text)}
            texts = ["" if text in partial else text for text in texts]
        common = read_common_times(set(texts))
        read = self._read(name, texts, lambda text: common.get(text) or read_time(text))
        moments = np.array([read[text][0] for text in texts], dtype=np.int64)
        date_only = np.array([read[text][1] for text in texts], dtype=np.bool_)
        if self.column(name).kind == "end":
            moments[date_only] += DAY
        if self.column(name).blank == "mistake":
            self._note_blanks(name, texts)
        self._times[name] = moments, date_only
        return moments, date_only

    def spans(self, name: str) -> tuple[Times, Times]:
        """Return the first and the last moment of the months and years in a column, unknown for other texts."""
        texts = self.sheet.texts(name)
        unknown = UNKNOWN_TIME, UNKNOWN_TIME
        read = {text: self._span(name, text) or unknown for text in set(texts)}
        both = np.array([read[text] for text in texts], dtype=np.int64).reshape(-1, 2)
        return both[:, 0].copy(), both[:, 1].copy()

    def _dates_that_can_be(self, name: str) -> list[str]:
        """Return the texts of a time column; one that stands for no date, or cannot be true, is blank and counted.

        Where a time must be, one that cannot be true is a mistake.
        """
        texts, birth = self.sheet.texts(name), name == "birth_date"
        none = {
            text: why for text in set(texts) if (why := self._why_none(name, text, birth=birth))
        }
        if not none:
            return texts
        for i, text in enumerate(texts):
            why = none.get(text, "")
            if not why:
                continue
            if why != PLACEHOLDER and self.column(name).blank == "mistake":
                what = f"{text!r} is {why.partition(':')[0]}"
                self.add(i, name, Wrong("implausible", what, "Correct the year"))
                self.broken.add((i, name))
            else:
                self.refuse_cell(i, name, why)
        return ["" if text in none else text for text in texts]

    def implausible(self, name: str) -> list[int]:
        """Return the positions of times that were written and are not used because they cannot be true."""
        return [
            i
            for i, text in enumerate(self.sheet.texts(name))
            if no_date(text) not in {"", PLACEHOLDER}
        ]

    def _why_none(self, name: str, text: str, *, birth: bool) -> str:
        if not text:
            return ""
        year = year_of_span(text) if self.column(name).partial else None
        return no_date(text, birth=birth) if year is None else no_year(year)

    def _span(self, name: str, text: str) -> Span | None:
        return None if self._why_none(name, text, birth=False) else read_span(text)

    def numbers(self, name: str) -> Floats:
        """Return numbers, NaN where blank; text and impossible numbers are mistakes."""
        texts = self.sheet.texts(name)
        positive = self.column(name).kind == "positive"
        doubtful = self._with_two_readings(name, texts)
        means = {text: "" if text in doubtful else self.number_text(text) for text in set(texts)}
        if self.column(name).top_coded:
            means |= self._least(name, texts)
        read = self._read(
            name, texts, lambda text: read_number(means.get(text, ""), positive=positive)
        )
        numbers = np.array([read[text] for text in texts], dtype=np.float64)
        if bounds := plausible_range(self.sheet.name, name):
            low, high = bounds
            reason = f"outside plausible range ({low:g} to {high:g}): cell not used"
            for i in np.flatnonzero((numbers < low) | (numbers > high)).tolist():
                self.refuse_cell(i, name, reason)
                numbers[i] = np.nan
        return numbers

    def choices(self, name: str) -> Array:
        """Return words of the column's closed list in its own spelling, '' where blank.

        A word outside the list is a mistake, or it stays as written and is counted.
        """
        column, texts = self.column(name), self.sheet.texts(name)
        read = self._read(name, texts, lambda text: read_choice(text, column))
        return _objects([read[text] for text in texts])

    def numeric_texts(self, name: str) -> Array:
        """Return a column of text that may hold numbers, each with a decimal point and without flags.

        A number with two readings, between which the sheet's other cells do not decide, says both.
        """
        texts = self.texts(name)
        means = {text: self._with_sign(text) for text in set(texts.tolist())}
        return _objects([means[text] for text in texts.tolist()])

    def _with_sign(self, text: str) -> str:
        number = spelling(text)
        if number is None:
            return text
        return self._decided(text, number) or undecided(text)

    def _least(self, name: str, texts: list[str]) -> dict[str, str]:
        """Return the least number of each text that is a lower limit, such as `>89`; count their cells."""
        found = {text: least for text in set(texts) if (least := least_of(text))}
        for i, text in enumerate(texts) if found else ():
            if text in found:
                self.refuse_cell(i, name, f"only a lower limit is known: {found[text]} is used")
        return found

    def number_text(self, text: str) -> str:
        """Return a number without a sign for a limit and without flags; any other text as it is."""
        number = spelling(text)
        if number is None or number.sign or number.flag:
            return text
        return self._decided(text, number)

    def _decided(self, text: str, number: Spelling) -> str:
        reading = self.sheet.decimal.decides(number)
        if number.otherwise and reading not in {"", text}:
            self.chosen[text] = reading
        return reading

    def _with_two_readings(self, name: str, texts: list[str]) -> set[str]:
        """Count cells whose number has two readings and is not decided; return their texts."""
        reasons = {
            text: number.two_readings()
            for text in set(texts)
            if (number := spelling(text)) and not self.sheet.decimal.decides(number)
        }
        for i, text in enumerate(texts) if reasons else ():
            if text in reasons:
                self.refuse_cell(i, name, f"{reasons[text]}: cell not used")
        return set(reasons)

    def units_beside_numbers(self) -> None:
        """Note numbers without their unit."""
        for number, unit in SHEETS[self.sheet.name].pairs:
            wrong = Wrong("unit", f"{number} without {unit}", "Write the unit, such as mg or mg/h")
            written = zip(self.sheet.texts(number), self.sheet.texts(unit), strict=True)
            for i, (value, unit_text) in enumerate(written):
                if value and not unit_text:
                    self.add(i, unit, wrong)

    def ends_after_starts(self) -> None:
        """Note rows that end before they start; a bare date may mean any moment of its day."""
        self.not_too_long()
        for start, end in SHEETS[self.sheet.name].spans:
            (starts, _), (ends, end_is_date) = self.times(start), self.times(end)
            latest = ends + (DAY if self.column(end).kind != "end" else 0) * end_is_date
            wrong = (starts != UNKNOWN_TIME) & (ends != UNKNOWN_TIME) & (latest < starts)
            begun, ended = self.sheet.texts(start), self.sheet.texts(end)
            for i in np.flatnonzero(wrong).tolist():
                what = f"{end} {ended[i]} is before {start} {begun[i]}"
                self.add(i, end, Wrong("order", what, "Correct one of the two"))

    def not_too_long(self) -> None:
        """Leave out times that are too long after another time of their row; count them."""
        for rule in longest(self.sheet.name):
            (begun, _), (ended, is_date) = self.times(rule.after), self.times(rule.column)
            known = (begun != UNKNOWN_TIME) & (ended != UNKNOWN_TIME)
            far = known & (np.where(known, ended - begun, 0) > rule.upto.us)
            for i in np.flatnonzero(far).tolist():
                reason = f"more than {rule.upto} after {rule.after}: cell not used"
                self.refuse_cell(i, rule.column, reason)
            self._times[rule.column] = np.where(far, UNKNOWN_TIME, ended), is_date & ~far

    def _read(self, name: str, texts: list[str], how: Callable[[str], Any]) -> dict[str, Any]:
        """Read each distinct text once, noting those that are wrong."""
        read: dict[str, Any] = {}
        wrong: dict[str, Wrong] = {}
        for text in set(texts):
            result = how(text)
            if isinstance(result, Wrong):
                wrong[text] = result
                result = text if self.column(name).outside == "listed" else how("")
            read[text] = result
        if wrong:
            at = [i for i, text in enumerate(texts) if text in wrong]
            if self.column(name).outside == "listed":
                self._refuse_words(name, at)
            else:
                self.note(at, name, lambda i: wrong[texts[i]])
        return read

    def _refuse_words(self, name: str, at: Iterable[int]) -> None:
        """Count words outside the list of a column that lets the run go on."""
        reason = f"not understood: cell not used. Known: {self.column(name).known}"
        for i in at:
            self.refuse_cell(i, name, reason)

    def _note_blanks(self, name: str, texts: list[str]) -> None:
        self.note(
            (i for i, text in enumerate(texts) if not text and (i, name) not in self.broken),
            name,
            lambda _: Wrong(
                "blank",
                f"{name} is blank",
                f"Every row of {self.sheet.name} needs one; NA, nd, -99 and the like count as blank",
            ),
        )


def _objects(texts: Sequence[str]) -> Array:
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column
