"""How chart-review sheets are recognised and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.records import Source, sheets

READS: Final = "a folder with persons.csv (or .parquet), one .xlsx workbook with a sheet 'persons'"


def looks_like(where: str) -> bool:
    """Say whether records are sheets: a folder with `persons`, or a workbook."""
    return sheets.looks_like(Path(where))


def open_source(where: str) -> Source:
    """Read and check the sheets, all of them."""
    return sheets.open_sheets(Path(where))
