"""What so many patients can show of a response, and so many infections of the dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from becalm.core.digits import percentage
from becalm.report import facts, what_n_shows
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned
from becalm.report.text import UNKNOWN, answer, interval
from becalm.report.theme import Figure
from becalm.report.what_n_shows import MULTIPLES, EventsNeeded
from becalm.study.result import PER_PERSON

OF_RATES: Final = "True rates that the result fits, and those that would have been seen"
OF_EVENTS: Final = "Infections that the question of the dose takes"
NONE: Final = "none"


def of_rates(cohort: Cohort, drill: Drill) -> PageTable:
    """Return, of each clock, the true rates that the result allows, and the smallest that would be seen."""
    rows: list[list[Any]] = []
    for clock in cohort.clocks:
        found = what_n_shows.shown(cohort, clock)
        if found is None:
            continue
        primary = facts.primary(cohort, clock)
        people = [
            [row["person_id"], facts.primary_answer(cohort, row["response"])]
            for row in [*primary.yes, *primary.no]
        ]

        def opened(shown: str, lines: list[list[str]] = people, of: int = found.of) -> Any:
            return drill.people(shown, ["patient", "result"], lines[:PER_PERSON], of)

        cells: list[Any] = [
            f"from {cohort.clock_from(clock)}" if cohort.drug else cohort.zero,
            opened(f"{found.yes:,} of {found.of:,}"),
            opened(what_n_shows.rates(found.allows)),
            opened(f"{what_n_shows.percent(found.at_least)}\u00a0%"),
        ]
        if found.without:
            smallest = found.smallest
            seen = NONE if smallest is None else f"{what_n_shows.percent(smallest)}\u00a0%"
            link = Markup('<a href="#without_drug">{}</a>').format(what_n_shows.told(found.without))
            cells += [link, opened(seen)]
        rows.append(cells)
    word = "responded" if cohort.claim == "response" else "fell"
    rule = what_n_shows.rules()
    head = ["Clock", f"{word} at 48\u00a0h", "true rates that this fits (exact, 95\u00a0%)", "at least (exact, one-sided 95\u00a0%)"]  # fmt: skip
    if what_n_shows.rate_without(cohort):
        head += ["compared with", f"smallest true rate that would be seen ({percentage(rule.probability)}\u00a0%)"]  # fmt: skip
    return PageTable(head, rows)


def of_events(cohort: Cohort) -> PageTable | None:
    """Return how many infections each ratio of rates takes."""
    found = what_n_shows.events(cohort)
    if found is None:
        return None
    # The infections lead to their days at risk; how many are needed is a calculation from the ratio alone.
    here = Markup('<a href="#infection_by_dose">{}</a>').format(
        interval(found.seen, found.seen + found.possible)
    )
    rows: list[list[Any]] = [
        [f"{MULTIPLES.get(ratio, f'{ratio} times')} as frequent", UNKNOWN if number is None else f"{number:,}",
         here, answer(_enough(found, number))]
        for ratio, number in found.needed.items()
    ]  # fmt: skip
    return PageTable(
        ["Infections at the higher dose", "infections needed", "infections here", "enough"], rows
    )


def _enough(found: EventsNeeded, number: int | None) -> bool | None:
    """Return whether there are enough infections; None where that depends on the possible ones."""
    if number is None or found.seen + found.possible < number:
        return False
    return True if found.seen >= number else None


def section(cohort: Cohort, drill: Drill, _: Mapping[str, Figure]) -> Section | None:
    """Return the section; None where nobody's result is known."""
    of_results = of_rates(cohort, drill)
    if not of_results.rows:
        return None
    rule = what_n_shows.rules()
    chance, error = percentage(rule.probability), f"{percentage(rule.error)}\u00a0%"
    intro = [
        "A true rate is the rate among very many such patients. These are calculations, and no test of the results: "
        "that a study could not have seen a difference does not mean that there is none."
    ]
    if what_n_shows.rate_without(cohort):
        intro.append(
            f"A rate would be seen if, in {chance}\u00a0% of such studies, Fisher's exact two-sided test of these patients "
            f"and those without the drug gave a p-value below {error}. The two groups differ in more than the drug."
        )
    events = of_events(cohort)
    dose = what_n_shows.events(cohort)
    if dose:
        intro.append(
            "Of the dose: so many infections are needed if the days at the higher and the lower dose are equally many "
            f"(exact binomial test, {chance}\u00a0%, two-sided {error}); with other shares of the days the numbers differ. With "
            f"fewer than {dose.fewest} infections no ratio could then be seen, even if all of them were at one dose."
        )
    tables = [captioned(of_results, OF_RATES)]
    if events:
        tables.append(captioned(events, OF_EVENTS))
    title = f"What {cohort.n:,} patients can show" if cohort.n > 1 else "What 1 patient can show"
    return Section(title, intro, tables=tables)


SECTION: Final = DeclaredSection("what_n_shows", 52, section)
