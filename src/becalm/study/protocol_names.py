"""Whether the names in a protocol exist: drugs, variables, conditions, definitions, events, papers.

A misspelt name would match nobody and look like a finding. Checked here and not in
`becalm.protocol`, which knows nothing of vocabulary and definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from becalm import definitions as scores
from becalm import pk, vocabulary
from becalm.core import citations
from becalm.core.errors import BecalmError, DefinitionError, did_you_mean
from becalm.core.toml_position import TomlMistake
from becalm.definitions import Definition
from becalm.measures import ctcae
from becalm.measures.exposure.patient_covariates import KNOWN
from becalm.persons import diagnoses
from becalm.pk import PkModel
from becalm.protocol import Pharmacology, Protocol, Reading, examine, pharmacology, read
from becalm.records.review.questions import questions
from becalm.study import protocol_definitions
from becalm.vocabulary import MeasurementKind, Vocabulary

Named: TypeAlias = Iterable[tuple[str, str]]
"""Paths in the protocol's file, each with the name at this path."""


def load(name_or_path: str) -> Protocol:
    """Read a protocol, shipped or a user's own, for a study: this is the loader that callers use.

    Raises
    ------
    DefinitionError
        With one line for every mistake: what cannot be read, what does not agree, names that nothing
        goes by, and mistakes in the definition files that it names.
    """
    text, file = read(name_or_path)
    return checked(text, file, Path(name_or_path).parent)


def checked(text: str, file: str, folder: Path | None = None) -> Protocol:
    """Read a protocol from text and look up every name in it; see `load`.

    folder : where the definition files that it names lie.
    """
    examined = examine(text, file)
    protocol = examined.protocol
    if protocol is None:
        examined.refuse()
        raise AssertionError("what cannot be read has a mistake")
    if folder is not None:
        protocol = protocol_definitions.located(protocol, folder)
    examined.add(unknown_names(protocol))
    examined.refuse()
    return protocol


def with_models(protocol: Protocol, models: Sequence[str]) -> Protocol:
    """Return a protocol that also asks for concentrations by some models, as it says nothing more of them.

    Raises `DefinitionError` for a model that is not known, has mistakes, or cannot be used in a study.
    """
    if not models:
        return protocol
    asked = (*protocol.pharmacology, *(Pharmacology(name) for name in models))
    chosen = replace(protocol, pharmacology=asked)
    wrong = [*pharmacology(chosen), *_models(chosen, vocabulary.load())]
    if wrong:
        raise DefinitionError.of(
            [DefinitionError(each.what, where="--model", hint=each.hint or None) for each in wrong]
        )
    return chosen


def unknown_names(protocol: Protocol) -> Iterator[TomlMistake]:
    """Yield every name in a protocol that does not exist."""
    words = vocabulary.load()

    def variable(name: str) -> Iterator[str]:
        code = words.resolve(MeasurementKind("", "name", "", name, "")).variable
        if code is not None:
            yield words.variables[code].name

    def drug(name: str) -> Iterator[str]:
        found = words.drug_of(name)
        if found is not None:
            yield found.name

    unknown = list(
        _unknown(
            _variables(protocol), "variable", [each.name for each in words.variables], variable
        )
    )
    yield from unknown
    yield from _unknown(_drugs(protocol), "drug", [each.name for each in words.drugs], drug)
    yield from _unknown(
        _procedures(protocol),
        "procedure",
        [each.name for each in words.procedures],
        lambda name: words.procedures_of("", "", name),
    )
    yield from _conditions(protocol, words)
    yield from _definitions(protocol)
    yield from _models(protocol, words)
    events = ["aki", *(event.event for event in ctcae.events())]
    yield from _unknown(_each("safety.events", protocol.safety.events), "safety event", events)
    yield from _unknown(_each("cite", protocol.cite), "reference", citations.bibliography())
    asked = list(questions())
    yield from _unknown(_each("review.questions", protocol.review.questions), "question", asked)
    blind = ((f"review.blind.{name}", name) for name in protocol.review.blind)
    yield from _unknown(blind, "question", asked)
    answered = protocol.response.variables
    if any(each.at.startswith("response.variables") for each in unknown):
        return  # the rest would only repeat it
    for key in ("primary", "primary_any"):
        named = _each(f"response.{key}", getattr(protocol.response, key))
        yield from _unknown(named, "variable of response.variables", answered)


def _variables(protocol: Protocol) -> Named:
    if protocol.entry_test is not None:
        yield "entry_test.variable", protocol.entry_test.variable
    if protocol.index is not None:
        yield "index.variable", protocol.index.variable
        for i, each in enumerate(protocol.index.qualifying):
            yield f"index.qualifying[{i}].variable", each.variable
    yield from _each("response.variables", protocol.response.variables)


def _drugs(protocol: Protocol) -> Named:
    if protocol.entry is not None:
        yield "entry.drug", protocol.entry.drug
    yield from _each("doses.also", protocol.doses.also)
    yield from _each("outcome.maintenance_drugs", protocol.outcome.maintenance_drugs)
    for i, confounder in enumerate(protocol.confounder):
        yield from _each(f"confounder[{i}].drugs", confounder.drugs)


def _procedures(protocol: Protocol) -> Named:
    for i, confounder in enumerate(protocol.confounder):
        yield from _each(f"confounder[{i}].procedures", confounder.procedures)


def _conditions(protocol: Protocol, words: Vocabulary) -> Iterator[TomlMistake]:
    known = [condition.name for condition in words.conditions]
    named = [
        *_each("exclude.conditions", protocol.exclude.conditions),
        *([("landmark.condition", protocol.landmark.condition)] if protocol.landmark else []),
        *_each("storm.clinician", protocol.storm.clinician),
    ]
    yield from _unknown(named, "condition", known, lambda name: words.conditions_of("", "", name))
    for i, rule in enumerate(protocol.storm.definite):
        diseases = _each(f"storm.definite[{i}].underlying", rule.underlying)
        yield from _unknown(diseases, "underlying disease", diagnoses.rules().underlying)
    for i, rule in enumerate(protocol.storm.possible.any):
        diseases = _each(f"storm.possible.any[{i}].underlying", rule.underlying)
        yield from _unknown(diseases, "underlying disease", diagnoses.rules().underlying)


def _definitions(protocol: Protocol) -> Iterator[TomlMistake]:
    """Yield every mistake in the definitions that a protocol names, and in how it overrides them."""
    places = {
        name: f"definitions.report[{i}]" for i, name in enumerate(protocol.definitions.report)
    }
    for i, rule in enumerate(protocol.storm.definite):
        places.setdefault(rule.criterion, f"storm.definite[{i}].criterion")
    for i, rule in enumerate(protocol.storm.possible.any):
        places.setdefault(rule.criterion, f"storm.possible.any[{i}].criterion")
    found: dict[str, Definition] = {}
    for name, at in places.items():
        try:
            definition = scores.load(name)
        except BecalmError as error:
            for each in (error, *getattr(error, "others", ())):
                what = f"{each.where}: {each.what}" if each.where else each.what
                yield TomlMistake(at, what, each.hint or "")
            continue
        if definition.name in found:
            what = f"two definitions are called {definition.name!r}"
            yield TomlMistake(at, what, "Give each a name of its own")
        found[definition.name] = definition
    for name, items in protocol.definitions.override.items():
        at = f"definitions.override.{name}"
        if name not in found:
            yield TomlMistake(
                at, f"no definition here is called {name!r}", did_you_mean(name, found)
            )
            continue
        known = found[name].look_backs()
        for item, reading in items.items():
            here = f"{at}.{item}"
            if item not in known:
                what = f"{name} has no look-back for {item!r}"
                yield TomlMistake(here, what, did_you_mean(item, known))
            elif reading == Reading():
                yield TomlMistake(here, "changes nothing", "Give within, take or clock")


def _models(protocol: Protocol, words: Vocabulary) -> Iterator[TomlMistake]:
    """Yield every mistake in the pharmacokinetic models that a protocol names, and in what it says of them."""
    drugs: set[str] = set()
    for i, each in enumerate(protocol.pharmacology):
        at = f"pharmacology[{i}]"
        try:
            model = pk.load(each.model)
        except BecalmError as error:
            for one in (error, *getattr(error, "others", ())):
                what = f"{one.where}: {one.what}" if one.where else one.what
                yield TomlMistake(f"{at}.model", what, one.hint or "")
            continue
        for what, hint in _unusable(model, words):
            yield TomlMistake(f"{at}.model", f"{model.name}: {what}", hint)
        if model.drug in drugs:
            what = f"another model of {model.drug} stands above"
            yield TomlMistake(f"{at}.model", what, "One study has one model of a drug")
        drugs.add(model.drug)
        if each.group and each.group not in model.groups:
            what = f"{model.name} has no group {each.group!r}"
            yield TomlMistake(f"{at}.group", what, did_you_mean(each.group, model.groups))


def _unusable(model: PkModel, words: Vocabulary) -> Iterator[tuple[str, str]]:
    """Yield why a study cannot use a model, with a hint."""
    known = {each.name: each for each in words.drugs}
    if model.drug not in known:
        meant = words.drug_of(model.drug)
        hint = did_you_mean(model.drug, known) if meant is None else f"Did you mean {meant.name!r}?"
        yield f"no drug is called {model.drug!r}", hint
    elif known[model.drug].dose_unit != "mg":
        unit = known[model.drug].dose_unit
        yield f"{model.drug} is added up in {unit}, and a model calculates in mg", ""
    for name in model.used_covariates:
        if name not in KNOWN and model.covariates[name].otherwise is None:
            hint = f"Give it 'otherwise'. A study has {', '.join(KNOWN)}"
            yield f"a study does not have the covariate {name!r}", hint


def _each(at: str, names: Iterable[str]) -> Named:
    return ((f"{at}[{i}]", name) for i, name in enumerate(names))


def _unknown(
    named: Named,
    kind: str,
    known: Iterable[str],
    meant: Callable[[str], Iterable[str]] = lambda _: (),
) -> Iterator[TomlMistake]:
    """Complain of names that are not known; `meant` finds the name behind a record's spelling."""
    names = set(known)
    for at, name in named:
        if name not in names:
            hint = next((f"Did you mean {each!r}?" for each in meant(name)), None)
            yield TomlMistake(
                at, f"no {kind} is called {name!r}", hint or did_you_mean(name, names)
            )
