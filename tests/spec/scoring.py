"""A chart as a small table in, totals and criteria rows out, for the chapters on definitions."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from becalm.core.clock import DAY, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.definitions import (
    Clock,
    Definition,
    Evaluation,
    Inputs,
    Modifiers,
    Moments,
    criteria,
    evaluate,
    load,
    score_of,
)
from becalm.timeline import Timeline
from tests.records.pictures import expected, named, points_of, us, variables_of

ALWAYS = us(100_000)
Row = dict[str, Any]


def chart(
    table: str, *, immunosuppressed: bool | None = None, persons: int = 1, clock: Clock = "drawn"
) -> Inputs:
    """Values of a table; findings are 1 or 0; immunosuppression is the same throughout."""
    values: dict[str, Any] = {name: points_of(table, name) for name in variables_of(table)}
    if immunosuppressed is not None:
        state = [float(immunosuppressed)] * persons
        values["immunosuppression"] = Timeline.build(
            range(persons), [-ALWAYS] * persons, [ALWAYS] * persons, state
        )
    return Inputs(values, clock, persons)


def over_time(name: str | Definition, table: str, **known: Any) -> Evaluation:
    definition = load(name) if isinstance(name, str) else name
    return evaluate(definition, chart(table, **known))


def check(evaluation: Evaluation, at: Mapping[float, str | float]) -> None:
    """Compare totals hour by hour with `184`, `184..219`."""
    found = {hour: evaluation.at([0], [us(hour)]) for hour in at}
    assert {h: (float(low[0]), float(high[0])) for h, (low, high) in found.items()} == {
        hour: expected(value) for hour, value in at.items()
    }


def points(name: str, **given: bool | float | str) -> dict[str, tuple[float, float]]:
    """Fewest and most points by item of one set of values, with `total`."""
    return score_of(load(name), given)


def people(
    ages: Iterable[int] = (44,), underlying: Iterable[str] = ("sle",), ids: Iterable[str] = ("P1",)
) -> Frame:
    return Frame.of(
        {"person_id": "text", "age": "count", "underlying": "text"},
        person_id=ids,
        age=ages,
        underlying=underlying,
    )


def reported(
    evaluation: Evaluation,
    *,
    index: float | None = None,
    look_back: str = "14d",
    modifiers: Modifiers | None = None,
    persons: Frame | None = None,
) -> tuple[dict[str, Row], dict[tuple[str, str], Row]]:
    """The criteria rows by moment and the item rows by (moment, item), of one person."""
    at = UNKNOWN_TIME if index is None else us(index)
    totals, items = criteria(
        evaluation,
        people() if persons is None else persons,
        Moments(np.array([at]), Length(look_back).us),
        modifiers=modifiers or {},
        source_row=named,
    )
    return (
        {row["moment"]: row for row in totals.rows()},
        {(row["moment"], row["item"]): row for row in items.rows()},
    )


def hours(time: int) -> float | None:
    """A time of a row as the table's hour."""
    return None if time == UNKNOWN_TIME else time / us(1)


__all__ = ["DAY", "chart", "check", "hours", "over_time", "people", "points", "reported", "us"]
