"""The small tables of a chunk: all tables except measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from becalm.core.frame import Frame, Kind
from becalm.records import CONDITIONS, CULTURES, PROCEDURES, STAYS, Refusal, duck
from becalm.records.batches import Refused
from becalm.records.mimic4 import cultures, history, persons
from becalm.records.mimic4.administrations import Administrations
from becalm.records.mimic4.tables import Release

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class _Part:
    """A table's schema, its sorted query, and the columns that name a refused row."""

    schema: Mapping[str, Kind]
    sql: str
    variable: str
    unit: str = ""
    shown: str = ""


class Parts:
    """The small tables, each sorted once into a table of DuckDB and read by person."""

    def __init__(self, con: DuckDBPyConnection, release: Release, wide: DuckDBPyConnection) -> None:
        """`con` stores and sorts the small tables; `wide` uses all cores to read long files."""
        self._con = con
        self._parts = dict(_parts(release))
        self._administrations = Administrations(con, release, wide)
        self._stored = False

    def counts(self) -> npt.NDArray[np.int64] | None:
        """Return how many administrations each person has; None where no table has any."""
        return self._administrations.counts()

    def frames(self, low: int, high: int | None, refused: Refused) -> dict[str, Frame]:
        """Return the rows of persons `low` to before `high`, counted from `low`, sorted.

        Without `high`, to the end: rows whose person is not known come last and are refused.
        """
        self._store()
        administrations = self._administrations.frame(low, high, refused)
        frames = {name: self._frame(name, low, high, refused) for name in self._parts}
        return {**frames, "administrations": administrations}

    def _store(self) -> None:
        if not self._stored:
            for name, part in self._parts.items():
                duck.execute(self._con, f"CREATE TABLE {name} AS {part.sql}")
            self._stored = True

    def _frame(self, name: str, low: int, high: int | None, refused: Refused) -> Frame:
        part = self._parts[name]

        def describe(batch: duck.Columns, row: int) -> Refusal:
            table, variable = batch["source"][row], batch[part.variable][row]
            unit = batch[part.unit][row] if part.unit else ""
            shown = duck.number_text(batch[part.shown][row]) if part.shown else variable
            example = f"{table}:{batch['key'][row]} {shown}".rstrip()
            return Refusal(table, variable, unit, batch["reason"][row], 1, example)

        # A table returns its rows in the order of insertion: sorted.
        asked = (
            "person >= ? AND person < ?" if high is not None else "person >= ? OR person IS NULL"
        )
        rows = duck.stream(
            self._con,
            f"SELECT * FROM {name} WHERE {asked}",
            [low] if high is None else [low, high],
        )
        kept = list(refused.kept(rows, describe))
        columns = {n: np.concatenate([b[n] for b in kept]) for n in kept[0] if n in part.schema}
        return Frame.of(part.schema, **{**columns, "person": columns["person"] - np.int32(low)})


def _parts(release: Release) -> Iterator[tuple[str, _Part]]:
    yield "stays", _Part(STAYS, persons.stays(release), "kind")
    if sql := history.conditions(release):
        yield "conditions", _Part(CONDITIONS, sql, "code")
    if sql := history.procedures(release):
        yield "procedures", _Part(PROCEDURES, sql, "name")
    if sql := cultures.cultures(release):
        yield "cultures", _Part(CULTURES, sql, "test")
