"""Problems of measurements: units, missing variables, conflicts, delays, contradicting labels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from becalm.core.clock import MINUTE, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doctor.model import CONFLICTS, DELAY, LABELS, UNITS, VARIABLES
from becalm.doctor.needs import consequence, needs
from becalm.events import Events, number_and_sign
from becalm.patients.understood import Patients
from becalm.records import Records
from becalm.vocabulary import CODE_AND_NAME_DISAGREE, LABEL_CONTRADICTS, Vocabulary
from becalm.vocabulary.units import UNROUNDED, Conversion


class Units:
    """Rows of each variable by the written unit: used, or refused with the reason."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._rows: Counter[tuple[str, str, str]] = Counter()
        self._refused: dict[tuple[str, str, str], Counter[str]] = {}
        self._read_as: dict[tuple[str, str, str], str] = {}

    def add(self, events: Events) -> None:
        records, words = events.records, self._words
        kinds = records.measurements["kind"]
        rows = np.bincount(kinds, minlength=len(records.kinds))
        keys: list[tuple[str, str, str] | None] = []
        for kind, n in zip(records.kinds, rows.tolist(), strict=True):
            resolved = words.resolve(kind)
            if resolved.variable is None:
                keys.append(None)
                continue
            variable = words.variables[resolved.variable]
            key = (variable.name, kind.table, kind.unit)
            keys.append(key)
            self._rows[key] += n
            if not resolved.reason:
                self._read_as[key] = _read_as(variable.unit, resolved.conversion)
        measured = events.rejected["row"] < len(kinds)
        lost = kinds[events.rejected["row"][measured]].tolist()
        reasons = events.rejected["reason"][measured].tolist()
        for (at, reason), n in Counter(zip(lost, reasons, strict=True)).items():
            if (lost_key := keys[at]) is not None:
                self._refused.setdefault(lost_key, Counter())[reason] += n

    def frame(self) -> Frame:
        """Return the table sorted by variable, the unit with most rows first."""
        rows_of_table = []
        for key, rows in sorted(self._rows.items(), key=lambda each: (each[0][0], -each[1])):
            refused = self._refused.get(key, Counter())
            rows_of_table.append(
                {
                    "variable": key[0],
                    "source_table": key[1],
                    "unit": key[2],
                    "read_as": self._read_as.get(key, ""),
                    "rows": rows,
                    "used": rows - refused.total(),
                    "refused": "|".join(f"{reason} {n:,}" for reason, n in refused.most_common()),
                }
            )
        return Frame.of_rows(UNITS, rows_of_table)


def _read_as(unit: str, conversion: Conversion) -> str:
    """Return the canonical unit with the conversion: `°C: (x − 32) × 5 ÷ 9`."""
    text = "x"
    if conversion.shift:
        text = f"({text} {'+' if conversion.shift > 0 else '−'} {abs(conversion.shift):g})"
    if conversion.times != 1:
        text += f" × {conversion.times:g}"
    if conversion.by != 1:
        text += f" ÷ {conversion.by:g}"
    if text == "x":
        return unit
    rounded = "" if conversion.decimals == UNROUNDED else f", to {conversion.decimals} decimal"
    return f"{unit}: {text}{rounded}"


class Variables:
    """Number of persons with a value of each variable that shipped definitions or protocols need.

    Values that are computed from several rows (age, organ support, multiples of a limit) are counted
    too; they have no rows.
    """

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._needs = needs()
        self._rows = np.zeros(len(words.variables), np.int64)
        self._persons: Counter[str] = Counter()

    def add(self, chunk: Patients) -> None:
        variables = chunk.events.frame["variable"]
        self._rows += np.bincount(variables, minlength=len(self._rows))
        known = chunk.inputs("drawn").values
        for name in self._needs:
            if name in known:
                self._persons[name] += len(np.unique(known[name].person))

    def frame(self) -> Frame:
        """Return the table, variables with fewest persons first."""
        rows = {
            each.name: int(n) for each, n in zip(self._words.variables, self._rows, strict=True)
        }
        rows_of_table = [
            {
                "variable": name,
                "rows": rows.get(name, -1),
                "persons": self._persons[name],
                "needed_by": "|".join(uses),
                "consequence": "" if self._persons[name] else consequence(name, uses),
            }
            for name, uses in self._needs.items()
        ]
        return Frame.of_rows(
            VARIABLES, sorted(rows_of_table, key=lambda row: self._persons[row["variable"]])
        )


class Conflicts:
    """Instants at which one person has different results of one variable; volumes add up and never conflict."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._adds = np.array([each.adds for each in words.variables], np.bool_)
        self._instants = np.zeros(len(words.variables), np.int64)
        self._conflicts = np.zeros(len(words.variables), np.int64)
        self._examples: dict[int, str] = {}

    def add(self, events: Events) -> None:
        frame, many = events.frame, len(self._words.variables)
        if not len(frame):
            return
        new = np.ones(len(frame), np.bool_)
        new[1:] = False
        for name in ("person", "time", "variable"):
            new[1:] |= frame[name][1:] != frame[name][:-1]
        start = np.flatnonzero(new)
        variable = frame["variable"][start]
        differ = np.zeros(len(start), np.bool_)
        for name in ("low", "high"):
            column = frame[name]
            differ |= np.minimum.reduceat(column, start) != np.maximum.reduceat(column, start)
        differ &= ~self._adds[variable]
        self._instants += np.bincount(variable, minlength=many)
        self._conflicts += np.bincount(variable[differ], minlength=many)
        end = np.append(start[1:], len(frame))
        codes, first = np.unique(variable[differ], return_index=True)
        for code, at in zip(codes.tolist(), np.flatnonzero(differ)[first].tolist(), strict=True):
            if code not in self._examples:
                rows = range(int(start[at]), int(end[at]))
                self._examples[code] = "|".join(_written(events, row) for row in rows)

    def frame(self) -> Frame:
        """Return the table, variables with most conflicts first."""
        order = np.argsort(-self._conflicts, kind="stable")
        codes = [int(code) for code in order if self._conflicts[code]]
        return Frame.of(
            CONFLICTS,
            variable=[self._words.variables[code].name for code in codes],
            instants=self._instants[codes],
            conflicts=self._conflicts[codes],
            example=[self._examples[code] for code in codes],
        )


def _written(events: Events, at: int) -> str:
    low, high = events.frame["low"][at : at + 1], events.frame["high"][at : at + 1]
    number, sign = number_and_sign(low, high)
    return f"{events.source_row(int(events.frame['row'][at]))} {sign[0]}{round(number[0], 9):g}"


class Delays:
    """Time from draw to available result, by variable.

    Delays are stored as counts of whole minutes, so that the quartiles of any number of rows are
    exact to the minute.
    """

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._rows: Counter[int] = Counter()
        self._unknown: Counter[int] = Counter()
        self._negative: Counter[int] = Counter()
        self._minutes: dict[int, Counter[int]] = {}

    def add(self, events: Events) -> None:
        raw = events.records.measurements
        frame = events.frame
        measured = frame["row"] < len(raw)
        code, row = frame["variable"][measured], frame["row"][measured]
        time, available = raw["time"][row], raw["available"][row]
        unknown = available == UNKNOWN_TIME
        negative = ~unknown & (available < time)
        for counter, mask in (
            (self._rows, np.ones(len(code), np.bool_)),
            (self._unknown, unknown),
            (self._negative, negative),
        ):
            rows_of = np.bincount(code[mask], minlength=len(self._words.variables))
            counter.update({int(at): int(rows_of[at]) for at in np.flatnonzero(rows_of)})
        good = ~unknown & ~negative
        minutes = (available[good] - time[good]) // MINUTE
        span = int(minutes.max(initial=0)) + 1
        pairs, counts = np.unique(code[good].astype(np.int64) * span + minutes, return_counts=True)
        for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True):
            self._minutes.setdefault(pair // span, Counter())[pair % span] += n

    def frame(self) -> Frame:
        """Return the table of every variable with values, by name."""
        rows_of_table = []
        for code in sorted(self._rows, key=lambda code: self._words.variables[code].name):
            quartiles = _quartiles(self._minutes.get(code, Counter()))
            rows_of_table.append(
                {
                    "variable": self._words.variables[code].name,
                    "rows": self._rows[code],
                    "unknown": self._unknown[code],
                    "negative": self._negative[code],
                    "quartile_1_min": quartiles[0],
                    "median_min": quartiles[1],
                    "quartile_3_min": quartiles[2],
                }
            )
        return Frame.of_rows(DELAY, rows_of_table)


def _quartiles(counts: Counter[int]) -> npt.NDArray[np.float64]:
    """Return quartiles of counted numbers, with linear interpolation."""
    if not counts:
        return np.full(3, np.nan)
    numbers = np.array(sorted(counts), np.float64)
    upto = np.cumsum([counts[int(number)] for number in numbers])
    rank = np.array([0.25, 0.5, 0.75]) * (upto[-1] - 1)
    below = numbers[np.searchsorted(upto, np.floor(rank), side="right")]
    above = numbers[np.searchsorted(upto, np.ceil(rank), side="right")]
    between: npt.NDArray[np.float64] = below + (above - below) * (rank - np.floor(rank))
    return between


class Labels:
    """Item ids and codes whose label in the records differs from that of the vocabulary."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._rows: Counter[tuple[str, str, str, str, str]] = Counter()

    def add(self, records: Records) -> None:
        rows = np.bincount(records.measurements["kind"], minlength=len(records.kinds))
        for kind, n in zip(records.kinds, rows.tolist(), strict=True):
            resolved = self._words.resolve(kind)
            if resolved.variable is None or resolved.reason not in (
                LABEL_CONTRADICTS,
                CODE_AND_NAME_DISAGREE,
            ):
                continue
            variable = self._words.variables[resolved.variable]
            listed = self._words.measured_label(kind.system, kind.code)
            expected = listed or variable.title or variable.name
            self._rows[kind.table, kind.code, kind.name, expected, resolved.reason] += n

    def frame(self) -> Frame:
        """Return the table, codes with most rows first."""
        return Frame.of_rows(
            LABELS,
            [
                dict(zip(LABELS, (*key[:4], n, key[4]), strict=True))
                for key, n in self._rows.most_common()
            ],
        )
