"""What the page works with: a study of the records, everybody's data, the answers, and what a question hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from becalm import vocabulary
from becalm.core.errors import UsageError
from becalm.core.files import exists
from becalm.definitions import Evaluation, evaluate
from becalm.patients.understood import Patients
from becalm.protocol import Protocol
from becalm.records import open_records
from becalm.records.review import words
from becalm.records.review.answers import AnswerBook, sheet_answers
from becalm.records.review.entry import SheetDesk
from becalm.records.review.folder import review_folder
from becalm.records.review.log import now
from becalm.records.review.questions import Question, questions
from becalm.study import protocol_names
from becalm.study.result import StudyResult
from becalm.study.run import run
from becalm.vocabulary import Vocabulary, site_words
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
    vocabulary: Vocabulary
    sheets: SheetDesk | None = None
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

    def still_hidden(self, things: AbstractSet[str], reviewer: str, person: str) -> frozenset[str]:
        """Return which of some things the protocol hides and a reviewer was not shown of a patient; '' is everybody."""
        hidden = self.hidden_in_lists & things
        return hidden - self.book.unblinding.shown(reviewer, person) if hidden else hidden

    def show(self, things: AbstractSet[str], reviewer: str, person: str) -> None:
        """Write down that a reviewer is shown what the protocol hides; from then on answers to its questions are refused."""
        self.book.unblinding.add(reviewer, person, self.hidden_in_lists & things)

    @property
    def words_file(self) -> Path:
        """The file of what people say in the page that names mean."""
        return self.book.folder / words.FILE

    def said_words(self) -> dict[tuple[str, str], str]:
        """Return what that file says, by kind and label."""
        if not exists(self.words_file):
            return {}
        read = site_words.read(self.words_file, vocabulary.load())
        return {(each.kind, each.label): each.means for each in read.words}

    def say_word(self, statement: tuple[str, str, str], who: str, *, only_check: bool) -> None:
        """Save what a name means: (kind, label, entry). only_check : nothing is saved.

        Raises `DefinitionError` where no entry has that name, `UsageError` for a name that is in no list.
        """
        kind, label, means = statement
        table = self.result.tables["not_understood"]
        listed = zip(table["what"].tolist(), table["written"].tolist(), strict=True)
        if (kind, label) not in set(listed):
            raise UsageError("this name is not among those that are not understood")
        if only_check:
            site_words.checked(kind, label, means, vocabulary.load())
        else:
            words.add_word(self.book.folder, statement, who, now(), vocabulary.load())

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
    said = site_words.joined(site, opened.site)
    known = said.applied(vocabulary.load()) if said else vocabulary.load()
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
    sheets = SheetDesk(records) if opened.name == "sheets" else None
    ids = frozenset(str(one) for each in batches for one in each.records.persons["person_id"])
    return Workbench(name, result, batches, AnswerBook(folder, answers, ids), known, sheets)
