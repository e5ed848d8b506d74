"""What a paper says: its sections in the order of a case series, with sentences, tables and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from becalm.core import stats
from becalm.core.digits import percentage
from becalm.records import CaseStatement
from becalm.report.paper.fields import Fields, Number, Text, labels_of
from becalm.report.release.aggregates import Aggregates
from becalm.report.release.case_sheets import case_sheets, declared
from becalm.report.release.reviewed import ReviewTable
from becalm.report.release.rules import DisclosureRules
from becalm.report.release.sheets import COUNTED, HIDDEN, SPREAD, ReleaseSheet, sheets

AGGREGATES: Final = "aggregates"
CASE_SERIES: Final = "case-series"
INTERNAL: Final = "internal"
KINDS: Final = (AGGREGATES, CASE_SERIES, INTERNAL)
OPEN: Final = DisclosureRules(threshold=1, base=1, protection=1)
"""The rules of a paper that stays within the hospital: nothing is suppressed."""
BANNERS: Final = {
    AGGREGATES: "Draft. Aggregates after disclosure control; no single patients.",
    CASE_SERIES: "Draft. Case series: single patients, published under the statement of their study.",
    INTERNAL: "INTERNAL DRAFT. Contains patient data, not for release.",
}
RESEARCH: Final = "Research use only: not a medical device."
COUNTED_TOGETHER: Final = ("sex", "storm", "outcome")
_SUMMARY: Final = "case_series_summary"
_PATIENTS: Final = "case_series_patients"
REVIEW: Final = "Judgement of reviewers"
JUDGED_TABLES: Final = (
    "judged_answers", "reviewer_agreement", "reviewer_kappa", "definition_accuracy", "definition_accuracy_undetermined",
)  # fmt: skip
"""The tables of what reviewers judged; a paper of aggregates has none of them."""
SECTIONS: Final = (
    ("Participants", ("attrition",)),
    ("Patients", ("patients", _SUMMARY, _PATIENTS)),
    ("Diagnosis", ("criteria", "case_series_definitions", "items")),
    ("Treatment", ("case_series_treatment",)),
    ("Response", ("primary", "distributions", "case_series_course")),
    ("Safety", ("safety", "case_series_safety")),
    ("Outcome", ("outcome", "landmark")),
    (REVIEW, JUDGED_TABLES),
    ("Without the drug", ("without_drug",)),
)
"""The sections of the results with their tables, in the order of a case series."""
ACROSS: Final = range(2, 7)
"""Numbers of patients who have a column each."""
HEADS: Final = {
    "low95": "95 % interval, lower", "high95": "95 % interval, upper", "percent": "%",
    "quartile1": "first quartile", "quartile3": "third quartile",
}  # fmt: skip
"""Heads of columns in a paper, if they are not those of the CSV files."""
NO_SENTENCES: Final = frozenset({"items", "definition_accuracy_undetermined"})
"""Tables that stand for themselves."""


@dataclass(frozen=True)
class PaperSection:
    """A section of the results: paragraphs, and the tables that belong to it."""

    title: str
    paragraphs: Sequence[Text]
    tables: Sequence[ReleaseSheet]


@dataclass(frozen=True)
class PaperContent:
    """All of a paper, before it is written in any form."""

    kind: str
    found: Aggregates
    tables: Sequence[ReleaseSheet]
    methods: Sequence[tuple[str, Text]]
    results: Sequence[PaperSection]
    statement: CaseStatement | None
    fields: Fields

    @property
    def banner(self) -> str:
        """What must stand on every page."""
        invented = (
            " Illustrative: all patients and all values are invented." * self.found.illustrative
        )
        return f"{BANNERS[self.kind]} {RESEARCH}{invented}"


def paper(found: Aggregates, kind: str) -> PaperContent:
    """Return the content of a paper of one kind.

    Raises `RecordsError` where single patients may not be published, and `UsageError` where there are too many.
    """
    tables = [each for each in tables_of(found, kind) if each.rows]
    fields = Fields()
    methods = [
        (name, fields.text(words, ("methods", name, "words"))) for name, words in found.methods
    ]
    results = [
        PaperSection(title, list(_paragraphs(fields, own)), own)
        for title, names in SECTIONS
        if (own := [each for name in names for each in tables if each.name == name])
    ]
    statement = found.series.statement if kind == CASE_SERIES else None
    return PaperContent(kind, found, tables, methods, results, statement, fields)


def tables_of(found: Aggregates, kind: str) -> list[ReleaseSheet]:
    """Return the tables that a paper of one kind may print."""
    if kind == AGGREGATES:
        return sheets(found, DisclosureRules.default())
    if kind == CASE_SERIES:
        declared(found.series)
        return [*_with_summary(case_sheets(found.series)), *_reviewed(found.reviewed.cohort)]
    cases = case_sheets(_all_words(found).series) if found.series.cases else []
    counted = [_without_others(each) for each in sheets(found, OPEN)]
    return [*counted, *cases, *_reviewed(found.reviewed.everybody)]


def _reviewed(given: Sequence[ReviewTable]) -> list[ReleaseSheet]:
    return [ReleaseSheet(each.name, each.title, each.head, each.rows) for each in given]


def _without_others(sheet: ReleaseSheet) -> ReleaseSheet:
    """Return a table without the lines for what a release would not name: here everything is named."""
    if tuple(sheet.head[-len(COUNTED) :]) != COUNTED:
        return sheet
    rows = [
        ["" if cell == HIDDEN else cell for cell in row] for row in sheet.rows if row[2] != HIDDEN
    ]
    return replace(sheet, rows=rows)


def _all_words(found: Aggregates) -> Aggregates:
    """Return the cases with every word allowed: for a paper that is not published."""
    words = {w for c in found.series.cases for w in (*c.background, *c.earlier, *c.maintenance)}
    own = "not asked: this draft is not for release"
    statement = CaseStatement(own, "", own, own, "years", tuple(sorted(words)))
    return _replaced(found, statement)


def _replaced(found: Aggregates, statement: CaseStatement) -> Aggregates:
    import msgspec

    return msgspec.structs.replace(
        found, series=msgspec.structs.replace(found.series, statement=statement)
    )


def _with_summary(given: Sequence[ReleaseSheet]) -> list[ReleaseSheet]:
    """Return the tables of single patients with one that counts what they print."""
    [patients] = [each for each in given if each.name == _PATIENTS]
    rows: list[list[str]] = []
    for i, head in enumerate(patients.head):
        if head in COUNTED_TOGETHER or head.startswith("at 48 h"):
            rows += _counted(head, [row[i].partition(",")[0] for row in patients.rows])
    return [
        ReleaseSheet(_SUMMARY, "All patients together", ("about", "value", *COUNTED), rows),
        *given,
    ]


def _counted(about: str, said: Sequence[str]) -> Iterator[list[str]]:
    known = [each for each in said if each not in {"not known", ""}]
    for value in sorted(set(known), key=lambda each: (-known.count(each), each)):
        n = known.count(value)
        limits = stats.proportion(n, len(known))
        assert limits is not None
        shares = [percentage(share) for share in (n / len(known), *limits)]
        yield [about, value, str(n), str(len(known)), *shares]


def _paragraphs(fields: Fields, given: Sequence[ReleaseSheet]) -> Iterator[Text]:
    for sheet in given:
        if sheet.name in NO_SENTENCES:
            continue
        if sheet.name == "attrition":
            yield _attrition(fields, sheet)
        elif tuple(sheet.head[-len(COUNTED) :]) == COUNTED:
            for about, rows in groupby(sheet.rows, key=lambda row: row[0]):
                yield _group(fields, sheet, about, list(rows))
        elif tuple(sheet.head) == SPREAD:
            for row in sheet.rows:
                yield _spread(fields, sheet, row)
        else:
            yield from _cases(fields, sheet)


def _attrition(fields: Fields, sheet: ReleaseSheet) -> Text:
    first, *others = sheet.rows
    made: list[str | Number] = [
        *fields.cell(sheet, first, "persons"),
        " persons were in the records",
    ]
    for row in others:
        made += ["; ", *fields.cell(sheet, row, "persons"), f" remained after the step “{row[0]}”"]
    return [*made, "."]


def _group(fields: Fields, sheet: ReleaseSheet, about: str, rows: Sequence[Sequence[str]]) -> Text:
    """Return counts of one thing as a sentence: `Sex: women 4 of 5 (80 %; 95 % interval 28–99).`"""
    made: list[str | Number] = [f"{about[:1].upper()}{about[1:]}: "]
    some = [row for row in rows if row[2] != "0"] or rows[:1]
    if sheet.name in {"reviewer_agreement", "definition_accuracy"}:  # none right is a result too
        some = list(rows)
    for i, row in enumerate(some):
        count, n, percent, low, high = (fields.cell(sheet, row, head) for head in COUNTED)
        made += ["; " if i else "", f"{row[1]} ", *count]
        if row[2] == HIDDEN:
            continue
        made += [" of ", *n] if row[3] not in {HIDDEN, ""} else []
        if not {HIDDEN, ""} & set(row[4:]):
            made += [" (", *percent, " %; 95 % interval ", *low, "–", *high, ")"]
    return [*made, "."]


def _spread(fields: Fields, sheet: ReleaseSheet, row: Sequence[str]) -> Text:
    median, first, third, n = (fields.cell(sheet, row, head) for head in SPREAD[1:])
    return [f"{row[0][:1].upper()}{row[0][1:]}: median ", *median, " (quartiles ", *first, " and ", *third,
            "; n = ", *n, ")."]  # fmt: skip


def _cases(fields: Fields, sheet: ReleaseSheet) -> Iterator[Text]:
    """Yield a paragraph for each patient of a table: `Case 1. Storm: definite; outcome: died, day 9.`"""
    for patient, rows in groupby(sheet.rows, key=lambda row: row[0]):
        made: list[str | Number] = [f"{patient}. "]
        for row in rows:
            named = "variable" in sheet.head
            if named:
                made.append(f"{row[1]}: ")
            for head in list(sheet.head)[2 if named else 1 :]:
                cell = fields.cell(sheet, row, head)
                made += [*cell, f" at {head}, "] if named else [f"{head}: ", *cell, "; "]
            if named:
                made[-1] = str(made[-1]).removesuffix(", ") + "; "
        made[-1] = str(made[-1]).removesuffix("; ")
        yield [*made, "."]


def matrix(fields: Fields, sheet: ReleaseSheet) -> tuple[list[str], list[list[Text]]]:
    """Return a table as a paper prints it: its head, and its lines with numbers as fields.

    A few patients have a column each, as in a case series; other tables have a line each.
    """
    labels = labels_of(sheet)
    rows: list[list[Text]] = [
        [
            [row[i]] if i < labels else fields.cell(sheet, row, head)
            for i, head in enumerate(sheet.head)
        ]
        for row in sheet.rows
    ]
    patients = [row[0] for row in sheet.rows]
    if (
        sheet.head[0] != "patient"
        or len(set(patients)) < len(patients)
        or len(patients) not in ACROSS
    ):
        return [HEADS.get(head, head) for head in sheet.head], rows
    return ["", *patients], [
        [[head], *(row[i] for row in rows)] for i, head in enumerate(sheet.head) if i
    ]
