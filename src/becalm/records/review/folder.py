"""The folder `NAME.becalm` beside the records NAME: what people typed in the page, only ever added to."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final, NamedTuple

from becalm.core.files import exists
from becalm.records.files import read_text

SUFFIX: Final = ".becalm"
JUDGED: Final = "judgements.csv"
"""The file of the answers, with the columns of the sheet `judgements`."""


def review_folder(records: str | Path) -> Path | None:
    """Return the folder beside records, whether it is there or not; None for records at an address.

    >>> review_folder("/data/five.xlsx").as_posix()
    '/data/five.xlsx.becalm'
    """
    if "://" in str(records):
        return None
    path = Path(records)
    if path.name in {"", ".."}:
        path = path.resolve()
    return path.with_name(path.name + SUFFIX) if path.name else None


def answers_file(records: str | Path) -> Path | None:
    """Return the file of the answers beside records, None where there is none."""
    folder = review_folder(records)
    if folder is None or not exists(folder / JUDGED):
        return None
    return folder / JUDGED


class AddedRows(NamedTuple):
    """The rows of a file that is only added to. torn : the text of a last row that was never finished."""

    header: list[str]
    rows: list[list[str]]
    torn: str


def added_rows(file: Path) -> AddedRows:
    """Read a file that is only added to, up to its last whole row.

    A program that is killed while it adds a row leaves a piece of it, without the end of a line. Nobody was told
    that this row is kept. It counts if it has all its cells, for then nothing but a comment can be cut.
    """
    text = read_text(file)
    header, rows = _records(text)
    whole, _, tail = text.rpartition("\n")
    if not tail:
        return AddedRows(header, rows, "")
    if header and rows and len(rows[-1]) == len(header) and _closed(tail):
        return AddedRows(header, rows, "")
    header, rows = _records(whole + "\n" if whole else "")
    return AddedRows(header, rows, tail)


def _records(text: str) -> tuple[list[str], list[list[str]]]:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return (rows[0], rows[1:]) if rows else ([], [])


def _closed(line: str) -> bool:
    """Return whether every quotation mark of a line has its partner."""
    return line.count('"') % 2 == 0
