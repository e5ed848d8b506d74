"""The same rule among those in the same records who did not get the drug, beside those who did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from becalm.measures.response import background
from becalm.report import labels, without_drug
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned
from becalm.report.text import UNKNOWN, age, number, share
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON

RESULTS: Final = "Lower at 48 h, with the drug and without it"
WHO: Final = "How they differ"
FALL: Final = "fall_"


def _rules(cohort: Cohort) -> dict[str, str]:
    """Return the rules that are shown, with their words: the response, falls, and single markers."""
    protocol = cohort.result.protocol
    marker = " and ".join(map(labels.variable, protocol.response.primary))
    words = {background.PRIMARY: "response by the protocol"} if protocol.response.primary else {}
    for part in protocol.response.graded_falls if words else ():
        words[f"{FALL}{round(100 * part)}"] = (
            f"{marker} lower by {round(100 * part)}\u00a0% or more"
        )
    for level in background.file().level:
        if level.variable in protocol.response.variables:
            words[level.variable] = f"{labels.variable(level.variable)} lower"
    return words


def _levels(cohort: Cohort) -> dict[str, background.Level]:
    """Return the levels that draw an index, by variable, where the definition alone finds too few."""
    return {each.variable: each for each in background.file().level} if without_drug.few(cohort) else {}  # fmt: skip


def results(cohort: Cohort, drill: Drill) -> PageTable:
    """Return k of n by each rule: with the drug from each clock, and without it."""
    few = without_drug.few(cohort)
    levels = _levels(cohort)
    other = {each.variable: each for each in background.file().elsewhere} if few else {}
    clocks = cohort.clocks[:1]
    rows: list[list[Any]] = []
    for rule, words in _rules(cohort).items():
        cells: list[Any] = [labels.heading(words)]
        for clock in clocks:
            cells.append(_with(cohort, drill, clock, rule))
        cells.append(_without(cohort, drill, background.STORM, rule))
        if few:
            level = levels.get(rule)
            cells.append(
                _without(cohort, drill, background.index_name(level), rule) if level else UNKNOWN
            )
            found = other.get(rule)
            cells.append(
                without_drug.Counted(found.fell, found.of, rule, "", False, found.verified).shown()
                if found
                else UNKNOWN
            )
        rows.append(cells)
    head = ["At 48\u00a0h", *[f"with the drug, from {cohort.clock_from(clock)}" for clock in clocks], "without the drug, from the first storm"]  # fmt: skip
    if few:
        head += [
            "without the drug, from the first high value",
            "in other records, from the first high value",
        ]
    return PageTable(head, rows)


def _cell(row: Row) -> str:
    return share(row["yes"], row["known"], row["with_index"] - row["known"])


def _with(cohort: Cohort, drill: Drill, clock: str, rule: str) -> Any:
    row = without_drug.row(cohort, background.WITH, clock, rule)
    if row is None:
        return UNKNOWN
    found: list[list[str]] = []
    if cohort.n <= PER_PERSON:
        if rule == background.PRIMARY or rule.startswith(FALL):
            name = "response" if rule == background.PRIMARY else rule
            mine = [each for each in cohort.primary if each["clock"] == clock]
        else:
            name = "status"
            mine = [each for each in cohort.response if (each["clock"], each["variable"]) == (clock, rule)]  # fmt: skip
        found = [[each["person_id"], _word(each[name])] for each in mine
                 if each["person_id"] not in cohort.not_analysed]  # fmt: skip
    return drill.people(_cell(row), ["patient", "result"], found)


def _word(said: Any) -> str:
    return {True: "yes", False: "no", None: "no sample"}.get(said, str(said))


def _without(cohort: Cohort, drill: Drill, index_by: str, rule: str) -> Any:
    row = without_drug.row(cohort, background.WITHOUT, index_by, rule)
    return without_drug.people(cohort, drill, _cell(row), index_by, rule) if row else "nobody"


def who(cohort: Cohort, drill: Drill) -> PageTable:
    """Return, of each group, who they are: described, and not compared."""
    marker = next(iter(cohort.result.protocol.response.primary), "")
    asked = [(background.WITH, clock, background.PRIMARY, marker) for clock in cohort.clocks[:1]]
    asked.append((background.WITHOUT, background.STORM, background.PRIMARY, marker))
    for variable, level in _levels(cohort).items():
        asked.append((background.WITHOUT, background.index_name(level), variable, variable))
    rows: list[list[Any]] = []
    for group, index_by, rule, variable in asked:
        row = without_drug.row(cohort, group, index_by, rule)
        if row is None or not row["with_index"]:
            continue
        values = without_drug.row(cohort, group, index_by, variable)
        opened = _openers(cohort, drill, group, index_by, rule)
        given = row["with_immunotherapy"]
        counts = [
            row["with_index"], row["women"], number(row["age_median"]),
            f"{labels.variable(variable)} {number(values['baseline_median'])}" if values else UNKNOWN,
            "all, the drug" if given < 0 else given,
            *(row[name] for name in ("died_persons", "no_sample", "died_before", "discharged_before")),
        ]  # fmt: skip
        shown = [f"{each:,}" if isinstance(each, int) else each for each in counts]
        rows.append([_group(cohort, group, index_by), *map(opened, shown)])
    head = ["Group", "patients", "women", "age, median", "value at the index, median", "immunotherapy around the index",
            "died", "no sample", "died before 48\u00a0h", "discharged before"]  # fmt: skip
    return PageTable(head, rows)


def _openers(
    cohort: Cohort, drill: Drill, group: str, index_by: str, rule: str
) -> Callable[[str], Any]:
    """Return what makes a number of a group open its persons."""
    if group == background.WITHOUT:
        return lambda shown: without_drug.people(cohort, drill, shown, index_by, rule)
    own = [row for row in cohort.persons if row["person_id"] not in cohort.not_analysed]
    lines = [[row["person_id"], row["sex"], age(row["age"])] for row in own[:PER_PERSON]]
    return lambda shown: drill.people(shown, ["patient", "sex", "age"], lines, len(own))


def _group(cohort: Cohort, group: str, index_by: str) -> str:
    if group == background.WITH:
        return f"with the drug, from {cohort.clock_from(index_by)}"
    if index_by == background.STORM:
        return "without the drug, from the first storm"
    level = next(each for each in background.file().level if background.index_name(each) == index_by)  # fmt: skip
    return f"without the drug, from the first high {labels.variable(level.variable)}"


def section(cohort: Cohort, drill: Drill, _: Mapping[str, Figure]) -> Section | None:
    """Return the section; None where no response to a drug is studied."""
    if not without_drug.told(cohort) or not cohort.described:
        return None
    drug = labels.drug(cohort.drug)
    least = background.file().here.fewest
    intro: list[Any] = [
        f"A marker that is tested when it is high is often lower two days later, whatever was given. So the same rule, "
        f"windows and limits are used for those in the same records who were never given {drug} by any route. Their index "
        "is the first moment at which the storm was definite or possible by the same definition; the conditions that "
        "exclude from the study exclude them, too.",
        "Nothing is tested: the groups differ in more than the drug.",
    ]
    if without_drug.few(cohort):
        found = without_drug.by_storm(cohort)
        known = found["known"] if found else 0
        high = ", ".join(without_drug.level_words(each) for each in background.file().level)
        intro.append(
            f"Of those without the drug, {known} had a known response: fewer than {least}. So beside them stand those whose "
            f"marker was high for the first time, with a storm or without ({high}); and counts in other, open "
            f"records, in which nobody had intravenous {drug}: {_sources()}. Nobody else has checked these counts."
        )
    return Section(
        "Without the drug",
        intro,
        tables=[captioned(results(cohort, drill), RESULTS), captioned(who(cohort, drill), WHO)],
    )


def _sources() -> str:
    return "; ".join(dict.fromkeys(each.source for each in background.file().elsewhere[:1]))


SECTION: Final = DeclaredSection("without_drug", 51, section)
