"""The values used in a run that were not checked against their source yet.

The report prints this list; every value marked unverified stays marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from becalm.core.frame import Frame
from becalm.definitions import Definition, lookalikes, serial_changes
from becalm.doses import EQUIVALENTS, IMPLAUSIBLE, PLAUSIBLE
from becalm.kidney import equations, kdigo
from becalm.measures import ctcae
from becalm.measures.escalations import VASOPRESSORS
from becalm.measures.exposure.patient_covariates import effluent
from becalm.measures.outcome import maintenance
from becalm.measures.response import background, selection_effect
from becalm.measures.response.composites import shipped
from becalm.persons import weighed
from becalm.pk import PkModel
from becalm.protocol import Protocol
from becalm.survival import time_varying
from becalm.vocabulary import Vocabulary, load, organism_kinds


def unverified(
    definitions: Iterable[Definition], tables: Mapping[str, Frame], vocabulary: Vocabulary
) -> tuple[str, ...]:
    """Return texts on the used values that are unverified, each once, in the order of the report."""
    texts = [
        *_definitions(definitions),
        *_grades(tables["safety"]),
        *_vocabulary(tables, vocabulary),
    ]
    texts += _lookalikes(tables["criteria_items"], tables["response"])
    texts += _beside_doses(tables)
    if len(tables["serial_changes"]) and not serial_changes().verified:
        texts.append(f"{serial_changes().title}: what is followed, and over how long")
    texts += _elsewhere(tables["without_drug"])
    texts += _harm(tables)
    if len(tables["kidney"]) and not kdigo.load().recovery.verified:
        texts.append("when a kidney injury is over, persistent or a kidney disease")
    kept = set(tables["outcome"]["maintenance_drug"])
    if len(tables["composites"]):
        texts += [
            f"{each.title}: response as others defined it"
            for each in shipped().values()
            if not each.verified
        ]
    texts += [
        f"how long one dose of {drug} counts as maintenance"
        for drug, checked in sorted(maintenance().verified.items())
        if not checked and drug in kept
    ]
    return tuple(dict.fromkeys(texts))


def unverified_models(
    models: Mapping[str, PkModel], tables: Mapping[str, Frame]
) -> tuple[str, ...]:
    """Return the same of the pharmacokinetic models that were used."""
    used = set(tables["exposure"]["model"].tolist())
    texts = [
        f"model of {model.drug} ({name}): {', '.join(each.replace('_', ' ') for each in model.unverified)}"
        for name, model in models.items()
        if name in used and model.unverified
    ]
    replaced = np.nansum(tables["exposure"]["hours_replaced"]) > 0
    if replaced and not effluent().verified:
        texts.append("the flow of continuous renal replacement")
    return tuple(texts)


def _harm(tables: Mapping[str, Frame]) -> Iterable[str]:
    """Yield the unverified numbers of organs, infections and their rates that occur in the run."""
    rates = tables["sofa"]["noradrenaline_equivalent"]
    if not EQUIVALENTS[VASOPRESSORS].verified and np.isfinite(rates).any():
        yield "vasopressors as noradrenaline"
    commensal = tables["infections"]["commensal"] == np.True_
    if not organism_kinds.file().commensals_verified and commensal.any():
        yield "which organisms are commensals of skin"
    explained = tables["selection_effect"]["expected_fall_percent"]
    if not selection_effect.rules().pairs.verified and np.isfinite(explained).any():
        yield "how much of a fall from a peak the choice of the peak explains"
    if not time_varying.rules().events.verified and len(tables["event_rates"]):
        yield "how many events a model of the dose needs"


def _elsewhere(without_drug: Frame) -> list[str]:
    """Return the rates of other records, where too few in these had no drug and a drug is studied."""
    if not len(without_drug) or not background.few(without_drug):
        return []
    others = [each.variable for each in background.file().elsewhere if not each.verified]
    return [
        f"how often {load().variable(name).title} falls without the drug in other records"
        for name in others
    ]


def unverified_in_protocol(protocol: Protocol, definitions: Iterable[Definition]) -> list[str]:
    """Return the same of what a protocol asks for, whatever the records hold: nothing in it says what they do."""
    used = list(definitions)
    texts = [*_definitions(used)]
    asked = set(protocol.safety.events)
    texts += [
        f"CTCAE grades of {each.event}"
        for each in ctcae.events()
        if each.event in asked and not each.verified
    ]
    read = {leaf.variable for each in used for item in each.items for leaf in item.walk()} | {
        *protocol.response.primary,
        *protocol.response.primary_any,
    }
    texts += [
        f"codes of {each.title.lower()}"
        for each in load().variables
        if each.name in read and not each.verified
    ]
    return list(dict.fromkeys(texts))


def _definitions(definitions: Iterable[Definition]) -> Iterable[str]:
    for definition in definitions:
        for item in definition.items:
            for leaf in item.walk():
                if not leaf.verified:
                    yield f"{definition.title}: {leaf.title or leaf.key}"
        if not definition.cut_off_verified:
            yield f"{definition.title}: cut-off"
        if not definition.derivation.verified:
            yield f"{definition.title}: population it was derived in"


def _grades(safety: Frame) -> Iterable[str]:
    used = set(safety["event"])
    for event in ctcae.events():
        if event.event in used and not event.verified:
            yield f"CTCAE grades of {event.event}"
    if any("default limit" in reference for reference in safety["reference"]):
        yield "default limits of normal, used where a record has none"


def _vocabulary(tables: Mapping[str, Frame], vocabulary: Vocabulary) -> Iterable[str]:
    """Yield the unverified variables and equivalents that occur in the run."""
    measured = set(tables["values"]["variable"])
    for variable in vocabulary.variables:
        if variable.name in measured and not variable.verified:
            yield f"codes of {variable.title.lower()}"
    drugs = set(tables["doses"]["drug"])
    for drug in vocabulary.drugs:
        equivalent = drug.prednisolone_equivalent
        if drug.name in drugs and equivalent is not None and not equivalent.verified:
            yield f"prednisolone equivalent of {drug.name}"


def _beside_doses(tables: Mapping[str, Frame]) -> Iterable[str]:
    """Yield the columns of the dose tables that use an unverified number."""
    cleared = [tables[name]["crcl_ml_min"] for name in ("daily_dose", "escalations")]
    known = any(np.isfinite(column).any() for column in cleared)
    if known and not equations.formulas().cockcroft_gault.verified:
        yield "clearance by Cockcroft and Gault"
    both = tables["daily_dose"], tables["persons"]
    chosen = {source for each in both for source in each["weight_source"]}
    chosen -= {"", "own", "persons sheet"}
    doubted = any((each["weight_remark"] != "").any() for each in both)
    if not weighed.rules().verified and (chosen or doubted):
        yield "which measured weight is used for a dose, and for how long it is valid"
    odd = tables["dose_remarks"]["drug"][tables["dose_remarks"]["remark"] == IMPLAUSIBLE]
    for drug in sorted({*odd} & {each.drug for each in PLAUSIBLE if not each.verified}):
        yield f"from which rate on {drug} is implausible"
    answers = [each for each in tables["escalations"]["vasopressor"].tolist() if each is not None]
    if answers and not EQUIVALENTS[VASOPRESSORS].verified:
        yield "vasopressors as one dose of noradrenaline"


def _lookalikes(*frames: Frame) -> Iterable[str]:
    used = {label for frame in frames for cell in frame["modified_by"] for label in cell.split("|")}
    for modifier in lookalikes():
        if modifier.label in used and not modifier.verified:
            yield f"for how long {modifier.label} changes a value"
