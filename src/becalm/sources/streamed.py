"""Streams of rows sorted by person, handed out by whole persons; and the rows left out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from becalm.records import Refusal
from becalm.sources.duck import Columns


class SortedRows:
    """Batches sorted by the int32 column `person`, read no further than asked for."""

    def __init__(self, batches: Iterator[Columns]) -> None:
        self._batches = batches
        self._held = [next(batches)]
        self._done = False

    def person_after(self, rows: int, last: int) -> int:
        """Return the first person of the next chunk, so that this one holds about `rows` rows.

        The person of row number `rows` is the chunk's last, and whole once a later one has been
        seen; where the rows end before that, the chunk goes on to person `last`.
        """
        while True:
            person = self._person_at(rows - 1)
            if person is not None and person < self._newest():
                return person + 1
            if self._done:
                return last
            self._read()

    def until(self, person: int) -> Columns:
        """Return, and forget, all rows of persons before `person`."""
        while not self._done and self._newest() < person:
            self._read()
        held = {n: np.concatenate([b[n] for b in self._held]) for n in self._held[0]}
        cut = int(np.searchsorted(held["person"], person))
        self._held = [{n: column[cut:].copy() for n, column in held.items()}]
        return {n: column[:cut] for n, column in held.items()}

    def drain(self) -> None:
        """Read to the end: what refuses rows on the way must see every one."""
        while not self._done:
            self._held = self._held[-1:]
            self._read()

    def _person_at(self, row: int) -> int | None:
        for batch in self._held:
            if row < len(batch["person"]):
                return int(batch["person"][row])
            row -= len(batch["person"])
        return None

    def _newest(self) -> int:
        return next((int(b["person"][-1]) for b in reversed(self._held) if len(b["person"])), -1)

    def _read(self) -> None:
        batch = next(self._batches, None)
        if batch is None:
            self._done = True
        elif len(batch["person"]):
            self._held.append(batch)


class Refused:
    """Refused rows, counted by table, variable, unit and reason, with the first as an example."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, str], Refusal] = {}

    def add(self, refusal: Refusal) -> None:
        key = (refusal.source_table, refusal.variable, refusal.unit, refusal.reason)
        known = self._found.get(key)
        if known is not None:
            refusal = replace(known, rows=known.rows + refusal.rows)
        self._found[key] = refusal

    def kept(
        self, batches: Iterator[Columns], describe: Callable[[Columns, int], Refusal]
    ) -> Iterator[Columns]:
        """Yield the rows without a `reason`; count the others as `describe` names them.

        `describe` is asked once for each row that is refused.
        """
        for batch in batches:
            refused = np.flatnonzero(batch["reason"] != "")
            if not len(refused):
                yield batch
                continue
            for row in refused:
                self.add(describe(batch, int(row)))
            yield _rows(batch, batch["reason"] == "")

    def __iter__(self) -> Iterator[Refusal]:
        """Yield the refusals sorted by what they name."""
        return (self._found[key] for key in sorted(self._found))


def _rows(batch: Columns, mask: npt.NDArray[np.bool_]) -> Columns:
    return {name: column[mask] for name, column in batch.items()}
