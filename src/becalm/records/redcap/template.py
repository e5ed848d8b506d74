"""The chart-review template as a REDCap data dictionary, with the mapping that reads its exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from becalm.core.spreadsheets import CsvWriter
from becalm.core.staging import staged_once
from becalm.records.redcap.dictionary import HEADINGS
from becalm.records.redcap.drafting import draft
from becalm.records.sheets.schema import SHEETS, SheetColumn

DICTIONARY: Final = "becalm_dictionary.csv"
MAPPING: Final = "becalm_mapping.toml"
EXPORT: Final = "export.csv"
RECORD_ID: Final = "person_id"
_HEAD: Final = """\
# The mapping of a REDCap project that was made from becalm's template. Its fields say themselves which column of
# which sheet they fill. If your project has missing data codes, write them under [redcap]: docs/redcap.md.
"""
_TIME: Final = "2020-03-04 10:00, or 2020-03-04 where the hour is not known"
_PARTIAL: Final = "2020-03-04, or a month or a year: 2020-03, 2020"
_DATES: Final = ("birth_date", "age_at")
"""Times that are never more than a date."""
_UNKNOWN: Final = "blank is unknown, never no"


def write_project(to: Path) -> None:
    """Write the template as a dictionary that REDCap imports, and its mapping, into the new folder `to`.

    Each sheet is an instrument; all but `persons` repeat. Raises `OutputError` where the folder is not empty.
    """
    with staged_once(to) as folder:
        with (folder / DICTIONARY).open("w", encoding="utf-8", newline="") as file:
            writer = CsvWriter(file)
            writer.row(heading for heading, _ in HEADINGS.values())
            writer.rows(_rows())
        empty = folder / EXPORT
        empty.touch()
        text = draft(empty, folder / DICTIONARY, head=_HEAD)
        empty.unlink()
        (folder / MAPPING).write_text(text, encoding="utf-8")


def _rows() -> Iterator[list[str]]:
    """Yield the rows of the dictionary."""
    yield _row(
        name=RECORD_ID, form="persons", kind="text", label="Study number of the patient (no name)"
    )
    for sheet, schema in SHEETS.items():
        section = sheet.capitalize()
        for name, column in schema.columns.items():
            if name == RECORD_ID:
                continue
            yield _row(
                name=f"{sheet}_{name}",
                form=sheet,
                section=section,
                label=name.replace("_", " ").capitalize(),
                required="y" if column.required and column.blank == "mistake" else "",
                annotation=f"becalm={sheet}.{name}",
                **_cells(name, column),
            )
            section = ""


def _row(**cells: str) -> list[str]:
    return [cells.get(what, "") for what in HEADINGS]


def _cells(name: str, column: SheetColumn) -> dict[str, str]:
    """Return type, choices, validation and note of a column of a sheet."""
    if column.kind == "choice" and column.among:
        choices = " | ".join(f"{i}, {word}" for i, word in enumerate(column.among, 1))
        return {"kind": "dropdown", "choices": choices, "note": _UNKNOWN}
    if name in _DATES:
        return {"kind": "text", "validation": "date_ymd", "note": _UNKNOWN}
    if column.kind in {"number", "positive"} and not column.top_coded:
        return {"kind": "text", "validation": "number", "low": "0"}
    return {"kind": "text", "note": _note(column)}


def _note(column: SheetColumn) -> str:
    """Return how a column of free text is written."""
    notes = {
        f"several joined by a bar: {', '.join(column.among)}": column.kind == "choices",
        _PARTIAL: column.partial,
        _TIME: column.kind in {"time", "end"},
        "completed years; >89 is allowed": column.top_coded,
        "as reported: 1250, >15000, <0.2": column.numeric,
        "alive, died or unknown": bool(column.known),
    }
    return next((note for note, fits in notes.items() if fits), "")
