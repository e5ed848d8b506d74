"""How the infusion of the drug of interest was stepped up, every patient on one axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.vega import Spec, category, flat, mark, quantity, values

AFTER: Final = 24.0
"""Hours drawn after the last step up."""
SHORTEST: Final = 48.0
LONGEST: Final = 240.0
APART: Final = 0.012
"""What lines at one rate are drawn apart, as a fraction of the highest."""
DASHES: Final = ([1, 0], [6, 3], [2, 2], [9, 3, 2, 3], [12, 4])
LINES: Final = {"/h": "rate", "/kg/h": "per_kg"}
"""What follows the drug's unit on each axis."""


def window(cohort: Cohort) -> float:
    """Return the hours drawn from t0: a day beyond the last step up, 48 to 240."""
    ups = [row["hours_from_t0"] for row in _ups(cohort)]
    first: dict[str, float] = {}
    for row in cohort.rates:
        first.setdefault(row["person_id"], cohort.hours(row["person_id"], row["start"]))
    known = [h + AFTER for h in [*ups, *first.values()] if h <= LONGEST]
    return float(12 * math.ceil(min(LONGEST, max([SHORTEST, *known])) / 12))


def curves(cohort: Cohort) -> list[dict[str, Any]]:
    """Return each patient's rate from t0 at every change: hour, rate and, by weight, rate per kg.

    A rate holds until the patient's next row; a pause is a rate of 0. per_kg is None where no
    weight is known.
    """
    end = window(cohort)
    found: list[dict[str, Any]] = []
    for person in cohort.ids:
        mine = [row for row in cohort.rates if row["person_id"] == person]
        spans = [(cohort.hours(person, r["start"]), cohort.hours(person, r["end"]), r["rate"]) for r in mine]  # fmt: skip
        spans = [(max(a, 0.0), min(b, end), rate) for a, b, rate in spans if b > 0 and a < end]
        if not spans:
            continue
        at, rate = 0.0, 0.0
        changes = [(0.0, 0.0)]
        for start, stop, rate in sorted(spans):
            if start > at:
                changes.append((at, 0.0))
            changes.append((start, rate))
            at = stop
        changes.append((end, rate if at >= end else 0.0))
        if at < end:
            changes.insert(-1, (at, 0.0))
        for hour, now in dict(changes).items():
            kg = weight(cohort, person, hour)
            per_kg = 0.0 if not now else now / kg if kg > 0 else None
            found.append({"person": person, "hour": hour, "rate": now, "per_kg": per_kg})
    return found


def weight(cohort: Cohort, person: str, hour: float) -> float:
    """Return the weight a dose at that hour is divided by, in kg; NaN where none is known."""
    for row in _ups(cohort):
        if row["person_id"] == person and math.isclose(row["hours_from_t0"], hour, abs_tol=0.01):
            return float(row["weight_used"])
    for row in cohort.rows("daily_dose"):
        if (row["person_id"], row["drug"], row["day"]) == (
            person,
            cohort.drug,
            int(hour // 24) + 1,
        ):
            return float(row["weight_used"])
    return float(cohort.person[person]["weight_kg"])


def _ups(cohort: Cohort) -> list[Row]:
    mine = cohort.keep(cohort.result.frames["escalations"]).light_rows()
    return [
        row
        for row in mine
        if (row["drug"], row["direction"]) == (cohort.drug, "up") and row["hours_from_t0"] >= 0
    ]


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None where no infusion was given."""
    drawn = curves(cohort) if cohort.drug else []
    if not drawn:
        return None
    people = list(dict.fromkeys(row["person"] for row in drawn))
    for unit, field in LINES.items():
        most = max((row[field] for row in drawn if row[field]), default=1.0)
        for row in drawn:
            aside = (people.index(row["person"]) - (len(people) - 1) / 2) * APART * most
            if unit == "/kg/h" or len(people) > ROW_EACH or not row[field]:
                aside = 0.0
            row[f"y_{field}"] = None if row[field] is None else row[field] + aside
    panels = [_panel(cohort, drawn, people, unit, field) for unit, field in LINES.items()]
    return {"data": values(drawn), "hconcat": panels, "spacing": 34}


def _panel(cohort: Cohort, drawn: Sequence[Row], people: list[str], unit: str, field: str) -> Spec:
    end = window(cohort)
    most = max((row[field] for row in drawn if row[field]), default=1.0)
    step = 24 if end > 72 else 12
    x = quantity("hour", scale=flat(0, end), title="hours from t0",
                 axis={"values": list(range(0, int(end) + 1, step))})  # fmt: skip
    y = quantity(f"y_{field}", scale=flat(0, most * 1.12), title=f"{labels.drug(cohort.drug)}, {cohort.unit}{unit}",
                 axis={"tickCount": 5, "format": ",~f", "domain": False, "ticks": False})  # fmt: skip
    at = {"x": x, "y": y}
    named = len(people) <= ROW_EACH
    if named:
        dashes = [DASHES[i % len(DASHES)] for i in range(len(people))]
        colours = [theme.OKABE_ITO[i % len(theme.OKABE_ITO)] for i in range(len(people))]
        legend = {
            "title": "Patient",
            "symbolType": "stroke",
            "symbolSize": 900,
            "symbolStrokeWidth": 2,
        }
        scale = {"domain": people}
        at |= {
            "color": category("person", scale=scale | {"range": colours}, legend=legend),
            "strokeDash": category("person", scale=scale | {"range": dashes}, legend=legend),
        }
        style: Spec = {"strokeWidth": 2}
    else:
        at |= {"detail": {"field": "person", "type": "nominal"}}
        style = {"strokeWidth": 1, "opacity": 0.5, "color": theme.BLUE}
    line = mark("line", at, interpolate="step-after", where=f"isValid(datum.y_{field})", **style)
    return {"width": (theme.WIDTH - 250) / 2, "height": 230, **line}


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the steps of the infusion, all patients together."""
    yield Chart(
        "escalation",
        f"Rate of the {labels.drug(cohort.drug)} infusion from t0, all patients",
        "0: the infusion is not running."
        + (
            " Left: lines at the same rate are drawn a little apart. Right: rate per kg of the body weight in force."
            if cohort.n <= 10
            else " Each line: one patient. Right: rate per kg of the body weight in force."
        ),
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(50, charts)
