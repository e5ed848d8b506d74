"""DuckDB results become NumPy columns: what is unknown, what is text, what is wrong with a file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.database import connect
from becalm.core.errors import OutputError, UnreadableFileError
from becalm.records import duck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection


@pytest.fixture
def con(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    con = connect(within=[tmp_path])
    yield con
    con.close()


def test_unknown_becomes_the_blank_of_each_kind(con: DuckDBPyConnection) -> None:
    got = duck.fetch(
        con,
        "SELECT NULL::VARCHAR AS t, NULL::TIMESTAMP AS at, NULL::DOUBLE AS x, NULL::INTEGER AS c, "
        "NULL::BIGINT AS k, NULL::BOOLEAN AS f",
    )
    assert got["t"].tolist() == [""]
    assert got["at"].tolist() == [UNKNOWN_TIME]
    assert np.isnan(got["x"]).tolist() == [True]
    assert (got["c"].tolist(), got["k"].tolist()) == ([-1], [-1])
    assert [got[name].dtype.name for name in "ck"] == ["int32", "int64"]
    assert got["f"].tolist() == [False]


def test_known_cells_between_unknown_ones_keep_their_place(con: DuckDBPyConnection) -> None:
    got = duck.fetch(
        con,
        """SELECT CASE WHEN i % 3 = 0 THEN 'µ' || (i % 2) END AS t,
                  CASE WHEN i % 3 = 1 THEN i::DOUBLE END AS x,
                  CASE WHEN i % 5 > 0 THEN TIMESTAMP '1970-01-02' END AS at, i % 7 = 0 AS f
           FROM range(1000) r(i) ORDER BY i""",
    )
    i = np.arange(1000)
    assert got["t"].tolist() == [f"µ{n % 2}" if n % 3 == 0 else "" for n in range(1000)]
    np.testing.assert_array_equal(got["x"], np.where(i % 3 == 1, i, np.nan))
    np.testing.assert_array_equal(got["at"], np.where(i % 5 > 0, DAY, UNKNOWN_TIME))
    np.testing.assert_array_equal(got["f"], i % 7 == 0)


def test_a_date_is_its_midnight_and_an_infinite_time_is_unknown(con: DuckDBPyConnection) -> None:
    got = duck.fetch(con, "SELECT DATE '1970-01-02' AS d, 'infinity'::TIMESTAMP AS never")
    assert (got["d"].tolist(), got["never"].tolist()) == ([DAY], [UNKNOWN_TIME])


def test_an_empty_result_still_has_typed_columns(con: DuckDBPyConnection) -> None:
    (batch,) = duck.stream(con, "SELECT 1 AS c, 'x' AS t, 1.0::DOUBLE AS x WHERE false")
    assert {n: (len(v), v.dtype) for n, v in batch.items()} == {
        "c": (0, np.dtype(np.int32)),
        "t": (0, np.dtype(object)),
        "x": (0, np.dtype(np.float64)),
    }


def test_many_batches_keep_the_order_of_the_query(con: DuckDBPyConnection) -> None:
    batches = list(
        duck.stream(con, "SELECT i, i::VARCHAR AS t FROM range(400000) r(i) ORDER BY i DESC")
    )
    assert len(batches) > 1
    numbers = np.concatenate([b["i"] for b in batches])
    np.testing.assert_array_equal(numbers, np.arange(400000)[::-1])
    texts = np.concatenate([b["t"] for b in batches])
    np.testing.assert_array_equal(texts.astype(np.int64), numbers)


def test_few_distinct_texts_are_few_python_strings(con: DuckDBPyConnection) -> None:
    got = duck.fetch(con, "SELECT 'unit ' || (i % 3) AS t FROM range(300000) r(i)")
    assert len({id(text) for text in got["t"]}) == 3


def test_coded_texts_are_numbered_as_they_first_appear(con: DuckDBPyConnection) -> None:
    words = duck.Dictionary()
    sql = "SELECT CASE WHEN i < 200000 THEN 'b' WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS t FROM range(300000) r(i)"
    codes = np.concatenate([b["t"] for b in duck.stream(con, sql, coded={"t": words})])
    assert words.words == ["b", "a"]
    assert codes.dtype == np.int32
    i = np.arange(300000)
    np.testing.assert_array_equal(codes, (i >= 200000) & (i % 2 == 0))


def test_a_column_of_ids_does_not_fill_memory(
    con: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duck, "_WORDS_AT_MOST", 1000)
    got = duck.fetch(con, "SELECT i, i::VARCHAR AS t FROM range(300000) r(i)")
    np.testing.assert_array_equal(got["t"].astype(np.int64), got["i"])


def test_parameters_reach_the_query(con: DuckDBPyConnection) -> None:
    assert duck.fetch(con, "SELECT ?::VARCHAR AS t, ? + 1 AS n", ["it's", 2])["t"].tolist() == [
        "it's"
    ]


def test_two_streams_run_side_by_side(con: DuckDBPyConnection) -> None:
    one, two = (duck.stream(con, "SELECT i FROM range(300000) r(i)") for _ in range(2))
    read: list[int] = []
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a["i"], b["i"])
        read += a["i"].tolist()
    assert read == list(range(300000))


def test_a_sort_larger_than_memory_spills_and_cleans_up() -> None:
    con = connect("60MB")
    (folder,) = duck.fetch(con, "SELECT current_setting('temp_directory') AS t")["t"]
    sql = "SELECT i, md5(i::VARCHAR) AS t FROM range(1500000) r(i) ORDER BY hash(i)"
    spilled = False
    for _ in duck.stream(con, sql):
        spilled = spilled or Path(folder).exists()
    con.close()
    assert spilled
    assert not Path(folder).exists()


def test_a_path_is_never_a_pattern(con: DuckDBPyConnection, tmp_path: Path) -> None:
    for name in ("lab[s].csv", "lab*.csv", "it's.csv"):
        file = tmp_path / name
        file.write_text("x\n1\n")
        got = duck.fetch(con, f"SELECT x FROM read_csv({duck.quoted_path(file)})")
        assert got["x"].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 9999, mtime=0)[:-20], "incomplete"),
        ("plain.csv.gz", b"a,b\n1,2\n", "damaged"),
        ("wide.csv", b"a,b\n1,2\n1,2,3\n", "wide.csv, row 3: 3 cells where the header has 2"),
        ("latin.csv", b"a,b\n1,\xe9\n", "latin.csv, row 2: this is not UTF-8"),
        ("quote.csv", b'a,b\n1,2\n"1,2\n', "quote.csv, row 3: a quoted cell has no end"),
    ],
)
def test_a_damaged_file_is_named_with_its_row(
    con: DuckDBPyConnection, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    sql = (
        f"SELECT a, b FROM read_csv({duck.quoted_path(tmp_path / name)}, auto_detect = false, "
        "delim = ',', quote = '\"', header = true, columns = {'a': 'VARCHAR', 'b': 'VARCHAR'})"
    )
    with pytest.raises(UnreadableFileError, match=name.replace(".", r"\.")) as error:
        duck.fetch(con, sql)
    assert said in error.value.line()


def test_a_full_disk_is_an_output_error() -> None:
    error = duck.known_error('IO Error: Could not write file "/tmp/x": No space left on device')
    assert isinstance(error, OutputError)


def test_a_row_that_speaks_of_a_full_disk_is_a_mistake_of_its_file() -> None:
    """DuckDB repeats the row that it cannot read, whatever stands in it."""
    told = (
        "Invalid Input Error: CSV Error on Line: 3\nOriginal Line: No space left on device,1\n"
        "Expected Number of Columns: 3 Found: 2\n  file = /records/labs.csv"
    )
    error = duck.known_error(told)
    assert isinstance(error, UnreadableFileError)
    assert "labs.csv, row 3: 2 cells where the header has 3 columns" in error.line()


def test_a_mistake_of_ours_is_not_blamed_on_a_file() -> None:
    assert duck.known_error("Invalid Input Error: something inside") is None


def test_a_folder_whose_name_is_a_pattern_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "ward [3]*"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    with connect(within=[folder]) as con:
        got = duck.fetch(con, f"SELECT x FROM read_csv({duck.quoted_path(folder / 'a.csv')})")
    assert got["x"].tolist() == [1]
