"""Recognising and opening chart-review sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.records import Source, sheets

READS: Final = "a folder with persons.csv (or .parquet), one .xlsx workbook with a sheet 'persons'"


def looks_like(where: str) -> bool:
    """Return whether records are sheets: a folder with `persons`, or a workbook."""
    return sheets.looks_like(Path(where))


def open_source(where: str) -> Source:
    """Read and check all sheets."""
    return sheets.open_sheets(Path(where))


def would_read(file: Path) -> bool:
    """Return whether a new file would be a sheet, or would describe the study."""
    return sheets.would_read(file)
