"""Virtual patients: the typical patient, and patients who differ from it by factors with a log-normal spread."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Floats
from becalm.pk import compiled
from becalm.pk.grid import Breakpoints, DoseArrays
from becalm.pk.model import PARTS, SATURABLE, PkModel
from becalm.pk.propagation import CENTRAL, RateConstants, propagate
from becalm.pk.saturable import saturable_block

BLOCK: Final = 500
"""Virtual patients that are drawn and computed together; their numbers do not depend on how many follow."""
_DRAWN: Final = (*PARTS, *SATURABLE)


class Curves(NamedTuple):
    """Concentrations at the borders before and after doses given there, and areas; [patient, border], mg/L."""

    before: Floats
    after: Floats
    area: Floats


class VirtualPatients:
    """The typical patient, and virtual patients who differ from it by factors with a log-normal spread."""

    def __init__(self, model: PkModel, patients: int, seed: int, *, compiled: bool = False) -> None:
        self.model, self.patients, self.seed, self.compiled = model, patients, seed, compiled

    def factors(self, block: int) -> dict[str, Floats]:
        """Return the factors of a block of virtual patients, for every part; the same in every run."""
        source = np.random.SeedSequence(self.seed, spawn_key=(block,))
        draws = np.random.Generator(np.random.Philox(source)).standard_normal((len(_DRAWN), BLOCK))
        count = min(BLOCK, self.patients - block * BLOCK)
        return {
            part: np.exp(draws[at, :count] * self.model.spreads[part].value)
            if part in self.model.spreads
            else np.ones(count)
            for at, part in enumerate(_DRAWN)
        }

    def curves(self, grid: Breakpoints, given: DoseArrays, threads: int) -> Curves:
        """Return curves of the typical patient (the first) and of all virtual patients."""
        typical = dict.fromkeys(_DRAWN, np.ones(1))
        blocks = [typical, *(self.factors(n) for n in range(ceil(self.patients / BLOCK)))]
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(lambda factors: self.block(grid, given, factors), blocks))
        return Curves(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def block(self, grid: Breakpoints, given: DoseArrays, factors: Mapping[str, Floats]) -> Curves:
        """Return curves of a block of patients: by machine code where all of them cannot be kept and it is installed."""
        if self.model.saturable:
            return Curves(*saturable_block(grid, given, factors, self.model.two_depots))
        own = {part: each[:, None] for part, each in factors.items()}
        by = (
            own["clearance"] / own["central_volume"],
            own["exchange"] / own["central_volume"],
            own["exchange"] / own["peripheral_volume"],
            own["absorption"],
            own["first_absorption"],
        )
        absorbed = np.minimum(grid.fraction[:-1] * own["bioavailability"], 1.0) * given.skin
        if self.compiled:
            found = compiled.population_levels(
                grid.constants,
                np.diff(grid.hours),
                rate=given.rate,
                bolus=given.bolus,
                depot=absorbed,
                two_depots=self.model.two_depots,
                which=grid.which,
                volume=grid.volume,
                factors=[each[:, 0] for each in by],
                size=factors["central_volume"],
            )
            return Curves(found.before.T, found.after.T, found.area.T)
        constants = zip(grid.constants.arrays(), by, strict=True)
        amounts = propagate(
            RateConstants(*(typical * factor for typical, factor in constants)),
            np.diff(grid.hours),
            rate=given.rate,
            bolus=given.bolus,
            depot=absorbed,
            two_depots=self.model.two_depots,
            which=grid.which,
        )
        volume = grid.volume * own["central_volume"]
        until = np.concatenate([volume[:, :1], volume[:, :-1]], axis=1)
        return Curves(
            amounts.before[..., CENTRAL] / until,
            amounts.after[..., CENTRAL] / volume,
            amounts.area / volume[:, :-1],
        )
