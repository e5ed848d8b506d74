"""Reports of one draw, one at a time: what was believed at a moment, and what was in a look-back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Bounds = tuple[float, float]


@dataclass(frozen=True)
class Report:
    """A report of a draw: says is "", preliminary, final or corrects."""

    drawn: int
    available: int
    value: float
    says: str = ""


ORDER = {"preliminary": 0, "": 1, "final": 2, "corrects": 3}


def believed(reports: Sequence[Report]) -> list[tuple[int, Bounds]]:
    """Return what was believed of one draw: from when, and the bounds; only where it changes."""
    story: list[tuple[int, Bounds]] = []
    stands: list[Report] = []
    for now in sorted({report.available for report in reports}):
        fresh = sorted(
            (report for report in reports if report.available == now), key=lambda r: ORDER[r.says]
        )
        corrections = [report for report in fresh if report.says == "corrects"]
        if corrections:
            stands = corrections
        else:
            for report in fresh:
                if (
                    report.says == "final"
                    and stands
                    and all(r.says == "preliminary" for r in stands)
                ):
                    stands = [report]
                else:
                    stands = [*stands, report]
        bounds = min(r.value for r in stands), max(r.value for r in stands)
        if not story or story[-1][1] != bounds:
            story.append((now, bounds))
    return story


def by_draw(reports: Sequence[Report]) -> dict[int, list[Report]]:
    """Return the reports of each draw."""
    draws: dict[int, list[Report]] = {}
    for report in reports:
        draws.setdefault(report.drawn, []).append(report)
    return draws


def on_the_drawn_clock(reports: Sequence[Report]) -> list[tuple[int, Bounds]]:
    """Return each draw with what was believed of it in the end."""
    return [(drawn, believed(mine)[-1][1]) for drawn, mine in sorted(by_draw(reports).items())]


def known_at(reports: Sequence[Report], time: int, within: int) -> list[tuple[int, int, Bounds]]:
    """Return the draws in the look-back at a moment of the available clock: drawn, known from, bounds."""
    found = []
    for drawn, mine in by_draw(reports).items():
        past = [each for each in believed(mine) if each[0] <= time]
        if past and past[-1][0] > time - within:
            found.append((drawn, *past[-1]))
    return found


def trailing(reports: Sequence[Report], take: str, time: int, within: int) -> Bounds | None:
    """Return the last, highest, lowest or number of the values in the look-back; None where it is empty."""
    known = known_at(reports, time, within)
    if not known:
        return None
    if take == "count":
        return (float(len(known)),) * 2
    if take == "last":
        return max(known)[2]
    best = max if take == "max" else min
    return best(bounds[0] for _, _, bounds in known), best(bounds[1] for _, _, bounds in known)
