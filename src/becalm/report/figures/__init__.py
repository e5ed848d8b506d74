"""The report's figures, one file each; `draw_all` draws those that the study has data for.

A file that declares `CHARTS` adds its charts by being there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Final

from becalm.report import theme
from becalm.report.chart import DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.figures import attrition
from becalm.report.theme import Figure
from becalm.report.vega import Spec

ATTRITION: Final = "attrition"
"""The one figure that is no chart."""


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


def draw_all(cohort: Cohort, drawn: Callable[[Figure], None] = lambda _: None) -> dict[str, Figure]:
    """Draw every figure, by name; `drawn` is called with each as soon as it is ready."""
    figures: dict[str, Figure] = {}
    for figure in _figures(cohort):
        figures[figure.name] = figure
        drawn(figure)
    return figures


def _figures(cohort: Cohort) -> Iterator[Figure]:
    yield Figure(
        ATTRITION,
        "From everyone in the records to the cohort",
        "Left: persons, stays and rows (measurements and administrations) that remain. Right: those who "
        "left, and why.",
        attrition.draw(cohort),
    )
    for name, title, caption, spec in specs(cohort):
        yield Figure(name, title, caption, theme.draw(spec))
