"""The tables of a release: aggregates with small counts suppressed and all others rounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from becalm.core import stats
from becalm.core.digits import percentage
from becalm.core.spreadsheets import csv_text
from becalm.report.release.aggregates import (
    COHORT,
    GIVEN,
    NOT_COUNTED,
    OTHERS,
    Aggregates,
    CountGroup,
    ValueGroup,
)
from becalm.report.release.protection import Counts, protect
from becalm.report.release.rules import DisclosureRules, coarse, numbers

HIDDEN: Final = "suppressed"
COUNTED: Final = ("count", "n", "percent", "low95", "high95")
HEADS: Final = {
    "patients": ("about", "value"), "criteria": ("definition", "status"),
    "landmark": ("definition", "outcome of the stay"), "items": ("item", "state"),
    "primary": ("clock", "result"), "safety": ("event", "shift"), "outcome": ("about", "value"),
    "without_drug": ("index", "result"),
}  # fmt: skip
"""The tables of counts in their order, with the columns that say what is counted."""
SPREAD: Final = ("about", "median", "quartile1", "quartile3", "n")
_OTHER_DRUG: Final = "any other immunotherapy"


@dataclass(frozen=True)
class ReleaseSheet:
    """One aggregate table: printed on the page, and written as a CSV of its own."""

    name: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def csv(self) -> str:
        """Return the table as CSV; a suppressed cell says so."""
        return csv_text(self.head, self.rows)


def sheets(found: Aggregates, rules: DisclosureRules) -> list[ReleaseSheet]:
    """Return every table of a release; which there are does not depend on what the records hold."""
    printed = protect(counts(found), rules, [{COHORT}, set(map(known_name, found.groups))])
    if not found.n:
        printed[COHORT] = 0
    tables = [_attrition(found, printed)]
    for name, head in HEADS.items():
        groups = [group for group in found.groups if group.sheet == name]
        if groups:
            rows = list(_rows(groups, printed, rules))
            tables.append(ReleaseSheet(name, found.titles[name], (*head, *COUNTED), rows))
    rows = [row for each in found.values for row in _spread(each, printed, rules)]
    tables.append(ReleaseSheet("distributions", found.titles["distributions"], SPREAD, rows))
    return tables


def counts(found: Aggregates) -> Counts:
    """Return all counts of a study and the sums between them, as a reader of its release knows them."""
    made = Counts()
    made.add(COHORT, found.n)
    steps = [
        COHORT if i == len(found.steps) - 1 else made.add(step_name(i), step.persons)
        for i, step in enumerate(found.steps)
    ]
    for i, (before, after) in enumerate(pairwise(steps)):
        lost = made.true[before] - made.true[after]
        made.add(f"lost|{i}", lost, printable=False)
        made.total(before, [after, f"lost|{i}"], "attrition")
    for group in found.groups:
        _add(made, group)
    _add_ends(made, found.groups)
    for each in found.values:
        if each.n <= found.n:
            name = made.add(value_name(each), each.n)
            rest = made.add(f"{name}|{NOT_COUNTED}", found.n - each.n, printable=False)
            made.total(COHORT, [name, rest], name)
    return made


def step_name(i: int) -> str:
    """Return the name of the count of those who remain after a step."""
    return f"attrition|{i}"


def value_name(group: ValueGroup) -> str:
    """Return the name of the count of those of whom a number is known."""
    return f"distributions|{group.about}"


def cell_name(group: CountGroup, label: str) -> str:
    """Return the name of one count of a group."""
    return f"{group.name}|{label}"


def known_name(group: CountGroup) -> str:
    """Return the name of the count of those of whom it is known."""
    return f"{group.name}|(known)" if group.unknown else group.total


def _block(group: CountGroup) -> str:
    return "landmark" if group.sheet == "landmark" else group.name


def _add(made: Counts, group: CountGroup) -> None:
    total = group.total
    if made.true.get(total) != group.n:
        total = made.add(f"{group.name}|(all)", group.n, printable=False)
    names = {
        label: made.add(cell_name(group, label), n, printable=label not in group.hidden)
        for label, n in group.counts.items()
    }
    if not group.named and not group.hidden:
        # All others that the records might have named: there is a row for them, whether there are any or not.
        names[OTHERS] = made.add(cell_name(group, OTHERS), 0, printable=False)
    apart = {*group.unknown, *group.hidden}
    shares = [name for label, name in names.items() if label not in apart]
    others = [name for label, name in names.items() if label in apart]
    if group.unknown:
        known = made.add(known_name(group), sum(made.true[name] for name in shares))
        made.total(known, shares, _block(group))
        shares = [known]
    made.total(total, [*shares, *others], _block(group))


def _add_ends(made: Counts, groups: Iterable[CountGroup]) -> None:
    """Say that by every definition as many died: those of all its statuses are the same persons."""
    by_definition: dict[str, list[CountGroup]] = {}
    for group in groups:
        if group.sheet == "landmark":
            by_definition.setdefault(group.about.rpartition(": ")[0], []).append(group)
    for own in by_definition.values():
        for label in own[0].counts:
            parts = [cell_name(group, label) for group in own]
            total, n = f"landmark|all|{label}", sum(made.true[part] for part in parts)
            if made.true.get(total, n) == n:
                made.total(made.add(total, n, printable=False), parts, "landmark")


def _attrition(found: Aggregates, printed: Mapping[str, int]) -> ReleaseSheet:
    last = len(found.steps) - 1
    rows = [
        [step.reason, _shown(printed.get(COHORT if i == last else step_name(i)))]
        for i, step in enumerate(found.steps)
    ]
    return ReleaseSheet("attrition", found.titles["attrition"], ("step", "persons"), rows)


def _shown(count: int | None) -> str:
    return HIDDEN if count is None else str(count)


def _rows(
    groups: Sequence[CountGroup], printed: Mapping[str, int], rules: DisclosureRules
) -> Iterable[list[str]]:
    """Yield the rows of one table. Labels of the records are only named where their count is printed.

    Naming a disease beside a suppressed count would say that somebody of a handful has it. What is not named
    has one row, whether there is anybody or not.
    """
    for group in groups:
        for label in group.counts:
            row = _row(group, label, printed, rules)
            if label in group.hidden or (not group.named and row[2] == HIDDEN):
                continue
            yield row
        if not group.named and group.about != GIVEN:
            yield [group.about, OTHERS, *[HIDDEN] * len(COUNTED)]
    if any(group.sheet == "patients" for group in groups):
        yield [GIVEN, _OTHER_DRUG, *[HIDDEN] * len(COUNTED)]


def _row(
    group: CountGroup, label: str, printed: Mapping[str, int], rules: DisclosureRules
) -> list[str]:
    """Return one count with its share and an interval, both of the printed numbers."""
    whole = printed.get(group.total if label in group.unknown else known_name(group))
    count = printed.get(cell_name(group, label))
    start = [group.about, label, _shown(count), _shown(whole)]
    limits = None if count is None or not whole else stats.proportion(min(count, whole), whole)
    # A share of all says that nobody is without: that is a count of 0, which is not printed.
    if limits is None or count is None or not whole or (count >= whole and rules.threshold > 1):
        return [*start, HIDDEN, HIDDEN, HIDDEN]
    return [*start, *(percentage(share) for share in (count / whole, *limits))]


def _spread(
    group: ValueGroup, printed: Mapping[str, int], rules: DisclosureRules
) -> Iterable[list[str]]:
    """Yield a median, and quartiles where each quarter holds enough persons."""
    known = printed.get(value_name(group))
    if group.n < numbers().median_from * rules.threshold or known is None:
        return
    spread = [HIDDEN, HIDDEN]
    if group.n >= numbers().quartiles_from * rules.threshold:
        spread = [coarse(group.quartile1), coarse(group.quartile3)]
    yield [group.about, coarse(group.median), *spread, str(known)]


def suppressed_share(given: Sequence[ReleaseSheet]) -> tuple[int, int]:
    """Return how many counts are suppressed, and how many there are."""
    at = {"attrition": 1, "distributions": 4}
    cells = [row[at.get(sheet.name, 2)] for sheet in given for row in sheet.rows]
    return cells.count(HIDDEN), len(cells)
