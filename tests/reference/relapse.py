"""When a storm is over and whether it is back, the slow, obvious way: every window asked by the words of the rule.

Times are µs from time zero. A value is (time, lowest, highest); no two values of one test have one time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HOUR = 3_600_000_000
DAY = 24 * HOUR
FEVER, QUIET_FERRITIN, SHARE = 38.0, 2000.0, 0.20
RISE, FERRITIN, FALL = 2.0, 1000.0, 0.3333
QUIET, NEAR, INFECTION_NEAR = 7 * DAY, 72 * HOUR, 7 * DAY

Value = tuple[int, float, float]


@dataclass(frozen=True)
class Told:
    """What the records say of one person from time zero on; `earlier_peak` is the ferritin of the days before.

    infections : the first and the last moment at which each began, or may have begun.
    """

    temperature: Sequence[Value]
    ferritin: Sequence[Value]
    platelets: Sequence[Value]
    rescues: Sequence[int]
    definite: Sequence[tuple[int, int]]
    infections: Sequence[tuple[int, int]]
    last_seen: int
    earlier_peak: float


def cool(value: Value) -> bool:
    return value[2] < FEVER


def calm(told: Told, value: Value) -> bool:
    """Below the bound, or at most the share of the highest ferritin up to then."""
    peak = max([told.earlier_peak, *(low for time, low, _ in told.ferritin if time <= value[0])])
    return value[2] < QUIET_FERRITIN or value[2] <= SHARE * peak


def quiet_from(told: Told, start: int) -> bool:
    """Whether all was quiet from a moment on for the whole time, both of its ends included."""
    end = start + QUIET
    if end > told.last_seen:
        return False
    if any(start < rescue <= end for rescue in told.rescues):
        return False
    for values, is_quiet in (
        (told.temperature, cool),
        (told.ferritin, lambda value: calm(told, value)),
    ):
        before = [value for value in values if value[0] <= start]
        if not before or not is_quiet(max(before)):
            return False
        if not all(is_quiet(value) for value in values if start < value[0] <= end):
            return False
    return True


def measured_daily(told: Told, start: int) -> bool:
    """Whether temperature was measured in each 24 h of the quiet time."""
    return all(
        any(start + day * DAY <= time < start + (day + 1) * DAY for time, _, _ in told.temperature)
        for day in range(QUIET // DAY)
    )


def resolution(told: Told) -> tuple[str, int | None]:
    """The word, and when: the first certain end of a quiet time, else the first possible one."""
    if not told.temperature or not told.ferritin:
        return "unknown", None
    moments = sorted(
        {time for time, _, _ in (*told.temperature, *told.ferritin)} | set(told.rescues)
    )
    starts = [start for start in moments if quiet_from(told, start)]
    for start in starts:
        if measured_daily(told, start):
            return "certain", start + QUIET
    return ("possible", starts[0] + QUIET) if starts else ("not reached", None)


def back(told: Told, over: int) -> list[tuple[int, bool]]:
    """When the storm may be back after it was over, and whether that is sure, infections apart."""
    found = [(max(start, over), True) for start, end in told.definite if end > over][:1]
    for time, low, _ in told.ferritin:
        lowest = min((high for at, _, high in told.ferritin if at < time), default=float("inf"))
        if time <= over or low < FERRITIN or low < RISE * lowest:
            continue
        if not any(abs(rescue - time) <= NEAR for rescue in told.rescues):
            continue
        warm = [value for value in told.temperature if abs(value[0] - time) <= NEAR]
        plates = [value for value in told.platelets if abs(value[0] - time) <= NEAR]
        usual = max(
            (value[1] for value in told.platelets if over - NEAR <= value[0] < time), default=None
        )
        fallen = usual is not None and any(value[2] <= (1 - FALL) * usual for value in plates)
        if fallen or any(value[1] >= FEVER for value in warm):
            found.append((time, True))
        elif not warm or not plates:
            found.append((time, False))
    return sorted(found, key=lambda each: each[0])


def relapse(told: Told) -> tuple[str, int | None]:
    """The word, and when."""
    word, over = resolution(told)
    if over is None:
        return ("not resolved" if word == "not reached" else "unknown"), None
    possible = None
    for time, sure in back(told, over):
        near = any(
            first <= time <= last or min(abs(time - first), abs(time - last)) <= INFECTION_NEAR
            for first, last in told.infections
        )
        if sure and not near:
            return "relapse", time
        possible = time if possible is None else possible
    if possible is not None:
        return "uncertain", possible
    return ("none" if told.last_seen > over else "unknown"), None


def later_storms(told: Told, over: int) -> list[tuple[int, int]]:
    """Begin and end of each storm that is definite after the first was over; a gap of up to the quiet time joins two."""
    storms: list[list[int]] = []
    for start, end in sorted(told.definite):
        if storms and start - storms[-1][1] <= QUIET:
            storms[-1][1] = max(storms[-1][1], end)
        else:
            storms.append([start, end])
    return [(max(start, over), end) for start, end in storms if end > over]
