"""Checks of a definition beyond types: order of bands, parts, totals that are possible."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isfinite
from typing import NamedTuple

from becalm.core.clock import Length
from becalm.core.errors import did_you_mean
from becalm.definitions.model import RESERVED, Definition, Example, Item, OtherUnit
from becalm.definitions.rules import ItemGroup
from becalm.definitions.scoring import attainable

THRESHOLDS = ("at_least", "above", "up_to", "below")
READING = ("take", "within", "unit", "decimals", "over", "change", "clock")


class DefinitionMistake(NamedTuple):
    """A mistake: the message, the word in the file, how to correct it, and the table: `item[2]`."""

    what: str
    word: str
    hint: str = ""
    at: str = ""


def check(definition: Definition, broken: frozenset[str]) -> Iterator[DefinitionMistake]:
    """Yield every contradiction in a definition.

    broken : tables and keys that could not be read; they are not checked again.
    """
    yield from _names([item.key for item in definition.items], "item", "item")
    sound = not any(each.startswith("item") for each in broken)
    for number, item in enumerate(definition.items):
        at = f"item[{number}]"
        if at in broken:
            continue
        if item.key in RESERVED:
            yield DefinitionMistake(f"an item may not be called {item.key!r}", item.key, at=at)
        for complaint in _item(item, part=False):
            sound = False
            yield complaint._replace(at=at)
    for complaint in _rules(definition):
        sound = False
        yield complaint
    if definition.whole_stay and sound:
        yield from _of_whole_stay(definition)
    if not sound:
        return  # further checks would report the same mistakes again
    yield from _totals(definition, broken)
    for number, example in enumerate(definition.examples):
        if f"example[{number}]" not in broken:
            for complaint in _example(example, definition):
                yield complaint._replace(at=f"example[{number}]")


def _totals(definition: Definition, broken: frozenset[str]) -> Iterator[DefinitionMistake]:
    reach = f"the totals that can be reached, {definition.minimum:g} to {definition.maximum:g}"
    if "cut_off" not in broken and not _reached(definition, definition.cut_off):
        yield DefinitionMistake(f"cut_off {definition.cut_off:g} lies outside {reach}", "cut_off")
    yield from _names([definition.name, *(each.name for each in definition.variants)], "variant")
    for number, variant in enumerate(definition.variants):
        if not _reached(definition, variant.cut_off):
            what = f"cut_off {variant.cut_off:g} of {variant.name} lies outside {reach}"
            yield DefinitionMistake(what, "cut_off", at=f"variant[{number}]")
    totals = [row.total for row in definition.probability]
    if any(b <= a for a, b in pairwise(totals)):
        yield DefinitionMistake("totals of the probability table must rise", "probability")


def _reached(definition: Definition, cut_off: float) -> bool:
    return definition.minimum < cut_off <= definition.maximum


def _names(names: list[str], what: str, at: str = "") -> Iterator[DefinitionMistake]:
    for number, name in enumerate(names):
        place = f"{at}[{number}]" if at else ""
        if not name:
            yield DefinitionMistake(f"an {what} has neither name nor variable", "item", at=place)
        elif name in names[:number]:
            yield DefinitionMistake(f"two {what}s are called {name!r}", name, at=place)
        if "." in name.removesuffix(".toml"):
            what_dot = f"{name!r} contains a dot; dots are reserved to join a part to its item"
            yield DefinitionMistake(what_dot, name, at=place)


def _item(item: Item, *, part: bool) -> Iterator[DefinitionMistake]:
    thresholds = [name for name in THRESHOLDS if getattr(item, name) is not None]
    if len(thresholds) + bool(item.bands) + (item.coefficient is not None) != 1:
        yield DefinitionMistake(
            f"{item.key} needs either bands or exactly one of {', '.join(THRESHOLDS)} "
            "(or a coefficient)",
            item.key,
        )
    if part and (item.bands or item.points != 1 or item.coefficient is not None):
        yield DefinitionMistake(
            f"{item.key}: a counted part is met or not met and has no points", item.key
        )
    if item.coefficient is not None and not (item.coefficient and isfinite(item.coefficient)):
        yield DefinitionMistake(
            f"{item.key}: a coefficient of {item.coefficient:g} changes nothing", item.key
        )
    if item.bands:
        yield from _bands(item)
    for other in item.also:
        yield from _also(item, other, thresholds)
    if bool(item.count) + bool(item.variable) + bool(item.score) != 1:
        yield DefinitionMistake(
            f"{item.key} needs either a variable or a count of parts, or the score of a definition",
            item.key,
        )
    elif item.count or item.score:
        if any(getattr(item, name) not in (None, "") for name in READING):
            owner = "parts" if item.count else "definition that is referred to"
            *others, last = READING[:4]
            yield DefinitionMistake(
                f"{item.key}: {', '.join(others)} and {last} belong to the {owner}", item.key
            )
        yield from _names([each.key for each in item.count], "part")
        for each in item.count:
            yield from _item(each, part=True)
    else:
        yield from _reading(item)


def _of_whole_stay(definition: Definition) -> Iterator[DefinitionMistake]:
    """Yield the items that have no worst value of a stay: a last value, or a change."""
    for item in definition.items:
        for leaf in item.walk():
            if leaf.take == "last" or leaf.change is not None:
                yield DefinitionMistake(
                    f"{leaf.key}: a definition of whole stays needs the highest or the lowest value",
                    leaf.key,
                    "Write max or min in take, or leave out whole_stay",
                )


def _also(item: Item, other: OtherUnit, thresholds: list[str]) -> Iterator[DefinitionMistake]:
    """Yield the mistakes in a threshold that is printed in a second unit."""
    stated = [name for name in THRESHOLDS if getattr(other, name) is not None]
    if not item.variable or item.over or item.change or item.points < 0 or len(thresholds) != 1:
        what = (
            f"{item.key}: only one threshold of a variable, with points above 0, has another unit"
        )
        yield DefinitionMistake(what, "also")
    elif stated != thresholds:
        what = f"{item.key}: the threshold in {other.unit} needs {thresholds[0]}, as that in {item.unit}"
        yield DefinitionMistake(what, "also")


def _reading(item: Item) -> Iterator[DefinitionMistake]:
    """Yield the mistakes in how a variable is read."""
    if (item.take is None) != (item.within is None):
        yield DefinitionMistake(f"{item.key}: write both take and within, or neither", item.key)
    if item.within is not None:
        yield from _not_empty(item, item.within)
    if item.change is not None:
        yield from _not_empty(item, item.change.within)
        yield from _not_empty(item, item.change.held)
        if item.take is None:
            yield DefinitionMistake(
                f"{item.key}: a change needs take and within of its own", item.key
            )
        gate = item.change.from_above
        if gate is not None and (gate <= 0 or item.change.against != "lowest"):
            what = f"{item.key}: from_above is a number above 0, against the lowest"
            yield DefinitionMistake(what, "from_above")
    if item.over is not None:
        thresholds = [
            name for name in (*THRESHOLDS, "coefficient") if getattr(item.over, name) is not None
        ]
        if (
            thresholds
            or item.over.bands
            or item.over.count
            or item.over.over
            or not item.over.variable
        ):
            yield DefinitionMistake(
                f"{item.key}: the divisor must be a variable with unit, take and within",
                "over",
            )
        else:
            yield from _reading(item.over)


def _not_empty(item: Item, length: Length) -> Iterator[DefinitionMistake]:
    if length.us <= 0:
        yield DefinitionMistake(f"{str(length)!r} must be longer than 0", item.key)


def _bands(item: Item) -> Iterator[DefinitionMistake]:
    *edged, last = item.bands
    if last.below is not None or last.up_to is not None:
        yield DefinitionMistake(
            f"{item.key}: the last band must include all remaining values",
            item.key,
            "Remove below and up_to from it",
        )
    if len(item.bands) < 2:
        yield DefinitionMistake(f"{item.key}: one band alone has no effect", item.key)
    elif len({band.points for band in item.bands}) == 1:
        yield DefinitionMistake(
            f"{item.key}: bands that all have the same points have no effect", item.key
        )
    if any((band.below is None) == (band.up_to is None) for band in edged):
        yield DefinitionMistake(
            f"{item.key}: every band but the last needs either below or up_to", item.key
        )
        return
    for lower, upper in pairwise(edged):
        if upper.edge <= lower.edge:
            yield DefinitionMistake(
                f"{item.key}: the bands overlap or are not in order at "
                f"{upper.below if upper.up_to is None else upper.up_to:g}",
                item.key,
                "Write them from the lowest value up",
            )


def _rules(definition: Definition) -> Iterator[DefinitionMistake]:
    if definition.rule is not None and definition.grades:
        yield DefinitionMistake("a definition has either a rule or grades", "rule")
    grades = [grade.grade for grade in definition.grades]
    if any(grade <= 0 for grade in grades) or len(set(grades)) < len(grades):
        yield DefinitionMistake("grades are different numbers above 0", "grade")
    for rule in definition.rules:
        for group in rule.walk():
            yield from _group(group, {item.key: item for item in definition.items})


def _group(group: ItemGroup, items: dict[str, Item]) -> Iterator[DefinitionMistake]:
    if bool(group.all) + bool(group.any) + bool(group.of) != 1:
        yield DefinitionMistake("a rule needs one of all, any, and at_least with of", "rule")
    elif bool(group.of) != (group.at_least is not None):
        yield DefinitionMistake("write both at_least and of, or neither", "rule")
    different = len(set(group.terms))
    if group.at_least is not None and group.of and not 1 <= group.at_least <= different:
        yield DefinitionMistake(f"at least {group.at_least} of {different} is not possible", "rule")
    for name in (term for term in group.terms if isinstance(term, str)):
        if name not in items:
            what, hint = f"the rule names {name!r}, which is not an item", did_you_mean(name, items)
            yield DefinitionMistake(what, name, hint)
        elif items[name].coefficient is not None:
            yield DefinitionMistake(
                f"{name} has a coefficient: a rule needs items that are met or not met", name
            )


def _example(example: Example, definition: Definition) -> Iterator[DefinitionMistake]:
    for name in example.given:
        if name not in definition.variables:
            yield DefinitionMistake(
                f"an example gives {name!r}, which {definition.name} does not read",
                name,
                did_you_mean(name, definition.variables),
            )
    items = {item.key: item for item in definition.items}
    known = [*items, *RESERVED]
    for name, expected in example.expect.items():
        if name not in known:
            yield DefinitionMistake(
                f"an example expects {name!r}, which is not an item",
                name,
                did_you_mean(name, known),
            )
        elif name == "total" and not attainable(definition, expected):
            yield DefinitionMistake(
                f"an example expects a total of {expected:g}, which is not possible", name
            )
        elif name in items and items[name].coefficient is None:
            worth = {band.points for band in items[name].scale}
            if expected not in worth:
                yield DefinitionMistake(
                    f"an example expects {expected:g} of {name}, which never has these points", name
                )
