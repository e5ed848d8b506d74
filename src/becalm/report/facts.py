"""The study's main results as counts: the page prints them up front, the release suppresses them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

from becalm.core.remembered import remembered
from becalm.report import labels
from becalm.report.cohort import Cohort, Row

NOT_ASSESSED: Final = "not assessed"
STORM_NOT_KNOWN: Final = ("undetermined", NOT_ASSESSED)
"""What is said of a storm where nobody knows."""
"""What a storm or an item is where nothing was known that decides it."""
ANSWERS = {
    "responded": ("responded", "fell"),
    "did not respond": ("did not respond", "did not fall"),
}

NOT_UNDERSTOOD: Final = " (not understood)"
"""What stands behind the name of a drug that nobody knows, in the table of dose steps."""


def primary_answer(cohort: Cohort, word: str) -> str:
    """Return a primary result in words that claim no more than the design allows."""
    treatment, course = ANSWERS.get(word, (word, word))
    return treatment if cohort.claim == "response" else course


@dataclass(frozen=True)
class Primary:
    """The primary result on one clock: whom it counts, and whom it cannot."""

    clock: str
    yes: list[Row]
    no: list[Row]  # those who died before the horizon among them
    unknown: list[Row]  # no sample, or discharged before

    @property
    def known(self) -> int:
        return len(self.yes) + len(self.no)


def primary(cohort: Cohort, clock: str) -> Primary:
    """Count the primary result; persons already on treatment at the start are not analysed."""
    rows = [
        row
        for row in cohort.primary
        if row["clock"] == clock and row["person_id"] not in cohort.not_analysed
    ]
    no = {"did not respond", "died before"}
    return Primary(
        clock,
        [row for row in rows if row["response"] == "responded"],
        [row for row in rows if row["response"] in no],
        [row for row in rows if row["response"] not in no | {"responded"}],
    )


def primary_words(cohort: Cohort) -> str:
    """Say what the protocol counts: `ferritin lower, and AST or ALT lower`."""
    rule = cohort.result.protocol.response
    parts = [" and ".join(labels.variable(name) for name in rule.primary) + " lower"]
    if rule.primary_any:
        parts.append(" or ".join(labels.variable(name) for name in rule.primary_any) + " lower")
    return ", and ".join(parts) + " than at baseline"


def ratios(reason: str) -> str:
    """Return the reason of a primary result with labels: `ferritin 0.46, ast no sample`."""
    parts = (part.partition(" ") for part in reason.split(", ") if part)
    return ", ".join(f"{labels.variable(name)} {rest}" for name, _, rest in parts)


@dataclass(frozen=True)
class Shift:
    """Who had an event before time zero, and to whom it came or grew worse after.

    graded : those of whom it is known whether they had it at all. unknown : the others.
    """

    event: str
    any: list[Row]
    new: list[Row]
    prevalent: list[Row]  # present before, no worse after
    worse: list[Row]
    never: list[Row]
    graded: int
    unknown: int


@remembered
def shifts(cohort: Cohort) -> list[Shift]:
    """Sort the safety rows of each event by how the grade moved."""
    found: dict[str, list[Row]] = {}
    for row in cohort.safety:
        found.setdefault(row["event"], []).append(row)
    order = {name: i for i, name in enumerate(cohort.result.protocol.safety.events)}
    return [
        _shift(event, rows)
        for event, rows in sorted(found.items(), key=lambda pair: order.get(pair[0], 99))
    ]


def _shift(event: str, rows: list[Row]) -> Shift:
    before_after = [(row, row["grade_before"], row["grade_after"]) for row in rows]
    known = [max(pair) >= 1 or min(pair) >= 0 for _, *pair in before_after]
    return Shift(
        event,
        any=[row for row, before, after in before_after if max(before, after) >= 1],
        new=[row for row, before, after in before_after if before == 0 and after >= 1],
        prevalent=[
            row for row, before, after in before_after if before >= 1 and 0 <= after <= before
        ],
        worse=[row for row, before, after in before_after if 1 <= before < after],
        never=[row for row, before, after in before_after if before == after == 0],
        graded=sum(known),
        unknown=len(known) - sum(known),
    )


def routes(cohort: Cohort) -> Counter[str]:
    """Count the first route of the drug of interest."""
    return Counter(row["first_route"] or "unknown" for row in cohort.persons)


def unknown_labels(row: Row, *kinds: str) -> list[str]:
    """Return what the records say of a person that nobody knows, of some kinds: "dex"."""
    pairs = (each.partition(": ") for each in row["not_understood"].split("|") if each)
    return [name for kind, _, name in pairs if kind in kinds]


def unknown_before(cohort: Cohort) -> dict[str, dict[str, list[str]]]:
    """Return the drugs that nobody knows and that were given before time zero: their rows, by drug and person."""
    found: dict[str, dict[str, list[str]]] = {}
    for step in cohort.steps:
        name = step["drug"].removesuffix(NOT_UNDERSTOOD)
        if name != step["drug"] and not step["hours_from_t0"] >= 0:
            rows = found.setdefault(name, {}).setdefault(step["person_id"], [])
            rows.append(step["source_row"])
    return found


def given_sometime(cohort: Cohort) -> dict[str, set[str]]:
    """Return who was given which immunotherapies nobody knows when, by drug."""
    found: dict[str, set[str]] = {}
    for row in cohort.persons:
        for drug in filter(None, row["time_unknown"].split("|")):
            found.setdefault(drug, set()).add(row["person_id"])
    return found


def background(row: Row) -> list[str]:
    """Return somebody's underlying diseases; where there is none, whether a diagnosis is not understood."""
    known = [labels.condition(name) for name in row["underlying"].split("|") if name]
    if unknown_labels(row, "diagnosis"):
        return [*known, "a diagnosis that is not understood"]
    return known or ["none recorded"]


def backgrounds(cohort: Cohort) -> Counter[str]:
    """Count underlying diseases; someone with two counts in both."""
    return Counter(name for row in cohort.persons for name in background(row))


def classes(cohort: Cohort) -> Counter[str]:
    """Count what the storms stand on: primary, MAS, secondary, or not known."""
    return Counter(row["class"] or "unknown" for row in cohort.persons)


def storms(cohort: Cohort) -> Counter[str]:
    """Count how sure the storm is, as the protocol judges it."""
    return Counter(row["storm"] or NOT_ASSESSED for row in cohort.persons)


def sex(row: Row) -> str:
    """Return the sex as recorded, as a word that counts."""
    return {"F": "women", "M": "men"}.get(row["sex"], "sex unknown")


def sexes(cohort: Cohort) -> Counter[str]:
    """Count sexes as recorded."""
    return Counter(map(sex, cohort.persons))


def before(cohort: Cohort) -> dict[str, list[Row]]:
    """Return who was given which immunotherapy before time zero, commonest first."""
    found: dict[str, list[Row]] = {}
    for row in cohort.prior:
        if row["drug"] and (row["drug"] != cohort.drug or row["hours_before_t0"] > 0):
            found.setdefault(row["drug"], []).append(row)
    return dict(sorted(found.items(), key=lambda pair: (-len(_people(pair[1])), pair[0])))


def _people(rows: list[Row]) -> set[str]:
    return {row["person_id"] for row in rows}


def given(cohort: Cohort) -> dict[str, set[str]]:
    """Return who was given which immunotherapy at any time that the study looked at."""
    found: dict[str, set[str]] = {}
    for row in [*cohort.steps, *cohort.prior]:
        if row["drug"]:
            found.setdefault(row["drug"], set()).add(row["person_id"])
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


@dataclass(frozen=True)
class Exposure:
    """One person's treatment with the drug of interest, from first dose to the end of infusion."""

    episodes: list[Row]
    peak_per_h: float
    peak_per_day: float
    cumulative: float


def exposure(cohort: Cohort, person: str) -> Exposure:
    """Sum the treatment episodes up to the end of the last continuous one; NaN where unknown."""
    mine = [
        row
        for row in cohort.rows("episodes")
        if row["person_id"] == person and row["drug"] == cohort.drug
    ]
    zero = cohort.time_zero(person)
    ends = [row["end"] for row in mine if row["mode"] == "continuous IV"]
    kept = [row for row in mine if row["start"] >= zero and (not ends or row["start"] < max(ends))]
    known = [r["cumulative_canonical"] for r in kept if not math.isnan(r["cumulative_canonical"])]
    rates = [r["peak_rate_canonical_per_h"] for r in kept if r["peak_rate_canonical_per_h"] > 0]
    peak = max(rates, default=math.nan)
    return Exposure(
        kept,
        peak,
        round(peak * 24, 9),
        math.fsum(known) if kept and len(known) == len(kept) else math.nan,
    )


def deaths(cohort: Cohort) -> tuple[list[Row], list[Row]]:
    """Return the outcome rows of those who died, and of those of whom it is not known."""
    rows = list(cohort.outcome.values())
    return (
        [row for row in rows if row["died"] is True],
        [row for row in rows if row["died"] is None],
    )


def statuses(cohort: Cohort, criterion: str) -> Counter[str]:
    """Count the statuses of one definition at the moment that the protocol shows."""
    return Counter(row["status"] for row in cohort.criteria if row["criterion"] == criterion)


def event_title(event: str) -> str:
    """Return a safety event with the scale of its grades."""
    return f"{labels.heading(labels.event(event))}, {labels.scale(event)}"


def doses_within(cohort: Cohort, person: str, episodes: list[Row]) -> list[Row]:
    """Return the doses of the drug of interest inside some treatment episodes, in order."""
    mine = [r for r in cohort.steps if r["person_id"] == person and r["drug"] == cohort.drug]
    kept = [
        row
        for row in mine
        if any(e["start"] <= row["start"] <= max(e["end"], e["start"]) for e in episodes)
    ]
    return sorted(kept, key=lambda row: row["start"])
