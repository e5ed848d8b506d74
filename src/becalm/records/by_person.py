"""Rows in any order are stored on disk and returned sorted, for whole persons.

A hospital's rows do not fit into memory, and the rows of all persons are mixed in its tables. To
sort all of them at once would be slow. So each block of rows is ordered by ranges of persons and
written to one file; the rows of a chunk of persons are then one part of every block, small enough
to be sorted in memory.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from becalm.core.errors import OutputError
from becalm.records.duck import Columns, Dictionary

_BLOCK: Final = 500_000
"""Number of rows in memory before they are written."""

_RANGES: Final = 4_096
"""Greatest number of ranges of persons in a block."""

_WORDS_AT_MOST: Final = 262_144
"""Greatest number of different texts in memory; a text that returns later is written again."""

_LONGEST_AXIS: Final = 1 << 62

_LENGTH_BITS: Final = 24
"""A text is identified by its position in the file and, in the last bits, its length."""


class ByPerson:
    """Rows by the int32 column `person`, 0 to before `persons`.

    order : the columns that rows are sorted by after their person. texts : the columns with
    codes of texts, and the dictionary of each; they are returned as texts.
    """

    def __init__(self, persons: int, order: Sequence[str], texts: Mapping[str, Dictionary]) -> None:
        self._order, self._texts = tuple(order), dict(texts)
        self._width = max(1, -(-persons // _RANGES))
        self._counts = np.zeros(persons, np.int64)
        self._held: list[Columns] = []
        self._rows_held = 0
        self._type: np.dtype[Any] | None = None
        self._blocks: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._placed = {name: np.zeros(0, np.int64) for name in texts}
        with _explained():
            self._rows: IO[bytes] = tempfile.TemporaryFile(prefix="becalm-")  # noqa: SIM115
            self._words: IO[bytes] = tempfile.TemporaryFile(prefix="becalm-")  # noqa: SIM115

    def add(self, batch: Columns) -> None:
        """Store some rows."""
        self._held.append(batch)
        self._rows_held += len(batch["person"])
        if self._rows_held >= _BLOCK:
            self._write()

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how many rows each person has."""
        self._settle()
        return self._counts

    def chunks(
        self, rows: int, beside: npt.NDArray[np.int64] | None = None
    ) -> Iterator[tuple[int, int, Columns]]:
        """Yield the rows of all persons as first person, person after the last, and sorted columns.

        A chunk ends with the person of its row number `rows`. Persons without rows at the end are in
        the last chunk. beside : rows of each person that are stored elsewhere and count too.
        """
        self._settle()
        until = np.cumsum(self._counts if beside is None else self._counts + beside)
        low, everyone = 0, len(until)
        while low < everyone:
            before = int(until[low - 1]) if low else 0
            high = int(np.searchsorted(until, before + rows)) + 1
            if high >= everyone or until[high - 1] == until[-1]:
                high = everyone
            yield low, high, self._sorted(low, high)
            low = high

    def between(self, low: int, high: int) -> Columns:
        """Return the rows of persons `low` to before `high`, sorted; empty if there is no row."""
        self._settle()
        return self._sorted(low, high)

    def close(self) -> None:
        """Delete the files."""
        self._rows.close()
        self._words.close()

    def _settle(self) -> None:
        self._write()
        with _explained():
            self._rows.flush()
            self._words.flush()

    def _write(self) -> None:
        if not self._held:
            return
        block = {n: np.concatenate([b[n] for b in self._held]) for n in self._held[0]}
        self._held, self._rows_held = [], 0
        with _explained():
            for name in self._texts:
                block[name] = self._put_by(name)[block[name]]
        if self._type is None:
            self._type = np.dtype([(name, column.dtype) for name, column in block.items()])
        self._counts += np.bincount(block["person"], minlength=len(self._counts))
        ranges = (block["person"] // self._width).astype(np.uint16)
        order = np.argsort(ranges, kind="stable")
        rows = np.empty(len(order), self._type)
        for name, column in block.items():
            rows[name] = column
        laid_out = rows.take(order)
        ends = np.cumsum(np.bincount(ranges, minlength=_RANGES))
        with _explained():
            self._blocks.append((self._rows.tell(), np.concatenate(([0], ends))))
            self._rows.write(laid_out.data)

    def _put_by(self, name: str) -> npt.NDArray[np.int64]:
        """Write the new texts; return the position of each text of the dictionary."""
        dictionary, placed = self._texts[name], self._placed[name]
        fresh = []
        for word in dictionary.words[len(placed) :]:
            raw = word.encode()[: (1 << _LENGTH_BITS) - 1]
            fresh.append(self._words.tell() << _LENGTH_BITS | len(raw))
            self._words.write(raw)
        known = np.concatenate((placed, np.array(fresh, np.int64)))
        self._placed[name] = known
        if len(known) > _WORDS_AT_MOST:
            dictionary.forget()
            self._placed[name] = known[:0]
        return known

    def _sorted(self, low: int, high: int) -> Columns:
        if self._type is None:
            return {}
        first, last = low // self._width, (high - 1) // self._width + 1
        lengths = [int(ends[last] - ends[first]) for _, ends in self._blocks]
        rows = np.empty(sum(lengths), self._type)
        done = 0
        with _explained():
            for (start, ends), length in zip(self._blocks, lengths, strict=True):
                self._rows.seek(start + int(ends[first]) * self._type.itemsize)
                self._rows.readinto(rows[done : done + length].data)  # type: ignore[attr-defined]
                done += length
        if low % self._width or high % self._width:
            person = rows["person"]
            rows = rows[(person >= low) & (person < high)]
        keys = [np.ascontiguousarray(rows[name]) for name in self._order]
        rows = rows.take(_order(_small(rows["person"] - np.int32(low)), keys))
        columns: Columns = {
            name: np.ascontiguousarray(rows[name]) for name in self._type.names or ()
        }
        for name in self._texts:
            columns[name] = self._read(columns[name])
        return columns

    def _read(self, places: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        texts: npt.NDArray[Any] = np.full(len(places), "", object)
        some = np.flatnonzero(places & ((1 << _LENGTH_BITS) - 1))  # most rows have no text
        distinct, at = np.unique(places[some], return_inverse=True)
        words = np.empty(len(distinct), object)
        with _explained():
            for i, place in enumerate(distinct.tolist()):
                length = place & ((1 << _LENGTH_BITS) - 1)
                self._words.seek(place >> _LENGTH_BITS)
                words[i] = self._words.read(length).decode(errors="ignore")  # cut at its end
        texts[some] = words[at]
        return texts


def _order(person: npt.NDArray[Any], keys: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """Return the order of rows by person and keys; the first key is usually a time.

    Most rows of a person are already sorted. So all persons are put on one axis, where sorting is a
    merge of a few long runs; the other keys are used only for equal times.
    """
    order = np.argsort(person, kind="stable")
    if not keys or not len(person):
        return order
    time, who = keys[0][order], person[order]
    begin = np.flatnonzero(np.concatenate(([True], who[1:] != who[:-1])))
    first, last = (best.reduceat(time, begin) for best in (np.minimum, np.maximum))
    if np.sum(last.astype(np.float64) - first + 1.0) > _LONGEST_AXIS:
        return np.lexsort((*reversed(keys), person))
    length = last - first + 1
    offset = np.cumsum(length) - length - first
    place = time + np.repeat(offset, np.diff(np.append(begin, len(who))))
    merged = np.argsort(place, kind="stable")
    order, place = order[merged], place[merged]
    tied = place[1:] == place[:-1]
    descends = np.zeros(len(tied), np.bool_)
    for key in reversed(keys[1:]):
        value = key[order]
        descends = (value[1:] < value[:-1]) | ((value[1:] == value[:-1]) & descends)
    group = np.concatenate(([0], np.cumsum(~tied)))
    wrong = np.zeros(len(order), np.bool_)
    wrong[group[1:][tied & descends]] = True
    at = np.flatnonzero(wrong[group])
    order[at] = order[at][np.lexsort((*(key[order[at]] for key in reversed(keys[1:])), group[at]))]
    return order


def _small(codes: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    """Return codes from 0 in the narrowest type: up to 65,535 they are sorted faster."""
    return codes.astype(np.min_scalar_type(int(codes.max(initial=0))))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise OutputError(
            "the disk is full while sorting"
            if full
            else f"rows cannot be stored on disk while sorting ({error.strerror})",
            where=tempfile.gettempdir(),
            hint="Free space there, or set TMPDIR to a larger disk",
        ) from error
