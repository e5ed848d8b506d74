"""Counting the rows that are left out of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from becalm.records import Refusal
from becalm.records.duck import Columns


class Refused:
    """Refused rows, counted by table, variable, unit and reason, with the first one as an example."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str, str, str], tuple[tuple[int, ...], Refusal]] = {}

    def add(self, refusal: Refusal, place: tuple[int, ...] = ()) -> None:
        """Count a refusal; `place` is the position of its example, for rows that are not sorted."""
        key = (refusal.source_table, refusal.variable, refusal.unit, refusal.reason)
        if key in self._counted:
            known_place, known = self._counted[key]
            rows = known.rows + refusal.rows
            place, refusal = (place, refusal) if place < known_place else (known_place, known)
            refusal = replace(refusal, rows=rows)
        self._counted[key] = (place, refusal)

    def kept(
        self, batches: Iterator[Columns], describe: Callable[[Columns, int], Refusal]
    ) -> Iterator[Columns]:
        """Yield the rows without a `reason`; count the others.

        `describe` is called once for each refused row and returns its refusal.
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
        """Yield the refusals sorted by table, variable, unit and reason."""
        return (self._counted[key][1] for key in sorted(self._counted))


def _rows(batch: Columns, mask: npt.NDArray[np.bool_]) -> Columns:
    return {name: column[mask] for name, column in batch.items()}
