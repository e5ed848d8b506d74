"""The weight in force, slowly: every rule read from the protocol one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DAY = 24 * 60
APART = 1.5


@dataclass(frozen=True)
class Weighed:
    """A measured weight; minutes from any origin."""

    minute: int
    kg: float


@dataclass(frozen=True)
class Answer:
    """kg and where it comes from; minutes from the measurement; the weight that was set aside for it."""

    kg: float | None
    source: str
    age: int | None
    aside: float | None = None


def in_force(
    minute: int,
    measured: Sequence[Weighed],
    *,
    own: float | None,
    sheet: float | None,
    stays: Sequence[tuple[int, int]],
) -> Answer:
    """Return the weight in force of an adult.

    measured : at most one a minute. stays : [start, end) in minutes, each more than a day apart.
    """
    every = sorted(measured, key=lambda each: each.minute)
    real_sheet = sheet if is_possible(sheet) else None
    standing = without_outliers([each for each in every if is_possible(each.kg)], real_sheet)
    good_own, good_sheet = own if is_possible(own) else None, real_sheet
    before = [each.kg for each in standing if each.minute <= minute][-1:]
    after = [each.kg for each in standing if each.minute > minute][:1]
    if good_sheet and len(before + after) == 2 and is_off(good_sheet, before + after):
        good_sheet = None
    beside = before + after
    if good_own and len(beside) == 1 and real_sheet:
        beside = [*beside, real_sheet]
    if good_own and len(beside) == 2 and is_off(good_own, beside):
        good_own = None
    if good_own and repeats_an_old_one(good_own, minute, every, standing, sheet=real_sheet):
        good_own = None
    naive = by_order(minute, every, own, sheet, stays)
    chosen = by_order(minute, standing, good_own, good_sheet, stays)
    aside = naive.kg if naive.kg is not None and naive.kg != chosen.kg else None
    return Answer(chosen.kg, chosen.source, chosen.age, aside)


def repeats_an_old_one(
    own: float,
    minute: int,
    every: Sequence[Weighed],
    standing: Sequence[Weighed],
    *,
    sheet: float | None,
) -> bool:
    """Whether a row's weight was charted before the last measured one, and the last two are far from it."""
    before = [each for each in standing if each.minute <= minute]
    if len(before) < 2 or len(before) < len(standing) or sheet is not None:
        return False
    old = [each for each in every if each.minute < before[-1].minute]
    return is_off(own, [each.kg for each in before[-2:]]) and any(
        abs(each.kg - own) <= own / 100 for each in old
    )


def is_possible(kg: float | None) -> bool:
    return kg is not None and 25 <= kg <= 400


def is_off(kg: float, others: Sequence[float]) -> bool:
    """Whether a weight is far above all others, or far below all of them."""
    return all(kg / other >= APART for other in others) or all(
        other / kg >= APART for other in others
    )


def without_outliers(weights: Sequence[Weighed], sheet: float | None) -> list[Weighed]:
    """Take away one weight after the other, the furthest off first, until none is off."""
    left = list(weights)
    while True:
        distances = {}
        for at, each in enumerate(left):
            others = [left[n].kg for n in (at - 1, at + 1) if 0 <= n < len(left)]
            if len(others) == 1 and sheet is not None:
                others.append(sheet)
            if len(others) == 2 and is_off(each.kg, others):
                distances[at] = min(max(each.kg / o, o / each.kg) for o in others)
        if not distances:
            return left
        del left[max(distances, key=lambda at: (distances[at], -at))]


def by_order(
    minute: int,
    weights: Sequence[Weighed],
    own: float | None,
    sheet: float | None,
    stays: Sequence[tuple[int, int]],
) -> Answer:
    """Return the first weight of the order."""
    last = next((each for each in reversed(weights) if each.minute <= minute), None)
    first = next((each for each in weights if each.minute > minute), None)
    answers: list[Answer] = []
    if own is not None:
        answers.append(Answer(own, "own", None))
    if last and minute - last.minute < DAY:
        answers.append(Answer(last.kg, "measured before", minute - last.minute))
    if first and first.minute - minute < DAY:
        answers.append(Answer(first.kg, "measured after", minute - first.minute))
    if sheet is not None:
        answers.append(Answer(sheet, "persons sheet", None))
    if last:
        answers.append(Answer(last.kg, "older measurement", minute - last.minute))
    if first and any(start <= minute < end and first.minute < end for start, end in stays):
        answers.append(Answer(first.kg, "later in the stay", minute - first.minute))
    return answers[0] if answers else Answer(None, "", None)
