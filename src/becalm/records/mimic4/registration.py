"""How MIMIC-IV is recognised and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.records import Source, mimic4

READS: Final = "a MIMIC-IV folder with hosp/ and icu/"


def looks_like(where: str) -> bool:
    """Say whether records are MIMIC-IV."""
    return mimic4.looks_like(Path(where))


def open_source(where: str) -> Source:
    """Open MIMIC-IV, with the items that the vocabulary has."""
    return mimic4.open_mimic4(Path(where))
