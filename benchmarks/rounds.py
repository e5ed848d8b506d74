"""Two ways of doing something, in turn, each run in a process of its own, and how they compare.

Both meet the same machine; of a run's memory counts the resident peak that the system says of the
whole process, Python and DuckDB together.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


def measured(script: str, *what: str) -> dict[str, float]:
    """Run a part of a script in a process of its own; return rows, seconds, CPU and MiB."""
    done = subprocess.run(
        [sys.executable, script, *what], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(rows: int, began: float) -> None:
    """Say what a part took, to the process that asked for it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    kib = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    seconds = time.perf_counter() - began
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "mib": kib / 1024}))


def compare(
    script: str, times: int, floor: str, ours: str, parts: Mapping[str, Sequence[str]]
) -> None:
    """Run the parts in turn, and print the ratio of the medians of two of them."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    runs: dict[str, list[dict[str, float]]] = {what: [] for what in parts}
    for _ in range(times):
        for what, arguments in parts.items():
            runs[what].append(measured(script, "--only", what, *arguments))
            print(line(what, runs[what][-1]), flush=True)
    least, most = (
        {name: sorted(run[name] for run in runs[what])[times // 2] for name in ("seconds", "cpu")}
        for what in (floor, ours)
    )
    print(
        f"{ours} is {most['seconds'] / least['seconds']:.2f} times the {floor}"
        f" ({most['cpu'] / least['cpu']:.2f} times its CPU), at most"
        f" {max(run['mib'] for run in runs[ours]):.0f} MiB"
    )


def line(what: str, run: Mapping[str, float]) -> str:
    return (
        f"{what:11} {run['rows']:>13,.0f} rows {run['seconds']:8.1f} s"
        f" {run['cpu']:8.1f} s of CPU {run['mib']:7.0f} MiB"
    )
