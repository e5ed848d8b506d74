"""Administrations of all three tables, stored on disk by person and returned sorted."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical, Held
from becalm.core.frame import Frame
from becalm.core.prefetch import ahead
from becalm.records import ADMINISTRATIONS, Refusal, duck
from becalm.records.batches import Refused
from becalm.records.by_person import ByPerson
from becalm.records.mimic4 import emar, inputs
from becalm.records.mimic4.inputs import APART
from becalm.records.mimic4.tables import Release

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXTS: Final = (
    "table", "label", "code", "system", "route", "amount_unit", "rate_unit", "status", "category",
    "reason_for_change",
)  # fmt: skip
"""Columns with the same texts in many rows: they are joined to one text and read once."""

_TABLES: Final = ("emar", "inputevents", "prescriptions")
"""The tables, in the order of rows with the same time."""


class Administrations:
    """Infusions of intensive care, bedside administrations and orders."""

    def __init__(self, con: DuckDBPyConnection, release: Release, wide: DuckDBPyConnection) -> None:
        self._con, self._wide = con, wide
        self._inputs, self._labels = inputs.administrations(release), inputs.labels(release)
        self._others = _together(
            [sql for sql in (emar.administrations(release), emar.orders(release)) if sql]
        )
        self._ways: defaultdict[tuple[str, ...], int] = defaultdict(count().__next__)
        self._rows: ByPerson | None = None
        self._refused: list[tuple[Refusal, tuple[int, ...]]] = []

    def counts(self) -> npt.NDArray[np.int64] | None:
        """Return how many rows each person has; None where no table has any."""
        return self._stored().counts() if self._inputs or self._others else None

    def frame(self, low: int, high: int | None, refused: Refused) -> Frame:
        """Return the rows of persons `low` to before `high`, counted from `low`, sorted.

        With the first person every refused row is counted; without `high`, to the last one.
        """
        if not self._inputs and not self._others:
            return Frame.of(ADMINISTRATIONS)
        stored = self._stored()
        if low == 0:
            for refusal, place in self._refused:
                refused.add(refusal, place)
        rows = stored.between(low, len(stored.counts()) if high is None else high)
        if not rows:
            return Frame.of(ADMINISTRATIONS)
        columns: dict[str, Held] = {n: rows[n] for n in rows if n in ADMINISTRATIONS}
        columns["person"] = rows["person"] - np.int32(low)
        columns["stay_id"] = _stay_ids(rows["stay"])
        return Frame.around(ADMINISTRATIONS, {**columns, **self._texts(rows["way"])})

    def _stored(self) -> ByPerson:
        if self._rows is None:
            persons = duck.fetch(self._wide, inputs.persons())["subject"]
            self._rows = ByPerson(len(persons), ("start", "tbl", "key"), {})
            weakref.finalize(self, self._rows.close)
            for batches in (self._read_inputs(persons), self._read_others()):
                for batch in batches:
                    self._rows.add(batch)
        return self._rows

    def _texts(self, way: npt.NDArray[np.int32]) -> dict[str, Categorical]:
        """Return the columns of texts of rows that were written in some ways."""
        ways = list(self._ways)
        used = np.flatnonzero(np.bincount(way, minlength=len(ways)))
        place = np.zeros(len(ways), np.int32)
        place[used] = np.arange(len(used))
        at = place[way]
        columns = {}
        for i, name in enumerate(TEXTS):
            each = Categorical.of(np.array([ways[w][i] for w in used.tolist()], object))
            columns[name] = Categorical(each.code[at], each.texts)
        return columns

    def _read_inputs(self, persons: npt.NDArray[np.int64]) -> Iterator[duck.Columns]:
        """Yield the infusions that can be used, in the file's order; note the others."""
        if not self._inputs:
            return
        label = self._label()
        words, known = duck.Dictionary(), _Numbered(persons)
        ways, texts_of, numbered = np.empty(0, np.int32), list[tuple[Mapping[str, str], str]](), 0
        for batch in ahead(duck.stream(self._wide, self._inputs, coded={"written": words})):
            for word in words.words[len(ways) :]:
                texts_of.append(inputs.understood(word, label))
                ways = np.append(ways, self._way(texts_of[-1][0]))
            written, reason, lost = (batch.pop(name) for name in ("written", "reason", "lost"))
            person = known.find(batch.pop("subject"))
            key = np.arange(numbered + 1, numbered + len(written) + 1)
            numbered += len(written)
            rows = {
                **batch, "person": person, "key": key, "way": ways[written],
                "tbl": np.full(len(written), _TABLES.index("inputevents"), np.int8),
            }  # fmt: skip
            bad = (reason > 0) | (person < 0)
            for row in np.flatnonzero(bad).tolist():
                why = inputs.REASONS[1 if person[row] < 0 else reason[row]]
                texts, amount = texts_of[written[row]]
                self._note(rows, row, texts, why, amount)
            for bit, at in inputs.LOST.items() if lost.any() else ():
                for row in np.flatnonzero((lost & bit > 0) & ~bad).tolist():
                    self._note(rows, row, texts_of[written[row]][0], inputs.REASONS[at], "")
            yield {name: column[~bad] for name, column in rows.items()} if bad.any() else rows

    def _label(self) -> Callable[[str], str]:
        if self._labels is None:
            return lambda _: ""
        items = duck.fetch(self._wide, self._labels)
        labels = dict(zip(items["itemid"].tolist(), items["label"].tolist(), strict=True))
        return lambda item: labels.get(item, "") if item else ""

    def _read_others(self) -> Iterator[duck.Columns]:
        """Yield the rows of the bedside record and of orders that can be used; note the others."""
        if not self._others:
            return
        words = duck.Dictionary()
        ways, texts_of = np.empty(0, np.int32), list[tuple[Mapping[str, str], str, str]]()
        for batch in ahead(duck.stream(self._con, self._others, coded={"kind": words})):
            for word in words.words[len(ways) :]:
                *texts, reason, amount = word.split(APART)
                texts_of.append((dict(zip(TEXTS, texts, strict=True)), reason, amount))
                ways = np.append(ways, self._way(texts_of[-1][0]))
            kind, bad = batch.pop("kind"), batch.pop("refused")
            rows = {**batch, "way": ways[kind], "tbl": batch["tbl"].astype(np.int8)}
            for row in np.flatnonzero(bad).tolist():
                self._note(rows, row, *texts_of[kind[row]])
            yield {name: column[~bad] for name, column in rows.items()} if bad.any() else rows

    def _way(self, texts: Mapping[str, str]) -> np.int32:
        return np.int32(self._ways[tuple(texts[name] for name in TEXTS)])

    def _note(
        self, batch: duck.Columns, row: int, texts: Mapping[str, str], reason: str, written: str
    ) -> None:
        person, start, key = (int(batch[name][row]) for name in ("person", "start", "key"))
        shown = written or duck.number_text(batch["amount"][row])
        example = f"{texts['table']}:{key} {shown}".rstrip()
        refusal = Refusal(texts["table"], texts["label"], texts["amount_unit"], reason, 1, example)
        place = (person < 0, person, start == UNKNOWN_TIME, start, int(batch["tbl"][row]), key)
        self._refused.append((refusal, place))


class _Numbered:
    """Positions of persons by the numeric codes of their ids."""

    def __init__(self, subjects: npt.NDArray[np.int64]) -> None:
        self._order = np.argsort(subjects).astype(np.int32)
        self._sorted = subjects[self._order]
        self._mask = (1 << (4 * len(subjects)).bit_length()) - 1
        self._at = np.zeros(self._mask + 1, np.int32)
        self._at[self._sorted & self._mask] = np.arange(len(subjects))

    def find(self, subject: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the position of each person, -1 for an unknown person."""
        at = self._at[subject & self._mask]
        other = np.flatnonzero(self._sorted[at] != subject)  # a collision, or an unknown person
        if len(other):
            asked = subject[other]
            place = np.minimum(np.searchsorted(self._sorted, asked), len(self._sorted) - 1)
            at[other] = np.where(self._sorted[place] == asked, place, -1)
        return np.where(at < 0, np.int32(-1), self._order[at])


def _stay_ids(stay: npt.NDArray[np.int64]) -> Categorical:
    """Return stay numbers as text; consecutive rows of one stay share one text."""
    begin = np.flatnonzero(np.concatenate(([True], stay[1:] != stay[:-1]))[: len(stay)])
    stays, run = np.unique(stay[begin], return_inverse=True)
    code = np.repeat(run.astype(np.int32), np.diff(np.append(begin, len(stay))))
    return Categorical.by(code, ["" if s < 0 else str(s) for s in stays.tolist()])


def _together(parts: list[str]) -> str:
    """Return SQL: the numbers of each row, and one text with all its other columns."""
    if not parts:
        return ""
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM ({part})" for part in parts)
    texts = ", ".join(f"""coalesce("{name}", '')""" for name in TEXTS)
    numbers = " ".join(f"WHEN {duck.quoted(name)} THEN {i}" for i, name in enumerate(_TABLES))
    return f"""
        SELECT person, start, "end", amount, rate, NULL::DOUBLE AS entered_rate, weight_kg, key,
               TRY_CAST(stay_id AS BIGINT) AS stay, reason IS NOT NULL AS refused,
               (CASE "table" {numbers} END)::INTEGER AS tbl,
               concat_ws('{APART}', {texts}, coalesce(reason, ''),
                         CASE WHEN reason IS NOT NULL THEN coalesce(shown, '') ELSE '' END) AS kind
        FROM ({union})
    """
