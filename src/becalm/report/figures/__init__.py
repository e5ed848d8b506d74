"""The report's figures, one file each; `draw_all` draws those that the study has data for.

A file that declares `CHARTS` adds its charts by being there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Final

from becalm.core.beside import Coming, Waiting
from becalm.report import theme
from becalm.report.chart import DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.figures import attrition
from becalm.report.theme import Figure
from becalm.report.vega import Spec

ATTRITION: Final = "attrition"
"""The one figure that is no chart."""
_FLOW: Final = (
    "From everyone in the records to the cohort",
    "Left: persons, stays and rows (measurements and administrations) that remain. Right: those who left, and why.",
)
"""Its title and caption."""


def specs(cohort: Cohort) -> Iterator[tuple[str, str, str, Spec]]:
    """Yield name, title, caption and specification of every chart that has something to show.

    Raises
    ------
    ValueError
        If two charts have one name.
    """
    seen = {ATTRITION}
    for each in declared():
        for name, title, caption, spec in each.make(cohort):
            if name in seen:
                raise ValueError(f"two figures of the report have the name {name!r}")
            seen.add(name)
            if spec is not None:
                yield name, title, caption, spec


def declared() -> list[DeclaredCharts]:
    """Return the charts that the files of this package declare, in the order of their positions."""
    modules = [
        importlib.import_module(f"{__name__}.{each.name}")
        for each in pkgutil.iter_modules(__path__)
    ]
    found = [module.CHARTS for module in modules if hasattr(module, "CHARTS")]
    return sorted(found, key=lambda each: each.position)


def draw_all(cohort: Cohort) -> dict[str, Figure]:
    """Draw every figure, by name."""
    figures = [Figure(ATTRITION, *_FLOW, attrition.draw(cohort))]
    for name, title, caption, spec in specs(cohort):
        figures.append(Figure(name, title, caption, theme.draw(spec)))
    return {figure.name: figure for figure in figures}


def draw_and_paint_all(cohort: Cohort, waiting: Waiting) -> dict[str, Figure]:
    """Draw every figure with its pixels, by name; another process begins with the first, this one with the last."""
    asked: list[tuple[str, str, str, Coming[tuple[str, bytes]]]] = [
        (ATTRITION, *_FLOW, waiting.call(_painted, attrition.draw(cohort)))
    ]
    for name, title, caption, spec in specs(cohort):
        asked.append((name, title, caption, waiting.call(theme.drawn, spec)))
    for *_, later in reversed(asked):
        later.result()
    return {
        name: Figure(name, title, caption, *later.result()) for name, title, caption, later in asked
    }


def _painted(svg: str) -> tuple[str, bytes]:
    return svg, theme.pixels_of(svg)
