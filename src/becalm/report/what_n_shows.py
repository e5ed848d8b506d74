"""What so many patients can show: calculated from their number and from the rate without the drug."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from becalm.core import power, stats, toml
from becalm.core.digits import fixed, percentage
from becalm.report import facts, without_drug
from becalm.report.cells import marked
from becalm.report.cohort import Cohort
from becalm.report.sections.infection_by_dose import INFECTION
from becalm.report.sections.infection_by_dose import rates as rates_of_infection

FILE: Final = Path(__file__).with_suffix(".toml")
MULTIPLES: Final = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}


class WhatNShows(toml.TomlTable, frozen=True):
    """The file `what_n_shows.toml`."""

    error: float
    probability: float
    source: str
    ratios: tuple[int, ...]
    ratios_source: str
    otherwise: float
    otherwise_source: str


def rules() -> WhatNShows:
    """Return the shipped error, probability and ratios."""
    return toml.load(FILE, WhatNShows)


@dataclass(frozen=True)
class WithoutDrug:
    """The rate without the drug: how many of how many, and who they are; of 0 where a rate is assumed."""

    yes: int
    of: int
    share: float
    who: str = ""
    verified: bool = True


@dataclass(frozen=True)
class RatesAllowed:
    """What the result on one clock allows, and what so many patients could have shown.

    allows : the true rates that `yes` of `of` allows, exact, 95 %. at_least : the lowest of them where only
    lower rates are asked about. smallest : the smallest true rate that would have been told from the rate
    without the drug; None if there is none.
    """

    clock: str
    yes: int
    of: int
    allows: tuple[float, float]
    at_least: float
    without: WithoutDrug | None
    smallest: float | None


@dataclass(frozen=True)
class EventsNeeded:
    """How many infections there were, how many more are possible, and how many each ratio of rates takes.

    None where no number would do.
    """

    seen: int
    possible: int
    needed: dict[int, int | None]
    fewest: int  # with fewer no ratio at all can be seen


def shown(cohort: Cohort, clock: str) -> RatesAllowed | None:
    """Return what the primary result on a clock can show; None where nobody's is known."""
    found = facts.primary(cohort, clock)
    allows = stats.proportion(len(found.yes), found.known)
    one_sided = stats.proportion(len(found.yes), found.known, 1 - 2 * rules().error)
    if allows is None or one_sided is None:
        return None
    without = rate_without(cohort)
    smallest = _smallest(found.known, without) if without else None
    return RatesAllowed(clock, len(found.yes), found.known, allows, one_sided[0], without, smallest)


def rate_without(cohort: Cohort) -> WithoutDrug | None:
    """Return the rate of the primary result without the drug; None where no drug is studied."""
    if not without_drug.told(cohort):
        return None
    for each in without_drug.candidates(cohort):
        return WithoutDrug(each.yes, each.known, each.yes / each.known, each.who, each.verified)
    return WithoutDrug(0, 0, rules().otherwise)


@cache
def _smallest(n: int, without: WithoutDrug) -> float | None:
    rule = rules()
    return power.smallest_share_seen(
        n, without.of or n, without.share, rule.error, rule.probability
    )


def events(cohort: Cohort) -> EventsNeeded | None:
    """Return what so many infections can show of the dose; None where the protocol has no question of dose."""
    rule = cohort.result.protocol.person_time
    if not cohort.drug or rule is None or not rule.bands_24h:
        return None
    all_time = [row for row in rates_of_infection(cohort) if row["metric"] == "all"]
    seen = [row for row in all_time if row["end_event"] == INFECTION]
    if not seen:
        return None
    count, possible = seen[0]["events"], seen[0]["events_possible"]
    return EventsNeeded(count, possible, _needed(), power.fewest_events(rules().error))


@cache
def _needed() -> dict[int, int | None]:
    rule = rules()
    return {
        ratio: power.events_needed(ratio, rule.error, rule.probability) for ratio in rule.ratios
    }


def percent(share: float) -> str:
    """Return a rate with at most one decimal: `28.4`, `100`."""
    return percentage(share, 1).removesuffix(".0")


def rates(allows: tuple[float, float]) -> str:
    """Return an interval of rates in words: `28.4 to 99.5 %`."""
    return f"{percent(allows[0])} to {percent(allows[1])}\u00a0%"


def told(rate: WithoutDrug) -> Markup:
    """Say what the rate without the drug is, and whose."""
    if not rate.of:
        return Markup("an assumed {}\u00a0% without the drug").format(percentage(rate.share))
    whole = f"the {percentage(rate.share)}\u00a0% without the drug ({rate.yes:,} of {rate.of:,}, {rate.who})"
    return marked(whole, verified=rate.verified)


def sentence(cohort: Cohort) -> Markup:
    """Say in one sentence what so many patients can show; '' where nothing is known of anybody."""
    found = next((each for clock in cohort.clocks[:1] if (each := shown(cohort, clock))), None)
    if found is None:
        return Markup("")
    word = "response" if cohort.claim == "response" else "fall"
    parts: list[Any] = [
        f"a {word} in {found.yes} of {found.of} fits any true rate from {rates(found.allows)}"
    ]
    if found.without:
        chance = f"with a probability of {percentage(rules().probability)}\u00a0%"
        which = (
            "no true rate, not even 100\u00a0%,"
            if found.smallest is None
            else f"only a true rate of {percent(found.smallest)}\u00a0% or more"
        )
        parts.append(
            Markup("{} would be found different, {}, from {}").format(
                which, chance, told(found.without)
            )
        )
    if dose := events(cohort):
        parts.append(_dose(dose))
    *others, last = parts
    return Markup("; ").join([*others, Markup("and {}").format(last) if others else last]) + "."


def _dose(found: EventsNeeded) -> str:
    """Say how many infections the question of the dose takes: the smallest and the greatest ratio."""
    told = {ratio: number for ratio, number in found.needed.items() if number is not None}
    first, last = min(told), max(told)
    number = fixed(found.seen) if found.seen else "none"
    there = "there was 1" if found.seen == 1 else f"there were {number}"
    if found.possible:
        there += f", and {found.possible:,} more of which nobody can tell"
    words = (
        f"with equally many days at a high and a low dose, it takes {told[first]} infections to see that they are "
        f"{MULTIPLES[first]} as frequent at the high dose, and {told[last]} to see that they are "
        f"{MULTIPLES[last]} as frequent, but {there}"
    )
    if found.seen < found.fewest:
        return f"{words}, too few to show any difference"
    return words if found.seen < told[first] else words.replace("but", "and")
