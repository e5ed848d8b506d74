"""A section of the page, and how one is declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


@dataclass(frozen=True)
class Section:
    """A section of the page: an introduction, figures and tables, in this order."""

    title: str
    intro: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[PageTable] = ()
    folded: Sequence[PageTable] = field(default=())


@dataclass(frozen=True)
class DeclaredSection:
    """How a file of `report/sections` declares its section, in the constant `SECTION`.

    id : its anchor on the page, which no other section has. position : sections stand in the order of
    their positions. make : returns the section, or None if the study has no data for it.
    without_patients : whether the page has it even if nobody entered the study.
    """

    id: str
    position: int
    make: Callable[[Cohort, Drill, Mapping[str, Figure]], Section | None]
    without_patients: bool = False


def figures_named(figures: Mapping[str, Figure], *names: str) -> list[Figure]:
    """Return those of some figures that the study has."""
    return [figures[name] for name in names if name in figures]


def lists_everybody(cohort: Cohort) -> bool:
    """Whether the long tables list every patient."""
    return cohort.n <= PER_PERSON


def captioned(table: PageTable, caption: str) -> PageTable:
    """Return a table with a caption."""
    return replace(table, caption=caption)
