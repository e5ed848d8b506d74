"""Small ASCII tables in, rows of records, points and timelines out: the pictures of the clinical manual.

The first line names the columns, a blank cell is not given, `person` is 0 where the column is absent.

- `labs`: `hour`, `available`, and every other column is a variable in its canonical unit; a cell may hold
  several results, `9000 and 9100`.
- `doses`: `drug` (anakinra where the column is absent), `route`, `start`, `end`, `amount`, `rate` and
  `concentration` (number and unit in one cell) or `mg` and `mg_h` (numbers), `weight` (kg), `status`, `code`, `table`.
- `procedures`: `start`, `end`, `name`. `stays`: `start`, `end`, `kind`, `to`.
- `points_of` and `timeline_of` leave records out. `hour` is when, from 0 (on the available clock where there is a
  `drawn` column beside it); a value is `9000`, `>15000`, `<30`, `>=5`, `<=5` or `10..20`. The row of a value is
  the number of its line, from 1.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from becalm.core.clock import HOUR, Length
from becalm.core.columns import listed
from becalm.timeline import Points, Take, Timeline
from tests.records.rows import Row, dose, lab, procedure, stay

Rows = list[dict[str, str]]
Bounds = tuple[float, float]
UNKNOWN: Bounds = (-math.inf, math.inf)


def named(variable: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """The rows of a variable by its name: `ferritin:3`."""
    return listed(f"{variable}:{row}" for row in rows.tolist())


def numbered(_: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """The rows of a variable by their numbers alone."""
    return listed(map(str, rows.tolist()))


def rows_of(table: str) -> Rows:
    """The lines of a table as {column: text}, with a `line` numbered from 1."""
    lines = [
        line for line in table.splitlines() if line.strip() and set(line.strip()) - set("-|+ ")
    ]
    names, *body = [[cell.strip() for cell in line.split("|")] for line in lines]
    rows = []
    for number, cells in enumerate(body, 1):
        if len(cells) > len(names):
            raise ValueError(f"line {number} has {len(cells)} cells for the columns {names}")
        row = dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))
        rows.append(row | {"line": str(number)})
    return rows


def labs(table: str, limits: Mapping[str, tuple[float, float]] | None = None) -> Iterator[Row]:
    """Yield the results of a table; `limits` are printed beside the results of a variable."""
    for row in rows_of(table) if table.strip() else ():
        for name in [n for n in row if n not in ("hour", "person", "line", "available")]:
            low, high = (limits or {}).get(name, (None, None))
            for text in filter(None, row[name].split(" and ")):
                plain = text.replace(".", "", 1).isdigit()
                yield lab(
                    name,
                    float(text) if plain else text,
                    _hour(row, "hour"),
                    available=_hour(row, "available"),
                    ref_low=low,
                    ref_high=high,
                    person=_person(row),
                )


def doses(table: str | Iterable[Mapping[str, object]]) -> Iterator[Row]:
    """Yield the administrations of a table, or of its lines by column."""
    lines: Iterable[Mapping[str, object]] = (
        table if not isinstance(table, str) else rows_of(table) if table.strip() else ()
    )
    for line in lines:
        row = {name: str(value) for name, value in line.items()}
        yield dose(
            row.get("drug") or "anakinra",
            _hour(row, "start"),
            _hour(row, "end"),
            **{n: row[n] for n in ("amount", "rate", "concentration") if row.get(n)},
            **{f: f"{row[n]} {u}" for n, f, u in _IN_MG if row.get(n)},
            weight_kg=float(row.get("weight") or "nan"),
            route=row.get("route", "IV"),
            status=row.get("status", "given"),
            code=row.get("code", ""),
            table=row.get("table") or "doses",
            person=_person(row),
        )


_IN_MG = (("mg", "amount", "mg"), ("mg_h", "rate", "mg/h"))


def procedures(table: str) -> Iterator[Row]:
    for row in rows_of(table) if table.strip() else ():
        start, end = _hour(row, "start"), _hour(row, "end")
        yield procedure(row["name"], start, end, person=_person(row))


def stays(table: str) -> Iterator[Row]:
    for row in rows_of(table) if table.strip() else ():
        more = {"kind": row.get("kind") or "ward", "destination": row.get("to") or ""}
        yield stay(_hour(row, "start"), _hour(row, "end"), row["line"], person=_person(row), **more)


def _hour(row: Mapping[str, str], name: str) -> float | None:
    return float(row[name]) if row.get(name) else None


def _person(row: Mapping[str, str]) -> int:
    return int(row.get("person") or 0)


def bounds_of(text: str) -> Bounds:
    """Lowest and highest possible value of what a laboratory wrote."""
    if ".." in text:
        low, high = text.split("..")
        return float(low or "-inf"), float(high or "inf")
    if text.startswith((">=", "≥")):
        return float(text.lstrip(">=≥")), math.inf
    if text.startswith(("<=", "≤")):
        return 0.0, float(text.lstrip("<=≤"))
    if text.startswith(">"):
        return math.nextafter(float(text[1:]), math.inf), math.inf
    if text.startswith("<"):
        return 0.0, math.nextafter(float(text[1:]), -math.inf)
    return float(text), float(text)


def us(hour: float | str) -> int:
    return round(float(hour) * HOUR)


def variables_of(table: str) -> list[str]:
    """The columns that are variables."""
    reserved = {"hour", "person", "drawn", "end", "line"}
    return [name for name in rows_of(table)[0] if name not in reserved]


def points_of(table: str, variable: str | None = None) -> Points:
    """The values of one variable (of the only one, if unnamed) in a table."""
    if variable is None:
        [variable] = variables_of(table)
    rows = [row for row in rows_of(table) if row[variable]]
    bounds = [bounds_of(row[variable]) for row in rows]
    drawn = [us(row["drawn"]) for row in rows] if any("drawn" in row for row in rows) else None
    return Points.build(
        [int(row.get("person") or 0) for row in rows],
        [us(row["hour"]) for row in rows],
        [low for low, _ in bounds],
        [high for _, high in bounds],
        [int(row["line"]) for row in rows],
        drawn=drawn,
    )


def timeline_of(
    table: str, variable: str | None = None, take: Take = "last", within: str = "72h"
) -> Timeline:
    """What is known of one variable of a table: its last, greatest … value `within` a while."""
    return points_of(table, variable).trailing(take, Length(within).us)


def expected(value: float | str | Bounds | None) -> Bounds:
    """Bounds of an expectation: a number, a text as in a table, a pair, or None for unknown."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return bounds_of(value)
    return value if isinstance(value, tuple) else (float(value), float(value))
