"""Two runs compared slowly and plainly: written tables, read as text, row by row and by key."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from becalm.core.spreadsheets import restored
from becalm.tables import WRITTEN

Row = Mapping[str, str]
Key = tuple[str, str, str]
"""Table, person and the rest of the key."""


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return [
            {name: restored(cell) for name, cell in row.items()} for row in csv.DictReader(text)
        ]


def key_of(table: str, row: Row) -> Key:
    rest = [f"{name}={row[name]}" for name in WRITTEN[table].key if name != "person_id"]
    return table, row.get("person_id", "") * ("person_id" in WRITTEN[table].key), ", ".join(rest)


def unequal(old: Path, new: Path) -> dict[Key, set[str]]:
    """Return the key of every row that differs between two results folders, with the columns that do."""
    found: dict[Key, set[str]] = {}
    for table in WRITTEN:
        if table == "dictionary":
            continue
        before, after = (
            _by_key(table, folder / "tables" / f"{table}.csv") for folder in (old, new)
        )
        for key in {*before, *after}:
            was, now = before.get(key, []), after.get(key, [])
            if Counter(map(_frozen, was)) != Counter(map(_frozen, now)):
                one = len(was) == len(now) == 1
                found[key] = {n for n in was[0] if was[0][n] != now[0][n]} if one else set()
    return found


def _by_key(table: str, file: Path) -> dict[Key, list[dict[str, str]]]:
    found: dict[Key, list[dict[str, str]]] = {}
    for row in read(file):
        found.setdefault(key_of(table, row), []).append(row)
    return found


def _frozen(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(row.items())


def paired(
    old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]], key: Sequence[int], source: int
) -> Counter[str]:
    """Return how many rows are the same, moved, changed, new and gone; rows are tuples of texts.

    key : positions of the key, that of the source row (`source`) among them or not.
    """
    before, after = list(old), list(new)
    found: Counter[str] = Counter()

    def take(was: tuple[str, ...], now: tuple[str, ...], change: str) -> None:
        before.remove(was)
        after.remove(now)
        found[change] += 1

    def without(row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cell for at, cell in enumerate(row) if at != source)

    for row in list(before):
        if row in after:
            take(row, row, "same")
    for row in sorted(before, key=lambda row: row[source]):
        likes = sorted((r for r in after if without(r) == without(row)), key=lambda r: r[source])
        if likes:
            take(row, likes[0], "source rows only")
    for by in (list(key), [at for at in key if at != source]):
        for part in {_part(row, by) for row in before}:
            was, now = (_of(rows, by, part) for rows in (before, after))
            if len(was) == len(now) == 1:
                take(was[0], now[0], "changed")
    found["gone"], found["new"] = len(before), len(after)
    return +found


def _part(row: tuple[str, ...], by: Sequence[int]) -> tuple[str, ...]:
    return tuple(row[at] for at in by)


def _of(
    rows: Iterable[tuple[str, ...]], by: Sequence[int], part: tuple[str, ...]
) -> list[tuple[str, ...]]:
    return [row for row in rows if _part(row, by) == part]
