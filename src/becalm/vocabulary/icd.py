"""The form of a diagnosis code of ICD: its parts, and what letters behind it say.

The German modification (ICD-10-GM) writes letters behind a code: A excluded, V suspected, Z history,
G confirmed, and before them the side (R, L, B). The American one (ICD-10-CM) has a seventh character,
which says the encounter and never the certainty. Source: BfArM, ICD-10-GM, "Zusatzkennzeichen"; CDC,
ICD-10-CM Official Guidelines, I.A.5 and I.B.13.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal, TypeAlias

from becalm.core import toml

Certainty: TypeAlias = Literal["confirmed", "suspected", "excluded", "history"]

CERTAINTY: Final[dict[str, Certainty]] = {
    "A": "excluded", "V": "suspected", "Z": "history", "G": "confirmed",
}  # fmt: skip
_MARKS: Final = "*†‡!+#"
"""Cross, star and exclamation mark: a code that is used together with another."""

_GERMAN: Final = re.compile(r"([A-Z]\d\d(?:\.?(?:\d{1,2}|-))?)([RLB]?)([AVZG]?)")
"""Three characters, then up to two digits; the dot may be left out."""
_AMERICAN: Final = re.compile(
    r"[A-D]\d[0-9A-Z](?:\d{0,3}|[A-WYZ][0-9AB]\d?|\d[A-WYZ]|\d[\dA-C]\d|\dB)|C44\d{4}"
    r"|[E-Z]\d[0-9A-Z](?:[0-9A-Z]{0,3}|[0-9A-Z]{3}\d)"
)
"""Three characters, of which the last may be a letter (C4A, M1A), then digits, with a letter in some places."""
_SEVEN: Final = re.compile(
    r"[STVWXYOMHR]\d[0-9A-Z][0-9A-Z]{3}[0-9A-Z]|(?:E0[89]|E1[0-3]|H\d[0-9A-Z])[0-9A-Z]{2,4}"
)
"""Seven characters, in the chapters whose codes have a seventh."""
_ICD9: Final = re.compile(r"\d{3}(?:\.?\d{1,2})?|V\d{2}(?:\.?\d{1,2})?|E\d{3}(?:\.?\d)?")


class Letters(toml.TomlTable, frozen=True):
    """The lists of `icd.toml`."""

    ends_in_a: tuple[str, ...]
    letter_alone: tuple[str, ...]


_SUPPLEMENTARY: Final = re.compile(r"V\d{2}(?:\.?\d{1,2})?|E(?:0[0-2]\d|030|[89]\d\d)(?:\.?\d)?")
"""ICD-9-CM's codes with a letter: V01 to V91, E000 to E030 and E800 to E999. ICD-10 has V and E, too."""

LETTERS: Final = toml.load(Path(__file__).with_suffix(".toml"), Letters)


@dataclass(frozen=True)
class IcdCode:
    """A well-formed code: without dot and marks, and the certainty that its letter says."""

    plain: str
    certainty: Certainty | None = None


def family(system: str) -> Literal["icd9", "icd10", ""]:
    """Return which ICD a system is; '' for other systems, and for none."""
    key = re.sub(r"[-_ .]", "", system.upper())
    if key.startswith("ICD9"):
        return "icd9"
    return "icd10" if key.startswith("ICD10") else ""


def in_both_versions(code: str) -> bool:
    """Return whether a code is well formed in ICD-9-CM and in ICD-10: its version cannot be seen.

    >>> in_both_versions("V08"), in_both_versions("D76.1"), in_both_versions("E11.9")
    (True, False, False)
    """
    text = re.sub(r"\s+", "", code).upper()
    return bool(_SUPPLEMENTARY.fullmatch(text) and read(text, "icd10"))


def read(code: str, version: Literal["icd9", "icd10"]) -> tuple[IcdCode, ...]:
    """Return the ways in which a code can be read; none if its form is not one of the classification.

    A code such as `C85.9A` has two: excluded in ICD-10-GM, "in remission" in ICD-10-CM. The German one
    is the first.

    >>> read("D76.1A", "icd10")
    (IcdCode(plain='D761', certainty='excluded'),)
    """
    text = re.sub(r"\s+", "", code).upper().rstrip(_MARKS)
    if version == "icd9":
        return (IcdCode(text.replace(".", "")),) if _ICD9.fullmatch(text) else ()
    if "." in text and text.index(".") != 3:
        return ()
    plain, ways = text.replace(".", ""), []
    german = _GERMAN.fullmatch(text)
    if german and (german.group(3) or not german.group(2)):
        base, _, letter = german.groups()
        ways.append(IcdCode(base.replace(".", "").rstrip("-"), CERTAINTY.get(letter)))
    american = bool(_AMERICAN.fullmatch(plain)) or plain in LETTERS.letter_alone
    if ways and ways[0].certainty:
        american = any(fnmatchcase(plain, pattern) for pattern in LETTERS.ends_in_a)
    elif not ways and text[-1:].isalpha() and len(plain) == 4:
        american = plain in LETTERS.letter_alone
    if (american and not (ways and ways[0].plain == plain)) or (
        not ways and _SEVEN.fullmatch(plain)
    ):
        ways.append(IcdCode(plain))
    return tuple(ways)
