"""Notations of an infusion in a chart: one true rate function, five notations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from becalm.demo.tidy import DAY, HOUR, Dose

Notation = Literal["mg/h", "mg/kg/h", "mL/h", "bags", "syringes"]
Step = tuple[int, float]
"""A minute and the rate from then on, mg/h; the last step is the stop (rate 0)."""

SYRINGE_MG = 100
"""One prefilled syringe holds 100 mg (Kineret label)."""
_CONTAINER = 6 * HOUR
_SHIFTS = (7 * HOUR, 19 * HOUR)


def total_mg(steps: Sequence[Step]) -> float:
    """Return the mg that a rate function delivers."""
    return sum(rate * (b - a) / HOUR for (a, rate), (b, _) in pairwise(steps))


def segments(steps: Sequence[Step]) -> list[tuple[int, int, float, str]]:
    """Return (start, end, mg/h, reason for the change) of every piece that runs."""
    pieces: list[tuple[int, int, float, str]] = []
    before, was_paused = 0.0, False
    for (start, rate), (end, _) in pairwise(steps):
        if rate <= 0:
            was_paused = True
            continue
        if was_paused:
            reason = "resumed after a line change"
        elif before == 0:
            reason = "start"
        else:
            reason = "increased" if rate > before else "weaning"
        pieces.append((start, end, rate, reason))
        before, was_paused = rate, False
    return pieces


def chart_infusion(
    drug: str,
    steps: Sequence[Step],
    written: Notation,
    *,
    route: str,
    weight_kg: float = 0.0,
    mg_per_ml: float = 0.0,
    indication: str = "",
) -> Iterator[Dose]:
    """Write a rate function the way the ward charts it.

    Rates per kg and per mL are charted anew at each nursing shift; bags and syringes run for six
    hours each, the last of a rate for what is left of it, and their route says that they are continuous. A pump that is told mg/kg/h exports
    all its decimals: 100 mg/h in someone of 74 kg has no shorter exact form.
    """
    for start, end, rate, reason in segments(steps):
        said = route
        if written in ("bags", "syringes"):
            said = f"{route} continuous infusion"
            cuts = [*range(start, end, _CONTAINER), end]
        elif written == "mg/h":
            cuts = [start, end]
        else:
            cuts = _cut_at_shifts(start, end)
        for i, (a, b) in enumerate(pairwise(cuts)):
            dose = Dose(drug, said, a, b, indication=indication, reason="" if i else reason)
            mg = rate * (b - a) / HOUR
            match written:
                case "mg/h":
                    yield replace(dose, rate=rate, rate_unit="mg/h")
                case "mg/kg/h":
                    yield replace(dose, rate=rate / weight_kg, rate_unit="mg/kg/h")
                case "mL/h":
                    yield replace(
                        dose,
                        rate=rate / mg_per_ml,
                        rate_unit="mL/h",
                        concentration=mg_per_ml,
                        concentration_unit="mg/mL",
                    )
                case "bags":
                    yield replace(dose, amount=mg, amount_unit="mg")
                case "syringes":
                    syringe = f"syringe ({SYRINGE_MG} mg)"
                    yield replace(dose, amount=mg / SYRINGE_MG, amount_unit=syringe)


def _cut_at_shifts(start: int, end: int) -> list[int]:
    days = range(start // DAY, end // DAY + 1)
    changes = [day * DAY + shift for day in days for shift in _SHIFTS]
    return [start, *(m for m in changes if start < m < end), end]
