"""The sections of the page, one file each: a new file adds its section by being there.

Each declares `SECTION`; those that only make tables for others declare none.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from becalm.report.cohort import Cohort
    from becalm.report.drill import Drill
    from becalm.report.section import Section
    from becalm.report.theme import Figure


def sections(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> list[Section]:
    """Return the sections that the study has something for, in their order."""
    modules = [
        importlib.import_module(f"{__name__}.{each.name}")
        for each in pkgutil.iter_modules(__path__)
    ]
    declared = [module.SECTION for module in modules if hasattr(module, "SECTION")]
    made = (
        each.make(cohort, drill, figures)
        for each in sorted(declared, key=lambda each: each.position)
        if cohort.n or each.without_patients
    )
    return [section for section in made if section is not None]
