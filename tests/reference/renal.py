"""Kidney injury the slow, obvious way: one draw at a time, KDIGO's sentences in their order."""

from typing import NamedTuple

HOUR = 3_600_000_000
DAY = 24 * HOUR


class Draw(NamedTuple):
    time: int
    mg_dl: float


def on_replacement(courses: list[tuple[int, int]], time: int) -> bool:
    return any(start <= time < end for start, end in courses)


def stages(
    draws: list[Draw], baseline: float | None, courses: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """(time, stage) of every draw of one person that is not void; draws in order of time."""
    valid = [d for d in draws if not on_replacement(courses, d.time)]
    result: list[tuple[int, int]] = []
    injured = False
    for draw in valid:
        above = 0.0 if baseline is None else round(draw.mg_dl / baseline, 9)
        two_days = [d.mg_dl for d in valid if draw.time - 2 * DAY <= d.time <= draw.time]
        week = [d.mg_dl for d in valid if draw.time - 7 * DAY <= d.time <= draw.time]
        rose = round(draw.mg_dl - min(two_days), 9) >= 0.3
        if above < 1.5:
            injured = False
        else:
            presumed = len(week) == 1
            recent = presumed or round(draw.mg_dl / min(week), 9) >= 1.5
            injured = injured or recent or rose
        if baseline is None and len(week) == 1:
            continue  # nothing to compare it with
        stage = 0
        if rose:
            stage = 1
        if injured:
            stage = 3 if above >= 3.0 else 2 if above >= 2.0 else 1
        times = round(draw.mg_dl / min(week), 9)
        for number, bound in ((1, 1.5), (2, 2.0), (3, 3.0)):
            if times >= bound:
                stage = max(stage, number)
        if stage > 0 and draw.mg_dl >= 4.0:
            stage = 3
        result.append((draw.time, stage))
    return result


class Known(NamedTuple):
    """A stage by one arm, from when it was seen."""

    time: int
    stage: int


def worst_at(
    time: int,
    creatinine: list[Known],
    urine: list[Known],
    courses: list[tuple[int, int]],
    dates: list[tuple[int, int]],
) -> tuple[int, int] | None:
    """The lowest and the highest possible stage of all arms at a moment; None where no arm says anything."""
    said: list[tuple[int, int]] = []
    if on_replacement(courses, time):
        said.append((3, 3))
    elif on_replacement(dates, time):
        said.append((0, 3))
    last = max((each for each in creatinine if each.time <= time), default=None)
    if last and time - last.time < 3 * DAY:
        began = any(last.time < start <= time for start, _ in courses)
        if not began and not on_replacement(courses, last.time):
            said.append((last.stage, last.stage))
    last = max((each for each in urine if each.time <= time), default=None)
    if last and time - last.time < DAY:
        said.append((last.stage, last.stage))
    return (max(low for low, _ in said), max(high for _, high in said)) if said else None
