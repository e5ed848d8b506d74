"""Later storms of the cohort."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, Table, answer, number, time

RECURRENCES: Final = Table(
    "recurrences",
    "Later storms of the cohort: definite again after the first one was over. Only the first storm is analysed.",
    "person and storm",
    {
        "person_id": PERSON_ID,
        "storm_begin": time("When a definition was met for certain again."),
        "storm_end": time("When none was any more, or its values expired."),
        "days_since_resolution": number("d", "From the end of the quiet time to the begin."),
        "treated_again": answer("Whether the drug of interest was given between begin and end."),
    },
    key=("person_id", "storm_begin"),
)
