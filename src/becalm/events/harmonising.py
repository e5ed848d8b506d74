"""From written rows to values in one unit, or a reason why a row is refused.

Each different way to write a measurement, and each different text, is read once; the work on all
rows is array arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.events.derived_counts import derive, inserted
from becalm.events.model import (
    EVENTS,
    REJECTED,
    UNKNOWN_FINDING,
    Events,
    UnusedRows,
    as_written,
)
from becalm.events.volumes import IRRIGATED, irrigated
from becalm.records import Records, Refusal
from becalm.vocabulary import UNKNOWN_VARIABLE, Vocabulary, reports
from becalm.vocabulary.numbers import of_undecided
from becalm.vocabulary.units import (
    NO_VALUE,
    NOT_A_NUMBER,
    SIGNS,
    UNROUNDED,
    NotAValueError,
    bounds,
    parse_value,
)

OUTSIDE_RANGE: Final = "outside plausible range"
NO_TIME: Final = "time unknown"
ENDS_BEFORE_START: Final = "ends before it starts"
STATED_UNKNOWN: Final = "stated as unknown"
NOT_AN_ANSWER: Final = "present is not yes, no or unknown"

_CLOCKS: Final = ("person", "time", "start", "available", "date_only", "report")
_ANSWERS: Final = {"yes": 1.0, "no": 0.0}


def harmonise(
    records: Records,
    vocabulary: Vocabulary,
    measurements: UnusedRows | None = None,
    findings: UnusedRows | None = None,
) -> Events:
    """Return the values of all measurements and findings of a chunk, and the refused rows.

    A result without a time of availability counts as available when it was drawn; a date without a time
    is drawn at 00:00 and available at 24:00; a result cannot be available before it was drawn.
    After conversion a number must lie in its variable's plausible range, also a censored one.

    measurements, findings : rows to refuse for a reason that they do not contain themselves, such as the
    person's death.
    """
    labs = _Measured(records, vocabulary, measurements)
    present = _Findings(records, vocabulary, findings)
    many = len(vocabulary.variables)
    frame = _sorted(Frame.concat([labs.frame, present.frame]), many)
    derived = derive(frame, labs.voids, vocabulary)
    first = len(records.measurements) + len(records.findings)
    first += len(records.administrations) + len(records.conditions)
    numbered = derived.frame.replace(row=derived.frame["row"] + first)
    return Events(
        records,
        vocabulary,
        inserted(frame, numbered, many),
        Frame.concat([labs.rejected, present.rejected]),
        merge((*labs.refused, *present.refused)),
        merge((*labs.unknown, *present.unknown)),
        labs.voids,
        derived.parts,
    )


def merge(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Add up refusals of the same table, variable, unit and reason; keep the first example."""
    rows_and_example: dict[tuple[str, str, str, str], tuple[int, str]] = {}
    for refusal in refusals:
        key = (refusal.source_table, refusal.variable, refusal.unit, refusal.reason)
        rows, example = rows_and_example.get(key, (0, refusal.example))
        rows_and_example[key] = (rows + refusal.rows, example)
    return tuple(
        Refusal(*key, rows, example) for key, (rows, example) in sorted(rows_and_example.items())
    )


class _Reasons:
    """Reasons as small numbers; 0 means no reason."""

    def __init__(self) -> None:
        self.texts = [""]
        self._codes = {"": 0}

    def code(self, text: str) -> int:
        if text not in self._codes:
            self._codes[text] = len(self.texts)
            self.texts.append(text)
        return self._codes[text]


class _Measured:
    """The measurements of a chunk."""

    def __init__(self, records: Records, vocabulary: Vocabulary, unused: UnusedRows | None) -> None:
        self._records, self._vocabulary = records, vocabulary
        self._reasons = _Reasons()
        resolved = [vocabulary.resolve(kind) for kind in records.kinds]
        codes = [-1 if r.variable is None else r.variable for r in resolved]
        self._variable_of = np.array(codes, dtype=np.int32)
        self._reason_of = np.array([self._reasons.code(r.reason) for r in resolved], np.int32)
        conversions = np.array([r.conversion for r in resolved], np.float64).reshape(-1, 4)

        raw = records.measurements
        kind = raw["kind"]
        known = self._variable_of[kind] >= 0
        self.unknown = self._grouped(np.flatnonzero(~known), kind[~known])
        rows = np.flatnonzero(known)
        kind = kind[rows]
        variable = self._variable_of[kind]
        shift, times, by, decimals = (conversions[:, i][kind] for i in range(4))

        written, sign, reason = self._numbers(rows, kind)
        number = _to_decimals((written + shift) * times / by, decimals)
        floor = np.array([-np.inf if v.signed else 0.0 for v in vocabulary.variables])[variable]
        self._implausible(number, sign, floor, variable, reason)
        self._untimed(rows, reason)
        whose = raw["person"][rows], raw["time"][rows]
        wet = irrigated(records, vocabulary, variable, whose, number)
        reason[wet & (reason == 0)] = self._reasons.code(IRRIGATED)
        if unused is not None:
            reasons = np.array([self._reasons.code(each) for each in unused.reasons], np.int32)
            why = reasons[unused.code[rows]]
            reason[why > 0] = why[why > 0]

        self.refused = self._grouped(rows[reason > 0], kind[reason > 0], reason[reason > 0])
        self.rejected = Frame.of(
            REJECTED,
            person=raw["person"][rows[reason > 0]],
            variable=variable[reason > 0],
            row=rows[reason > 0],
            reason=np.array(self._reasons.texts, dtype=object)[reason[reason > 0]],
        )
        ok = reason == 0
        low, high = bounds(number[ok], sign[ok], floor[ok])
        used = rows[ok]
        self.frame = _frame(
            Frame({name: raw[name][used] for name in _CLOCKS}),
            variable=variable[ok],
            low=low,
            high=high,
            ref_low=((raw["ref_low"][rows] + shift) * times / by)[ok],
            ref_high=((raw["ref_high"][rows] + shift) * times / by)[ok],
            row=rows[ok],
        )
        self.voids = self._voids(rows, variable, reason)

    def _voids(
        self, rows: Times, variable: npt.NDArray[np.int32], reason: npt.NDArray[np.int32]
    ) -> Frame:
        """Return the rejected corrections: what they correct is not the value either."""
        raw = self._records.measurements
        void = (reason > 0) & (raw["report"][rows] == reports.CORRECTS)
        void &= raw["time"][rows] != UNKNOWN_TIME
        at, nothing = rows[void], np.full(int(void.sum()), np.inf)
        return _frame(
            Frame({name: raw[name][at] for name in _CLOCKS}),
            variable=variable[void],
            low=-nothing,
            high=nothing,
            ref_low=np.full(len(at), np.nan),
            ref_high=np.full(len(at), np.nan),
            row=at,
        )

    def _numbers(
        self, rows: Times, kind: npt.NDArray[np.int32]
    ) -> tuple[Floats, npt.NDArray[np.int8], npt.NDArray[np.int32]]:
        """Return the number and its sign, or a reason; each text is read once."""
        raw = self._records.measurements
        number = raw["value"][rows].copy()
        sign = np.zeros(len(rows), np.int8)
        reason = self._reason_of[kind]
        textual = np.flatnonzero(np.isnan(number))
        texts = raw["text"][rows[textual]].tolist()
        read = {text: self._read(text) for text in set(texts)}
        for at, text in zip(textual.tolist(), texts, strict=True):
            number[at], sign[at], why = read[text]
            reason[at] = reason[at] or why
        endless = np.isinf(number) & (reason == 0)
        reason[endless] = self._reasons.code(NOT_A_NUMBER)
        return number, sign, reason

    def _read(self, text: str) -> tuple[float, int, int]:
        if not text.strip():
            return np.nan, 0, self._reasons.code(NO_VALUE)
        if doubt := of_undecided(text):
            return np.nan, 0, self._reasons.code(doubt)
        try:
            written = parse_value(text)
        except NotAValueError as error:
            return np.nan, 0, self._reasons.code(str(error))
        return written.number, SIGNS.index(written.sign), 0

    def _implausible(
        self,
        number: Floats,
        sign: npt.NDArray[np.int8],
        floor: Floats,
        variable: npt.NDArray[np.int32],
        reason: npt.NDArray[np.int32],
    ) -> None:
        ranges = [v.plausible for v in self._vocabulary.variables]
        low = np.array([r.low for r in ranges])[variable]
        high = np.array([r.high for r in ranges])[variable]
        # Rounded, so that 111.2 °F is 44 °C and not slightly above it.
        with np.errstate(over="ignore"):  # 1e300 becomes infinite, and is outside
            compared = np.round(number, 9)
        outside = (
            (compared < low) | (compared > high) | ((sign == SIGNS.index("<")) & (number <= floor))
        )
        reason[outside & (reason == 0)] = self._reasons.code(OUTSIDE_RANGE)

    def _untimed(self, rows: Times, reason: npt.NDArray[np.int32]) -> None:
        raw = self._records.measurements
        time, start = raw["time"][rows], raw["start"][rows]
        reason[(time == UNKNOWN_TIME) & (reason == 0)] = self._reasons.code(NO_TIME)
        backwards = (start != UNKNOWN_TIME) & (start > time)
        reason[backwards & (reason == 0)] = self._reasons.code(ENDS_BEFORE_START)

    def _grouped(
        self,
        rows: Times,
        kind: npt.NDArray[np.int32],
        reason: npt.NDArray[np.int32] | None = None,
    ) -> list[Refusal]:
        """Count rows by kind and reason; without reasons all of them are of unknown variables."""
        raw = self._records.measurements
        many = len(self._reasons.texts)
        key = kind.astype(np.int64) * many + (0 if reason is None else reason)
        groups, first, counts = np.unique(key, return_index=True, return_counts=True)
        result = []
        for group, row, count in zip(groups, rows[first], counts, strict=True):
            what = self._records.kinds[group // many]
            variable = self._variable_of[group // many]
            label = what.name or what.code
            value = as_written(raw["value"][row], raw["text"][row])
            result.append(
                Refusal(
                    what.table,
                    self._vocabulary.variables[variable].name if variable >= 0 else label,
                    what.unit,
                    self._reasons.texts[group % many] or UNKNOWN_VARIABLE,
                    int(count),
                    f"{what.table}:{raw['key'][row]} {value}".rstrip(),
                )
            )
        return result


class _Findings:
    """The findings of a chunk: yes is 1, no is 0, any other answer is no value."""

    def __init__(self, records: Records, vocabulary: Vocabulary, unused: UnusedRows | None) -> None:
        raw = records.findings
        offset = len(records.measurements)
        self.refused: list[Refusal] = []
        self.unknown: list[Refusal] = []
        rows, variables, values, rejected = [], [], [], []
        for i, (text, present) in enumerate(zip(raw["finding"], raw["present"], strict=True)):
            names = vocabulary.findings_of(text)
            answer = present.strip().casefold()
            reason = self._reason(answer, raw["time"][i]) if names else UNKNOWN_FINDING
            if names and unused is not None:
                reason = unused.reasons[unused.code[i]] or reason
            if reason:
                example = f"findings:{raw['key'][i]} {present}".rstrip()
                refusal = Refusal("findings", "|".join(names) or text, "", reason, 1, example)
                (self.refused if names else self.unknown).append(refusal)
            for name in names:
                code = vocabulary.code(name)
                if reason:
                    rejected.append((raw["person"][i], code, offset + i, reason))
                else:
                    rows.append(i)
                    variables.append(code)
                    values.append(_ANSWERS[answer])
        self.rejected = Frame.of(
            REJECTED,
            person=[person for person, _, _, _ in rejected],
            variable=[variable for _, variable, _, _ in rejected],
            row=[row for _, _, row, _ in rejected],
            reason=[reason for _, _, _, reason in rejected],
        )
        at = np.array(rows, np.int64)
        value = np.array(values, np.float64)
        self.frame = _frame(
            raw.take(at),
            variable=np.array(variables, np.int32),
            low=value,
            high=value,
            row=at + offset,
        )

    @staticmethod
    def _reason(answer: str, time: int) -> str:
        if answer in ("", "unknown"):
            return STATED_UNKNOWN
        if answer not in _ANSWERS:
            return NOT_AN_ANSWER
        return NO_TIME if time == UNKNOWN_TIME else ""


def _to_decimals(number: Floats, decimals: Floats) -> Floats:
    """Round the values of those conversions that have a resolution."""
    for places in np.unique(decimals[decimals != UNROUNDED]).astype(int).tolist():
        rows = decimals == places
        number[rows] = np.round(number[rows], places)
    return number


def _frame(raw: Frame, **columns: npt.NDArray[Any]) -> Frame:
    """Add both clocks to accepted rows of measurements or findings."""
    time, date_only = raw["time"], raw["date_only"]
    stated = raw.columns.get("available", np.full(len(raw), UNKNOWN_TIME, np.int64))
    assumed = time + np.where(date_only, DAY, 0)
    known = (stated != UNKNOWN_TIME) & (stated >= time)
    clocks = {
        name: raw[name]
        for name in ("person", "time", "start", "date_only", "report")
        if name in raw.columns
    }
    clocks.setdefault("report", np.full(len(raw), reports.NOTHING, np.int32))
    available = np.where(known, stated, assumed)
    return Frame.around(
        EVENTS, {**clocks, "available": available, "available_known": known, **columns}
    )


def _sorted(frame: Frame, variables: int) -> Frame:
    """Sort by person, time, variable, row. Most records come sorted by person and time already."""
    person, time = frame["person"], frame["time"]
    order = np.arange(len(frame))
    same = person[1:] == person[:-1]
    if not np.all((person[1:] > person[:-1]) | (same & (time[1:] >= time[:-1]))):
        order = np.lexsort((time, person))
        person, time = person[order], time[order]
    new = np.ones(len(frame), np.bool_)
    new[1:] = (person[1:] != person[:-1]) | (time[1:] != time[:-1])
    instant = np.cumsum(new) * variables + frame["variable"][order]
    return frame.take(order[np.argsort(instant, kind="stable")])
