"""Ferritin against its baseline, patient by patient, at 48 hours and day 7, on each clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row
from becalm.report.figures import crowd
from becalm.report.text import change, horizon_text, signs
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values
from becalm.study.result import PER_PERSON

HORIZONS: Final = ("h48", "d7")
DAY: Final = 24
TICKS: Final = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 20, 50, 100)


def _variable(cohort: Cohort) -> str:
    """Return the first primary variable of the protocol."""
    return cohort.result.protocol.response.primary[0]


def bound(baseline: str, later: str) -> str:
    """Return how a ratio is bounded when its parts are: `<` at most, `>` at least, `?` unknown."""
    low, high = baseline in {"", "<"}, baseline in {"", ">"}
    if not baseline and not later:
        return ""
    if later in {"", "<"} and high:
        return "<"
    if later in {"", ">"} and low:
        return ">"
    return "?"


def bars(cohort: Cohort, clock: str, horizon: str) -> list[Row]:
    """Return each patient's ratio to baseline and whether it is exact or a bound."""
    rows = []
    for row in cohort.response:
        if row["variable"] != _variable(cohort) or row["clock"] != clock:
            continue
        ratio = row[horizon] / row["baseline"] if row["baseline"] > 0 else math.nan
        marks = signs(row["censored"])
        kind = bound(marks.get("baseline", ""), marks.get(horizon, ""))
        known = math.isfinite(ratio) and ratio > 0 and kind != "?"
        rows.append(
            {
                "person": row["person_id"], "ratio": ratio if known else None, "one": 1,
                "kind": kind if known else "none", "fell": known and ratio < 1 and kind != ">",
                "text": _text(ratio, kind) if known else _why(cohort, row, horizon, kind),
                "link": cohort.link("change", clock, row["person_id"], row["variable"]),
            }
        )  # fmt: skip
    return sorted(rows, key=lambda r: (-(r["ratio"] or -math.inf), r["person"]))


def _text(ratio: float, kind: str) -> str:
    percent = f"{change(ratio)} %"
    return {"": "", "<": "≤ ", ">": "≥ "}[kind] + percent


def _why(cohort: Cohort, row: Row, horizon: str, kind: str) -> str:
    """Return why there is no bar."""
    if kind == "?":
        return "limits only"
    if horizon == "h48" and row["status"] in {"died before", "discharged before"}:
        return str(row["status"])
    if math.isnan(row["baseline"]):
        return "no baseline"
    return _gone(cohort, row, horizon) or "no sample"


def _gone(cohort: Cohort, row: Row, horizon: str) -> str:
    """Return `died before` or `discharged before` where that was before the horizon, else ''."""
    end = next(each.at for name, each in cohort.result.protocol.horizons.items() if name == horizon)
    outcome = cohort.outcome.get(row["person_id"])
    if outcome is None:
        return ""
    since = {
        name: cohort.hours(row["person_id"], outcome[name], row["clock"])
        for name in ("death_time", "discharged")
    }
    over = since["death_time"] + (DAY if outcome["death_time_is"] == "date" else 0)
    if outcome["died"] is True and over < end:
        return "died before"
    return "discharged before" if since["discharged"] < end else ""


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None when no change can be computed."""
    panels = {
        (clock, horizon): bars(cohort, clock, horizon)
        for clock in cohort.clocks
        for horizon in HORIZONS
    }
    ratios = [row["ratio"] for rows in panels.values() for row in rows if row["ratio"]]
    if not ratios:
        return None
    if cohort.n > PER_PERSON:
        return crowd.counts_by_change([(_title(cohort, clock, horizon), rows)
                              for (clock, horizon), rows in panels.items() if rows])  # fmt: skip
    low, high = min([0.5, *ratios]) / 1.5, max([2.0, *ratios]) * 1.5
    clocks = [clock for clock in cohort.clocks if any(panels[clock, h] for h in HORIZONS)]
    grid = [
        _panel(
            cohort, clock, horizon, panels[clock, horizon], limits=(low, high), clocks=len(clocks)
        )
        for horizon in HORIZONS
        for clock in clocks
    ]
    spacing = {"row": 26, "column": 30}
    return {"concat": grid, "columns": max(2, len(clocks)), "spacing": spacing}


def _panel(
    cohort: Cohort,
    clock: str,
    horizon: str,
    rows: list[Row],
    *,
    limits: tuple[float, float],
    clocks: int,
) -> Spec:
    low, high = limits
    many = cohort.n > 12
    width = min((theme.WIDTH - 40) / max(2, clocks) - 95, 54 * max(4, len(rows)))
    x = category("person", sort=[row["person"] for row in rows], title=None,
                 axis={"labelAngle": -90 if cohort.n > 6 else 0, "domain": False, "ticks": False,
                       "labels": cohort.n <= 60, "labelFontSize": 9 if many else 10.5})  # fmt: skip
    ticks = [t for t in TICKS if low <= t <= high]
    shown = "datum.value === 1 ? '0' : (datum.value < 1 ? '−' : '+') + format(abs(datum.value * 100 - 100), ',.0f') + ' %'"
    y = quantity("ratio", scale=flat(low, high, type="log"), title="change from baseline (log scale)",
                 axis={"values": ticks, "labelExpr": shown, "domain": False, "ticks": False})  # fmt: skip
    colour = {
        "condition": {"test": "datum.fell", "value": theme.BLUE},
        "value": theme.ORANGE,
    }
    bar = {"x": x, "y": y, "y2": {"field": "one"}, "color": colour} | LINK
    label = {"x": x, "y": y, "text": {"field": "text"}} | LINK
    none = LINK | {"x": x, "y": {"datum": 1, "type": "quantitative", "scale": y["scale"]},
            "text": {"field": "text"}}  # fmt: skip
    arrow: Spec = {"shape": "arrow", "size": 170, "filled": True, "color": theme.VERMILION}
    layers = [
        mark("bar", bar, where="isValid(datum.ratio)", width={"band": 0.62}),
        mark("point", {"x": x, "y": y} | LINK, where="datum.kind === '<'", angle=180, yOffset=8,
             opacity=1, **arrow),
        mark("point", {"x": x, "y": y} | LINK, where="datum.kind === '>'", yOffset=-8, opacity=1, **arrow),
        {**mark("rule", {"y": {"datum": 1, "type": "quantitative", "scale": y["scale"]}},
                color=theme.BLACK), "data": values([{}])},
    ]  # fmt: skip
    if not many:
        edge: Spec = {"fontSize": 10, "align": "center"}
        layers += [
            mark("text", label, where="isValid(datum.ratio) && datum.ratio < 1", baseline="top",
                 dy={"expr": "datum.kind === '<' ? 20 : 4"}, **edge),
            mark("text", label, where="isValid(datum.ratio) && datum.ratio >= 1",
                 baseline="bottom", dy={"expr": "datum.kind === '>' ? -20 : -4"}, **edge),
            mark("text", none, where="!isValid(datum.ratio)", angle=270, align="left", dx=5,
                 fontSize=10, color=theme.GREY),
        ]  # fmt: skip
    return {
        "title": {"text": _title(cohort, clock, horizon), "frame": "group"},
        "data": values(rows), "width": width, "height": 190, "layer": layers,
    }  # fmt: skip


def _title(cohort: Cohort, clock: str, horizon: str) -> str:
    return f"{labels.heading(horizon_text(horizon))} after {cohort.clock_name(clock)}"


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the change of ferritin from baseline."""
    what = labels.heading(labels.variable(_variable(cohort)))
    response = cohort.claim == "response"
    caption = (
        crowd.CHANGES_BY_COUNT
        if cohort.n > PER_PERSON
        else "Value nearest to each horizon against the last value before the clock. Blue: fell; orange: did "
        "not fall. Arrow: the laboratory reported only a limit, and the true change lies beyond it. Without a bar: why there is none."
    )
    yield Chart(
        "waterfall",
        f"{what}{' response' if response else ''}: change from baseline",
        caption + ("" if response else " This describes change; it claims no effect of any drug."),
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(80, charts)
