"""Copying the chart-review template or its filled example."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from becalm.core.errors import OutputError
from becalm.core.staging import staged_file, staged_once


def copy_template(to: Path, filled: bool, kind: Literal["xlsx", "csv"]) -> Path:
    """Copy the blank template (`filled`: the invented example) and return its path.

    A workbook is copied to the file `to`, with the ending .xlsx if it has none, or into it if it is a
    folder; the CSV sheets are copied into the folder `to`, which must be new or empty. Existing files are never
    overwritten, because they may be filled in. Raises `OutputError` if something is there already or cannot be
    written.
    """
    stem = "becalm-example" if filled else "becalm-template"
    with as_file(files("becalm.records.sheets") / "template") as shipped:
        if kind == "xlsx":
            target = _workbook(to, stem)
            with staged_file(target) as file:
                shutil.copyfile(shipped / f"{stem}.xlsx", file)
            return target
        with staged_once(to) as folder:
            for sheet in sorted((shipped / stem).iterdir()):
                shutil.copyfile(sheet, folder / sheet.name)
        return to


def _workbook(to: Path, stem: str) -> Path:
    """Return the file that a workbook is copied to."""
    target = to / f"{stem}.xlsx" if to.is_dir() else to
    if not target.suffix:
        target = target.with_suffix(".xlsx")
    if target.suffix.lower() != ".xlsx":
        raise OutputError(
            f"{target.name} does not end in .xlsx",
            hint="The template is a workbook; --csv writes a folder of CSV files",
        )
    return target
