"""Administrations of all three tables, put by on disk by person and handed out sorted."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from becalm.clock import UNKNOWN_TIME
from becalm.frame import Frame
from becalm.records import ADMINISTRATIONS, Refusal
from becalm.sources import duck
from becalm.sources.by_person import ByPerson
from becalm.sources.mimic4 import emar, inputs
from becalm.sources.mimic4.tables import Release
from becalm.sources.streamed import Refused

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXTS: Final = (
    "table", "label", "code", "route", "amount_unit", "rate_unit", "status", "category",
    "reason_for_change",
)  # fmt: skip
"""What a record says of many rows in the same words: one text together, understood once."""

_APART: Final = "\x1f"


class Administrations:
    """Infusions of intensive care, bedside administrations and orders."""

    def __init__(self, con: DuckDBPyConnection, release: Release) -> None:
        self._con = con
        every = [
            table(release) for table in (inputs.administrations, emar.administrations, emar.orders)
        ]
        self._sql = _together([sql for sql in every if sql])
        self._kinds = duck.Dictionary()
        self._rows: ByPerson | None = None
        self._refused: list[tuple[Refusal, tuple[int, ...]]] = []

    def frame(self, low: int, high: int | None, refused: Refused) -> Frame:
        """Return the rows of persons `low` to before `high`, counted from `low`, sorted.

        With the first person every refused row is counted; without `high`, to the last one.
        """
        if not self._sql:
            return Frame.of(ADMINISTRATIONS)
        everyone = int(duck.fetch(self._con, "SELECT count(*) AS n FROM persons")["n"][0])
        if self._rows is None:
            self._rows = ByPerson(everyone, ("start", "tbl", "key"), {})
            weakref.finalize(self, self._rows.close)
            for batch in self._read():
                self._rows.add(batch)
        if low == 0:
            for refusal, place in self._refused:
                refused.add(refusal, place)
        rows = self._rows.between(low, everyone if high is None else high)
        if not rows:
            return Frame.of(ADMINISTRATIONS)
        split = [word.split(_APART) for word in self._kinds.words]
        columns = {
            name: np.array([words[i] for words in split], object)[rows["kind"]]
            for i, name in enumerate(TEXTS)
        }
        stays, stay = np.unique(rows["stay"], return_inverse=True)
        columns["stay_id"] = np.array(["" if s < 0 else str(s) for s in stays.tolist()], object)[
            stay
        ]
        plain = {name: column for name, column in rows.items() if name in ADMINISTRATIONS}
        return Frame.of(
            ADMINISTRATIONS, **{**plain, **columns, "person": rows["person"] - np.int32(low)}
        )

    def _read(self) -> Iterator[duck.Columns]:
        """Yield the rows that can be used, in the files' order; note the others."""
        for batch in duck.stream(self._con, self._sql, coded={"kind": self._kinds}):
            bad = batch.pop("refused")
            for row in np.flatnonzero(bad).tolist():
                self._note(batch, row)
            yield {name: column[~bad] for name, column in batch.items()} if bad.any() else batch

    def _note(self, batch: duck.Columns, row: int) -> None:
        *words, reason, written = self._kinds.words[batch["kind"][row]].split(_APART)
        said = dict(zip(TEXTS, words, strict=True))
        person, start, key = (int(batch[name][row]) for name in ("person", "start", "key"))
        shown = written or duck.shown(batch["amount"][row])
        example = f"{said['table']}:{key} {shown}".rstrip()
        refusal = Refusal(said["table"], said["label"], said["amount_unit"], reason, 1, example)
        place = (person < 0, person, start == UNKNOWN_TIME, start, int(batch["tbl"][row]), key)
        self._refused.append((refusal, place))


def _together(parts: list[str]) -> str:
    """One row of numbers, and one text of everything else, for each row of any table."""
    if not parts:
        return ""
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM ({part})" for part in parts)
    texts = ", ".join(f"""coalesce("{name}", '')""" for name in TEXTS)
    return f"""
        SELECT person, start, "end", amount, rate, weight_kg, key,
               TRY_CAST(stay_id AS BIGINT) AS stay, reason IS NOT NULL AS refused,
               CASE "table" WHEN 'emar' THEN 0 WHEN 'inputevents' THEN 1 ELSE 2 END::INTEGER AS tbl,
               concat_ws('{_APART}', {texts}, coalesce(reason, ''),
                         CASE WHEN reason IS NOT NULL THEN coalesce(shown, '') ELSE '' END) AS kind
        FROM ({union})
    """
