"""The outcome of each patient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from becalm.core.clock import UNKNOWN_TIME
from becalm.report import labels
from becalm.report.cells import outcome_cells, since_zero
from becalm.report.cohort import ROW_EACH, Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.sections.cell_lines import told
from becalm.report.text import UNKNOWN, answer, interval, spaced
from becalm.report.theme import Figure


def outcomes(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the outcome of each patient, as far as it is known."""
    rows = []
    for person in cohort.ids:
        row = cohort.outcome.get(person)
        if row is None:
            continue
        end, followed = outcome_cells(cohort, drill, person)
        rows.append(
            [person, end, drill.stays(since_zero(cohort, person, row["discharged"]), person), on_drug(drill, row),
             row["storm_at_death"] or UNKNOWN, answer(row["infection_linked"]), answer(row["infection_active_at_death"]),
             over(cohort, drill, row), back(cohort, drill, row), followed]
        )  # fmt: skip
    head = ["Patient", "Outcome", "discharged", f"on {labels.drug(cohort.drug) or 'the drug'} at death", "storm at death",
            "death linked to infection", "infection active at death", "storm over", "relapse", "follow-up"]  # fmt: skip
    return PageTable(head, rows, ids=[anchor("end", row[0]) for row in rows])


def on_drug(drill: Drill, row: Row) -> Any:
    """Return whether the drug was still given at death, and how long before its last dose had ended."""
    low, high = row["hours_since_dose"], row["hours_since_dose_high"]
    if math.isnan(low):
        return answer(row["on_drug_at_death"])
    since = (
        "running"
        if high <= 0
        else f"{interval(round(low, 1), round(high, 1))}\u00a0h after the last dose"
    )
    shown = f"{answer(row['on_drug_at_death'])} ({since})"
    return drill.rows(shown, row["person_id"], row["last_dose_row"])


def over(cohort: Cohort, drill: Drill, row: Row) -> Any:
    """Return when the storm had been over for the protocol's time, and how sure that is."""
    if row["resolution_time"] == UNKNOWN_TIME:
        return row["resolution"] or UNKNOWN
    sure = "" if row["resolution"] == "certain" else f" ({row['resolution']})"
    when = since_zero(cohort, row["person_id"], row["resolution_time"])
    return drill.about(f"{when}{sure}", row["person_id"])


def back(cohort: Cohort, drill: Drill, row: Row) -> Any:
    """Return whether the storm came back, when, and why."""
    if row["relapse_time"] == UNKNOWN_TIME:
        return row["relapse"] or UNKNOWN
    when = since_zero(cohort, row["person_id"], row["relapse_time"])
    text = f"{row['relapse']}, {when}: {row['relapse_why']}"
    return drill.rows(text, row["person_id"], row["relapse_rows"])


def counts(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many storms were over, came back, and were maintained without coming back."""
    if cohort.result.protocol.relapse is None:
        return PageTable([], [])
    found = list(cohort.outcome.values())
    over_ = {row["person_id"]: _yes(row["resolution"], OVER, {"unknown"}) for row in found}
    again = {
        row["person_id"]: _yes(row["relapse"], {"relapse"}, {"unknown", "uncertain"})
        for row in found
        if row["resolution"] in OVER
    }
    rows = [
        ["Storm over for the protocol's time", told(drill, over_)],
        ["Relapse, among those whose storm was over", told(drill, again)],
        ["Maintained, and no relapse", told(drill, maintained(cohort))],
    ]
    return PageTable(["", "patients"], rows)


OVER: Final = {"certain", "possible"}


def _yes(said: str, yes: set[str], unknown: set[str]) -> bool | None:
    return None if said in unknown else said in yes


def maintained(cohort: Cohort) -> dict[str, bool | None]:
    """Return who was kept on a maintenance treatment and had no relapse."""
    return {
        who: None
        if row["maintenance_drug"] and row["relapse"] in {"unknown", "uncertain"}
        else bool(row["maintenance_drug"]) and row["relapse"] == "none"
        for who, row in cohort.outcome.items()
    }


def _rule(cohort: Cohort) -> list[str]:
    """Say when a storm is over, and when it is back."""
    rule, quiet = cohort.result.protocol.relapse, cohort.result.protocol.outcome.resolution_min
    if rule is None or quiet is None:
        return []
    warm, marker, plates = map(labels.variable, ("temperature", "ferritin", "platelets"))
    return [
        f"A storm is over after {spaced(quiet)} with {warm} below {rule.fever_at_least:g}\u00a0°C, {marker} below "
        f"{rule.quiet_ferritin:,g}\u00a0ng/mL or at most {100 * rule.quiet_share:g}\u00a0% of its peak, and no new treatment of it; "
        f"it is only possibly over where {warm} was not measured on every day. A relapse is a definite storm after that, "
        f"or a rise of {marker} with fever or falling {plates} that was treated anew; near an infection it is uncertain."
    ]


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    del figures
    if not lists_everybody(cohort):
        return None
    ends = [captioned(outcomes(cohort, drill), "Outcome of every patient")]
    few = cohort.n <= ROW_EACH
    counted = captioned(counts(cohort, drill), "How the storms ended")
    first = [counted] if counted else []
    return Section(
        "Outcome", _rule(cohort), [], [*first, *(ends if few else [])], [] if few else ends
    )


SECTION: Final = DeclaredSection("outcome", 80, section)
