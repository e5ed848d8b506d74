"""Values before and after each step up of the drug of interest."""

from __future__ import annotations

from typing import Final

from becalm.tables.response import RESPONSE
from becalm.tables.schema import Table, number, text, time
from becalm.tables.therapy import ESCALATIONS

_SAME: Final = {
    name: RESPONSE.columns[name]
    for name in (
        "person_id", "variable", "baseline", "baseline_time", "baseline_hours", "baseline_old", "h24", "h48", "h48_time", "h72", "d7", "ratio_48h",
        "censored", "status", "confounded_by", "modified_by", "unit", "source_row",
    )
}  # fmt: skip

ESCALATION_RESPONSE: Final = Table(
    "escalation_response",
    "Values before and after each step up of the drug of interest, counted from the step; windows of two steps may overlap.",
    "person, variable and step up",
    {
        "person_id": _SAME["person_id"],
        "variable": _SAME["variable"],
        "from_step": text(
            "The step from which hours are counted: escalation 1, 2 and so on of the person."
        ),
        "step_time": time("When the step up was."),
        "hours_to_next_step": number(
            "h",
            "From this step to the next one up; empty at the last. A value later than this follows both.",
        ),
        "from_rate": ESCALATIONS.columns["from_rate"],
        "to_rate": ESCALATIONS.columns["to_rate"],
        "unit_canonical": ESCALATIONS.columns["unit_canonical"],
        **_SAME,
    },
    key=("person_id", "variable", "step_time"),
)
