"""The comparison of two results folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from becalm.comparison.inputs import InputDifference, input_differences
from becalm.comparison.persons_sql import (
    StepDifference,
    attrition_differences,
    find_cohort,
    find_statuses,
)
from becalm.comparison.results_folder import ResultsFolder, opened, rows_of
from becalm.comparison.table_sql import FOUND, TableDifference, compare_table
from becalm.core.database import connect
from becalm.core.errors import UnreadableFileError, UsageError
from becalm.core.staging import same

DESCRIBES: Final = ("dictionary",)
"""Tables that tell of the tables and not of patients; what differs in them is no result."""

_LARGE: Final = 32 << 20
"""Bytes of a table, both versions together, from which on it is named while it is compared."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    tables : every table of either run. steps : of the attrition, where another number of persons left. con : the connection that holds all rows: `found` (every cell, new and
    gone row), `statuses` and `cohort`.
    """

    old: ResultsFolder
    new: ResultsFolder
    inputs: Sequence[InputDifference]
    tables: Mapping[str, TableDifference]
    steps: Sequence[StepDifference]
    con: Any

    @property
    def differs(self) -> bool:
        """Whether any result differs, or a table could not be compared."""
        return any(each.differs or not each.compared for each in self.tables.values())

    def count(self, table: str, where: str = "true") -> int:
        """Return the number of rows of `found`, `statuses` or `cohort`."""
        return int(self.con.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])

    def first(self, table: str, most: int, where: str = "true") -> list[dict[str, Any]]:
        """Return the first rows of `found`, `statuses` or `cohort`."""
        seen = self.con.execute(f"SELECT * FROM {table} WHERE {where} LIMIT {most}")
        names = [each[0] for each in seen.description]
        return [dict(zip(names, row, strict=True)) for row in seen.fetchall()]


@contextmanager
def compare(
    old: Path,
    new: Path,
    progress: Callable[[str], None] = lambda _: None,
    *,
    writes: Sequence[Path] = (),
) -> Iterator[Comparison]:
    """Yield what differs between two results folders; its rows are there until the end of the block.

    writes : folders into which the rows will be written.

    Raises
    ------
    UsageError
        Where both are the same folder.
    UnreadableFileError
        Where one is no results folder of a study, or a table was changed since it was written.
    """
    if same(old, new):
        raise UsageError("OLD and NEW are the same folder", hint="Name the folders of two runs")
    before, after = opened(old), opened(new)
    folders = [each.path / "tables" for each in (before, after)]
    with connect(within=[*folders, *writes]) as con:
        con.execute(f"CREATE TEMP TABLE found {FOUND}")
        tables = {}
        for name in sorted({*before.hashes, *after.hashes} - {*DESCRIBES}):
            tables[name] = _compared(con, name, before, after, progress)
        find_statuses(con)
        find_cohort(con)
        inputs = input_differences(before.facts, after.facts)
        yield Comparison(before, after, inputs, tables, _steps(con, tables, before, after), con)


def _steps(
    con: Any,
    tables: Mapping[str, TableDifference],
    before: ResultsFolder,
    after: ResultsFolder,
) -> list[StepDifference]:
    """Return the steps of the attrition that differ; none where the two tables are of unlike shape."""
    found = tables.get("attrition")
    if found is None or not found.compared or found.remarks or not found.differs:
        return []
    return attrition_differences(con, before.table("attrition"), after.table("attrition"))


def _compared(
    con: Any,
    name: str,
    before: ResultsFolder,
    after: ResultsFolder,
    progress: Callable[[str], None],
) -> TableDifference:
    import duckdb

    for where, other, run in ((before, after, "old"), (after, before, "new")):
        if name not in other.hashes:
            where.table(name)
            return TableDifference(name, remarks=(f"only the {run} run has it",), compared=False)
    old, new = before.table(name), after.table(name)
    try:
        if before.hashes[name] == after.hashes[name]:
            [[rows]] = con.execute(f"SELECT count(*) FROM {rows_of(old)}").fetchall()
            return TableDifference(name, rows, rows, rows)
        if old.stat().st_size + new.stat().st_size > _LARGE:
            progress(f"comparing the table {name}")
        return compare_table(con, name, old, new)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise UnreadableFileError(
            f"cannot be read ({str(error).splitlines()[0]})",
            where=f"{old} or {new}",
            hint="Run becalm study again",
        ) from error
