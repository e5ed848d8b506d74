"""The figure of a simulation for kidneys and weights side by side."""

from __future__ import annotations

from typing import Any, Final

from becalm.pk import NOT_ADVICE, Simulation
from becalm.report import theme
from becalm.report.vega import Spec, category, mark, quantity, values

_HIGH: Final = 170
_WIDE: Final = 760
_MEASURES: Final = {
    "average": "Average (mg/L)",
    "trough_last_day": "Lowest, last day (mg/L)",
    "hours_below": "Time below (h)",
}
_LEAST: Final = 1e-4


def grid_spec(simulation: Simulation, title: str) -> Spec:
    """Return, for each measure, a row of panels: a panel for each alternative of the second covariate."""
    rows = list(simulation.grid.rows())
    there = list(dict.fromkeys((row["measure"], row["target"] if row["target"] == row["target"] else None) for row in rows))  # fmt: skip
    asked = [each for each in there if each[0] in _MEASURES]
    drawn = simulation.settings["patients"]
    said = (
        "dot: median; line: nine tenths of the virtual patients"
        if drawn
        else "the typical patient; no spread is given"
    )
    extrapolated = any("extrapolated" in each for each in simulation.remarks)
    subtitle = [simulation.model.title, f"{said}, the same in every panel", NOT_ADVICE]
    subtitle[1:1] = [
        f"{label}: {name.replace('_', ' ')} {value}"
        for name, each in simulation.settings["across"].items()
        for label, value in each.items()
        if label != value
    ]
    if extrapolated:
        subtitle.insert(1, "Extrapolated beyond the patients in whom the model was studied: see remarks in manifest.json")  # fmt: skip
    return {
        "vconcat": [_panels(simulation, rows, *each) for each in asked],
        "title": {"text": title, "subtitle": subtitle},
        "resolve": {"scale": {"color": "shared"}},
    }


def _panels(
    simulation: Simulation, rows: list[dict[str, Any]], measure: str, target: float | None
) -> Spec:
    middle = "p50" if simulation.settings["patients"] else "typical"
    mine = [
        row
        for row in rows
        if row["measure"] == measure and (target is None or row["target"] == target)
    ]
    first, second = mine[0]["row_covariate"], mine[0]["column_covariate"]
    across = simulation.settings["across"]
    is_time = measure == "hours_below"
    top = max(row["p95"] if row["p95"] == row["p95"] else row[middle] for row in mine)
    least = 0.0 if is_time else top * _LEAST
    points = [
        {"row": row["row"], "column": row["column"], "regimen": row["regimen"], "level": row[middle],
         "low": max(row["p05"], least) if row["p05"] == row["p05"] else row[middle],
         "high": row["p95"] if row["p95"] == row["p95"] else row[middle]}
        for row in mine
        if row[middle] >= least
    ]  # fmt: skip
    names = [each.name for each in simulation.regimens]
    heading = f"Time below {target:g} mg/L (h)" if target is not None else _MEASURES[measure]
    scale: Spec = {"domain": [0, simulation.settings["hours"]], "nice": False} if is_time else {"type": "log", "nice": False}  # fmt: skip
    axis = {
        "title": heading,
        "scale": scale,
        "axis": {"tickCount": 5, "format": "d" if is_time else "~g"},
    }
    unit = simulation.model.covariates[first].unit
    named = f"{first.replace('_', ' ')}{'' if unit == '1' else f' ({unit})'}"
    x = category("row", sort=list(across[first]), title=named, axis={"labelAngle": -35, "labelLimit": 110})  # fmt: skip
    offset = {"field": "regimen", "type": "nominal", "sort": names}
    colour = {
        "field": "regimen", "type": "nominal", "title": None, "legend": {"orient": "bottom"},
        "scale": {"domain": names, "range": [theme.OKABE_ITO[n % len(theme.OKABE_ITO)] for n in range(len(names))]},
    }  # fmt: skip
    shape = {
        "field": "regimen",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names},
        "legend": {"orient": "bottom"},
    }
    place = {"x": x, "xOffset": offset, "color": colour}
    layers = [
        mark("rule", {**place, "y": quantity("low", **axis), "y2": {"field": "high"}}, strokeWidth=1.6),
        mark("point", {**place, "y": quantity("level", **axis), "shape": shape}, size=34, filled=True, opacity=1.0),
    ]  # fmt: skip
    columns = list(across[second]) if second else [""]
    panel: Spec = {"width": _WIDE // len(columns), "height": _HIGH, "layer": layers}
    if not second:
        return {"data": values(points), **panel}
    of = simulation.model.covariates[second].unit
    title = f"{second.replace('_', ' ')}{'' if of == '1' else f' ({of})'}"
    facet = {"column": {"field": "column", "type": "nominal", "sort": columns, "title": title}}
    return {"data": values(points), "facet": facet, "spec": panel}
