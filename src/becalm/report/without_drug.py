"""The results of those without the drug, as the report prints them beside those with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from becalm import vocabulary
from becalm.core.digits import fixed
from becalm.measures.response import background
from becalm.report import labels
from becalm.report.cells import marked
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.text import number, share, unit
from becalm.study.result import PER_PERSON


@dataclass(frozen=True)
class Counted:
    """How many had a result without the drug, and who they are.

    here : whether they are in the same records. rule : the protocol's response, or a variable that was lower.
    """

    yes: int
    known: int
    rule: str
    who: str
    here: bool = True
    verified: bool = True

    def shown(self) -> Any:
        """Return the counts with their exact interval; those of other records lead to their source, marked."""
        counts = share(self.yes, self.known)
        if self.here:
            return counts
        link = Markup('<a href="#without_drug">{}</a>').format(counts)
        return marked(link, verified=self.verified)


def told(cohort: Cohort) -> bool:
    """Whether the report tells what happened without the drug: where one is studied and a response claimed."""
    return bool(cohort.drug) and cohort.claim == "response"


def row(cohort: Cohort, group: str, index_by: str, rule: str) -> Row | None:
    """Return a row of `without_drug`; None where the records hold nobody with such an index."""
    for each in cohort.result.tables["without_drug"].rows():
        if (each["group"], each["index_by"], each["rule"]) == (group, index_by, rule):
            return each
    return None


def by_storm(cohort: Cohort) -> Row | None:
    """Return the row of the same rule from the same storm without the drug."""
    return row(cohort, background.WITHOUT, background.STORM, background.PRIMARY)


def few(cohort: Cohort) -> bool:
    """Whether too few without the drug have a known response for the definition of the storm alone to do."""
    return background.few(cohort.result.tables["without_drug"])


def level_words(level: background.Level | background.Elsewhere) -> str:
    """Say what draws the index: `first AST of 100 U/L or more`."""
    of = f"{fixed(level.at_least)}\u00a0{unit(vocabulary.load().variable(level.variable).unit)}"
    return f"first {labels.variable(level.variable)} of {of} or more"


def candidates(cohort: Cohort) -> Iterator[Counted]:
    """Yield the rates without the drug, the one most like the protocol's response first.

    By the same rule and the same storm; then, where those are too few, of each marker of the rule by its level
    in the same records; then in other records.
    """
    if not told(cohort):
        return
    rule, least = cohort.result.protocol.response, background.file().here.fewest
    found = by_storm(cohort)
    if found and found["known"] >= least:
        yield Counted(found["yes"], found["known"], background.PRIMARY, "by the same rule, from the same storm")  # fmt: skip
        return
    for variable in (*rule.primary, *rule.primary_any):
        for level in background.file().level:
            if level.variable != variable:
                continue
            found = row(cohort, background.WITHOUT, background.index_name(level), variable)
            if found and found["known"] >= least:
                who = f"{labels.variable(variable)} alone, after the {level_words(level)}"
                yield Counted(found["yes"], found["known"], variable, who)
    for other in background.file().elsewhere:
        if other.variable in (*rule.primary, *rule.primary_any):
            name = labels.variable(other.variable)
            who = f"{name} alone, after the {level_words(other)}, in other records"
            yield Counted(other.fell, other.of, other.variable, who, here=False, verified=other.verified)  # fmt: skip


def note(cohort: Cohort, drill: Drill) -> Any:
    """Say beside a response how many respond without the drug; '' where no drug is studied."""
    if not told(cohort):
        return ""
    found, parts = by_storm(cohort), []
    if found and found["with_index"]:
        shown = share(found["yes"], found["known"], found["with_index"] - found["known"])
        cell = people(cohort, drill, shown, background.STORM, background.PRIMARY)
        parts.append(Markup("without the drug, by the same rule: {}").format(cell))
    elif few(cohort):
        parts.append(Markup("nobody in these records had such a storm without the drug"))
    for each in list(candidates(cohort))[:1] if few(cohort) else []:
        parts.append(Markup("{}: {}").format(each.who, each.shown()))
    return Markup("; ").join(parts)


def people(cohort: Cohort, drill: Drill, shown: str, index_by: str, rule: str) -> Any:
    """Return a count that opens those without the drug whom it counts, the first of many."""
    table = cohort.result.tables["untreated"]
    mine = table.coded("index_by").among([index_by]) & table.coded("rule").among([rule])
    at = np.flatnonzero(mine)
    lines = [
        [each["person_id"], number(each["value_at_index"]), each["result"]]
        for each in table.take(at[:PER_PERSON]).rows()
    ]
    return drill.people(shown, ["person", "value at the index", "result"], lines, len(at))
