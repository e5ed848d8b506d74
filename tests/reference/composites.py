"""A response of several parts, judged part by part from the written values, without arrays."""

from __future__ import annotations

import operator as op
from collections.abc import Mapping, Sequence
from typing import Any

from tests.spec.edges import hours

Draw = tuple[float, float, float]
"""Hour, lowest and highest possible value."""
HORIZONS = {
    "h48": {"from": 30, "to": 54, "open": True, "at": 48},
    "h72": {"from": 54, "to": 84, "open": True, "at": 72},
    "d7": {"from": 132, "to": 192, "open": False, "at": 168},
}
BACK = {"ferritin": 48.0}


def window(composite: Mapping[str, Any]) -> Mapping[str, Any]:
    """The window of a response, in hours."""
    return composite.get("window") or HORIZONS[composite["horizon"]]


def value_at(draws: Sequence[Draw], when: Mapping[str, Any]) -> Draw | None:
    """The draw nearest to the horizon in its window, the earlier of two."""
    inside = [
        draw for draw in draws
        if (when["from"] < draw[0] if when["open"] else when["from"] <= draw[0]) and draw[0] <= when["to"]
    ]  # fmt: skip
    return min(inside, key=lambda draw: (abs(draw[0] - when["at"]), draw[0]), default=None)


def afebrile(draws: Sequence[Draw], at: float, rules: Mapping[str, Any]) -> bool | None:
    """Whether each half hour of the time up to a moment was known and cool."""
    start, valid = at - hours(rules["fever_for"]), 24.0
    seen: list[bool | None] = []
    for half in range(int((at - start) * 2) + 1):
        moment = start + half / 2
        standing = [draw for draw in draws if draw[0] <= moment < draw[0] + valid]
        if standing:
            seen.append(max(standing)[1] < rules["fever_below"])
        else:
            seen.append(None)
    return False if False in seen else None if None in seen else True


def part(
    tests: Sequence[Mapping[str, Any]],
    draws: Mapping[str, Sequence[Draw]],
    when: Mapping[str, Any],
    rules: Mapping[str, Any],
    limits: Mapping[str, tuple[float, float]],
) -> bool | None:
    """Whether any test is met: yes, no, or not known."""
    answers = [one(test, draws, when, rules, limits) for test in tests]
    return True if True in answers else None if None in answers else False


def one(
    test: Mapping[str, Any],
    draws: Mapping[str, Sequence[Draw]],
    when: Mapping[str, Any],
    rules: Mapping[str, Any],
    limits: Mapping[str, tuple[float, float]],
) -> bool | None:
    """Whether one test is met; what organ support there was is left to other tests."""
    if test.get("sign") == "no fever":
        return afebrile(draws.get("temperature", ()), when["at"], rules)
    if "sign" in test:
        return None
    name = test["variable"]
    later = value_at(draws.get(name, ()), when)
    if later is None:
        return True if test.get("if_tested") else None
    [(rule, bound)] = [pair for pair in test.items() if pair[0] not in {"variable", "if_tested"}]
    _, low, high = later
    if rule.startswith("ratio_"):
        back = BACK.get(name, 24.0)
        earlier = [draw for draw in draws[name] if -back <= draw[0] <= 0]
        if not earlier:
            return None
        _, base_low, base_high = max(earlier)
        low, high = low / base_high, high / base_low if base_low else float("inf")
    for end, place in (("_lower", 0), ("_upper", 1)):
        if rule.endswith(end):
            if name not in limits:
                return None
            low, high = low / limits[name][place], high / limits[name][place]
    rule = rule.removeprefix("ratio_").removesuffix("_upper").removesuffix("_lower")
    compare = {"below": op.lt, "above": op.gt, "at_most": op.le, "at_least": op.ge}[rule]
    both = {bool(compare(round(x, 9), bound)) for x in (low, high)}
    return both.pop() if len(both) == 1 else None


def status(answers: Sequence[bool | None], needs: int | None) -> str:
    """Met, not met, or undetermined, of the answers of the parts."""
    needed = len(answers) if needs is None else min(needs, len(answers))
    if answers.count(True) >= needed:
        return "met"
    return "not met" if answers.count(True) + answers.count(None) < needed else "undetermined"
