"""Fever hour by hour, what rose and fell over a day or two, and ferritin beside who died."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from becalm.core import stats
from becalm.definitions import serial_changes
from becalm.measures.fever import rule as fever_rule
from becalm.measures.response import small_fall
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.sections.tables import mark
from becalm.report.text import UNKNOWN, answer, bounded, labels, middle, number, signs, unit
from becalm.report.theme import Figure

FEVER_HEAD: Final = ("hours febrile", "hours afebrile", "hours unknown", "measurements",
                     "longest gap, h", "highest, °C")  # fmt: skip
OUTCOMES: Final = ((True, "died"), (False, "survived"), (None, "not known"))
MARKS: Final = {
    "baseline": "Baseline", "peak": "Peak before", "day3": "Day 3", "fall_day3": "Fall by day 3, %",
}  # fmt: skip


def fever(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each patient's hours of fever in every 24 h, with how densely it was measured."""
    rows = []
    for row in cohort.rows("fever"):
        told = [_hours(row[name]) for name in ("hours_febrile", "hours_afebrile", "hours_unknown")]
        told += [f"{row['measurements']}", _hours(row["longest_gap_h"]), number(row["highest"])]
        cells = [_opens(drill, shown, row) for shown in (f"{row['day']}", *told)]
        rows.append([row["person_id"], *cells, labels(row["modified_by"])])
    return PageTable(["Patient", "day", *FEVER_HEAD, "moved by (modified by)"], rows)


def fever_by_day(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the hours of fever of the whole cohort, day by day."""
    days: dict[int, list[Row]] = {}
    for row in cohort.rows("fever"):
        days.setdefault(row["day"], []).append(row)
    rows = []
    for day, mine in sorted(days.items()):
        measured = [row for row in mine if row["hours_febrile"] + row["hours_afebrile"] > 0]
        lines = [
            [row["person_id"], *(_hours(row[name]) for name in
             ("hours_febrile", "hours_afebrile", "hours_unknown")), f"{row['measurements']}"]
            for row in mine
        ]  # fmt: skip
        told = [
            f"{day}", f"{len(mine):,}", f"{len(measured):,}",
            middle(row["hours_febrile"] for row in measured),
            middle(row["hours_unknown"] for row in mine),
            middle(float(row["measurements"]) for row in mine),
        ]  # fmt: skip
        head = ["patient", *FEVER_HEAD[:4]]
        rows.append([drill.people(each, head, lines) for each in told])
    return PageTable(
        ["day", "followed", "temperature known", "hours febrile, of those known", "hours unknown",
         "measurements"], rows,
    )  # fmt: skip


def _hours(value: float) -> str:
    return UNKNOWN if math.isnan(value) else f"{value:.1f}".removesuffix(".0")


def _opens(drill: Drill, shown: str, row: Row) -> Markup:
    """Open the measurements of a day; where there is none, that there is none."""
    person = str(row["person_id"])
    if row["source_row"]:
        return drill.rows(shown, person, row["source_row"])
    if shown == UNKNOWN:
        return Markup(UNKNOWN)
    return drill.people(shown, ["patient", "temperature"], [[person, "none recorded"]])


def changes(cohort: Cohort, drill: Drill) -> PageTable:
    """Return what rose and what fell: in how many as in a storm, and each patient's multiple."""
    cells: dict[str, dict[str, Row]] = {}
    for row in cohort.rows("serial_changes"):
        if row["moment"] == cohort.moment:
            cells.setdefault(row["feature"], {})[row["person_id"]] = row
    each = cohort.n <= ROW_EACH
    rows = []
    for item in serial_changes().items:
        mine = cells.get(item.key, {})
        assessed = [row for row in mine.values() if row["state"] != "not assessed"]
        met = [row for row in assessed if row["state"] == "met"]
        lines = [[row["person_id"], row["state"], _multiple(row)] for row in mine.values()]
        shown = drill.people(f"{len(met)} of {len(assessed)}", ["patient", "", "multiple"], lines)
        way = "rises" if item.above == 1 else "falls" if item.below == 1 else "as named"
        patients = [_change(drill, mine.get(person)) for person in cohort.ids] if each else []
        title = drill.people(item.title, ["source"], [[item.source]])
        rows.append([title, way, mark(shown, verified=item.verified), *patients])
    head = ["Multiple of the earlier value", "in a storm it", "met, of those assessed"]
    return PageTable([*head, *(cohort.ids if each else [])], rows)


def _multiple(row: Row) -> str:
    value = number(row["value"])
    return value if value == UNKNOWN else f"{signs(row['censored']).get('value', '')}{value}"


def _change(drill: Drill, row: Row | None) -> Markup:
    if row is None or row["state"] == "not assessed":
        return Markup('<span class="sub">not assessed</span>')
    shown = drill.rows(_multiple(row), row["person_id"], row["source_row"])
    return shown + Markup('<br><span class="sub">met</span>' if row["state"] == "met" else "")


def prognosis(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each patient's ferritin before time zero and on day 3 beside the outcome."""
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
    about = [f"{name}, {unit('ng/mL')}" if "%" not in name else name for name in MARKS.values()]
    return PageTable(
        ["Patient", "Outcome", *about, f"fell by less than {100 * share:g} %", "day 3"], rows
    )


def by_outcome(cohort: Cohort, drill: Drill) -> PageTable:
    """Return ferritin by outcome: medians with ranges; an area only from thirty patients on."""
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
            lines = [[who, bounded(*pair)] for who, pair in known.items()]
            shown = _middle(list(known.values()), len(side))
            cells.append(drill.people(shown, ["patient", title], lines))
        if enough:
            cells.append(_area(drill, name, found))
        rows.append(cells)
    share, _ = small_fall()
    cells = [f"Fell by less than {100 * share:g} %"]
    for _, _, side in sides:
        decided = [row for row in side if row["small_fall"] is not None]
        lines = [[row["person_id"], answer(row["small_fall"])] for row in side]
        told = f"{sum(row['small_fall'] is True for row in decided)} of {len(decided)}"
        cells.append(drill.people(told, ["patient", "small fall"], lines))
    rows.append([drill.people(cells[0], ["source"], [[small_fall()[1]]]), *cells[1:], *([""] if enough else [])])  # fmt: skip
    head = [f"{words} (n = {len(side)})" for _, words, side in sides]
    return PageTable(
        [
            "Ferritin",
            *head,
            *(["area under the curve for death (95 % interval)"] if enough else []),
        ],
        rows,
    )


def _analysed(cohort: Cohort) -> list[Row]:
    """Patients already on treatment when the records begin have no baseline of their own."""
    rows = [r for r in cohort.rows("prognosis") if r["person_id"] not in cohort.not_analysed]
    return sorted(rows, key=lambda row: str(row["person_id"]))


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
        return bounded(low, high).replace(">", "≥").replace("<", "≤")
    return number(low) if low == high else f"{number(low)}…{number(high)}"


def _area(drill: Drill, name: str, found: dict[bool | None, dict[str, tuple[float, float]]]) -> Any:
    """Return how well a higher value (of the fall, a lower one) tells death from survival."""
    dead, alive = (list(found.get(said, {}).values()) for said in (True, False))
    if name == "fall_day3":
        dead, alive = ([(-high, -low) for low, high in side] for side in (dead, alive))
    area = stats.auc(dead, alive)
    if area is None:
        return UNKNOWN
    low, _ = stats.auc_interval(area[0], len(dead), len(alive))
    _, high = stats.auc_interval(area[1], len(dead), len(alive))
    middle_ = f"{area[0]:.2f}" if area[0] == area[1] else f"{area[0]:.2f}–{area[1]:.2f}"
    lines = [["died", f"{len(dead)}"], ["survived", f"{len(alive)}"]]
    return drill.people(f"{middle_} ({low:.2f}–{high:.2f})", ["outcome", "values"], lines)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    """Return fever as hours, and what rose and fell over a day or two."""
    del figures
    bound = f"{fever_rule().at_least:.1f} °C"
    days = captioned(fever_by_day(cohort, drill), "Fever by day from time zero, median (range)")
    many = cohort.n > ROW_EACH
    listed = []
    if lists_everybody(cohort):
        each, moved = fever(cohort, drill), changes(cohort, drill)
        caption = f"What rose and fell over 24 and 48 h, {cohort.moment_text}"
        listed = [
            captioned(each, "Every 24 h of every patient; day 1 is the first from time zero"),
            captioned(moved, caption),
        ]
    return Section(
        "serial", "Fever and change over days",
        [f"Hours at {bound} or more in each 24 h. A temperature stands until the next, or until it expires; "
         "hours that nothing is known of are neither febrile nor afebrile.",
         "What changed over one and two days are features to look at, not a score: nothing is added up."],
        [], [days] if many and days else [], [t for t in (*([] if many else [days]), *listed) if t],
    )  # fmt: skip


SECTION: Final = DeclaredSection(50, section)
