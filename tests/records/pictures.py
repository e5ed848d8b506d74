"""Small ASCII tables in, points and timelines out: the pictures of the clinical manual.

The first line names the columns. `hour` is when, in hours from any origin (on the available
clock when there is a `drawn` column beside it); `person` is 0 where the column is absent; every
other column is a variable. A value is `9000`, `>15000`, `<30`, `>=5`, `<=5` or `10..20`; a blank
is no value. The row of a value is the number of its line, from 1.
"""

import math

from becalm.core.clock import HOUR, Length
from becalm.timeline import Points, Take, Timeline

Rows = list[dict[str, str]]
Bounds = tuple[float, float]
UNKNOWN: Bounds = (-math.inf, math.inf)


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
