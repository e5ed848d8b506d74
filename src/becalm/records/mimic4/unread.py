"""Cells that hold something nobody can read: they count as blank, so they are counted.

The long tables say this of their own rows as they are read (`results`, `inputs`); here are the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from becalm.records import Refusal, duck, possible
from becalm.records.mimic4.tables import Release

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DATES: Final = possible.rules().dates
_OLDEST: Final = possible.rules().life.longest_years
_NO_NUMBER: Final = "not a whole number: cell not used"
_READ: Final[Mapping[str, tuple[str, str]]] = {
    "time": ("moment({0}) IS NOT NULL OR impossible({0})", "not a time: cell not used"),
    "impossible": (
        "NOT impossible({0})",
        f"a placeholder, or {possible.outside_dates()}",
    ),
    "number": ("TRY_CAST({0} AS INTEGER) IS NOT NULL", _NO_NUMBER),
    "age": (
        f"TRY_CAST({{0}} AS INTEGER) IS NULL OR TRY_CAST({{0}} AS INTEGER) BETWEEN 0 AND {_OLDEST}",
        f"outside plausible range (0 to {_OLDEST}): cell not used",
    ),
    "year": (
        "TRY_CAST({0} AS INTEGER) IS NULL OR TRY_CAST({0} AS INTEGER) "
        f"BETWEEN {_DATES.first[:4]} AND {_DATES.last[:4]}",
        possible.outside_dates(),
    ),
    "sex": ("{0} IN ('F', 'M')", "neither F nor M: cell not used"),
}
"""For each kind of cell, when it is read, and the reason where it is not."""

_ALSO: Final[Mapping[str, str]] = {"time": "impossible", "anchor_age": "age", "anchor_year": "year"}
"""A second rule for a kind of cell, or for one column: it is read, but it cannot be true."""

_CELLS: Final[Mapping[tuple[str, str], tuple[str, Mapping[str, str]]]] = {
    # module and table: the column that identifies a row ('' for its number), and the kind of each cell
    ("hosp", "patients"): (
        "subject_id",
        {"gender": "sex", "anchor_age": "number", "anchor_year": "number", "dod": "time"},
    ),
    ("hosp", "admissions"): (
        "hadm_id",
        dict.fromkeys(("admittime", "dischtime", "deathtime", "edregtime", "edouttime"), "time"),
    ),
    ("hosp", "transfers"): ("transfer_id", {"intime": "time", "outtime": "time"}),
    ("icu", "icustays"): ("stay_id", {"intime": "time", "outtime": "time"}),
    ("icu", "procedureevents"): ("", {"starttime": "time", "endtime": "time"}),
    ("hosp", "procedures_icd"): ("", {"chartdate": "time"}),
    ("hosp", "microbiologyevents"): (
        "microevent_id",
        dict.fromkeys(("charttime", "chartdate", "storetime", "storedate"), "time"),
    ),
}


def unread(con: DuckDBPyConnection, release: Release) -> Iterator[Refusal]:
    """Yield the cells of the small tables that nobody can read, counted by table, column and reason."""
    for module, name in _CELLS:
        if sql := _sql(release, module, name):
            counted = duck.fetch(con, sql)
            for column, kind, rows, key, written in zip(*counted.values(), strict=True):
                example = f"{name}:{key} {written}"
                yield Refusal(name, column, "", _READ[kind][1], int(rows), example)


def _sql(release: Release, module: str, name: str) -> str | None:
    table = release.opened.get(name)
    if table is None:
        return None
    key, kinds = _CELLS[module, name]
    rows = table.read(key, *kinds) if key else table.numbered(*kinds)
    cells = ", ".join(
        f"{{'name': {duck.quoted(column)}, 'kind': {duck.quoted(kind)}, "
        f"'written': CASE WHEN trim({column}) <> '' AND NOT coalesce({_READ[kind][0].format(column)}, false) "
        f"THEN {column} END}}"
        for column, first in kinds.items()
        for kind in (first, _ALSO.get(column) or _ALSO.get(first))
        if kind
    )
    number = f"TRY_CAST({key} AS BIGINT)" if key else "row"
    return f"""
        SELECT cell.name AS name, cell.kind AS kind, count(*) AS rows, min(key) AS first,
               arg_min(cell.written, coalesce(key, 0)) AS written
        FROM (SELECT {number} AS key, unnest([{cells}]) AS cell FROM {rows})
        WHERE cell.written IS NOT NULL GROUP BY cell.name, cell.kind ORDER BY cell.name
    """
