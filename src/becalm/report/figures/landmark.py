"""Deaths in hospital by what each definition said at the landmark, with exact intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from becalm.report import theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.sections import landmark
from becalm.report.vega import Spec, flat, mark, quantity, values

WORDS = {"met": theme.VERMILION, "not met": theme.BLUE, "undetermined": theme.GREY}


def spec(cohort: Cohort) -> Spec | None:
    """Return a row a definition: the risk of each status as a point, its interval as a line."""
    if cohort.result.protocol.landmark is None:
        return None
    rows = [
        {
            "definition": cohort.definition_label(cell.criterion),
            "status": cell.status,
            "risk": 100 * cell.risk,
            "low": 100 * cell.interval[0],
            "high": 100 * cell.interval[1],
            "n": f"{cell.died}/{cell.n - cell.unknown}",
        }
        for cell in landmark.status_counts(cohort)
        if cell.risk is not None and cell.interval is not None
    ]
    if not rows:
        return None
    names = list(
        dict.fromkeys(
            cohort.definition_label(name) for name in cohort.result.protocol.definitions.report
        )
    )
    x = quantity(
        "risk", scale=flat(0, 100), title="died in hospital, % of patients with known outcome",
        axis={"tickCount": 5},
    )  # fmt: skip
    y: Spec = {
        "field": "status", "type": "nominal", "sort": list(WORDS), "title": None,
        "axis": {"labels": False, "ticks": False, "domain": False},
    }  # fmt: skip
    colour: Spec = {
        "field": "status", "type": "nominal", "title": None,
        "scale": {"domain": list(WORDS), "range": list(WORDS.values())},
        "legend": {"orient": "top"},
    }  # fmt: skip
    ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour}
    layers = [
        mark("rule", ends, strokeWidth=2),
        mark("point", {"x": x, "y": y, "color": colour}, filled=True, size=60, opacity=1),
        mark("text", {"x": {**x, "field": "high"}, "y": y, "text": {"field": "n"}}, align="left",
             dx=6, color=theme.BLACK),
    ]  # fmt: skip
    header = {"title": None, "labelAngle": 0, "labelAlign": "left", "labelAnchor": "middle"}
    return {
        "data": values(rows),
        "facet": {
            "row": {"field": "definition", "type": "nominal", "sort": names, "header": header}
        },
        "spacing": 10,
        "spec": {"width": theme.WIDTH - 220, "height": 48, "layer": layers},
    }


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield deaths in hospital by what each definition said."""
    yield Chart(
        "landmark",
        "Deaths in hospital by status of each definition at the landmark",
        "Point: percentage of patients who died in hospital; line: exact 95 % interval; number: deaths / "
        "patients with known outcome. Undetermined: too little was measured to say met or not met. A status "
        "without patients is not drawn.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(70, charts)
