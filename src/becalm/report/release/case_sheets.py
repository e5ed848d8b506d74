"""A declared release of single patients: a case series, as a journal prints one.

It is made only where the study states the consent of the patients or its waiver, the ethics reference and who
decided. Ages are in bands unless the statement gives years; a disease or a drug is named only if the statement
allows the word; there are no ids, no dates, no places, and no free text of the records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from becalm.core.errors import RecordsError, UsageError
from becalm.records import CaseStatement
from becalm.report import page
from becalm.report.page_table import PageTable
from becalm.report.release.aggregates import Aggregates
from becalm.report.release.cases import NOT_KNOWN, Case, CaseSeries, course_heads
from becalm.report.release.rules import numbers
from becalm.report.release.sheets import ReleaseSheet

BAND: Final = 10
OTHER_CONDITION: Final = "a condition that is not named"
OTHER_DRUG: Final = "a drug that is not named"
WHAT: Final = "Case series: single patients, published under the statement of their study"
"""What stands above every page and in every file of such a release."""


def stated(statement: CaseStatement | None) -> CaseStatement:
    """Return the statement under which single patients may be published.

    Raises `RecordsError` where the study states none, or not all of it.
    """
    keys = (
        "case_series_consent (or case_series_waiver), case_series_ethics and case_series_decided_by"
    )
    missing = [] if statement is None else statement.missing()
    if statement is None or missing:
        told = "the study states nothing of publishing single patients"
        raise RecordsError(
            f"{', '.join(missing)} is missing" if missing else told,
            where="study.toml",
            hint=f"State {keys} there and run the study again; or make a release of aggregates",
        )
    return statement


def declared(series: CaseSeries) -> CaseStatement:
    """Return the same; raises `UsageError` where there are no patients, or too many to print one by one."""
    statement = stated(series.statement)
    if not series.cases:
        most = numbers().most_cases
        raise UsageError(
            "the study has no patients who could be printed one by one",
            hint=f"A case series has 1 to {most} patients; make a release of aggregates",
        )
    return statement


def case_sheets(series: CaseSeries) -> list[ReleaseSheet]:
    """Return the tables of a case series. The order of the patients says nothing of the records."""
    statement = declared(series)
    pairs = in_order(series.cases)
    tables = [
        _table("case_series_patients", "Patients", [_patient(name, case, statement) for name, case in pairs]),
        _table("case_series_treatment", f"Treatment with {series.drug}" if series.drug else "",
               [_treatment(name, case, series.unit) for name, case in pairs] if series.drug else []),
        _course(pairs),
        _table("case_series_definitions", "Definitions of the storm: lowest to highest possible total",
               [{"patient": name, **case.totals} for name, case in pairs]),
        _table("case_series_safety", "Worst grade before time zero, and after it",
               [{"patient": name, **case.shifts} for name, case in pairs]),
    ]  # fmt: skip
    return [table for table in tables if table.rows]


def not_named(series: CaseSeries) -> list[str]:
    """Return the words that the statement does not allow, for those who decide; a release does not print them."""
    statement = declared(series)
    used = {word for c in series.cases for word in (*c.background, *c.earlier, *c.maintenance)}
    return sorted(word for word in used - {series.drug} if not statement.allows(word))


def in_order(cases: Iterable[Case]) -> list[tuple[str, Case]]:
    """Return the patients with their names; their order says nothing of the records."""
    return [(f"Case {i}", case) for i, case in enumerate(sorted(cases, key=_shuffled), start=1)]


def _shuffled(case: Case) -> str:
    return hashlib.sha256(msgspec.json.encode(case, enc_hook=str)).hexdigest()


def _table(name: str, title: str, rows: Sequence[dict[str, str]]) -> ReleaseSheet:
    heads = list(dict.fromkeys(key for row in rows for key in row))
    return ReleaseSheet(name, title, heads, [[row.get(head, "") for head in heads] for row in rows])


def _patient(name: str, case: Case, statement: CaseStatement) -> dict[str, str]:
    return {
        "patient": name,
        "age, years": age(case.age, statement),
        "sex": case.sex,
        "underlying disease": _words(case.background, statement, OTHER_CONDITION)
        or "none recorded",
        "immunotherapy before": _words(case.earlier, statement, OTHER_DRUG) or "none recorded",
        "storm": case.storm,
        **{f"at 48 h from {clock}": answer for clock, answer in case.response.items()},
        "outcome": case.outcome,
        "maintenance": _words(case.maintenance, statement, OTHER_DRUG) or "none recorded",
        "followed to": case.followed,
    }


def _treatment(name: str, case: Case, unit: str) -> dict[str, str]:
    return {
        "patient": name,
        "first route": case.route or NOT_KNOWN,
        f"peak, {unit}/day": case.peak,
        f"total, {unit}": case.cumulative,
        "time of continuous infusion": case.duration or "none",
    }


def _course(pairs: Iterable[tuple[str, Case]]) -> ReleaseSheet:
    rows = [[name, row.variable, *row.values] for name, case in pairs for row in case.course]
    head = ("patient", "variable", *course_heads())
    return ReleaseSheet("case_series_course", "Values from time zero, to two digits", head, rows)


def age(years: int, statement: CaseStatement) -> str:
    """Return an age in bands of ten years, or in years where the statement gives them; 90 is 90 or more."""
    if years < 0:
        return NOT_KNOWN
    if years >= 90:
        return "90 or more"
    if statement.ages == "years":
        return str(years)
    low = years // BAND * BAND
    return f"{low}–{low + BAND - 1}"


def _words(words: Iterable[str], statement: CaseStatement, other: str) -> str:
    """Return the words that the statement allows; all others are one word, once."""
    return ", ".join(dict.fromkeys(word if statement.allows(word) else other for word in words))


def render(found: Aggregates, series: CaseSeries, given: Sequence[ReleaseSheet]) -> str:
    """Return the case series as one page."""
    context: dict[str, Any] = {
        "style": page.style(),
        "found": found,
        "what": WHAT,
        "stated": declared(series),
        "banners": [page.ILLUSTRATIVE] if found.illustrative else [],
        "tables": [
            PageTable(sheet.head, sheet.rows, caption=sheet.title, kind="wide") for sheet in given
        ],
    }
    return page.environment().get_template("case_series.html.j2").render(context)
