"""Dead or alive: what a word in a chart says about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

from becalm.core import toml
from becalm.vocabulary.text import words

FILE: Final = Path(__file__).with_suffix(".toml")

Status = Literal["died", "alive", "home", "transfer", "unknown", "died or alive"]
ALIVE: Final = frozenset({"alive", "home", "transfer"})
"""Statuses that say that the person was alive."""


class StatusWords(toml.TomlTable, frozen=True):
    """Words of one language that mean one status."""

    means: Status
    language: str
    begins: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


class _TakenBack(toml.TomlTable, frozen=True):
    at_once: tuple[str, ...]
    ends: tuple[str, ...]


class _Answer(toml.TomlTable, frozen=True):
    name: Literal["yes", "no"]
    spellings: tuple[str, ...]


class Statuses(toml.TomlTable, frozen=True):
    """The file `vital_status.toml`."""

    status: tuple[StatusWords, ...]
    signs: dict[Status, tuple[str, ...]]
    taken_back: _TakenBack
    answer: tuple[_Answer, ...]
    source: str
    verified: bool


def shipped() -> Statuses:
    """Return the shipped words."""
    return toml.load(FILE, Statuses)


def yes_or_no() -> Mapping[str, str]:
    """Return `yes` or `no` for every further word that means it."""
    return {words(each): answer.name for answer in shipped().answer for each in answer.spellings}


def known_words() -> str:
    """Return the English and Latin words and the signs, as a hint for a word that is not understood."""
    file = shipped()
    lines = []
    for status in get_args(Status):
        found = [
            word
            for each in file.status
            if each.means == status and each.language in {"English", "Latin"}
            for word in (*each.begins, *each.whole)
        ]
        lines.append(f"{status}: {', '.join([*found, *file.signs.get(status, ())])}")
    return "; ".join(lines)


@lru_cache(maxsize=4096)
def status_of(text: str) -> Status | None:
    """Return what a text says, None if it is not understood; a blank is `unknown`.

    >>> status_of("Died of sepsis"), status_of("alive, in remission"), status_of("lost to follow-up")
    ('died', 'alive', 'unknown')
    >>> status_of("alive until May") is None, status_of("death?") is None
    (True, True)
    """
    file, plain = shipped(), " ".join(text.split())
    if not plain:
        return "unknown"
    for sign_of, signs in file.signs.items():
        if plain in signs:
            return sign_of
    status = None if "?" in plain else _of_words(plain, file.signs["died"])
    dead_too = any(sign in plain for sign in file.signs["died"])
    return None if dead_too and status != "died" else status


def _of_words(text: str, signs: tuple[str, ...]) -> Status | None:
    said, begins = words(text), _begins()
    if text.startswith(signs):
        return None if _is_taken_back("died", said) else "died"
    if said in _whole():
        return _whole()[said]
    phrase = next((each for each in begins if f"{said} ".startswith(f"{each} ")), "")
    rest = said[len(phrase) :].strip()
    return None if not phrase or _is_taken_back(begins[phrase], rest) else begins[phrase]


def _is_taken_back(status: Status, rest: str) -> bool:
    """Return whether what follows a word for dead or alive makes it uncertain."""
    rule, parts = shipped().taken_back, rest.split()
    if parts and parts[0] in {words(each) for each in rule.at_once}:
        return True
    if status in ALIVE and set(parts) & {words(each) for each in rule.ends}:
        return True
    other = (
        each for each, means in _begins().items() if (means == "died") is not (status == "died")
    )
    return any(f" {each} " in f" {rest} " for each in other)


@lru_cache(maxsize=1)
def _whole() -> Mapping[str, Status]:
    file = shipped()
    return {words(word): each.means for each in file.status for word in (*each.begins, *each.whole)}


@lru_cache(maxsize=1)
def _begins() -> Mapping[str, Status]:
    """Return the phrases that may be followed by more, the longest first."""
    found = {words(word): each.means for each in shipped().status for word in each.begins}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))
