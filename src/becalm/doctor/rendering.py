"""A diagnosis as text that fits a terminal, and as CSV files."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from becalm import __version__
from becalm.core.digits import fixed, percentage
from becalm.core.errors import shortened
from becalm.core.frame import Frame, Kind
from becalm.core.spreadsheets import CsvWriter
from becalm.core.staging import write_manifest
from becalm.core.text_table import WIDTH, text_table
from becalm.doctor.model import TABLES, Diagnosis

KIND: Final = "doctor"
"""How the kind of written tables begins in their manifest."""
_FOLLOWS: Final = 240

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Section:
    """How one table is printed: title, columns, and the greatest number of rows."""

    title: str
    none: str  # printed if there is no row
    columns: Mapping[str, Callable[[Row], str]]
    note: str = ""
    most: int = 20
    where: Callable[[Row], bool] = lambda _: True


def _cell(name: str) -> Callable[[Row], str]:
    return lambda row: _text(row[name])


def _share(name: str, of: Callable[[Row], int]) -> Callable[[Row], str]:
    return lambda row: _percent(row[name], of(row))


def _known(row: Row) -> int:
    return int(row["rows"] - row["unknown"])


_SECTIONS: Final[Mapping[str, _Section]] = {
    "absent_tables": _Section(
        "Tables that are absent",
        "No table is absent.",
        {"table": _cell("table"), "what cannot be known": _cell("consequence")},
    ),
    "not_understood": _Section(
        "Names and codes that are not understood",
        "Every name, code, unit, specimen, organism, route and status is understood or not needed.",
        {
            "what": _cell("what"),
            "as written": lambda row: shortened(row["written"] or row["code"]),
            "of": _cell("about"),
            "why": _cell("reason"),
            "rows": _cell("rows"),
            "persons": _cell("persons_with"),
            "example": _cell("first_row"),
            "most similar": _cell("nearest"),
        },
        "Nothing that depends on them is said to be absent. becalm doctor --words FILE writes them into a file "
        "in which you say what they mean.",
        most=60,
    ),
    "disputed_deaths": _Section(
        "Deaths that other rows contradict",
        "No death is contradicted.",
        {
            "person": _cell("person_id"),
            "died by": _cell("claimed_row"),
            "contradicted by": _cell("contradicted_row"),
            "how": _cell("how"),
        },
        "Whether they died is unknown until one of the two rows is corrected; nothing after the earliest death counts.",
    ),
    "variables": _Section(
        "Variables that definitions and protocols need",
        "No variable is needed.",
        {
            "variable": _cell("variable"),
            "values": _cell("rows"),
            "persons": _cell("persons"),
            "consequence": lambda row: textwrap.shorten(
                row["consequence"], _FOLLOWS, placeholder=" ... (all of it with --out)"
            ),
        },
        "Fewest persons first. A variable without any value is not assessed; it never counts as zero.",
        most=120,
    ),
    "units": _Section(
        "Units of each variable, as written",
        "No measurement of a known variable.",
        {
            "variable": _cell("variable"),
            "table": _cell("source_table"),
            "unit": lambda row: row["unit"] or "(none)",
            "read as": _cell("read_as"),
            "rows": _cell("rows"),
            "used": _cell("used"),
            "refused": _cell("refused"),
        },
        "x is the number as written.",
        most=120,
    ),
    "labels": _Section(
        "Item ids and codes whose label contradicts",
        "Every label is as expected.",
        {
            "table": _cell("source_table"),
            "code": _cell("code"),
            "label here": _cell("label"),
            "expected": _cell("expected"),
            "rows": _cell("rows"),
            "why refused": _cell("why"),
        },
    ),
    "refused": _Section(
        "Rows of known variables and drugs that were refused",
        "No row was refused.",
        {
            "table": _cell("source_table"),
            "variable": _cell("variable"),
            "unit": _cell("unit"),
            "reason": _cell("reason"),
            "rows": _cell("rows"),
            "example": _cell("example"),
        },
    ),
    "unknown_items": _Section(
        "Names and items outside the vocabulary",
        "Every name is known.",
        {
            "table": _cell("source_table"),
            "name": _cell("variable"),
            "unit": _cell("unit"),
            "rows": _cell("rows"),
            "example": _cell("example"),
        },
        "Normal in a hospital; check for names that should have been recognised.",
    ),
    "precision": _Section(
        "How exact times are",
        "There are no times.",
        {
            "table": _cell("source_table"),
            "time": _cell("time"),
            "rows": _cell("rows"),
            "unknown": _share("unknown", lambda row: row["rows"]),
            "date only": _share("date_only", _known),
            "midnight": _share("midnight", _known),
            "whole hour": _share("whole_hours", _known),
            "whole min": _share("whole_minutes", _known),
            "whole s": _share("whole_seconds", _known),
        },
        "Shares of known times; each column includes the columns to its left. By chance 0.07 % are at "
        "midnight and 1.7 % at a whole hour.",
        most=60,
    ),
    "delay": _Section(
        "From draw to available result, in minutes",
        "No measurement was understood.",
        {
            "variable": _cell("variable"),
            "rows": _cell("rows"),
            "unknown": _share("unknown", lambda row: row["rows"]),
            "negative": _cell("negative"),
            "first quartile": _cell("quartile_1_min"),
            "median": _cell("median_min"),
            "third quartile": _cell("quartile_3_min"),
        },
        "If this is unknown or negative, a result counts as available when it was drawn.",
        most=120,
    ),
    "conflicts": _Section(
        "Different results of one variable at one instant",
        "No two results of one instant differ.",
        {
            "variable": _cell("variable"),
            "instants": _cell("instants"),
            "conflicts": _cell("conflicts"),
            "example": _cell("example"),
        },
        "Each conflict counts as the range from the lowest to the highest result.",
    ),
    "doses": _Section(
        "Doses: missing entries and remarks",
        "No entry is missing and there are no remarks.",
        {
            "table": _cell("source_table"),
            "remark": _cell("remark"),
            "rows": _cell("rows"),
            "drugs": _cell("drugs"),
            "example": _cell("example"),
        },
        most=40,
    ),
    "unknown_drugs": _Section(
        "Labels in which no drug was recognised",
        "A drug was recognised in every label.",
        {
            "table": _cell("source_table"),
            "label": lambda row: row["label"] or "(none)",
            "rows": _cell("rows"),
            "example": _cell("example"),
        },
    ),
    "persons": _Section(
        "Persons without",
        "There are no persons.",
        {"without": _cell("without"), "persons": _cell("persons")},
    ),
}


def render(diagnosis: Diagnosis) -> str:
    """Return the whole diagnosis as text of at most 100 columns, ending in a line break."""
    head = (
        f"{diagnosis.source}: {diagnosis.persons:,} persons, {diagnosis.measurements:,} "
        f"measurements, {diagnosis.administrations:,} administrations"
    )
    lines = [head]
    for notice in diagnosis.notices:
        lines += textwrap.wrap(notice, WIDTH, initial_indent="* ", subsequent_indent="  ")
    for name, section in _SECTIONS.items():
        lines += ["", *_section(section, diagnosis[name])]
    return "\n".join(lines) + "\n"


def write(diagnosis: Diagnosis, folder: Path) -> None:
    """Write every table with all rows, one CSV file each, into an existing folder."""
    for name, schema in TABLES.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = CsvWriter(file)
            writer.row(schema)
            for row in diagnosis[name].rows():
                writer.row(_raw(row[column], kind) for column, kind in schema.items())
    write_manifest(folder, {"becalm": __version__, "kind": f"{KIND}: contains patient data"})


def _raw(value: Any, kind: Kind) -> Any:
    if kind == "number":
        return "" if math.isnan(value) else f"{value:.12g}"
    return "" if kind == "count" and value < 0 else value


def _section(section: _Section, frame: Frame) -> list[str]:
    lines = [section.title, "-" * len(section.title)]
    if not len(frame):
        return [*lines, section.none]
    if section.note:
        lines += textwrap.wrap(section.note, WIDTH)
    shown = list(frame.rows())[: section.most]
    cells = [tuple(of(row) for of in section.columns.values()) for row in shown]
    lines += text_table(tuple(section.columns), cells)
    if len(frame) > len(shown):
        lines.append(f"... and {len(frame) - len(shown):,} more; --out writes all rows")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("|", ", ")
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{fixed(value)}"
    return "–" if value < 0 else f"{value:,}"


def _percent(part: int, whole: int) -> str:
    if not whole:
        return "–"
    return f"{percentage(part / whole, 0 if part in (0, whole) else 2)} %"
