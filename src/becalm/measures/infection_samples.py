"""What grew in the cultures of the cohort, and when antibiotics were given: what the rule of an infection reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Mask
from becalm.core.clock import DAY, UNKNOWN_TIME, Length
from becalm.measures.stage import StageInput
from becalm.patients.context import FREE, GROWN, is_antibody
from becalm.timeline import Intervals
from becalm.vocabulary import organism_kinds, words
from becalm.vocabulary.organism_kinds import NOT_UNDERSTOOD, Organism

FILE: Final = Path(__file__).with_name("infections.toml")
SCREEN: Final = "screen"
PENDING: Final = "pending"
CANCELLED: Final = "cancelled"
CULTURED: Final = frozenset({"growth", "no growth"})
"""The results of a culture; other tests look for one germ."""
NOT_KNOWN: Final = Organism("not known", NOT_UNDERSTOOD, commensal=False)
"""What may have grown in a sample whose result nobody knows."""


class Sites(toml.TomlTable, frozen=True):
    """Where growth means an infection."""

    sterile: tuple[str, ...]
    not_sterile: tuple[str, ...]
    treated: tuple[str, ...]
    screens: tuple[str, ...]
    source: str


class InfectionRules(toml.TomlTable, frozen=True):
    """The lengths and counts of the rule."""

    commensal_within: Length
    antibiotic_days: int
    antibiotic_from: Length
    antibiotic_to: Length
    episode_gap: Length
    shown_from: Length
    death_within: Length
    antibiotic_within: Length
    source: str


class InfectionFile(toml.TomlTable, frozen=True):
    """The file `infections.toml`."""

    sites: Sites
    rules: InfectionRules


def file() -> InfectionFile:
    """Return the shipped rules."""
    return toml.load(FILE, InfectionFile)


@dataclass(frozen=True)
class Sample:
    """One culture that grew one organism, or may have.

    collected, last : the first and the last moment at which it may have been collected, µs; both
    `UNKNOWN_TIME` if nobody wrote when. open_result : why nobody knows whether anything grew; "" where it did.
    """

    person: int
    collected: int
    last: int
    site: str
    sterile: bool
    antibody: bool
    organism: Organism
    judged: str
    row: str
    open_result: str = ""

    @property
    def dated(self) -> bool:
        """Whether only the date is known."""
        return self.last > self.collected

    @property
    def timed(self) -> bool:
        """Whether the time or the date is known."""
        return self.collected != UNKNOWN_TIME

    @property
    def may_be_sterile(self) -> bool:
        """Whether it is from a place where nothing lives, or nobody knows from where."""
        return self.sterile or self.site in (NOT_UNDERSTOOD, "not stated")


@dataclass(frozen=True, eq=False)
class Antibiotics:
    """When systemic antibiotics were given; `known` says of each person whether the records have any of their doses."""

    given: Intervals
    known: Mask

    def days(self, person: int, first: int, last: int) -> int:
        """Return the number of dates in [first, last] on which one was given."""
        of = (self.given.person == person) & (self.given.start <= last) & (self.given.end > first)
        start = np.maximum(self.given.start[of], first) // DAY
        end = np.minimum(self.given.end[of] - 1, last) // DAY
        dates: set[int] = set()
        for begin, stop in zip(start.tolist(), end.tolist(), strict=True):
            dates.update(range(begin, stop + 1))
        return len(dates)

    def between(self, person: int, first: int, last: int) -> bool:
        """Return whether one was given in [first, last]."""
        of = self.given.person == person
        return bool(((self.given.start[of] <= last) & (self.given.end[of] > first)).any())

    def around(self, sample: Sample) -> tuple[int, int]:
        """Return the fewest and the most days with an antibiotic around a sample; they differ where only the date is known."""
        if not sample.timed:
            return 0, 0
        before, after = file().rules.antibiotic_from.us, file().rules.antibiotic_to.us
        fewest = self.days(sample.person, sample.last - before, sample.collected + after)
        return fewest, self.days(sample.person, sample.collected - before, sample.last + after)


def antibiotics(given: StageInput) -> Antibiotics:
    """Return when antibiotics were given to the cohort."""
    named = [
        each.name for each in given.patients.vocabulary.drugs if each.drug_class == "antibiotic"
    ]
    exposure = given.patients.doses.exposure(*named)
    inside = exposure.take(given.in_cohort[exposure.person])
    dosed = given.patients.records.administrations["person"]
    return Antibiotics(inside, np.isin(np.arange(len(given.patients)), dosed))


def site_of(specimen: str, test: str, given: StageInput) -> tuple[str, bool]:
    """Return where a sample is from, and whether nothing lives there."""
    rule = file().sites
    label = f" {words(specimen)} {words(test)} "
    if any(f" {words(word)} " in label for word in rule.screens):
        return SCREEN, False
    said = given.patients.vocabulary.row_words.specimen(specimen)
    if said.fate == "not understood":
        return NOT_UNDERSTOOD, False
    material = said.said[0][0] if said.said else "not stated"
    plain = f" {words(specimen)} "
    lived_in = any(f" {words(word)} " in plain for word in rule.not_sterile)
    return material, material in rule.sterile and not lived_in


def cultured(given: StageInput) -> Mask:
    """Return which rows of the cultures are of a sample in which growth of bacteria was looked for, with a result.

    Not a test that was cancelled or has no result, not a search for carriage, and no search for one germ or an antibody.
    """
    table = given.patients.records.cultures
    found: Mask = np.isin(table["result"].astype(str), sorted(CULTURED))
    for at in np.flatnonzero(found).tolist():
        site, _ = site_of(str(table["specimen"][at]), str(table["test"][at]), given)
        found[at] = site != SCREEN
    return found


def samples(given: StageInput) -> list[Sample]:
    """Return what grew in the cohort, by person, time and row; other tests that detected a germ included.

    A cell that names several organisms gives one sample for each. A sample is there also where nobody knows whether
    anything grew: the result is pending, or no test of that sample has a result that is understood. Tests for antibodies
    are left out then, because they prove nothing either way.
    """
    table, vocabulary = given.patients.records.cultures, given.patients.vocabulary
    mine = given.in_cohort[table["person"]]
    grown = mine & np.isin(table["result"].astype(str), sorted(GROWN))
    open_ = {at: why for at, why in _open_results(given).items() if mine[at]}
    found: list[Sample] = []
    for at in np.flatnonzero(grown).tolist() + list(open_):
        written = vocabulary.row_words.stated("organism", str(table["organism"][at]))
        specimen, test = str(table["specimen"][at]), str(table["test"][at])
        antibody = is_antibody(specimen, test)
        if at in open_ and antibody:
            continue
        site, sterile = site_of(specimen, test, given)
        collected = int(table["collected"][at])
        dated = table["date_only"][at] and collected != UNKNOWN_TIME
        named = organism_kinds.all_of(written if written.strip() else test)
        if at in open_ and all(each.kind == NOT_UNDERSTOOD for each in named):
            named = (NOT_KNOWN,)
        found.extend(
            Sample(
                int(table["person"][at]),
                collected,
                collected + DAY - 1 if dated else collected,
                site,
                sterile,
                antibody and str(table["result"][at]) == "detected",
                organism,
                str(table["judged"][at]),
                f"cultures:{table['key'][at]}",
                open_.get(at, ""),
            )
            for organism in named
        )
    return sorted(_one_each(found), key=lambda each: (each.person, each.collected, each.row))


def _one_each(found: list[Sample]) -> list[Sample]:
    """Return the samples with one for all tests of a sample of which nobody knows whether anything grew."""
    kept: list[Sample] = []
    place: dict[Sample, int] = {}
    for each in found:
        alike = replace(each, row="", open_result="")
        if each.organism is NOT_KNOWN and alike in place:
            at = place[alike]
            kept[at] = replace(kept[at], row=f"{kept[at].row}|{each.row}")
            continue
        if each.organism is NOT_KNOWN:
            place[alike] = len(kept)
        kept.append(each)
    return kept


def _open_results(given: StageInput) -> dict[int, str]:
    """Return the rows of cultures of which nobody knows whether anything grew, and why.

    A row without a result, or with one that is not understood, is left out where another test of the same sample has one.
    """
    table = given.patients.records.cultures
    result = table["result"].astype(str)
    columns = (table["person"].tolist(), table["collected"].tolist(), table["specimen"].tolist())
    sample = list(zip(*columns, strict=True))
    told = np.isin(result, sorted(GROWN | FREE))
    known = {sample[at] for at in np.flatnonzero(told).tolist()}
    found = dict.fromkeys(np.flatnonzero(result == PENDING).tolist(), "its result is pending")
    for at in np.flatnonzero(~told & (result != PENDING) & (result != CANCELLED)).tolist():
        if sample[at] not in known:
            found[at] = "its result is not known"
    return found
