"""Tables of single markers: fever, changes over one and two days, ferritin and death."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    BASELINE,
    CENSORED,
    DIED,
    MODIFIED_BY,
    MOMENT,
    PEAK,
    PERSON_ID,
    SOURCE_ROW,
    STATE,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

FEVER: Final = Table(
    "fever",
    "The hours of fever in each 24 h from the day before time zero, and how often temperature was measured.",
    "person and 24 h",
    {
        "person_id": PERSON_ID,
        "day": count("d", "1 is the first 24 h from time zero, 0 the 24 h before."),
        "hours_observed": number("h", "Hours of the day until death or the end of the records."),
        "hours_febrile": number("h", "Hours with the temperature certainly at the bound or above."),
        "hours_afebrile": number("h", "Hours with the temperature certainly below the bound."),
        "hours_unknown": number("h", "Hours without a valid temperature."),
        "measurements": count("values", "How often temperature was measured."),
        "longest_gap_h": number(
            "h",
            "Longest time without a measurement; the time from the start of the day and to its end also counts.",
        ),
        "highest": number("°C", "Highest temperature of the day; empty if only a limit is known."),
        "modified_by": MODIFIED_BY,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "day"),
)
SERIAL_CHANGES: Final = Table(
    "serial_changes",
    "Changes over 24 and 48 h: features to look at, not a score.",
    "person, moment and feature",
    {
        "person_id": PERSON_ID,
        "moment": MOMENT,
        "feature": text(
            "The feature: the variable and the time over which it changes, or a sign; a part of a sign as sign.part."
        ),
        "state": STATE,
        "value": number(
            "as `unit`",
            "The later value as a multiple of the earlier one; of a sign of several parts how many are met, "
            "of a part that is a plain value that value.",
        ),
        "unit": text("The unit of value; empty for a multiple or a count."),
        "time": time("When the later value was drawn."),
        "censored": CENSORED,
        "modified_by": MODIFIED_BY,
        "peak_of": text("The definition whose peak the moment is; empty for the index."),
        "moment_time": time("When the moment is."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "moment", "feature"),
)
PROGNOSIS: Final = Table(
    "prognosis",
    "Ferritin as a marker of death: its values until day 3.",
    "person and marker",
    {
        "person_id": PERSON_ID,
        "marker": text("The variable that is followed."),
        "died": DIED,
        "baseline": BASELINE,
        "peak": PEAK,
        "day3": number("as `unit`", "The value nearest to day 3 in its window."),
        "fall_day3": number(
            "1", "Share of the baseline by which day 3 was lower; negative: higher."
        ),
        "small_fall": answer("Whether it fell by less than the published share."),
        "status": text(
            "measured, no baseline, no sample, died before or discharged before: of day 3."
        ),
        "censored": CENSORED,
        "unit": text("The unit of the values."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "marker"),
)
