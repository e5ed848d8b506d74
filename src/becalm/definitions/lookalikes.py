"""What moves an item without the inflammation having moved, and for how long: `lookalikes.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from becalm import vocabulary
from becalm.core import toml
from becalm.core.clock import span
from becalm.core.errors import DefinitionError, did_you_mean
from becalm.timeline import Intervals

FILE = Path(__file__).parent / "lookalikes.toml"


class Modifier(toml.TomlTable, frozen=True):
    """Drugs (by name or class) or procedures that move some variables, until `after` their end."""

    label: str
    variables: tuple[str, ...]
    after: str
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    source: str = "becalm proposal"
    verified: bool = True

    def all_drugs(self) -> tuple[str, ...]:
        """Drugs named, and those of the classes named."""
        return (*self.drugs, *vocabulary.load().drugs_of_class(*self.classes))


class _File(toml.TomlTable, frozen=True):
    modifier: tuple[Modifier, ...]


@lru_cache(maxsize=1)
def lookalikes() -> tuple[Modifier, ...]:
    """Return every modifier; a name that the vocabulary does not have is refused."""
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
        span(modifier.after)
    return modifiers


def modifier_intervals(
    drugs: Mapping[str, Intervals], procedures: Mapping[str, Intervals]
) -> dict[str, list[tuple[str, Intervals]]]:
    """Return, for each variable, what moves it and when a value drawn is moved by it.

    drugs and procedures : when each was running, by the vocabulary's names. A single dose is an
    interval of 1 µs. A value drawn at the very end of the time after is no longer marked.
    """
    found: dict[str, list[tuple[str, Intervals]]] = {}
    for modifier in lookalikes():
        running = [*_given(modifier.all_drugs(), drugs), *_given(modifier.procedures, procedures)]
        if not running:
            continue
        first, *others = running
        together = first.union(*others)
        reach = Intervals.build(
            together.person, together.start, together.end + span(modifier.after)
        )
        for variable in modifier.variables:
            found.setdefault(variable, []).append((modifier.label, reach))
    return found


def _given(names: tuple[str, ...], running: Mapping[str, Intervals]) -> Iterator[Intervals]:
    for name in names:
        if name in running and len(running[name]):
            yield running[name]
