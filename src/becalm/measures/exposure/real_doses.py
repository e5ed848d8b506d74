"""What each patient was given of a drug, and from when on nobody can calculate the concentration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Floats, Index, Mask, Times
from becalm.core.clock import HOUR
from becalm.doses import ROUTES, SYSTEMIC, Doses
from becalm.pk import GivenDoses, PkModel, unit_factor, washout
from becalm.timeline import Intervals, Points, Timeline

LONGEST_TAIL_H: Final = 24.0 * 366
"""Nothing is followed for longer after a dose, also of a model in which some patients never clear."""
_KNOWN: Final[Mapping[str, str]] = {"iv": "IV", "sc": "SC"}
_IN_WORDS: Final[Mapping[str, str]] = {
    "IV": "into a vein", "SC": "under the skin", "IM": "into a muscle", "PO": "by mouth", "": "by an unknown route",
}  # fmt: skip


class Obstacle(NamedTuple):
    """From when on a concentration cannot be calculated, and why."""

    time: int
    reason: str


class DoseRun(NamedTuple):
    """Doses of one patient so near to each other that something of each is left at the next. end : of the last dose;
    until : when nothing is left, or death. rows : of `Doses.frame`.
    """

    person: int
    start: int
    end: int
    until: int
    rows: Index


@dataclass(frozen=True, eq=False)
class RealDoses:
    """The doses of one drug as a model can use them. rows : those that reach the blood, by person and start."""

    doses: Doses
    model: PkModel
    rows: Index
    rate: Timeline
    vein: Points
    skin: Points

    @classmethod
    def of(cls, doses: Doses, model: PkModel, persons: Mask) -> RealDoses:
        """Collect them for some persons (bool[persons])."""
        f, drug = doses.frame, model.drug
        routes = tuple(each for each in SYSTEMIC if each not in model.not_absorbed)
        rows = doses.exposed(drug, routes)
        rows = rows[persons[f["person"][rows]]]
        known = [_KNOWN[each] for each in model.routes]
        return cls(
            doses,
            model,
            rows[np.lexsort((f["start"][rows], f["person"][rows]))],
            doses.rate(drug, ("IV",) if "IV" in known else ()),
            doses.boluses(drug, ("IV",) if "IV" in known else ()),
            doses.boluses(drug, ("SC",) if "SC" in known else ()),
        )

    @property
    def ends(self) -> Times:
        """When each of `rows` ended; a dose that was given at once ends when it began."""
        f = self.doses.frame
        ends: Times = np.where(f["single"][self.rows], f["start"][self.rows], f["until"][self.rows])
        return np.maximum(ends, f["start"][self.rows])

    def runs(self) -> list[DoseRun]:
        """Return the runs: a run ends where nothing of its last dose is left before the next one."""
        if not len(self.rows):
            return []
        tail = round(min(washout(self.model), LONGEST_TAIL_H)) * HOUR
        f, ends = self.doses.frame, self.ends
        person, start = f["person"][self.rows], f["start"][self.rows]
        found = Intervals.build(person, start, np.maximum(ends, start + 1)).bridge(tail)
        row, of = found.overlaps(person, start, np.maximum(ends, start + 1))
        runs = []
        for at in range(len(found)):
            own = row[of == at]
            who, last = int(found.person[at]), int(ends[own].max())
            until = min(last + tail, int(self.doses.last_moment[who]))
            runs.append(DoseRun(who, int(found.start[at]), last, max(until, last), self.rows[own]))
        return runs

    def hours(self, run: DoseRun, times: Times) -> Floats:
        """Return times as hours that really pass from the begin of a run."""
        return self.doses.hours(np.full(len(times), run.start), times)

    def given(self, run: DoseRun) -> GivenDoses:
        """Return what was given in a run, in hours from its begin."""
        here = slice(*np.searchsorted(self.rate.person, (run.person, run.person + 1)).tolist())
        start, end, rate = self.rate.start[here], self.rate.end[here], self.rate.low[here]
        inside = (start >= run.start) & (start <= run.until) & (rate > 0)
        infusions = np.column_stack(
            (self.hours(run, start[inside]), self.hours(run, end[inside]), rate[inside])
        )
        vein, skin = (self._singles(run, each) for each in (self.vein, self.skin))
        if self.assumed_rate is not None:
            ends = vein[:, 0] + vein[:, 1] / self.assumed_rate
            rates = np.full(len(vein), self.assumed_rate)
            infusions = np.concatenate((infusions, np.column_stack((vein[:, 0], ends, rates))))
            vein = vein[:0]
        return GivenDoses(infusions, vein, skin)

    @property
    def assumed_rate(self) -> float | None:
        """The rate (mg/h) at which a dose into a vein is taken of which nobody wrote the end; None: given at once."""
        assumed = self.model.assumptions.get("infusion_rate")
        return None if assumed is None else assumed.value * unit_factor(assumed.unit, "mg/h")

    def remarks(self, run: DoseRun) -> list[str]:
        """Return what is assumed of the doses of a run."""
        alone = len(self._singles(run, self.vein))
        if self.assumed_rate is None or not alone:
            return []
        return [f"doses into a vein without an end, taken as {self.assumed_rate:g} mg/h: {alone}"]

    def _singles(self, run: DoseRun, points: Points) -> Floats:
        mine = (points.person == run.person) & (points.time >= run.start) & (points.time <= run.end)
        return np.column_stack((self.hours(run, points.time[mine]), points.low[mine]))

    def obstacles(self, run: DoseRun) -> list[Obstacle]:
        """Return the doses of a run that the model cannot use."""
        f, known = self.doses.frame, [_KNOWN[each] for each in self.model.routes]
        found = []
        for row in run.rows.tolist():
            route, lasting = ROUTES[f["route_code"][row]], not f["single"][row]
            reason = ""
            if route not in known:
                reason = f"a dose {_IN_WORDS.get(route, route)}, which the model does not know"
            elif lasting and route == "SC":
                reason = "an infusion under the skin, which the model does not know"
            elif np.isnan(f["dose"][row]) or (lasting and np.isnan(f["dose_per_h"][row])):
                reason = "a dose of unknown amount"
            elif not f["plausible"][row]:
                reason = "a dose that cannot be true"
            if reason:
                found.append(Obstacle(int(f["start"][row]), reason))
        return found
