"""What reviewers judged: their agreement, where they differ, judged beside computed, and the definitions against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np

from becalm.core import stats
from becalm.records.review.questions import questions
from becalm.report import labels
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned
from becalm.report.text import UNKNOWN, number, share
from becalm.report.theme import Figure

_LISTED: Final = 200
_MEASURES: Final = {
    "sensitivity": "Sensitivity: met, of those judged yes",
    "specificity": "Specificity: not met, of those judged no",
    "ppv": "Positive predictive value: judged yes, of those met",
    "npv": "Negative predictive value: judged no, of those not met",
}
DISAGREE: Final = "reviewers disagree"


class JudgedPersons:
    """The judgements of a study, also of persons outside its cohort."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort

    @cached_property
    def rows(self) -> list[Row]:
        """What counts as judged, by person and question."""
        order = list(questions())
        rows = self.cohort.result.tables["judged"].light_rows()
        return sorted(rows, key=lambda row: (order.index(row["question"]), row["person_id"]))

    @cached_property
    def answers(self) -> list[Row]:
        """The answers that hold, one a reviewer."""
        return [row for row in self.cohort.result.tables["judgements"].light_rows() if row["holds"]]

    def of(self, question: str, **wanted: Any) -> list[Row]:
        """Return what was judged to one question, with some cells."""
        return [
            row
            for row in self.rows
            if row["question"] == question
            and all(row[name] == cell for name, cell in wanted.items())
        ]


def overview(judged: JudgedPersons, drill: Drill) -> PageTable:
    """Return, by question, how many were judged, and how."""
    rows = []
    for question in questions().values():
        mine = judged.of(question.name)
        if not mine:
            continue
        asked = set(judged.cohort.ids)
        open_ = [who for who in asked if who not in {row["person_id"] for row in mine}]
        cells: list[Any] = [question.title, _opened(drill, mine)]
        words = [
            f"{answer} {n}"
            for answer in question.allowed
            if (n := sum(row["judged"] == answer for row in mine))
        ]
        cells.append(drill.people(", ".join(words), _HEAD, _lines(mine)))
        for basis in ("consensus", "all reviewers agree", "one reviewer", DISAGREE):
            cells.append(_opened(drill, [row for row in mine if row["basis"] == basis]))
        cells.append(drill.people(str(len(open_)), ["patient"], [[who] for who in sorted(open_)]))
        rows.append(cells)
    head = ["Question", "persons judged", "judged as", "by consensus", "all agree", "one reviewer alone",
            "reviewers disagree, no consensus", "of the cohort not judged"]  # fmt: skip
    return PageTable(head, rows)


_HEAD: Final = ("person", "judged", "basis", "answers")


def _lines(rows: Iterable[Row]) -> list[list[str]]:
    return [
        [row["person_id"], row["judged"], row["basis"], row["answers"].replace("|", "; ")]
        for row in rows
    ]


def _opened(drill: Drill, rows: list[Row]) -> Any:
    return drill.people(str(len(rows)), _HEAD, _lines(rows))


def agreement(judged: JudgedPersons, drill: Drill) -> PageTable:
    """Return how far each pair of reviewers agrees on each question."""
    said: dict[tuple[str, str], dict[str, str]] = {}
    for row in judged.answers:
        said.setdefault((row["question"], row["reviewer"]), {})[row["person_id"]] = row["answer"]
    order = list(questions())
    table = judged.cohort.result.tables["judgement_agreement"].light_rows()
    rows, ids = [], []
    for row in sorted(table, key=lambda row: (order.index(row["question"]), row["reviewer_a"])):
        a, b = (said[row["question"], row[name]] for name in ("reviewer_a", "reviewer_b"))
        lines = [[who, a[who], b[who]] for who in sorted(a.keys() & b.keys())]
        head = ["person", row["reviewer_a"], row["reviewer_b"]]
        kappa = UNKNOWN if math.isnan(row["kappa"]) else number(row["kappa"], 2)
        if not math.isnan(row["kappa_low"]):
            kappa += f" ({number(row['kappa_low'], 2)} to {number(row['kappa_high'], 2)})"
        decided = f"{row['decided_agreed']}/{row['decided']}"
        if not math.isnan(row["decided_kappa"]):
            decided += f", kappa {number(row['decided_kappa'], 2)}"
        cells = [share(row["agreed"], row["answered_by_both"]), kappa, decided]
        why = "" if row["kappa_is"] == "computed" else row["kappa_is"]
        rows.append(
            [questions()[row["question"]].title, f"{row['reviewer_a']} and {row['reviewer_b']}",
             *(drill.people(cell, head, lines) for cell in cells), why]
        )  # fmt: skip
        ids.append(anchor("agreed", row["question"], row["reviewer_a"], row["reviewer_b"]))
    head = ["Question", "Reviewers", "same answer (exact 95 % interval)",
            f"Cohen's kappa (95 % interval from {stats.KAPPA_FROM} persons on)",
            "same answer where neither cannot tell", "why no kappa"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def disagreements(judged: JudgedPersons, drill: Drill) -> PageTable:
    """Return every person and question to which reviewers gave different answers."""
    given: dict[tuple[str, str], set[str]] = {}
    for row in judged.answers:
        if row["reviewer"].casefold() != "consensus":
            given.setdefault((row["person_id"], row["question"]), set()).add(row["answer"])
    rows = []
    for row in judged.rows:
        person, question = row["person_id"], row["question"]
        if len(given.get((person, question), ())) < 2:
            continue
        told = row["answers"].replace("|", "; ")
        if person in judged.cohort.person:
            told = drill.rows(told, person, row["source_row"])
        consensus = row["judged"] if row["basis"] == "consensus" else "none: stays cannot tell"
        rows.append([person, questions()[question].title, told, consensus])
    return PageTable(["Person", "Question", "Answers", "consensus"], rows[:_LISTED])


def beside(judged: JudgedPersons, drill: Drill) -> PageTable:
    """Return what was judged of each patient of the cohort beside what is computed."""
    rows = []
    inside = set(judged.cohort.ids)
    for row in judged.rows:
        if row["person_id"] in inside:
            shown = drill.rows(row["judged"], row["person_id"], row["source_row"])
            computed = labels.joined(row["computed"]) or UNKNOWN
            if not row["computed_from"]:
                computed = "never computed"
            title = questions()[row["question"]].title
            rows.append([row["person_id"], title, shown, row["basis"], computed])
    head = ["Patient", "Question", "judged", "basis", "computed, or recorded"]
    return PageTable(head, rows[:_LISTED])


def accuracy(judged: JudgedPersons, drill: Drill) -> PageTable:
    """Return each definition against the judgement, at the moment that the protocol shows."""
    cohort = judged.cohort
    answers = {row["person_id"]: row["judged"] for row in judged.of("storm_active")}
    status = _statuses(cohort, answers)
    rows, ids = [], []
    table = cohort.result.tables["definition_accuracy"].light_rows()
    order = {name: i for i, name in enumerate(cohort.result.protocol.definitions.report)}
    for row in sorted(table, key=lambda row: order.get(row["criterion"], 99)):
        if row["moment"] != _MOMENT:
            continue
        name = row["criterion"]
        head = ["person", "judged", cohort.definition_label(name)]
        lines = [[who, answers[who], said] for who, said in status[name].items() if who in answers]
        ends = [f"{row[f'{end}_right']}/{row[f'{end}_counted']}" for end in ("lowest", "highest")]
        range_ = " to ".join(ends) if row["lowest_counted"] else UNKNOWN
        decided = [line for line in lines if line[1] in {"yes", "no"}]
        doubtful = [line for line in lines if line[1] not in {"yes", "no"}]
        absent = [[who, said, UNKNOWN] for who, said in answers.items()
                  if said in {"yes", "no"} and who not in status[name]]  # fmt: skip
        others = [[who, "", said] for who, said in status[name].items() if who not in answers]
        rows.append(
            [cohort.definition_label(name), _MEASURES[row["measure"]],
             *(drill.people(cell, head, decided) for cell in
               (share(row["right"], row["concerned"]), str(row["open"]), range_)),
             *(drill.people(f"{row[column]:,}", head, some, row[column]) for column, some in
               (("cannot_tell", doubtful), ("not_assessed", absent), ("not_judged", others[: drill.most])))]
        )  # fmt: skip
        ids.append(anchor("accuracy", name, row["measure"]))
    head = ["Definition", "Measure", "share (exact 95 % interval)", "undetermined", "worst and best case",
            "judged cannot tell", "judged, definition not assessed", "not judged"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


_MOMENT: Final = "peak_ever"
"""The moment at which definitions are compared with a judgement of the whole patient."""


def _statuses(cohort: Cohort, answers: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the status of each definition by person: of all who were judged, and of some others."""
    criteria = cohort.result.tables["criteria"]
    shown = criteria.take(criteria.coded("moment").among([_MOMENT]))
    mine = shown.coded("person_id").among(answers)
    others = np.flatnonzero(~mine)[: _LISTED * len(cohort.result.protocol.definitions.report)]
    found: dict[str, dict[str, str]] = {}
    for at in (np.flatnonzero(mine), others):
        rows = shown.take(at).light_rows()
        for row in sorted(rows, key=lambda row: str(row["person_id"])):
            found.setdefault(row["criterion"], {})[row["person_id"]] = row["status"]
    return found


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return what people judged; None where nobody judged anything."""
    del figures
    judged = JudgedPersons(cohort)
    if not judged.rows:
        return None
    tables = [
        captioned(overview(judged, drill), "What was judged"),
        captioned(agreement(judged, drill), "Agreement of reviewers"),
        captioned(disagreements(judged, drill), "Disagreements"),
        captioned(beside(judged, drill), "Judged beside computed"),
        captioned(accuracy(judged, drill), "Each definition against the judgement of an active storm, by its highest total ever"),
    ]  # fmt: skip
    intro = [
        "Reviewers answered these questions; nothing here is judged by the program, and no judgement changes a computed "
        "result. What counts is the consensus, or the answer that all reviewers gave; where they differ it stays "
        "cannot tell.",
        "The definitions are compared with the judgement over the persons who were judged yes or no, not over all persons of "
        "the records: where those who met a definition were judged and others were not, its sensitivity looks better than it is. "
        "Predictive values hold for a group with as many storms as these persons. Persons in whom a definition is undetermined "
        "are left out of its share; the worst and the best case say what they could change.",
    ]
    return Section("Judgement of reviewers", intro, [], [each for each in tables if each])


SECTION: Final = DeclaredSection("judgements", 103, section, without_patients=True)
