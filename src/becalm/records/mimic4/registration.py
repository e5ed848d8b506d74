"""Recognising and opening MIMIC-IV."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.records import Source, mimic4

READS: Final = "a MIMIC-IV folder with hosp/ and icu/"


def looks_like(where: str) -> bool:
    """Return whether records are MIMIC-IV."""
    return mimic4.looks_like(Path(where))


def open_source(where: str) -> Source:
    """Open MIMIC-IV with the items of the vocabulary."""
    return mimic4.open_mimic4(Path(where))


def would_read(file: Path) -> bool:
    """Return whether a new file would stand among the tables of MIMIC-IV."""
    return file.parent.name in {"hosp", "icu"} and mimic4.looks_like(file.parent.parent)
