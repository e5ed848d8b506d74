"""Checklists of reporting guidelines: what the draft has, and what the authors must add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.citations import bibliography
from becalm.report.paper.content import CASE_SERIES, REVIEW, PaperContent

FOLDER: Final = Path(__file__).parent / "checklists"
COLUMNS: Final = ("item", "topic", "asks for", "in the draft", "authors add")
MARK: Final = "*"
"""Stands behind the number of an item that nobody has compared with the paper."""
NOTHING: Final = "not in the draft"


class ChecklistItem(toml.TomlTable, frozen=True):
    """One item. run : the part of the draft that answers it; authors : what they must add; source : where a number
    that nobody has compared comes from.
    """

    number: str
    topic: str
    asks: str
    run: str = ""
    authors: str = ""
    source: str = ""
    verified: bool = True


class Checklist(toml.TomlTable, frozen=True):
    """The checklist of one guideline; `cite` names its paper."""

    title: str
    cite: str
    note: str
    item: list[ChecklistItem]


@dataclass(frozen=True)
class FilledChecklist:
    """A checklist with its answers, ready to print: one row an item."""

    name: str
    title: str
    note: str
    source: str
    rows: list[list[str]]


@cache
def checklists() -> Mapping[str, Checklist]:
    """Return the checklists by name."""
    return {path.stem: toml.load(path, Checklist) for path in sorted(FOLDER.glob("*.toml"))}


def filled(paper: PaperContent) -> list[FilledChecklist]:
    """Return every checklist with what this draft answers."""
    given = answers(paper)
    return [
        FilledChecklist(
            name,
            each.title,
            each.note,
            bibliography()[each.cite].doi,
            [
                [_number(item), item.topic, item.asks, given.get(item.run) or NOTHING, item.authors or "–"]
                for item in each.item
            ],
        )
        for name, each in checklists().items()
    ]  # fmt: skip


def _number(item: ChecklistItem) -> str:
    """Return the number of an item, with a mark where nobody has compared it with the paper."""
    if not item.number:
        return "–"
    return item.number if item.verified else f"{item.number}{MARK}"


def answers(paper: PaperContent) -> dict[str, str]:
    """Return where the draft answers something, by the names that the checklists use; nothing where it does not."""
    titles = {section.title for section in paper.results}

    def in_results(*names: str) -> str:
        return ", ".join(f"Results: {name}" for name in names if name in titles)

    statement = paper.statement
    cases = any(table.name == "case_series_patients" for table in paper.tables)
    flow = any(table.name == "attrition" for table in paper.tables)
    return {
        "title": "Title",
        "setting": "",
        "registration": "",
        "design": "Methods: Design",
        "methods": "Methods; files of the protocol and definitions in manifest.json of the study",
        "participants": ", ".join(filter(None, ("Methods: Population", in_results("Participants"), "figure flow" if flow else ""))),
        "patients": in_results("Patients"),
        "diagnosis": ", ".join(filter(None, ("Methods: Storm", in_results("Diagnosis")))),
        "treatment": in_results("Treatment"),
        "response": in_results("Response"),
        "safety": in_results("Safety"),
        "outcome": in_results("Outcome", *(["Patients"] if cases else [])),
        "judged": in_results(REVIEW),
        "judged_outcome": in_results("Outcome", *(["Patients"] if cases else []), REVIEW),
        "results": in_results("Response", "Safety", "Outcome"),
        "cases": in_results("Patients") if cases else "",
        "timeline": "figure timeline" if cases else "",
        "limits": "Limits of the data",
        "cleaning": "Methods; Limits of the data",
        "data": f"Methods: Data (read as {paper.found.source})",
        "access": "Methods: Data (program and version)",
        "ethics": "Declarations" if statement and statement.ethics else "",
        "consent": "Declarations" if paper.kind == CASE_SERIES else "",
    }  # fmt: skip
