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
from tests.records import dose, sheets

PACKAGE = Path(becalm.__file__).parent


def copy_of_the_package(folder: Path, added: dict[str, str]) -> Path:
    """Copy becalm into a folder and add files to it, by their paths in the package."""
    for path in added:
        assert not (PACKAGE / path).exists(), f"{path} is no new file"
    shutil.copytree(PACKAGE, folder / "becalm", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in added.items():
        file = folder / "becalm" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
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
cut_off_source = "an example"

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


DRUG = """
[[drug]]
name = "stormolimab"
class = "interleukin-18 blocker"
names = ["stormolimab", "Calmira"]
immunosuppressant = true
immunotherapy = true
"""


def unknown_drugs(folder: Path, records: str) -> list[str]:
    """Return the labels in which becalm, as it lies in a folder, recognises no drug."""
    run(folder, "doctor", records, "--out", "examined")
    return [row["label"] for row in rows(folder / "examined" / "unknown_drugs.csv")]


def test_a_drug_is_a_new_file(tmp_path: Path) -> None:
    """A brand that nobody knows becomes a drug with its class; without the file it stays unknown."""
    plain, added = tmp_path / "plain", tmp_path / "added"
    plain.mkdir()
    added.mkdir()
    copy_of_the_package(plain, {})
    copy_of_the_package(added, {"vocabulary/drugs/stormolimab.toml": DRUG})
    for folder in (plain, added):
        sheets(folder / "records", dose("CALMIRA 50 mg vial", 10, amount="50 mg"))
    assert unknown_drugs(plain, "records") == ["CALMIRA 50 mg vial"]
    assert unknown_drugs(added, "records") == []


SOURCE = """
import csv
from pathlib import Path

from becalm.records import MEASUREMENTS, PERSONS, InputFile, Records, StudyInfo
from becalm.core.clock import parse
from becalm.core.frame import Frame
from becalm.vocabulary import MeasurementKind


class Ledger:
    name, notices, citations, doubts, missing = "ledger", (), (), (), ()
    info, site = StudyInfo(), None

    def __init__(self, path):
        self.path = path

    def inputs(self):
        return (InputFile(self.path.name, self.path.stat().st_size, "0" * 64),)

    def absent(self):
        return ()

    def refused(self):
        return ()

    def chunks(self):
        lines = self.path.read_text().split()
        rows = [line.split("|") for line in sorted(lines)]
        names = sorted({row[0] for row in rows})
        kinds = tuple(
            MeasurementKind("ledger", "Ledger", code, "", "ng/mL")
            for code in dict.fromkeys(row[2] for row in rows)
        )
        codes = [kind.code for kind in kinds]
        yield Records(
            Frame.of(PERSONS, person_id=names),
            kinds=kinds,
            measurements=Frame.of_rows(MEASUREMENTS, [
                {"person": names.index(who), "time": parse(when)[0], "kind": codes.index(code),
                 "value": float(value), "key": number}
                for number, (who, when, code, value) in enumerate(rows, 1)
            ]),
        )
"""
REGISTRATION = """
from pathlib import Path

from becalm.records.ledger import Ledger

READS = "a ledger"


def looks_like(where):
    return where.endswith(".ledger") or where.startswith("ledger://")


def open_source(where):
    return Ledger(Path(where.removeprefix("ledger://")))
"""
CODES = """
system = "Ledger"
source = "an example"
[variable]
ferritin = [{ code = "F1" }]
"""


def test_a_source_is_a_new_package(tmp_path: Path) -> None:
    """It is recognised, offered by --source, and brings the codes of its own system with it."""
    folder = copy_of_the_package(
        tmp_path,
        {
            "records/ledger/__init__.py": SOURCE,
            "records/ledger/registration.py": REGISTRATION,
            "records/ledger/codes.toml": CODES,
            "definitions/shipped/very_high_ferritin.toml": DEFINITION,
        },
    )
    (folder / "ward.ledger").write_text(
        "A|2020-01-01T08:00|F1|12000\nB|2020-01-01T08:00|F9|12000\n"
    )
    assert "ledger" in run(folder, "study", "--help")
    for number, records in enumerate(("ward.ledger", "ledger://ward.ledger")):
        out = f"peaks{number}.csv"
        run(folder, "screen", records, "--criteria", "very_high_ferritin", "--out", out)
        met = {row["person_id"]: row["status"] for row in rows(folder / out)}
        assert met == {"A": "met", "B": "undetermined"}


SECTION = """
from becalm.report.section import DeclaredSection, Section


def section(cohort, drill, figures):
    return Section("Colophon", [f"Made of {cohort.n} patients."])


SECTION = DeclaredSection("colophon", 15, section)
"""


def test_a_section_of_the_report_is_a_new_file(tmp_path: Path) -> None:
    """It stands at its position: after the patients, before the treatment."""
    folder = copy_of_the_package(tmp_path, {"report/sections/colophon.py": SECTION})
    run(folder, "demo", "--persons", "20", "--out", "demo")
    page = (folder / "demo/report.html").read_text(encoding="utf-8")
    assert "Made of 5 patients." in page
    assert page.index('id="patients"') < page.index('id="colophon"') < page.index('id="treatment"')
