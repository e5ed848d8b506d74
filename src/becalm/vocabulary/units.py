"""Units by table, and numbers as a laboratory writes them.

An unknown unit is never guessed and a missing unit is never assumed: such a row is refused and
counted. `>15000` stays a lower limit and `<0.2` an upper limit in every later stage.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats

Sign: TypeAlias = Literal["", ">", ">=", "<", "<="]

SIGNS: Final[tuple[Sign, ...]] = ("", ">", ">=", "<", "<=")
"""A sign's position here is its code in arrays; code 0 is an exact value."""

NO_VALUE: Final = "no value"
NOT_A_NUMBER: Final = "not a number"
AMBIGUOUS_COMMA: Final = "comma could be a decimal or a thousands mark"
A_RANGE: Final = "a range, not one number"
UNIT_IN_VALUE: Final = "text after the number; write the unit in its own column"


class NotAValueError(ValueError):
    """A result that is not one number, censored or not; its message is the reason."""


UNROUNDED: Final = -1
"""The `decimals` of a conversion at full precision."""


class Conversion(NamedTuple):
    """(value + shift) × times ÷ by; it never decreases, so a lower limit stays a lower limit.

    A division is computed as a division: 57 mg/dL ÷ 100 is 0.57 g/L, whereas 57 × 0.01 is not. `decimals` is the
    resolution in which thresholds for the canonical unit were made: a converted value is rounded to it.
    """

    shift: float = 0.0
    times: float = 1.0
    by: float = 1.0
    decimals: int = UNROUNDED

    def apply(self, value: float) -> float:
        """Return `value` in the canonical unit.

        >>> Conversion(-32, 1, 1.8, decimals=1).apply(101.1)
        38.4
        """
        converted = (value + self.shift) * self.times / self.by
        return converted if self.decimals == UNROUNDED else round(converted, self.decimals)

    def back(self, value: float) -> float:
        """Return a canonical `value` in the written unit, as exactly as it was rounded."""
        return value * self.by / self.times - self.shift


class WrittenNumber(NamedTuple):
    """A result as written: its number and, for a limit, the sign."""

    number: float
    sign: Sign = ""

    def interval(self, floor: float = 0.0) -> tuple[float, float]:
        """Return the lowest and highest possible value; `<x` begins at `floor`."""
        low, high = bounds(
            np.array([self.number], np.float64),
            np.array([SIGNS.index(self.sign)]),
            np.array([floor]),
        )
        return float(low[0]), float(high[0])


def bounds(number: Floats, sign: npt.NDArray[np.integer], floor: Floats) -> tuple[Floats, Floats]:
    """Return low and high of each number: `>x` is (x, ∞], `>=x` [x, ∞], `<x` [floor, x).

    `sign` holds positions in `SIGNS`. The excluded limits are replaced by the next binary numbers.
    Apply it after conversion, so that the printed limit is the converted limit itself.
    """
    low, high = number.copy(), number.copy()
    low[sign == 1] = np.nextafter(number[sign == 1], np.inf)
    high[(sign == 1) | (sign == 2)] = np.inf
    high[sign == 3] = np.nextafter(number[sign == 3], -np.inf)
    low[(sign == 3) | (sign == 4)] = floor[(sign == 3) | (sign == 4)]
    return low, high


def limit(bound: float) -> float:
    """Return the number that was written, from one end of a censored interval.

    >>> limit(float(np.nextafter(15000, np.inf)))
    15000.0
    """
    return float(f"{bound:.12g}")


_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_GROUPED: Final = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"
_PLAIN = re.compile(rf"(?:{_NUMBER})\.?")
_THOUSANDS = re.compile(_GROUPED)
_COMMA = re.compile(r"[+-]?\d*,[\d,.]*")
_BETWEEN = re.compile(rf"(?:{_NUMBER})\s*(?:-|–|—|\bto\b|/)\s*(?:{_NUMBER}).*")
_BEGINS_WITH_NUMBER = re.compile(rf"(?:{_GROUPED}|{_NUMBER})\s*[a-z%/µμ].*")
COMPARATORS: Final[dict[str, Sign]] = {
    ">": ">",
    ">=": ">=",
    "=>": ">=",
    "≥": ">=",
    "<": "<",
    "<=": "<=",
    "=<": "<=",
    "≤": "<=",
    "greater than": ">",
    "more than": ">",
    "higher than": ">",
    "above": ">",
    "over": ">",
    "exceeds": ">",
    "greater than or equal to": ">=",
    "at least": ">=",
    "less than": "<",
    "lower than": "<",
    "below": "<",
    "under": "<",
    "less than or equal to": "<=",
    "at most": "<=",
}
"""How a limit is written, in lower case, with its sign."""

_CENSORED = re.compile(
    "("
    + "|".join(re.escape(words) for words in sorted(COMPARATORS, key=len, reverse=True))
    + rf")\s*({_GROUPED}|{_NUMBER})"
    # A laboratory's comment may follow as a second sentence; nothing else may.
    + r"(?:\.?|\.\s.*)"
)


@lru_cache(maxsize=65536)
def parse_value(text: str) -> WrittenNumber:
    """Read one result: `12.3`, `1,200`, `>15000`, `≤ 0.2`, `GREATER THAN 21000`.

    A comma is a thousands mark only before groups of three digits and after a digit other than
    a leading zero; `12,3` and `0,200` are ambiguous and refused, as are `1-2`,
    `Hemolyzed` and `___`.

    Raises
    ------
    NotAValueError
        With the reason.
    """
    plain = _clean(text)
    if not plain:
        raise NotAValueError(NO_VALUE)
    censored = _CENSORED.fullmatch(plain)
    if censored:
        return WrittenNumber(_number(censored[2]), COMPARATORS[censored[1]])
    if _PLAIN.fullmatch(plain) or _THOUSANDS.fullmatch(plain):
        return WrittenNumber(_number(plain))
    if _COMMA.fullmatch(plain.lstrip("<>=≤≥ ")):
        raise NotAValueError(AMBIGUOUS_COMMA)
    if _BETWEEN.fullmatch(plain):
        raise NotAValueError(A_RANGE)
    if _BEGINS_WITH_NUMBER.fullmatch(plain.lstrip("<>=≤≥ ")):
        raise NotAValueError(UNIT_IN_VALUE)
    raise NotAValueError(NOT_A_NUMBER)


def _number(text: str) -> float:
    value = float(text.replace(",", "").rstrip("."))
    if not np.isfinite(value):
        raise NotAValueError(NOT_A_NUMBER)
    return value


def _clean(text: str) -> str:
    """Return lower case without invisible characters, full-width forms and repeated spaces."""
    compatible = unicodedata.normalize("NFKC", text)
    seen = "".join(c for c in compatible if unicodedata.category(c) != "Cf")
    return " ".join(seen.casefold().split())


_SUPERSCRIPT = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_COUNT = re.compile(r"[x*]?10(?:\^|\*{1,2}|e|exp)?\+?0?(3|6|9|12)(?:cells?)?/(.+)")
_PER_VOLUME = re.compile(r"[.*]?([unmd]?l)\^?-1")
_EXPONENT = re.compile(r"[x*]?e\+?0?(3|6|9|12)/(.+)")
_WORDS: Final = tuple(
    (re.compile(pattern), short)
    for pattern, short in (
        (r"\bmicro\s?lit(?:er|re)s?\b", "ul"),
        (r"\bmilli\s?lit(?:er|re)s?\b", "ml"),
        (r"\bdeci\s?lit(?:er|re)s?\b", "dl"),
        (r"\blit(?:er|re)s?\b", "l"),
        (r"\bmicro\s?grams?\b", "ug"),
        (r"\bnano\s?grams?\b", "ng"),
        (r"\bpico\s?grams?\b", "pg"),
        (r"\bmilli\s?grams?\b", "mg"),
        (r"\bkilo\s?grams?\b", "kg"),
        (r"\bgrams?\b", "g"),
        (r"\bgm\b", "g"),
        (r"\bmcg\b|\bmicrog\b", "ug"),
        (r"\bmcl\b", "ul"),
        (r"\bmcmol\b", "umol"),
        (r"\bcubic millimet(?:er|re)s?\b", "ul"),
        (r"\bmm\^?3\b|\bcu\.?\s?mm\b|\bcmm\b", "ul"),
        (r"\bhours?\b|\bhrs?\b", "h"),
        (r"\bminutes?\b|\bmins\b", "min"),
        (r"\bseconds?\b|\bsecs?\b", "s"),
    )
)


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Return one spelling for all ways to write the same unit; its meaning is not changed.

    Case, spaces, invisible characters, the three characters for µ, superscripts, brackets and the
    many ways to write a power of ten are made equal; nothing is converted.

    >>> normalise("x10³/µL") == normalise("10^3 / mcL") == normalise("10*3/uL")
    True
    """
    raised = _SUPERSCRIPT.sub(lambda m: "^" + unicodedata.normalize("NFKC", m[0]), text)
    plain = _clean(raised).replace("μ", "u").replace("×", "x").rstrip(".")
    plain = plain.replace(" per ", "/").replace("·", "*").replace("_", "")
    for pattern, short in _WORDS:
        plain = pattern.sub(short, plain)
    plain = re.sub(r"[\s\[\]{}()]|\.(?=/)", "", plain)
    plain = _PER_VOLUME.sub(r"/\1", plain.replace("−", "-"))
    for kind in ("feu", "ddu"):
        if kind in plain:
            plain = plain.replace(kind, "") + kind
    power_of_ten = _COUNT.fullmatch(plain) or _EXPONENT.fullmatch(plain)
    return f"10*{power_of_ten[1]}/{power_of_ten[2]}" if power_of_ten else plain


BLANK_UNITS: Final = frozenset({"", "-", "n/a", "na", "none", "null", "nan", "."})
"""Entries of a unit column that mean that there is no unit."""
