"""The weight in force, slowly: every rule read from the protocol one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DAY = 24 * 60


@dataclass(frozen=True)
class Weighed:
    """A measured weight; minutes from any origin."""

    minute: int
    kg: float


def in_force(
    minute: int,
    measured: Sequence[Weighed],
    *,
    own: float | None,
    sheet: float | None,
    stays: Sequence[tuple[int, int]],
) -> tuple[float | None, str, int | None]:
    """Return kg, where it comes from, and minutes from the measurement to the moment.

    measured : at most one a minute. stays : [start, end) in minutes, each more than a day apart.
    """
    real = sorted((each for each in measured if 25 <= each.kg <= 400), key=lambda each: each.minute)
    last = next((each for each in reversed(real) if each.minute <= minute), None)
    first = next((each for each in real if each.minute > minute), None)
    answers: list[tuple[float | None, str, int | None]] = []
    if own is not None and 25 <= own <= 400:
        answers.append((own, "own", None))
    if last and minute - last.minute < DAY:
        answers.append((last.kg, "measured before", minute - last.minute))
    if first and first.minute - minute < DAY:
        answers.append((first.kg, "measured after", minute - first.minute))
    if sheet is not None and 25 <= sheet <= 400:
        answers.append((sheet, "persons sheet", None))
    if last:
        answers.append((last.kg, "older measurement", minute - last.minute))
    if first and any(start <= minute < end and first.minute < end for start, end in stays):
        answers.append((first.kg, "later in the stay", minute - first.minute))
    return answers[0] if answers else (None, "", None)
