"""Kidney injury by urine the slow, obvious way: one window at a time, KDIGO's table line by line."""

from itertools import pairwise
from typing import NamedTuple

HOUR = 3_600_000_000


class Volume(NamedTuple):
    """What was charted at a time; ml is None where nobody knows how much of it was urine, as of an irrigated bladder."""

    time: int
    ml: float | None


class Stay(NamedTuple):
    """begin: from when on urine is observed, None where nobody says; volumes in order of time, all after it."""

    begin: int | None
    volumes: list[Volume]


def collected(stay: Stay, start: int, end: int) -> float | None:
    """The urine of (start, end]; None if it is not observed whole: a volume covers a day at most."""
    charted = stay.volumes if stay.begin is None else [Volume(stay.begin, 0.0), *stay.volumes]
    total, seen = 0.0, 0
    for before, now in pairwise(charted):
        gap = now.time - before.time
        part = min(now.time, end) - max(before.time, start)
        if gap > 24 * HOUR or part <= 0 or now.ml is None:
            continue
        total += now.ml * part / gap
        seen += part
    return total if seen == end - start else None


def stage(stay: Stay, now: int, kg: float | None) -> int | None:
    """The stage at a charted volume; None without a weight or the shortest window."""
    if kg is None or collected(stay, now - 6 * HOUR, now) is None:
        return None

    def rate(hours: int) -> float:
        ml = collected(stay, now - hours * HOUR, now)
        return float("inf") if ml is None else round(ml / kg / hours, 9)

    if rate(24) < 0.3 or rate(12) == 0:
        return 3
    if rate(12) < 0.5:
        return 2
    return 1 if rate(6) < 0.5 else 0


def stages(stays: list[Stay], kg: dict[int, float | None]) -> list[tuple[int, int]]:
    """(time, stage) of every volume at which there is one; kg: the weight at each time."""
    found = []
    for stay in stays:
        for each in stay.volumes:
            if each.ml is None:
                continue
            reached = stage(stay, each.time, kg[each.time])
            if reached is not None:
                found.append((each.time, reached))
    return found
