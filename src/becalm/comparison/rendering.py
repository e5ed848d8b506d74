"""What differs between two runs, as text for a terminal and as tables with every row."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from becalm import __version__
from becalm.comparison.comparing import Comparison
from becalm.comparison.inputs import ABSENT
from becalm.comparison.table_sql import CHANGED, GONE, MOVED, NEW, TableDifference
from becalm.core.errors import shortened
from becalm.core.spreadsheets import CsvWriter, inert_sql
from becalm.core.staging import write_manifest
from becalm.core.text_table import WIDTH, text_table
from becalm.tables import writing

KIND: Final = "differences of two runs"
"""How the kind of the written tables begins in their manifest."""
MOST: Final = 20
"""Rows of a list that are printed; `--out` writes all."""
_COLUMNS: Final = 4
"""Columns of a table that are named as changed."""
_WRITTEN: Final = {
    "rows": '"table", change, person_id, "key", "column", "old", "new", old_source_rows, '
    "new_source_rows",
    "cohort": "person_id, change, because",
    "statuses": 'person_id, "table", "key", "column", "old", "new", because, old_source_rows, '
    "new_source_rows",
}


def render(found: Comparison) -> Iterator[str]:
    """Yield the lines that the command prints, of at most 100 columns."""
    yield from _headed("What differs between the inputs", _inputs(found), begin=True)
    yield from _headed("Cohort", _cohort(found))
    yield from _headed("Statuses that changed", _statuses(found))
    yield from _headed("Names that are not understood", _names(found))
    yield from _headed("Tables", _tables(found))


def _headed(title: str, lines: Iterator[str], *, begin: bool = False) -> Iterator[str]:
    if not begin:
        yield ""
    yield title
    yield "-" * len(title)
    yield from lines


def _inputs(found: Comparison) -> Iterator[str]:
    if found.inputs:
        rows = [
            [each.part, each.name, shortened(each.old), shortened(each.new)]
            for each in found.inputs
        ]
        yield from text_table(["what", "name", "old", "new"], rows)
    else:
        yield "Nothing that the two manifests record."
    if found.differs and not any(each.certain for each in found.inputs):
        yield from _wrapped(
            "Results differ all the same: by what a manifest does not say, or because the program itself differs, "
            "although its version is the same."
        )


def _cohort(found: Comparison) -> Iterator[str]:
    persons = found.tables.get("persons")
    if persons is None or not persons.compared:
        yield "Not compared: see the table persons below."
        return
    entered, gone = (persons.changes.get(each, 0) for each in (NEW, GONE))
    yield (
        f"Persons: {persons.old:,} in the old run, {persons.new:,} in the new; "
        f"{entered:,} entered, {gone:,} left."
    )
    if found.steps:
        yield "Steps at which another number of persons left (the first one: came):"
    for step in found.steps:
        left = (ABSENT if n is None else f"{n:,}" for n in (step.old, step.new))
        yield from _wrapped(f"{step.reason}: {' → '.join(left)}", "  ")
    for row in found.first("cohort", MOST):
        yield from _wrapped(f"{row['person_id']} {row['change']}", "  ")
        yield from _parts(row["because"])
    yield from _more(found.count("cohort"))


def _statuses(found: Comparison) -> Iterator[str]:
    if not (rows := found.first("statuses", MOST)):
        yield "None."
    for row in rows:
        about = f"{row['table']}.{row['column']}" + (f" ({row['key']})" if row["key"] else "")
        old, new = (ABSENT if row[each] is None else row[each] for each in ("old", "new"))
        yield from _wrapped(f"{row['person_id']}, {about}: {old} → {new}", "  ")
        yield from _parts(row["because"] or _source_rows(row))
    yield from _more(found.count("statuses"))


def _source_rows(row: Mapping[str, Any]) -> str:
    old, new = row["old_source_rows"], row["new_source_rows"]
    if old == new:
        return f"rests on the same rows: {new}" if new else ""
    return f"rests on {new or ABSENT}, before on {old or ABSENT}"


def _parts(because: str) -> Iterator[str]:
    """Yield each part of a reason in lines of its own."""
    parts = [part for part in because.split("; ") if part]
    for part in parts[:MOST]:
        yield from _wrapped(shortened(part, 400), "      ")
    if len(parts) > MOST:
        yield f"      ... and {len(parts) - MOST:,} more; --out writes all"


def _names(found: Comparison) -> Iterator[str]:
    where = "\"table\" = 'not_understood' AND change IN ('{}')"
    none = True
    for change, told in ((GONE, "no longer listed"), (NEW, "new")):
        if total := found.count("found", where.format(change)):
            none = False
            yield f"{total:,} {told}:"
            for row in found.first("found", MOST, where.format(change)):
                yield from _wrapped(shortened(row["key"]), "  ")
            yield from _more(total)
    if none:
        yield "The same in both runs."


def _tables(found: Comparison) -> Iterator[str]:
    differing = [each for each in found.tables.values() if each.differs]
    if differing:
        heads = ["table", "old", "new", "same", CHANGED, "added", GONE, "moved", "columns changed"]
        yield from text_table(heads, [_table(each) for each in differing])
        if any(each.changes.get(MOVED) for each in differing):
            yield "moved: the same result, from rows of the records that have another name or number now."
    alike = [each.name for each in found.tables.values() if each.compared and not each.differs]
    if alike:
        yield from _wrapped(f"Without any difference: {', '.join(alike)}.")
    for each in found.tables.values():
        for remark in each.remarks:
            told = (
                f"{each.name}: {remark}" if each.compared else f"{each.name} not compared: {remark}"
            )
            yield from _wrapped(told, "! ")


def _table(table: TableDifference) -> list[str]:
    named = [f"{column} {n:,}" for column, n in list(table.columns.items())[:_COLUMNS]]
    if len(table.columns) > _COLUMNS:
        named.append(f"{len(table.columns) - _COLUMNS} others")
    counts = (table.changes.get(each, 0) for each in (CHANGED, NEW, GONE, MOVED))
    return [
        table.name,
        *(f"{n:,}" for n in (table.old, table.new, table.same, *counts)),
        ", ".join(named),
    ]


def _more(total: int) -> Iterator[str]:
    if total > MOST:
        yield f"  ... and {total - MOST:,} more; --out writes all"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=" " * (len(indent) + 2 * bool(indent))
    )


def write(found: Comparison, folder: Path) -> None:
    """Write everything that differs into an existing folder: `inputs`, `tables`, `cohort`, `statuses`, `rows`."""
    _csv(
        folder / "inputs.csv",
        ("part", "name", "old", "new"),
        ((each.part, each.name, each.old, each.new) for each in found.inputs),
    )
    _csv(
        folder / "tables.csv",
        ("table", "compared", "old_rows", "new_rows", "same", "changed", "new", "gone",
         "source_rows_only", "remarks"),
        (
            (
                each.name, "yes" if each.compared else "no",
                *((each.old, each.new, each.same) if each.compared else ("", "", "")),
                *(each.changes.get(c, 0) if each.compared else "" for c in (CHANGED, NEW, GONE, MOVED)),
                "; ".join(each.remarks),
            )
            for each in found.tables.values()
        ),
    )  # fmt: skip
    for name, columns in _WRITTEN.items():
        held = "found" if name == "rows" else name
        order = 'ORDER BY "table", change, person_id, "key", number, "column"' * (name == "rows")
        texts = ", ".join(f"{inert_sql(column)} AS {column}" for column in columns.split(", "))
        found.con.execute(
            f"COPY (SELECT {texts} FROM (FROM {held} {order})) TO "
            f"{writing.quoted(folder / f'{name}.csv')} (FORMAT csv, HEADER true)"
        )
    write_manifest(
        folder,
        {
            "becalm": __version__,
            "kind": f"{KIND}: contains patient data",
            "runs": [
                {"folder": each.path.name, "becalm": each.facts.get("becalm")}
                for each in (found.old, found.new)
            ],
        },
    )


def _csv(file: Path, head: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = CsvWriter(text)
        writer.row(head)
        writer.rows(rows)
