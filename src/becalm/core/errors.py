"""The mistakes of users: one class and one exit code for each kind.

A message is one line that says where (file, row, column), what is wrong and how to correct it; records,
protocols and definitions may have several mistakes, each with its line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, Self

LONGEST_TOLD: Final = 160
"""Greatest length of a cell of the records in a message or in a list of what is not understood."""
_LONGEST_PART: Final = 800
"""Greatest length of each part of a message: where, what, and the hint."""


def shortened(text: str, most: int = LONGEST_TOLD) -> str:
    """Return a text of the records as it is told: of a long one the beginning, the end and the length.

    >>> shortened("dexamethasone"), shortened("x" * 1000, most=40)
    ('dexamethasone', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ... [1,000 characters] ... xxxxxxx')
    """
    if len(text) <= most:
        return text
    end = most // 5
    return f"{text[: most - end - 1]} ... [{len(text):,} characters] ... {text[-end + 1 :]}"


class BecalmError(Exception):
    """A mistake that can be explained in one line; any other exception is a bug in becalm (exit 70)."""

    exit_code = 70

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = shortened(what, _LONGEST_PART)
        self.where = where and shortened(where, _LONGEST_PART)
        self.hint = hint and shortened(hint, _LONGEST_PART)
        super().__init__(self.line())

    def line(self) -> str:
        """Return the whole message as one line: `where: what. hint`.

        >>> BecalmError("no such word", hint="Known: a, b").line()
        'no such word. Known: a, b'
        >>> BecalmError("not known: a, b ...", hint="Correct it").line()
        'not known: a, b ... Correct it'
        """
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.hint:
            end = "" if text.endswith(" ...") else "."
            text = f"{text if not end else text.rstrip('.')}{end} {self.hint}"
        return " ".join(text.split())


class UsageError(BecalmError):
    """A command has a wrong option or argument."""

    exit_code = 2


class UnreadableFileError(BecalmError):
    """A file is missing, truncated, wrongly encoded, or of another format than its name says."""

    exit_code = 3


class SeveralMistakesError(BecalmError):
    """Something is wrong in one place or in several: `others` are the mistakes after the first."""

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        others: Sequence[Self] = (),
    ) -> None:
        self.others = tuple(others)
        super().__init__(what, where=where, hint=hint)

    def line(self) -> str:
        """Return one line for each mistake."""
        return "\n".join((super().line(), *(other.line() for other in self.others)))

    def alone(self) -> Self:
        """Return this mistake without the others."""
        return type(self)(self.what, where=self.where, hint=self.hint)

    def each(self) -> list[Self]:
        """Return every mistake by itself, the first one first."""
        return [self.alone(), *(other.alone() for other in self.others)]

    @classmethod
    def of(cls, mistakes: Sequence[Self]) -> Self:
        """Return several mistakes as one error that lists them all."""
        first, *others = mistakes
        return cls(first.what, where=first.where, hint=first.hint, others=others)


class RecordsError(SeveralMistakesError):
    """The files can be read, but the records in them cannot be understood."""

    exit_code = 4


class DefinitionError(SeveralMistakesError):
    """A protocol or a definition is wrong."""

    exit_code = 5


class OutputError(BecalmError):
    """The results cannot be written."""

    exit_code = 6


class ConnectionFailedError(BecalmError):
    """A database does not answer or refuses."""

    exit_code = 7


class MissingExtraError(BecalmError):
    """An optional part of becalm is not installed."""

    exit_code = 8


def place(file: str, row: int | None = None, column: str | None = None) -> str:
    """Return a place in a file in the form of all messages: `labs.csv, row 12, column value`.

    Rows count as a spreadsheet shows them: the header is row 1.
    """
    parts = [file]
    if row is not None:
        parts.append(f"row {row}")
    if column is not None:
        parts.append(f"column {column}")
    return ", ".join(parts)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'?`, or the list of known words if none is similar."""
    words = sorted(set(known))
    word = word[:LONGEST_TOLD]
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(words[:12])}{' ...' if len(words) > 12 else ''}"
