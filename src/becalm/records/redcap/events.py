"""The events of a longitudinal project: their unique names, from the labels of a labelled export."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from becalm.core.errors import RecordsError, place
from becalm.records.redcap.dictionary import plain
from becalm.records.sheets.cells import clean
from becalm.records.sheets.read import csv_rows

_NEEDED: Final = ("event_name", "arm_num", "unique_event_name")
_WITH_ARM: Final = re.compile(r"(.*?) \(Arm (\d+): .*\)")


def event_names(path: Path) -> Callable[[str], str]:
    """Return a function from an event as an export writes it to its unique name; other texts stay.

    path : the table of events that REDCap writes (Project Setup, Define My Events). Raises `RecordsError` for
    a file that is none.
    """
    header, lines, _ = csv_rows(path)
    titles = [clean(title).casefold() for title in header]
    for name in _NEEDED:
        if name not in titles:
            raise RecordsError(
                f"is not a table of events of REDCap: it has no column {name!r}",
                where=place(path.name, 1),
                hint="Download it in REDCap under Define My Events, or remove events from [redcap]",
            )
    at = [titles.index(name) for name in _NEEDED]
    unique: dict[tuple[str, str], str] = {}
    arms: dict[str, set[str]] = {}
    for line in lines:
        if not any(line):
            continue
        label, arm, name = (plain(line[position]) for position in at)
        unique[label.casefold(), arm] = name
        arms.setdefault(label.casefold(), set()).add(arm)

    def named(text: str) -> str:
        if text in unique.values():
            return text
        with_arm = _WITH_ARM.fullmatch(text)
        if with_arm:
            return unique.get((with_arm.group(1).casefold(), with_arm.group(2)), text)
        of_label = arms.get(text.casefold(), set())
        return unique[text.casefold(), next(iter(of_label))] if len(of_label) == 1 else text

    return named
