"""CSV that spreadsheets may open: no cell of it is calculated. All CSV files of becalm are written here.

Excel and LibreOffice calculate a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break, and their
full-width forms (OWASP, "CSV Injection"); a formula can send data away or start a program. A name in the
records may be such a text. So one apostrophe is put before it. A program that expects another separator
may cut a cell in pieces, so each piece after `,`, `;`, a tab or a line break is treated alike. What is a
number, `-5` for example, stays as it is. `restored` gives the text back. Parquet files have the text itself.

>>> inert("=1+1"), inert("-5"), inert("fever; @SUM(A1)")
("'=1+1", '-5', "fever;' @SUM(A1)")
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from typing import IO, Any, Final

_SEPARATORS: Final = r"[,;\t\r\n]"
_IGNORED: Final = "[\"' \u00a0\u3000\u200b\u200c\u200d\u2060\ufeff\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]"
"""What a spreadsheet may take away at the beginning of a cell: quotation marks, blanks, control characters."""
_SIGNS: Final = "=+-@＝＋－＠﹦﹢﹣﹫"
_CALCULATED: Final = "[" + _SIGNS.replace("-", r"\-") + "]"
_NUMBER: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"

# The same expressions serve Python and DuckDB (RE2), which knows no look-ahead. Numbers are marked
# first and unmarked after that: twice, because two neighbours share the separator between them.
_SUSPECT: Final = rf"^'*{_SEPARATORS}|{_CALCULATED}"
_UNMARK: Final = (rf"(^|{_SEPARATORS})'( *{_NUMBER} *)($|{_SEPARATORS})", r"\1\2\3")
_STEPS: Final = (
    (r"^('*[\t\r\n])", r"'\1"),
    (rf"(^|{_SEPARATORS})({_IGNORED}*{_CALCULATED})", r"\1'\2"),
    _UNMARK,
    _UNMARK,
)
_COMPILED: Final = tuple((re.compile(pattern), by) for pattern, by in _STEPS)
_FIND: Final = re.compile(_SUSPECT)
_BEGINS: Final = re.compile(rf"(?:^|{_SEPARATORS}){_IGNORED}*{_CALCULATED}")
_MARKED: Final = re.compile(rf"^'(?='*[\t\r\n])|(^|{_SEPARATORS})'(?={_IGNORED}*{_CALCULATED})")


def inert(text: str) -> str:
    """Return a cell's text in the form in which no spreadsheet calculates it.

    Most texts stay as they are. `restored(inert(text))` is `text`.

    >>> inert("PATIENT 7"), inert("2020-03-04"), inert("+++")
    ('PATIENT 7', '2020-03-04', "'+++")
    """
    if _FIND.search(text):
        for pattern, by in _COMPILED:
            text = pattern.sub(by, text)
    return text


def all_inert(texts: Collection[str]) -> bool:
    """Return whether `inert` changes none of many texts.

    >>> all_inert(["2020-03-04", "-5"]), all_inert(["fever", "fever; @SUM(A1)"])
    (True, False)
    """
    together = "\n".join(texts)
    plain = together.count("\n") < len(texts) and not any(each in together for each in "\t\r'")
    signs = any(sign in together for sign in _SIGNS)
    if plain and not (signs and _BEGINS.search(together)):
        return True  # no text, nor what comes after a separator in one, begins with a sign
    return all(inert(text) == text for text in texts)


def restored(text: str) -> str:
    """Return the text from which `inert` made the text of a cell.

    >>> restored("'=1+1"), restored("'s morgens")
    ('=1+1', "'s morgens")
    """
    return _MARKED.sub(lambda mark: mark.group(1) or "", text)


def inert_sql(column: str) -> str:
    """Return SQL (of DuckDB) for `inert` of a text, which may be NULL.

    column : SQL that gives the text.
    """
    made = column
    for pattern, by in _STEPS:
        made = f"regexp_replace({made}, {_quoted(pattern)}, {_quoted(by)}, 'g')"
    return f"CASE WHEN regexp_matches({column}, {_quoted(_SUSPECT)}) THEN {made} ELSE {column} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class CsvWriter:
    r"""Writes rows as CSV into an open text file; lines end with a line feed.

    Texts are written as `inert`; other values as Python shows them, None as an empty cell.

    >>> file = io.StringIO()
    >>> CsvWriter(file).row(["=1+1", -5, None])
    >>> file.getvalue()
    "'=1+1,-5,\n"
    """

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")

    def row(self, cells: Iterable[Any]) -> None:
        """Write one row."""
        self._writer.writerow([inert(c) if isinstance(c, str) else c for c in cells])

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write several rows."""
        for cells in rows:
            self.row(cells)


def csv_text(head: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    r"""Return a table as the text of a CSV file.

    >>> csv_text(["sign", "n"], [["@home", 3]])
    "sign,n\n'@home,3\n"
    """
    file = io.StringIO()
    writer = CsvWriter(file)
    writer.row(head)
    writer.rows(rows)
    return file.getvalue()
