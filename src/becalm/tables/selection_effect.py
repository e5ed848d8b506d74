"""What a fall from a peak owes to the choice of the peak."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import VARIABLE, Table, count, number

REPEATED_DRAWS: Final = Table(
    "repeated_draws",
    "Pairs of draws of one person at most a day apart, among those who are not in the cohort.",
    "variable and batch",
    {
        "variable": VARIABLE,
        "pairs": count("1", "Pairs of draws that follow each other."),
        "sum_of_squares": number(
            "1", "The sum of the squares of the differences of their logarithms."
        ),
    },
)
SELECTION_EFFECT: Final = Table(
    "selection_effect",
    "How much of a fall from a peak would be seen without any change, because the highest of several draws was chosen (regression to the mean).",
    "variable",
    {
        "variable": VARIABLE,
        "pairs": count(
            "1",
            "Pairs of draws of one person at most a day apart, of persons who are not in the cohort.",
        ),
        "spread_percent": number(
            "%",
            "How far a draw lies from another of the same person within a day (one standard deviation); empty below the least number of pairs. It contains what truly changes within a day.",
        ),
        "draws_before": number("1", "The median number of draws of which the peak was chosen."),
        "expected_fall_percent": number(
            "%", "The fall from a peak that the choice alone explains."
        ),
        "fall_from_peak_n": count("1", "Patients of the cohort who have both values."),
        "fall_from_peak_percent": number(
            "%", "The median fall of the cohort from the peak to 48 h."
        ),
        "fall_from_baseline_n": count("1", "Patients of the cohort who have both values."),
        "fall_from_baseline_percent": number(
            "%", "The median fall of the cohort from the last value before time zero to 48 h."
        ),
    },
    key=("variable",),
)
