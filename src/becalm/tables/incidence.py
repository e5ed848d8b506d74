"""Death and discharge over the days after time zero."""

from __future__ import annotations

from typing import Final

from becalm.tables.person_time import END_EVENT
from becalm.tables.schema import Table, count, number

INCIDENCE: Final = Table(
    "incidence",
    "Death in hospital and discharge over the days after time zero, each competing with the other (Aalen-Johansen), and death anywhere "
    "(Kaplan-Meier); without rows below ten patients.",
    "event and day",
    {
        "end_event": END_EVENT,
        "day_after": count("d", "Days after time zero."),
        "still_at_risk": count(
            "persons",
            "Persons in hospital and followed at the beginning of the day; for death anywhere all who are followed.",
            persons=True,
        ),
        "had_event": count(
            "persons", "Persons with the event until the end of the day.", persons=True
        ),
        "incidence": number("1", "The estimated share of all with the event until then."),
        "incidence_low": number(
            "1", "Lower end of its 95 % interval; empty before the first event."
        ),
        "incidence_high": number(
            "1", "Upper end of its 95 % interval; empty before the first event."
        ),
    },
    key=("end_event", "day_after"),
)
