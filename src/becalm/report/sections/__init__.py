"""The sections of the page, one file each, which declares `SECTION`: a new file adds its section by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from becalm.report.cohort import Cohort
    from becalm.report.drill import Drill
    from becalm.report.section import DeclaredSection, Section
    from becalm.report.theme import Figure

RESERVED = ("key", "methods", "provenance")
"""Ids of the parts of the page that are no sections."""


def sections(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> dict[str, Section]:
    """Return the sections for which the study has data, by id, in their order."""
    modules = [
        importlib.import_module(f"{__name__}.{each.name}")
        for each in pkgutil.iter_modules(__path__)
    ]
    made = {
        each.id: each.make(cohort, drill, figures)
        for each in in_order(module.SECTION for module in modules)
        if cohort.n or each.without_patients
    }
    return {name: section for name, section in made.items() if section is not None}


def in_order(declared: Iterable[DeclaredSection]) -> list[DeclaredSection]:
    """Return sections in the order of their positions.

    Raises
    ------
    ValueError
        If two sections have one id, or a section has the id of another part of the page.
    """
    found = sorted(declared, key=lambda each: each.position)
    seen = set(RESERVED)
    for each in found:
        if each.id in seen:
            raise ValueError(f"two sections of the report have the id {each.id!r}")
        seen.add(each.id)
    return found
