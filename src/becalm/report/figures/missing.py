"""What was measured on which day, and what was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from becalm.core.columns import Categorical
from becalm.core.digits import percentage
from becalm.core.frame import Frame
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import ROW_EACH, Cohort, Row, tally
from becalm.report.vega import LINK, Spec, category, mark, quantity, values


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None when the study counted nothing."""
    table = cohort.keep(cohort.result.frames["missing"])
    if not len(table):
        return None
    if cohort.n <= ROW_EACH:
        return _each(cohort, list(table.light_rows()))
    return _all(cohort, table)


def _axes(
    names: Iterable[str], days: Iterable[int], step: float, *, labelled: bool
) -> dict[str, Spec]:
    shown = [labels.heading(labels.variable(name)) for name in dict.fromkeys(names)]
    days = sorted(set(days))
    ticks = [day for day in days if day % 7 == 0 or step >= 14]
    return {
        "x": {"field": "day", "type": "ordinal", "title": "day", "scale": {"domain": days},
              "axis": {"values": ticks, "labelAngle": 0, "domain": False, "ticks": False}},
        "y": category("name", sort=shown, scale={"domain": shown}, title=None,
                      axis={"domain": False, "ticks": False, "labels": labelled}),
    }  # fmt: skip


def _each(cohort: Cohort, rows: list[Row]) -> Spec:
    """Return a patient a panel: the darker, the more values; a dot where there was none."""
    days, names = [row["day"] for row in rows], [row["variable"] for row in rows]
    width = (theme.WIDTH - 130 - 16 * cohort.n) / cohort.n / max(1, len(set(days)))
    width = min(22.0, width)
    panels = []
    for i, person in enumerate(cohort.ids):
        mine = [
            {"day": r["day"], "name": labels.heading(labels.variable(r["variable"])), "n": r["n"],
             "link": cohort.link("counted", r["variable"])}
            for r in rows
            if r["person_id"] == person
        ]  # fmt: skip
        at = _axes(names, days, width, labelled=i == 0)
        colour = quantity("n", legend=None, scale={
            "type": "threshold", "domain": [1, 2, 4],
            "range": [theme.WHITE, theme.SKY, "#3d8fc4", "#00456e"]})  # fmt: skip
        panels.append(
            {
                "title": {"text": person, "frame": "group", "anchor": "middle"},
                "data": values(mine), "width": {"step": width}, "height": {"step": 15},
                "layer": [
                    mark("rect", at | LINK | {"color": colour}, stroke="#dfe4e8", strokeWidth=0.6),
                    mark("point", at, where="datum.n <= 0", filled=True, size=4, opacity=1,
                         color="#9aa3ab"),
                ],
            }
        )  # fmt: skip
    return {"concat": panels, "columns": 5, "spacing": {"row": 16, "column": 14}}


def _all(cohort: Cohort, table: Frame) -> Spec:
    """Return one panel: the share of patients with at least one value, of those counted that day."""
    days = table["day"]
    texts = table.replace(day=Categorical.by(days, map(str, range(int(days.max()) + 1))))
    asked, had = (tally(each, "variable", "day") for each in (texts, texts.take(table["n"] > 0)))
    cells = [
        {"name": labels.heading(labels.variable(name)), "day": int(day), "share": had[name, day] / n,
         "text": percentage(had[name, day] / n), "link": cohort.link("counted", name)}
        for (name, day), n in asked.items()
    ]  # fmt: skip
    at = _axes((name for name, _ in asked), np.unique(days).tolist(), 40, labelled=True) | LINK
    colour = quantity(
        "share",
        legend=None,
        scale={"domain": [0, 1], "interpolate": "rgb", "range": [theme.WHITE, "#00456e"]},
    )
    ink = {"condition": {"test": "datum.share > 0.5", "value": theme.WHITE}, "value": theme.BLACK}
    return {
        "data": values(cells), "width": {"step": 40}, "height": {"step": 19},
        "layer": [
            mark("rect", at | {"color": colour}, stroke="#dfe4e8", strokeWidth=0.6),
            mark("text", at | {"text": {"field": "text"}, "color": ink}, fontSize=10),
        ],
    }  # fmt: skip


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield what was measured, day by day."""
    zero = f"{cohort.zero} (t0)" if cohort.drug else cohort.zero
    yield Chart(
        "missing",
        "What was measured, day by day",
        f"Day 0: the 24 h before {zero}; day 1: the first 24 h after. "
        + (
            "Colours, from light to dark: 1, 2–3, 4 or more values. Dot: no value. Blank: no longer followed."
            if cohort.n <= ROW_EACH
            else "Number: percentage of the patients still followed who have at least one value."
        ),
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(100, charts)
