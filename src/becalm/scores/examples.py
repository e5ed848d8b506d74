"""A definition's own worked cases, run through the engine as they would be over time."""

from __future__ import annotations

from collections.abc import Mapping

from becalm.scores.definition import Definition
from becalm.scores.engine import Inputs, evaluate
from becalm.timeline import Points, Timeline
from becalm.units import parse_value


def score_of(
    definition: Definition, given: Mapping[str, bool | float | str]
) -> dict[str, tuple[float, float]]:
    """Score one set of values: fewest and most points by item, and `total`.

    given : values in the variables' canonical units, True or False for findings, text such as
    `>15000` where the assay stopped; what is not given is not known.
    """
    evaluation = evaluate(definition, Inputs(_drawn_at_once(definition, given), "drawn", 1))
    found = {item.key: evaluation.bounds(item, [0], [0]) for item in definition.items}
    found["total"] = evaluation.at([0], [0])
    return {name: (float(low[0]), float(high[0])) for name, (low, high) in found.items()}


def _drawn_at_once(
    definition: Definition, given: Mapping[str, bool | float | str]
) -> dict[str, Points | Timeline]:
    looked_back_for = definition.look_backs()
    values: dict[str, Points | Timeline] = {}
    for name, value in given.items():
        if isinstance(value, str):
            low, high = parse_value(value).interval()
        else:
            low = high = float(value)
        if name in looked_back_for:
            values[name] = Points.build([0], [0], [low], [high], [0])
        else:
            values[name] = Timeline.build([0], [0], [1], [low], [high])
    return values


def disagreements(definition: Definition) -> list[str]:
    """Return every expectation of the worked examples that the engine does not meet."""
    wrong = []
    for number, example in enumerate(definition.examples, 1):
        found = score_of(definition, example.given)
        for name, expected in example.expect.items():
            low, high = found["total"] if name in ("low", "high") else found[name]
            wanted = {"low": (expected, high), "high": (low, expected)}.get(
                name, (expected, expected)
            )
            if (low, high) != wanted:
                wrong.append(
                    f"{definition.name}, example {number}: {name} should be {expected:g}, "
                    f"not {low:g} to {high:g}"
                )
    return wrong
