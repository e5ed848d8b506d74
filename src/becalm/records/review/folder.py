"""The folder `NAME.becalm` beside the records NAME: what people typed in the page, only ever added to."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final, NamedTuple

from becalm.core.files import exists
from becalm.core.spreadsheets import restored
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
    whole = whole_part(text)
    tail = text[len(whole) :]
    if not tail or (rows and len(rows[-1]) == len(header) and text.count('"') % 2 == 0):
        return AddedRows(header, rows, "")
    return AddedRows(*_records(whole), tail)


def whole_part(text: str) -> str:
    r"""Return a text up to the end of its last whole line; a line break within quotation marks ends none.

    >>> whole_part('a,b\n1,"x\ny"\n2,"z')
    'a,b\n1,"x\ny"\n'
    """
    end = text.rfind("\n")
    while end >= 0 and text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end)
    return text[: end + 1]


def _records(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the first row and the others, with the texts that were typed instead of those made safe for spreadsheets."""
    rows = [[restored(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    return (rows[0], rows[1:]) if rows else ([], [])
