"""Two releases of overlapping cohorts: whoever has both can subtract one from the other.

If few persons differ between two cohorts, a count that differs tells what those few have. No rule for one release
prevents that; whoever releases must know the earlier one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from becalm.core.errors import UnreadableFileError
from becalm.core.staging import MANIFEST
from becalm.report.release.sheets import ReleaseSheet

_PERSONS = "tables/persons.csv"


@dataclass(frozen=True)
class EarlierRelease:
    """What is known of an earlier study or release. persons : its ids; None where only the release is at hand."""

    name: str
    persons: frozenset[str] | None
    tables: dict[str, list[list[str]]]


def earlier(manifest: Path) -> EarlierRelease:
    """Read an earlier results folder or release, by its manifest.

    Raises `UnreadableFileError` where the file is not a manifest of becalm.
    """
    file = manifest / MANIFEST if manifest.is_dir() else manifest
    hint = f"Name the {MANIFEST} of an earlier results folder or of an earlier release"
    try:
        facts = msgspec.json.decode(file.read_bytes())
        names = [each["name"] for each in facts["files"]]
        _ = facts["becalm"]
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise UnreadableFileError(
            f"is not a manifest of becalm ({error})", where=str(file), hint=hint
        ) from error
    folder = file.parent
    persons = frozenset(persons_of(folder)) if _PERSONS in names else None
    released = [name for name in names if name.endswith(".csv") and "/" not in name]
    return EarlierRelease(
        str(manifest),
        persons,
        {name.removesuffix(".csv"): _rows(folder / name) for name in released},
    )


def persons_of(results: Path) -> list[str]:
    """Return the ids of the cohort of a results folder."""
    [head, *rows] = _rows(results / _PERSONS)
    return [row[head.index("person_id")] for row in rows]


def _rows(file: Path) -> list[list[str]]:
    try:
        with file.open(encoding="utf-8", newline="") as text:
            return list(csv.reader(text))
    except OSError as error:
        raise UnreadableFileError(
            f"cannot be read ({error.strerror})", where=str(file), hint="The manifest lists it"
        ) from error


def warnings(
    persons: Iterable[str], given: Sequence[ReleaseSheet], before: EarlierRelease, threshold: int
) -> list[str]:
    """Return what must be known before a release that follows an earlier one is published."""
    changed = _changed(given, before)
    if before.persons is None:
        if not changed:
            return []
        return [
            f"{changed} printed counts differ from {before.name}. If fewer than {threshold} persons differ between the "
            "two cohorts, the differences tell what they have. How many differ a release does not say: name the "
            "results folder of the earlier study instead"
        ]
    now = frozenset(persons)
    differ = len(now ^ before.persons)
    if differ >= threshold or (differ == 0 and not changed):
        return []
    told = f"; {changed} printed counts differ" if before.tables else ""
    return [
        f"only {differ} persons differ from the cohort of {before.name} ({len(now - before.persons)} new, "
        f"{len(before.persons - now)} gone){told}. Whoever has both releases can work out what these few have. "
        f"Wait until {threshold} persons or more differ, or do not publish both"
    ]


def _changed(given: Sequence[ReleaseSheet], before: EarlierRelease) -> int:
    """Return how many rows of the same name print something else than before."""
    changed = 0
    for sheet in given:
        old = {
            tuple(row[:2]) if len(row) > 2 else row[0]: row
            for row in before.tables.get(sheet.name, [])
        }
        for row in sheet.rows:
            was = old.get(tuple(row[:2]) if len(row) > 2 else row[0])
            changed += was is not None and list(row) != was
    return changed
