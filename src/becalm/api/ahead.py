"""Markers of some records: their next values, and how unusual an observed change was among those without a drug."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm import __version__, vocabulary
from becalm.api.moments import known_person
from becalm.api.table import DataTable
from becalm.api.understanding import Understood
from becalm.core.arrays import FAR_FUTURE, Floats, Mask, Texts, Times
from becalm.core.digits import fixed, percentage
from becalm.core.errors import UsageError, did_you_mean
from becalm.core.frame import Frame
from becalm.core.staging import staged, write_manifest
from becalm.core.text_table import text_table
from becalm.markers import (
    MarkerChanges,
    MarkerInUse,
    changes,
    how_usual,
    in_use,
    last_values,
    measured,
    next_values,
)
from becalm.tables import MARKER_CHANGES, MARKER_TESTS, MARKERS_AHEAD, writing
from becalm.timeline import Points

KIND: Final = "markers ahead"
"""How the kind of a written result begins in its manifest."""
NOTICE: Final = "Research use only: how markers usually move, no effect of a drug, not for decisions about a patient."
OWN: Final = "other persons of these records"
_LEVELS: Final = np.array([0.05, 0.5, 0.95])
_FALLS_SHOWN: Final = 10


@dataclass(frozen=True, eq=False, repr=False)
class MarkersAhead:
    """Next values of markers as distributions, and observed changes beside those of comparable patients.

    next : table `markers_ahead`. changes : table `marker_changes`. tests : table `marker_tests`. remarks : what to know of them.
    """

    name: str
    hours: float
    drugs: tuple[str, ...]
    next: DataTable
    changes: DataTable
    tests: DataTable
    remarks: tuple[str, ...]

    @property
    def tables(self) -> tuple[DataTable, ...]:
        """All tables."""
        return self.next, self.changes, self.tests

    def __repr__(self) -> str:
        shown = sum(self.tests["shown"])
        return (
            f"<{self.name!r}, {self.hours:g} h ahead: {shown} of {len(self.tests)} markers shown, "
            f"{len(self.next):,} next values, {len(self.changes):,} changes. {NOTICE}>"
        )


def markers_ahead(
    patients: Understood,
    *,
    hours: float = 24,
    without: Sequence[str] = ("anakinra",),
    person: str | None = None,
) -> MarkersAhead:
    """Return the next value of each marker as a distribution, and how usual each observed change was. Research use only.

    hours : how long after the last value, 18 to 84. without : drugs; patients are compared with changes that ended
    before the first dose of any of them. person : only this one; all are still compared with.

    Raises
    ------
    UsageError
        For hours that were not measured, a drug or a person that is not known.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from becalm.api import markers_ahead, open_records, understand
    >>> from becalm.records.template import copy_template
    >>> with TemporaryDirectory() as folder:
    ...     book = copy_template(Path(folder) / "five.xlsx", filled=True, kind="xlsx")
    ...     found = markers_ahead(understand(open_records(book)))
    >>> found.tests["variable"][0], found.tests["shown"][0]
    ('alt', True)
    """
    _check_drugs(without)
    only = None if person is None else known_person(person, patients.ids)
    ids, treatment = np.array(patients.ids, object), _Treatment.of(patients, without)
    ahead, seen, tests, remarks = [], [], [], list(treatment.remarks)
    for model in sorted(measured().marker, key=lambda each: each.variable):
        points = _pooled(patients, model.variable)
        found = changes(points)
        use = in_use(model, found.take(treatment.comparable(found)), patients.name)
        tests.append(_test_row(use))
        if not use.shown:
            continue
        remarks += _carried_over(use)
        last = last_values(points)
        if only is not None:
            found, last = found.take(found.person == only), last.take(last.person == only)
        seen.append(_changes(use, found, treatment.of_changes(found), ids))
        ahead.append(_next(use, last, hours, ids))
    for variable, reason in measured().not_validated.items():
        tests.append({"variable": variable, "shown": False, "reason": reason})
    return MarkersAhead(
        patients.name, hours, tuple(without),
        DataTable(MARKERS_AHEAD, Frame.concat([MARKERS_AHEAD.empty(), *ahead]).sort("person_id", "variable")),
        DataTable(MARKER_CHANGES, Frame.concat([MARKER_CHANGES.empty(), *seen]).sort("person_id", "variable", "start")),
        DataTable(MARKER_TESTS, Frame.of_rows(MARKER_TESTS, tests).sort("variable")), tuple(remarks),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Treatment:
    """From when on each person counts as treated: µs; `FAR_FUTURE` for never.

    unknown : persons who had a dose nobody knows when. recorded : whether the records have doses at all.
    """

    drugs: tuple[str, ...]
    start: Times
    unknown: Mask
    recorded: bool

    @classmethod
    def of(cls, patients: Understood, drugs: Sequence[str]) -> _Treatment:
        """Take it from the doses that reach the blood."""
        start = np.full(len(patients), FAR_FUTURE, np.int64)
        unknown = np.zeros(len(patients), np.bool_)
        before = 0
        for batch in patients.batches:
            for drug in drugs:
                person, first = batch.doses.first_dose(drug)
                np.minimum.at(start, person + before, first)
                unknown[batch.doses.frame["person"][batch.doses.untimed(drug)] + before] = True
            before += len(batch)
        return cls(tuple(drugs), start, unknown, len(patients.doses) > 0)

    def of_changes(self, found: MarkerChanges) -> Texts:
        """Return for each change whether a drug was given before its end; None where nobody knows."""
        after = found.end > self.start[found.person]
        doubtful = ~after & (self.unknown[found.person] | (not self.recorded))
        treated: Texts = after.astype(object)
        treated[doubtful] = None
        return treated

    def comparable(self, found: MarkerChanges) -> Mask:
        """Tell which changes patients are compared with: without the drugs, or all where nobody knows of any dose."""
        if not self.recorded:
            return np.ones(len(found), np.bool_)
        return np.array([each is False for each in self.of_changes(found)], np.bool_)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what to know of the comparison."""
        drugs = ", ".join(self.drugs)
        if not self.recorded:
            return ("These records have no doses: nobody knows who was treated, and all are compared with.",)  # fmt: skip
        given = int(((self.start < FAR_FUTURE) | self.unknown).sum())
        return (f"Compared with changes that ended before the first dose of {drugs}: {given:,} persons had one. Other drugs were given.",)  # fmt: skip


def _check_drugs(drugs: Sequence[str]) -> None:
    names = [each.name for each in vocabulary.load().drugs]
    for drug in drugs:
        if drug not in names:
            raise UsageError(f"no drug is called {drug!r}", hint=did_you_mean(drug, names))


def _pooled(patients: Understood, variable: str) -> Points:
    """Return the values of all persons together, by when they were drawn."""
    before, parts = 0, []
    for ids, points, _ in patients.values(variable).batches:
        parts.append((points.person + before, points.taken, points.low, points.high))
        before += len(ids)
    if not parts:
        return Points.empty()
    person, time, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Points.build(person, time, low, high)


def _next(use: MarkerInUse, last: MarkerChanges, hours: float, ids: Texts) -> Frame:
    """Return rows of `markers_ahead`."""
    low, high = next_values(use, last, hours, _LEVELS)
    return Frame.of(
        MARKERS_AHEAD,
        person_id=ids[last.person],
        variable=[use.model.variable] * len(last),
        unit=[use.model.unit] * len(last),
        last_time=last.start,
        last_low=_back(last.low),
        last_high=_back(last.high),
        hours=np.full(len(last), hours),
        p05=low[:, 0],
        p50_low=low[:, 1],
        p50_high=high[:, 1],
        p95=high[:, 2],
        compared_with=[use.spread_for(each).pairs for each in last.person.tolist()],
    )


def _changes(use: MarkerInUse, found: MarkerChanges, treated: Texts, ids: Texts) -> Frame:
    """Return rows of `marker_changes`."""
    low, high = how_usual(use, found)
    return Frame.of(
        MARKER_CHANGES,
        person_id=ids[found.person],
        variable=[use.model.variable] * len(found),
        unit=[use.model.unit] * len(found),
        start=found.start,
        end=found.end,
        start_low=_back(found.low),
        start_high=_back(found.high),
        end_low=_back(found.next_low),
        end_high=_back(found.next_high),
        treated=treated,
        share_low=low,
        share_high=high,
    )


def _back(logarithm: Floats) -> Floats:
    """Return values as they were written, which a logarithm keeps to twelve digits."""
    value = np.exp(logarithm)
    return np.array([float(f"{each:.12g}") for each in value.tolist()], np.float64)


def _test_row(use: MarkerInUse) -> dict[str, Any]:
    """Return a row of `marker_tests`."""
    model, test = use.model, use.test
    row: dict[str, Any] = {
        "variable": model.variable,
        "shown": use.shown,
        "reason": use.objection,
        "form": model.form,
        "learned_from": model.source,
        "quantiles_from": model.source if use.everybody is None else OWN,
    }
    if test is not None:
        low, high = test.coverage
        row |= {
            "tested_on": test.source, "pairs": test.pairs, "persons": test.persons, "ratio": test.ratio,
            "covered": test.covered, "intervals": test.intervals, "coverage_low": low, "coverage_high": high,
        }  # fmt: skip
    return row


def _carried_over(use: MarkerInUse) -> Iterator[str]:
    """Yield what is known of quantiles that come from other records."""
    carried = use.model.carried_over
    if use.everybody is None and carried is not None:
        yield (
            f"{use.model.variable}: these records have too few pairs of their own, so the intervals are those of other patients "
            f"({use.model.source}). On {carried.source}, such intervals of 90 % held {carried.covered:,} of {carried.intervals:,}."
        )


def write(found: MarkersAhead, out: Path, reads: tuple[Path, ...] = ()) -> None:
    """Write the tables (Parquet and CSV) and the manifest to a folder.

    Raises `OutputError` where something is in the way that becalm did not write.
    """
    with staged(out, KIND, reads=reads) as folder:
        for table in found.tables:
            writing.write(table.table.name, table.frame, folder)
        facts = {
            "becalm": __version__,
            "kind": f"{KIND}: {NOTICE}",
            "records": found.name,
            "hours": found.hours,
            "without": list(found.drugs),
            "remarks": list(found.remarks),
        }
        write_manifest(folder, facts)


def lines(found: MarkersAhead, *, each_person: bool = False) -> list[str]:
    """Return what the command prints: what the markers rest on, next values if asked for, the most surprising falls."""
    printed = [NOTICE, "", *_tests(found)]
    if each_person:
        printed += ["", *_next_values(found)]
    printed += ["", *_falls(found), "", "What to know:"]
    printed += [f"  {each}" for each in found.remarks]
    return [*printed, "", NOTICE]


def _tests(found: MarkersAhead) -> list[str]:
    cells = []
    for row in found.tests.rows():
        covered = "" if row["intervals"] is None else f"{row['covered']:,} of {row['intervals']:,}"
        cells.append(
            [
                row["variable"],
                "yes" if row["shown"] else f"no: {row['reason']}",
                row["form"] or "",
                "" if row["pairs"] is None else f"{row['pairs']:,}",
                "" if row["ratio"] is None else fixed(row["ratio"], 3),
                covered,
            ]
        )
    heads = [
        "marker",
        "shown",
        "last value and",
        "pairs",
        "error by last value's",
        "90 % intervals held",
    ]
    return text_table(heads, cells)


def _next_values(found: MarkersAhead) -> list[str]:
    cells = [
        [
            row["person_id"], row["variable"], _range(row["last_low"], row["last_high"]), str(row["last_time"]),
            _short(row["p05"]), _range(row["p50_low"], row["p50_high"]), _short(row["p95"]), row["unit"],
        ]
        for row in found.next.rows()
    ]  # fmt: skip
    if not cells:
        return ["No value of a marker that is shown."]
    heads = ["person", "marker", "last value", "drawn", "5 %", "median", "95 %", "unit"]
    title = f"{found.hours:g} h after the last value, in patients without {', '.join(found.drugs)}:"
    return [title, "", *text_table(heads, cells)]


def _falls(found: MarkersAhead) -> list[str]:
    """Return the most surprising falls, and how many of all changes would be so by chance."""
    rows = [row for row in found.changes.rows() if row["share_high"] < 1]
    rows.sort(key=lambda row: (row["share_high"], row["person_id"], row["variable"], row["start"]))
    if not rows:
        return ["No change of a marker that is shown."]
    cells = [
        [
            row["person_id"], row["variable"], _range(row["start_low"], row["start_high"]),
            _range(row["end_low"], row["end_high"]), str(row["start"]),
            fixed((row["end"] - row["start"]).total_seconds() / 3600),
            {True: "yes", False: "no", None: "unknown"}[row["treated"]], f"{percentage(row['share_high'], 1)} %",
        ]
        for row in rows[:_FALLS_SHOWN]
    ]  # fmt: skip
    rare = sum(row["share_high"] <= 0.05 for row in rows)
    heads = [
        "person",
        "marker",
        "from",
        "to",
        "drawn",
        "after h",
        "treated",
        "as far or farther in at most",
    ]
    return [
        "The most surprising falls among patients like those without the drugs:",
        "",
        *text_table(heads, cells),
        "",
        f"{rare:,} of {len(rows):,} changes are falls that at most 5 % of comparable changes reach; by chance it would be {fixed(len(rows) / 20)}.",
    ]


def _range(low: float | None, high: float | None) -> str:
    if low == high:
        return _short(low)
    if high is None:
        return f"≥ {_short(low)}"
    return f"≤ {_short(high)}" if not low else f"{_short(low)} to {_short(high)}"


def _short(value: float | None) -> str:
    """Return a value with about three digits."""
    if value is None:
        return "–"
    return fixed(value, 0 if value >= 100 else 1 if value >= 10 else 2)
