"""The definitions at the reported moments: totals, items, and serial changes."""

from __future__ import annotations

from typing import Final

from becalm.core.frame import Frame
from becalm.definitions import doubted, features_at
from becalm.measures.stage import Stage, StageInput
from becalm.tables import CRITERIA, CRITERIA_ITEMS, SERIAL_CHANGES


def measure(given: StageInput) -> Frame:
    """Fill the table `criteria`; a total that uses values the source doubts is marked."""
    return Frame.concat(
        [CRITERIA.empty()]
        + [
            doubted(totals, given.definitions[name], given.doubts)
            for name, (totals, _) in given.totals_and_items.items()
        ]
    )


def measure_items(given: StageInput) -> Frame:
    """Fill the table `criteria_items`."""
    return Frame.concat(
        [CRITERIA_ITEMS.empty(), *(items for _, items in given.totals_and_items.values())]
    )


def measure_changes(given: StageInput) -> Frame:
    """Fill the table `serial_changes`, at the moments of the first definition reported."""
    return features_at(
        next(iter(given.evaluations.values())),
        given.patients.records.persons,
        given.moments,
        modifiers=given.modifiers,
        source_row=lambda _, rows: given.patients.events.source_texts(rows),
        who=given.in_cohort,
    )


STAGES: Final = (
    Stage(CRITERIA, measure, over="population"),
    Stage(CRITERIA_ITEMS, measure_items, over="population"),
    Stage(SERIAL_CHANGES, measure_changes),
)
