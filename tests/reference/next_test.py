"""The next best test the slow, obvious way: add every possible result as a row, and evaluate everything again.

A patient is values by variable: draws as (hour drawn, hour known, lowest, highest), or for what stands
(immunosuppression, age) one value. Every result that is tried makes a copy of the patient with one more row, and
the engine evaluates all copies as persons of their own.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from becalm import vocabulary
from becalm.definitions import Definition, Inputs, Item, evaluate
from becalm.definitions.evaluation import converted_back
from becalm.timeline import Points, Timeline

HOUR = 3_600_000_000
STEP_WITHOUT_DECIMALS = 0.002
"""How far from a threshold both sides are tried where the laboratory's precision is not known."""


class Value(NamedTuple):
    drawn: float
    known: float
    low: float
    high: float


class Patient(NamedTuple):
    draws: Mapping[str, Sequence[Value]]
    standing: Mapping[str, float]


class Try(NamedTuple):
    """One copy: a patient with one more value of one variable."""

    patient: int
    variable: str
    value: float


def thresholds(definition: Definition, variable: str) -> Iterator[tuple[Item, float]]:
    """Every number that a definition compares a variable with, however deep, beside the item in its unit."""
    for item in definition.items:
        for part in item.walk():
            if part.referred is not None:
                yield from thresholds(part.referred, variable)
            if part.variable != variable:
                continue
            for each in (part, *part.in_other_units):
                numbers = [each.at_least, each.above, each.up_to, each.below]
                numbers += [band.below or band.up_to for band in each.bands]
                yield from ((each, number) for number in numbers if number is not None)


def results(definition: Definition, variable: str, random: np.random.Generator) -> list[float]:
    """Results of a variable, in its own unit: each threshold and both its sides, the extremes, some others."""
    words = vocabulary.load()
    named = {each.name: each for each in (*words.derived, *words.variables)}
    known = named[variable]
    low, high = known.plausible.low, known.plausible.high  # type: ignore[attr-defined]
    if (low, high) == (0, 1) or getattr(known, "kind", "") == "finding":
        return [0.0, 1.0]
    found = {low, high}
    compared = list(thresholds(definition, variable))
    leaf = next((item for item, _ in compared), None)
    for item, number in compared:
        if item.over is not None or item.change is not None:
            continue
        step = STEP_WITHOUT_DECIMALS * number if item.decimals is None else 10.0**-item.decimals
        for each in (number - step, number, number + step):
            found.add(converted_back(item, each, each)[0])
    for _ in range(3):
        other = low + (high - low) * float(random.random()) ** 4
        found.add(printed(leaf, other) if leaf is not None else round(other, 3))
    return sorted(each for each in found if low <= each <= high)


def printed(item: Item, value: float) -> float:
    """A result as a laboratory prints it."""
    factors = item.resolved.factors if item.resolved else (0.0, 1.0, 1.0)
    shift, times, by = factors
    own = round(value * by / times - shift, 2 if item.decimals is None else item.decimals)
    return converted_back(item, own, own)[0]


def inputs(
    patients: Sequence[Patient], tries: Sequence[Try], moment: int, clock: str
) -> tuple[Inputs, np.ndarray]:
    """The patients, then the copies, as persons of their own; and the moment of each.

    A result is drawn and known at the moment; where a value of the same test was drawn just then, 1 µs later.
    """
    who = [*range(len(patients)), *(one.patient for one in tries)]
    time = np.full(len(who), moment)
    rows: dict[str, list[tuple[int, int, int, float, float]]] = {}
    standing: dict[str, list[tuple[int, float]]] = {}
    for copy, number in enumerate(who):
        added = tries[copy - len(patients)] if copy >= len(patients) else None
        patient = patients[number]
        for name, values in patient.draws.items():
            for value in values:
                drawn, known = round(value.drawn * HOUR), round(value.known * HOUR)
                key = known if clock == "available" else drawn
                rows.setdefault(name, []).append((copy, key, drawn, value.low, value.high))
                if added is not None and added.variable == name and key == moment:
                    time[copy] = moment + 1
        for name, number_ in patient.standing.items():
            standing.setdefault(name, []).append((copy, number_))
        if added is not None:
            if added.variable in STANDING:
                standing.setdefault(added.variable, []).append((copy, added.value))
            else:
                at = int(time[copy])
                rows.setdefault(added.variable, []).append((copy, at, at, added.value, added.value))
    values_: dict[str, Points | Timeline] = {}
    for name, listed in rows.items():
        person, at_, drawn_, low, high = (list(each) for each in zip(*listed, strict=True))
        values_[name] = Points.build(
            person, at_, low, high, drawn=drawn_ if clock == "available" else None
        )
    for name, each in standing.items():
        persons = [copy for copy, _ in each]
        values_[name] = Timeline.build(
            persons, [0] * len(each), [2 * moment] * len(each), [number for _, number in each]
        )
    return Inputs(values_, clock, len(who)), time  # type: ignore[arg-type]


STANDING = {"immunosuppression"} | {
    each.name for each in vocabulary.load().derived if each.kind == "timeline"
}


def status(definition: Definition, given: Inputs, time: np.ndarray) -> list[str]:
    """met, not met or undetermined, of every person."""
    low, high = evaluate(definition, given).at(np.arange(len(time)), time)
    return [
        "met" if least >= definition.cut_off else "not met" if most < definition.cut_off else "open"
        for least, most in zip(low.tolist(), high.tolist(), strict=True)
    ]


def exact(definition: Definition, given: Inputs, variable: str, time: np.ndarray) -> np.ndarray:
    """Whether everything that a definition reads of a variable is known exactly."""
    known = np.ones(len(time), np.bool_)
    for item in definition.items:
        for leaf in item.leaves():
            if leaf.variable == variable:
                alone = leaf if leaf.over is None else _alone(leaf)
                low, high = given.timeline(alone).at(np.arange(len(time)), time)
                known &= low == high
    return known


def _alone(leaf: Item) -> Item:
    import msgspec

    return msgspec.structs.replace(leaf, over=None)


NUMBER = r"((?:about )?[\d,.]+(?:e[+-]?\d+)?)(?: [^ (]+(?: FEU)?)?(?: \(([\d,.]+) ([^)]+)\))?"


def means(text: str, value: float, other_units: Mapping[str, float]) -> bool | None:
    """Whether a result is among those that a text names; None if it lies too near to an `about`.

    other_units : for each unit in brackets, how many of it are one of the variable's own unit.
    """
    if not text:
        return False
    if text == "any result":
        return True
    if text in {"present", "absent", "yes", "no"}:
        return value == (text in {"present", "yes"})
    found = [_one(part, value, other_units) for part in re.split(r" or (?!more)", text)]
    return None if None in found and True not in found else True in found


FORMS = {
    f"below {NUMBER}": (None, "<"),
    f"up to {NUMBER}": (None, "<="),
    f"{NUMBER} or more": (">=", None),
    f"above {NUMBER}": (">", None),
    f"exactly {NUMBER}": ("=", None),
    f"from {NUMBER} up to {NUMBER}": (">=", "<="),
    f"from {NUMBER} to below {NUMBER}": (">=", "<"),
    f"above {NUMBER} up to {NUMBER}": (">", "<="),
    f"above {NUMBER} to below {NUMBER}": (">", "<"),
}


def _one(text: str, value: float, other_units: Mapping[str, float]) -> bool | None:
    for form, signs in FORMS.items():
        match = re.fullmatch(form, text)
        if match is None:
            continue
        groups = match.groups()
        answers = []
        for at, sign in enumerate(sign for sign in signs if sign is not None):
            number, other, unit = groups[3 * at : 3 * at + 3]
            rough = number.startswith("about ")
            edge = float(number.removeprefix("about ").replace(",", ""))
            ends = [edge, *([float(other.replace(",", "")) / other_units[unit]] if other else [])]
            if rough and math.isclose(edge, value, rel_tol=2e-3, abs_tol=1e-6):
                return None
            low, high = min(ends), max(ends)
            beside = -1 if value < low - 1e-9 * low else 1 if value > high + 1e-9 * high else 0
            answers.append(
                {
                    "<": beside < 0,
                    "<=": beside <= 0,
                    ">": beside > 0,
                    ">=": beside >= 0,
                    "=": beside == 0,
                }[sign]
            )
        return all(answers)
    raise ValueError(f"no such words: {text!r}")
