"""SOFA of each patient at time zero and its worst afterwards, as ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from becalm.report import theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, anchor
from becalm.report.sections.organs import MOMENTS, by_person
from becalm.report.vega import LINK, Spec, flat, mark, quantity, values

MOST_SHOWN: Final = 24
TITLES: Final = {"t0": "0", "24h": "24 h", "48h": "48 h", "72h": "72 h", "d7": "day 7"}


def spec(cohort: Cohort) -> Spec | None:
    """Return a panel a patient: the possible totals at each moment as a bar; small cohorts only."""
    found = by_person(cohort) if cohort.n <= MOST_SHOWN else {}
    rows = [
        {"person": person, "moment": TITLES[moment], "low": moments[moment]["sofa_low"], "high": moments[moment]["sofa_high"],
         "link": f"#{anchor('sofa', person)}"}
        for person, moments in found.items()
        for moment in MOMENTS
    ]  # fmt: skip
    if not rows:
        return None
    order = list(TITLES.values())
    x: Spec = {
        "field": "moment",
        "type": "ordinal",
        "sort": order,
        "title": None,
        "axis": {"labelAngle": 0, "ticks": False},
    }
    y = quantity("low", scale=flat(0, 24), title="SOFA, points", axis={"tickCount": 6})
    layers = [
        mark("bar", {"x": x, "y": y, "y2": {"field": "high"}} | LINK, color=theme.SKY, width=14),
        mark("tick", {"x": x, "y": y} | LINK, color=theme.BLUE, thickness=3, width=18),
    ]
    header = {"title": None}
    return {
        "data": values(rows),
        "facet": {"field": "person", "type": "nominal", "sort": list(found), "header": header},
        "columns": 5, "spacing": {"row": 18, "column": 16},
        "spec": {"width": 180, "height": 150, "layer": layers},
    }  # fmt: skip


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield SOFA by patient."""
    yield Chart(
        "sofa",
        f"SOFA at {cohort.clock_from('t0')} and its worst until then",
        "Bar: from the lowest to the highest possible total; line: the lowest. A high bar means that little was measured.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(93, charts)
