"""Numbers and times as people write them, with the place of what is not understood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from becalm.core.errors import UsageError, did_you_mean
from becalm.pk import units

_TOKEN: Final = re.compile(
    r"[+-]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][+-]?\d+)?(?![\d.,])|[^\s\d]+|\S+"
)


class Word(NamedTuple):
    """A piece of a text: what it says, and its column, from 1."""

    text: str
    column: int


class WordReader:
    """Words of a text, read from left to right; a mistake names the column. what : how messages call the text."""

    def __init__(self, text: str, what: str, column: int = 1) -> None:
        self.text, self.what = text, what
        self.words = [Word(m.group(), column + m.start()) for m in _TOKEN.finditer(text)]
        self._end = column + len(text.rstrip())
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self.words)

    def peek(self) -> str:
        """Return the next word in small letters; '' at the end."""
        return self.words[self._at].text.lower() if self else ""

    def next(self) -> Word:
        """Return the next word and go on; at the end an empty one."""
        word = self.words[self._at] if self else Word("", self._end)
        self._at += 1
        return word

    @property
    def here(self) -> Word:
        """The next word, without going on; at the end an empty one."""
        return self.words[self._at] if self else Word("", self._end)

    def takes(self, *words: str) -> bool:
        """Go on if the next words are these."""
        following = [word.text.lower() for word in self.words[self._at : self._at + len(words)]]
        if following != list(words):
            return False
        self._at += len(words)
        return True

    def error(self, what: str, column: int | None = None, hint: str = "") -> UsageError:
        """Return a mistake at a column, by default that of the next word."""
        if column is None:
            column = self.here.column
        return UsageError(what, where=f"{self.what}, column {column}", hint=hint or None)

    def unknown(self, known: Iterable[str]) -> UsageError:
        """Return the mistake that the next word is none of those that may stand here."""
        if not self:
            return self.error("ends here", hint=f"Expected: {', '.join(known)}")
        word = self.words[self._at]
        return self.error(
            f"{word.text!r} is not understood", word.column, did_you_mean(word.text.lower(), known)
        )

    def is_number(self) -> bool:
        """Return whether the next word is a number."""
        return bool(self) and (self.peek()[0].isdigit() or self.peek()[:2].lstrip("+-.")[:1].isdigit())  # fmt: skip

    def number(self, of: str) -> float:
        """Read a number; `of` says of what, for the message. A comma could be either mark and is refused."""
        if not self.is_number():
            got = f", not {self.words[self._at].text!r}" if self else ""
            raise self.error(f"{of} needs a number{got}")
        word = self.next()
        if "," in word.text:
            raise self.error(
                f"{word.text!r} has a comma", word.column, "Write 1.5 for a decimal, 2400 without a mark"
            )  # fmt: skip
        try:
            value = float(word.text)
        except ValueError as error:
            raise self.error(f"{word.text!r} is no number", word.column) from error
        if not 0 <= value < float("inf"):
            raise self.error(f"{of} cannot be {word.text}", word.column)
        return value

    def unit(self, to: str) -> float:
        """Read a unit; return by how much a value is multiplied to be one in `to`."""
        if not self:
            raise self.error("a unit is missing", hint=f"For example {to}")
        word = self.next()
        try:
            return units.factor(word.text, to)
        except UsageError as error:
            raise self.error(error.what, word.column, error.hint or "") from error

    def hours(self, of: str) -> float:
        """Read a length of time, such as `6 h`, `30 min` or `7 d`; above 0."""
        column = self.here.column
        value = self.number(of)
        length = value * self.unit("h")
        if not length > 0:
            raise self.error(f"{of} is not above 0", column)
        return length


def read_quantity(text: str, unit: str, what: str) -> float:
    """Read a number, with or without a unit, as a number in `unit`. what : for messages.

    Raises `UsageError` with the column of what is not understood.

    >>> read_quantity("400 ng/mL", "mg/L", "target")
    0.4
    """
    reader = WordReader(text, what)
    value = reader.number("a quantity")
    if reader:
        value *= reader.unit(unit)
    if reader:
        raise reader.error(f"{reader.here.text!r} is not understood")
    return value
