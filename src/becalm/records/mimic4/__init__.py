"""MIMIC-IV as published: a folder with `hosp/` and `icu/`, .csv or .csv.gz, read in place."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from becalm.core.files import exists

if TYPE_CHECKING:
    from becalm.records.mimic4.source import Mimic4

CHUNK_ROWS: Final = 500_000
"""Approximate number of measurements and administrations in a chunk; a person is never split."""

_SUFFIXES: Final = (".csv", ".csv.gz")


def looks_like(path: Path) -> bool:
    """Return whether a folder contains MIMIC-IV: `hosp/patients` and `hosp/admissions`."""
    return all(
        any(exists(path / "hosp" / f"{table}{suffix}") for suffix in _SUFFIXES)
        for table in ("patients", "admissions")
    )


def open_mimic4(
    path: Path, *, items: Collection[str] | None = None, chunk_rows: int = CHUNK_ROWS
) -> Mimic4:
    """Open a MIMIC-IV folder.

    `items` are the item ids to read, those of the vocabulary unless given; rows of all others are
    counted as refused. Raises `RecordsError` where a table or a column that cannot be missed is
    missing.
    """
    from becalm.records.mimic4.source import Mimic4

    return Mimic4(path, items=items, chunk_rows=chunk_rows)
