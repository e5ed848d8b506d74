"""How long `becalm screen` takes, as a multiple of the sorted read of the same measurements.

    python benchmarks/screen.py FOLDER [--times 3] [--memory 1GiB] [--out FILE]

FOLDER comes from `generate.py`, or is a MIMIC-IV. The sorted read is the least that a program which
needs whole persons can do: DuckDB reads the columns that becalm reads, already typed, of the same
files, sorts them by person and time, and hands them over as Arrow batches, which are dropped. It
gets as many threads as there are cores, and more memory than becalm gives its own reader. Each run
is a process of its own, in turn, so both meet the same machine; its peak resident memory is what
the system says of the whole process, Python and DuckDB together.
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
from typing import Final

CRITERIA: Final = "hscore,hlh2004,mas2016"
MEMORY: Final = "1GiB"
TABLES: Final = {
    "hosp/labevents": {
        "subject_id": "INTEGER",
        "itemid": "INTEGER",
        "charttime": "TIMESTAMP",
        "storetime": "TIMESTAMP",
        "value": "VARCHAR",
        "valuenum": "DOUBLE",
        "valueuom": "VARCHAR",
        "ref_range_lower": "DOUBLE",
        "ref_range_upper": "DOUBLE",
        "labevent_id": "BIGINT",
    },
    "icu/chartevents": {
        "subject_id": "INTEGER",
        "itemid": "INTEGER",
        "charttime": "TIMESTAMP",
        "storetime": "TIMESTAMP",
        "value": "VARCHAR",
        "valuenum": "DOUBLE",
        "valueuom": "VARCHAR",
    },
}


def sorted_read(folder: Path, memory: str) -> int:
    """Read the measurements sorted by person and time, drop them, and return how many there were."""
    import nanoarrow

    from becalm.sources import duck

    parts = []
    for table, types in TABLES.items():
        path = next(p for s in (".csv", ".csv.gz") if (p := folder / f"{table}{s}").is_file())
        read = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
        parts.append(f"SELECT {', '.join(types)} FROM read_csv('{path}', types = {{{read}}})")
    rows = " UNION ALL BY NAME ".join(parts)
    con = duck.connect(memory)
    batches = nanoarrow.c_array_stream(con.sql(f"FROM ({rows}) ORDER BY subject_id, charttime"))
    return sum(batch.length for batch in batches)


def screened(folder: Path, out: Path) -> int:
    """Screen everybody as the command line does, and return how many rows were written."""
    from becalm import screen
    from becalm.output import staged
    from becalm.sources import open_records

    with staged(out.parent) as stage:
        source = open_records(str(folder), "mimic4")
        return screen.write(screen.screen(source, CRITERIA.split(",")), out, stage)


def measured(*what: str) -> dict[str, float]:
    """Run one part of this file in a process of its own; return rows, seconds, CPU and MiB."""
    done = subprocess.run(
        [sys.executable, __file__, *what], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(rows: int, began: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    kib = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    seconds = time.perf_counter() - began
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "mib": kib / 1024}))


def line(what: str, run: dict[str, float]) -> str:
    return (
        f"{what:11} {run['rows']:>13,.0f} rows {run['seconds']:8.1f} s"
        f" {run['cpu']:8.1f} s of CPU {run['mib']:7.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=3, help="rounds; the ratio is of the medians")
    parser.add_argument("--memory", default=MEMORY, help="of the sorted read")
    parser.add_argument("--out", type=Path, help="keep what was screened")
    parser.add_argument("--only", choices=["sorted read", "screen"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    began = time.perf_counter()
    if asked.only == "sorted read":
        report(sorted_read(asked.folder, asked.memory), began)
    elif asked.only == "screen":
        report(screened(asked.folder, asked.out), began)
    else:
        compare(asked.folder, asked.times, asked.memory, asked.out)


def compare(folder: Path, times: int, memory: str, out: Path | None) -> None:
    """Run both in turn and print the ratio of their median times."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    runs: dict[str, list[dict[str, float]]] = {"sorted read": [], "screen": []}
    with tempfile.TemporaryDirectory() as scratch:
        kept = str(out or Path(scratch) / "peaks.parquet")
        for _ in range(times):
            for what, results in runs.items():
                more = ("--out", kept) if what == "screen" else ("--memory", memory)
                results.append(measured(str(folder), "--only", what, *more))
                print(line(what, results[-1]), flush=True)
    middle = {
        what: {
            name: sorted(run[name] for run in results)[len(results) // 2]
            for name in ("seconds", "cpu")
        }
        for what, results in runs.items()
    }
    floor, ours = middle["sorted read"], middle["screen"]
    print(
        f"screen is {ours['seconds'] / floor['seconds']:.2f} times the sorted read"
        f" ({ours['cpu'] / floor['cpu']:.2f} times its CPU), at most"
        f" {max(run['mib'] for run in runs['screen']):.0f} MiB"
    )


if __name__ == "__main__":
    main()
