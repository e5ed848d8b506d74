"""A slice of the MIMIC-IV demo changed in ways that change nothing: rows, columns, one patient more."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz.relations import Facts, differences, facts_of
from tests.fuzz.small import Table, as_csv

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent"),
]
PERSONS: Final = 12
_BY_EVENT: Final = "emar_detail"
"""The one table whose rows name no person, but an event of a person."""


def slice_of(folder: Path, ids: set[str], change: Callable[[Table], Table]) -> Path:
    """Write the rows of some persons as a MIMIC-IV folder, each table changed."""
    events: set[str] = set()
    files = [p for module in ("hosp", "icu") for p in sorted((DEMO / module).glob("*.csv.gz"))]
    for path in files:  # emar comes before emar_detail
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(io.StringIO(file.read(), newline=""))
        if "subject_id" in header:
            at = header.index("subject_id")
            rows = [row for row in rows if row[at] in ids]
        if path.name == "emar.csv.gz":
            events = {row[header.index("emar_id")] for row in rows}
        if path.name == f"{_BY_EVENT}.csv.gz":
            rows = [row for row in rows if row[header.index("emar_id")] in events]
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        table = change([header, *rows])
        target.write_bytes(gzip.compress(as_csv(table), compresslevel=1, mtime=0))
    return folder


def persons() -> list[str]:
    """Return the ids of some persons who were in intensive care."""
    with gzip.open(DEMO / "icu" / "icustays.csv.gz", "rt", encoding="utf-8") as file:
        return sorted({row["subject_id"] for row in csv.DictReader(file)})[: PERSONS + 1]


def unaltered(table: Table) -> Table:
    return table


def rows_shuffled(table: Table) -> Table:
    header, *rows = table
    random.Random(7).shuffle(rows)
    return [header, *rows]


def columns_shuffled(table: Table) -> Table:
    order = list(range(len(table[0])))
    random.Random(7).shuffle(order)
    return [[row[i] for i in order] for row in table]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    folder = slice_of(tmp_path_factory.mktemp("slice"), {*persons()[:-1]}, unaltered)
    found = facts_of(folder, "hyperinflammation")
    assert len(found) > PERSONS / 2
    return found


@pytest.mark.parametrize("change", [rows_shuffled, columns_shuffled])
def test_the_order_of_rows_and_columns_means_nothing(
    change: Callable[[Table], Table], before: Facts, tmp_path: Path
) -> None:
    folder = slice_of(tmp_path, {*persons()[:-1]}, change)
    assert differences(before, facts_of(folder, "hyperinflammation")) == []


def test_one_more_patient_changes_nothing_for_the_others(before: Facts, tmp_path: Path) -> None:
    *_, other = persons()
    after = dict(facts_of(slice_of(tmp_path, {*persons()}, unaltered), "hyperinflammation"))
    assert after.pop(other)
    assert differences(before, after) == []
