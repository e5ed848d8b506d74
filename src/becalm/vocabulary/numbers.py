"""Numbers as people type them: marks between digits, signs for a limit, flags of a laboratory.

A point or a comma before exactly three digits can be a decimal or a thousands mark. Nothing about the number
itself decides which: `9.850` is 9.85 or 9850. So a text has one reading or two, and a reader of records
chooses by what else its file holds (`Spelling.proves`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from becalm.vocabulary.units import COMPARATORS, Sign

Mark: TypeAlias = Literal["", ".", ","]

TWO_READINGS: Final = "the mark may be a decimal or a thousands mark"


class Spelling(NamedTuple):
    """One number as it was typed.

    digits : the number with a decimal point, as it is if a point is the decimal mark. otherwise : the number if a
    comma is the decimal mark, '' where that makes no difference. proves : the decimal mark that this text itself
    shows, '' if none. flag : what a laboratory put beside it, such as H, '' if nothing.
    """

    sign: Sign
    digits: str
    otherwise: str = ""
    proves: Mark = ""
    flag: str = ""

    def text(self, decimal: Mark) -> str:
        """Return the number with its sign and a decimal point, '' if `decimal` does not decide it."""
        if not self.otherwise:
            return self.sign + self.digits
        chosen = {"": "", ".": self.digits, ",": self.otherwise}[decimal]
        return self.sign + chosen if chosen else ""

    def both(self) -> tuple[str, str]:
        """Return both numbers that it can be, the lower one first."""
        low, high = sorted(map(float, (self.digits, self.otherwise)))
        return f"{self.sign}{low:.15g}", f"{self.sign}{high:.15g}"

    def two_readings(self) -> str:
        """Return the reason why it is not read, with both numbers that it can be."""
        return two_readings(*self.both())


_WORDS: Final = "|".join(
    re.escape(words).replace(r"\ ", r"\s+") for words in sorted(COMPARATORS, key=len, reverse=True)
)
LIMIT_IN_COMMENT: Final = rf"^\s*({_WORDS})\s*([0-9][0-9.,]*?)\s*\**(?:\s+[^\s0-9]*[/%][^\s]*)?\s*\**\s*(?:\.?\s*$|[.,]\s|;)"
"""The first statement of a comment, if it is a limit and nothing else: its sign and its number, perhaps with a unit.

It is compared without regard to capitals, and is valid in Python and in DuckDB.
"""
_LIMIT: Final = re.compile(LIMIT_IN_COMMENT, re.IGNORECASE)

_FLAG: Final = r"HH?|LL?|AA?|high|low|\*+|!+|[↑↓⇧⇩▲▼]+"
_FLAGGED: Final = rf"(?:\((?:{_FLAG})\)|\[(?:{_FLAG})\]|{_FLAG})"
_COMPARED: Final = "|".join(re.escape(w) for w in sorted(COMPARATORS, key=len, reverse=True))
_SPELLED: Final = re.compile(
    rf"(?:(?P<before>{_FLAGGED})\s*)?"
    rf"(?P<sign>(?i:{_COMPARED}))?\s*(?P<minus>[+-]?)(?P<body>\d[\d., '’]*|[.,]\d+)(?P<power>[eE][+-]?\d{{1,3}})?"
    rf"(?P<after>(?:\s*{_FLAGGED}){{0,2}})"
)
_UNDECIDED: Final = re.compile(r".*\(([^\s()]+) or ([^\s()]+)\)")
_SIMPLE: Final = re.compile(
    r"(?:\d+(\.(?:\d{1,2}|\d{4,}))?|[1-9]\d{0,2}(\.\d{3})|(?:0\d*|\d{4,})(?=(\.))\.\d{3})", re.ASCII
)
"""The most frequent spellings, read at once: digits, perhaps with one point. Group 2: with two readings."""
_PLAIN: Final = re.compile(r"\d+")
_ONE_MARK: Final = re.compile(r"(\d*)([.,])(\d+)")
_INDIAN: Final = re.compile(r"[1-9]\d?(?:,\d\d)+,\d{3}(?:\.\d+)?")
_GROUPS: Final = re.compile(r"([1-9]\d{0,2})(?:([., '])\d{3})(?:\2\d{3})*(?:(?!\2)([.,])(\d+))?")


def spelling(text: str) -> Spelling | None:
    """Return how a number is spelled; None for a text that is not one number.

    >>> spelling("12.932,7"), spelling("1 234"), spelling(">15000 (H)")
    (Spelling(sign='', digits='12932.7', otherwise='', proves=',', flag=''), \
Spelling(sign='', digits='1234', otherwise='', proves='', flag=''), \
Spelling(sign='>', digits='15000', otherwise='', proves='', flag='H'))
    >>> spelling("9.850").otherwise, spelling("5-6")
    ('9850', None)
    """
    if found := _SIMPLE.fullmatch(text):
        if found[2]:
            return Spelling("", text, text.replace(".", ""))
        return Spelling("", text, "", "." if found[1] or found[3] else "")
    return _spelling(text)


@lru_cache(maxsize=65536)
def _spelling(text: str) -> Spelling | None:
    found = _SPELLED.fullmatch(_visible(text))
    if found is None:
        return None
    body = found["body"].replace("’", "'").rstrip()
    read = _digits(body.removesuffix("."), power=bool(found["power"]))
    if read is None or (found["minus"] and found["sign"]):
        return None
    digits, otherwise, proves = read
    minus, power = found["minus"].replace("+", ""), found["power"] or ""
    flag = re.sub(r"[()\[\]\s]", "", f"{found['before'] or ''}{found['after'] or ''}")
    sign = COMPARATORS[found["sign"].casefold()] if found["sign"] else ""
    return Spelling(
        sign, f"{minus}{digits}{power}", f"{minus}{otherwise}" if otherwise else "", proves, flag
    )


def two_readings(low: str, high: str) -> str:
    """Return the reason why a number with these readings is not read."""
    return f"{TWO_READINGS}: {low} or {high}"


def undecided(text: str) -> str:
    """Return a number with two readings as a text that says both; `of_undecided` finds them again.

    >>> undecided(">9.850")
    '>9.850 (>9.85 or >9850)'
    """
    number = spelling(text)
    assert number is not None
    low, high = number.both()
    return f"{text} ({low} or {high})"


def of_undecided(text: str) -> str:
    """Return the reason why a text of `undecided` is not read, '' for any other text."""
    said = _UNDECIDED.fullmatch(text)
    return two_readings(*said.groups()) if said else ""


@lru_cache(maxsize=65536)
def limit_in(comment: str, number: float) -> Sign:
    """Return the sign of the limit that a comment's first statement says a number is; '' if it says none.

    >>> limit_in("<5*.", 5), limit_in("GREATER THAN 5,000 NG/ML.  VERIFIED.", 5000)
    ('<', '>')
    >>> limit_in("If fasting, >125 provisional diabetes", 125), limit_in("<5 is normal", 5), limit_in("<5", 4)
    ('', '', '')
    """
    said = _LIMIT.match(_visible(comment))
    limit = spelling(said[2]) if said else None
    if said is None or limit is None:
        return ""
    readings = {float(text) for text in (limit.digits, limit.otherwise) if text}
    return COMPARATORS[" ".join(said[1].casefold().split())] if number in readings else ""


def certain(number: str) -> str:
    """Return a number with a decimal point in a form that has one reading: 1.034 becomes 1.0340.

    A spreadsheet's own numbers, and those that were decided before, are written so.
    """
    read = spelling(number)
    return f"{number}0" if read and read.otherwise else number


Digits: TypeAlias = tuple[str, str, Mark]
"""A number with a decimal point, its other reading, and the decimal mark that it shows."""


def _digits(body: str, *, power: bool) -> Digits | None:
    """Return how digits with marks are read; a number with a power of ten has no thousands marks."""
    if _PLAIN.fullmatch(body):
        return body, "", ""
    if one := _ONE_MARK.fullmatch(body):
        return _with_one_mark(*one.groups(), power=power)
    return None if power else _in_groups(body)


def _with_one_mark(whole: str, mark: str, rest: str, *, power: bool) -> Digits:
    if power or len(rest) != 3 or not whole or whole[0] == "0" or len(whole) > 3:
        return f"{whole or '0'}.{rest}", "", "." if mark == "." else ","
    decimal, thousands = f"{whole}.{rest}", whole + rest
    return (decimal, thousands, "") if mark == "." else (thousands, decimal, "")


def _in_groups(body: str) -> Digits | None:
    if _INDIAN.fullmatch(body):  # 12,34,567: the last three digits, then pairs
        return body.replace(",", ""), "", "."
    groups = _GROUPS.fullmatch(body)
    if groups is None:
        return None
    between, decimal, rest = groups[2], groups[3], groups[4]
    whole = re.sub(r"\D", "", body[: body.index(decimal)] if decimal else body)
    if decimal:
        return f"{whole}.{rest}", "", "." if decimal == "." else ","
    proves: dict[str, Mark] = {".": ",", ",": "."}
    return whole, "", proves.get(between, "")


def _visible(text: str) -> str:
    """Return text without what is not seen: odd spaces, full-width forms, invisible characters."""
    if text.isascii():
        return " ".join(text.split())
    seen = "".join(
        c
        for c in unicodedata.normalize("NFKC", text)
        if unicodedata.category(c) not in {"Cf", "Mn"}
    )
    return " ".join(seen.replace("−", "-").split())
