"""What reviewers judged, as tables of a paper: counts of answers, agreement, and the definitions against them.

A release of aggregates has none of them: kappa and predictive values are made of counts that it suppresses. A paper
that prints single patients has those of its own patients alone, and reviewers have numbers instead of names.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from becalm.core import stats
from becalm.core.digits import percentage
from becalm.core.frame import Frame
from becalm.measures.judgements import COMPUTED_KAPPA, accuracy, agreement, is_consensus
from becalm.records.review.questions import CANNOT_TELL, questions
from becalm.report.cohort import Cohort, Row
from becalm.report.text import number

MOMENT: Final = "peak_ever"
"""The moment at which definitions are compared with a judgement of the whole patient."""
MEASURES: Final = {
    "sensitivity": "sensitivity (met, of those judged yes)",
    "specificity": "specificity (not met, of those judged no)",
    "ppv": "positive predictive value (judged yes, of those met)",
    "npv": "negative predictive value (judged no, of those not met)",
}
COUNTED: Final = ("count", "n", "percent", "low95", "high95")
NONE: Final = "–"
NO_INTERVAL: Final = f"none, fewer than {stats.KAPPA_FROM} persons"


class ReviewTable(msgspec.Struct, frozen=True):
    """One table: its name, its title, its columns and its lines."""

    name: str
    title: str
    head: list[str]
    rows: list[list[str]]


class Reviewed(msgspec.Struct, frozen=True):
    """The tables over everybody who was judged, and over the patients of the study alone."""

    everybody: list[ReviewTable] = []
    cohort: list[ReviewTable] = []


def reviewed(cohort: Cohort) -> Reviewed:
    """Return what reviewers judged in a study; no tables where nobody judged anything."""
    tables = {name: cohort.result.tables[name] for name in ("judgements", "judged", "criteria")}
    if not len(tables["judged"]):
        return Reviewed()
    inside = {name: _of(frame, cohort.ids) for name, frame in tables.items()}
    return Reviewed(list(_tables(cohort, tables)), list(_tables(cohort, inside)))


def _of(frame: Frame, ids: list[str]) -> Frame:
    return frame.take(np.flatnonzero(frame.coded("person_id").among(ids)))


def _tables(cohort: Cohort, tables: Mapping[str, Frame]) -> Iterator[ReviewTable]:
    yield ReviewTable(
        "judged_answers", "What reviewers judged: the consensus, or the answer that all gave",
        ["question", "judged", *COUNTED], list(_answers(tables["judged"])),
    )  # fmt: skip
    yield ReviewTable(
        "reviewer_agreement", "Agreement of reviewers: the same answer",
        ["question", "answered", *COUNTED], list(_same_answers(cohort, tables)),
    )  # fmt: skip
    yield ReviewTable(
        "reviewer_kappa", "Agreement of reviewers: Cohen's kappa, and where they differ",
        ["question", "Cohen's kappa", "95 % interval", "kappa without cannot tell", "different answers",
         "different without a consensus"], list(_kappas(cohort, tables)),
    )  # fmt: skip
    rows = list(_accuracies(cohort, tables))
    yield ReviewTable(
        "definition_accuracy", "Definitions, by their highest total, against the judgement of an active storm",
        ["definition", "measure", *COUNTED], [row[:2] + row[3:8] for row in rows],
    )  # fmt: skip
    yield ReviewTable(
        "definition_accuracy_undetermined", "The same where definitions are undetermined: what these could change",
        ["definition and measure", "undetermined", "at worst", "at best"], [row[2:3] + row[8:] for row in rows],
    )  # fmt: skip


def _share(k: int, n: int) -> list[str]:
    """Return a count with its share and the exact interval, as the columns `COUNTED`."""
    limits = stats.proportion(k, n)
    shares = [""] * 3 if limits is None else [percentage(each) for each in (k / n, *limits)]
    return [str(k), str(n), *shares]


def _answers(judged: Frame) -> Iterator[list[str]]:
    """Yield how many were judged how; who was judged `cannot tell` is in no other share."""
    found: dict[str, Counter[str]] = {}
    for row in judged.light_rows():
        found.setdefault(row["question"], Counter())[row["judged"]] += 1
    for question in questions().values():
        counts = found.get(question.name)
        if not counts:
            continue
        known = counts.total() - counts[CANNOT_TELL]
        for answer in question.allowed:
            n = counts.total() if answer == CANNOT_TELL else known
            yield [question.title, answer, *_share(counts[answer], n)]


def _numbered(cohort: Cohort) -> dict[str, int]:
    """Return the number of each reviewer."""
    names = {
        row["reviewer"] for row in cohort.result.tables["judgements"].light_rows() if row["holds"]
    }
    named = sorted((name for name in names if not is_consensus(name)), key=str.casefold)
    return {name: i for i, name in enumerate(named, start=1)}


def _pairs(cohort: Cohort, tables: Mapping[str, Frame]) -> Iterator[tuple[Row, str]]:
    """Yield the agreement of each pair of reviewers who answered about the same persons, with their numbers."""
    order, numbers = list(questions()), _numbered(cohort)
    rows = agreement(tables, cohort.result.protocol).light_rows()
    for row in sorted(
        rows, key=lambda row: (order.index(row["question"]), row["reviewer_a"].casefold())
    ):
        if row["answered_by_both"]:
            yield row, f"reviewers {numbers[row['reviewer_a']]} and {numbers[row['reviewer_b']]}"


def _same_answers(cohort: Cohort, tables: Mapping[str, Frame]) -> Iterator[list[str]]:
    for row, who in _pairs(cohort, tables):
        title = questions()[row["question"]].title
        yield [title, f"the same ({who})", *_share(row["agreed"], row["answered_by_both"])]


def _kappas(cohort: Cohort, tables: Mapping[str, Frame]) -> Iterator[list[str]]:
    for row, who in _pairs(cohort, tables):
        title = questions()[row["question"]].title
        low, high = row["kappa_low"], row["kappa_high"]
        interval = NO_INTERVAL if math.isnan(low) else f"{number(low, 2)} to {number(high, 2)}"
        kappa = (
            str(number(row["kappa"], 2)) if row["kappa_is"] == COMPUTED_KAPPA else row["kappa_is"]
        )
        decided = row["decided_kappa"]
        differ = row["answered_by_both"] - row["agreed"]
        yield [
            f"{title}, {who}", kappa, interval, NONE if math.isnan(decided) else str(number(decided, 2)), str(differ),
            str(_open(tables, row)),
        ]  # fmt: skip


def _open(tables: Mapping[str, Frame], pair: Mapping[str, Any]) -> int:
    """Return of how many persons two reviewers gave different answers that have no consensus."""
    said: dict[str, dict[str, str]] = {}
    for row in tables["judgements"].light_rows():
        if row["holds"] and row["question"] == pair["question"]:
            said.setdefault(row["person_id"], {})[row["reviewer"]] = row["answer"]
    return sum(
        len({answers.get(pair[name]) for name in ("reviewer_a", "reviewer_b")}) > 1
        and {pair["reviewer_a"], pair["reviewer_b"]} <= answers.keys()
        and not any(map(is_consensus, answers))
        for answers in said.values()
    )


def _accuracies(cohort: Cohort, tables: Mapping[str, Frame]) -> Iterator[list[str]]:
    """Yield each measure: definition, measure, both, count to the interval, undetermined, worst and best."""
    order = {name: i for i, name in enumerate(cohort.result.protocol.definitions.report)}
    rows = accuracy(tables, cohort.result.protocol).light_rows()
    for row in sorted(rows, key=lambda row: order.get(row["criterion"], len(order))):
        if row["moment"] != MOMENT:
            continue
        label, measure = cohort.definition_label(row["criterion"]), MEASURES[row["measure"]]
        ends = [
            f"{row[f'{end}_right']} of {row[f'{end}_counted']}" for end in ("lowest", "highest")
        ]
        yield [label, measure, f"{label}: {measure.partition(' (')[0]}", *_share(row["right"], row["concerned"]),
               str(row["open"]), *ends]  # fmt: skip
