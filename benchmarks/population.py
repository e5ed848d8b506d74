"""Concentrations in a population: the compiled kernel beside the NumPy reference, a solver library, and filling the array.

    python benchmarks/population.py [--threads 2] [--people 1000000] [--parts reference,fill,reduced]

Two compartments, 6 steps of the rate, 28 of the clearance, 169 outputs, float64, each patient with own parameters. The solver
library is diffrax (`pip install 'becalm[benchmark]'`), told to stop at every step. Ratios within one
run are what counts. `reference`: 10,000 patients by each (the solver fewer, because it is slow). `fill`: the kernel, and
writing a constant to the same array by the same threads, the median of five of each in turn. `reduced`: the same
patients counted in bins without their curves being kept, and the peak memory of the process that does it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from rounds import peak_mib

from becalm.pk import RateConstants, population_levels, propagate
from becalm.pk.compiled import kernel
from becalm.pk.histogram import WIDEST_BIN, Histogram
from becalm.pk.propagation import CENTRAL

INTERVALS = 168
CLEARANCES = 28
RATES = 6
PART = 2048
VOLUME = 5.0
TARGET = 0.4


def scenario() -> tuple[RateConstants, Any, Any]:
    """Return the constants of the typical patient, which hold in each hour, and the rates (mg/h)."""
    clearance = 0.06 * (20 + np.linspace(100, 15, CLEARANCES))
    rate = np.repeat([1.0, 2.0, 4.0, 8.0, 4.0, 2.0], INTERVALS // RATES)
    which = np.arange(INTERVALS) // (INTERVALS // CLEARANCES)
    return RateConstants.of(clearance, VOLUME, 3.5, 6.0), which, rate


def factors(people: int, seed: int = 20) -> Any:
    """Return what the constants of each patient are multiplied by."""
    return np.exp(np.random.default_rng(seed).normal(0, 0.25, (5, people)))


def timed(run: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


class Direct:
    """The kernel without its checks, into an array that is there already."""

    def __init__(self, people: int) -> None:
        constants, which, rate = scenario()
        self.code: Any = kernel()
        zeros = np.zeros((INTERVALS, 1))
        self.fixed = (
            np.stack(np.broadcast_arrays(*constants.arrays()))[:, :, None].copy(), factors(people), which.astype(np.intp),
            np.arange(CLEARANCES), np.ones((CLEARANCES, 1)), (rate[:, None].copy(), zeros, zeros),
            np.full(INTERVALS + 1, VOLUME), np.ones((1, 1)), self.code.VEIN,
        )  # fmt: skip
        self.nothing = np.empty((0, 0))

    def write(self, begin: int, end: int, out: Any) -> None:
        self.code.walk(*self.fixed, begin, end, self.nothing, out, self.nothing)


def by_parts(work: Callable[[int, int], Any], people: int, threads: int) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda n: work(n, min(n + PART, people)), range(0, people, PART)))


def reference(people: int, threads: int) -> None:
    constants, which, rate = scenario()
    by = factors(people)
    hours = np.ones(INTERVALS)

    def compiled() -> Any:
        return population_levels(constants, hours, rate=rate, which=which, factors=by, volume=VOLUME, only_after=True, threads=threads)  # fmt: skip

    def numpy() -> Any:
        arrays = zip(constants.arrays(), by, strict=True)
        own = RateConstants(*(np.atleast_1d(each) * factor[:, None] for each, factor in arrays))
        return propagate(own, hours, rate=rate, which=which)

    found, truth = compiled(), numpy()
    wrong = np.abs(found.after[1:].T * VOLUME / truth.after[:, 1:, CENTRAL] - 1).max()
    ours = statistics.median(timed(compiled) for _ in range(5))
    theirs = statistics.median(timed(numpy) for _ in range(3))
    few = min(people, 1000)
    solvers = {
        tolerance: by_solver(by[:, :few], truth.after[:few, :, CENTRAL] / VOLUME, tolerance)
        for tolerance in (1e-6, 1e-9)
    }
    print(f"{people:,} patients: kernel {people / ours:,.0f}/s, NumPy {people / theirs:,.0f}/s")
    print(f"kernel / NumPy {theirs / ours:.0f}; greatest relative difference {wrong:.1e}")
    for tolerance, (solver, difference) in solvers.items():
        rate_of = few / solver
        print(
            f"diffrax, tolerance {tolerance:g}: {rate_of:,.0f}/s, kernel / diffrax {people / ours / rate_of:,.0f}, "
            f"greatest relative difference {difference:.1e}"
        )


def by_solver(by: Any, truth: Any, tolerance: float) -> tuple[float, float]:
    """Return the seconds that diffrax takes for some patients, compiled, and its greatest relative difference."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    constants, which, rate = scenario()
    steps = jnp.asarray(np.broadcast_to(constants.elimination, (CLEARANCES,)))
    rates, out, back = (
        jnp.asarray(rate),
        float(np.ravel(constants.outward)[0]),
        float(np.ravel(constants.inward)[0]),
    )

    def change(t: Any, y: Any, own: Any) -> Any:
        hour = jnp.clip(jnp.floor(t).astype(int), 0, INTERVALS - 1)
        k = steps[jnp.asarray(which)[hour]] * own[0]
        flow = out * own[1] * y[0] - back * own[2] * y[1]
        return jnp.stack([rates[hour] - k * y[0] - flow, flow])

    every = (INTERVALS // CLEARANCES, INTERVALS // RATES)
    jumps = jnp.unique(jnp.concatenate([jnp.arange(step, INTERVALS, step) for step in every]).astype(float))  # fmt: skip
    control = diffrax.ClipStepSizeController(
        diffrax.PIDController(rtol=tolerance, atol=tolerance / 100), jump_ts=jumps
    )

    def solve(own: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(change), diffrax.Tsit5(), 0.0, float(INTERVALS), None, jnp.zeros(2), own,
            saveat=diffrax.SaveAt(ts=jnp.arange(INTERVALS + 1.0)), stepsize_controller=control, max_steps=16384,
        ).ys[:, 0] / VOLUME  # fmt: skip

    run = jax.jit(jax.vmap(solve))
    own = jnp.asarray(by.T)
    found = np.asarray(run(own))
    seconds = min(timed(lambda: run(own).block_until_ready()) for _ in range(2))
    return seconds, float(np.abs(found[:, 1:] / truth[:, 1:] - 1).max())


def fill(people: int, threads: int) -> None:
    out = np.empty((INTERVALS + 1, people))
    direct = Direct(people)

    def constant(begin: int, end: int) -> None:
        out[:, begin:end] = 1.0

    def write(begin: int, end: int) -> None:
        direct.write(begin, end, out)

    by_parts(constant, people, threads)
    by_parts(write, people, threads)
    kernels, fills = [], []
    for _ in range(5):
        kernels.append(timed(lambda: by_parts(write, people, threads)))
        fills.append(timed(lambda: by_parts(constant, people, threads)))
    ours, bound = statistics.median(kernels), statistics.median(fills)
    print(
        f"{people:,} patients, {threads} threads: kernel {people / ours / 1e6:.2f} M/s, fill {people / bound / 1e6:.2f} M/s"
    )
    print(
        f"kernel / fill {bound / ours:.2f}; each: {', '.join(f'{b / k:.2f}' for k, b in zip(kernels, fills, strict=True))}"
    )
    print(f"seconds of the kernel {ours:.3f}")


def reduced(people: int, threads: int) -> None:
    direct = Direct(people)

    def one(begin: int, end: int, counts: Histogram, reached: Any, room: Any) -> None:
        for first in range(begin, end, PART):
            last = min(first + PART, end)
            levels = room[:, : last - first]
            shifted = (*direct.fixed[:1], direct.fixed[1][:, first:last], *direct.fixed[2:])
            direct.code.walk(*shifted, 0, last - first, direct.nothing, levels, direct.nothing)
            counts.add(levels)
            reached += (levels >= TARGET).sum(axis=1)

    def run() -> Any:
        size = -(-people // threads)
        parts = [
            (n, min(n + size, people), Histogram(INTERVALS + 1), np.zeros(INTERVALS + 1, np.int64))
            for n in range(0, people, size)
        ]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda part: one(*part, np.empty((INTERVALS + 1, PART))), parts))
        for part in parts[1:]:
            parts[0][2].merge(part[2])
        reached = sum(part[3] for part in parts)
        return parts[0][2].quantiles([0.05, 0.5, 0.95]), reached / people

    run()
    seconds = statistics.median(timed(run) for _ in range(5))
    peak = peak_mib()
    print(
        f"{people:,} patients reduced online, {threads} threads: {people / seconds / 1e6:.2f} M/s, bins {100 * WIDEST_BIN:.1f} %, peak memory {peak:.0f} MiB"
    )
    print(f"seconds reduced {seconds:.3f}")


PARTS = {"reference": reference, "fill": fill, "reduced": reduced}


def main() -> None:
    """Run each part in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--parts", default="reference,fill,reduced")
    parser.add_argument("--here", action="store_true", help="one part, in this process")
    asked = parser.parse_args()
    if asked.here:
        people = min(asked.people, 10_000) if asked.parts == "reference" else asked.people
        PARTS[asked.parts](people, asked.threads)
        return
    seconds: dict[str, float] = {}
    for part in asked.parts.split(","):
        command = [
            sys.executable,
            __file__,
            "--here",
            "--parts",
            part,
            "--threads",
            str(asked.threads),
            "--people",
            str(asked.people),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(done.stdout, end="")
        for line in done.stdout.splitlines():
            if line.startswith("seconds"):
                seconds[part] = float(line.split()[-1])
    if {"fill", "reduced"} <= seconds.keys():
        print(f"reduced / kernel {seconds['reduced'] / seconds['fill']:.2f}")


if __name__ == "__main__":
    main()
