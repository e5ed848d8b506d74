"""How long `becalm study` takes, as a multiple of the screening of the same records by the same definitions.

    python benchmarks/study.py FOLDER [--times 3] [--out FOLDER]

FOLDER comes from `generate.py`: of its people seven in ten enter the study. The study is all of it: every table,
every figure and the report, in a new folder each time. The screening is all of `becalm screen` by the definitions that the protocol
reports. The two run in turn, each by a command of its own; the ratio is that of the median times, memory is
the resident peak of the study's process and the one beside it, together.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Final

from rounds import compare, report

from becalm.core.machine import collect_less_often

PROTOCOL: Final = "hyperinflammation"
CHUNK_ROWS: Final = 500_000
"""Measurements that are in memory at a time: what the source itself takes."""


def studied(folder: Path, out: Path, chunk_rows: int = CHUNK_ROWS) -> int:
    """Run the study as the command line does, and return how many persons entered."""
    from becalm.api.write import write
    from becalm.core.beside import beside
    from becalm.core.staging import staged_with_release
    from becalm.records.mimic4 import open_mimic4
    from becalm.study import protocol_names
    from becalm.study.measuring import prepare
    from becalm.study.run import run
    from becalm.tables import store

    # A smaller run is smaller in all that it may keep, so that its memory grows as that of a whole one.
    vars(store)["IN_MEMORY"] = round(store.IN_MEMORY * chunk_rows / CHUNK_ROWS)
    with beside() as other, staged_with_release(out, None, reads=[folder]) as (stage, _):
        prepare(other, folder)
        source = open_mimic4(folder, chunk_rows=chunk_rows)
        result = run(source, protocol_names.load(PROTOCOL), folder.name, other=other)
        write(result, stage, other)
    return len(result.frames["persons"])


def screened(folder: Path, out: Path) -> int:
    """Screen everybody by the definitions of the protocol, and return how many rows were written."""
    from becalm.core.staging import staged_file
    from becalm.records import open_records
    from becalm.study import protocol_names, screen

    names = protocol_names.load(PROTOCOL).definitions.report
    source = open_records(str(folder), "mimic4")
    facts = screen.facts(source, folder.name, names, "defined")
    with staged_file(out, screen.KIND, facts=facts) as file:
        return screen.write(screen.screen(source, names), file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=3, help="rounds; the ratio is of the medians")
    parser.add_argument(
        "--chunk-rows",
        type=int,
        default=CHUNK_ROWS,
        help="of the study; cells of tables in memory are fewer in proportion",
    )
    parser.add_argument("--out", type=Path, help="keep the studies, one folder each")
    parser.add_argument("--only", choices=["screening", "study"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    began = time.perf_counter()
    collect_less_often()
    if asked.only == "screening":
        report(screened(asked.folder, asked.out), began)
    elif asked.only == "study":
        asked.out.mkdir(parents=True, exist_ok=True)
        out = Path(tempfile.mkdtemp(prefix="study-", dir=asked.out))
        report(studied(asked.folder, out, asked.chunk_rows), began)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            kept = str(asked.out or Path(scratch) / "studies")
            folder, peaks = str(asked.folder), str(Path(scratch) / "peaks.parquet")
            parts = {
                "screening": (folder, "--out", peaks),
                "study": (folder, "--out", kept, "--chunk-rows", str(asked.chunk_rows)),
            }
            compare(__file__, asked.times, "screening", "study", parts)


if __name__ == "__main__":
    main()
