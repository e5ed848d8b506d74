"""Responses of several parts, as others defined them, and what leaving out a part changes."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, SOURCE_ROW, Table, count, number, text, time

_COMPOSITE: Final = text("The response of several parts, by its name in composites.toml.")
_CLOCK: Final = text("The clock from which hours are counted: t0, infusion_start or high_rate.")

COMPOSITES: Final = Table(
    "composites",
    "Responses of several parts, as others defined them, of each person.",
    "person, clock and response of several parts",
    {
        "person_id": PERSON_ID,
        "composite": _COMPOSITE,
        "clock": _CLOCK,
        "horizon": time("The moment at which it is judged."),
        "status": text(
            "met; not met; undetermined; died before; discharged before, where values are missing; no sample, where no "
            "part has one; or excluded: left truncated."
        ),
        "parts_low": count("1", "Parts that are met for certain."),
        "parts_high": count("1", "Parts that are met or may be."),
        "parts_needed": count("1", "Parts that are needed."),
        "met_parts": text("The parts that are met, joined by |."),
        "failed_parts": text("The parts that are not met, joined by |."),
        "missing_parts": text("The parts of which it is not known, joined by |."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "composite", "clock"),
)
COMPOSITE_COUNTS: Final = Table(
    "composite_counts",
    "How many reached each response of several parts, with all parts and without each of them.",
    "response of several parts, clock and part left out",
    {
        "composite": _COMPOSITE,
        "clock": _CLOCK,
        "without": text("The part that is left out; empty with all parts."),
        "analysed": count("persons", "Persons with the clock who are analysed.", persons=True),
        "met": count("persons", "Persons who reached it.", persons=True),
        "not_met": count(
            "persons",
            "Persons who did not; with those who died before the horizon.",
            persons=True,
        ),
        "died_first": count(
            "persons", "Of those, persons who died before the horizon.", persons=True
        ),
        "unknown": count("persons", "Persons of whom it is not known.", persons=True),
        "worst": number("1", "The share of all if nobody of the unknown reached it."),
        "worst_low": number("1", "The lower end of its exact 95 % interval."),
        "worst_high": number("1", "The upper end of its exact 95 % interval."),
        "best": number("1", "The share of all if everybody of the unknown reached it."),
        "best_low": number("1", "The lower end of its exact 95 % interval."),
        "best_high": number("1", "The upper end of its exact 95 % interval."),
    },
    key=("composite", "clock", "without"),
)
