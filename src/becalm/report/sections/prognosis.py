"""Ferritin beside who died."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core import stats
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.section import DeclaredSection, Section, captioned
from becalm.report.sections import serial
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return ferritin beside who died, where anybody has one."""
    del figures
    each, groups = serial.prognosis(cohort, drill), serial.by_outcome(cohort, drill)
    if not each:
        return None
    few = len(each.rows) < stats.AUC_FROM
    words = (
        f"With fewer than {stats.AUC_FROM} patients this is description only: no test, no area under a curve."
        if few
        else "An area of a half tells nothing; of values printed as a limit it has a least and a most."
    )
    listed = captioned(each, "Ferritin and outcome of every patient")
    named = captioned(groups, "Ferritin by outcome, median (range)")
    return Section(
        "ferritin", "Ferritin and death",
        [words, "Day 3 is known only of those who lived to it, which by itself makes survivors look better."],
        [], [named], [listed] if cohort.n <= PER_PERSON else [],
    )  # fmt: skip


SECTION: Final = DeclaredSection(110, section)
