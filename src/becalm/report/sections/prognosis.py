"""The marker of the protocols (ferritin) by outcome."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from becalm import vocabulary
from becalm.core import stats
from becalm.core.digits import fixed
from becalm.measures.response import small_fall
from becalm.measures.response.prognosis import MARKER
from becalm.report import labels
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned
from becalm.report.text import UNKNOWN, answer, bounded, number, signs, unit
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON

OUTCOMES: Final = ((True, "died"), (False, "survived"), (None, "outcome unknown"))
MARKS: Final = {
    "baseline": "Baseline", "peak": "Peak before time zero", "day3": "Day 3", "fall_day3": "Fall until day 3, % (minus: rise)",
}  # fmt: skip


def each_patient(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each patient's marker before time zero and on day 3, with the outcome."""
    share, _ = small_fall()
    rows = []
    for row in _analysed(cohort):
        person, marks = row["person_id"], signs(row["censored"])
        cells = []
        for name in MARKS:
            value = 100 * row[name] if name == "fall_day3" else row[name]
            shown = number(value)
            shown = shown if shown == UNKNOWN else f"{marks.get(name, '')}{shown}"
            cells.append(drill.rows(shown, person, row["source_row"]))
        small = drill.rows(answer(row["small_fall"]), person, row["source_row"])
        rows.append([person, _outcome(row["died"]), *cells, small, row["status"]])
    about = [
        f"{name}, {unit(vocabulary.load().variable(MARKER).unit)}" if "%" not in name else name
        for name in MARKS.values()
    ]
    return PageTable(
        ["Patient", "Outcome", *about, f"fell by less than {100 * share:g} %", "value on day 3"],
        rows,
    )


def by_outcome(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the marker by outcome: medians with ranges; an area only of `AUC_FROM` values or more."""
    mine = _analysed(cohort)
    if not mine:
        return PageTable([], [])
    sides = [(said, words, [r for r in mine if r["died"] is said]) for said, words in OUTCOMES]
    sides = [side for side in sides if side[2]]
    enough = len(mine) >= stats.AUC_FROM
    rows: list[list[Any]] = []
    for name, title in MARKS.items():
        scale = 100.0 if name == "fall_day3" else 1.0
        found = {said: _bounds(side, name, scale) for said, _, side in sides}
        cells: list[Any] = [title]
        for said, _, side in sides:
            known = found[said]
            lines = [[who, bounded(*pair)] for who, pair in islice(known.items(), drill.most)]
            shown = _middle(list(known.values()), len(side))
            cells.append(drill.people(shown, ["patient", title], lines, len(known)))
        if enough:
            cells.append(_area(drill, name, found))
        rows.append(cells)
    share, _ = small_fall()
    cells = [f"Fell by less than {100 * share:g} %"]
    for _, _, side in sides:
        decided = [row for row in side if row["small_fall"] is not None]
        lines = [[row["person_id"], answer(row["small_fall"])] for row in side]
        told = f"{sum(row['small_fall'] is True for row in decided)} of {len(decided)}"
        if len(decided) < len(side):
            told += f", unknown in {len(side) - len(decided)}"
        cells.append(drill.people(told, ["patient", "small fall"], lines))
    rows.append([drill.people(cells[0], ["source"], [[small_fall()[1]]]), *cells[1:], *([""] if enough else [])])  # fmt: skip
    head = [f"{words} (n = {len(side)})" for _, words, side in sides]
    return PageTable(
        [
            labels.heading(labels.variable(MARKER)),
            *head,
            *(["area under the curve for death (95 % interval)"] if enough else []),
        ],
        rows,
    )


def _analysed(cohort: Cohort) -> list[Row]:
    """Patients already on treatment when the records begin have no baseline of their own."""
    rows = [r for r in cohort.rows("prognosis") if r["person_id"] not in cohort.not_analysed]
    return sorted(rows, key=lambda row: str(row["person_id"]))


def _any_limit(cohort: Cohort) -> bool:
    return any(row["censored"] for row in _analysed(cohort))


def _outcome(died: bool | None) -> str:
    return next(words for said, words in OUTCOMES if said is died)


def _bounds(rows: Iterable[Row], name: str, scale: float) -> dict[str, tuple[float, float]]:
    """Return what is known of a column: a number as itself, a limit as everything beyond it."""
    found = {}
    floor = -math.inf if name == "fall_day3" else 0.0
    ceiling = scale if name == "fall_day3" else math.inf
    for row in rows:
        value, sign = scale * row[name], signs(row["censored"]).get(name, "")
        if not math.isnan(value):
            low = floor if sign[:1] in {"<", "≤"} and sign else value
            high = ceiling if sign[:1] in {">", "≥"} and sign else value
            found[str(row["person_id"])] = (low, high)
    return found


def _middle(known: Sequence[tuple[float, float]], n: int) -> str:
    """Return median and range of values, some of them known only to lie beyond a limit."""
    if not known:
        return UNKNOWN
    lows, highs = zip(*known, strict=True)
    text = _range(statistics.median(lows), statistics.median(highs))
    if len(known) > 1:
        text += f" ({_range(min(lows), min(highs))} to {_range(max(lows), max(highs))})"
    return text if len(known) == n else f"{text}, known in {len(known)}"


def _range(low: float, high: float) -> str:
    if math.isinf(low) or math.isinf(high):
        return f"≥{number(low)}" if math.isinf(high) else f"≤{number(high)}"
    return number(low) if low == high else f"{number(low)}…{number(high)}"


def _area(drill: Drill, name: str, found: dict[bool | None, dict[str, tuple[float, float]]]) -> Any:
    """Return how well a higher value (of the fall, a lower one) tells death from survival."""
    dead, alive = (list(found.get(said, {}).values()) for said in (True, False))
    if name == "fall_day3":
        dead, alive = ([(-high, -low) for low, high in side] for side in (dead, alive))
    area = stats.auc(dead, alive) if len(dead) + len(alive) >= stats.AUC_FROM else None
    if area is None:
        return UNKNOWN
    low, _ = stats.auc_interval(area[0], len(dead), len(alive))
    _, high = stats.auc_interval(area[1], len(dead), len(alive))
    middle_ = (
        f"{fixed(area[0], 2)}" if area[0] == area[1] else f"{fixed(area[0], 2)}–{fixed(area[1], 2)}"
    )
    lines = [["died", f"{len(dead)}"], ["survived", f"{len(alive)}"]]
    return drill.people(
        f"{middle_} ({fixed(low, 2)}–{fixed(high, 2)})", ["outcome", "values"], lines
    )


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the marker by outcome, if any patient has a value."""
    del figures
    n = len(_analysed(cohort))
    if not n:
        return None
    marker = labels.heading(labels.variable(MARKER))
    folded = []
    if cohort.n <= PER_PERSON:
        each = each_patient(cohort, drill)
        folded = [captioned(each, f"{marker} and outcome of every patient")]
    groups = by_outcome(cohort, drill)
    words = (
        f"With fewer than {stats.AUC_FROM} patients this is a description: no test and no area under the curve."
        if n < stats.AUC_FROM
        else f"The area under the curve is given if {stats.AUC_FROM} values or more are known. An area of 0.5 "
        "means that the marker does not separate deaths from survivors. If a laboratory reported only a limit, "
        "the lowest and highest possible area are given."
    )
    limits = (
        "a…b: between a and b, because a laboratory reported only a limit."
        if _any_limit(cohort)
        else ""
    )
    return Section(
        f"{marker} and death",
        [words, "Day 3 is known only in patients who lived until day 3. This alone makes survivors look better.",
         *([limits] if limits else [])],
        [], [captioned(groups, f"{marker} by outcome, median (range)")], folded,
    )  # fmt: skip


SECTION: Final = DeclaredSection("ferritin", 86, section)
