"""Which item of which definition each patient met, and which nobody looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.core.digits import fixed
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row, tally
from becalm.report.figures import crowd
from becalm.report.text import interval
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values
from becalm.study.result import PER_PERSON


def spec(cohort: Cohort, criterion: str) -> Spec | None:
    """Return one definition's figure: patients by items, and their totals against the cut-off."""
    totals = [row for row in cohort.criteria if row["criterion"] == criterion]
    items = cohort.items_by(criterion)
    if not totals:
        return None
    if cohort.n > PER_PERSON:
        return crowd.items_met(cohort, criterion, totals, tally(items, "item", "state"))
    people = [person for person in cohort.ids if any(r["person_id"] == person for r in totals)]
    step = 21 if len(people) <= 12 else max(3.0, min(15.0, 1000 / len(people)))
    matrix = _matrix(cohort, list(items.light_rows()), people, step)
    totalled = _totals(cohort, criterion, totals, people, step)
    return {"hconcat": [matrix, totalled], "spacing": 18}


def _text(row: Row) -> str:
    """Return an item's points, in a yes-or-no definition nothing but a question mark."""
    low, high = row["points_low"], row["points_high"]
    if row["state"] == "not assessed":
        return f"0–{fixed(high)} ?" if high > 1 else "?"
    if math.isnan(low):
        return ""
    return interval(low, high) + ("*" if row["modified_by"] else "")


def _matrix(cohort: Cohort, items: list[Row], people: list[str], step: float) -> Spec:
    names = list(dict.fromkeys(row["item"] for row in items))
    cells = [
        {"person": row["person_id"], "item": labels.heading(cohort.item_label(row["criterion"], row["item"])), "state": row["state"],
         "text": _text(row), "link": cohort.link("items", row["criterion"], row["person_id"])}
        for row in items
    ]  # fmt: skip
    x = category("item", sort=[labels.heading(cohort.item_label(items[0]["criterion"], name)) for name in names], title=None,
                 axis={"orient": "top", "labelAngle": -35, "domain": False, "ticks": False,
                       "labelLimit": 170, "labelAlign": "left"})  # fmt: skip
    y = category("person", sort=people, scale={"domain": people}, title=None,
                 axis={"domain": False, "ticks": False, "labels": step > 9})  # fmt: skip
    fill = {
        "condition": [
            {"test": "datum.state === 'met'", "value": theme.BLUE},
            {"test": "datum.state === 'not met'", "value": "#e3e8ec"},
        ],
        "value": theme.WHITE,
    }
    ink = {
        "condition": {"test": "datum.state === 'met'", "value": theme.WHITE},
        "value": theme.BLACK,
    }
    at = {"x": x, "y": y} | LINK
    layers = [
        mark("rect", at | {"color": fill}, stroke="#9aa3ab", strokeWidth=0.8 if step > 9 else 0.2),
        mark("rule", {"x": x | {"bandPosition": 0}, "x2": {"field": "item", "bandPosition": 1},
                      "y": y | {"bandPosition": 1}, "y2": {"field": "person", "bandPosition": 0}},
             where="datum.state === 'not assessed'", color="#c3c9cf", strokeWidth=0.9),
    ]  # fmt: skip
    if step > 9:
        layers.append(mark("text", at | {"text": {"field": "text"}, "color": ink}, fontSize=10))
    width = min(62.0, 620 / max(1, len(names)))
    return {
        "data": values(cells),
        "width": {"step": width},
        "height": {"step": step},
        "layer": layers,
    }


def _totals(
    cohort: Cohort, criterion: str, totals: list[Row], people: list[str], step: float
) -> Spec:
    cut = cohort.cutoff(criterion)
    rows = [
        {"person": row["person_id"], "low": row["low"], "high": row["high"], "status": row["status"],
         "text": f"{interval(row['low'], row['high'])}, {row['status']}",
         "link": cohort.link("total", criterion, row["person_id"])}
        for row in totals
    ]  # fmt: skip
    ends = [row[end] for row in rows for end in ("low", "high") if math.isfinite(row[end])]
    top = max([1.0, *ends, *([cut] if math.isfinite(cut) else [])]) * 1.05
    x = quantity("low", scale=flat(0, top), title=f"{cohort.definition_label(criterion)}: lowest to highest possible total",
                 axis={"tickCount": 5 if top > 5 else max(1, int(top))})  # fmt: skip
    y = category("person", sort=people, scale={"domain": people}, title=None, axis=None)
    at = {"y": y} | LINK
    end = x | {"field": "high"}
    dark = {"condition": {"test": "datum.status === 'met'", "value": theme.BLUE},
            "value": theme.GREY}  # fmt: skip
    thick = max(1.5, min(5.0, step / 3))
    layers = [
        mark("rule", at | {"x": x, "x2": {"field": "high"}, "color": dark}, strokeWidth=thick),
        mark("point", at | {"x": x, "color": dark}, filled=True, opacity=1, size=12 * thick),
        mark("point", at | {"x": end, "color": dark}, filled=True, opacity=1, size=12 * thick),
    ]
    if step > 9:
        beside = at | {"text": {"field": "text"}, "x": {"value": 272}}
        layers.append(mark("text", beside, align="left", fontSize=10.5))
    if math.isfinite(cut):
        rule = mark("rule", {"x": {"datum": cut, "type": "quantitative"}}, color=theme.VERMILION,
                    strokeDash=[4, 3], strokeWidth=1.3)  # fmt: skip
        layers.append({**rule, "data": values([{}])})
        named = {"x": {"datum": cut, "type": "quantitative"}, "y": {"value": -6},
                 "text": {"value": f"cut-off {cut:g}"}}  # fmt: skip
        layers.append({**mark("text", named, fontSize=10, color=theme.VERMILION),
                       "data": values([{}])})  # fmt: skip
    return {"data": values(rows), "width": 260, "height": {"step": step}, "layer": layers}


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield a chart for each definition that the protocol reports."""
    for number, name in enumerate(cohort.result.protocol.definitions.report):
        caption = (
            f"{cohort.moment_text.capitalize()}. Left, each item with its points: blue: met; grey: not "
            "met; white, crossed: not assessed, with the points it could give. * A treatment could have "
            "changed the value. Right: lowest and highest possible total, because of items not "
            "assessed; dashed red line: cut-off."
        )
        yield Chart(
            f"criteria_{name}",
            f"{cohort.result.definitions[name].title}: items met, not met and not assessed",
            crowd.CRITERIA
            if cohort.n > PER_PERSON
            else "Colours and signs as in the figure before."
            if number
            else caption,
            spec(cohort, name),
        )


CHARTS: Final = DeclaredCharts(0, charts)
