"""How far the definitions agree, each pair in a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from becalm.report import theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.sections import agreement
from becalm.report.text import number
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values


def spec(cohort: Cohort) -> Spec | None:
    """Return the definitions against each other: kappa and in how many both are decided."""
    pairs = [pair for pair in agreement.pairs(cohort) if pair.n]
    if not pairs:
        return None
    shown = {name for pair in pairs for name in (pair.a, pair.b)}
    names = [
        cohort.definition_label(n) for n in cohort.result.protocol.definitions.report if n in shown
    ]
    cells = [
        {"a": cohort.definition_label(pair.a), "b": cohort.definition_label(pair.b), "share": pair.agreed / pair.n,
         "text": f"{pair.agreed}/{pair.n}",
         "kappa": "" if pair.kappa is None else f"κ {number(pair.kappa, 2)}",
         "link": cohort.link("pair", pair.a, pair.b)}
        for pair in pairs
    ]  # fmt: skip
    at = {
        "x": category("a", sort=names, scale={"domain": names[:-1]}, title=None,
                      axis={"orient": "top", "labelAngle": 0, "domain": False, "ticks": False}),
        "y": category("b", sort=names, scale={"domain": names[1:]}, title=None,
                      axis={"domain": False, "ticks": False}),
    } | LINK  # fmt: skip
    colour = quantity("share", legend=None, scale=flat(0, 1, interpolate="rgb",
                      range=[theme.WHITE, "#00456e"]))  # fmt: skip
    ink = {"condition": {"test": "datum.share > 0.5", "value": theme.WHITE}, "value": theme.BLACK}
    return {
        "data": values(cells), "width": {"step": 92}, "height": {"step": 40},
        "layer": [
            mark("rect", at | {"color": colour}, stroke="#9aa3ab", strokeWidth=0.8),
            mark("text", at | {"text": {"field": "text"}, "color": ink}, fontSize=11,
                 dy={"expr": "datum.kappa === '' ? 0 : -7"}),
            mark("text", at | {"text": {"field": "kappa"}, "color": ink}, fontSize=11, dy=8),
        ],
    }  # fmt: skip


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield how far the definitions agree."""
    yield Chart(
        "agreement",
        "Agreement of the definitions",
        "Each cell: number of patients in whom two definitions agree / number in whom both are met or "
        "not met. κ: Cohen's kappa, if it can be calculated. Darker: more agreement.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(20, charts)
