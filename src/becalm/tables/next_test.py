"""Which single missing measurement would settle a definition that is undetermined."""

from __future__ import annotations

from typing import Final

from becalm.tables.criteria import CRITERIA
from becalm.tables.schema import (
    CENSORED,
    CRITERION,
    MOMENT,
    PERSON_ID,
    SOURCE_ROW,
    Table,
    count,
    number,
    text,
    time,
)

NEXT_TEST: Final = Table(
    "next_test",
    "For everybody whose definition is undetermined: the single missing or expired tests that could settle it alone, "
    "at the moment that the protocol shows (at their peak for persons without an index). A value is "
    "thought of as drawn at that moment and known at once; everything else stays as it is known then. Where no single "
    "test could settle it there is one row without a test. Persons of whom nothing that the definition reads was "
    "ever measured have no such moment and no row.",
    "person, definition and test",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": MOMENT,
        "time": time("The time of the moment."),
        "low": CRITERIA.columns["low"],
        "high": CRITERIA.columns["high"],
        "rank": count(
            "rank",
            "1 for the first: tests that settle the definition whatever their result, then those that can settle it "
            "either way, then in one direction only; within these measurements and findings before questions to "
            "the history, in the order of the definition's file. 0 in a row without a test.",
        ),
        "test": text(
            "The variable that would be measured, as records hold it (spleen apart from liver); empty where no "
            "single test could settle the definition."
        ),
        "test_kind": text(
            "measurement, finding, or history: what no test shows, a question to the history or the chart."
        ),
        "settles": text(
            "whatever the result, met or not met (some results leave it open), met only, not met only, or no "
            "single test."
        ),
        "settles_met_if": text(
            "The results by which the definition would be met, in the variable's own unit; empty if none is."
        ),
        "settles_not_met_if": text(
            "The results by which the definition would not be met; empty if none is."
        ),
        "counts_for_hours": number(
            "h",
            "How long the value would count: the look-back of the definition, the shortest of several; empty for "
            "history and for whole stays.",
        ),
        "test_state": text(
            "Why the test is asked for: missing, expired, in part (known only as a limit, as a range, or for a part "
            "of what the definition asks), not understood (a newer row could not be used), result pending (drawn, known "
            "later), or measured later."
        ),
        "last_value": number("as `unit`", "The last value before the moment, or its limit."),
        "unit": text("The variable's own unit; empty for findings."),
        "last_value_hours": number("h", "From when that value was drawn to the moment."),
        "censored": CENSORED,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "criterion", "rank"),
)
