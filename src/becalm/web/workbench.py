"""What the page works with: a study of the records, everybody's data, the answers, and what a question hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from becalm import vocabulary
from becalm.core.errors import UsageError
from becalm.definitions import Evaluation, evaluate
from becalm.patients.understood import Patients
from becalm.protocol import Protocol
from becalm.records import open_records
from becalm.records.review.answers import AnswerBook, sheet_answers
from becalm.records.review.folder import review_folder
from becalm.records.review.questions import Question, questions
from becalm.study import protocol_names
from becalm.study.result import StudyResult
from becalm.study.run import run
from becalm.vocabulary import site_words
from becalm.vocabulary.site_words import SiteWords

MANY_ROWS: Final = 3_000_000
"""Above this number of rows the page does not open: everybody's data are held in memory."""


@dataclass(frozen=True)
class Located:
    """A person: the id, and the place in the batches."""

    person_id: str
    batch: int
    position: int


@dataclass
class Workbench:
    """Records that are open in the page.

    name : of the records, without their path. batches : everybody's data. book : the answers.
    """

    name: str
    result: StudyResult
    batches: Sequence[Patients]
    book: AnswerBook
    _evaluated: dict[int, dict[str, Evaluation]] = field(default_factory=dict)

    @property
    def protocol(self) -> Protocol:
        """The protocol of the study."""
        return self.result.protocol

    @cached_property
    def people(self) -> list[Located]:
        """Everybody, in the order of the records."""
        return [
            Located(str(person), number, at)
            for number, batch in enumerate(self.batches)
            for at, person in enumerate(batch.records.persons["person_id"].tolist())
        ]

    @cached_property
    def asked(self) -> list[Question]:
        """The questions of the protocol, in its order."""
        names = self.protocol.review.questions or tuple(questions())
        return [questions()[name] for name in names]

    def hidden(self, question: str) -> frozenset[str]:
        """Return what the page hides while a question is answered."""
        return frozenset(self.protocol.review.blind.get(question, ()))

    @cached_property
    def hidden_in_lists(self) -> frozenset[str]:
        """What the list of patients hides: everything that any question hides."""
        return frozenset(each for question in self.asked for each in self.hidden(question.name))

    def evaluations(self, batch: int) -> dict[str, Evaluation]:
        """Return the reported definitions over time of everybody in a batch."""
        if batch not in self._evaluated:
            inputs = self.batches[batch].inputs(self.protocol.clock)
            self._evaluated[batch] = {
                name: evaluate(self.result.definitions[name], inputs)
                for name in self.protocol.definitions.report
            }
        return self._evaluated[batch]


def open_workbench(
    records: str,
    protocol_name: str,
    *,
    source: str | None = None,
    mapping: str | None = None,
    site: SiteWords | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Workbench:
    """Read records, run a protocol on them, and hold everybody's data for the page.

    Raises `UsageError` for records at an address, which have no folder beside them, and for too many of them.
    """
    folder = review_folder(records)
    if folder is None:
        raise UsageError("records at an address have no folder for answers", where=records)
    protocol = protocol_names.load(protocol_name)
    name = Path(records).name or Path(records).resolve().name
    opened = open_records(records, source, mapping)
    words = site_words.joined(site, opened.site)
    known = words.applied(vocabulary.load()) if words else vocabulary.load()
    result = run(opened, protocol, name, progress, site=site)
    batches: list[Patients] = []
    rows = 0
    for chunk in open_records(records, source, mapping).chunks():
        rows += len(chunk.measurements) + len(chunk.administrations)
        if rows > MANY_ROWS:
            raise UsageError(
                f"the records have more than {MANY_ROWS:,} rows, too many for the page",
                where=name,
                hint="Work with the patients of the study alone, as sheets or with a mapping",
            )
        batches.append(Patients.of(chunk, known))
    answers = [
        row
        for each in batches
        for row in sheet_answers(
            each.records.judgements, each.records.persons["person_id"].tolist()
        )
    ]
    ids = frozenset(str(one) for each in batches for one in each.records.persons["person_id"])
    return Workbench(name, result, batches, AnswerBook(folder, answers, ids))
