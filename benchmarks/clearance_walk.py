"""How far does the true clearance of a drug move around what creatinine shows, and which walk predicts levels best?

    python benchmarks/clearance_walk.py            # the size of the walk, seconds
    python benchmarks/clearance_walk.py --forms    # which form of it, minutes

Virtual adults, a third each with a stable, a failing, and a failing and recovering kidney. All courses are assumed: a
glomerular filtration rate of 80 mL/min (spread 0.35); it falls to 15 to 70 % within 6 to 48 h, stays for 1 to 5 days, and
rises to 60 to 100 % within 3 to 10 days. The production of creatinine falls by up to 30 % in five days. Creatinine is in
45 L, is measured once a day with an error of 5 %, and the last value is kept; clearance by Cockcroft and Gault is
inverse to it. The drug's clearance is that of vancomycin: a power of 0.836 of the filtration rate.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from becalm.pk.covariates import CovariateCourse
from becalm.pk.levels.course import PkDose, PkLevel, TreatmentCourse
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.posterior import Problem, standard_noise
from becalm.pk.levels.predicting import predicted
from becalm.pk.levels.transfer import CourseGrid
from becalm.pk.levels.walk import Deviations
from becalm.pk.loading import load
from becalm.pk.propagation import RateConstants, propagate

Floats = npt.NDArray[np.float64]
POWER, CREATININE_IN = 0.836, 45.0
KINDS = ("stable", "failing", "recovering")
WALK, LEVELS, DAYS = 0.15, 6, 10


@dataclass(frozen=True)
class Kidneys:
    """True and shown clearance, L/h, [person, hour], and the kind of each person."""

    true: Floats
    shown: Floats
    kind: npt.NDArray[np.int64]


def kidneys(persons: int, hours: int, seed: int = 20) -> Kidneys:
    """Return virtual kidneys and what a daily creatinine shows of them."""
    rng = np.random.default_rng(seed)
    start = 80 * np.exp(rng.normal(0, 0.35, persons)) * 0.06
    kind = rng.integers(0, 3, persons)
    begin, fall = rng.uniform(0, 120, persons), rng.uniform(6, 48, persons)
    part, stay = rng.uniform(0.15, 0.7, persons), rng.uniform(24, 120, persons)
    rise, back = rng.uniform(72, 240, persons), rng.uniform(0.6, 1, persons)
    t = np.arange(hours + 1)[None, :]
    down = np.clip((t - begin[:, None]) / fall[:, None], 0, 1)
    up = np.clip((t - (begin + fall + stay)[:, None]) / rise[:, None], 0, 1)
    share = np.exp(down * np.log(part)[:, None])
    share = np.where((kind == 2)[:, None], share * np.exp(up * np.log(back / part)[:, None]), share)
    true = start[:, None] * np.where((kind == 0)[:, None], 1.0, share)
    made = start[:, None] * (1 - rng.uniform(0, 0.3, persons)[:, None] * np.clip(t / 120, 0, 1))
    creatinine = np.ones((persons, hours + 1))
    for hour in range(hours):
        steady = made[:, hour] / true[:, hour]
        left = np.exp(-true[:, hour] / CREATININE_IN)
        creatinine[:, hour + 1] = steady + (creatinine[:, hour] - steady) * left
    offset = rng.integers(0, 6, persons)
    last = creatinine[:, 0] * np.exp(rng.normal(0, 0.05, persons))
    measured = np.empty_like(creatinine)
    for hour in range(hours + 1):
        seen = creatinine[:, hour] * np.exp(rng.normal(0, 0.05, persons))
        last = np.where((hour + offset) % 24 == 0, seen, last)
        measured[:, hour] = last
    return Kidneys(true, start[:, None] / measured, kind)


def size() -> None:
    """Print how far the logarithm of true by shown clearance moves in some days."""
    found = kidneys(6000, 14 * 24)
    apart = POWER * (np.log(found.true) - np.log(found.shown))[:, 24:]
    print("standard deviation of how far it moves, by hours:")
    for lag in (24, 48, 72, 120, 168):
        moved = apart[:, lag:] - apart[:, :-lag]
        by = [f"{KINDS[k]} {np.sqrt((moved[found.kind == k] ** 2).mean()):.3f}" for k in range(3)]
        print(f"{lag:4d} h: {np.sqrt((moved**2).mean()):.3f} ({', '.join(by)})")


def forms(of: Deviations, spread: float) -> Mapping[str, Deviations]:
    """Return the forms that are compared."""
    steps, at = of.steps, np.arange(of.steps)
    free = np.concatenate(
        [np.full((steps, 1), spread), (at[:, None] > at[None, : steps - 1]) * WALK * np.sqrt(of.step / 24)], axis=1
    )  # fmt: skip
    kept = np.exp(-of.step / 24 / (2 * (spread / WALK) ** 2))
    apart = at[:, None] - at[None, :]
    drawn_back = np.where(apart >= 0, kept ** np.maximum(apart, 0), 0.0) * spread
    drawn_back[:, 1:] *= np.sqrt(1 - kept**2)
    return {
        "fixed": of,
        "free walk": replace(of, moving=free),
        "walk drawn back": replace(of, moving=drawn_back),
    }


def compare(persons: int, share: float, seed: int = 5) -> None:
    """Print how well levels are predicted by each form; share : of the clearance that the model expects."""
    model, rng, found = load("vancomycin"), np.random.default_rng(seed), kidneys(persons, 14 * 24)
    error, hours = LevelError.of(model), DAYS * 24
    scores: dict[str, list[float]] = {}
    inside: dict[str, list[bool]] = {}
    for person in range(persons):
        eta, one, two = rng.normal(0, 0.35), rng.normal(0, 0.25), rng.normal(0, 0.35)
        shown = found.shown[person] / 0.06
        clearance = 2.82 * (found.true[person, :hours] / 0.06 / 72) ** POWER * np.exp(eta) * share
        new = np.flatnonzero(np.diff(shown[:hours], prepend=-1) != 0)
        covariates = {
            "weight": CovariateCourse("weight", np.empty(0), np.array([75.0])),
            "creatinine_clearance": CovariateCourse("creatinine_clearance", new.astype(float), shown[new]),
        }  # fmt: skip
        doses = tuple(
            PkDose(float(h), 1000.0, 1.0) for h in range(0, hours, 12 if shown[0] > 60 else 24)
        )
        rate = np.zeros(hours)
        rate[[int(each.hours) for each in doses]] = 1000.0
        volume = 31.8 * np.exp(one)
        constants = RateConstants.of(clearance, volume, 11.7, 75.4 * 75 / 60 * np.exp(two))
        level = propagate(constants, np.ones(hours), rate=rate).before[:, 0] / volume
        times = np.sort(rng.choice(np.arange(1, DAYS), LEVELS, replace=False)) * 24 - rng.integers(
            0, 3
        )
        logs = np.log(level[times])
        seen = np.exp(logs + error.spread(logs) * rng.normal(size=LEVELS)).tolist()
        levels = tuple(PkLevel(float(t), v, v) for t, v in zip(times, seen, strict=True))
        course = TreatmentCourse(doses, levels, covariates)
        end = float(times[-1])
        base = Deviations.of(
            model, end, frozenset({"central_volume", "peripheral_volume"}), walks=False
        )
        for name, of in forms(base, 0.35).items():
            grid = CourseGrid.of(
                model, course.plan, covariates, of, times=times.tolist(), horizon=end
            )
            problem = Problem(grid, of, error, levels, grid.border(times.tolist()))
            noise, assay, start = (
                standard_noise(400, of.size, 1),
                standard_noise(400, LEVELS, 1, key=1),
                None,
            )
            for at in range(1, LEVELS):
                draws, start = problem.draws(range(at), noise, problem.at[at : at + 1], start)
                expected = predicted(levels[at], error, draws, 0, assay[:, at])
                scores.setdefault(name, []).append(expected.score)
                inside.setdefault(name, []).append(expected.covers(levels[at]))
    print(f"true clearance {share:g} of what the model expects, {persons} persons:")
    for name, each in scores.items():
        print(
            f"  {name}: CRPS of the logarithm {np.mean(each):.4f}, in 90 % {np.mean(inside[name]):.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forms", action="store_true", help="compare the forms of the walk")
    parser.add_argument("--persons", type=int, default=48)
    asked = parser.parse_args()
    size()
    if asked.forms:
        for share in (1.0, 0.55):
            compare(asked.persons, share)


if __name__ == "__main__":
    main()
