"""The definitions that a protocol names, shipped or in a user's files, with its overrides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from becalm import definitions, pk
from becalm.definitions import Definition, Override
from becalm.pk import PkModel
from becalm.protocol import CriterionAtLeast, Protocol


def named(protocol: Protocol) -> tuple[str, ...]:
    """Return the names of all definitions that a protocol reports or uses to judge a storm."""
    rules = (*protocol.storm.definite, *protocol.storm.possible.any)
    return tuple(dict.fromkeys([*protocol.definitions.report, *(rule.criterion for rule in rules)]))


def located(protocol: Protocol, folder: Path) -> Protocol:
    """Return a protocol whose files of definitions and models are searched in the folder of its own file."""

    def there(name: str) -> str:
        return str(folder / name) if _is_file(name) else name

    return _with_models(_renamed(protocol, there), there)


def models(protocol: Protocol) -> tuple[Protocol, dict[str, PkModel]]:
    """Read the pharmacokinetic models that a protocol names.

    Returns the protocol with each file replaced by the name of the model in it, as in tables and report, and the
    models by those names.
    """
    read = {each.model: pk.load(each.model) for each in protocol.pharmacology}
    found = {model.name: model for model in read.values()}
    return _with_models(protocol, lambda name: read[name].name), found


def _with_models(protocol: Protocol, called: Callable[[str], str]) -> Protocol:
    asked = tuple(replace(each, model=called(each.model)) for each in protocol.pharmacology)
    return replace(protocol, pharmacology=asked)


def asked(protocol: Protocol) -> tuple[Protocol, dict[str, Definition]]:
    """Read the definitions that a protocol names, with its overrides.

    Returns the protocol with each file replaced by the name of the definition in it, as in tables
    and report, and the definitions by those names.
    """
    names = named(protocol)
    by_given_name = dict(zip(names, definitions.load_all(names), strict=True))
    called = {name: definition.name for name, definition in by_given_name.items()}
    read = {
        definition.name: definition.with_overrides(
            {
                item: Override(within=each.within, take=each.take, clock=each.clock)
                for item, each in protocol.definitions.override.get(definition.name, {}).items()
            }
        )
        for definition in by_given_name.values()
    }
    return _renamed(protocol, called.__getitem__), read


def _is_file(name: str) -> bool:
    return name.partition("#")[0].endswith(".toml")


def _renamed(protocol: Protocol, called: Callable[[str], str]) -> Protocol:
    def rules(criteria: tuple[CriterionAtLeast, ...]) -> tuple[CriterionAtLeast, ...]:
        return tuple(replace(rule, criterion=called(rule.criterion)) for rule in criteria)

    storm = protocol.storm
    return replace(
        protocol,
        definitions=replace(
            protocol.definitions, report=tuple(map(called, protocol.definitions.report))
        ),
        storm=replace(
            storm,
            definite=rules(storm.definite),
            possible=replace(storm.possible, any=rules(storm.possible.any)),
        ),
    )
