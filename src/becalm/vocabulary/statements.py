"""What a written name says: present, suspected, denied, past, or something of somebody else.

A name of a disease stands among other words: "HIV negative", "r/o HLH", "s/p CAR-T", "HLH without
lymphoma". `read` finds the names that the vocabulary knows and what the words around each say of it.
What cannot be decided has no state; it is never taken as present.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from becalm.core import toml
from becalm.core.errors import DefinitionError
from becalm.vocabulary.text import words

T = TypeVar("T")
State: TypeAlias = Literal["confirmed", "suspected", "excluded", "history", "others", "undecided"]
"""`excluded` is what is denied, `others` what is said of a relative or of a vaccination."""

FILE: Final = Path(__file__).with_suffix(".toml")
_CLAUSES: Final = re.compile(
    r"[,;:.()\[\]\n]+|(?<=\s)/(?=\s)|\bbut\b|\baber\b|\bmais\b|\bpero\b", re.I
)
_JOINS: Final = frozenset({"or", "nor", "and", "und", "oder", "et", "ou", "y", "o", "e"})
_ABBREVIATED: Final = re.compile(r"\b([A-Za-z])\.\s?([A-Za-z])\.")
_MINUS: Final = re.compile(r"\(\s*[-\u2212\u2013]\s*\)|(?<=\w)[-\u2212\u2013](?=\s|$)")


class Around(toml.TomlTable, frozen=True):
    """Words that stand before or after a name and say the same of it."""

    before: tuple[str, ...]
    after: tuple[str, ...]


class Neutral(toml.TomlTable, frozen=True):
    """Words of denial or doubt that belong to a name."""

    phrases: tuple[str, ...]


class StatementWords(toml.TomlTable, frozen=True):
    """The whole file `statements.toml`."""

    denied: Around
    suspected: Around
    history: Around
    others: Around
    present: Around
    neutral: Neutral


@dataclass(frozen=True)
class Said(Generic[T]):
    """A name that was found in a text, what it means, and what is said of it."""

    name: str
    means: T
    state: State


@dataclass(frozen=True)
class Statement(Generic[T]):
    """What a text says of the names it has, and the words that are neither a name nor say anything of one."""

    said: tuple[Said[T], ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class _Sign:
    """What a text says of a name that follows it, and of one that it follows; None: nothing."""

    of_next: State | None = None
    of_last: State | None = None


@dataclass(frozen=True)
class _Mark(Generic[T]):
    """A name or a sign at a place of a clause."""

    at: int
    name: str
    means: T | None
    sign: _Sign | None


@cache
def file() -> StatementWords:
    """Return the shipped words."""
    return toml.load(FILE, StatementWords)


@cache
def _signs() -> dict[str, _Sign]:
    states: tuple[tuple[State, Around], ...] = (
        ("excluded", file().denied),
        ("suspected", file().suspected),
        ("history", file().history),
        ("others", file().others),
        ("confirmed", file().present),
    )
    of_next: dict[str, State] = {}
    of_last: dict[str, State] = {}
    for state, around in states:
        for side, texts in ((of_next, around.before), (of_last, around.after)):
            for text in map(words, texts):
                if side.setdefault(text, state) != state:
                    raise DefinitionError(
                        f"{text!r} says {side[text]} and {state}", where=FILE.name
                    )
    return {text: _Sign(of_next.get(text), of_last.get(text)) for text in of_next | of_last}


@cache
def _neutral() -> frozenset[str]:
    return frozenset(words(text) for text in file().neutral.phrases)


@cache
def _longest() -> int:
    return max(len(text.split()) for text in (*_signs(), *_neutral()))


def read(text: str, known: Mapping[str, T], longest: int) -> Statement[T]:
    """Read a written name.

    known : meanings by name, each name as `text.words` gives it. longest : words of the longest name.

    >>> [(each.name, each.state) for each in read("HLH without lymphoma", {"hlh": 1, "lymphoma": 2}, 1).said]
    [('hlh', 'confirmed'), ('lymphoma', 'excluded')]
    """
    said: list[Said[T]] = []
    left: list[str] = []
    carried: State | None = None  # what a list that began with "no" said of its first name
    last: range = range(0)
    for clause in _merged(list(_clauses(text)), known, longest):
        marks, rest, joined = _marks(clause, known, max(longest, _longest()))
        names = [mark for mark in marks if mark.means is not None]
        signs = [mark for mark in marks if mark.sign is not None]
        if not names:
            states = {s.sign.of_last or s.sign.of_next for s in signs if s.sign} - {None}
            if signs and not rest and last:  # "HLH, ruled out", "HLH: no"
                _say_of(said, last, _one({each for each in states if each}))
            elif last and _begins_behind(clause, signs):  # "HLH, unlikely with this ferritin"
                _say_of(said, last, "undecided")
            elif signs and not rest and not said:  # "No: HLH", "Excluded: HLH"
                next_ = {s.sign.of_next for s in signs if s.sign}
                carried = "undecided" if None in next_ else _one({each for each in next_ if each})
            left += rest
            continue
        begin = len(said)
        for mark in names:
            state = _state(mark, marks, joined, len(clause))
            if carried is not None and state == "confirmed":
                state = carried if begin == 0 else "undecided"
            assert mark.means is not None
            said.append(Said(mark.name, mark.means, state))
        if any(s.sign and s.sign.of_next and s.at < names[0].at for s in signs):
            carried = "undecided"  # "no HLH, lymphoma": is the second one denied as well?
        left += rest
        last = range(begin, len(said))
    return Statement(tuple(said), tuple(left))


def _say_of(said: list[Said[T]], places: range, state: State) -> None:
    """Let a clause of its own say something of the names of the clause before it."""
    for place in places:
        one = said[place]
        agreed = state if one.state in ("confirmed", state) else "undecided"
        said[place] = Said(one.name, one.means, agreed)


def _begins_behind(clause: list[str], signs: list[_Mark[T]]) -> bool:
    """Return whether a clause begins with a sign that says something of what stood before it."""
    at = 0
    for each in sorted(signs, key=lambda each: each.at):
        if each.at != at or each.sign is None:
            return False
        if each.sign.of_last and each.sign.of_last != "confirmed":
            return True
        at += len(each.name.split())
    return False


def _clauses(text: str) -> Iterator[list[str]]:
    plain = _ABBREVIATED.sub(r"\1 \2 ", text)
    plain = re.sub(r"(?<=\w\w)/(?=\w\w)", " or ", plain)  # "HLH/MAS", never "r/o"
    plain = _MINUS.sub(" negative ", plain).replace("(+)", " ").replace("?", " query ")
    for part in _CLAUSES.split(plain):
        clause = words(part).split()
        if clause:
            yield clause


def _merged(clauses: list[list[str]], known: Mapping[str, T], longest: int) -> Iterator[list[str]]:
    """Yield the clauses; two that share a name ("transfusion: platelets") are one."""
    whole: list[str] = []
    for clause in clauses:
        shared = any(
            " ".join((*whole[-back:], *clause[:ahead])) in known
            for back in range(1, min(longest, len(whole) + 1))
            for ahead in range(1, min(longest - back, len(clause)) + 1)
        )
        if shared or not whole:
            whole = [*whole, *clause]
            continue
        yield whole
        whole = clause
    if whole:
        yield whole


def _marks(
    clause: list[str], known: Mapping[str, T], longest: int
) -> tuple[list[_Mark[T]], list[str], set[int]]:
    """Find names, then signs in what is left, the longest first; return them in order, and the rest."""
    taken = [False] * len(clause)
    marks: list[_Mark[T]] = []

    def find(accept: Mapping[str, Any] | frozenset[str]) -> Iterator[tuple[int, str]]:
        for length in range(min(longest, len(clause)), 0, -1):
            for at in range(len(clause) - length + 1):
                phrase = " ".join(clause[at : at + length])
                if phrase in accept and not any(taken[at : at + length]):
                    taken[at : at + length] = [True] * length
                    yield at, phrase

    for at, phrase in find(known):
        marks.append(_Mark(at, phrase, known[phrase], None))
    for _ in find(_neutral()):
        pass
    signs = _signs()
    for at, phrase in find(signs):
        marks.append(_Mark(at, phrase, None, signs[phrase]))
    rest = [word for word, used in zip(clause, taken, strict=True) if not used]
    ordered = sorted(marks, key=lambda mark: mark.at)
    return ordered, [word for word in rest if word not in _JOINS], _joined(clause, ordered)


def _joined(clause: list[str], marks: list[_Mark[T]]) -> set[int]:
    """Return the places of the names that "or" or "and" joins to the name before them."""
    names = [mark for mark in marks if mark.means is not None]
    return {
        mark.at
        for before, mark in pairwise(names)
        if (words_between := clause[before.at + len(before.name.split()) : mark.at])
        and set(words_between) <= _JOINS
    }


def _state(mark: _Mark[T], marks: list[_Mark[T]], joined: set[int], length: int) -> State:
    """Return what the signs of a clause say of one of its names.

    A sign belongs to the name next to it. Over another name it says the same only if the two are
    joined ("no HLH or lymphoma"); otherwise what it says cannot be decided.
    """
    names = [each.at for each in marks if each.means is not None]
    direct: set[State] = set()
    over: set[State] = set()
    for each in marks:
        sign = each.sign
        if sign is None:
            continue
        if sign.of_next and sign.of_last:  # between two names it may belong to either
            behind = [name < each.at for name in names]
            if any(behind) and not all(behind):
                direct |= {"undecided"}
                continue
        state = sign.of_next if each.at < mark.at else sign.of_last
        if each.at > mark.at and each.at + len(each.name.split()) == length:
            state = state or sign.of_next  # "HLH no"
        if state is None:
            continue
        low, high = sorted((each.at, mark.at))
        between = [name for name in names if low < name < high]
        if not between:
            direct.add(state)
        elif all(at in joined for at in (*between, mark.at) if at != min(*between, mark.at)):
            over.add(state)
        else:
            over.add("undecided")
    if direct:
        return _one(direct)
    return _one(over) if over else "confirmed"


def _one(states: set[State]) -> State:
    """Return the state that several signs agree on; of denial and past ("no history of") the denial."""
    if len(states) == 1:
        return next(iter(states))
    if states == {"excluded", "history"}:
        return "excluded"
    if "others" in states and "undecided" not in states:
        return "others"
    return "undecided"
