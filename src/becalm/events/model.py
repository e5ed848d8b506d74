"""The understood values, sorted, and the row of the records of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats, Mask, Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical, Keyed
from becalm.core.frame import Frame, Kind
from becalm.events.derived_counts import PARTS
from becalm.events.one_draw import by_draw, by_report, draw_states
from becalm.events.volumes import added
from becalm.records import Records, Refusal
from becalm.timeline import Points
from becalm.vocabulary import UNKNOWN_VARIABLE, Vocabulary
from becalm.vocabulary.units import limit

Clock: TypeAlias = Literal["drawn", "available"]

EVENTS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "time": "time",  # of the draw, chart entry or finding
    "start": "time",  # of an interval quantity (urine over hours)
    "available": "time",
    "available_known": "flag",  # False: not recorded, and `available` is assumed
    "date_only": "flag",
    "report": "code",  # what the report says of itself (vocabulary.reports), −1 nothing
    "variable": "code",
    "low": "number",
    "high": "number",  # the same as low where the value is exact
    "ref_low": "number",
    "ref_high": "number",
    "row": "key",  # position in records.measurements; findings follow
}
UNKNOWN_FINDING: Final = "unknown finding"

REJECTED: Final[Mapping[str, Kind]] = {
    "person": "code",
    "variable": "code",
    "row": "key",
    "reason": "text",
}


class UnusedRows(NamedTuple):
    """Rows that are not used for a reason outside the row itself: the reasons, the first '', and each row's code."""

    reasons: tuple[str, ...]
    code: npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Events:
    """All understood values, and counts of all rows that were not understood.

    `frame` (columns of EVENTS) is sorted by person, time, variable and row; several results of one
    variable at one instant stay in it and become one in `points`. `refused` counts the rows of known
    variables that were not used, `unknown` those of names and items outside the vocabulary (normally
    thousands in a hospital). `rejected` has one row for each row that `refused` counts. `voids` are
    the rejected rows that correct an earlier report of their draw, with no value: the earlier one does
    not hold either. `parts` are the rows of which
    values were derived; such a value has a row number of its own, behind all others.
    """

    records: Records
    vocabulary: Vocabulary
    frame: Frame
    rejected: Frame
    refused: tuple[Refusal, ...]
    unknown: tuple[Refusal, ...]
    voids: Frame = field(default_factory=lambda: Frame.of(EVENTS))
    parts: Frame = field(default_factory=lambda: Frame.of(PARTS))
    _points: dict[tuple[int, Clock], Points] = field(default_factory=dict, repr=False)

    def points(self, variable: str | int, clock: Clock = "drawn") -> Points:
        """Return a variable's values in its canonical unit, one an instant, on one clock.

        Several reports of one draw are one value of it; see `events.one_draw`. On the available clock a
        draw has one value after the other where a later report changed it. Volumes of an instant are added up.
        """
        code = self.vocabulary.code(variable) if isinstance(variable, str) else variable
        if self.vocabulary.variables[code].adds and (code, clock) not in self._points:
            volumes = self.frame.take(self._of_variable[code])
            self._points[code, clock] = added(volumes, available=clock == "available")
        if (code, clock) not in self._points:
            reported = self.reported(code)
            of = draw_states(reported, reported["low"], reported["high"])
            self._points[code, clock] = by_draw(of) if clock == "drawn" else by_report(of)
        return self._points[code, clock]

    def reported(self, variable: int) -> Frame:
        """Return the reports of a variable, with the corrections that have no value."""
        reported = self.frame.take(self._of_variable[variable])
        void = np.flatnonzero(self.voids["variable"] == variable)
        return Frame.concat([reported, self.voids.take(void)]) if len(void) else reported

    def rejected_rows(self, variable: str) -> tuple[Persons, Times, Texts]:
        """Return the rows of a variable that could not be used: of whom, when (as written), and why."""
        codes = {each.name: code for code, each in enumerate(self.vocabulary.variables)}
        mine = self.rejected.take(self.rejected["variable"] == codes.get(variable, -1))
        measured, row = self.records.measurements, mine["row"]
        time = np.full(len(row), UNKNOWN_TIME)
        own = row < len(measured)
        time[own] = measured["time"][row[own]]
        time[~own] = self.records.findings["time"][row[~own] - len(measured)]
        return mine["person"], time, mine["reason"]

    @cached_property
    def _of_variable(self) -> list[Times]:
        """The positions of the values of each variable in `frame`."""
        variable = self.frame["variable"].astype(np.int16)  # narrow, so that sorting is counting
        order = np.argsort(variable, kind="stable")
        return np.split(order, np.searchsorted(variable[order], range(1, self._variables)))

    @property
    def _variables(self) -> int:
        return len(self.vocabulary.variables)

    @cached_property
    def administrations_from(self) -> int:
        """The row number of the first administration; they are numbered after the findings."""
        return len(self.records.measurements) + len(self.records.findings)

    @cached_property
    def conditions_from(self) -> int:
        """The row number of the first condition; they are numbered after the administrations."""
        return self.administrations_from + len(self.records.administrations)

    @cached_property
    def derived_from(self) -> int:
        """The row number of the first derived value; they are numbered after the conditions."""
        return self.conditions_from + len(self.records.conditions)

    @cached_property
    def derived(self) -> Mask:
        """Which values of `frame` were derived from others."""
        return self.frame["row"] >= self.derived_from

    @property
    def measured(self) -> int:
        """The number of values that the records have themselves."""
        return len(self.frame) - int(self.derived.sum())

    def source_row(self, row: int) -> str:
        """Return `table:key`, the row of the records with this number; of a derived value those of its parts."""
        texts, known = self._named
        if not known[row]:
            texts[row], known[row] = self._name(row), True
        name: str = texts[row]
        return name

    def source_texts(self, rows: Times) -> Texts:
        """Return `table:key` of many rows as texts; of a derived value those of its parts."""
        texts, known = self._named
        new = np.unique(rows[~known[rows]])
        measured = new[new < self.administrations_from]
        if len(measured):
            texts[measured] = self._source_rows(measured).written()
            known[measured] = True
        for row in new[len(measured) :].tolist():
            self.source_row(row)
        found: Texts = texts[rows]
        return found

    def joined_names(self, rows: Times) -> list[str]:
        """Return `table:key` of the rows in each column, joined by `|`; -1 is no row."""
        texts, some = np.full(rows.shape, "", object), rows >= 0
        texts[some] = self.source_texts(rows[some])
        return ["|".join(filter(None, each)) for each in zip(*texts.tolist(), strict=True)]

    @cached_property
    def _named(self) -> tuple[Texts, Mask]:
        """The names of rows, and which of them were asked for: most are, by several definitions and moments."""
        rows = self.derived_from + int(self.parts["derived"].max(initial=-1)) + 1
        return np.full(rows, "", object), np.zeros(rows, np.bool_)

    def _name(self, row: int) -> str:
        measured = len(self.records.measurements)
        if row >= self.derived_from:
            rows = self.parts["row"][self.parts["derived"] == row - self.derived_from]
            return "|".join(self.source_row(int(each)) for each in rows)
        if row >= self.conditions_from:
            return f"conditions:{self.records.conditions['key'][row - self.conditions_from]}"
        if row >= self.administrations_from:
            administrations, at = self.records.administrations, row - self.administrations_from
            return f"{administrations['table'][at]}:{administrations['key'][at]}"
        if row >= measured:
            return f"findings:{self.records.findings['key'][row - measured]}"
        kind = self.records.kinds[self.records.measurements["kind"][row]]
        return f"{kind.table}:{self.records.measurements['key'][row]}"

    def source_rows(self, rows: Times) -> Keyed | Texts:
        """Return `table:key` of many measurements and findings; the texts are made when they are read."""
        if (derived := np.flatnonzero(rows >= self.derived_from)).size:
            own = np.where(rows >= self.derived_from, 0, rows)
            names = self._source_rows(own).written().copy()
            names[derived] = [self.source_row(row) for row in rows[derived].tolist()]
            return names
        return self._source_rows(rows)

    def _source_rows(self, rows: Times) -> Keyed:
        measured = len(self.records.measurements)
        is_finding = rows >= measured
        key = np.empty(len(rows), np.int64)
        key[~is_finding] = self.records.measurements["key"][rows[~is_finding]]
        key[is_finding] = self.records.findings["key"][rows[is_finding] - measured]
        kind = np.full(len(rows), len(self.records.kinds), np.int32)
        kind[~is_finding] = self.records.measurements["kind"][rows[~is_finding]]
        tables = [*(each.table for each in self.records.kinds), "findings"]
        return Keyed(Categorical.by(kind, tables), key)

    def describe(self, row: int) -> Mapping[str, Any]:
        """Return a row as the source wrote it, and its understood value, for the report.

        Keys: source_row, person_id, time, label, value, unit, available (µs), variable, low, high,
        canonical_unit, canonical (the value as text) and reason (why it was refused); unknown entries
        are blank.
        """
        measured = len(self.records.measurements)
        at = int(self._place[row])
        if row < measured:
            raw = self.records.measurements
            kind = self.records.kinds[raw["kind"][row]]
            written = as_written(raw["value"][row], raw["text"][row])
            label, unit, place, unknown = kind.name or kind.code, kind.unit, row, UNKNOWN_VARIABLE
        else:
            raw, place = self.records.findings, row - measured
            label, written, unit = raw["finding"][place], raw["present"][place], ""
            unknown = UNKNOWN_FINDING
        result: dict[str, Any] = {
            "source_row": self.source_row(row),
            "person_id": self.records.persons["person_id"][raw["person"][place]],
            "time": int(raw["time"][place]),
            "label": label,
            "value": written,
            "unit": unit,
            "available": UNKNOWN_TIME,
            "variable": "",
            "low": np.nan,
            "high": np.nan,
            "canonical_unit": "",
            "canonical": "",
            "reason": "" if at >= 0 else self._reasons.get(row, unknown),
        }
        if at >= 0:
            variable = self.vocabulary.variables[self.frame["variable"][at]]
            low, high = float(self.frame["low"][at]), float(self.frame["high"][at])
            number, sign = number_and_sign(np.array([low]), np.array([high]))
            text = f"{sign[0]}{round(number[0], 9):.12g} {variable.unit}".strip()
            result.update(
                time=int(self.frame["time"][at]),
                available=int(self.frame["available"][at]),
                variable=variable.name,
                low=low,
                high=high,
                canonical_unit=variable.unit,
                canonical=("no", "yes")[int(low)] if variable.kind == "finding" else text,
            )
        return result

    @cached_property
    def _reasons(self) -> dict[int, str]:
        rows = self.rejected["row"].tolist()
        return dict(zip(rows, self.rejected["reason"].tolist(), strict=True))

    @cached_property
    def _place(self) -> Times:
        """Position in `frame` of each row, -1 if it was refused."""
        place = np.full(len(self.records.measurements) + len(self.records.findings), -1, np.int64)
        own = np.flatnonzero(~self.derived)
        place[self.frame["row"][own]] = own
        return place


def as_written(value: float, text: str) -> str:
    return text if text or np.isnan(value) else f"{value:.12g}"


def number_and_sign(low: Floats, high: Floats) -> tuple[Floats, npt.NDArray[np.str_]]:
    """Return the number to print for each range, and its sign (>, >=, < or <=) if it is only a limit.

    The limit of `>x` is stored as the next binary number, so that `>x` and `>=x` differ.
    """
    above, below = np.isinf(high) & (high > low), np.isfinite(high) & (high > low)
    number = np.where(below, high, low)
    sign = np.where(above, ">", np.where(below, "<", "")).astype("<U2")
    for at in np.flatnonzero(above | below):
        bound = float(number[at])
        number[at] = limit(bound)
        if number[at] == bound:
            sign[at] += "="
    return number, sign
