"""Why an item is not assessed: never measured, too old, refused, or known only in part."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Persons, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, iso
from becalm.definitions.evaluation import Evaluation
from becalm.definitions.model import Item
from becalm.timeline import Points

NEVER: Final = "never measured"
LATE: Final = ("too old", "measured only later")
NOT_IN_STAY: Final = "not measured in the stay"
IN_PART: Final = "known only as a limit or in part"
_NO_DAY: Final = -10_000_000


Refused: TypeAlias = Callable[[str], tuple[Persons, Times, Texts]]
"""Returns the rows of a variable that could not be used: of whom, when, and why."""


def none_refused(variable: str) -> tuple[Persons, Times, Texts]:
    """Return no rows, where nobody asks for reasons."""
    del variable
    return np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, object)


def reasons(
    evaluation: Evaluation,
    item: Item,
    person: Persons,
    time: Times,
    refused: Refused,
    *,
    never: str = NEVER,
) -> Texts:
    """Return why an item is not assessed at each (person, time).

    Of an item of several variables each has its reason, joined by `|`: `triglycerides: never measured`.
    """
    leaves = list({leaf.variable: leaf for leaf in item.leaves()}.values())
    each = [_of_variable(evaluation, leaf, person, time, refused, never=never) for leaf in leaves]
    if len(leaves) == 1:
        return each[0]
    texts = np.empty(len(person), dtype=object)
    for i in range(len(person)):
        said = [f"{leaf.variable}: {of[i]}" for leaf, of in zip(leaves, each, strict=True) if of[i]]
        texts[i] = "|".join(said)
    return texts


def _of_variable(
    evaluation: Evaluation,
    leaf: Item,
    person: Persons,
    time: Times,
    refused: Refused,
    *,
    never: str,
) -> Texts:
    """Return why a variable does not decide; '' where it is known exactly."""
    texts = np.full(len(person), never, dtype=object)
    low, high = evaluation.value(leaf).at(person, time)
    unknown = (low == -np.inf) & (high == np.inf)
    texts[~unknown] = IN_PART
    texts[low == high] = ""
    points = evaluation.inputs.points(leaf)
    at = np.flatnonzero(unknown)
    if len(points) and len(at):
        texts[at] = _other_draws(points, person[at], time[at], never)
    whose, when, why = refused(leaf.variable)
    of: dict[int, list[int]] = {}
    for row, who in enumerate(whose.tolist()):
        of.setdefault(who, []).append(row)
    for i in at.tolist() if of else ():
        who = int(person[i])
        before = [r for r in of.get(who, ()) if time[i] == UNKNOWN_TIME or when[r] <= time[i]]
        if not before:
            continue
        latest = max(before, key=lambda r: int(when[r]))
        seen = points.count_until(np.array([who]), np.array([time[i]]))[0] if len(points) else 0
        newer = not texts[i].startswith(LATE[0]) or when[latest] > points.time[seen - 1]
        if newer:
            texts[i] = f"refused ({why[latest]}, {_day(when[latest])})"
    return texts


def _other_draws(points: Points, person: Persons, time: Times, never: str) -> Texts:
    """Return which draw there is instead: the last one before, or the first one after; `never` where there is none."""
    texts = np.full(len(person), never, dtype=object)
    ever = points.count_until(person, np.full(len(person), FAR_FUTURE))
    upto = points.count_until(person, time)
    first = points.count_until(person, np.full(len(person), UNKNOWN_TIME))
    some = np.flatnonzero(ever > first)
    later = upto[some] <= first[some]
    taken = points.taken[np.where(later, first[some], upto[some] - 1)]
    day = np.where(taken == UNKNOWN_TIME, _NO_DAY, taken // DAY)
    asked, which = np.unique(2 * day + later, return_inverse=True)
    texts[some] = np.array([_other_draw(each) for each in asked.tolist()], object)[which]
    return texts


@lru_cache(maxsize=200_000)
def _other_draw(asked: int) -> str:
    """Return in words which draw there is instead.

    asked : twice its day (counted from 1970; `_NO_DAY`), and one more if it is later.
    """
    day, later = divmod(asked, 2)
    return f"{LATE[later]} ({_day(UNKNOWN_TIME if day == _NO_DAY else day * DAY)})"


def _day(time: int | np.int64) -> str:
    return "undated" if time == UNKNOWN_TIME else _date(int(time) // DAY)


@lru_cache(maxsize=100_000)
def _date(day: int) -> str:
    return iso(day * DAY)[:10]
