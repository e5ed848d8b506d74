"""The list of patients, with what makes one worth opening, and the names that nobody understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from becalm.core.frame import Frame
from becalm.records.review.answers import Answered
from becalm.records.review.unblinding import reviewer_key
from becalm.web.workbench import Workbench

FILTERS: Final[Mapping[str, str]] = {
    "cohort": "in the study",
    "undetermined": "a definition is undetermined",
    "near": "near misses of the study",
    "unjudged": "not judged by me",
    "differing": "reviewers differ, no consensus",
    "words": "words that are not understood",
}
PAGE: Final = 100
"""Patients that are listed at a time."""


@dataclass(frozen=True)
class ListedPatient:
    """One line of the list. number : the position among all persons, by which the page asks for her."""

    number: int
    person_id: str
    in_cohort: bool
    storm: str
    statuses: Mapping[str, str]
    near: bool
    unknown_words: int
    open_questions: int
    differing: int

    def has(self, wanted: str) -> bool:
        """Return whether a filter keeps it."""
        return {
            "cohort": self.in_cohort,
            "undetermined": "undetermined" in self.statuses.values(),
            "near": self.near,
            "unjudged": self.open_questions > 0,
            "differing": self.differing > 0,
            "words": self.unknown_words > 0,
        }[wanted]


@dataclass
class PatientLists:
    """Makes the lists of a workbench; what does not change is worked out once."""

    bench: Workbench

    @cached_property
    def _storms(self) -> dict[str, str]:
        persons = self.bench.result.tables["persons"]
        return dict(zip(persons["person_id"].tolist(), persons["storm"].tolist(), strict=True))

    @cached_property
    def _statuses(self) -> dict[str, dict[str, str]]:
        criteria = self.bench.result.tables["criteria"]
        peaks = criteria.take(criteria.coded("moment").among(["peak_ever"]))
        found: dict[str, dict[str, str]] = {}
        columns = (peaks[name].tolist() for name in ("person_id", "criterion", "status"))
        for person, name, status in zip(*columns, strict=True):
            found.setdefault(str(person), {})[str(name)] = str(status)
        return found

    @cached_property
    def _near(self) -> frozenset[str]:
        return frozenset(self.bench.result.frames["nearest"]["person_id"].tolist())

    @cached_property
    def _unknown(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for batch in self.bench.batches:
            ids = batch.records.persons["person_id"]
            unknown = batch.unrecognised
            counted = (
                unknown["kind"] != "drug" if "treatment" in self.bench.hidden_in_lists else ...
            )
            who, n = np.unique(unknown["person"][counted], return_counts=True)
            for at, count in zip(who.tolist(), n.tolist(), strict=True):
                found[str(ids[at])] = int(count)
        return found

    @property
    def definitions(self) -> Sequence[str]:
        """The definitions whose status the list shows; none where a question hides what is computed."""
        if "computed" in self.bench.hidden_in_lists:
            return ()
        return self.bench.protocol.definitions.report

    @property
    def filters(self) -> dict[str, str]:
        """The filters that the list offers, each with its words."""
        hidden = ("undetermined", "near", "cohort") if not self.definitions else ()
        return {name: words for name, words in FILTERS.items() if name not in hidden}

    def patients(
        self, reviewer: str, answers: Sequence[Answered], wanted: Sequence[str], text: str = ""
    ) -> list[ListedPatient]:
        """Return the patients that every wanted filter keeps. text : a part of the id."""
        asked = {question.name for question in self.bench.asked}
        mine: dict[str, set[str]] = {}
        said: dict[tuple[str, str], set[str]] = {}
        agreed: set[tuple[str, str]] = set()
        for each in answers:
            key = each.person, each.question
            if _same(each.reviewer, reviewer):
                mine.setdefault(each.person, set()).add(each.question)
            if _same(each.reviewer, "consensus"):
                agreed.add(key)
            else:
                said.setdefault(key, set()).add(each.answer)
        differing: dict[str, int] = {}
        for key, words in said.items():
            if len(words) > 1 and key not in agreed:
                differing[key[0]] = differing.get(key[0], 0) + 1
        shown = self.definitions
        everybody = (
            ListedPatient(
                number, each.person_id, each.person_id in self._storms and bool(shown),
                self._storms.get(each.person_id, "") if shown else "",
                {name: s for name, s in self._statuses.get(each.person_id, {}).items() if name in shown},
                each.person_id in self._near, self._unknown.get(each.person_id, 0),
                len(asked - mine.get(each.person_id, set())), differing.get(each.person_id, 0),
            )
            for number, each in enumerate(self.bench.people)
        )  # fmt: skip
        kept = (each for each in everybody if text.casefold() in each.person_id.casefold())
        return [each for each in kept if all(each.has(name) for name in wanted)]

    def unknown_words(self) -> list[dict[str, Any]]:
        """Return the names that nobody understands, each with a guess, the most frequent first."""
        table: Frame = self.bench.result.tables["not_understood"]
        rows = [dict(row) for row in table.rows() if row["written"]]
        return sorted(rows, key=lambda row: (row["what"], -row["rows"], row["written"]))


def _same(one: str, other: str) -> bool:
    return reviewer_key(one) == reviewer_key(other)
