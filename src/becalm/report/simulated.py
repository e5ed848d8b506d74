"""The figures of a simulation: bands of concentration over the doses, and regimens beside each other.

Every figure says that it is no dosing recommendation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from becalm.core.frame import Frame
from becalm.pk import NOT_ADVICE, Simulation
from becalm.report import theme
from becalm.report.simulated_grid import grid_spec
from becalm.report.vega import Spec, flat, mark, quantity, values

_WIDTH: Final = 760
_HIGH: Final = 300
_LOW: Final = 90
_MARKS: Final = 24
_LEAST: Final = 1e-3
"""A logarithmic axis begins at this part of the highest value at least."""
_SIDE: Final[Spec] = {"minExtent": 48, "maxExtent": 48}


def figures(simulation: Simulation) -> Iterator[theme.Figure]:
    """Yield the drawn figures of a simulation: one for each regimen, and one of all where there are several."""
    for number, regimen in enumerate(simulation.regimens, 1):
        rows = _rows(simulation.concentration, regimen.name)
        title = f"{regimen.name}: {_clipped(regimen.text)}"
        spec = _one(simulation, regimen.name, title, rows)
        name = f"concentration_{number}_{_file_name(regimen.name)}"
        yield _drawn(name, title, spec)
    if len(simulation.regimens) > 1:
        title = f"{simulation.model.drug}: concentrations by regimen"
        yield _drawn("regimens", title, _compared(simulation, title))
    if len(simulation.grid):
        title = f"{simulation.model.drug}: {' and '.join(simulation.settings['across'])}".replace(
            "_", " "
        )
        yield _drawn("grid", title, grid_spec(simulation, title))


def _drawn(name: str, title: str, spec: Spec) -> theme.Figure:
    svg, pixels = theme.drawn(spec)
    return theme.Figure(name, title, NOT_ADVICE, svg, pixels)


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "regimen"


def _clipped(text: str, most: int = 100) -> str:
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _rows(frame: Frame, regimen: str) -> list[dict[str, Any]]:
    return [row for row in frame.rows() if row["regimen"] == regimen]


def _hours(simulation: Simulation) -> tuple[float, str, float]:
    """Return the length of the axis, its title, and hours by unit: days where it is long."""
    total = float(simulation.settings["hours"])
    return (total / 24, "Days", 24.0) if total > 96 else (total, "Hours", 1.0)


def _heading(title: str, *more: str) -> Spec:
    return {"text": title, "subtitle": [*more, NOT_ADVICE]}


def _extrapolated(simulation: Simulation) -> list[str]:
    """Return a line where the simulation goes beyond what the model was studied in."""
    if not any("extrapolated" in each for each in simulation.remarks):
        return []
    return [
        "Extrapolated beyond the patients in whom the model was studied: see remarks in manifest.json"
    ]


def _notes_of_all(simulation: Simulation) -> str:
    """Return what a reader of the comparison needs to know."""
    drawn = simulation.settings["patients"]
    whom = "The same virtual patients" if drawn else "The typical patient; no spread is given"
    dotted = "; thin dotted line: target" if simulation.settings["targets"] else ""
    return f"{whom}; logarithmic axis{dotted}"


def _one(simulation: Simulation, name: str, title: str, rows: list[dict[str, Any]]) -> Spec:
    """Return the band of one regimen above its doses."""
    end, unit, scale = _hours(simulation)
    bands = [{**row, "t": row["hours"] / scale} for row in rows]
    time = quantity("t", title=unit, scale=flat(0, end))
    above: Spec = {**time, "axis": {"labels": False, "title": None}}
    targets = simulation.settings["targets"]
    highest = "p95" if simulation.settings["patients"] else "typical"
    top = max([row[highest] for row in rows] + [row["typical"] for row in rows] + targets)
    level = {"title": "Concentration (mg/L)", "scale": flat(0, top * 1.05), "axis": _SIDE}
    layers = [
        mark("area", {"x": above, "y": quantity("p05", **level), "y2": {"field": "p95"}}, color=theme.SKY, opacity=0.45),
        mark("area", {"x": above, "y": quantity("p25", **level), "y2": {"field": "p75"}}, color=theme.SKY),
        mark("line", {"x": above, "y": quantity("p50", **level)}, color=theme.BLUE, strokeWidth=1.8),
        mark("line", {"x": above, "y": quantity("typical", **level)}, color=theme.BLACK, strokeDash=[4, 3], strokeWidth=1.2),
    ]  # fmt: skip
    drawn = simulation.settings["patients"]
    if not drawn:
        layers = layers[-1:]
    layers += [_target(target, level) for target in targets]
    legend = (
        "dashed: typical patient; no spread is given"
        if not drawn
        else (
            f"{drawn:,} virtual patients: median (line), half of them (dark), nine tenths (pale); "
            "dashed: typical patient"
        )
    )
    marks = "▼ dose at once or under the skin; orange: infusion" + "; dotted: target" * bool(
        targets
    )
    curves: Spec = {
        "width": _WIDTH,
        "height": _HIGH,
        "data": values(bands),
        "layer": layers,
        "title": _heading(title, simulation.model.title, *_extrapolated(simulation), legend, marks),
    }
    return {
        "vconcat": [curves, _given(simulation, name, bands, time, scale)],
        "resolve": {"scale": {"x": "shared"}},
    }


def _target(target: float, level: Spec) -> Spec:
    """Return a dotted line at a target of the user."""
    rule = mark("rule", {"y": quantity("target", **level)}, color=theme.GREY, strokeDash=[2, 2])
    return {**rule, "data": values([{"target": target}])}


def _given(
    simulation: Simulation, name: str, bands: list[dict[str, Any]], time: Spec, scale: float
) -> Spec:
    """Return the doses: the infusion rate as steps, single doses as marks with their amount."""
    doses = [
        {"t": row["hours"] / scale, "amount": row["amount"], "unit": row["unit"]}
        for row in _rows(simulation.doses, name)
        if row["what"] != "rate" and row["what"] != "IV infusion"
    ]
    highest = max([row["rate_mg_h"] for row in bands], default=0.0)
    axis: Spec = {"title": "Rate (mg/h)", "axis": _SIDE | {"tickCount": 3}}
    if not highest:
        axis = {"title": None, "axis": _SIDE | {"labels": False, "ticks": False, "grid": False}}
    axis["scale"] = flat(0, highest * 1.1 or 1)
    layers = [
        mark(
            "area", {"x": time, "y": quantity("rate_mg_h", **axis)},
            interpolate="step-after", color=theme.ORANGE, opacity=0.7,
        )
    ]  # fmt: skip
    if doses:
        ticks = mark("point", {"x": time, "y": {"value": 8}}, shape="triangle-down", size=45, filled=True, color=theme.BLACK)  # fmt: skip
        layers.append({**ticks, "data": values(doses)})
    return {
        "width": _WIDTH,
        "height": _LOW if highest else _MARKS,
        "data": values(bands),
        "layer": layers,
    }


def _compared(simulation: Simulation, title: str) -> Spec:
    """Return the median of every regimen on a logarithmic axis; of the typical patient where there are no others."""
    drawn = simulation.settings["patients"]
    middle = "p50" if drawn else "typical"
    end, unit, scale = _hours(simulation)
    rows = [
        {"t": row["hours"] / scale, "level": row[middle], "regimen": row["regimen"]}
        for row in simulation.concentration.rows()
    ]
    top = max([row["level"] for row in rows] + simulation.settings["targets"])
    low = top * _LEAST
    rows = [row for row in rows if row["level"] >= low]
    level = {
        "title": f"{'Median concentration' if drawn else 'Concentration, typical patient'} (mg/L)",
        "scale": {"type": "log", "domain": [min([row["level"] for row in rows]), top * 1.2], "nice": False},
        "axis": _SIDE | {"tickCount": 5, "format": "~g"},
    }  # fmt: skip
    time = quantity("t", title=unit, scale=flat(0, end))
    names = [each.name for each in simulation.regimens]
    colour = {
        "field": "regimen", "type": "nominal", "title": None,
        "scale": {"domain": names, "range": [theme.OKABE_ITO[n % len(theme.OKABE_ITO)] for n in range(len(names))]},
        "legend": {"orient": "bottom"},
    }  # fmt: skip
    dash = {"field": "regimen", "type": "nominal", "legend": None, "scale": {"domain": names}}
    line = mark(
        "line",
        {"x": time, "y": quantity("level", **level), "color": colour, "strokeDash": dash},
        strokeWidth=1.8,
    )
    return {
        "width": _WIDTH,
        "height": _HIGH,
        "data": values(rows),
        "layer": [
            line,
            *(_target(target, level) for target in simulation.settings["targets"]),
        ],
        "title": _heading(title, *_extrapolated(simulation), _notes_of_all(simulation)),
    }
