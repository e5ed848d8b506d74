"""New bacterial infections by the dose before them: days at risk, rates, and what so few events cannot show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from becalm.report import labels
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.text import UNKNOWN, interval, number, spaced
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON
from becalm.survival.time_varying import fewest_events

INFECTION: Final = "bacterial infection"
POSSIBLE: Final = "possible infection"
METRICS: Final = {
    "dose_24h": "dose in the previous 24\u00a0h",
    "days_high": "days so far at the high dose",
    "cumulative": "total dose so far",
}


def rates(cohort: Cohort) -> list[Row]:
    """Return the rows of `event_rates`."""
    return list(cohort.result.tables["event_rates"].light_rows())


def shown_rate(row: Row) -> str:
    """Return events per 100 days with the exact interval; two rates where some events are only possible."""
    if math.isnan(row["per_100_days"]):
        return UNKNOWN
    low, high = (number(row[name], 2) for name in ("rate_low", "rate_high"))
    rates_ = [number(row[name], 2) for name in ("per_100_days", "per_100_days_high")]
    shown = rates_[0] if not row["events_possible"] else f"{rates_[0]}–{rates_[1]}"
    return f"{shown} ({low} to {high})"


def shown_events(row: Row) -> str:
    """Return the number of events, with the possible ones: `3`, `3–5`."""
    return interval(row["events"], row["events"] + row["events_possible"])


def by_dose(cohort: Cohort, drill: Drill, metric: str) -> PageTable:
    """Return days at risk and rates in each band, at each lag."""
    mine = [row for row in rates(cohort) if row["metric"] == metric]
    deaths = {
        (row["lag_h"], row["band_number"]): row for row in mine if row["end_event"] == "death"
    }
    rows: list[list[Any]] = []
    ids = []
    for row in mine:
        if row["end_event"] != INFECTION:
            continue
        who = _persons(cohort, row)
        died = deaths[row["lag_h"], row["band_number"]]

        def opening(shown: str, *only: str, of: int = 0, who: list[list[Any]] = who) -> Any:
            lines = [line for line in who if not only or line[2] in only]
            return drill.people(shown, ["patient", "days", "ended by"], lines, of)

        rows.append(
            [*([f"lag {number(row['lag_h'])}\u00a0h", row["band"]] if cohort.drug else ["all time at risk"]),
             opening(str(row["persons_at_risk"]), of=row["persons_at_risk"]), opening(number(row["person_days"])),
             opening(shown_events(row), INFECTION, POSSIBLE), opening(shown_rate(row)), opening(str(died["events"]), "death"),
             opening(shown_rate(died))]
        )  # fmt: skip
        ids.append(row_id(row))
    first = (
        ["Lag", f"{labels.heading(METRICS[metric])}{_unit(cohort, metric)}"]
        if cohort.drug
        else [""]
    )
    rate = "per 100 days (exact 95\u00a0% interval)"
    head = [*first, "patients", "days at risk", "number", rate, "number", rate]
    groups = [("", len(first) + 2), ("new infections", 2), ("deaths before an infection", 2)]
    return PageTable(head, rows, groups, ids=ids)


def row_id(row: Row) -> str:
    """Return the name of a rate's row on the page."""
    return anchor("rate", row["metric"], number(row["lag_h"]), str(row["band_number"]))


def _unit(cohort: Cohort, metric: str) -> str:
    return {
        "dose_24h": f", {cohort.unit}",
        "cumulative": f", {cohort.unit}",
        "days_high": ", days",
    }.get(metric, "")


def _persons(cohort: Cohort, rate: Row) -> list[list[Any]]:
    """Return who spent how long in a band, of those of whom a sample was taken; nobody is listed in a large cohort."""
    if cohort.n > PER_PERSON:
        return []
    days: dict[str, float] = {}
    ended: dict[str, str] = {}
    for row in cohort.rows("person_time"):
        inside = rate["metric"] == "all" or row[f"{rate['metric']}_band"] == rate["band"]
        known = row["infected"] >= 0 or row["ended_by"] == POSSIBLE
        if row["lag_h"] == rate["lag_h"] and inside and known:
            days[row["person_id"]] = days.get(row["person_id"], 0.0) + row["days"]
            ended[row["person_id"]] = row["ended_by"] or ended.get(row["person_id"], "")
    return [[who, number(time), ended[who]] for who, time in sorted(days.items())]


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    rule = cohort.result.protocol.person_time
    found = rates(cohort)
    if rule is None or not found:
        return None
    total = next(row for row in found if (row["metric"], row["end_event"]) == ("all", INFECTION))
    events, least = total["events"], fewest_events()
    last = (
        f", or {spaced(rule.after_last_dose)} after the last dose" if rule.after_last_dose else ""
    )
    intro = [
        f"Each patient is at risk from {spaced(rule.from_t0)} after {cohort.zero} to the first new bacterial infection, "
        f"death, discharge{last}. Time and infections before that are left out together.",
    ]
    if total["persons_unknown"]:
        intro.append(
            f"{total['persons_unknown']:,} of {total['persons_unknown'] + total['persons_at_risk']:,} patients had no sample "
            f"for culture with a result from {cohort.zero} on, or one that may show an infection and may be from before their "
            "time at risk. Nobody knows whether they had an infection, so they and their days are not counted here."
        )
    if possible := total["events_possible"]:
        intro.append(
            f"The time of {possible:,} {'patient' if possible == 1 else 'patients'} ends at a sample of which nobody can tell whether it shows a new "
            "infection (pending or not understood, or a date or a treatment that is not known). Both numbers are given, and each "
            "interval goes from the lower end without these to the upper end with all of them."
        )
    title = "Infections by dose" if cohort.drug else "Infections in time"
    if not total["persons_at_risk"]:
        return Section(title, intro)
    if cohort.drug:
        intro += [
            "Each day belongs to the dose that had been given before it, so no patient gets days at a dose "
            "before reaching it. A dose may be cut because an infection is suspected; with a lag, the dose of so long "
            "before counts, and such a cut hides nothing.",
            "The rates describe. Severity drives both the dose and the infections, and only what was recorded can be "
            "compared: a difference between the rows is not the work of the dose.",
        ]
        intro.append(
            f"{shown_events(total)} new infections in {number(total['person_days'])} days are too few for a model of the dose, "
            f"which needs {least} events; so there is only this description."
            if events < least
            else f"{events} new infections would bear a model in which the dose changes with time "
            "(becalm.survival.time_varying, on the table person_time)."
        )
    metrics = list(METRICS) if cohort.drug else ["all"]
    tables = [
        captioned(
            by_dose(cohort, drill, metric),
            f"New bacterial infections by {METRICS.get(metric, 'time at risk')}",
        )
        for metric in metrics
    ]
    return Section(
        title, intro, figures_named(figures, "infection_by_dose"), tables[:1], tables[1:]
    )


SECTION: Final = DeclaredSection("infection_by_dose", 72, section)
