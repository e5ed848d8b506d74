"""Dates and numbers that cannot be true, in any cell of any table: our error or a counted row, and no table grows.

Each record is small and changed in one to three cells. What becalm answers is a mistake of its own kind (one line, an
exit code below 70) or a study; any other exception is a bug (exit 70). No table of the study has many more rows than
that of the unchanged record: days of a dose are bounded by the longest row of doses and the longest stay.
"""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest

import becalm
from becalm.core.errors import BecalmError
from tests.fuzz.small import FORMS, Form, form, write

DATES = (
    "9999-12-31", "9999-12-31T23:59:59.999999", "9999-12-31T24:00", "9999-12-31T23:59-11:00", "0001-01-01",
    "0001-01-01T00:00+14:00", "1677-09-21T00:12:43", "2262-04-11T23:47:17", "2262-04-12", "294247-01-10",
    "1900-01-01", "1900-01-02", "1900-01-02T00:00+14:00", "2299-12-30", "2299-12-30T24:00", "2299-12-30T23:00-12:00",
    "2300-01-01", "1899-12-31", "2100-01-01", "2150-06-06", "1950-06-06T10:00", "2031-02-08T14:00", "1991-02-08",
    "2020-02-30", "9999", "12/9999", "2299", "1900", "-0001-01-01", "infinity", "1970-01-01", "2999-01-01T10:00",
    "2021-02-08T14:00Z", "2921-03-04T10:00", "0202-03-04", "99999-01-01", "31.12.9999", "2147-01-01", "2146-08-01T10:00",
)  # fmt: skip
NUMBERS = (
    "1e300", "1e308", "-1e308", "1e309", "NaN", "inf", "-inf", "0", "1e-300", "5e-324", "99999999999999999999999", "-1",
    "200", "5850", "16.4", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e18", "0.0000001",
    ">1e300", "<1e-300", "1e15", "125", "126", "400.1", "250.1", "3000000",
)  # fmt: skip
UNITS = (
    "mg q1h", "mg q999999h", "mg x 999999", "mg over 999999 days", "mg x 99999999999999999999", "mg q0h", "mg x 0",
    "mg over 99999999999999999999999999999999 h", "mg q99999999999999999999h", "mg/kg x 999999 days", "mg over 0 days",
    "mg/day for 999999 days", "mg/day divided q0h", "in 0 divided doses", "mg/kg/h", "mL/h",
)  # fmt: skip
MORE_ROWS = 2_500
"""How many rows a table may have more than that of the unchanged record."""
IN_CI, EVERY = 3, 30
"""Records of each form in a run, and with `-m long`."""


def changed(given: Form, seed: int) -> tuple[Form, list[tuple[str, int, str, str]]]:
    """Return a form with impossible cells, and what was written where."""
    choose = random.Random(f"{given.name} {seed}")
    result, said = given.copy(), []
    tables = sorted(name for name, table in result.tables.items() if len(table) > 1)
    for _ in range(choose.choice((1, 1, 2, 3))):
        name = choose.choice(tables)
        header, *rows = result.tables[name]
        row = choose.randrange(len(rows))
        dated = [i for i, cell in enumerate(rows[row]) if cell[:2] in {"20", "21"} and "-" in cell]
        if dated and choose.random() < 0.6:
            column, text = choose.choice(dated), choose.choice(DATES)
        else:
            columns = [i for i, title in enumerate(header) if title != given.whose]
            column = choose.choice(columns)
            unit = "unit" in header[column] or "uom" in header[column]
            text = choose.choice(UNITS if unit else (*NUMBERS, *DATES))
        rows[row][column] = text
        said.append((name, row + 2, header[column], text))
    return result, said


def sizes(given: Form, folder: Path, *, whole: bool) -> dict[str, int]:
    """Return the rows of each table of the study; whole : its report and release are written too."""
    where = write(given, folder / "records")
    options = [each.format(folder / "records") for each in given.options]
    mapping = options[options.index("--mapping") + 1] if "--mapping" in options else None
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # an overflow is a number that nobody meant
        study = becalm.run(becalm.open_records(where, mapping=mapping), protocol=given.protocol)
        if whole:
            study.write(folder / "results", release=folder / "release")
    return {name: len(table) for name, table in study.result.frames.items()}


def test_no_impossible_cell_is_a_bug_or_makes_a_table_grow(tmp_path: Path) -> None:
    """Three records of every form, of which each third is written with its report and release."""
    for name in FORMS:
        check(name, range(IN_CI), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", FORMS)
def test_no_impossible_cell_is_a_bug_or_makes_a_table_grow_often(name: str, tmp_path: Path) -> None:
    """Ten times as many, with the same seeds first."""
    check(name, range(EVERY), tmp_path)


def check(name: str, seeds: range, folder: Path) -> None:
    plain = form(name)
    before = sizes(plain, folder / name, whole=False)
    for seed in seeds:
        given, said = changed(plain, seed)
        try:
            found = sizes(given, folder / f"{name}-{seed}", whole=seed % 3 == 0)
        except BecalmError as error:
            assert error.exit_code < 70, said
            continue
        grown = {
            table: rows for table, rows in found.items() if rows > before.get(table, 0) + MORE_ROWS
        }
        assert not grown, said
