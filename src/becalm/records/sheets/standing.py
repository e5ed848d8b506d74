"""Which answer of a reviewer holds, where the same question was answered more than once.

The page only ever adds rows, so a later answer replaces an earlier one, and a row without an answer takes one
back. The rows of that file are in the order in which they were given; elsewhere the time decides. Where nothing
says which of two different answers is the later one, nobody chooses: it is a mistake in the records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from becalm.core.clock import DAY, HOUR, MINUTE, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.records.review.questions import CONSENSUS
from becalm.records.sheets.moments import moment_of
from becalm.records.sheets.reading import Wrong, read_time

_ANY_OFFSET: Final = 14 * HOUR
"""No clock is farther from UTC, so a time without an offset is within this of what it shows."""


@dataclass(frozen=True)
class AnswerTime:
    """When an answer was given: as the clock showed it, and the range in which it was by UTC.

    exact : whether it is a time with an offset, so that the range is one moment. dated : whether only the date
    is known.
    """

    shown: int = UNKNOWN_TIME
    earliest: int = UNKNOWN_TIME
    latest: int = UNKNOWN_TIME
    exact: bool = False
    dated: bool = False

    def before(self, other: AnswerTime) -> bool:
        """Return whether it is certainly earlier."""
        if UNKNOWN_TIME in {self.shown, other.shown}:
            return False
        if self.exact == other.exact and not self.dated and not other.dated:
            return self.earliest < other.earliest
        if not self.exact and not other.exact:
            return self.shown + (DAY if self.dated else 0) <= other.shown
        return self.latest < other.earliest


def answer_time(text: str) -> AnswerTime | None:
    """Return when an answer was given; None for a text that is no date and no time."""
    if not text:
        return AnswerTime()
    moment = moment_of(text)
    if moment is None:
        read = read_time(text)
        if isinstance(read, Wrong) or not read[1]:
            return None
        day = read[0]
        return AnswerTime(day, day - _ANY_OFFSET, day + DAY + _ANY_OFFSET, dated=True)
    wall = moment.wall
    if moment.offset is None:
        return AnswerTime(wall, wall - _ANY_OFFSET, wall + _ANY_OFFSET)
    at = wall - moment.offset * MINUTE
    return AnswerTime(wall, at, at, exact=True)


@dataclass(frozen=True)
class GivenAnswer:
    """One row: who answered which question about whom, how and when.

    at : its position among all rows. added : its number in the file of the page, −1 for a row of a sheet.
    """

    at: int
    person: str
    reviewer: str
    question: str
    answer: str
    time: AnswerTime = AnswerTime()
    added: int = -1

    @property
    def whose(self) -> tuple[str, str, str]:
        """Person, question and reviewer; names are compared without capitals and spaces at their ends."""
        return self.person, self.question, " ".join(self.reviewer.casefold().split())

    def before(self, other: GivenAnswer) -> bool:
        """Return whether it was certainly given earlier."""
        if min(self.added, other.added) >= 0:
            return self.added < other.added
        return self.time.before(other.time)


def given_answers(frame: Frame, persons: Sequence[str], added: str) -> list[GivenAnswer]:
    """Return the rows of a raw table that can be told apart: with a person, a reviewer and a question.

    persons : the id of each row's person. added : the table whose rows stand in the order in which they were given.
    """
    rows = []
    columns = ("reviewer", "question", "answer", "written", "table", "key")
    for i, (reviewer, question, answer, written, table, key) in enumerate(
        zip(*(frame[name].tolist() for name in columns), strict=True)
    ):
        if persons[i] and reviewer and question:
            when = answer_time(written) or AnswerTime()
            number = key if added and table == added else -1
            rows.append(GivenAnswer(i, persons[i], reviewer, question, answer, when, number))
    return rows


@dataclass(frozen=True)
class Undecided:
    """Two different answers of which nobody knows which holds."""

    earlier: GivenAnswer
    later: GivenAnswer


def standing(rows: Sequence[GivenAnswer]) -> tuple[set[int], list[Undecided]]:
    """Return the positions of the answers that hold, and what stands against each other.

    A row of a sheet without an answer says nothing; a row of the page without one takes back what was said before.
    """
    groups: dict[tuple[str, str, str], list[GivenAnswer]] = {}
    for row in rows:
        if row.answer or row.added >= 0:
            groups.setdefault(row.whose, []).append(row)
    holds: set[int] = set()
    against: list[Undecided] = []
    for (_, _, reviewer), mine in groups.items():
        last = _consensus(mine) if reviewer == CONSENSUS else _last(mine)
        if isinstance(last, Undecided):
            against.append(last)
        elif last is not None and last.answer:
            holds.add(last.at)
    return holds, against


def _last(rows: Sequence[GivenAnswer]) -> GivenAnswer | Undecided:
    """Return the last answer; or two that differ, of which none is certainly the last."""
    open_ = [row for row in rows if not any(row.before(other) for other in rows)] or list(rows)
    first, *others = open_
    for other in others:
        if other.answer != first.answer:
            return Undecided(first, other)
    return open_[-1]


def _consensus(rows: Sequence[GivenAnswer]) -> GivenAnswer | Undecided | None:
    """Return the one consensus; a second one that differs must not be there unless the first was taken back."""
    stands: GivenAnswer | None = None
    for row in sorted(rows, key=lambda each: each.added):
        if stands is not None and row.answer and row.answer != stands.answer:
            return Undecided(stands, row)
        stands = row if row.answer else None
    return stands


def told(against: Sequence[Undecided]) -> Iterator[tuple[GivenAnswer, str, str]]:
    """Yield for each pair the row to tell, what is wrong with it, and how to correct it."""
    for each in against:
        later, other = each.later, each.earlier.answer or "the answer taken back"
        pair = f"{other!r} and {later.answer!r}"
        if later.whose[2] == CONSENSUS:
            what = f"two consensus answers about {later.person!r}: {pair}"
            yield later, what, "There is one consensus for each question: keep the one that holds"
        else:
            what = f"{later.reviewer!r} answered {later.question} of {later.person!r} twice, {pair}, and nothing says which is later"  # fmt: skip
            yield later, what, "Write the time of both, or remove the one that does not hold"
