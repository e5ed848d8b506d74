"""The variable (with its units and plausible range) or the definition to which an item refers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, isfinite
from typing import TypeAlias

import msgspec

from becalm import vocabulary
from becalm.core.errors import did_you_mean
from becalm.definitions.model import Definition, Factors, Item, Resolved
from becalm.definitions.validation import DefinitionMistake

Refer: TypeAlias = Callable[[str], Definition | None]
"""Reads a definition that another one names; None if it cannot be read, which is then reported."""


def resolve(
    definition: Definition, refer: Refer, report: Callable[[DefinitionMistake], None]
) -> Definition:
    """Return a definition with resolved items, and report every name that does not exist."""
    items = []
    for number, item in enumerate(definition.items):

        def here(complaint: DefinitionMistake, at: str = f"item[{number}]") -> None:
            report(complaint._replace(at=at))

        items.append(_resolved(item, refer, here))
    return msgspec.structs.replace(definition, items=tuple(items))


def _resolved(item: Item, refer: Refer, report: Callable[[DefinitionMistake], None]) -> Item:
    changes: dict[str, object] = {}
    if item.count:
        changes["count"] = tuple(_resolved(part, refer, report) for part in item.count)
    if item.score:
        referred = refer(item.score)
        if referred is not None:
            # Examples and variants are left out, so that items can be compared.
            kept = msgspec.structs.replace(referred, examples=(), variants=())
            changes["resolved"] = Resolved(low=kept.minimum, high=kept.maximum, referred=kept)
    if item.variable:
        factors, low, high = _variable(item, report)
        if item.over is not None and item.over.variable:
            over = _resolved(item.over, refer, report)
            changes["over"] = over
            least = over.resolved.low if over.resolved else 0.0
            most = over.resolved.high if over.resolved else inf
            low, high = (low / most if most else 0.0), (high / least if least > 0 else inf)
        if item.change is not None:
            low, high = 0.0, inf
        also = tuple(
            _variable(msgspec.structs.replace(item, unit=other.unit), report)[0]
            for other in item.also
        )
        changes["resolved"] = Resolved(factors=factors, low=low, high=high, also=also)
    return msgspec.structs.replace(item, **changes) if changes else item


def _variable(
    item: Item, report: Callable[[DefinitionMistake], None]
) -> tuple[Factors, float, float]:
    """Return the conversion of the item's unit, and the plausible range in the item's unit."""
    words = vocabulary.load()
    derived = {each.name: each for each in words.derived}
    variables = {each.name: each for each in words.variables}
    name, plain = item.variable, Resolved().factors
    known = variables.get(name) or derived.get(name)
    if known is None:
        near = did_you_mean(name, (*variables, *derived))
        report(DefinitionMistake(f"no variable is called {name!r}", name, near))
        return plain, 0.0, inf
    if name in derived and derived[name].kind == "timeline" and (item.take or item.within):
        what = f"{item.key}: {name} has its own end time, so it has no look-back"
        report(DefinitionMistake(what, item.key, "Leave take and within out"))
    low, high = known.plausible.low, known.plausible.high
    if item.unit == known.unit:
        return plain, low, high
    reason = "" if name in variables else "computed"
    if name in variables and item.unit:
        conversion, reason = words.unit_of(variables[name], item.unit)
        if not reason:
            ends = conversion.back(low), conversion.back(high)
            return tuple(conversion[:3]), *(round(x, 9) if isfinite(x) else x for x in ends)  # type: ignore[return-value]
    refused = name in variables and reason in variables[name].refused_units.values()
    kept = (
        reason if refused else f"{name} has {f'the unit {known.unit}' if known.unit else 'no unit'}"
    )
    report(
        DefinitionMistake(
            f"{item.key} is written in {item.unit or 'no unit'}, but {kept}",
            item.key,
            "" if refused or name in derived else _units(tuple(variables[name].units)),
        )
    )
    return plain, low, high


def _units(units: tuple[str, ...]) -> str:
    return f"Units that convert: {', '.join(units)}" if len(units) > 1 else ""


def referred_names(definition: Definition) -> Iterator[str]:
    """Yield the names of the definitions whose totals a definition uses."""
    for item in definition.items:
        for part in item.walk():
            if part.score:
                yield part.score
