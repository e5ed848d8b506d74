"""What a definition's types cannot say: bands in order, parts that fit, words that exist."""

from __future__ import annotations

from itertools import pairwise

from becalm import vocabulary
from becalm.clock import span
from becalm.errors import did_you_mean
from becalm.scores.definition import RESERVED, Definition, Example, Item

THRESHOLDS = ("at_least", "above", "upto", "below")


class Complaint(Exception):  # noqa: N818 - it becomes a DefinitionError with file and row
    """What is wrong, the word to look for in the file, and how to mend it."""

    def __init__(self, what: str, word: str, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.word, self.hint = what, word, hint


def check(definition: Definition) -> None:
    """Refuse a definition that could not mean what it says."""
    _names([item.key for item in definition.items], "item")
    for item in definition.items:
        if item.key in RESERVED:
            raise Complaint(f"an item may not be called {item.key!r}", item.key)
        _item(item, part=False)
    _rule(definition)
    if not definition.minimum < definition.cut_off <= definition.maximum:
        raise Complaint(
            f"cut_off {definition.cut_off:g} lies outside the totals that can be reached, "
            f"{definition.minimum:g} to {definition.maximum:g}",
            "cut_off",
        )
    totals = [row.total for row in definition.probability]
    if any(b <= a for a, b in pairwise(totals)):
        raise Complaint("totals of the probability table must rise", "probability")
    for example in definition.examples:
        _example(example, definition)


def _names(names: list[str], what: str) -> None:
    for name in names:
        if not name:
            raise Complaint(f"an {what} has neither name nor variable", "item")
        if names.count(name) > 1:
            raise Complaint(f"two {what}s are called {name!r}", name)
        if "." in name:
            raise Complaint(f"{name!r} has a dot in it; dots join a part to its item", name)


def _item(item: Item, *, part: bool) -> None:
    given = [name for name in THRESHOLDS if getattr(item, name) is not None]
    if len(given) + bool(item.bands) != 1:
        raise Complaint(
            f"{item.key} needs either bands or exactly one of {', '.join(THRESHOLDS)}", item.key
        )
    if part and (item.bands or item.points != 1):
        raise Complaint(
            f"{item.key}: a part that is counted is met or not, without points", item.key
        )
    if item.bands:
        _bands(item)
    if bool(item.count) == bool(item.variable):
        raise Complaint(f"{item.key} needs either a variable or a count of parts", item.key)
    if item.count:
        if item.take or item.within or item.unit or item.decimals is not None:
            raise Complaint(
                f"{item.key}: take, within, unit and decimals belong to the parts", item.key
            )
        _names([each.key for each in item.count], "part")
        for each in item.count:
            _item(each, part=True)
        return
    if (item.take is None) != (item.within is None):
        raise Complaint(f"{item.key}: take and within are given together or not at all", item.key)
    if item.within is not None:
        try:
            if span(item.within) <= 0:
                raise ValueError(f"{item.within!r} is no time at all")
        except ValueError as error:
            raise Complaint(str(error), item.key) from error
    _variable(item)


def _bands(item: Item) -> None:
    *edged, last = item.bands
    if last.below is not None or last.upto is not None:
        raise Complaint(
            f"{item.key}: the last band must take everything that is left",
            item.key,
            "Leave below and upto out of it",
        )
    if len(item.bands) < 2:
        raise Complaint(f"{item.key}: one band alone decides nothing", item.key)
    for band in edged:
        if (band.below is None) == (band.upto is None):
            raise Complaint(
                f"{item.key}: every band but the last needs either below or upto", item.key
            )
    for lower, upper in pairwise(edged):
        if upper.edge <= lower.edge:
            raise Complaint(
                f"{item.key}: the bands overlap or are not in order at "
                f"{upper.below if upper.upto is None else upper.upto:g}",
                item.key,
                "Write them from the lowest value up",
            )


def _rule(definition: Definition) -> None:
    names = [item.key for item in definition.items]
    for term in definition.rule.all if definition.rule else ():
        members = (term,) if isinstance(term, str) else term.of
        for name in members:
            if name not in names:
                raise Complaint(
                    f"the rule names no item: {name!r}", name, did_you_mean(name, names)
                )
        if not isinstance(term, str) and not 1 <= term.at_least <= len(set(members)):
            raise Complaint(f"at least {term.at_least} of {len(set(members))} cannot be", "rule")


def _example(example: Example, definition: Definition) -> None:
    for name in example.given:
        if name not in definition.variables:
            raise Complaint(
                f"an example gives {name!r}, which {definition.name} does not read",
                name,
                did_you_mean(name, definition.variables),
            )
    known = [*(item.key for item in definition.items), *RESERVED]
    for name in example.expect:
        if name not in known:
            raise Complaint(f"an example expects {name!r}", name, did_you_mean(name, known))


def _variable(item: Item) -> None:
    units = {variable.name: variable.unit for variable in vocabulary.load().variables}
    if item.variable not in units:
        raise Complaint(
            f"no variable is called {item.variable!r}",
            item.variable,
            did_you_mean(item.variable, units),
        )
    if item.unit != units[item.variable]:
        raise Complaint(
            f"{item.key} is written in {item.unit or 'no unit'}, "
            f"but {item.variable} is kept in {units[item.variable] or 'no unit'}",
            item.key,
        )
