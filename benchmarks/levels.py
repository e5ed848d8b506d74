"""How long one patient takes: levels, 1,000 draws, and three futures of the kidney.

    python benchmarks/levels.py

Prints the time from doses and levels as numbers to all tables, the best and the median of some rounds, for a patient with
one level, with three and with eight.
"""

from __future__ import annotations

import time

import numpy as np

from becalm.pk import update

ROUNDS = 7


def main() -> None:
    kidney = [
        (24.0 * day, clearance)
        for day, clearance in enumerate((90, 70, 50, 40, 40, 60, 80, 90, 90))
    ]
    for levels in (1, 3, 8):
        seen = [(35.9 + 24 * n, 15.0 + n) for n in range(levels)]
        doses = [(12.0 * n, 1000.0, 1.0) for n in range(3 + 2 * levels)]
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter(), time.process_time()
            found = update(
                "vancomycin", doses=doses, levels=seen, draws=1000, then="1000 mg IV over 1 h every 12 h",
                covariates={"weight": 70, "creatinine_clearance": kidney},
            )  # fmt: skip
            taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        clock, cpu = np.array(taken).T
        print(
            f"{levels} levels, {len(found.curves)} printed hours: by the clock {clock.min():.2f} s at best, "
            f"median {np.median(clock):.2f} s; CPU {cpu.min():.2f} s, median {np.median(cpu):.2f} s"
        )


if __name__ == "__main__":
    main()
