"""Time on treatment with the drug of interest, and the end of its continuous infusions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Times
from becalm.core.clock import UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.doses import Doses, EpisodeRules, continuous, treatments
from becalm.protocol import Protocol
from becalm.timeline import Intervals


@dataclass(frozen=True, eq=False)
class Treated:
    """The treatment of the cohort with the drug of interest.

    drug : its name, '' in a protocol without a treatment. on_drug : from a dose until the treatment episode's gap
    after the last one has passed. last_continuous : end of the last continuous infusion of each
    row, µs; `UNKNOWN_TIME` where there was none.
    """

    drug: str
    on_drug: Intervals
    last_continuous: Times

    @classmethod
    def of(cls, cohort: Frame, doses: Doses, protocol: Protocol) -> Treated:
        """Compute it from the doses of the cohort's persons."""
        ended = np.full(len(cohort), UNKNOWN_TIME)
        if protocol.entry is None:
            return cls("", Intervals.empty(), ended)
        drug, rules = protocol.entry.drug, EpisodeRules.of(protocol)
        persons = np.zeros(len(doses.person_id), np.bool_)
        persons[cohort["person"]] = True
        episodes = treatments(doses, [drug], rules, persons=persons).episodes
        gap = np.array([rules.gaps[mode] for mode in episodes["mode"]], np.int64)
        on_drug = Intervals.build(episodes["person"], episodes["start"], episodes["end"] + gap)
        infused = continuous(doses, drug, rules).when
        row, of = infused.overlaps(cohort["person"], cohort["t0"], np.full(len(cohort), FAR_FUTURE))
        np.maximum.at(ended, row, infused.end[of])
        return cls(drug, on_drug, ended)

    def harm_until(self, cohort: Frame, protocol: Protocol, after: Length | None) -> Times:
        """Return the last moment at which harm counts: some time after the last dose, or discharge.

        Without a discharge, or without this time in the protocol, it is the end of the records.
        """
        end = cohort["end_of_records"].copy()
        if protocol.safety.until == "discharge":
            known = cohort["discharge"] != UNKNOWN_TIME
            end[known] = cohort["discharge"][known]
        elif after is not None:
            known = self.last_continuous != UNKNOWN_TIME
            end[known] = self.last_continuous[known] + after.us
        limited: Times = np.maximum(end, cohort["t0"])
        return limited

    def answers(self, cohort: Frame, first: Times, last: Times) -> list[bool | None]:
        """Return whether each row was on the drug at some moment in [first, last], µs.

        None without a drug, without a known moment, or if it was on the drug in only a part of that time.
        """
        person, until = cohort["person"], np.maximum(last, first) + 1
        row, of = self.on_drug.overlaps(person, first, until)
        part, whole = np.zeros((2, len(cohort)), np.bool_)
        part[row] = True
        whole[row] = (self.on_drug.start[of] <= first[row]) & (self.on_drug.end[of] >= until[row])
        return [
            None if not self.drug or when == UNKNOWN_TIME or some != every else every
            for when, some, every in zip(first.tolist(), part.tolist(), whole.tolist(), strict=True)
        ]
