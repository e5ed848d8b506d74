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
import tempfile
import time
from pathlib import Path
from typing import Final

from rounds import compare, report

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

    from becalm.core.database import connect

    parts = []
    for table, types in TABLES.items():
        path = next(p for s in (".csv", ".csv.gz") if (p := folder / f"{table}{s}").is_file())
        read = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
        parts.append(f"SELECT {', '.join(types)} FROM read_csv('{path}', types = {{{read}}})")
    rows = " UNION ALL BY NAME ".join(parts)
    con = connect(memory, within=[folder])
    batches = nanoarrow.c_array_stream(con.sql(f"FROM ({rows}) ORDER BY subject_id, charttime"))
    return sum(batch.length for batch in batches)


def screened(folder: Path, out: Path) -> int:
    """Screen everybody as the command line does, and return how many rows were written."""
    from becalm.core.staging import staged_file
    from becalm.records import open_records
    from becalm.study import screen

    names = CRITERIA.split(",")
    source = open_records(str(folder), "mimic4")
    facts = screen.facts(source, folder.name, names, "defined")
    with staged_file(out, screen.KIND, facts=facts) as file:
        return screen.write(screen.screen(source, names), file)


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
        with tempfile.TemporaryDirectory() as scratch:
            kept = str(asked.out or Path(scratch) / "peaks.parquet")
            folder = str(asked.folder)
            parts = {
                "sorted read": (folder, "--memory", asked.memory),
                "screen": (folder, "--out", kept),
            }
            compare(__file__, asked.times, "sorted read", "screen", parts)


if __name__ == "__main__":
    main()
