"""Infections proven by culture: what grew, where, whether it counts, and whether it was new.

A sample counts by when it was collected, not when its result came. Growth that does not count stays in
the table with the reason. What nobody knows (a result, an organism, a site, whether antibiotics were given) leaves
the question open: such a sample is neither an infection nor none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.infection_samples import (
    SCREEN,
    Antibiotics,
    InfectionRules,
    Sample,
    antibiotics,
    file,
    samples,
)
from becalm.measures.on_treatment import Treated
from becalm.measures.stage import Stage, StageInput
from becalm.patients.context import HARMLESS
from becalm.protocol import Infection
from becalm.tables import INFECTIONS
from becalm.vocabulary.organism_kinds import BACTERIAL, NOT_UNDERSTOOD

JUDGED: Final = "infection"
LIVED_IN: Final = "a site where organisms live"


@dataclass(frozen=True)
class Verdict:
    """What a sample counts as, how it was proven, why it does not count; `open` where nobody can tell."""

    counts_as: str = ""
    proven: str = ""
    reason: str = ""
    open: bool = False

    @property
    def counts(self) -> bool | None:
        """Whether it counts as an infection; None where nobody can tell."""
        return None if self.open else bool(self.counts_as)


def verdict(sample: Sample, others: list[Sample], given: Antibiotics) -> Verdict:
    """Return what a sample counts as. others : all samples of the same person."""
    decided = _judged(sample) or _never(sample) or _without_result(sample, given)
    decided = decided or _without_site(sample)
    if decided is not None:
        return decided
    kind = sample.organism.kind
    if sample.sterile and sample.organism.commensal:
        return _commensal(sample, others, file().rules)
    if sample.sterile:
        return Verdict(f"{kind} infection", "sterile site")
    if kind == BACTERIAL and sample.site in file().sites.treated:
        return _treated(sample, given, file().rules)
    if kind == BACTERIAL:
        return Verdict(reason=LIVED_IN)
    return Verdict(reason="it may only live there: a clinician judges it", open=True)


def _judged(sample: Sample) -> Verdict | None:
    """Return the verdict of a clinician; None where there is none."""
    kind = sample.organism.kind
    if sample.judged in HARMLESS:
        return Verdict(reason=f"judged {sample.judged}")
    if sample.judged != JUDGED or kind == "flora":
        return None
    if kind == NOT_UNDERSTOOD:
        return Verdict(reason="judged an infection, but the organism is not understood", open=True)
    return Verdict(f"{kind} infection", "judged")


def _never(sample: Sample) -> Verdict | None:
    """Return the verdict on growth that proves no infection; None if it may."""
    if sample.organism.kind == "flora":
        return Verdict(reason="flora that lives there")
    if sample.antibody:
        return Verdict(reason="an antibody, which stays after an infection")
    if sample.site == SCREEN and sample.organism.kind != "viral":
        return Verdict(reason="looks for carriage")
    return None


def _without_result(sample: Sample, given: Antibiotics) -> Verdict | None:
    """Return the verdict on a sample in which something may have grown; None if something did.

    It is no infection where growth of bacteria would not be one either.
    """
    if not sample.open_result:
        return None
    if sample.organism.kind in (BACTERIAL, NOT_UNDERSTOOD):
        if sample.site in file().sites.treated:
            treated = _treated(sample, given, file().rules)
            if treated.counts is False:
                return Verdict(reason=f"{sample.open_result}; {treated.reason}")
        elif not sample.may_be_sterile:
            return Verdict(reason=f"{sample.open_result}; {LIVED_IN}")
    return Verdict(reason=sample.open_result, open=True)


def _without_site(sample: Sample) -> Verdict | None:
    """Return the verdict on growth of which too little is known, and on a virus; None if the site decides."""
    if sample.organism.kind == "viral":
        return Verdict("viral infection", "detected")
    if sample.organism.kind == NOT_UNDERSTOOD:
        return Verdict(reason="the organism is not understood", open=True)
    if sample.site in (NOT_UNDERSTOOD, "not stated"):
        return Verdict(reason=f"the specimen is {sample.site}", open=True)
    return None


def _commensal(sample: Sample, others: list[Sample], rule: InfectionRules) -> Verdict:
    """Return the verdict on a commensal in a sterile site: two separate draws within the time.

    Samples of one moment are one draw. Of two samples whose dates are the same nobody knows whether they
    are one draw or two, unless the times of both are known. Nor does anybody know whether a sample whose
    result, organism or site is not known is the second draw.
    """
    near = [each for each in others if each.row != sample.row and each.judged not in HARMLESS]
    possible = False
    for each in near:
        sure = each.organism.may_be(sample.organism) and each.sterile and not each.open_result
        may_be = each.organism.may_be(sample.organism) or each.organism.kind == NOT_UNDERSTOOD
        if not (sure or (may_be and each.may_be_sterile)):
            continue
        farthest = max(each.last - sample.collected, sample.last - each.collected)
        nearest = max(each.collected - sample.last, sample.collected - each.last)
        timed = sample.timed and each.timed
        if timed and sure and nearest > 0 and farthest <= rule.commensal_within.us:
            return Verdict("bacterial infection", "two draws")
        possible |= not timed or (nearest <= rule.commensal_within.us and farthest > 0)
    if possible:
        return Verdict(
            reason="a commensal in one draw, and nobody knows whether in a second one", open=True
        )
    return Verdict(reason="a commensal in one draw only")


def _treated(sample: Sample, given: Antibiotics, rule: InfectionRules) -> Verdict:
    """Return the verdict on growth in urine or airway: enough days with an antibiotic."""
    fewest, most = given.around(sample)
    if fewest >= rule.antibiotic_days:
        return Verdict("bacterial infection", "treated")
    if not given.known[sample.person]:
        reason = "the records have no doses, so nobody can tell whether it was treated"
        return Verdict(reason=reason, open=True)
    if not sample.timed or most >= rule.antibiotic_days:
        reason = "the hour of the sample decides whether the days of antibiotic are enough"
        return Verdict(reason=reason, open=True)
    return Verdict(
        reason=f"{sample.site} with {fewest} days of antibiotic, fewer than {rule.antibiotic_days}"
    )


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

    It begins with the first sample that counts, if one does; what grew before that is an episode of its
    own that does not count. A sample without any time, or without a known result, is an episode of its own.
    """
    of_person: dict[int, list[Sample]] = {}
    for sample in found:
        of_person.setdefault(sample.person, []).append(sample)
    for mine in of_person.values():
        groups: dict[tuple[str, str], list[list[Sample]]] = {}
        for sample in mine:
            runs = groups.setdefault((sample.site, sample.organism.name), [])
            gap = sample.collected - runs[-1][-1].collected if runs else 0
            joins = runs and runs[-1][-1].timed and not sample.open_result
            if joins and not runs[-1][-1].open_result and gap <= file().rules.episode_gap.us:
                runs[-1].append(sample)
            else:
                runs.append([sample])
        for run in (run for runs in groups.values() for run in runs):
            verdicts = [verdict(sample, mine, given) for sample in run]
            begins = next((i for i, each in enumerate(verdicts) if each.counts_as), len(run))
            onset = run[begins].collected if begins < len(run) else None
            before = sum(sample.collected != onset for sample in run[:begins])
            if before:
                open_first = sorted(verdicts[:before], key=lambda each: not each.open)
                yield Episode(tuple(run[:before]), open_first[0])
            if begins < len(run):
                yield Episode(tuple(run[before:]), verdicts[begins])


def new_onset(
    episode: Episode, found: Mapping[int, list[Sample]], t0: int, rule: Infection
) -> bool | None:
    """Return whether an episode is new after time zero; None where a date, a missing time, result or name leaves it open."""
    first = episode.first
    if t0 == UNKNOWN_TIME or not first.timed:
        return None
    bound = t0 + rule.new_after.us
    if first.last <= bound:
        return False
    own = {one.row for one in episode.samples}
    span = rule.other_than_in.us
    unsure = first.collected <= bound
    for each in found[first.person]:
        same = each.organism.may_be(first.organism)
        named = NOT_UNDERSTOOD not in (each.organism.kind, first.organism.kind)
        if each.row in own or each.antibody or (named and not same):
            continue
        sure = same and not each.open_result and not first.open_result
        if (
            sure
            and each.timed
            and each.last < first.collected
            and each.collected >= first.last - span
        ):
            return False
        unsure |= not each.timed or (
            each.collected < first.last and each.last >= first.collected - span
        )
    return None if unsure else True


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
        latest = episode.samples[-1]
        if t0 != UNKNOWN_TIME and latest.timed and latest.last < t0 - since:
            continue
        rows.append((i, episode, new_onset(episode, by_person, t0, given.protocol.infection), t0))
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
        onset_is=[_known(each.first) for _, each, *_ in rows],
        hours_from_t0=_hours_between(t0s, onset),
        last_positive=[each.samples[-1].collected for _, each, *_ in rows],
        site=[each.first.site for _, each, *_ in rows],
        organism=[each.first.organism.name for _, each, *_ in rows],
        **{"class": [each.first.organism.kind for _, each, *_ in rows]},
        commensal=[
            None if each.first.organism.kind == NOT_UNDERSTOOD else each.first.organism.commensal
            for _, each, *_ in rows
        ],
        draws=[len({one.collected for one in each.samples}) for _, each, *_ in rows],
        counts=[each.verdict.counts for _, each, *_ in rows],
        counts_as=[each.verdict.counts_as for _, each, *_ in rows],
        proven=[each.verdict.proven for _, each, *_ in rows],
        reason=[each.verdict.reason for _, each, *_ in rows],
        new_onset=[new for _, _, new, _ in rows],
        antibiotic_days=[
            drugs.around(each.first)[0]
            if drugs.known[each.first.person] and each.first.timed
            else -1
            for _, each, *_ in rows
        ],
        on_drug=treated.answers(shown, onset, last),
        source_row=["|".join(one.row for one in each.samples) for _, each, *_ in rows],
    ).sort(*INFECTIONS.key)


def _known(sample: Sample) -> str:
    if not sample.timed:
        return "unknown"
    return "date" if sample.dated else "exact"


def _hours_between(t0: Times, onset: Times) -> Floats:
    """Return the hours from time zero, NaN where one of both is not known."""
    known = (t0 != UNKNOWN_TIME) & (onset != UNKNOWN_TIME)
    return np.where(known, (np.where(known, onset, 0) - np.where(known, t0, 0)) / HOUR, np.nan)


STAGES: Final = (Stage(INFECTIONS, measure),)
