"""The answers about some records while people work on them: those of the sheet, and those that the page adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from becalm.core.errors import RecordsError, UsageError
from becalm.core.frame import Frame
from becalm.records.review.folder import JUDGED, AddedRows, added_rows
from becalm.records.review.log import add_row, now
from becalm.records.review.questions import CONFIDENCE, CONSENSUS, questions
from becalm.records.review.unblinding import Unblinding
from becalm.records.sheets.schema import SHEETS
from becalm.records.sheets.standing import GivenAnswer, answer_time, standing, told

HEADER: Final = tuple(SHEETS["judgements"].columns)


@dataclass(frozen=True)
class Answered:
    """An answer that holds, with what the reviewer said beside it. written : when it was given."""

    person: str
    reviewer: str
    question: str
    answer: str
    confidence: str
    comment: str
    written: str = ""


@dataclass
class AnswerBook:
    """All answers about some records. folder : where new ones are added.

    sheet : the cells of the answers that the records bring themselves, in the order of `HEADER`. known : the persons.
    """

    folder: Path
    sheet: Sequence[Sequence[str]]
    known: frozenset[str]
    clock: Callable[[], str] = now
    _seen: tuple[int, int] = (-1, -1)
    _rows: list[list[str]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The file that answers are added to."""
        return self.folder / JUDGED

    def holding(self) -> list[Answered]:
        """Return the answers that hold now, those that another program has just added too.

        Raises `RecordsError` where two answers stand against each other.
        """
        return self._held(self._added())

    @property
    def unblinding(self) -> Unblinding:
        """Who was shown what a protocol hides."""
        return Unblinding(self.folder)

    def add(self, answer: Answered, hidden: AbstractSet[str] = frozenset()) -> int:
        """Add an answer and return the number of its row; it is on the disk when this returns.

        hidden : what the protocol hides from whoever answers this question.

        Raises `UsageError` for an answer that cannot be, for a second consensus, and for an answer of somebody who was
        shown what is hidden; `OutputError` where it cannot be written. Then nothing is saved.
        """
        self._check(answer)

        def alone(rows: AddedRows) -> None:
            known = self.unblinding.shown(answer.reviewer, answer.person) & hidden
            if answer.answer and known:
                raise UsageError(
                    f"{answer.reviewer} was shown the {' and '.join(sorted(known))}, which this question hides",
                    hint="Somebody else must answer it; an answer that was given before holds",
                )
            if _is_consensus(answer.reviewer) and answer.answer:
                for other in self._held(rows.rows):
                    same = (other.person, other.question) == (answer.person, answer.question)
                    if same and _is_consensus(other.reviewer) and other.answer != answer.answer:
                        raise UsageError(
                            f"there is a consensus already: {other.answer}",
                            hint="Take it back first",
                        )

        cells = [
            answer.person, answer.reviewer, answer.question, answer.answer, answer.confidence,
            self.clock(), answer.comment,
        ]  # fmt: skip
        return add_row(self.file, HEADER, cells, check=alone)

    def _check(self, answer: Answered) -> None:
        question = questions().get(answer.question)
        if answer.person not in self.known:
            raise UsageError("nobody of this name is in the records")
        if not answer.reviewer.strip():
            raise UsageError("the reviewer has no name", hint="Write your name or initials")
        if question is None or answer.answer not in {"", *question.allowed}:
            raise UsageError("this is no answer to this question")
        if answer.confidence not in {"", *CONFIDENCE}:
            raise UsageError("this is no confidence", hint=", ".join(CONFIDENCE))

    def _added(self) -> list[list[str]]:
        if not self.file.exists():
            return []
        seen = self.file.stat()
        if (seen.st_size, seen.st_mtime_ns) != self._seen:
            self._rows = [row for row in added_rows(self.file).rows if len(row) == len(HEADER)]
            self._seen = seen.st_size, seen.st_mtime_ns
        return self._rows

    def _held(self, added: Sequence[Sequence[str]]) -> list[Answered]:
        rows = [*self.sheet, *added]
        given = []
        for at, (person, reviewer, question, answer, _, written, _) in enumerate(rows):
            when = answer_time(written) or answer_time("")
            number = at if at >= len(self.sheet) else -1
            assert when is not None
            given.append(GivenAnswer(at, person, reviewer, question, answer, when, number))
        holds, against = standing(given)
        wrong = [RecordsError(what, hint=hint) for _, what, hint in told(against)]
        if wrong:
            raise RecordsError.of(wrong)
        return [
            Answered(row[0], row[1], row[2], row[3], row[4], row[6], row[5])
            for at, row in enumerate(rows)
            if at in holds
        ]


def sheet_answers(judgements: Frame, ids: Sequence[str]) -> list[list[str]]:
    """Return the answers of a raw table that the records bring themselves, as cells in the order of `HEADER`."""
    names = ("reviewer", "question", "answer", "confidence", "written", "comment", "table")
    columns = (judgements[name].tolist() for name in names)
    return [
        [ids[at], *cells]
        for at, (*cells, table) in zip(
            judgements["person"].tolist(), zip(*columns, strict=True), strict=True
        )
        if table != JUDGED
    ]


def _is_consensus(reviewer: str) -> bool:
    return reviewer.strip().casefold() == CONSENSUS
