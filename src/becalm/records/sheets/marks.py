"""The decimal mark of a file, decided by its own cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from becalm.vocabulary.numbers import Mark, Spelling, spelling


@dataclass(frozen=True)
class DecimalMark:
    """The decimal mark of a file, '' where its cells do not decide it, and cells that show one.

    With both marks among the cells nothing is decided.
    """

    mark: Mark = ""
    shown: tuple[str, ...] = ()

    def decides(self, number: Spelling) -> str:
        """Return a number with a decimal point, '' if it has two readings and nothing decides."""
        return number.text(self.mark)

    def why(self, text: str, reading: str) -> str:
        """Return why a number with two readings has this one."""
        names = {".": "point", ",": "comma"}
        return (
            f"numbers such as {text} were read as {reading}, because a {names[self.mark]} is the "
            f"decimal mark in {self.shown[0]}"
        )


UNDECIDED = DecimalMark()


def decimal_mark(texts: Iterable[str]) -> DecimalMark:
    """Return the decimal mark that the numbers among some texts show.

    >>> decimal_mark(["9.850", "12,5", "1 234"])
    DecimalMark(mark=',', shown=('12,5',))
    >>> decimal_mark(["9.850", "15.000"]).mark, decimal_mark(["12,5", "12.5"]).mark
    ('', '')
    """
    shown: dict[Mark, str] = {}
    for text in texts:
        if "." not in text and "," not in text:
            continue
        read = spelling(text)
        if read and read.proves:
            shown[read.proves] = min(shown.get(read.proves, text), text)
    mark: Mark = next(iter(shown)) if len(shown) == 1 else ""
    return DecimalMark(mark, tuple(shown[each] for each in sorted(shown)))
