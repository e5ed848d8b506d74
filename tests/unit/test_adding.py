"""What is added to becalm is a new file: nothing that lists it has to be edited.

Each test copies the package into an empty folder, adds files, and runs becalm from there.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import becalm

PACKAGE = Path(becalm.__file__).parent


def copy_of_the_package(folder: Path, added: dict[str, str]) -> Path:
    """Copy becalm into a folder and add files to it, by their paths in the package."""
    for path in added:
        assert not (PACKAGE / path).exists(), f"{path} is no new file"
    shutil.copytree(PACKAGE, folder / "becalm", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in added.items():
        (folder / "becalm" / path).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str) -> str:
    """Run the copied becalm and return what it printed."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from becalm.cli import main; sys.exit(main())",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as open_file:
        return list(csv.DictReader(open_file))


TABLE = """
from becalm.tables.schema import PERSON_ID, Table, number

LONGEST_RUN = Table(
    "longest_run",
    "How long the longest treatment episode of each person was.",
    "person",
    {"person_id": PERSON_ID, "hours_longest": number("h", "Length of the longest episode.")},
    key=("person_id",),
)
"""
STAGE = """
from becalm.core.clock import HOUR
from becalm.core.frame import Frame
from becalm.measures.stage import Stage
from becalm.tables.longest_run import LONGEST_RUN


def measure(given):
    longest = {}
    for row in given.tables["episodes"].rows():
        hours = (row["end"] - row["start"]) / HOUR
        longest[row["person_id"]] = max(hours, longest.get(row["person_id"], 0.0))
    return Frame.of(LONGEST_RUN, person_id=list(longest), hours_longest=list(longest.values()))


STAGES = (Stage(LONGEST_RUN, measure, needs=("episodes",)),)
"""
DEFINITION = """
name = "very_high_ferritin"
title = "Very high ferritin"
cite = "none"
population = "anybody"
cut_off = 1

[derivation]
source = "an example"

[[item]]
name = "ferritin"
variable = "ferritin"
unit = "ng/mL"
take = "max"
within = "72h"
at_least = 10000
points = 1
source = "an example"
"""


def test_a_table_and_a_definition_are_new_files(tmp_path: Path) -> None:
    """A table is a schema and a stage; a definition is a TOML file."""
    folder = copy_of_the_package(
        tmp_path,
        {
            "tables/longest_run.py": TABLE,
            "measures/longest_run.py": STAGE,
            "definitions/shipped/very_high_ferritin.toml": DEFINITION,
        },
    )
    run(folder, "demo", "--persons", "20", "--out", "demo")
    longest = {
        row["person_id"]: float(row["hours_longest"])
        for row in rows(folder / "demo/tables/longest_run.csv")
    }
    expected: dict[str, float] = {}
    for row in rows(folder / "demo/tables/episodes.csv"):
        took = datetime.fromisoformat(row["end"]) - datetime.fromisoformat(row["start"])
        hours = took.total_seconds() / 3600
        expected[row["person_id"]] = max(hours, expected.get(row["person_id"], 0.0))
    assert longest == expected
    assert len(longest) == 5
    described = rows(folder / "demo/tables/dictionary.csv")
    assert {row["column"] for row in described if row["table"] == "longest_run"} == {
        "person_id",
        "hours_longest",
    }
    run(folder, "screen", "demo/records", "--criteria", "very_high_ferritin", "--out", "peaks.csv")
    met = {row["person_id"]: row["status"] for row in rows(folder / "peaks.csv")}
    assert met["ILL-3"] == "met"
