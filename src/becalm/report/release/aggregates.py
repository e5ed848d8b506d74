"""What a release is made of: every count and every median of a cohort, exact, before anything is suppressed.

The file `release.json` of a results folder holds them, so that a release can be made later from that folder
alone. It is as internal as the rest of the folder.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np

from becalm.core import stats
from becalm.core.errors import UnreadableFileError
from becalm.measures.response import background
from becalm.report import facts, labels, methods
from becalm.report.cohort import Cohort, Row, cohort_of, tally
from becalm.report.release.cases import CaseSeries, case_series
from becalm.report.release.reviewed import Reviewed, reviewed
from becalm.report.release.rules import CITED, numbers
from becalm.report.sections import cell_lines, infections, landmark
from becalm.report.text import days, horizon_text
from becalm.study.result import StudyResult
from becalm.study.unverified import unverified_in_protocol

FILE: Final = "release.json"
COHORT: Final = "cohort"
"""The name of the count of all persons of the cohort."""
NOT_COUNTED: Final = "(not counted here)"
OTHERS: Final = "all others"
GIVEN: Final = "given"
HORIZONS: Final = ("h24", "h48", "h72", "d7")
OLDEST: Final = 90
"""Ages above 89 are given as 90, as in the internal report."""


class CountGroup(msgspec.Struct, frozen=True):
    """Counts of persons that add up to one total.

    counts : persons by label. unknown : the labels of those of whom it is not known; the others are shares of the
    known. total : the name of the total, `cohort` or that of another group's count. named : False where the
    records brought the labels: such a label is only printed with its count, never without. hidden : labels that
    no release prints, such as those who are in no other count. key : what tells groups apart that are about the same.
    """

    sheet: str
    about: str
    counts: dict[str, int]
    unknown: list[str] = []
    total: str = COHORT
    named: bool = True
    hidden: list[str] = []
    key: str = ""

    @property
    def name(self) -> str:
        """What tells this group from all others: two groups may be about the same."""
        return f"{self.sheet}|{self.key or self.about}"

    @property
    def n(self) -> int:
        return sum(self.counts.values())


class ValueGroup(msgspec.Struct, frozen=True):
    """The spread of one number of the persons of a cohort; n is of how many it is known."""

    about: str
    n: int
    median: float
    quartile1: float
    quartile3: float


class AttritionCount(msgspec.Struct, frozen=True):
    """One step of the way to the cohort: why persons left, and how many remained."""

    reason: str
    persons: int


class Paper(msgspec.Struct, frozen=True):
    """One reference of a release."""

    text: str
    doi: str
    used: str
    checked: bool


class Aggregates(msgspec.Struct, frozen=True):
    """The exact aggregates of one study, and the words that hold whatever the records contain."""

    becalm: str
    title: str
    protocol: str
    source: str
    illustrative: bool
    n: int
    titles: dict[str, str]
    steps: list[AttritionCount]
    groups: list[CountGroup]
    values: list[ValueGroup]
    rows_refused: int
    methods: list[tuple[str, str]]
    unverified: list[str]
    references: list[Paper]
    licences: list[str]
    series: CaseSeries
    reviewed: Reviewed = Reviewed()


def aggregates(cohort: Cohort) -> Aggregates:
    """Return the aggregates of a study.

    The words come from the protocol alone: a paper, a mark or a method that is only named because somebody's
    record holds something would tell that it does.
    """
    result = cohort.result
    without = Cohort(
        replace(result, frames={k: f.take(np.arange(0)) for k, f in result.frames.items()})
    )
    claim = "Response" if cohort.claim == "response" else "Course"
    rule = result.protocol.landmark
    horizon = f", {days(rule.horizon)} after admission" if rule else ""
    return Aggregates(
        becalm=result.version,
        title=result.protocol.title,
        protocol=result.protocol.name,
        source=result.source,
        illustrative=result.info.illustrative,
        n=cohort.n,
        titles={
            "attrition": "Persons who remain after each step",
            "patients": "Patients",
            "criteria": f"Definitions {cohort.moment_text}",
            "landmark": f"Deaths in hospital by status of each definition at the landmark{horizon}",
            "items": "Items of the definitions",
            "primary": f"{claim} at 48 h: {facts.primary_words(cohort)}",
            "distributions": "Medians and quartiles",
            "safety": "Safety: grade before time zero and worst grade after it",
            "outcome": "Outcome",
            "without_drug": "Persons in the same records without the drug, by the same rule",
        },
        steps=_steps(cohort),
        groups=[
            *_patients(cohort),
            *_criteria(cohort),
            *_landmark(cohort),
            *_items(cohort),
            *_primary(cohort),
            *_safety(cohort),
            *_cell_lines(cohort),
            *_outcome(cohort),
            *_infections(cohort),
            *_without_drug(cohort),
        ],
        values=list(_values(cohort)),
        rows_refused=sum(row["rows"] for row in result.tables["rows_refused"].light_rows()),
        methods=methods.methods(without),
        unverified=[
            *unverified_in_protocol(result.protocol, result.definitions.values()),
            *result.doubts,
        ],
        references=[
            Paper(each["text"], each["doi"], each["used"], each["checked"])
            for each in methods.references(replace_citations(without))
        ],
        licences=list(result.licences),
        series=case_series(cohort, numbers().most_cases),
        reviewed=reviewed(cohort),
    )


def aggregates_of(result: StudyResult) -> Aggregates:
    """Return the aggregates of a finished study."""
    return aggregates(cohort_of(result))


def replace_citations(cohort: Cohort) -> Cohort:
    """Return the same study with the papers of a release beside its own."""
    cited = tuple(dict.fromkeys([*cohort.result.citations, *CITED]))
    return Cohort(replace(cohort.result, citations=cited))


def encoded(found: Aggregates) -> bytes:
    """Return aggregates as the file `release.json`."""
    return msgspec.json.format(msgspec.json.encode(found, enc_hook=str), indent=1) + b"\n"


def decoded(data: bytes, where: str) -> Aggregates:
    """Read a file `release.json`; raises `UnreadableFileError` where it is none."""
    try:
        return msgspec.json.decode(data, type=Aggregates)
    except msgspec.DecodeError as error:
        raise UnreadableFileError(
            f"is not the aggregates of a study ({error})",
            where=where,
            hint="Run becalm study again, with this version",
        ) from error


def _steps(cohort: Cohort) -> list[AttritionCount]:
    rows = sorted(cohort.result.tables["attrition"].light_rows(), key=lambda row: int(row["step"]))
    return [AttritionCount(cohort.reason(row["reason"]), row["persons"]) for row in rows]


def _patients(cohort: Cohort) -> Iterable[CountGroup]:
    sexes, storms = facts.sexes(cohort), facts.storms(cohort)
    unknown = "sex unknown"
    known = {name: sexes[name] for name in ("women", "men", unknown)}
    yield CountGroup("patients", "sex", known, [unknown])
    words = ("definite", "possible", "not met", *facts.STORM_NOT_KNOWN)
    yield CountGroup(
        "patients", "storm", {w: storms[w] for w in words}, list(facts.STORM_NOT_KNOWN)
    )
    combined = Counter(", ".join(facts.background(row)) for row in cohort.persons)
    yield CountGroup("patients", "background", dict(combined), named=False)
    for drug, whom in facts.given(cohort).items():
        if drug != cohort.drug:
            counts = {labels.drug(drug): len(whom), NOT_COUNTED: cohort.n - len(whom)}
            yield CountGroup(
                "patients", GIVEN, counts, named=False, hidden=[NOT_COUNTED], key=f"given {drug}"
            )
    if cohort.drug:
        about = f"first {labels.drug(cohort.drug)}"
        yield CountGroup("patients", about, dict(facts.routes(cohort)), ["unknown"], named=False)


def _criteria(cohort: Cohort) -> Iterable[CountGroup]:
    for name in cohort.result.protocol.definitions.report:
        counts = facts.statuses(cohort, name)
        statuses = {status: counts.get(status, 0) for status in ("met", "not met", "undetermined")}
        yield _of_cohort(
            cohort, "criteria", cohort.definition_label(name), statuses, "undetermined"
        )


def _of_cohort(
    cohort: Cohort, sheet: str, about: str, counts: Mapping[str, int], *unknown: str
) -> CountGroup:
    """Return counts of a part of the cohort, with the rest beside them as a count that is never printed."""
    rest = cohort.n - sum(counts.values())
    if not rest:
        return CountGroup(sheet, about, dict(counts), list(unknown))
    return CountGroup(
        sheet, about, {**counts, NOT_COUNTED: rest}, list(unknown), hidden=[NOT_COUNTED]
    )


def status_total(label: str, status: str) -> str:
    """Return the name of the count of those with one status by one definition."""
    return f"criteria|{label}|{status}"


def _landmark(cohort: Cohort) -> Iterable[CountGroup]:
    """Count deaths in hospital by the status of each definition."""
    if cohort.result.protocol.landmark is None:
        return
    for cell in landmark.status_counts(cohort):
        label = cohort.definition_label(cell.criterion)
        alive = cell.discharged + cell.in_hospital
        counts = {
            "died in hospital": cell.died,
            "discharged alive, or still in hospital": alive,
            "unknown": cell.unknown,
        }
        total = status_total(label, cell.status)
        yield CountGroup("landmark", f"{label}: {cell.status}", counts, ["unknown"], total)


def _items(cohort: Cohort) -> Iterable[CountGroup]:
    found = tally(cohort.shown("criteria_items"), "criterion", "item", "state")
    for criterion in cohort.result.protocol.definitions.report:
        definition = cohort.result.definitions[criterion]
        for item in definition.items:
            given = {
                state: found[criterion, item.key, state]
                for state in ("met", "not met", "not assessed")
            }
            about = (
                f"{cohort.definition_label(criterion)}: {cohort.item_label(criterion, item.key)}"
            )
            yield _of_cohort(cohort, "items", about, given, "not assessed")


def _primary(cohort: Cohort) -> Iterable[CountGroup]:
    for clock in _clocks(cohort):
        found = facts.primary(cohort, clock)
        counts = {
            facts.primary_answer(cohort, "responded"): len(found.yes),
            f"{facts.primary_answer(cohort, 'did not respond')}, or died before": len(found.no),
            "no sample, or discharged before": len(found.unknown),
        }
        about = f"48 h from {cohort.clock_name(clock)}"
        yield _of_cohort(cohort, "primary", about, counts, "no sample, or discharged before")


def _clocks(cohort: Cohort) -> list[str]:
    """Return the clocks that the protocol has; whether anybody reached one is not said."""
    entry = cohort.result.protocol.entry
    if entry is None:
        return ["t0"]
    high = entry.least_high_rate(cohort.unit)
    return ["t0", "infusion_start", *([] if high is None else ["high_rate"])]


def _safety(cohort: Cohort) -> Iterable[CountGroup]:
    unknown = "unknown before or after"
    found = {shift.event: shift for shift in facts.shifts(cohort)}
    for event in cohort.result.protocol.safety.events:
        shift = found.get(event)
        counts = {"new": 0, "present before, worse": 0, "present before, not worse": 0, "never": 0}
        if shift is not None:
            parts = (shift.new, shift.worse, shift.prevalent, shift.never)
            counts = dict(zip(counts, map(len, parts), strict=True))
            counts[unknown] = shift.graded + shift.unknown - sum(counts.values())
        else:
            counts[unknown] = 0
        yield _of_cohort(cohort, "safety", facts.event_title(event), counts, unknown)


def _cell_lines(cohort: Cohort) -> Iterable[CountGroup]:
    """Count in how many more than one cell line was low, before or after time zero."""
    unknown = "unknown before or after"
    found = Counter(cell_lines.ever(cohort, "several_low").values())
    counts = {"yes": found[True], "no": found[False], unknown: found[None]}
    yield _of_cohort(cohort, "safety", "more than one cell line low", counts, unknown)


def _infections(cohort: Cohort) -> Iterable[CountGroup]:
    """Count who had a new bacterial infection; without a sample, or with growth nobody can judge, it is unknown."""
    found = infections.Infections(cohort)
    people = found.persons(infections.BACTERIAL, new=True)
    known = len(found.known(infections.BACTERIAL, new=True))
    counts = {"yes": len(people), "no": known - len(people), "unknown": cohort.n - known}
    yield _of_cohort(cohort, "outcome", "new bacterial infection", counts, "unknown")


def _without_drug(cohort: Cohort) -> Iterable[CountGroup]:
    """Count by the same rule those who never got the drug: others than the cohort, so a total of their own.

    One row for each way to draw the index that the protocol and the shipped levels give, whether there is anybody
    or not.
    """
    if not cohort.drug:
        return
    table = cohort.result.tables["without_drug"]
    rows = {
        (row["index_by"], row["rule"]): row
        for row in table.rows()
        if row["group"] == background.WITHOUT
    }
    asked = [(background.STORM, background.PRIMARY, "first storm: the response of the protocol")]
    for level in background.file().level:
        about = (
            f"first {labels.variable(level.variable)} of {level.at_least:g} or more: lower at 48 h"
        )
        asked.append((f"{level.variable} {level.at_least:g}", level.variable, about))
    unknown = "no sample, or discharged before"
    for index_by, rule, about in asked:
        row = rows.get((index_by, rule), {})
        yes, known, everybody = (row.get(name, 0) for name in ("yes", "known", "with_index"))
        counts = {"yes": yes, "no": known - yes, unknown: everybody - known}
        yield CountGroup("without_drug", about, counts, [unknown], "")


def _outcome(cohort: Cohort) -> Iterable[CountGroup]:
    """Count who died; with a landmark those by its horizon are counted, and not those who died later."""
    if cohort.result.protocol.landmark:
        return
    died, unknown = facts.deaths(cohort)
    counts = {
        "died": len(died),
        "alive at last contact": len(cohort.outcome) - len(died) - len(unknown),
        "unknown": len(unknown),
    }
    yield _of_cohort(cohort, "outcome", "outcome", counts, "unknown")


def _values(cohort: Cohort) -> Iterable[ValueGroup]:
    """Yield what a median may be given of: numbers with many values, never small whole numbers."""
    found: dict[str, list[float]] = {
        f"age, years ({OLDEST} stands for above {OLDEST - 1})": [
            float(min(row["age"], OLDEST)) for row in cohort.persons
        ],
        "follow-up, days": [row["follow_up_days"] for row in cohort.outcome.values()],
    }
    for name, rows in _together(cohort.criteria, "criterion").items():
        definition = cohort.result.definitions[name]
        if definition.maximum - definition.minimum >= numbers().wide_total:
            for end, word in (("low", "lowest"), ("high", "highest")):
                about = f"{cohort.definition_label(name)}, {word} possible"
                found[about] = [row[end] for row in rows]
    exact = [row for row in cohort.response if row["baseline"] > 0 and not row["censored"]]
    for (variable, clock), rows in _together(exact, "variable", "clock").items():
        for horizon in HORIZONS:
            about = (
                f"{labels.variable(variable)}, {horizon_text(horizon)} ÷ baseline from "
                f"{cohort.clock_label(clock)}"
            )
            found[about] = [row[horizon] / row["baseline"] for row in rows]
    for about, given in found.items():
        known: Sequence[float] = [x for x in given if math.isfinite(x)]
        spread, middle = stats.quartiles(known), stats.summary(known)
        if spread and middle:
            yield ValueGroup(about, len(known), middle.median, *spread)


def _together(rows: Iterable[Row], *columns: str) -> dict[Any, list[Row]]:
    """Return the rows of each value of a column, or of several, in the order of their first rows."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        key = row[columns[0]] if len(columns) == 1 else tuple(row[each] for each in columns)
        found.setdefault(key, []).append(row)
    return found
