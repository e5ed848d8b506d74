"""What invented reviewers said of the planted patients, as rows of the sheet `judgements`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

HEADER: Final = (
    "person_id",
    "reviewer",
    "question",
    "answer",
    "confidence",
    "time",
    "comment",
)
CONSENSUS: Final = "consensus"
_BEGUN: Final = datetime(2021, 3, 1, 9)
_MEETING_EVERY: Final = timedelta(days=7)
"""The second reviewer reads a week after the first, and they meet a week later."""
_MINUTES_EACH: Final = 4


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def judged_rows(person_id: str) -> Iterator[tuple[str, ...]]:
    """Yield the answers about one person; nothing for a person whom nobody judged."""
    file = _file()
    reviewers = (file["first"], file["second"], CONSENSUS)
    people = list(file["person"])
    asked: Mapping[str, Sequence[str]] = file["person"].get(person_id, {})
    for number, (question, answers) in enumerate(asked.items()):
        for turn, (reviewer, answer) in enumerate(zip(reviewers, answers, strict=False)):
            minutes = (people.index(person_id) * 8 + number) * _MINUTES_EACH
            when = _BEGUN + turn * _MEETING_EVERY + timedelta(minutes=minutes)
            sure = "" if answer == "cannot tell" else "moderate" if len(answers) > 2 else "high"
            yield (person_id, reviewer, question, answer, sure, f"{when:%Y-%m-%dT%H:%M}", "")
