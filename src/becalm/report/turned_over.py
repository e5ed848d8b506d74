"""The figure of the marker chain: bands of markers as multiples of the value before the drug, above what production leaves."""

from __future__ import annotations

from typing import Final

from becalm import vocabulary
from becalm.pk import NOT_ADVICE, MarkerCourses
from becalm.report import theme
from becalm.report.vega import Spec, flat, mark, quantity, values

NO_FORECAST: Final = (
    "A chain of assumptions, not a forecast: nothing of it was measured in patients with macrophage activation. "
    "No benefit of one dose over another follows from it."
)
_WIDTH: Final = 330
_HIGH: Final = 190
_SHORT: Final = 96.0


def figure(found: MarkerCourses) -> theme.Figure:
    """Return the drawn figure."""
    title = f"{found.model.drug}: markers, were the chain as it is assumed"
    svg, pixels = theme.drawn(spec(found, title))
    return theme.Figure("markers", title, NOT_ADVICE, svg, pixels)


def spec(found: MarkerCourses, title: str) -> Spec:
    """Return one panel for each marker."""
    words = vocabulary.load()
    scale, unit = (24.0, "Days") if found.settings["hours"] > _SHORT else (1.0, "Hours")
    rows = [{**row, "t": row["hours"] / scale} for row in found.frame.rows()]
    time = quantity("t", title=unit, scale=flat(0, found.settings["hours"] / scale))
    high = {"title": "multiple of the value before", "scale": flat(0, 1.05)}
    bands = [
        mark("area", {"x": time, "y": quantity("p05", **high), "y2": {"field": "p95"}}, color=theme.SKY, opacity=0.45),
        mark("area", {"x": time, "y": quantity("p25", **high), "y2": {"field": "p75"}}, color=theme.SKY),
        mark("line", {"x": time, "y": quantity("p50", **high)}, color=theme.BLUE, strokeWidth=1.8),
    ]  # fmt: skip
    lines = [
        mark("line", {"x": time, "y": quantity("typical", **high)}, color=theme.BLACK, strokeDash=[4, 3], strokeWidth=1.2),
        mark("line", {"x": time, "y": quantity("floor", **high)}, color=theme.ORANGE, strokeWidth=1.4),
    ]  # fmt: skip
    layers = [*(bands if found.settings["patients"] else []), *lines]
    panels = [
        {
            "width": _WIDTH,
            "height": _HIGH,
            "title": {"text": words.variable(name).title, "anchor": "start", "fontSize": 12},
            "data": values([row for row in rows if row["marker"] == name]),
            "layer": layers,
        }
        for name in dict.fromkeys(row["marker"] for row in rows)
    ]
    cut = NO_FORECAST.find(". ") + 1
    return {
        "concat": panels,
        "columns": 2,
        "title": {
            "text": title,
            "subtitle": [
                f"{found.model.title}; {found.regimen.text}",
                "median (line), half of the virtual patients (dark), nine tenths (pale); dashed: typical values; orange: production stopped",
                NO_FORECAST[:cut],
                f"{NO_FORECAST[cut + 1 :]} {NOT_ADVICE}",
            ],
        },
    }
