"""How fast values changed before and after each clock, and when they were normal again."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, SOURCE_ROW, VARIABLE, Table, count, number, text, time

_CLOCK: Final = text("The clock from which hours are counted: t0, infusion_start or high_rate.")
SLOPES: Final = Table(
    "slopes",
    "The change of each value for each day before and after each clock: the patient as own control. A line through the logarithms of the draws.",
    "person, variable, clock and side",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "from_clock": _CLOCK,
        "side": text("before or after the clock."),
        "draws_in_window": count("1", "Draws in the window."),
        "percent_per_day": number("%", "The change for each day; -50 is a fall to half."),
        "percent_low": number("%", "Lower end of the 95 % interval; empty below three draws."),
        "percent_high": number("%", "Upper end of the 95 % interval; empty below three draws."),
        "half_time_h": number(
            "h", "The time in which it falls to half; empty where it does not fall."
        ),
        "half_time_low": number("h", "Lower end of its 95 % interval."),
        "half_time_high": number(
            "h", "Upper end of its 95 % interval; infinite is empty: it may not fall at all."
        ),
        "slope_state": text(
            "estimated, two draws (no interval), one draw, no draw, censored (a limit of the laboratory is among them) or "
            "zero (a value of 0 has no logarithm)."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "variable", "from_clock", "side"),
)
NORMAL_AGAIN: Final = Table(
    "normal_again",
    "When each value was first normal again after each clock, and fever gone.",
    "person, variable and clock",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "from_clock": _CLOCK,
        "target": text("What counts as normal, in the variable's own unit."),
        "normal_state": text(
            "reached; not reached (until the last draw); not abnormal (at the clock); or no draw (after the clock, or before it)."
        ),
        "hours_to_normal": number("h", "From the clock to the first normal draw."),
        "hours_followed": number("h", "From the clock to the last draw that was looked at."),
        "normal_from": time("When the first normal draw was taken."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "variable", "from_clock"),
)
