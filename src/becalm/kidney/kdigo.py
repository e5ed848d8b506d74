"""KDIGO as data: how kidney injury is staged by creatinine (`kdigo.toml`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.clock import Length

FILE: Final = Path(__file__).with_suffix(".toml")


class Kdigo(toml.TomlTable, frozen=True):
    """Acute kidney injury by creatinine.

    rise, severe : a limit for each unit that the guideline prints; either one counts. printed_mg_dl :
    the coarsest last digit of a printed creatinine.
    """

    title: str
    grade: str
    event: str
    source: str
    verified: bool
    rise: dict[str, float]
    rise_within: Length
    ratio_within: Length
    ratios: dict[int, float]
    severe: dict[str, float]
    printed_mg_dl: float


class Replacement(toml.TomlTable, frozen=True):
    """The longest gap between sessions of renal replacement that are one course."""

    bridge: Length
    source: str


class UrineWindow(toml.TomlTable, frozen=True):
    """The stage of a mean below a bound, mL/kg/h, over a window; a bound of 0 means no urine at all."""

    stage: int
    within: Length
    below: float


class Urine(toml.TomlTable, frozen=True):
    """Acute kidney injury by urine."""

    window: tuple[UrineWindow, ...]
    source: str
    verified: bool
    longest_gap: Length
    longest_gap_source: str


class Recovery(toml.TomlTable, frozen=True):
    """How long an injury must be gone to be over, and last to be persistent or a kidney disease."""

    source: str
    verified: bool
    sustained: Length
    persistent_after: Length
    disease_after: Length


class KidneyRules(toml.TomlTable, frozen=True):
    """The whole file."""

    kdigo: Kdigo
    urine: Urine
    replacement: Replacement
    recovery: Recovery


def load() -> KidneyRules:
    """Return the numbers that ship with becalm."""
    return toml.load(FILE, KidneyRules)
