"""From a folder of results to the records it was made from: found where they usually stand, and known by their hashes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from becalm.core.errors import UnreadableFileError, UsageError
from becalm.core.files import LARGEST_TOML, exists, read_text
from becalm.records.files import input_file

MANIFEST: Final = "manifest.json"


def is_results(path: Path) -> bool:
    """Return whether a path is a folder of results of a study."""
    return path.is_dir() and exists(path / MANIFEST) and exists(path / "tables")


def records_of(results: Path) -> tuple[str, str]:
    """Return the records that a study was made from, and the name of its protocol.

    They are looked for in the folder of the results, beside it, and where the command runs. A manifest has no path of
    the records, but their name and the hash of each of their files.

    Raises `UsageError` where they are not found, or were changed since.
    """
    facts = _facts(results)
    name, protocol = str(facts.get("records", "")), str(facts["protocol"]["name"])
    changed = ""
    for place in _places(results, name):
        if not exists(place):
            continue
        found = _differs(place, facts["inputs"])
        if not found:
            return str(place), protocol
        changed = found
    what = f"a folder of results; its records {name!r} were not found"
    if changed:
        what = f"a folder of results; its records {name!r} were changed since ({changed})"
    raise UsageError(
        what, where=results.name, hint="Name the records themselves: becalm open RECORDS"
    )


def _places(results: Path, name: str) -> Iterator[Path]:
    for folder in (results, results.resolve().parent, Path()):
        yield folder / name


def _facts(results: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(read_text(results / MANIFEST, most=LARGEST_TOML))
        _ = facts["protocol"]["name"], facts["inputs"], facts["records"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError("is not the manifest of a study", where=MANIFEST) from error
    return facts


def _differs(records: Path, inputs: list[dict[str, Any]]) -> str:
    """Return the name of a file that is not as the study read it, '' if all are; what was typed in the page may grow."""
    root = records if records.is_dir() else records.parent
    for each in inputs:
        name = str(each["name"])
        if ".becalm/" in name:
            continue
        file = root / name
        if not exists(file) or input_file(file).sha256 != each["sha256"]:
            return name
    return ""
