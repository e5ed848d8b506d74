"""How two versions of one table are compared, as SQL: large tables never come into Python.

Rows belong together by the key that the table declares. Names of source rows (`labs:12`) may move when records
grow, so they are compared last: a row that differs in them alone is told apart from a row whose result changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from becalm.comparison.results_folder import rows_of
from becalm.tables import WRITTEN

CHANGED: Final = "changed"
NEW: Final = "new"
GONE: Final = "gone"
MOVED: Final = "source rows only"
"""The result is the same, but it rests on rows of other names."""

FOUND: Final = (
    '("table" VARCHAR, change VARCHAR, person_id VARCHAR, "key" VARCHAR, "column" VARCHAR, '
    '"old" VARCHAR, "new" VARCHAR, old_source_rows VARCHAR, new_source_rows VARCHAR, number BIGINT)'
)
"""The columns of `found`, in which everything that differs is put: one row a cell, or a new or gone row.

number : the same for the cells of one row; it counts within a table and a kind of change.
"""


@dataclass(frozen=True)
class TableDifference:
    """How one table differs between two runs.

    old, new : rows of the two runs. same : rows that are alike in every column. remarks : what was not compared,
    and why. compared : False where nothing of the table could be.
    """

    name: str
    old: int = 0
    new: int = 0
    same: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    compared: bool = True

    @property
    def differs(self) -> bool:
        """Whether any row is new, gone, changed, or rests on other source rows."""
        return any(self.changes.values())


@dataclass(frozen=True)
class _Shape:
    """The columns that both versions have, by their part in the comparison."""

    key: tuple[str, ...]
    sources: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """The key without names of source rows."""
        return tuple(each for each in self.key if each not in self.sources) or self.key

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.key, *self.values, *self.sources)))


def names_source_rows(column: str) -> bool:
    """Whether a column of text holds names of source rows, `table:key` joined by `|`.

    >>> names_source_rows("source_row"), names_source_rows("context_rows"), names_source_rows("rows")
    (True, True, False)
    """
    return column.endswith(("_row", "_rows"))


def compare_table(con: Any, name: str, old: Path, new: Path) -> TableDifference:
    """Compare two files of one table; what differs is added to the table `found` of the connection."""
    table = WRITTEN.get(name)
    if table is None:
        return _not_compared(name, "this version of becalm does not know it")
    before, after = _types(con, old), _types(con, new)
    shared = {column: kind for column, kind in after.items() if before.get(column) == kind}
    remarks = _remarks(before, after)
    if lost := [column for column in table.key if column not in shared]:
        what = f"its key has {', '.join(lost)}, which are not alike in both runs"
        return _not_compared(name, what, *remarks)
    sources = tuple(
        column for column, kind in shared.items() if kind == "VARCHAR" and names_source_rows(column)
    )
    rest = tuple(
        column for column in shared if column not in {*table.key, *sources, table.position}
    )
    shape = _Shape(table.key, sources, rest)
    for side, file in (("before", old), ("after", new)):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {side} AS SELECT {_listed(shape.all)} "
            f"FROM {rows_of(file)}"
        )
    rows = {side: _one(con, f"SELECT count(*) FROM {side}") for side in ("before", "after")}
    _unlike(con, shape)
    gone = _one(con, "SELECT count(*) FROM _gone")
    _pair(con, name, shape, (*shape.identity, *shape.values), MOVED)
    for by in dict.fromkeys((shape.key, shape.identity)):
        _pair(con, name, shape, by, CHANGED)
    for side, change in (("_gone", GONE), ("_come", NEW)):
        _alone(con, name, shape, side, change)
    return TableDifference(
        name,
        rows["before"],
        rows["after"],
        rows["before"] - gone,
        _counted(con, "change", name, "count(DISTINCT number)"),
        _counted(con, '"column"', name, "count(*)", f"change = '{CHANGED}'"),
        remarks,
    )


def _not_compared(name: str, *why: str) -> TableDifference:
    return TableDifference(name, remarks=tuple(why), compared=False)


def _types(con: Any, file: Path) -> dict[str, str]:
    seen = con.execute(f"DESCRIBE SELECT * FROM {rows_of(file)}").fetchall()
    return {str(column): str(kind) for column, kind, *_ in seen}


def _remarks(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is said about columns that the two versions do not share."""
    found = {
        "only in the old run": [each for each in before if each not in after],
        "only in the new run": [each for each in after if each not in before],
        "of another kind in each run": [
            each for each, kind in after.items() if before.get(each, kind) != kind
        ],
    }
    return tuple(
        f"{'columns' if len(names) > 1 else 'column'} {', '.join(names)} {where}: not compared"
        for where, names in found.items()
        if names
    )


def _unlike(con: Any, shape: _Shape) -> None:
    """Make `_gone` and `_come`: the rows of each version that are not in the other; twins are counted."""
    columns = _listed(shape.all)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unlike AS SELECT {columns}, sum(_side) AS _surplus FROM ("
        f"SELECT {columns}, 1 AS _side FROM before UNION ALL SELECT {columns}, -1 FROM after) "
        f"GROUP BY {columns} HAVING _surplus <> 0"
    )
    for side, sign in (("_gone", ""), ("_come", "-")):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {side} AS SELECT row_number() OVER (ORDER BY {columns}) AS _number, * "
            f"FROM (SELECT {columns} FROM (SELECT *, unnest(range({sign}_surplus::BIGINT)) FROM unlike))"
        )
    con.execute("DROP TABLE unlike")


def _pair(con: Any, name: str, shape: _Shape, by: Sequence[str], change: str) -> None:
    """Take the rows out of `_gone` and `_come` that belong together, and add to `found` in what they differ.

    By a key, rows are paired where each version has one such row: which of several became which is not guessed.
    Of rows that are alike but for their source rows, twins are paired in the order of those.
    """
    compared = shape.sources if change == MOVED else shape.values
    if not compared:
        return
    partition = f"PARTITION BY {_listed(by)}"
    order = f"ORDER BY {_listed(shape.sources)}" if change == MOVED else ""
    for side in ("_gone", "_come"):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {side}_twins AS SELECT *, "
            f"row_number() OVER ({partition} {order}) AS _twin, count(*) OVER ({partition}) AS _twins "
            f"FROM {side}"
        )
    alone = "" if change == MOVED else "AND _gone._twins = 1 AND _come._twins = 1"
    on = " AND ".join(f"_gone.{_name(c)} IS NOT DISTINCT FROM _come.{_name(c)}" for c in by)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE pairs AS SELECT _gone, _come FROM _gone_twins AS _gone "
        f"JOIN _come_twins AS _come ON {on} AND _gone._twin = _come._twin {alone}"
    )
    cells = ", ".join(
        f"{{'column': {_text(c)}, 'old': {_cell(c, '_gone')}, 'new': {_cell(c, '_come')}, "
        f"'unlike': _gone.{_name(c)} IS DISTINCT FROM _come.{_name(c)}}}"
        for c in compared
    )
    con.execute(
        f"INSERT INTO found SELECT {_head(name, change, shape, '_come')}, _cell.column, _cell.old, "
        f"_cell.new, {_sources(shape, '_gone')}, {_sources(shape, '_come')}, _gone._number FROM "
        f"(SELECT _gone, _come, unnest([{cells}]) AS _cell FROM pairs) WHERE _cell.unlike"
    )
    for side in ("_gone", "_come"):
        con.execute(f"DELETE FROM {side} WHERE _number IN (SELECT pairs.{side}._number FROM pairs)")


def _alone(con: Any, name: str, shape: _Shape, side: str, change: str) -> None:
    """Add the rows that only one version has to `found`."""
    rows = _sources(shape, side)
    old, new = (rows, "NULL") if change == GONE else ("NULL", rows)
    con.execute(
        f"INSERT INTO found SELECT {_head(name, change, shape, side)}, NULL, NULL, NULL, "
        f"{old}, {new}, _number FROM {side} ORDER BY _number"
    )


def _head(name: str, change: str, shape: _Shape, side: str) -> str:
    """Return SQL for table, change, person and key of a row."""
    person = f"{side}.{_name('person_id')}" if "person_id" in shape.key else "NULL"
    parts = [each for each in shape.key if each != "person_id"]
    told = [f"{_text(f'{each}=')} || coalesce({_cell(each, side)}, '')" for each in parts]
    key = f"concat_ws(', ', {', '.join(told)})" if told else "''"
    return f"{_text(name)}, {_text(change)}, {person}, {key}"


def _sources(shape: _Shape, side: str) -> str:
    """Return SQL for the names of all source rows of a row."""
    named = ", ".join(f"{side}.{_name(each)}" for each in shape.sources)
    return f"nullif(concat_ws('|', {named}), '')" if named else "NULL"


def _cell(column: str, side: str) -> str:
    """Return SQL for a cell as the written CSV files show it."""
    held = f"{side}.{_name(column)}"
    return (
        f"CASE WHEN typeof({held}) = 'TIMESTAMP' THEN replace({held}::VARCHAR, ' ', 'T') "
        f"ELSE {held}::VARCHAR END"
    )


def _counted(con: Any, by: str, name: str, what: str, where: str = "true") -> dict[str, int]:
    rows = con.execute(
        f'SELECT {by} AS one, {what} AS n FROM found WHERE "table" = {_text(name)} AND {where} '
        "GROUP BY one ORDER BY n DESC, one"
    ).fetchall()
    return {str(one): int(n) for one, n in rows}


def _one(con: Any, query: str) -> int:
    return int(con.execute(query).fetchone()[0])


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(_name, columns))


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
