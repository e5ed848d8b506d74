"""Hours of fever the slow, obvious way: minute by minute through one day of one patient."""

from itertools import pairwise

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE


def day(
    draws: list[tuple[int, float, float]], start: int, end: int, holds: int, bound: float
) -> dict[str, float]:
    """Minutes febrile, afebrile and unknown in [start, end), how many draws, the longest gap.

    draws : time, lowest and highest possible temperature, in order of time; all on whole minutes.
    """
    febrile = afebrile = unknown = 0
    for minute in range(start, end, MINUTE):
        standing = [d for d in draws if d[0] <= minute < d[0] + holds]
        if not standing:
            unknown += 1
            continue
        _, low, high = standing[-1]
        if low >= bound:
            febrile += 1
        elif high < bound:
            afebrile += 1
        else:
            unknown += 1
    mine = [time for time, _, _ in draws if start <= time < end]
    ends = [start, *mine, end]
    gap = max(later - earlier for earlier, later in pairwise(ends))
    return {
        "febrile": febrile, "afebrile": afebrile, "unknown": unknown,
        "measurements": len(mine), "gap": gap // MINUTE,
    }  # fmt: skip
