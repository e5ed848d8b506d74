"""Causes that change a value without a change of the inflammation, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from becalm import vocabulary
from becalm.core import toml
from becalm.core.clock import Length
from becalm.core.errors import DefinitionError, did_you_mean
from becalm.timeline import Intervals

FILE = Path(__file__).parent / "lookalikes.toml"


class Modifier(toml.TomlTable, frozen=True):
    """Drugs (by name or class) or procedures that change some variables, until `after` their end."""

    label: str
    variables: tuple[str, ...]
    after: Length
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    source: str = "becalm proposal"
    verified: bool = True

    def all_drugs(self) -> tuple[str, ...]:
        """Return the named drugs and those of the named classes."""
        return (*self.drugs, *vocabulary.load().drugs_of_class(*self.classes))


class _File(toml.TomlTable, frozen=True):
    modifier: tuple[Modifier, ...]


@lru_cache(maxsize=1)
def lookalikes() -> tuple[Modifier, ...]:
    """Return every modifier; a name that is not in the vocabulary is an error."""
    modifiers = toml.load(FILE, _File).modifier
    words = vocabulary.load()
    variables = [each.name for each in words.variables]
    drugs = [each.name for each in words.drugs]
    classes = [each.drug_class for each in words.drugs]
    procedures = [each.name for each in words.procedures]
    for modifier in modifiers:
        for names, known in (
            (modifier.variables, variables),
            (modifier.drugs, drugs),
            (modifier.classes, classes),
            (modifier.procedures, procedures),
        ):
            for name in names:
                if name not in known:
                    raise DefinitionError(
                        f"{modifier.label}: nothing is called {name!r}",
                        where=FILE.name,
                        hint=did_you_mean(name, known),
                    )

    return modifiers


def modifier_intervals(
    drugs: Mapping[str, Intervals], procedures: Mapping[str, Intervals]
) -> dict[str, list[tuple[str, Intervals]]]:
    """Return, for each variable, the modifiers and when a draw is changed by each.

    drugs and procedures : when each was running, by the vocabulary's names. A single dose is an
    interval of 1 µs. A value drawn exactly at the end of the time after is not marked any more.
    """
    by_variable: dict[str, list[tuple[str, Intervals]]] = {}
    for modifier in lookalikes():
        running = [
            *_running(modifier.all_drugs(), drugs),
            *_running(modifier.procedures, procedures),
        ]
        if not running:
            continue
        first, *others = running
        together = first.union(*others)
        reach = Intervals.build(together.person, together.start, together.end + modifier.after.us)
        for variable in modifier.variables:
            by_variable.setdefault(variable, []).append((modifier.label, reach))
    return by_variable


def _running(names: tuple[str, ...], running: Mapping[str, Intervals]) -> Iterator[Intervals]:
    for name in names:
        if name in running and len(running[name]):
            yield running[name]
