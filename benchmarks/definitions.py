"""What all shipped definitions together cost, as a multiple of HScore alone, on the same records.

    python benchmarks/definitions.py FOLDER [--times 3]

FOLDER comes from `generate.py`, or is a MIMIC-IV. Two ratios. **The screening**: `becalm screen` by
every definition against `becalm screen` by HScore alone, each in a process of its own, in turn, in
time and in CPU time. **The evaluation alone**: one process reads the records once, chunk by chunk,
and evaluates each chunk by HScore, then by everything that ships, each on inputs of its own and with
the one that goes first changing from chunk to chunk; what both need before (reading, units, doses)
is not counted. In either, everything that several definitions look back for alike is worked out once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import peak_mib

SCREENED = ("HScore", "all")


def criteria(which: str) -> list[str]:
    """The names of the definitions of a run."""
    from becalm.definitions import shipped

    return ["hscore"] if which == "HScore" else list(shipped())


def screened(folder: Path, which: str) -> int:
    """Screen everybody as the command line does; return how many rows were written."""
    from becalm.records import open_records
    from becalm.study import screen

    with tempfile.TemporaryDirectory() as scratch:
        source = open_records(str(folder), "mimic4")
        peaks = Path(scratch) / "peaks.parquet"
        return screen.write(screen.screen(source, criteria(which)), peaks)


def evaluated(folder: Path) -> dict[str, float]:
    """CPU seconds of the evaluation alone, by HScore and by everything, over the same chunks."""
    from becalm import vocabulary
    from becalm.definitions import load
    from becalm.patients.understood import Patients
    from becalm.records import open_records
    from becalm.study import screen

    words = vocabulary.load()
    definitions = {which: [load(name) for name in criteria(which)] for which in SCREENED}
    spent = dict.fromkeys(SCREENED, 0.0)
    for number, records in enumerate(open_records(str(folder), "mimic4").chunks()):
        chunk = Patients.of(records, words)
        for which in SCREENED if number % 2 else SCREENED[::-1]:
            began = time.process_time()
            screen.totals_of(chunk, definitions[which])
            spent[which] += time.process_time() - began
    return spent


def measured(folder: Path, *what: str) -> dict[str, float]:
    """Run one part of this file in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(folder), *what],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(rows: int, began: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": rows,
                "seconds": time.perf_counter() - began,
                "cpu": used.ru_utime + used.ru_stime,
                "mib": peak_mib(),
            }
        )
    )


def compare(folder: Path, times: int) -> None:
    """Run everything in turn and print the ratios of the medians."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    runs: dict[str, list[dict[str, float]]] = {which: [] for which in SCREENED}
    alone: list[dict[str, float]] = []
    for _ in range(times):
        for which, results in runs.items():
            results.append(measured(folder, "--only", which))
            run = results[-1]
            print(
                f"screening by {which:6} {run['rows']:>11,.0f} rows {run['seconds']:8.1f} s"
                f" {run['cpu']:8.1f} s of CPU {run['mib']:7.0f} MiB",
                flush=True,
            )
        alone.append(measured(folder, "--only", "evaluation"))
        each = ", ".join(f"{which} {seconds:.2f} s" for which, seconds in alone[-1].items())
        print(f"evaluation alone, CPU: {each}", flush=True)
    middle = {
        which: {
            name: sorted(run[name] for run in results)[len(results) // 2]
            for name in ("seconds", "cpu")
        }
        for which, results in runs.items()
    }
    one, every = (middle[which] for which in SCREENED)
    ratios = sorted(run["all"] / run["HScore"] for run in alone)
    print(
        f"all {len(criteria('all'))} definitions cost {every['seconds'] / one['seconds']:.2f} times"
        f" HScore alone ({every['cpu'] / one['cpu']:.2f} times its CPU); the evaluation alone"
        f" {ratios[len(ratios) // 2]:.2f} times its CPU"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=3, help="rounds; the ratios are of medians")
    parser.add_argument("--only", choices=[*SCREENED, "evaluation"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    began = time.perf_counter()
    if asked.only == "evaluation":
        print(json.dumps(evaluated(asked.folder)))
    elif asked.only:
        report(screened(asked.folder, asked.only), began)
    else:
        compare(asked.folder, asked.times)


if __name__ == "__main__":
    main()
