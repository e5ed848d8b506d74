"""Copying the chart-review template or its filled example."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from becalm.core.errors import OutputError


def copy_template(to: Path, filled: bool, kind: Literal["xlsx", "csv"]) -> Path:
    """Copy the blank template (`filled`: the invented example) and return its path.

    A workbook is copied to the file `to`, with the ending .xlsx if it has none, or into it if it is a
    folder; the CSV sheets are copied into the folder `to`. Existing files are never overwritten, because they may be filled in.
    Raises `OutputError` if a file exists already or cannot be written.
    """
    stem = "becalm-example" if filled else "becalm-template"
    with as_file(files("becalm.records.sheets") / "template") as shipped:
        try:
            return _copy(shipped, stem, to, kind)
        except FileExistsError as error:
            raise OutputError(
                "already exists", where=str(error.filename), hint="Choose another place"
            ) from error
        except OSError as error:
            raise OutputError(
                f"cannot be written ({(error.strerror or 'unknown reason').lower()})", where=str(to)
            ) from error


def _copy(shipped: Path, stem: str, to: Path, kind: Literal["xlsx", "csv"]) -> Path:
    if kind == "xlsx":
        target = to / f"{stem}.xlsx" if to.is_dir() else to
        if not target.suffix:
            target = target.with_suffix(".xlsx")
        if target.suffix.lower() != ".xlsx":
            raise OutputError(
                f"{target.name} does not end in .xlsx",
                hint="The template is a workbook; --csv writes a folder of CSV files",
            )
        _copy_file(shipped / f"{stem}.xlsx", target)
        return target
    to.mkdir(parents=True, exist_ok=True)
    sheets = sorted((shipped / stem).iterdir())
    for sheet in sheets:
        if (to / sheet.name).exists():
            raise FileExistsError(17, "exists", str(to / sheet.name))
    for sheet in sheets:
        _copy_file(sheet, to / sheet.name)
    return to


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        shutil.copyfileobj(read, written)
