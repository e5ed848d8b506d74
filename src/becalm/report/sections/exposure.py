"""Concentrations that a model gives for the real doses: exposure by episode and by dose level, and what is not known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from becalm.measures.exposure.patient_covariates import effluent
from becalm.pk import NOT_ADVICE
from becalm.protocol import ClearanceWay, Pharmacology
from becalm.report import labels
from becalm.report.cells import marked, since_zero
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.printed import joined, named
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, middle, number
from becalm.report.theme import Figure

WAYS: Final[Mapping[ClearanceWay, str]] = {
    "cockcroft_gault": "Cockcroft and Gault, by the actual weight",
    "ckd_epi_2021": "CKD-EPI 2021, for the patient's own body surface",
    "kinetic": "kinetic eGFR, the middle of its two choices of the greatest rise",
}
CREATININE: Final = labels.variable("creatinine")
REPLACED: Final = labels.procedure("renal_replacement")
HOW_KNOWN: Final = {
    "hours_too_old": f"{CREATININE} too old or a range: the last clearance is carried on",
    "hours_carried_back": f"before the first {CREATININE}: the first clearance is taken",
    "hours_replaced": f"{REPLACED}, until {CREATININE} tells of the kidney again: clearance is assumed",
}
_MEASURES: Final = {
    "auc_mg_h_l": "area, mg·h/L",
    "css_mg_l": "average, mg/L",
    "peak_mg_l": "peak, mg/L",
}


def band(row: Row, name: str) -> str:
    """Return the typical patient with the band of the virtual ones: `12.4 (8.3–18.2)`."""
    if math.isnan(row[name]):
        return UNKNOWN
    text = number(row[name])
    low, high = row[f"{name}_p05"], row[f"{name}_p95"]
    if math.isnan(low):
        return text
    return joined(text, " (", named(number(low), "p05"), "–", named(number(high), "p95"), ")")


def episodes(cohort: Cohort, drill: Drill, drug: str, target: float | None) -> PageTable:
    """Return the exposure of each treatment episode."""
    rows: list[list[Any]] = []
    ids: list[str] = []
    for row in _of_drug(cohort, "exposure", drug):
        person, keys = row["person_id"], row["source_row"]
        told = [
            since_zero(cohort, person, row["episode_begin"]),
            since_zero(cohort, person, row["until"]),
        ]
        told += [band(row, name) for name in _MEASURES]
        if target is not None:
            told.append(band(row, "hours_above_target"))
        least, most = number(row["auc_most_cleared"]), number(row["auc_least_cleared"])
        told.append(
            UNKNOWN if least == UNKNOWN else joined(named(least, "low"), "–", named(most, "high"))
        )
        rows.append(
            [person, row["episode_mode"] or "mode not recorded", *(drill.rows(each, person, keys) for each in told),
             _remarks(cohort, row)]
        )  # fmt: skip
        ids.append(anchor("exposure", person, drug, str(len(ids))))
    head = ["Patient", "Mode", "from", "to", *_MEASURES.values()]
    if target is not None:
        head.append(f"hours at {target:g} mg/L or more")
    return PageTable([*head, "area, assumed range", "what to know"], rows, ids=ids)


def _remarks(cohort: Cohort, row: Row) -> Markup:
    """Return what speaks against a row; its hours are in a table of their own."""
    told = []
    if row["not_computed"]:
        when = since_zero(cohort, row["person_id"], row["computed_until"])
        told.append(f"not calculated from {when} on: {row['not_computed']}")
    told += [f"extrapolated: {each}" for each in row["extrapolated"].split("|") if _own(each)]
    told += [each for each in row["exposure_remarks"].split("|") if each]
    return Markup("; ").join(told)


def _own(reason: str) -> bool:
    """Whether what is extrapolated concerns this patient alone; what concerns all stands above the table."""
    return bool(reason) and not reason.startswith(("no group", "not studied in"))


def by_dose(cohort: Cohort, drill: Drill, drug: str) -> PageTable:
    """Return average and peak at each dose level, of each patient."""
    rows = []
    for row in _of_drug(cohort, "exposure_by_dose", drug):
        person, keys = row["person_id"], row["source_row"]
        told = [
            number(row["hours_at_level"]),
            band(row, "average_mg_l"),
            band(row, "peak_at_level"),
        ]
        level = f"{number(row['dose_level'])} {row['dose_level_unit']}"
        mode = row["episode_mode"] or "mode not recorded"
        told = [level, since_zero(cohort, person, row["first_at_level"]), *told]
        rows.append([person, mode, *(drill.rows(each, person, keys) for each in told)])
    head = ["Patient", "Mode", "dose level", "first", "hours", "average, mg/L", "peak, mg/L"]
    return PageTable(head, rows)


def levels(cohort: Cohort, drill: Drill, drug: str) -> PageTable:
    """Return average and peak of the patients' typical values at each dose level."""
    found: dict[tuple[str, str, float], dict[str, list[Row]]] = {}
    for row in _of_drug(cohort, "exposure_by_dose", drug):
        of_level = found.setdefault(
            (row["episode_mode"], row["dose_level_unit"], row["dose_level"]), {}
        )
        of_level.setdefault(row["person_id"], []).append(row)
    rows = []
    for (mode, unit, level), of in sorted(found.items()):
        # A level that a patient had in several episodes is one, weighted by its hours.
        averages = {who: _weighted(each) for who, each in of.items()}
        peaks = {who: max(row["peak_at_level"] for row in each) for who, each in of.items()}
        hours = {who: sum(row["hours_at_level"] for row in each) for who, each in of.items()}
        lines = [[who, number(hours[who]), number(averages[who]), number(peaks[who])] for who in of]
        head = ["patient", "hours", "average, mg/L", "peak, mg/L"]
        told = [
            str(len(of)),
            middle(hours.values()),
            middle(averages.values()),
            middle(peaks.values()),
        ]
        name = f"{mode or 'mode not recorded'}, {number(level)} {unit}"
        rows.append([name, *(drill.people(each, head, lines) for each in told)])
    return PageTable(
        ["Dose level", "patients", "hours", "average, mg/L", "peak, mg/L"], rows, labels=1
    )


def _weighted(rows: list[Row]) -> float:
    hours = sum(row["hours_at_level"] for row in rows)
    return float(sum(row["average_mg_l"] * row["hours_at_level"] for row in rows) / hours)


def how_known(cohort: Cohort, drill: Drill, drug: str) -> PageTable:
    """Return what could not be calculated, and the hours with a clearance that was not measured."""
    found = _of_drug(cohort, "exposure", drug)
    rows: list[list[Any]] = []
    why = Counter(row["not_computed"] for row in found if row["not_computed"])
    for reason, count in sorted(why.items(), key=lambda pair: (-pair[1], pair[0])):
        mine = [row for row in found if row["not_computed"] == reason]
        lines = [[row["person_id"], row["episode_mode"], since_zero(cohort, row["person_id"], row["computed_until"])]
                 for row in mine]  # fmt: skip
        opened = drill.people(str(count), ["patient", "episode", "not from"], lines)
        patients = drill.people(
            str(len({row["person_id"] for row in mine})), ["patient", "episode", "not from"], lines
        )
        rows.append([f"not calculated: {reason}", patients, opened, ""])
    for name, words in HOW_KNOWN.items():
        mine = [row for row in found if row[name] > 0]
        if not mine:
            continue
        lines = [[row["person_id"], row["episode_mode"], number(row[name])] for row in mine]
        head = ["patient", "episode", "hours"]
        hours = drill.people(number(math.fsum(row[name] for row in mine), 5), head, lines)
        patients = drill.people(str(len({row["person_id"] for row in mine})), head, lines)
        rows.append([words, patients, drill.people(str(len(mine)), head, lines), hours])
    return PageTable(["", "patients", "episodes", "hours"], rows)


def parameters(cohort: Cohort, drill: Drill, model: str) -> PageTable:
    """Return every parameter of a model with its origin."""
    rows = []
    for row in cohort.result.frames["exposure_parameters"].light_rows():
        if row["model"] != model:
            continue
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        scaled = f" × {row['scaled_by']}" if row["scaled_by"] else ""
        value = drill.people(
            f"{number(row['value'], 4)}{unit}{scaled}", ["source"], [[row["source"]]]
        )
        known = row["known_to"]
        if not math.isnan(row["plausible_low"]):
            known = f"{number(row['plausible_low'])} to {number(row['plausible_high'])}{unit}"
        spread = drill.people(known, ["source"], [[row["source"]]]) if known else ""
        name = row["parameter"].replace("_", " ")
        rows.append([name, row["origin"], marked(value, verified=row["read_in_source"]), spread])
    return PageTable(["Parameter", "origin", "value", "known to"], rows, labels=2)


def _of_drug(cohort: Cohort, table: str, drug: str) -> list[Row]:
    return [row for row in cohort.rows(table) if row["drug"] == drug]


def _intro(cohort: Cohort, drill: Drill, asked: Pharmacology) -> list[str]:
    """Return what has to be known before any number of a model."""
    model = cohort.result.models[asked.model]
    found = _of_drug(cohort, "exposure", model.drug)
    studied = (
        "; ".join(each.title for each in model.groups.values() if each.studied)
        or "nobody that its file names"
    )
    named_group = model.groups[asked.group].title if asked.group else ""
    told = [
        f"{NOT_ADVICE}",
        f"{model.title}. Studied in {studied}."
        + ("" if named_group and model.groups[asked.group].studied else
           f" Extrapolated: {f'not studied in {named_group}' if named_group else 'the protocol names no group of patients'}."),
        "Concentrations follow from the real doses and the kidney over time. The first number is of the model's typical patient with the weight and "
        "the clearance of this one; in brackets the middle nine tenths of 500 virtual patients, who lie apart as the model says. How exactly its "
        "typical values are known, and the error of an assay, are not in it. No measured level is used."
        if model.spreads else
        "Concentrations follow from the real doses and the kidney over time, for the model's typical patient with the weight and the clearance of this "
        "one. The model says nothing of how far patients lie apart, so there is no band.",
    ]  # fmt: skip
    if "creatinine_clearance" in model.used_covariates:
        told.append(
            f"Clearance by {WAYS[asked.clearance]}. A {CREATININE} is valid for 48 h; what is older is carried on, counted below and grey in the figure. "
            "Without any near the doses nothing is calculated: a kidney is never taken for normal."
        )
    if any(row["hours_replaced"] > 0 for row in found):
        told.append(_replacement(asked))
    if model.assumed:
        told.append(
            f"Assumed, not measured: {', '.join(each.replace('_', ' ') for each in model.assumed)}."
        )
    missing = sum(1 for row in found if row["not_computed"])
    if missing:
        told.append(
            f"Not calculated as a whole: {missing} of {len(found)} episodes, for the reasons below."
        )
    return told


def _replacement(asked: Pharmacology) -> str:
    """Return what is assumed while renal replacement runs."""
    rule = effluent()
    flow = (
        f"{rule.value:g} mL/kg/h ({rule.low:g} to {rule.high:g})"
        if asked.effluent_ml_kg_h is None
        else f"{asked.effluent_ml_kg_h:g} mL/kg/h, as the protocol says"
    )
    return (
        f"During {REPLACED} the kidney's own {CREATININE} clearance is assumed: {asked.own_clearance_ml_min:g} mL/min (0 to the last one before it). "
        f"Continuous replacement is assumed to have an effluent of {flow}; what it clears is the model's assumption. The assumed range takes all of this "
        "at its ends, for the typical patient."
    )


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the section, one part for each model that the protocol names."""
    if not cohort.result.protocol.pharmacology:
        return None
    intro: list[str] = []
    shown: list[PageTable] = []
    folded: list[PageTable] = []
    several = len(cohort.result.protocol.pharmacology) > 1
    for asked in cohort.result.protocol.pharmacology:
        model = cohort.result.models[asked.model]
        name = labels.heading(labels.drug(model.drug))
        said = _intro(cohort, drill, asked)
        intro += [f"{name}: {each}" if several and not i else each for i, each in enumerate(said)]
        if not _of_drug(cohort, "exposure", model.drug):
            intro.append(f"Nobody in the cohort was given {labels.drug(model.drug)}.")
            continue
        each = episodes(cohort, drill, model.drug, asked.target_mg_l)
        all_of = levels(cohort, drill, model.drug)
        shown += [
            captioned(
                all_of, f"{name}: concentrations by dose level, median (range) of the patients"
            )
        ]
        shown += [
            captioned(
                how_known(cohort, drill, model.drug),
                f"{name}: what was not measured or not calculated",
            )
        ]
        if lists_everybody(cohort):
            shown.insert(
                len(shown) - 2, captioned(each, f"{name}: exposure of every treatment episode")
            )
            folded.append(
                captioned(
                    by_dose(cohort, drill, model.drug), f"{name}: every patient at each dose level"
                )
            )
        folded.append(
            captioned(
                parameters(cohort, drill, model.name),
                f"{name}: parameters of the model {model.name}",
            )
        )
    drawn = [figure for key, figure in figures.items() if key.startswith("exposure_")]
    return Section("Concentrations by a model", intro, drawn, shown, folded)


SECTION: Final = DeclaredSection("exposure", 42, section)
