"""The table of analysis results: every number that the report prints."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import SOURCE_ROW, Table, count, number, text

ANALYSIS_RESULTS: Final = Table(
    "analysis_results",
    "Every number that the report prints; the page is made from these rows. The columns "
    "are those of analysis results data, as the package cards in R has them.",
    "printed number",
    {
        "printed_order": count("1", "The position of the number on the page, counted from 1."),
        "section": text("The section of the page, by its anchor: key, patients, safety."),
        "place": text(
            "The caption of the table; or key results, note (below a key result) or text (a sentence)."
        ),
        "group1": text("What the number is of a single one of: Patient; empty for all patients together."),
        "group1_level": text("Which one: the patient's id."),
        "variable": text("What the number is about: the key result, or the words at the beginning of the line."),
        "variable_level": text("Which part of it: the head of the column, or the word that is counted."),
        "context": text(
            "categorical (n, N, p, N_miss), proportion_ci (conf.low, conf.high), continuous (median, min, max, mean, "
            "N_nonmiss), simulated (p05, p95), value (one value), or text (a number in a sentence, also one of a rule)."
        ),
        "stat_name": text(
            "The statistic: n, N, p, conf.low, conf.high, median, min, max, mean, N_miss (not known), N_nonmiss (known), "
            "low and high (lowest and highest possible), p05 and p95 (of virtual patients), or value; a second one of the same name at the same place is value_2."
        ),
        "stat_label": text("The same in words."),
        "stat": number(
            "as the column `variable_level` or `variable` says",
            "The number before rounding, where the report has it, else as printed. A proportion `p` and its limits are "
            "fractions; of a limit such as >40,000 it is the limit.",
        ),
        "fmt": text("The number as printed."),
        "n": count(
            "1", "How many patients, or values, the number rests on; empty if the page does not say.", persons=True
        ),
        "patients": text("The patients whom the number counts, as far as the page names them, joined by |."),
        "source_row": SOURCE_ROW,
    },
    key=("section", "place", "group1", "group1_level", "variable", "variable_level", "stat_name"),
    position="printed_order",
)  # fmt: skip
