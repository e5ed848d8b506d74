"""How long the trailing extremes take, as a multiple of one sort of the same rows.

Run by hand: `python benchmarks/timeline.py [ROWS]`. Two shapes: a laboratory (50 draws a person
over a month) and minute-level vital signs (20,000 values a person).
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import numpy as np

from becalm.core.arrays import Pair
from becalm.core.clock import HOUR, MINUTE
from becalm.timeline import Points, Take, combine


def seconds(f: Callable[[], Any]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - began)
    return best


def points(rows: int, per_person: int, every: int) -> tuple[Points, float]:
    """Random results, and the seconds that sorting them took."""
    random = np.random.default_rng(0)
    person = random.integers(0, max(1, rows // per_person), rows).astype(np.int32)
    moment = random.integers(0, per_person * every, rows)
    value = random.normal(100, 20, rows).round(1)
    sort = seconds(lambda: np.lexsort((moment, person)))
    return Points.build(person, moment, value), sort


def minus(a: Pair, b: Pair) -> Pair:
    return a[0] - b[1], a[1] - b[0]


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    for shape, per_person, every in (("laboratory", 50, 15 * HOUR), ("minutes", 20_000, MINUTE)):
        values, sort = points(rows, per_person, every)
        print(f"{shape}: {len(values):,} rows, np.lexsort {sort:.2f} s")
        for take in get_args(Take):
            took = seconds(partial(values.trailing, take, 24 * HOUR))
            print(f"  trailing {take:5} in 24 h   {took:6.2f} s   {took / sort:5.2f} × the sort")
        high = values.trailing("max", 24 * HOUR)
        held = values.hold(72 * HOUR)
        took = seconds(partial(combine, minus, high, held))
        print(f"  combine two             {took:6.2f} s   {took / sort:5.2f} × the sort")


if __name__ == "__main__":
    main()
