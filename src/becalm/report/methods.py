"""How the study was done, in sentences made from the protocol's own numbers, and its references."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from becalm import vocabulary
from becalm.core import citations, stats
from becalm.core.digits import fixed
from becalm.core.errors import DefinitionError
from becalm.events import derived_counts
from becalm.kidney import kdigo, replacement
from becalm.measures import ctcae, kidney_injury
from becalm.measures.response.prognosis import MARKER
from becalm.persons import weighed
from becalm.pk import NOT_ADVICE
from becalm.protocol import Reading, Threshold
from becalm.report import facts, labels
from becalm.report.cohort import Cohort
from becalm.report.text import horizon_text, spaced, unit

_TAKEN: Final = {"max": "highest value", "min": "lowest value", "last": "last value"}
_KIDNEY_VALUE: Final = "creatinine"


def methods(cohort: Cohort) -> list[tuple[str, str]]:
    """Return the protocol in sentences, made from its own numbers."""
    parts = [
        ("Population", _population(cohort)),
        ("Entry test", _entry_test(cohort)),
        ("Entry", _entry(cohort)),
        ("Clocks", _clocks(cohort)),
        ("Index", _index(cohort)),
        ("Landmark", _landmark(cohort)),
        ("Storm", _storm(cohort)),
        ("Changes of definitions", _overrides(cohort)),
        ("Excluded", _excluded(cohort)),
        ("Baseline", _baseline(cohort)),
        ("Horizons", _horizons(cohort)),
        ("Response" if cohort.claim == "response" else "Course", _response(cohort)),
        ("Weight", _weight(cohort)),
        ("Kidney", _kidney(cohort)),
        ("Blood counts and liver", _ctcae(cohort)),
        ("Concentrations", _concentrations(cohort)),
        ("Derived values", _derived(cohort)),
        ("Statistics", "Proportions have exact (Clopper–Pearson) 95 % intervals. Medians have ranges. No "
         "standard deviation is given for fewer than ten values."),
    ]  # fmt: skip
    return [(name, words) for name, words in parts if words]


def _population(cohort: Cohort) -> str:
    rule = cohort.result.protocol.population
    text = (
        "Patients of any age"
        if rule.min_age is None
        else f"Patients aged {rule.min_age} years or more"
    )
    return f"{text}{', within the recruitment dates if the records give them' if rule.recruitment else ''}."


def _unit(name: str) -> str:
    written = vocabulary.load().variable(name).unit
    return f" {unit(written)}" if written else ""


def _threshold(each: Threshold) -> str:
    sign, bound = ("≥", each.at_least) if each.at_least is not None else ("<", each.below)
    return f"{labels.variable(each.variable)} {sign} {bound:,g}{_unit(each.variable)}"


def _entry_test(cohort: Cohort) -> str:
    test = cohort.result.protocol.entry_test
    if test is None:
        return ""
    bound = f"{test.at_least:,g}{_unit(test.variable)}"
    return f"At least one {labels.variable(test.variable)} ≥ {bound} at any time."


def _entry(cohort: Cohort) -> str:
    rule = cohort.result.protocol.entry
    if rule is None:
        return ""
    mode = "" if rule.mode == "any" else f"{rule.mode} "
    text = f"First {mode}{labels.drug(rule.drug)}"
    if rule.mode != "continuous IV":
        return f"{text}."
    return (
        f"{text} for {spaced(rule.min_duration)} or more; gaps of up to {spaced(rule.bridge)} do not end it. A "
        f"planned infusion of {spaced(rule.intermittent_up_to)} or less counts as intermittent."
    )


def _clocks(cohort: Cohort) -> str:
    rule = cohort.result.protocol.entry
    if rule is None:
        return ""
    drug, high = labels.drug(rule.drug), rule.least_high_rate(cohort.unit)
    start = "entry" if rule.mode == "continuous IV" else f"first continuous IV {drug}"
    rate = "not used" if high is None else f"first rate ≥ {fixed(high)} {cohort.unit}/day"
    return (
        f"{cohort.clock_label('t0')}: first {drug} by any route in the {spaced(rule.t0_within)} before entry. "
        f"{labels.heading(cohort.clock_label('infusion_start'))}: {start}. "
        f"{labels.heading(cohort.clock_label('high_rate'))}: {rate}."
    )


def _index(cohort: Cohort) -> str:
    rule = cohort.result.protocol.index
    if rule is None:
        return ""
    first = f"{labels.variable(rule.variable)} ≥ {rule.at_least:,g}{_unit(rule.variable)}"
    others = ", ".join(map(_threshold, rule.qualifying))
    return (
        f"First time at which two results are available: {first}, and one of {others}. They are drawn within "
        f"{spaced(rule.within.removeprefix('<='))} of each other."
    )


def _landmark(cohort: Cohort) -> str:
    rule = cohort.result.protocol.landmark
    if rule is None:
        return ""
    after = spaced(rule.after)
    return (
        f"First admission with {labels.condition(rule.condition)}: diagnosed, or tested positive, from "
        f"{spaced(rule.before)} before the admission to its end. The landmark is {after} after admission. Patients "
        f"who are alive and in hospital at the landmark are studied, with the tests drawn before it. The outcome "
        f"is death in hospital within {spaced(rule.horizon)} of admission; discharge alive is the competing event."
    )


def _storm(cohort: Cohort) -> str:
    rule = cohort.result.protocol.storm
    when = (
        "the results that were available then"
        if cohort.result.protocol.clock == "available"
        else "the samples that were drawn then"
    )
    definite = "; ".join(
        f"{cohort.definition_label(each.criterion)} ≥ {each.at_least:g}"
        + (f" in {' or '.join(map(labels.condition, each.underlying))}" if each.underlying else "")
        for each in rule.definite
    )
    began = (
        " When it began, grades, changes and fever are told by when samples were drawn."
        if cohort.result.protocol.clock == "available"
        else ""
    )
    return f"Judged in the {spaced(rule.look_back)} before {cohort.entered_at}, by {when}. Definite: {definite}.{began}"


def _overrides(cohort: Cohort) -> str:
    changed = [
        f"{cohort.definition_label(name)}, {cohort.item_label(name, item)}: {_reading(reading)}"
        for name, items in cohort.result.protocol.definitions.override.items()
        for item, reading in items.items()
    ]
    return f"{'; '.join(changed)}." if changed else ""


def _reading(reading: Reading) -> str:
    taken = _TAKEN.get(reading.take or "", "value")
    parts = [f"{taken} of {spaced(reading.within.removeprefix('<='))}" if reading.within else taken]
    if reading.clock:
        parts.append(f"by the time it was {'drawn' if reading.clock == 'drawn' else 'available'}")
    return ", ".join(parts)


def _excluded(cohort: Cohort) -> str:
    names = cohort.result.protocol.exclude.conditions
    return f"Patients with {', '.join(map(labels.condition, names))}." if names else ""


def _baseline(cohort: Cohort) -> str:
    rule = cohort.result.protocol.baseline
    return (
        f"Last value before the clock: {labels.variable(MARKER)} within {spaced(rule.ferritin)}, other tests within "
        f"{spaced(rule.other)}. Peak: highest value within {spaced(rule.peak)} before the clock."
    )


def _horizons(cohort: Cohort) -> str:
    windows = "; ".join(
        f"{horizon_text(name)}: {'more than ' if each.open else ''}{each.from_h:g} to {each.to_h:g} h"
        for name, each in cohort.result.protocol.horizons.items()
    )
    return f"Value nearest to the horizon, within its window. {windows}."


def _response(cohort: Cohort) -> str:
    rule = cohort.result.protocol.response
    whom = (
        "Only patients given an immunotherapy between admission and a week after the landmark. "
        if rule.of == "treated"
        else ""
    )
    return (
        f"{whom}At 48 h: {facts.primary_words(cohort)}. Death before 48 h counts as no "
        f"{'response' if cohort.claim == 'response' else 'fall'}; without a sample the result is missing."
    )


def _kidney(cohort: Cohort) -> str:
    rule = cohort.result.protocol.kidney
    ways = {
        "outpatient_median": f"median of outpatient values from {spaced(rule.outpatient_from)} to {spaced(rule.outpatient_to)} before onset",
        "minimum_before_onset": f"lowest value in the {spaced(rule.minimum_within)} before onset",
        "back_calculated": f"calculated back from an eGFR of {rule.assumed_egfr:g} mL/min/1.73 m² (MDRD), and marked; none is assumed in "
        f"{labels.condition(kidney_injury.CHRONIC)}",
        "rolling_minimum": "none is stated",
    }
    baseline = "; without this, ".join(ways[name] for name in rule.baseline)
    only = rule.baseline == ("rolling_minimum",)
    reference = (
        "the only reference"
        if only
        else "a second reference; the higher stage counts, and what decided it is said"
    )
    return (
        f"{kdigo.load().kdigo.title} stages by {labels.variable(_KIDNEY_VALUE)}. Baseline: {baseline}. The lowest "
        f"value of the 7 days before each sample is {reference}. "
        f"No value within {spaced(rule.after_session)} after {labels.procedure(replacement.PROCEDURE)} is a reference. In "
        f"{labels.condition(kidney_injury.END_STAGE)} there is no stage. Where rounding of the printed digits alone could undo a ratio, the lowest "
        "possible stage stands beside it."
    )


def _concentrations(cohort: Cohort) -> str:
    """Say by which models concentrations were calculated; nothing in a study without one."""
    said = []
    for each in cohort.result.protocol.pharmacology:
        model = cohort.result.models[each.model]
        way = ""
        if "creatinine_clearance" in model.used_covariates:
            way = f", clearance by {each.clearance.replace('_', ' ')}"
        said.append(
            f"{labels.heading(labels.drug(model.drug))}: {model.title} (model {model.name}){way}."
        )
    return " ".join([*said, NOT_ADVICE]) if said else ""


def _derived(cohort: Cohort) -> str:
    """Say how values came about that no laboratory reported, if anyone of the cohort has one."""
    told = cohort.shown("criteria_items").coded("derived")
    used = told.texts[np.unique(told.code)].tolist()
    names = sorted({name for each in used for name in each.split("|") if name})
    rules = [rule for rule in derived_counts() if rule.variable in names]
    sentences = []
    for rule in rules:
        shares = " plus ".join(labels.variable(name) for name in (rule.percent, *rule.plus))
        sentences.append(
            f"Where no number of {labels.variable(rule.variable)} was reported, it is {shares} (where reported) times "
            f"{labels.variable(rule.of)} of the same specimen; such a value is marked as derived."
        )
    return " ".join(sentences)


def _ctcae(cohort: Cohort) -> str:
    graded = [e for e in cohort.result.protocol.safety.events if e != labels.KIDNEY_INJURY]
    titles = dict.fromkeys(ctcae.version_of(event).title for event in graded)
    if not titles:
        return ""
    return (
        f"{' and '.join(titles)} grades, by the reference limits in the record, also where the value was abnormal "
        "before: there CTCAE counts from the baseline. A default limit is used only if the record has none, and is marked."
    )


def _weight(cohort: Cohort) -> str:
    """Return the rule of the weight in force, if a number of the study uses a weight."""
    tables = cohort.result.tables
    if not any((tables[name]["weight_source"] != "").any() for name in ("persons", "daily_dose")):
        return ""
    rule = weighed.rules()
    return (
        "Doses per kg and clearance use one weight: that of the row; else the last measured in the "
        f"{spaced(rule.before)} before; else the first in the {spaced(rule.after)} after; else that of the persons sheet; "
        "else the last measured before; else the first measured later in the stay. A weight is set aside where it "
        f"differs from those beside it by a factor of {rule.apart:g} or more ({rule.source})."
    )


def references(cohort: Cohort) -> list[dict[str, Any]]:
    """Return the papers behind the run, in the order of first use."""
    found = []
    for name in cohort.result.citations:
        try:
            ref = citations.reference(name)
        except DefinitionError:
            found.append(
                {
                    "key": name,
                    "text": f"{name}: not in the bibliography",
                    "doi": "",
                    "used": "",
                    "checked": False,
                }
            )
            continue
        told = citations.text(name).rsplit(" doi:", 1)[0]
        found.append(
            {
                "key": name,
                "text": told,
                "doi": ref.doi,
                "used": ref.used_for,
                "checked": ref.checked,
            }
        )
    return found


def why_no_test(n: int) -> str:
    """Say why there is no p-value."""
    if not n:
        return ""
    if n < stats.TEST_FROM:
        return (
            f"No p-value is given: with {n} patients the smallest p-value that an exact two-sided sign "
            f"test can reach is {stats.smallest_sign_p(n):.4g}."
        )
    return "No p-value is given: the patients were not randomised."
