"""The tables of `becalm ahead`: next values of markers, how unusual observed changes were, and what both rest on."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, VARIABLE, Table, answer, count, number, text, time

_COMMAND: Final = "ahead"
_UNIT: Final = text("The unit of the values.")

MARKERS_AHEAD: Final = Table(
    "markers_ahead",
    "The next value of a marker as a distribution: how it usually moves in other patients. Research use only, no effect of a drug.",
    "person and marker",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "unit": _UNIT,
        "last_time": time("When the last value was drawn."),
        "last_low": number("as `unit`", "The lowest possible last value."),
        "last_high": number("as `unit`", "The highest possible last value; empty where it is open."),
        "hours": number("h", "How long after the last value."),
        "p05": number("as `unit`", "A twentieth of comparable patients lies below; the lowest possible where the last value is a range."),
        "p50_low": number("as `unit`", "The median of comparable patients, the lowest possible."),
        "p50_high": number("as `unit`", "The median of comparable patients, the highest possible; empty where it is open."),
        "p95": number("as `unit`", "A twentieth of comparable patients lies above; the highest possible, empty where it is open."),
        "compared_with": count("pairs of values", "How many changes of other patients this rests on."),
    },
    key=("person_id", "variable"),
    command=_COMMAND,
)  # fmt: skip
MARKER_CHANGES: Final = Table(
    "marker_changes",
    "Observed changes of a marker, 18 to 84 h from draw to draw, and how usual such a fall is in comparable patients without the drugs. Research use only.",
    "change",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "unit": _UNIT,
        "start": time("When the first value was drawn."),
        "end": time("When the second value was drawn."),
        "start_low": number("as `unit`", "The lowest possible first value."),
        "start_high": number("as `unit`", "The highest possible first value; empty where it is open."),
        "end_low": number("as `unit`", "The lowest possible second value."),
        "end_high": number("as `unit`", "The highest possible second value; empty where it is open."),
        "treated": answer("Whether the person had had one of the named drugs before the second value; empty if nobody knows."),
        "share_low": number("1", "The lowest possible share of comparable changes that fell at least as far."),
        "share_high": number("1", "The highest possible share of comparable changes that fell at least as far: a small one is a surprising fall."),
    },
    key=("person_id", "variable", "start"),
    command=_COMMAND,
)  # fmt: skip
MARKER_TESTS: Final = Table(
    "marker_tests",
    "What the distributions of each marker rest on, how they did on records that they were not learned from, and why a marker is not shown.",
    "marker",
    {
        "variable": VARIABLE,
        "shown": answer("Whether anything is said of the marker."),
        "reason": text("Why not; empty where it is shown."),
        "form": text("What is used beside the last value and the time: direction, height, slope; `last` for nothing."),
        "learned_from": text("The records from which the form comes."),
        "quantiles_from": text("The records whose changes the quantiles come from."),
        "tested_on": text("The records on which it was tested."),
        "pairs": count("pairs of values", "How many exact pairs it was tested on."),
        "persons": count("persons", "How many persons they belong to.", persons=True),
        "ratio": number("1", "The score (CRPS of the logarithm) by that of the last value with its measured spread; below 1 is better."),
        "covered": count("pairs of values", "How many values the 90 % intervals held."),
        "intervals": count("pairs of values", "How many values could be judged."),
        "coverage_low": number("1", "The lower end of the exact 95 % interval of the coverage."),
        "coverage_high": number("1", "The upper end of the exact 95 % interval of the coverage."),
    },
    key=("variable",),
    command=_COMMAND,
)  # fmt: skip
