"""Levels of a drug in records: patients who are updated by them; what the command prints and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any, TypeAlias

from becalm import __version__
from becalm.api.opening import PatientRecords
from becalm.api.understanding import understand
from becalm.core.clock import UNKNOWN_TIME, from_us
from becalm.core.digits import fixed
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.core.staging import staged, write_manifest
from becalm.core.text_table import text_table
from becalm.events import merge
from becalm.measures.charted_levels import charted_courses, unread_levels
from becalm.pk import (
    LevelUpdate,
    PkModel,
    UpdateSettings,
    update_charted,
)
from becalm.records import Refusal
from becalm.report import levels_drawn
from becalm.tables import writing

Row: TypeAlias = dict[str, Any]
KIND = "levels"
"""How the kind of written levels begins in their manifest."""
MOST_FIGURES = 40
"""Courses that are drawn at most."""
_METHODS = {
    "model": "the model alone", "fixed": "levels before, fixed clearance",
    "walk": "levels before, clearance moves", "last": "the last level kept",
}  # fmt: skip


def update_by_levels(
    records: PatientRecords,
    model: PkModel,
    settings: UpdateSettings,
    *,
    persons: Sequence[str] = (),
    covariates: Mapping[str, float | str] | None = None,
    orders: bool = False,
) -> LevelUpdate:
    """Update every person of some records who has levels of the model's drug, course by course.

    Simulated, not a dosing recommendation.

    persons : only these, by their ids. covariates : those that records do not have, the same for everybody. orders : where
    a row of a dose says no amount, take that of the order in force, if there is one alone.

    Raises `UsageError` for an unknown person, for a drug or level that the vocabulary does not know, and where nobody has
    a level.
    """
    understood = understand(records)
    for each in persons:
        if each not in understood.ids:
            raise UsageError(f"no person is called {each!r}")
    unread = merge(row for batch in understood.batches for row in unread_levels(batch, model))
    courses = [
        each
        for batch in understood.batches
        for each in charted_courses(batch, model, covariates, orders=orders)
        if not persons or each.person_id in persons
    ]
    remarks = [_unread(each) for each in unread]
    if not courses:
        whom = f" of {', '.join(persons)}" if persons else ""
        raise UsageError(
            f"no level of {model.drug}{whom} is in the records",
            hint=". ".join([f"Levels are the variable {model.level}", *remarks]),
        )
    return update_charted(model, courses, settings, remarks)


def _unread(refusal: Refusal) -> str:
    """Return in words how many rows of levels were not read, and why."""
    unit = f" ({refusal.unit})" if refusal.unit else ""
    example = f", for example {refusal.example}" if refusal.example else ""
    return f"not read: {refusal.rows} rows of {refusal.variable}{unit}: {refusal.reason}{example}"


def write(found: LevelUpdate, out: Path, reads: tuple[Path, ...] = ()) -> None:
    """Write tables (Parquet and CSV), figures (SVG and PNG) and the manifest to a folder.

    Raises `OutputError` where something is in the way that becalm did not write.
    """
    with staged(out, KIND, reads=reads) as folder:
        (folder / "tables").mkdir()
        for name, frame in found.frames.items():
            writing.write(name, frame, folder / "tables")
        (folder / "figures").mkdir()
        for figure in levels_drawn.figures(found, MOST_FIGURES):
            (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
            (folder / "figures" / f"{figure.name}.png").write_bytes(figure.png())
        facts = {
            "becalm": __version__,
            "kind": f"{KIND}: {found.notice}",
            **found.settings,
            "remarks": list(found.remarks),
        }
        write_manifest(folder, facts)


def lines(found: LevelUpdate) -> list[str]:
    """Return what the command prints: courses and levels, what was learned, what lies ahead, remarks."""
    used = int(found.levels["used"].sum())
    shown = [found.notice, "", found.model.title]
    shown.append(
        f"{len(found.levels)} levels in {len(found.courses)} courses; {used} updated a patient. "
        f"{found.settings['draws']:,} draws, seed {found.settings['seed']}."
    )
    for course in found.courses:
        shown += ["", *_course(found, course.person_id, course.number)]
    shown += ["", *_scores(found)] if len(found.scores) else []
    return [*shown, "", "What to know:", *(f"  {each}" for each in found.remarks), "", found.notice]


def _of(frame: Frame, person: str, course: int) -> list[Row]:
    return [row for row in frame.rows() if row["person_id"] == person and row["course"] == course]


def _course(found: LevelUpdate, person: str, number: int) -> list[str]:
    """Return one course: its levels as a table, clearance, and the futures."""
    row = _of(found.updates, person, number)[0]
    head = f"{person}, course {number}: {row['doses']} doses, {row['levels']} levels, {row['levels_used']} used"
    levels = _of(found.levels, person, number)
    found_lines = [head, *(f"  {each}" for each in row["remarks"].split("|") if each), ""]
    cells = [
        [_when(each), _level(each), _range(each, "walk"), _short(each["fixed_p50"]), _short(each["last_level"]),
         _short(each["innovation"]), "yes" if each["used"] else "no", each["reason"]]
        for each in levels
    ]  # fmt: skip
    heads = ["drawn", "mg/L", "predicted (90 %)", "fixed", "last", "SD", "used", "what to look at"]
    found_lines += text_table(heads, cells)
    if isnan(row["clearance_p50"]):
        return found_lines
    found_lines += [
        "",
        f"  clearance now {_short(row['clearance_p50'])} L/h ({_short(row['clearance_p05'])} to {_short(row['clearance_p95'])}); "
        f"before the levels {_short(row['clearance_before_p05'])} to {_short(row['clearance_before_p95'])}; "
        f"if it does not move {_short(row['clearance_fixed'])}; shrinkage {fixed(row['shrinkage'], 2)}",
        *_ahead(found, person, number),
    ]
    return found_lines


def _ahead(found: LevelUpdate, person: str, number: int) -> list[str]:
    """Return the concentration at the end of each future."""
    rows = [each for each in _of(found.curves, person, number) if each["future"] != "past"]
    last = {each["future"]: each for each in rows}
    if not last:
        return []
    words = {"goes_on": "the kidney goes on as now", "stays": "it stays", "recovers": "it recovers"}
    given = found.settings["then"] or "no further doses"
    return [f"  in {found.settings['ahead']:g} h with {given}:"] + [
        f"    if {words[name]}: {_short(each['p50'])} mg/L ({_short(each['p05'])} to {_short(each['p95'])})"
        for name, each in last.items()
    ]


def _scores(found: LevelUpdate) -> list[str]:
    """Return how well levels were predicted that have an earlier one."""
    rows = list(found.scores.rows())
    cells = [
        [_METHODS[each["method"]], fixed(each["crps"], 3), fixed(each["fold_error"], 2), f"{100 * each['coverage']:.0f} %",
         _ratio(each)]
        for each in rows
    ]  # fmt: skip
    head = f"{rows[0]['levels']} levels of {rows[0]['persons']} persons have an earlier one in their course:"
    return [
        head,
        *text_table(
            ["predicted by", "CRPS (log)", "fold error", "in 90 %", "moving by this (95 %)"], cells
        ),
    ]


def _ratio(row: Row) -> str:
    if row["method"] == "walk":
        return "1"
    if isnan(row["walk_ratio_low"]):
        return fixed(row["walk_ratio"], 2)
    return f"{fixed(row['walk_ratio'], 2)} ({fixed(row['walk_ratio_low'], 2)} to {fixed(row['walk_ratio_high'], 2)})"


def _when(row: Row) -> str:
    known = row["time"] != UNKNOWN_TIME
    return from_us(row["time"]).strftime("%Y-%m-%d %H:%M") if known else f"{row['hours']:.1f} h"


def _level(row: Row) -> str:
    if row["low"] == row["high"]:
        return _short(row["low"])
    return f"<{_short(row['high'])}" if row["low"] <= 0 else f">{_short(row['low'])}"


def _range(row: Row, name: str) -> str:
    if isnan(row[f"{name}_p50"]):
        return "–"
    return f"{_short(row[f'{name}_p50'])} ({_short(row[f'{name}_p05'])} to {_short(row[f'{name}_p95'])})"


def _short(value: float) -> str:
    """Return a number with about three digits."""
    if not abs(value) < float("inf"):
        return "–"
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return fixed(value, places)
