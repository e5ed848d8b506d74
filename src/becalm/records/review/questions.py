"""The questions that reviewers answer, and their words: `questions.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml

FILE: Final = Path(__file__).with_suffix(".toml")
CANNOT_TELL: Final = "cannot tell"
CONSENSUS: Final = "consensus"
"""The reviewer in whose name an answer stands that all reviewers have agreed on."""
CONFIDENCE: Final = ("low", "moderate", "high")


class Question(toml.TomlTable, frozen=True):
    """One question about a patient.

    asked : the question in a sentence. answers : its words, without `cannot tell`, which every question has.
    """

    name: str
    title: str
    asked: str
    answers: tuple[str, ...]

    @property
    def allowed(self) -> tuple[str, ...]:
        """Every answer that may be given."""
        return (*self.answers, CANNOT_TELL)


class _File(toml.TomlTable, frozen=True):
    question: tuple[Question, ...]


@cache
def questions() -> dict[str, Question]:
    """Return the questions by name, in their order.

    >>> questions()["storm_active"].allowed
    ('yes', 'no', 'cannot tell')
    """
    return {each.name: each for each in toml.load(FILE, _File).question}


@cache
def every_answer() -> tuple[str, ...]:
    """Return the words of all questions, each once."""
    found = (answer for each in questions().values() for answer in each.answers)
    return (*dict.fromkeys(found), CANNOT_TELL)
