"""Two ways of doing something, in turn, each run in a process of its own, and how they compare.

Both meet the same machine; of a run's memory counts the resident peak that the system says of the
whole process, Python and DuckDB together; where it starts others, that of all of them at one moment.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def measured(script: str, *what: str) -> dict[str, float]:
    """Run a part of a script in a process of its own; return rows, seconds, CPU and MiB."""
    with subprocess.Popen(
        [sys.executable, script, *what], stdout=subprocess.PIPE, text=True
    ) as process:
        together = Together(process.pid)
        told, _ = process.communicate()
        together.ended.set()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    result: dict[str, float] = json.loads(told.splitlines()[-1])
    result["mib"] = max(result["mib"], together.peak())
    return result


class Together(threading.Thread):
    """Looks again and again how much memory a process and those that it started have at one moment (on Linux)."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self._process, self._most = process, 0
        self.start()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            self._most = max(self._most, sum(resident(each) for each in family(self._process)))

    def peak(self) -> float:
        """Return the greatest sum that was seen, in MiB; what they share counts for each."""
        self.join()
        return self._most / 2**20


def family(process: int) -> list[int]:
    """Return a process, those that it started, and so on."""
    found = [process]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, task.read_text().split())
    return found


def resident(process: int) -> int:
    """Return the bytes of memory that a process has now."""
    with suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def report(rows: int, began: float) -> None:
    """Say what a part took, to the process that asked for it."""
    seconds = time.perf_counter() - began
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu = sum(used.ru_utime + used.ru_stime for used in (own, others))
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "mib": peak_mib()}))


def peak_mib() -> float:
    """Return the greatest resident memory of this process so far, in MiB.

    On Linux it is that of the program alone: what `getrusage` says counts also the memory of the process that
    started it, if that was larger.
    """
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


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
