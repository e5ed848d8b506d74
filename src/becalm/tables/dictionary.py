"""The data dictionary: every column of every written table, with kind, unit and meaning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from becalm.core.frame import Frame
from becalm.tables.schema import Column, Table, text

DICTIONARY: Final = Table(
    "dictionary",
    "Every column of every table that a study writes.",
    "table and column",
    {
        "table": text("The table."),
        "column": text("The column, in the order of the table."),
        "kind": text("text, time, number, count, flag (yes or no) or answer (yes, no or unknown)."),
        "unit": text("The unit of a number; `as` names the column that contains the unit."),
        "meaning": text("What the column contains."),
        "counts_persons": Column(
            "flag",
            "",
            "Whether the number counts persons or their stays; small counts are not published.",
        ),
    },
    key=("table",),
)


def dictionary(tables: Iterable[Table]) -> Frame:
    """Return one row a column, tables by name, columns in their order."""
    return Frame.of_rows(
        DICTIONARY,
        [
            {
                "table": table.name,
                "column": name,
                "kind": column.kind,
                "unit": column.unit,
                "meaning": column.meaning,
                "counts_persons": column.counts_persons,
            }
            for table in sorted(tables, key=lambda table: table.name)
            for name, column in table.columns.items()
        ],
    )
