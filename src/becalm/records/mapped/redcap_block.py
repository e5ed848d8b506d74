"""Reading the table `[redcap]` of a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from becalm.records.mapped.cell_reading import CellReader
from becalm.records.mapped.model import RedcapBlock

ANY_TABLE: Final = ""
"""Stands for every table of a mapping whose tables are the instruments of a project."""
VALUES: Final = ("raw", "labels")
_FILES: Final = ("data", "dictionary", "events")
_NEEDED: Final = ("data", "dictionary", "record_id")
_KEYS: Final = (*_NEEDED, "events", "separator", "values", "missing", "instruments")


def read_redcap(reader: CellReader, document: Mapping[str, Any]) -> RedcapBlock | None:
    """Return what `[redcap]` says; None where the mapping has none."""
    block = document.get("redcap")
    if block is None:
        return None
    if not isinstance(block, dict):
        reader.wrong("redcap", "needs a table", 'Write [redcap] with data = "data.csv"')
        return None
    reader.keys(block, "redcap", _KEYS)
    if "tables" in document:
        what = "[tables] stands beside [redcap]"
        reader.wrong("redcap", what, "The tables are the instruments of the project: remove it")
    texts = {
        key: reader.text(block.get(key, ""), f"redcap.{key}")
        for key in (*_NEEDED, "events", "separator", "values")
    }
    for key in _NEEDED:
        if not texts[key]:
            reader.wrong("redcap", f"{key!r} is missing", f'Write {key} = "..."')
    for key in _FILES:
        if Path(texts[key]).is_absolute() or ".." in Path(texts[key]).parts:
            what = f"{texts[key]!r} is outside the folder of the records"
            reader.wrong(f"redcap.{key}", what, "Name it relative to the folder of the records")
    if len(texts["separator"]) > 1:
        reader.wrong("redcap.separator", "must be one character", 'A tab is "\\t"')
    if texts["values"] and texts["values"] not in VALUES:
        reader.wrong("redcap.values", f"{texts['values']!r} is not known", "Write raw or labels")
    return RedcapBlock(
        **texts,
        missing=_meanings(reader, block.get("missing", {}), "redcap.missing"),
        instruments=_meanings(reader, block.get("instruments", {}), "redcap.instruments"),
    )


def _meanings(reader: CellReader, value: Any, at: str) -> dict[str, str]:
    """Return texts and what each means; a list has texts without a meaning."""
    if isinstance(value, dict):
        return {key.strip(): reader.text(text, f"{at}.{key}") for key, text in value.items()}
    if isinstance(value, list):
        return dict.fromkeys(reader.texts(value, at), "")
    reader.wrong(at, "needs a table", 'Write { "-99" = "not done" }')
    return {}
