"""What an item of a file stands for: its variable's units and plausible range, or a definition."""

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
"""Read a definition that another one names; None where it cannot be had, which is said already."""


def resolve(
    definition: Definition, refer: Refer, tell: Callable[[DefinitionMistake], None]
) -> Definition:
    """Return a definition whose items know what they read, and tell what nothing goes by."""
    items = []
    for number, item in enumerate(definition.items):

        def here(complaint: DefinitionMistake, at: str = f"item[{number}]") -> None:
            tell(complaint._replace(at=at))

        items.append(_resolved(item, refer, here))
    return msgspec.structs.replace(definition, items=tuple(items))


def _resolved(item: Item, refer: Refer, tell: Callable[[DefinitionMistake], None]) -> Item:
    changes: dict[str, object] = {}
    if item.count:
        changes["count"] = tuple(_resolved(part, refer, tell) for part in item.count)
    if item.score:
        referred = refer(item.score)
        if referred is not None:
            # What only a reader of the file needs is left behind, so that items can be compared.
            kept = msgspec.structs.replace(referred, examples=(), variants=())
            changes["resolved"] = Resolved(low=kept.minimum, high=kept.maximum, referred=kept)
    if item.variable:
        factors, low, high = _variable(item, tell)
        if item.over is not None and item.over.variable:
            over = _resolved(item.over, refer, tell)
            changes["over"] = over
            least = over.resolved.low if over.resolved else 0.0
            most = over.resolved.high if over.resolved else inf
            low, high = (low / most if most else 0.0), (high / least if least > 0 else inf)
        if item.change is not None:
            low, high = 0.0, inf
        changes["resolved"] = Resolved(factors=factors, low=low, high=high)
    return msgspec.structs.replace(item, **changes) if changes else item


def _variable(
    item: Item, tell: Callable[[DefinitionMistake], None]
) -> tuple[Factors, float, float]:
    """How the item's unit becomes the variable's, and the plausible range in the item's unit."""
    words = vocabulary.load()
    derived = {each.name: each for each in words.derived}
    variables = {each.name: each for each in words.variables}
    name, plain = item.variable, Resolved().factors
    known = variables.get(name) or derived.get(name)
    if known is None:
        near = did_you_mean(name, (*variables, *derived))
        tell(DefinitionMistake(f"no variable is called {name!r}", name, near))
        return plain, 0.0, inf
    if name in derived and derived[name].kind == "timeline" and (item.take or item.within):
        what = f"{item.key}: {name} knows itself when it stops being true"
        tell(DefinitionMistake(what, item.key, "Leave take and within out"))
    low, high = known.plausible.low, known.plausible.high
    if item.unit == known.unit:
        return plain, low, high
    reason = "" if name in variables else "worked out"
    if name in variables and item.unit:
        conversion, reason = words.unit_of(variables[name], item.unit)
        if not reason:
            ends = conversion.back(low), conversion.back(high)
            return tuple(conversion), *(round(x, 9) if isfinite(x) else x for x in ends)  # type: ignore[return-value]
    refused = name in variables and reason in variables[name].refused_units.values()
    kept = reason if refused else f"{name} is kept in {known.unit or 'no unit'}"
    tell(
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
    """Yield the definitions whose totals a definition takes."""
    for item in definition.items:
        for part in item.walk():
            if part.score:
                yield part.score
