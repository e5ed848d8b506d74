"""Rows that are left out of a stream, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from becalm.records import Refusal
from becalm.records.duck import Columns


class Refused:
    """Refused rows, counted by table, variable, unit and reason, with the first as an example."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, str], tuple[tuple[int, ...], Refusal]] = {}

    def add(self, refusal: Refusal, place: tuple[int, ...] = ()) -> None:
        """Count a refusal; `place` says where its example comes, for rows that are not sorted."""
        key = (refusal.source_table, refusal.variable, refusal.unit, refusal.reason)
        if key in self._found:
            known_place, known = self._found[key]
            rows = known.rows + refusal.rows
            place, refusal = (place, refusal) if place < known_place else (known_place, known)
            refusal = replace(refusal, rows=rows)
        self._found[key] = (place, refusal)

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
        return (self._found[key][1] for key in sorted(self._found))


def _rows(batch: Columns, mask: npt.NDArray[np.bool_]) -> Columns:
    return {name: column[mask] for name, column in batch.items()}
