"""Numbers as people type them: which mark is the decimal one, thousands, flags of a laboratory.

A point or comma before three digits has two readings. The other cells of the file decide, or the cell is refused
with both readings; it is never guessed.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.errors import RecordsError
from becalm.events import harmonise
from becalm.records import Records, open_records
from becalm.vocabulary.numbers import (
    TWO_READINGS,
    Spelling,
    _spelling,
    certain,
    of_undecided,
    spelling,
    undecided,
)
from tests.records.chart_review import read_sheets, source, write, write_book, write_parquet

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
often = settings(
    max_examples=60, derandomize=True, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip

LABS = ["person_id", "time", "name", "value", "unit"]


def labs(folder: Path, *values: str, separator: str = ",", name: str = "ferritin") -> Path:
    """Write a folder with one result a minute, each value in quotation marks."""
    rows = [separator.join(LABS)]
    for i, value in enumerate(values):
        cells = ["P1", f"2020-03-04T10:{i:02d}", name, f'"{value}"', "ng/mL"]
        rows.append(separator.join(cells))
    return write(folder, labs="\n".join(rows) + "\n")


def read(records: Records) -> list[float | str]:
    """Return what becomes of each row, in order: its lowest possible value, or why it is refused."""
    events = harmonise(records, vocabulary.load())
    values: dict[int, float | str] = {
        int(row): float(low)
        for row, low in zip(events.frame["row"], events.frame["low"], strict=True)
    }
    for row, reason in zip(events.rejected["row"], events.rejected["reason"], strict=True):
        values[int(row)] = str(reason)
    return [values[i] for i in sorted(values)]


@pytest.mark.parametrize(
    ("text", "digits", "otherwise", "proves"),
    [
        ("9850", "9850", "", ""),
        ("9.85", "9.85", "", "."),
        ("9,85", "9.85", "", ","),
        ("9.850", "9.850", "9850", ""),
        ("1,234", "1234", "1.234", ""),
        ("0.850", "0.850", "", "."),
        ("0,850", "0.850", "", ","),
        (".850", "0.850", "", "."),
        ("1234.567", "1234.567", "", "."),
        ("12,932.7", "12932.7", "", "."),
        ("12.932,7", "12932.7", "", ","),
        ("12.932,712", "12932.712", "", ","),
        ("1,234,567", "1234567", "", "."),
        ("1.234.567", "1234567", "", ","),
        ("1,20,000", "120000", "", "."),
        ("1 234", "1234", "", ""),
        ("1 234,5", "1234.5", "", ","),
        ("1 234,567", "1234.567", "", ","),
        ("1\u00a0234\u00a0567", "1234567", "", ""),
        ("1\u202f234", "1234", "", ""),
        ("1\u2009234.5", "1234.5", "", "."),
        ("120'000", "120000", "", ""),
        ("120’000,5", "120000.5", "", ","),
        ("1.2e4", "1.2e4", "", "."),
        ("1.234E4", "1.234E4", "", "."),
        ("−1,5", "-1.5", "", ","),
        ("９８５０", "9850", "", ""),
        ("5.", "5", "", ""),
    ],
)
def test_a_number_has_one_reading_or_two(
    text: str, digits: str, otherwise: str, proves: str
) -> None:
    """A mark decides itself unless three digits stand behind it and one to three, not 0, before it."""
    assert spelling(text) == Spelling("", digits, otherwise, proves, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", ".", "-", "5-6", "1/2", "12 5", "1.2.3", "1,2,3", "1 23", "0 123", "12.932.7", "1234 567", "40000+",
     "15k", "~5000", "9850 ng/mL", "neg", "12:30", "2020-03-04", "1'23", "1,234.567.8", "1e9999", ">-5", "H"],
)  # fmt: skip
def test_what_is_not_one_number_has_no_reading(text: str) -> None:
    assert spelling(text) is None


@given(st.from_regex(r"[0-9]{1,5}(\.[0-9]{1,5})?", fullmatch=True))
def test_the_quick_way_of_reading_is_the_thorough_one(text: str) -> None:
    """Plain numbers are most of all cells, and are read without looking for flags and signs."""
    assert spelling(text) == _spelling(text)


FLAGS = ["H", "L", "HH", "LL", "*", "**", "!", "↑", "↓", "(H)", "(L)", "[H]", "(*)", "high", "A"]


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("number", ["9850", "12.3", "12,3", ">15000", "1 234"])
def test_a_flag_beside_a_number_is_read_and_dropped(number: str, flag: str) -> None:
    """H, L, stars and arrows behind or before a number say nothing that the number does not."""
    bare = spelling(number)
    assert bare
    for text in (f"{number} {flag}", f"{number}{flag}", f"{flag} {number}", f"{number} {flag} *"):
        with_flag = spelling(text)
        assert with_flag, text
        assert with_flag._replace(flag="") == bare
        assert with_flag.flag


@often
@given(st.integers(1, 999_999), st.integers(0, 4), st.sampled_from(["", ">", "<="]))
def test_both_conventions_write_the_same_number(whole: int, places: int, sign: str) -> None:
    """A number with its thousands marked and its decimals, written in England and in Germany."""
    number = whole + (0.1234 if places else 0)
    english = f"{sign}{number:,.{places}f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for text, mark in ((english, "."), (german, ",")):
        found = spelling(text)
        assert found
        assert found.text(mark) == f"{sign}{number:.{places}f}"  # type: ignore[arg-type]
        if found.otherwise:
            assert not found.text("")
            assert of_undecided(undecided(text)) == found.two_readings()


@often
@given(st.floats(0.001, 1e6, allow_nan=False).map(lambda x: f"{x:.3f}"))
def test_a_number_that_is_known_is_written_with_one_reading(text: str) -> None:
    written = spelling(certain(text))
    assert written
    assert not written.otherwise
    assert float(written.digits) == float(text)


@needs_cases
@pytest.mark.parametrize("separator", [";", ","])
def test_the_case_with_both_conventions(tmp_path: Path, separator: str) -> None:
    """Thirteen cells are refused, each with both readings; the others are read; the separator proves nothing."""
    folder = CASES / "numbers-thousands"
    if separator == ",":
        for name in ("labs", "persons"):
            lines = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
            cells = [",".join(f'"{cell}"' for cell in line.split(";")) for line in lines]
            (tmp_path / f"{name}.csv").write_text("\n".join(cells) + "\n", encoding="utf-8")
        folder = tmp_path
    (chunk,) = open_records(str(folder)).chunks()
    outcome = read(chunk)
    refused = [text for text in outcome if isinstance(text, str)]
    assert len(outcome) == 23
    assert len(refused) == 13
    assert all(text.startswith(TWO_READINGS) for text in refused)
    assert f"{TWO_READINGS}: 9.85 or 9850" in refused
    assert f"{TWO_READINGS}: 35 or 35000" in refused
    assert [value for value in outcome if not isinstance(value, str)] == [
        math.nextafter(15000, math.inf), 12932.7, 38.9, 12932.7, 1234, 120000, 120000, 8.4, 38.9, 3.59,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("beside", "means"),
    [
        (["12.5"], {"9.850": 9.85, "1,234": 1234}),
        (["12,5"], {"9.850": 9850, "1,234": 1.234}),
        (["0,5"], {"35.000": 35000}),
        (["1.234.567"], {"35.000": 35000, "1,034": 1.034}),
        (["1 234,5"], {"35.000": 35000}),
        (["1,20,000"], {"35.000": 35, "3,056": 3056}),
        (["12,5 H"], {"9.850 (H)": 9850}),
        ([">12,5"], {">9.850": 9850}),
    ],
)
@pytest.mark.parametrize("separator", [";", ","])
def test_one_other_cell_of_the_file_decides(
    tmp_path: Path, separator: str, beside: list[str], means: dict[str, float]
) -> None:
    folder = labs(tmp_path, *means, *beside, separator=separator)
    values = read(read_sheets(folder))[: len(means)]
    assert values == pytest.approx(list(means.values()))
    (notice,) = source(folder).notices
    text, reading = min(means.items())
    assert notice.startswith(f"labs.csv: numbers such as {text} were read as ")
    assert f"{reading:.12g}" in notice.replace("9.850,", "9.85,").replace("35.000,", "35,")


@pytest.mark.parametrize(
    "beside", [[], ["9850"], ["12.5", "12,5"], ["1,234,567", "12,5"], ["haemolysed"], ["1 234"]]
)
def test_without_a_cell_that_decides_it_is_refused(tmp_path: Path, beside: list[str]) -> None:
    """No other cell, or cells of both conventions."""
    folder = labs(tmp_path, "9.850", *beside)
    assert read(read_sheets(folder))[0] == f"{TWO_READINGS}: 9.85 or 9850"
    assert source(folder).notices == ()


@often
@given(
    st.lists(st.integers(1_000, 999_999), min_size=1, max_size=5),
    st.lists(st.integers(1, 9_999), min_size=1, max_size=5),
    st.booleans(),
)
def test_a_file_of_one_convention_is_read_as_it_was_meant(
    tmp_path_factory: pytest.TempPathFactory, large: list[int], tenths: list[int], comma: bool
) -> None:
    """Thousands with marks beside tenths: every number comes back, whichever mark is the decimal one."""
    meant = [*map(float, large), *(n + 0.5 for n in tenths)]
    texts = [*(f"{n:,}" for n in large), *(f"{n + 0.5:,}" for n in tenths)]
    if comma:
        texts = [text.translate(str.maketrans(",.", ".,")) for text in texts]
    folder = labs(tmp_path_factory.mktemp("one"), *texts)
    assert read_sheets(folder).measurements["value"].tolist() == meant


def test_a_typed_cell_needs_no_mark_and_decides_nothing(tmp_path: Path) -> None:
    """A number in a workbook or a Parquet file is itself; beside it a text of 9.850 still has two readings."""
    rows: list[list[object]] = [
        [*LABS],
        ["P1", "2020-03-04T10:00", "ferritin", 9.85, "ng/mL"],
        ["P1", "2020-03-04T10:01", "ferritin", 1.034, "ng/mL"],
        ["P1", "2020-03-04T10:02", "ferritin", "9.850", "ng/mL"],
    ]
    book = write_book(tmp_path / "r.xlsx", persons=[["person_id"], ["P1"]], labs=rows)
    assert read(read_sheets(book)) == [9.85, 1.034, f"{TWO_READINGS}: 9.85 or 9850"]
    rows[3][3] = "9,85"
    rows.append(["P1", "2020-03-04T10:03", "ferritin", "9.850", "ng/mL"])
    book = write_book(tmp_path / "s.xlsx", persons=[["person_id"], ["P1"]], labs=rows)
    assert read(read_sheets(book)) == [9.85, 1.034, 9.85, 9850]
    folder = write_parquet(tmp_path / "p", {"persons": [["person_id"], ["P1"]], "labs": rows[:3]})
    assert read(read_sheets(folder)) == [9.85, 1.034]


DOSES = "person_id;drug;start;end;amount;amount_unit;rate;rate_unit;weight_kg\n"


def test_doses_weights_and_ages_follow_their_own_file(tmp_path: Path) -> None:
    """1.000 mg beside 62,5 kg is a gram; in a file of its own it is unknown, and both readings are counted."""
    row = "P1;methylprednisolone;2020-03-04T10:00;;1.000;mg;;;"
    decided = write(tmp_path / "a", doses=DOSES + row + "62,5\n")
    assert read_sheets(decided).administrations["amount"].tolist() == [1000]
    alone = write(
        tmp_path / "b",
        doses=DOSES + row + "\n",
        persons="person_id,age,age_at,weight_kg,height_cm\nP1,40,2020-03-04,61.500,1.640\n",
    )
    read_alone = read_sheets(alone)
    assert np.isnan(read_alone.administrations["amount"]).all()
    assert np.isnan(read_alone.persons["weight_kg"]).all()
    refused = {(r.variable, r.reason, r.example) for r in source(alone).refused()}
    assert ("amount", f"{TWO_READINGS}: 1 or 1000: cell not used", "doses:2 1.000") in refused
    assert ("weight_kg", f"{TWO_READINGS}: 61.5 or 61500: cell not used", "persons:2 61.500") in refused  # fmt: skip
    spaced = write(tmp_path / "c", doses=DOSES + row.replace("1.000", "1 000") + "\n")
    assert read_sheets(spaced).administrations["amount"].tolist() == [1000]
    comma = write(tmp_path / "d", doses=DOSES + row.replace("1.000", "12,5") + "\n")
    assert read_sheets(comma).administrations["amount"].tolist() == [12.5]


def test_a_reference_limit_with_two_readings_is_unknown_and_the_value_used(tmp_path: Path) -> None:
    text = "person_id,time,name,value,unit,ref_high\nP1,2020-03-04,AST,50,U/L,1.040\n"
    (refusal,) = source(write(tmp_path, labs=text)).refused()
    assert refusal.reason == f"ref_high: {TWO_READINGS}: 1.04 or 1040: limit unknown, value used"
    assert read_sheets(tmp_path).measurements["value"].tolist() == [50]


MAPPING = (
    '[tables.p]\nfile = "p.csv"\nperson_id = "who"\n[persons]\nweight_kg = { always = "61.500" }\n'
    '[[labs]]\ntime = "when"\n[labs.columns]\n'
    'fer = { name = "ferritin", unit = "ng/mL", ceiling = 2000 }\n'
    'hb = { name = "haemoglobin", unit = "g/dL" }\n'
)


def mapped(folder: Path, *rows: str) -> tuple[list[float | str], Records, tuple[str, ...]]:
    (folder / "p.csv").write_text("who;when;fer;hb\n" + "".join(rows), encoding="utf-8")
    (folder / "m.toml").write_text(MAPPING, encoding="utf-8")
    opened = open_records(str(folder), mapping=str(folder / "m.toml"))
    (chunk,) = opened.chunks()
    return read(chunk), chunk, opened.notices


def test_a_table_that_is_read_by_a_mapping_decides_for_all_its_columns(tmp_path: Path) -> None:
    """A decimal comma of haemoglobin makes 1.234 of ferritin 1234, before limits are compared."""
    values, chunk, (notice,) = mapped(
        tmp_path, "P1;2020-03-04 10:00;1.234;8,4\n", "P1;2020-03-04 11:00;2.000;8,5\n"
    )
    assert values == [1234, 8.4, 2000, 8.5]
    assert chunk.measurements["text"].tolist().count(">=2000") == 1
    assert chunk.persons["weight_kg"].tolist() == [61.5]
    assert notice == (
        "p.csv: numbers such as 1.234 were read as 1234, because a comma is the decimal mark in 8,4"
    )
    values, _, notices = mapped(tmp_path, "P1;2020-03-04 10:00;1.234;8\n")
    assert values == [f"{TWO_READINGS}: 1.234 or 1234", 8]
    assert notices == ()


@pytest.mark.parametrize(
    ("text", "age"),
    [
        (">89", 90),
        ("> 89", 90),
        (">=90", 90),
        ("≥90", 90),
        ("90+", 90),
        ("over 89", 90),
        ("at least 90", 90),
        (">89.5", 90),
    ],
)
def test_an_age_that_is_only_a_limit_is_the_least_that_it_can_be(
    tmp_path: Path, text: str, age: float
) -> None:
    """Data sets without names print the oldest as >89: 90 is used, and the cell counted."""
    folder = write(
        tmp_path, persons=f"person_id,age,age_at\nP1,{text},2020-03-04\nP2,41,2020-03-04\n"
    )
    assert read_sheets(folder).persons["age"].tolist() == [age, 41]
    (refusal,) = source(folder).refused()
    assert (refusal.variable, refusal.reason, refusal.rows) == (
        "age", "only a lower limit is known: 90 is used", 1,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["<18", "<=1", "89-", "89++", ">1.034", "old"])
def test_another_age_that_is_no_number_is_a_mistake_or_not_used(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, persons=f"person_id,age,age_at\nP1,{text},2020-03-04\n")
    if text == ">1.034":
        assert np.isnan(read_sheets(folder).persons["age"]).all()
        return
    with pytest.raises(RecordsError):
        source(folder)


def test_an_l_beside_a_volume_can_be_litres(tmp_path: Path) -> None:
    """2 L in a column of mL is not two; 2 L of mmol/L is low."""
    text = "person_id,time,start,name,value,unit\n"
    text += "P1,2020-03-04T10:00,2020-03-04T09:00,urine output,2 L,mL\n"
    text += "P1,2020-03-04T10:00,,triglycerides,2 L,mmol/L\n"
    chunk = read_sheets(write(tmp_path, labs=text))
    assert chunk.measurements["text"].tolist() == ["2 L", ""]
    assert chunk.measurements["value"].tolist()[1] == 2


@needs_cases
def test_the_battery_of_hurried_typing_loses_no_number() -> None:
    """Each of its 133 results is read, or refused with a reason, or has a name that is listed as unknown."""
    opened = open_records(str(CASES / "words-battery"))
    (chunk,) = opened.chunks()
    events = harmonise(chunk, vocabulary.load())
    kinds = chunk.measurements["kind"]
    of_names = sum(r.rows for r in events.unknown if r.source_table == "labs")
    blank = sum(r.rows for r in opened.refused() if r.source_table == "labs")
    refused = len(events.rejected["row"][events.rejected["row"] < len(kinds)])
    used = events.frame["row"] < len(kinds)
    assert int(used.sum()) + refused + of_names + blank == 133
    keys = chunk.measurements["key"][events.frame["row"][used]]
    low = dict(zip(keys.tolist(), events.frame["low"][used].tolist(), strict=True))
    assert [low[row] for row in (6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 30)] == [
        12932.7, 38.9, 12932.7, 1234, 100000, 12000, 12.3, 12.3, 9850, 9850, 9850,
    ]  # fmt: skip
    assert [low[row] for row in (68, 69, 75)] == [35, 35, 35]
