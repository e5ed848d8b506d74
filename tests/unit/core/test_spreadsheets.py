"""CSV that a spreadsheet opens: nothing of it is calculated, and every text comes back."""

from __future__ import annotations

import ast
import csv
import io
import re
import zipfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.spreadsheets import (
    CsvWriter,
    all_inert,
    csv_text,
    inert,
    inert_sql,
    restored,
)

SRC = Path(__file__).parents[3] / "src" / "becalm"
SHEETS = SRC / "records" / "sheets" / "template"
WRITES_CSV = re.compile(r"csv\.(?:writer|DictWriter)\b|FORMAT csv|to_csv")

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "+", "--",
    "\t=1", "\rx", "\nx", "＝1+1", "＋1", "－1+1", "＠SUM(A1)", " =1+1", "\u00a0=1", "\u200b=1", "\ufeff=1",
    '"=1+1"', "'=1+1", "''=1", "x;=1+1", "x\t@y", "x,+y", "x\n=1", "x\r\n=1", 'x;"=1&"', "-5,+cmd|' /C calc'!A0",
    "-5;=1", "1e5;-x", "'-5", "\x00=1", "\x1f=1",
]  # fmt: skip
PLAIN = [
    "", "P1", "-5", "+5", "-5.25", "-.5", "-5.", "-1e-3", " -5 ", "-5;-6;-7", "-5,3", "-1\n-2", "5-6", "a=b",
    "2020-03-04T10:00:00", "a@b.org", "haemophagocytosis (+)", "'s morgens", "x'y", "10^9/L", "<0.5", ">=5",
]  # fmt: skip
ANYTHING = st.text(
    alphabet=st.sampled_from([*"=+-@＝－'\" ;,\t\r\n|ab5.e\u00a0\ufeff\x01"]), max_size=12
)


def calculated(cell: str) -> bool:
    """Whether a spreadsheet may calculate a cell or a piece of it: a slow and suspicious reading."""
    if cell[:1] in {"\t", "\r", "\n"}:
        return True
    for piece in re.split(r"[,;\t\r\n]", cell):
        begins = piece.lstrip('" \u00a0\u3000\u200b\ufeff' + "".join(map(chr, range(32))))
        try:
            float(piece)
        except ValueError:
            if begins[:1] in set("=+-@＝＋－＠"):
                return True
    return False


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_not_calculated_and_comes_back(text: str) -> None:
    assert inert(text) != text
    assert not calculated(inert(text))
    assert restored(inert(text)) == text


@settings(derandomize=True, deadline=None, max_examples=3000)
@given(st.lists(st.one_of(ANYTHING, st.sampled_from([*FORMULAS, *PLAIN])), max_size=4))
def test_many_texts_are_inert_if_each_of_them_is(texts: list[str]) -> None:
    assert all_inert(texts) == all(inert(text) == text for text in texts)


@pytest.mark.parametrize("text", PLAIN)
def test_a_number_and_a_plain_text_stay_as_they_are(text: str) -> None:
    assert inert(text) == text == restored(text)


@settings(max_examples=600, derandomize=True, deadline=None)
@given(ANYTHING)
def test_nothing_is_calculated_and_everything_comes_back(text: str) -> None:
    assert not calculated(inert(text))
    assert restored(inert(text)) == text


def test_duckdb_and_python_write_the_same() -> None:
    texts = [*FORMULAS, *PLAIN, *(a + b for a in FORMULAS for b in [*FORMULAS, ";-5", ";-5;-6"])]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (n INTEGER, c VARCHAR)")
        con.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(texts)))
        rows = con.execute(f"SELECT {inert_sql('c')} FROM t ORDER BY n").fetchall()
        [(unknown,)] = con.execute(f"SELECT {inert_sql('NULL::VARCHAR')}").fetchall()
    assert [row[0] for row in rows] == [inert(text) for text in texts]
    assert unknown is None


def test_rows_are_written_inert_and_numbers_of_a_column_of_numbers_as_they_are() -> None:
    file = io.StringIO()
    CsvWriter(file).rows([["=1", -5, -5.5, None, "-7"], ["a;=b", 0, "", True, "x"]])
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [
        ["'=1", "-5", "-5.5", "", "-7"],
        ["a;'=b", "0", "", "True", "x"],
    ]
    assert csv_text(["@head"], [["=1"]]) == "'@head\n'=1\n"


def test_no_csv_is_written_past_the_one_place() -> None:
    """A table of DuckDB is the one other way, and it uses the same expressions."""
    by_duckdb = ("tables/writing.py", "comparison/rendering.py")
    homes = {"core/spreadsheets.py": {"csv.writer"}, **{each: {"FORMAT csv"} for each in by_duckdb}}
    found = {
        path.relative_to(SRC).as_posix(): set(WRITES_CSV.findall(path.read_text("utf-8")))
        for path in SRC.rglob("*.py")
    }
    assert {name: hits for name, hits in found.items() if hits} == homes


def test_no_module_brings_a_csv_library_of_its_own() -> None:
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "csv", path


@pytest.mark.parametrize("path", sorted(SHEETS.rglob("*.csv")), ids=lambda path: path.name)
def test_the_sheets_of_the_template_have_no_formula(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        assert [c for row in csv.reader(file) for c in row if inert(c) != c] == []


@pytest.mark.parametrize("path", sorted(SHEETS.glob("*.xlsx")), ids=lambda path: path.name)
def test_the_workbooks_of_the_template_have_no_formula(path: Path) -> None:
    with zipfile.ZipFile(path) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
        assert sheets
        assert [name for name in sheets if re.search(rb"<(?:\w+:)?f[\s/>]", parts.read(name))] == []
        assert [name for name in parts.namelist() if "externalLink" in name or "vba" in name] == []
