"""Everything that is known of one patient, as rows on one time axis: what a figure draws and a table lists."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions import status
from becalm.patients.understood import Patients
from becalm.report import labels
from becalm.study.figure_data import variables_of
from becalm.web.workbench import Located, Workbench

BEFORE: Final = 14.0
AFTER: Final = 30.0
"""Days around the index that are shown; `everything` shows all of the record."""
TEMPERATURE: Final = "temperature"
NEUTRAL: Final = "the index of this patient"
"""What day 0 is called where its name would tell who is in the study, or who got the drug."""
MOST_ROWS: Final = 1500
"""Rows of one patient that are listed."""


@dataclass(frozen=True)
class ShownRow:
    """One row of the records on the axis. day and end : days from the index. lane : where it is drawn.

    low and high : of a measured value, NaN for other rows. read_as : how becalm understands it. goes_on : whether it
    ends later than what is shown.
    """

    lane: str
    group: str
    day: float
    end: float
    label: str
    written: str
    read_as: str
    source_row: str
    low: float = math.nan
    high: float = math.nan
    unit: str = ""
    goes_on: bool = False


@dataclass(frozen=True)
class Stretch:
    """A definition from a day to another: its lowest and highest total, and what that says."""

    definition: str
    title: str
    day: float
    end: float
    low: float
    high: float
    status: str
    cut_off: float


@dataclass(frozen=True)
class PatientView:
    """A patient as the page shows her to somebody who answers a question.

    about : what is known apart from the axis. zero : what day 0 is. left_out : how many rows lie outside of what is shown.
    """

    person_id: str
    about: Sequence[tuple[str, str]]
    zero: str
    rows: Sequence[ShownRow]
    stretches: Sequence[Stretch]
    hidden: frozenset[str]
    left_out: int
    first_day: float
    last_day: float
    more: int = 0
    notes: Sequence[str] = field(default=())


def view(
    bench: Workbench, person: Located, hidden: frozenset[str], *, everything: bool
) -> PatientView:
    """Return what is shown of a patient while some things are hidden.

    everything : the whole record instead of the weeks around the index.
    """
    batch = bench.batches[person.batch]
    anchor, zero = _anchor(bench, person)
    found = sorted(
        (row for row in _rows(bench, batch, person, anchor, hidden)), key=lambda row: row.day
    )
    last = AFTER if not everything else math.inf
    if "outcome" in hidden:
        limit = bench.protocol.review.shown_after.us / DAY
        last = min(last, limit)
        found = [replace(row, end=limit, goes_on=True) if row.end > limit else row for row in found]
    first = -math.inf if everything else -BEFORE
    inside = [row for row in found if row.day <= last and max(row.end, row.day) >= first]
    ends = [min(max(row.end, row.day), last) for row in inside]
    low = max(first, min((row.day for row in inside), default=0.0)) if inside else -1.0
    high = max(ends, default=1.0)
    stretches: list[Stretch] = []
    if "computed" not in hidden:
        stretches = list(_stretches(bench, person, anchor, (low, high)))
    shown = inside[:MOST_ROWS]
    return PatientView(
        person.person_id,
        list(_about(bench, batch, person.position, anchor, hidden)),
        NEUTRAL if hidden & {"computed", "treatment"} else zero,
        shown,
        stretches,
        hidden,
        len(found) - len(inside) if "outcome" not in hidden else 0,
        math.floor(low),
        max(math.ceil(high), math.floor(low) + 1),
        len(inside) - len(shown),
    )


def _anchor(bench: Workbench, person: Located) -> tuple[int, str]:
    """Return day 0 of a patient and what it is: of the cohort its time zero, else the peak of a definition, else the first row."""
    cohort = bench.result.tables["persons"]
    for at in np.flatnonzero(cohort["person_id"] == person.person_id).tolist():
        for column, words in (("t0", "time zero"), ("index_time", "the index")):
            if cohort[column][at] != UNKNOWN_TIME:
                return int(cohort[column][at]), words
    batch = bench.batches[person.batch]
    criteria = bench.result.tables["criteria"]
    mine = criteria.coded("person_id").among([person.person_id])
    mine &= criteria.coded("moment").among(["peak_ever"])
    peaks = criteria.take(mine)
    known = np.flatnonzero((peaks["time"] != UNKNOWN_TIME) & (peaks["low"] > 0))
    if len(known) and not bench.hidden_in_lists:
        return int(peaks["time"][known[0]]), "the highest total of a definition"
    own = batch.events.frame["person"] == person.position
    stays = batch.records.stays
    begun = stays["start"][(stays["person"] == person.position) & (stays["start"] != UNKNOWN_TIME)]
    if len(begun):
        return int(begun.min()), "the first admission"
    if own.any():
        return int(batch.events.frame["time"][own].min()), "the first value"
    return 0, "nothing with a time is known"


def _about(
    bench: Workbench, batch: Patients, at: int, anchor: int, hidden: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield what is known of a person apart from the axis."""
    persons = batch.records.persons
    sex = {"F": "woman", "M": "man"}.get(persons["sex"][at], "sex unknown")
    yield "Sex", sex
    age = persons["age"][at]
    cohort = bench.result.tables["persons"]
    known = cohort["age"][cohort["person_id"] == persons["person_id"][at]]
    years = int(known[0]) if len(known) and known[0] >= 0 else -1 if math.isnan(age) else int(age)
    if years >= 0:
        yield "Age", "90+" if years > 89 else str(years)
    if not math.isnan(persons["weight_kg"][at]):
        yield "Weight", f"{persons['weight_kg'][at]:g} kg"
    conditions = batch.records.conditions
    mine = np.flatnonzero(conditions["person"] == at).tolist()
    if "outcome" in hidden:
        limit = anchor + bench.protocol.review.shown_after.us
        mine = [i for i in mine if _known_by(batch, i, limit)]
    told = dict.fromkeys(
        " ".join(filter(None, (conditions["name"][i] or conditions["code"][i], _in_brackets(conditions["status"][i]))))
        for i in mine
    )  # fmt: skip
    later = "those of later, and of stays that ended later, are hidden"
    if told or "outcome" in hidden:
        yield (
            "Diagnoses",
            "; ".join(filter(None, (", ".join(told), later if "outcome" in hidden else ""))),
        )
    if "outcome" in hidden:
        return
    died = persons["death_time"][at] != UNKNOWN_TIME or persons["died"][at] == "yes"
    if died:
        yield "Died", labels.joined(persons["cause_of_death"][at]) or "cause not recorded"
    elif persons["last_contact_status"][at]:
        yield "Last contact", str(persons["last_contact_status"][at])


def _known_by(batch: Patients, condition: int, limit: int) -> bool:
    """Return whether a diagnosis was known by a moment: by its onset, or because its stay had ended; codes are given at the end of a stay."""
    row = batch.records.conditions.take(np.array([condition]))
    for name in ("onset", "onset_until"):
        if row[name][0] != UNKNOWN_TIME:
            return int(row[name][0]) <= limit
    stays = batch.records.stays
    own = (stays["person"] == row["person"][0]) & (stays["stay_id"] == row["stay_id"][0])
    if not row["stay_id"][0] or not own.any():
        return not row["stay_id"][0]
    ends = stays["end"][own]
    return bool((ends != UNKNOWN_TIME).all() and ends.max() <= limit)


def _in_brackets(text: str) -> str:
    return f"({text})" if text and text != "confirmed" else ""


def _rows(
    bench: Workbench, batch: Patients, person: Located, anchor: int, hidden: frozenset[str]
) -> Iterator[ShownRow]:
    """Yield every row of a patient that has a time."""
    at = person.position
    yield from _measured(bench, batch, at, anchor)
    if "treatment" not in hidden:
        yield from _given(batch, at, anchor)
    records = batch.records
    for each in SMALL_TABLES:
        told = () if each.table == "stays" and "outcome" in hidden else each.told
        frame: Frame = getattr(records, each.table)
        for row in frame.take(np.flatnonzero(frame["person"] == at)).rows():
            if row[each.start] != UNKNOWN_TIME:
                yield _of_small(each, row, anchor, told)
    if "outcome" not in hidden:
        persons = records.persons
        for column, words in (("death_time", "death"), ("last_contact", "last contact")):
            if persons[column][at] != UNKNOWN_TIME:
                day = (int(persons[column][at]) - anchor) / DAY
                name = f"{persons['table'][at] or 'persons'}:{persons['key'][at]}"
                yield ShownRow("End", "end", day, day, words, "", "", name)


def _measured(bench: Workbench, batch: Patients, at: int, anchor: int) -> Iterator[ShownRow]:
    """Yield the measurements of the variables that the study shows."""
    frame, words = batch.events.frame, batch.vocabulary
    names = [*variables_of(bench.protocol, bench.result.definitions.values()), TEMPERATURE]
    codes = {words.code(name): name for name in dict.fromkeys(names)}
    mine = np.flatnonzero((frame["person"] == at) & np.isin(frame["variable"], list(codes)))
    for i in mine.tolist():
        name = codes[int(frame["variable"][i])]
        variable = words.variable(name)
        if variable.kind == "finding":
            continue
        low, high = float(frame["low"][i]), float(frame["high"][i])
        day = (int(frame["time"][i]) - anchor) / DAY
        row = int(frame["row"][i])
        source = batch.events.source_row(row)
        told = (
            {"label": variable.title, "value": "", "unit": "", "canonical": "derived"}
            if batch.events.derived[i]
            else batch.events.describe(row)
        )
        written = f"{told['value']} {told['unit']}".strip()
        yield ShownRow(
            name, "measured", day, day, str(told["label"]), written, str(told["canonical"]), source,
            low, high, variable.unit,
        )  # fmt: skip


def _given(batch: Patients, at: int, anchor: int) -> Iterator[ShownRow]:
    """Yield the doses of drugs that are understood, and of those that nobody knows; not those of no concern."""
    frame = batch.doses.frame
    unknown = batch.unrecognised
    listed = set(unknown["source_row"][unknown["kind"] == "drug"].tolist())
    for i in np.flatnonzero(frame["person"] == at).tolist():
        name, source = str(frame["drug"][i]), str(frame["source_row"][i])
        if not name and source not in listed:
            continue
        start = int(frame["start"][i])
        if start == UNKNOWN_TIME:
            continue
        until = start if frame["single"][i] else int(frame["until"][i])
        written = ", ".join(
            filter(
                None,
                (
                    _amount(frame["amount"][i], frame["amount_unit"][i]),
                    _amount(frame["rate_canonical_per_h"][i], f"{frame['unit_canonical'][i]}/h"),
                    str(frame["route"][i]),
                ),
            )
        )
        lane = labels.drug(name) if name else f"{frame['label'][i]} (not understood)"
        yield ShownRow(
            lane, "doses", (start - anchor) / DAY, (max(until, start) - anchor) / DAY,
            str(frame["label"][i]), written, name or "not understood", source,
        )  # fmt: skip


def _amount(number: float, unit: str) -> str:
    return "" if math.isnan(number) else f"{number:.6g} {unit}".strip()


@dataclass(frozen=True)
class SmallTable:
    """A table of the records whose rows are drawn: its lane, its columns of time, what names a row and what it says."""

    table: str
    lane: str
    start: str
    end: str
    named: tuple[str, ...]
    told: tuple[str, ...]


SMALL_TABLES: Final = (
    SmallTable(
        "procedures", "Organ support, lines, procedures", "start", "end", ("name",), ("code",)
    ),
    SmallTable(
        "cultures",
        "Cultures",
        "collected",
        "",
        ("specimen", "test"),
        ("result", "organism", "judged"),
    ),
    SmallTable("findings", "Findings", "time", "end", ("finding",), ("present", "method", "value")),
    SmallTable("stays", "Stays", "start", "end", ("kind",), ("destination",)),
)


def _of_small(
    table: SmallTable, row: Mapping[str, Any], anchor: int, told: Sequence[str]
) -> ShownRow:
    until = row[table.end] if table.end and row[table.end] != UNKNOWN_TIME else row[table.start]
    label = " ".join(str(row[name]) for name in table.named if row[name])
    written = ", ".join(str(row[name]) for name in told if row[name])
    day, end = (row[table.start] - anchor) / DAY, (until - anchor) / DAY
    source = f"{row.get('table') or table.table}:{row['key']}"
    shown = label or table.lane.lower()
    return ShownRow(table.lane, table.table, day, max(day, end), shown, written, "", source)


def _stretches(
    bench: Workbench, person: Located, anchor: int, days: tuple[float, float]
) -> Iterator[Stretch]:
    """Yield each reported definition over time, as far as anything that it reads is known."""
    for name, evaluation in bench.evaluations(person.batch).items():
        line = evaluation.observed
        mine = np.flatnonzero(line.person == person.position)
        words = status(evaluation.definition, line.low[mine], line.high[mine])
        for i, said in zip(mine.tolist(), words, strict=True):
            day, end = (int(line.start[i]) - anchor) / DAY, (int(line.end[i]) - anchor) / DAY
            if end < days[0] or day > days[1]:
                continue
            yield Stretch(
                name, evaluation.definition.short_title, max(day, days[0]), min(end, days[1]), float(line.low[i]), float(line.high[i]),
                said, float(evaluation.definition.cut_off),
            )  # fmt: skip
