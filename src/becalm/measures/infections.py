"""Infections proven by culture: what grew, where, whether it counts, and whether it was new.

A sample counts by when it was collected, not when its result came. Growth that does not count stays in
the table with the reason. What nobody knows (an organism, a site, whether antibiotics were given) leaves
the question open: such growth is neither an infection nor none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.measures.on_treatment import Treated
from becalm.measures.stage import Stage, StageInput
from becalm.patients.context import GROWN, HARMLESS
from becalm.tables import INFECTIONS
from becalm.timeline import Intervals
from becalm.vocabulary import organism_kinds, words
from becalm.vocabulary.organism_kinds import BACTERIAL, NOT_UNDERSTOOD, Organism

FILE: Final = Path(__file__).with_suffix(".toml")
SCREEN: Final = "screen"
JUDGED: Final = "infection"


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
    """One culture that grew one organism. `last` is the last moment at which it may have been collected."""

    person: int
    collected: int
    last: int
    site: str
    sterile: bool
    organism: Organism
    judged: str
    row: str

    @property
    def dated(self) -> bool:
        """Whether only the date is known."""
        return self.last > self.collected


@dataclass(frozen=True)
class Verdict:
    """What a sample counts as, how it was proven, and why it does not count."""

    counts_as: str = ""
    proven: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Antibiotics:
    """When systemic antibiotics were given; `known` is whether the records have doses at all."""

    given: Intervals
    known: bool

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


def antibiotics(given: StageInput) -> Antibiotics:
    """Return when antibiotics were given to the cohort."""
    named = [
        each.name for each in given.patients.vocabulary.drugs if each.drug_class == "antibiotic"
    ]
    exposure = given.patients.doses.exposure(*named)
    inside = exposure.take(given.in_cohort[exposure.person])
    return Antibiotics(inside, len(given.patients.records.administrations) > 0)


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


def samples(given: StageInput) -> list[Sample]:
    """Return what grew in the cohort, by person, time and row; virus tests that detected one included."""
    table, vocabulary = given.patients.records.cultures, given.patients.vocabulary
    grown = np.isin(table["result"].astype(str), sorted(GROWN)) & given.in_cohort[table["person"]]
    grown &= table["collected"] != UNKNOWN_TIME
    found = []
    for at in np.flatnonzero(grown).tolist():
        written = vocabulary.row_words.stated("organism", str(table["organism"][at]))
        test = str(table["test"][at])
        site, sterile = site_of(str(table["specimen"][at]), test, given)
        collected = int(table["collected"][at])
        found.append(
            Sample(
                int(table["person"][at]),
                collected,
                collected + DAY - 1 if table["date_only"][at] else collected,
                site,
                sterile,
                organism_kinds.of(written if written.strip() else test),
                str(table["judged"][at]),
                f"cultures:{table['key'][at]}",
            )
        )
    return sorted(found, key=lambda each: (each.person, each.collected, each.row))


def verdict(sample: Sample, others: list[Sample], given: Antibiotics) -> Verdict:
    """Return what a sample counts as. others : all samples of the same person."""
    kind = sample.organism.kind
    why_not = _never(sample)
    if sample.judged == JUDGED and kind != "flora":
        return Verdict(f"{BACTERIAL if kind == NOT_UNDERSTOOD else kind} infection", "judged")
    if why_not:
        return Verdict(reason=why_not)
    if sample.sterile and sample.organism.commensal:
        return _commensal(sample, others, file().rules)
    if sample.sterile:
        return Verdict(f"{kind} infection", "sterile site")
    if sample.site in file().sites.treated and kind == BACTERIAL:
        return _treated(sample, given, file().rules)
    return Verdict(reason="a site where organisms live")


def _never(sample: Sample) -> str:
    """Return why growth proves no infection unless a clinician judged it one, '' if it may."""
    if sample.judged in HARMLESS:
        return f"judged {sample.judged}"
    if sample.organism.kind == "flora":
        return "flora that lives there"
    if sample.organism.kind == NOT_UNDERSTOOD:
        return "the organism is not understood"
    if sample.site == NOT_UNDERSTOOD:
        return "the specimen is not understood"
    return "looks for carriage" if sample.site == SCREEN else ""


def _commensal(sample: Sample, others: list[Sample], rule: InfectionRules) -> Verdict:
    """Return the verdict on a commensal in a sterile site: two separate draws within the time."""
    near = [
        (max(each.last - sample.collected, sample.last - each.collected), each)
        for each in others
        if each.organism.name == sample.organism.name
        and each.sterile
        and each.judged not in HARMLESS
        and (each.collected, each.last) != (sample.collected, sample.last)
    ]
    if any(farthest <= rule.commensal_within.us for farthest, _ in near):
        return Verdict("bacterial infection", "two draws")
    possible = any(
        max(each.collected - sample.last, sample.collected - each.last) <= rule.commensal_within.us
        for _, each in near
    )
    if possible:
        return Verdict(reason="a commensal in two draws, and only dates say how far apart")
    return Verdict(reason="a commensal in one draw only")


def _treated(sample: Sample, given: Antibiotics, rule: InfectionRules) -> Verdict:
    """Return the verdict on growth in urine or airway: enough days with an antibiotic."""
    days = antibiotic_days(sample, given)
    if days >= rule.antibiotic_days:
        return Verdict("bacterial infection", "treated")
    if not given.known:
        return Verdict(
            reason="the records have no doses, so nobody can tell whether it was treated"
        )
    return Verdict(
        reason=f"{sample.site} with {days} days of antibiotic, fewer than {rule.antibiotic_days}"
    )


def antibiotic_days(sample: Sample, given: Antibiotics) -> int:
    """Return the days with an antibiotic around a sample."""
    rule = file().rules
    first, last = sample.collected - rule.antibiotic_from.us, sample.last + rule.antibiotic_to.us
    return given.days(sample.person, first, last)


@dataclass(frozen=True)
class Episode:
    """Samples of one person with the same organism at the same site, none long after the one before."""

    samples: tuple[Sample, ...]
    verdict: Verdict

    @property
    def first(self) -> Sample:
        """The first sample."""
        return self.samples[0]


def episodes(found: list[Sample], given: Antibiotics) -> Iterator[Episode]:
    """Yield the episodes of all persons; an episode counts if one of its samples does.

    It begins with the first sample that counts, if one does.
    """
    of_person: dict[int, list[Sample]] = {}
    for sample in found:
        of_person.setdefault(sample.person, []).append(sample)
    for mine in of_person.values():
        groups: dict[tuple[str, str], list[list[Sample]]] = {}
        for sample in mine:
            runs = groups.setdefault((sample.site, sample.organism.name), [])
            if runs and sample.collected - runs[-1][-1].collected <= file().rules.episode_gap.us:
                runs[-1].append(sample)
            else:
                runs.append([sample])
        for run in (run for runs in groups.values() for run in runs):
            verdicts = [verdict(sample, mine, given) for sample in run]
            counted = next((i for i, each in enumerate(verdicts) if each.counts_as), 0)
            yield Episode(tuple(run[counted:]), verdicts[counted])


def new_onset(
    episode: Episode, found: Mapping[int, list[Sample]], t0: int, given: StageInput
) -> bool | None:
    """Return whether an episode is new after time zero; None where dates or a missing time zero leave it open."""
    rule, first = given.protocol.infection, episode.first
    if t0 == UNKNOWN_TIME:
        return None
    bound = t0 + rule.new_after.us
    if first.last <= bound:
        return False
    earlier = [
        each
        for each in found[first.person]
        if each.organism.name == first.organism.name
        and each.row not in {one.row for one in episode.samples}
        and each.last < first.collected
        and each.last >= first.collected - rule.other_than_in.us
    ]
    if earlier:
        return False
    return True if first.collected > bound else None


def measure(given: StageInput) -> Frame:
    """Fill the table `infections`."""
    found, drugs = samples(given), antibiotics(given)
    cohort = given.cohort
    row_of = {int(who): i for i, who in enumerate(cohort["person"].tolist())}
    by_person: dict[int, list[Sample]] = {}
    for sample in found:
        by_person.setdefault(sample.person, []).append(sample)
    rows = []
    since = file().rules.shown_from.us
    for episode in episodes(found, drugs):
        first = episode.first
        i = row_of[first.person]
        t0 = int(cohort["t0"][i])
        if t0 != UNKNOWN_TIME and episode.samples[-1].last < t0 - since:
            continue
        rows.append((i, episode, new_onset(episode, by_person, t0, given), t0))
    at = np.array([i for i, *_ in rows], np.intp)
    onset = np.array([each.first.collected for _, each, *_ in rows], np.int64)
    last = np.array([each.first.last for _, each, *_ in rows], np.int64)
    t0s = np.array([t0 for *_, t0 in rows], np.int64)
    treated = Treated.of(cohort, given.patients.doses, given.protocol)
    shown = cohort.take(at)
    return Frame.of(
        INFECTIONS,
        person_id=shown["person_id"],
        onset=onset,
        onset_is=["date" if each.first.dated else "exact" for _, each, *_ in rows],
        hours_from_t0=np.where(t0s == UNKNOWN_TIME, np.nan, (onset - t0s) / HOUR),
        last_positive=[each.samples[-1].collected for _, each, *_ in rows],
        site=[each.first.site for _, each, *_ in rows],
        organism=[each.first.organism.name for _, each, *_ in rows],
        **{"class": [each.first.organism.kind for _, each, *_ in rows]},
        commensal=[
            None if each.first.organism.kind == NOT_UNDERSTOOD else each.first.organism.commensal
            for _, each, *_ in rows
        ],
        draws=[len({one.collected for one in each.samples}) for _, each, *_ in rows],
        counts_as=[each.verdict.counts_as for _, each, *_ in rows],
        proven=[each.verdict.proven for _, each, *_ in rows],
        reason=[each.verdict.reason for _, each, *_ in rows],
        new_onset=[new for _, _, new, _ in rows],
        antibiotic_days=[
            antibiotic_days(each.first, drugs) if drugs.known else -1 for _, each, *_ in rows
        ],
        on_drug=treated.answers(shown, onset, last),
        source_row=["|".join(one.row for one in each.samples) for _, each, *_ in rows],
    ).sort(*INFECTIONS.key)


STAGES: Final = (Stage(INFECTIONS, measure),)
