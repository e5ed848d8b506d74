"""The worked examples of a definition, evaluated by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from becalm.core.clock import HOUR
from becalm.definitions.evaluation import Inputs, converted_back, evaluate
from becalm.definitions.model import Definition, Written
from becalm.timeline import Points, Timeline
from becalm.vocabulary.units import parse_value

Case: TypeAlias = Mapping[str, Written | tuple[tuple[float, Written], ...]]
"""Values by variable, in the unit of the item that reads it; several as pairs of hour and value."""


def score_of(definition: Definition, case: Case) -> dict[str, tuple[float, float]]:
    """Score one case, a set of values: fewest and most points by item, and `total`.

    case : values in the units of the items; True or False for findings; text such as `>15000` for a
    limit; pairs of hour and value for a series. A missing value is unknown. A series is scored at its
    last hour, and all other values are drawn at that hour.
    """
    courses = [value for value in case.values() if isinstance(value, tuple | list)]
    last = max([round(hour * HOUR) for course in courses for hour, _ in course], default=0)
    evaluation = evaluate(definition, Inputs(_drawn(definition, case, last), "drawn", 1))
    scores = {item.key: evaluation.bounds(item, [0], [last]) for item in definition.items}
    scores["total"] = evaluation.at([0], [last])
    return {name: (float(low[0]), float(high[0])) for name, (low, high) in scores.items()}


def _drawn(definition: Definition, case: Case, last: int) -> dict[str, Points | Timeline]:
    leaves = {leaf.variable: leaf for item in definition.items for leaf in item.leaves()}
    values: dict[str, Points | Timeline] = {}
    for name, value in case.items():
        course = value if isinstance(value, tuple | list) else ((last / HOUR, value),)
        time = [round(hour * HOUR) for hour, _ in course]
        bounds = [_bounds(each) for _, each in course]
        if name in leaves:
            bounds = [converted_back(leaves[name], *each) for each in bounds]
        low, high = [each[0] for each in bounds], [each[1] for each in bounds]
        if name in leaves and leaves[name].within:
            values[name] = Points.build([0] * len(time), time, low, high)
        else:
            until = [*time[1:], last + 1]
            values[name] = Timeline.build([0] * len(time), time, until, low, high)
    return values


def _bounds(value: Written) -> tuple[float, float]:
    if isinstance(value, str):
        return parse_value(value).interval()
    return float(value), float(value)


def failed_examples(definition: Definition) -> list[str]:
    """Return a text for every expected value of the examples that the engine does not return."""
    wrong = []
    for number, example in enumerate(definition.examples, 1):
        scores = score_of(definition, example.given)
        for name, expected in example.expect.items():
            low, high = scores["total"] if name in ("low", "high") else scores[name]
            wanted = {"low": (expected, high), "high": (low, expected)}.get(
                name, (expected, expected)
            )
            if (low, high) != wanted:
                wrong.append(
                    f"{definition.name}, example {number}: {name} should be {expected:g}, "
                    f"not {low:g} to {high:g}"
                )
    return wrong
