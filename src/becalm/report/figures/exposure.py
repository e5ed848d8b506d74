"""The concentration that a model gives, under the curve of the marker and above the dose, on one axis of time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from becalm.pk import NOT_ADVICE, PkModel
from becalm.protocol import Pharmacology
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row
from becalm.report.figures import course, crowd
from becalm.report.vega import Spec, flat, mark, quantity, values
from becalm.study.result import PER_PERSON

DECADES: Final = 3.5
"""Powers of ten below the highest concentration that the axis shows."""
BIN: Final = 0.5
"""Days in which the lines of many patients are counted together."""
FEWEST: Final = 5
SEVERAL: Final = 30
"""Of more patients every second moment is drawn."""
LINES: Final = ("typical", "p50", "least_cleared", "most_cleared")
NOT_GIVEN: Final = ("not given", "ordered")
BAND: Final = ("p05", "p25", "p75", "p95")
STATES: Final = {"too old": theme.GREY, "later": theme.GREY, "renal replacement": theme.ORANGE}


def curves(cohort: Cohort, drug: str) -> list[dict[str, Any]]:
    """Return the drawn moments of every patient, in days from time zero."""
    low, high = course.window(cohort, "t0")
    rows, persons = [], set(cohort.described)
    for row in cohort.rows("exposure_over_time"):
        if row["drug"] != drug or row["person_id"] not in persons:
            continue
        day = cohort.hours(row["person_id"], row["at_time"]) / 24
        if not low <= day <= high:
            continue
        known = {name: _number(row[name]) for name in ("typical", "p05", "p25", "p50", "p75", "p95", "least_cleared", "most_cleared")}  # fmt: skip
        rows.append(
            {"person": row["person_id"], "day": round(day, 4), "rate": row["infused_mg_h"], "state": row["clearance_state"], **known}
        )  # fmt: skip
    return rows


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def spec(cohort: Cohort, asked: Pharmacology) -> Spec | None:
    """Return the figure; None where nothing could be calculated."""
    model = cohort.result.models[asked.model]
    rows = curves(cohort, model.drug)
    if not any(row["typical"] for row in rows):
        return None
    if len(cohort.described) > course.EACH:
        return _many(cohort, model, rows)
    return _each(cohort, asked, model, rows)


def _axis_y(
    rows: list[dict[str, Any]], target: float | None, *, beside: bool
) -> tuple[Spec, float]:
    """Return the axis of concentrations, logarithmic, and its lower end."""
    top = max(
        value
        for row in rows
        for name in ("p95", "typical", "least_cleared")
        if (value := row[name]) is not None
    )
    top = max(top, target or 0.0) * 1.5
    low = top / 10**DECADES
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(top)) + 1)
    axis = (
        course.PLAIN
        | (course.SIDE if beside else {})
        | {"values": [10.0**n for n in powers], "format": "~g", "grid": True}
    )
    return {"scale": flat(low, top, type="log"), "axis": axis}, low


def _each(cohort: Cohort, asked: Pharmacology, model: PkModel, rows: list[dict[str, Any]]) -> Spec:
    """Return a column a patient: the marker, the concentration, the dose."""
    persons = cohort.described
    width = min(300.0, (theme.WIDTH - 130 - 14 * len(persons)) / len(persons))
    low, high = course.window(cohort, "t0")
    everybody: list[Row] = [{"person": person, "day": 0.0, "kind": "this"} for person in persons]
    marker = cohort.result.protocol.response.variables[0]
    drawn = [row for row in course.points(cohort, "t0") if row["variable"] == marker]
    grid = []
    if drawn:
        grid.append(
            course.columns(
                course.marker_layers(cohort, "t0", marker, drawn),
                drawn + everybody,
                width,
                84,
                named=True,
            )
        )
    y, least = _axis_y(rows, asked.target_mg_l, beside=True)
    given = [*_clipped(rows, least), *_targets(asked, persons, low, high), *_states(rows)]
    title = [labels.heading(labels.drug(model.drug)), "by a model, mg/L"]
    layers = _layers(course.x_axis_bare(cohort, "t0"), y | {"title": title}, least)
    grid.append(course.columns(layers, [*given, *everybody], width, 130, named=not drawn))
    doses = _given(cohort, model.drug, low, high)
    grid.append(
        course.columns(
            _doses(cohort, model.drug, doses), [*doses, *everybody], width, 52, named=False
        )
    )
    return {"vconcat": grid, "spacing": 8}


def _clipped(rows: list[dict[str, Any]], least: float) -> list[Row]:
    """Return the rows with nothing below the lower end of the axis, which a logarithm cannot show.

    A band is cut there; a line ends.
    """

    def cut(row: dict[str, Any], name: str) -> float | None:
        value = row[name]
        if value is None or (value < least and name in LINES):
            return None
        return max(float(value), least)

    shown: list[Row] = []
    for row in rows:
        kept: dict[str, Any] = {"person": row["person"], "day": row["day"], "kind": "curve"}
        if (row["p95"] or row["typical"] or 0) >= least:
            kept |= {name: cut(row, name) for name in (*LINES, *BAND)}
        shown.append(kept)
    return shown


def _layers(x: Spec, y: Spec, least: float) -> list[Spec]:
    """Return the band, the median, the typical patient, the ends of what is assumed, the target and the kidney."""
    curve = "datum.kind === 'curve'"
    at = {"x": x, "y": {**y, "field": "p50", "type": "quantitative"}}

    def line(name: str, where: str = curve, **style: Any) -> Spec:
        return mark("line", {"x": x, "y": quantity(name, **y)}, where=where, **style)

    def area(low: str, high: str, **style: Any) -> Spec:
        return mark(
            "area",
            {"x": x, "y": quantity(low, **y), "y2": {"field": high}},
            where=f"{curve} && isValid(datum.p05)",
            **style,
        )

    return [
        mark("rule", {"x": x}, where="datum.kind === 'this'", color=theme.GREY, strokeWidth=1),
        area("p05", "p95", color=theme.SKY, opacity=0.5),
        area("p25", "p75", color=theme.SKY),
        line("least_cleared", f"{curve} && isValid(datum.least_cleared)", color=theme.VERMILION, strokeWidth=0.9, strokeDash=[2, 2]),
        line("most_cleared", f"{curve} && isValid(datum.most_cleared)", color=theme.VERMILION, strokeWidth=0.9, strokeDash=[2, 2]),
        line("typical", color=theme.BLACK, strokeWidth=1.3),
        mark("rule", {"x": x, "x2": {"field": "end"}, "y": {**at["y"], "field": "target"}}, where="datum.kind === 'target'",
             color=theme.GREEN, strokeDash=[1, 2], strokeWidth=1.2),
        mark("rect", {"x": x, "x2": {"field": "end"}, "y": {"datum": least, "type": "quantitative", **y},
                      "y2": {"datum": least * 1.35},
                      "color": {"field": "state", "type": "nominal", "legend": None,
                                "scale": {"domain": list(STATES), "range": list(STATES.values())}}},
             where="datum.kind === 'state'", opacity=1),
    ]  # fmt: skip


def _targets(asked: Pharmacology, persons: list[str], low: float, high: float) -> list[Row]:
    if asked.target_mg_l is None:
        return []
    return [
        {"person": person, "day": low, "end": high, "target": asked.target_mg_l, "kind": "target"}
        for person in persons
    ]


def _states(rows: list[dict[str, Any]]) -> list[Row]:
    """Return the stretches in which clearance was not measured; neighbours of one state are one."""
    found: list[dict[str, Any]] = []
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        if row["state"] not in STATES or after is None or after["person"] != row["person"]:
            continue
        last = found[-1] if found else None
        if last and (last["person"], last["state"], last["end"]) == (
            row["person"],
            row["state"],
            row["day"],
        ):
            last["end"] = after["day"]
        else:
            found.append(
                {
                    "person": row["person"],
                    "day": row["day"],
                    "end": after["day"],
                    "state": row["state"],
                    "kind": "state",
                }
            )
    return list(found)


def _given(cohort: Cohort, drug: str, low: float, high: float) -> list[Row]:
    """Return what was given, whether a concentration could be calculated or not: rates as boxes, single doses."""
    if drug == cohort.drug:
        return course.doses(cohort, "t0")
    rows: list[Row] = []
    for row in cohort.rows("doses"):
        amount = row["amount_mg"]
        if row["drug"] != drug or row["status"] in NOT_GIVEN or math.isnan(amount):
            continue
        start, end = (cohort.hours(row["person_id"], row[name]) / 24 for name in ("start", "end"))
        if not start <= high:
            continue
        at = {"person": row["person_id"], "start": max(start, low), "end": min(end, high)}
        if row["rate_mg_h"] > 0 and end >= low:
            assumed = bool(row["end_assumed"])
            rows.append(
                {**at, "rate": row["rate_mg_h"], "zero": 0, "assumed": assumed, "kind": "rate"}
            )
        elif math.isnan(row["rate_mg_h"]) and start >= low:
            rows.append({**at, "end": start, "kind": "single"})
    return rows


def _doses(cohort: Cohort, drug: str, given: list[Row]) -> list[Spec]:
    return course.dose_layers(cohort, "t0", given, [labels.heading(labels.drug(drug)), "mg/h"])


def _many(cohort: Cohort, model: PkModel, rows: list[dict[str, Any]]) -> Spec:
    """Return all patients in one panel: each typical line in grey up to a hundred, their median or quartiles in front."""
    y, least = _axis_y(rows, None, beside=False)
    y |= {"title": f"{labels.heading(labels.drug(model.drug))} by a model, mg/L (log scale)"}
    x = course.x_axis(cohort, "t0")
    last: dict[int, dict[str, float]] = {}
    for row in rows:
        if row["typical"] is not None:
            last.setdefault(math.floor(row["day"] / BIN), {})[row["person"]] = row["typical"]
    end = course.window(cohort, "t0")[1]
    middle = []
    for at, of in sorted(last.items()):
        levels = sorted(of.values())
        if len(levels) >= FEWEST and (at + 0.5) * BIN < end:
            quartiles = (
                np.quantile(levels, (0.25, 0.75)) if len(levels) >= crowd.FEWEST else (None, None)
            )
            middle.append({"day": (at + 0.5) * BIN, "median": max(statistics.median(levels), least),
                           **{name: None if q is None else max(float(q), least) for name, q in zip(("low", "high"), quartiles, strict=True)}})  # fmt: skip
    layers: list[Spec] = []
    if len(cohort.described) <= PER_PERSON:
        thin = [
            row for n, row in enumerate(_clipped(rows, least)) if n % 2 == 0 or cohort.n <= SEVERAL
        ]
        each = {
            "x": x,
            "y": quantity("typical", **y),
            "detail": {"field": "person", "type": "nominal"},
        }
        layers.append(
            {
                **mark("line", each, color="#8b959d", strokeWidth=0.8, opacity=0.7),
                "data": values(thin),
            }
        )
    else:
        layers.append(
            {
                **mark(
                    "area",
                    {"x": x, "y": quantity("low", **y), "y2": {"field": "high"}},
                    where="isValid(datum.low)",
                    color=theme.SKY,
                ),
                "data": values(middle),
            }
        )
    layers.append(
        {
            **mark(
                "line", {"x": x, "y": quantity("median", **y)}, color=theme.BLACK, strokeWidth=2.2
            ),
            "data": values(middle),
        }
    )
    return {"width": theme.WIDTH - 190, "height": 220, "layer": layers}


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield a chart for each model that the protocol names."""
    for asked in cohort.result.protocol.pharmacology if cohort.n else ():
        model = cohort.result.models[asked.model]
        drug = labels.drug(model.drug)
        target = (
            ""
            if asked.target_mg_l is None
            else f" Dotted: {asked.target_mg_l:g} mg/L, which the protocol asks for."
        )
        if len(cohort.described) <= course.EACH:
            replaced = labels.procedure("renal_replacement")
            band = (
                "pale: nine tenths of the virtual patients, darker: half of them; "
                if model.spreads
                else "no spread between patients is known; "
            )
            caption = (
                f"{NOT_ADVICE} Black line: the model's typical patient with this one's weight and kidney; {band}red dashes: the typical patient "
                f"at both ends of what is assumed of the kidney and of {replaced}. Bar at the foot: orange, {replaced}; grey, "
                f"no valid {labels.variable('creatinine')}.{target} No curve: not calculated, or not given. Beneath: the dose (triangles: single doses)."
            )
        else:
            lines = (
                "Grey: each patient's typical curve. "
                if len(cohort.described) <= PER_PERSON
                else "Band: middle half of the patients. "
            )
            caption = f"{NOT_ADVICE} {lines}Black: their median in each half day, of five patients or more. Logarithmic axis."
        title = f"Concentration of {drug} by the model {model.name}, under {labels.variable(cohort.result.protocol.response.variables[0])}"
        yield Chart(f"exposure_{model.drug}", title, caption, spec(cohort, asked))


CHARTS: Final = DeclaredCharts(45, charts)
