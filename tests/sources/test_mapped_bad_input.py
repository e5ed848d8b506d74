"""Mistakes in a mapping, and in the tables it reads, are said where they are and how to mend them."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import BecalmError
from becalm.records import open_records
from becalm.records.mapped.names import wrong_names
from becalm.records.mapped.reading import Reader

TABLE = """\
who,sex,when,age,CRP,Ferritin,note
P1,M,2020-01-01T10:00,50,12,900,
P2,F,2020-01-01T11:00,61,haemolysed,300,
"""
GOOD = """\
[tables.lab]
file = "lab.csv"
person_id = "who"

[persons]
sex = "sex"
age = "age"
age_at = "when"

[[labs]]
time = "when"
[labs.columns]
CRP = { name = "crp", unit = "mg/L" }
Ferritin = { name = "ferritin", unit = "ng/mL" }
"""

RICH = (
    GOOD
    + """
[tables.stays]
file = "stays.xlsx"
sheet = "Stays"

[[doses]]
table = "lab"
person_id = { table = "stays", column = "patient", key = "stay", by = { position = 2 } }
drug = { column = "drug", words = { "" = "anakinra" }, nothing = [-1], where = { note = ["x"] } }
start = { column = "n", in = "hours", since = { always = "2020-01-01T08:00" }, first = 1 }
end = { column = "n", in = "days", since = { table = "stays", column = "from", key = "stay", by = "stay" } }
amount = "mg"
amount_unit = { always = "mg" }
"""
)
"""A mapping with keys of every kind."""


def lines(folder: Path, mapping: str, table: str = TABLE) -> list[str]:
    """Return what is said of a mapping, one line a mistake, without the file's name."""
    (folder / "m.toml").write_text(mapping, encoding="utf-8")
    (folder / "lab.csv").write_text(table, encoding="utf-8")
    try:
        open_records(str(folder), mapping=str(folder / "m.toml"))
    except BecalmError as error:
        return error.line().splitlines()
    return []


def test_the_good_one_is_good(tmp_path: Path) -> None:
    assert lines(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[persons]", "[person]", "m.toml, row 5, person: unknown key 'person'. Did you mean 'persons'?"),
        ('file = "', 'fil = "', "m.toml, row 2, tables.lab.fil: unknown key 'fil'. Did you mean 'file'?"),
        ('time = "when"', 'tme = "when"', "m.toml, row 11, labs[0].tme: unknown key 'tme'. Did you mean 'time'?"),
        ('unit = "mg/L"', 'units = "mg/L"', "m.toml, row 13, labs[0].columns.CRP.units: unknown key 'units'. Did you mean 'unit'?"),
        ('"ferritin"', '"feritin"', "m.toml, row 14, labs[0].columns.Ferritin.name: no variable is called 'feritin'. Did you mean 'ferritin'?"),
        ('"mg/L"', '"furlong"', "m.toml, row 13, labs[0].columns.CRP.unit: 'furlong' does not convert to mg/L of crp: unknown unit. Known: mg/L, ug/mL, mg/dL, nmol/L, g/L, ng/mL, ug/L"),
        (', unit = "mg/L"', "", "m.toml, row 13, labs[0].columns.CRP: 'unit' is missing: crp has one. Known: mg/L, ug/mL, mg/dL, nmol/L, g/L, ng/mL, ug/L"),
        ("Ferritin =", "Feritin =", "m.toml, row 14, labs[0].columns.Feritin: lab.csv has no column 'Feritin'. Did you mean 'Ferritin'?"),
        ('sex = "sex"', 'sex = "Sx"', "m.toml, row 6, persons.sex: lab.csv has no column 'Sx'. Known: CRP, Ferritin, age, note, sex, when, who"),
        ('sex = "sex"', 'sex = { column = "sex", words = { M = "H" } }', "m.toml, row 6, persons.sex.words: sex: 'H' is not one of the list. One of: F, M"),
        ('age = "age"', 'age = { always = "old" }', "m.toml, row 7, persons.age: age: 'old' is not a number. Write a number alone; its unit has a column of its own"),
        ('sex = "sex"', 'sex = { column = "sex", words = { "" = "H" } }', "m.toml, row 6, persons.sex.words: sex: 'H' is not one of the list. One of: F, M"),
        ('sex = "sex"', 'sex = { column = "sex", carry_down = true, words = { "" = "M" } }', "m.toml, row 6, persons.sex.words: an empty cell cannot be both a word and the cell above it. Remove \"\" from words, or remove carry_down"),
        ('sex = "sex"', 'sex = { column = "sex", words = { 1 = "M", "1.0" = "F" } }', "m.toml, row 6, persons.sex.words: '1.0' is there twice: texts are compared without case, numbers by value. Keep one of them"),
        ('sex = "sex"', 'sex = { always = "M", words = { "" = "F" } }', "m.toml, row 6, persons.sex.words: 'words' has no effect without a column. Remove it, or write 'column'"),
        ('person_id = "who"\n', "", "m.toml, row 4, persons: 'person_id' is missing. Write person_id = \"COLUMN\", or person_id = { always = \"...\" }"),
        ("[[labs]]", "[labs]", "m.toml, row 10, labs: needs a list of tables. Write [[labs]]"),
        ('age = "age"', "age = 3", "m.toml, row 7, persons.age: needs the name of a column, or a table. Write the column's name in quotes, or { always = \"...\" }"),
        ('sex = "sex"', 'table = "labs"', "m.toml, row 6, persons.table: no table is called 'labs'. Did you mean 'lab'?"),
        ('"lab.csv"', '"../lab.csv"', "m.toml, row 2, tables.lab.file: '../lab.csv' is outside the folder of the records. Name it relative to the folder of the records"),
        ('CRP = { name = "crp", unit = "mg/L" }\nFerritin = { name = "ferritin", unit = "ng/mL" }\n', "", "m.toml, row 12, labs[0].columns: names no column. Write one, or remove the block"),
        ('[tables.lab]', 'cite = ["yann2020"]\n[tables.lab]', "m.toml, row 1, cite: no reference is called 'yann2020'. Did you mean 'yan2020'?"),
        ('file = "', 'separator = "tab"\nfile = "', "m.toml, row 2, tables.lab.separator: must be one character. A tab is \"\\t\""),
        ('[tables.lab]', '[study]\ntimezone = "Asia/Shanghay"\n[tables.lab]', "m.toml, row 2, study.timezone: timezone: 'Asia/Shanghay' is not known. Did you mean 'Asia/Shanghai'?"),
        ("[tables.lab]", 'words_file = "words.toml"\n[tables.lab]', "m.toml, row 1, words_file: no file 'words.toml' is beside the mapping. Put it there, or remove the key"),
        ("[tables.lab]", 'words_file = "../words.toml"\n[tables.lab]', "m.toml, row 1, words_file: '../words.toml' is outside the folder of the mapping. Put the file beside the mapping, and write its name"),
        ("[persons]", 'cite = ["yan2021"]\n[persons]', "m.toml, row 5, tables.lab.cite: unknown key 'cite'. Known: file, nothing, person_id, separator, sheet"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_row_and_the_nearest_word(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert said in lines(tmp_path, GOOD.replace(old, new, 1))


def test_every_mistake_is_said_in_the_order_of_the_file(tmp_path: Path) -> None:
    wrong = GOOD.replace("sex =", "sx =").replace("time =", "tme =").replace("file", "fil")
    rows = [line.split(", row ")[1].split(",")[0] for line in lines(tmp_path, wrong)]
    assert rows == ["1", "2", "6", "11", "13", "14"]
    wrong = GOOD.replace('"crp"', '"crpp"').replace('"ng/mL"', '"ng"')
    assert [line.split(":")[0] for line in lines(tmp_path, wrong)] == [
        "m.toml, row 13, labs[0].columns.CRP.name",
        "m.toml, row 14, labs[0].columns.Ferritin.unit",
    ]
    wrong = GOOD.replace('"when"', '"wen"').replace("CRP =", "CPR =")
    assert len(lines(tmp_path, wrong)) == 3


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ('[[doses]]\nstart = "when"\n[doses.columns]\nnote = { drug = "anakinara", amount_unit = "mg" }\n', "no drug is called 'anakinara'. Did you mean 'anakinra'?"),
        ('[[findings]]\ntime = "when"\n[findings.columns]\nnote = { finding = "splenomegally" }\n', "no finding is called 'splenomegally'. Did you mean 'splenomegaly'?"),
        ('[[conditions]]\nname = { always = "leishmaniosis" }\n', "no name is called 'leishmaniosis'. Did you mean 'leishmaniasis'?"),
        ('[[procedures]]\nname = { always = "hemodialisis" }\n', "no name is called 'hemodialisis'. Did you mean 'hemodialysis'?"),
    ],
)  # fmt: skip
def test_a_name_that_is_nearly_known_is_a_mistake_and_one_far_from_any_is_kept(
    tmp_path: Path, block: str, said: str
) -> None:
    """A misspelt drug would be a treatment that nobody had; a drug that the vocabulary lacks is given all the same."""
    (line,) = lines(tmp_path, GOOD + block)
    assert line.endswith(said)
    name = said.split("'")[1]
    assert lines(tmp_path, GOOD + block.replace(name, "xyzzy plugh")) == []


def test_a_column_is_mapped_only_once(tmp_path: Path) -> None:
    twice = (
        GOOD + '\n[[labs]]\ntime = "when"\n[labs.columns]\nCRP = { name = "crp", unit = "mg/L" }\n'
    )
    assert lines(tmp_path, twice) == [
        "m.toml, row 19, labs[1].columns.CRP: the column 'CRP' is mapped twice. "
        "It is already labs[0].columns.CRP: keep one"
    ]
    (said,) = lines(tmp_path, GOOD + 'CRP = { name = "crp", unit = "mg/L" }\n')
    assert said.startswith("m.toml: is not valid TOML: ")


def test_a_unit_of_another_quantity_says_why(tmp_path: Path) -> None:
    mapping = GOOD.replace('"ferritin", unit = "ng/mL"', '"sil2r", unit = "pg/mL"')
    (said,) = lines(tmp_path, mapping)
    assert "becomes U/mL only by the assay's own factor" in said


def test_a_result_that_is_no_number_is_refused_and_counted(tmp_path: Path) -> None:
    """One haemolysed sample stops nothing; its file, column and row are the example."""
    assert lines(tmp_path, GOOD) == []
    out = tmp_path / "out"
    done = CliRunner().invoke(
        main, ["doctor", str(tmp_path), "--mapping", str(tmp_path / "m.toml"), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "lab[CRP]:3 haemolysed" in (out / "refused.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",61,", ",old,", "lab.csv, row 3, column age: 'old' is not a number"),
        (",F,", ",H,", "lab.csv, row 3, column sex: 'H' is not one of the list"),
        ("T11:00", " noon", "lab.csv, row 3, column when: '2020-01-01 noon' is not a date or a time"),
        ("P2,", ",", "lab.csv, row 3, column who: person_id is blank"),
        ("P2,F,2020-01-01T11:00,61,haemolysed,300,\n", "P2,F\n", "lab.csv, row 3: 2 cells where the header has 7"),
    ],
)  # fmt: skip
def test_what_must_be_understood_names_row_and_column_of_the_table(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    found = lines(tmp_path, GOOD, TABLE.replace(old, new))
    assert len(found) == 1
    assert found[0].startswith(said)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--mapping", "wuhan"], 5, "no mapping is called 'wuhan'. A file of your own ends in .toml. Did you mean 'wuhan2020'?"),
        (["--mapping", "gone.toml"], 3, "gone.toml: is not there. Mappings that come with becalm are named without .toml: wuhan2020"),
        (["--mapping", "wuhan2020"], 3, "time_series_odd_patients.csv.gz: the table series of the mapping wuhan2020.toml does not exist. Known: lab.csv"),
        (["--mapping", "wuhan2020", "--source", "sheets"], 2, "--source and --mapping exclude each other. Keep --mapping"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["study", "screen", "doctor"])
def test_the_command_line_says_which_mapping(
    tmp_path: Path, command: str, words: list[str], code: int, said: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "lab.csv").write_text(TABLE, encoding="utf-8")
    out = tmp_path / "out"
    done = CliRunner().invoke(
        main, [command, str(tmp_path / "in"), *words, "--out", str(out / "x.csv" if command == "screen" else out)]
    )  # fmt: skip
    assert done.exit_code == code, done.output
    assert done.stderr.splitlines()[-1] == f"becalm: {said}"
    assert not out.exists() or not any(out.iterdir())


def test_one_file_alone_is_the_table_whatever_it_is_called(tmp_path: Path) -> None:
    lines(tmp_path, GOOD)
    (tmp_path / "lab.csv").rename(tmp_path / "export of march.csv")
    found = open_records(str(tmp_path / "export of march.csv"), mapping=str(tmp_path / "m.toml"))
    assert [each.name for each in found.inputs()] == ["export of march.csv", "m.toml"]


def test_a_damaged_compressed_file_is_not_half_read(tmp_path: Path) -> None:
    (tmp_path / "lab.csv.gz").write_bytes(b"\x1f\x8b\x08\x00damaged")
    (tmp_path / "m.toml").write_text(GOOD.replace("lab.csv", "lab.csv.gz"), encoding="utf-8")
    with pytest.raises(BecalmError, match=r"lab\.csv\.gz: the compressed file is damaged"):
        open_records(str(tmp_path), mapping=str(tmp_path / "m.toml"))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value of a mapping."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else inside:
        yield from places(each, (*path, key))


@pytest.mark.parametrize(
    "odd", [3, True, -1.5, "", "x", [], [1], [[1]], [{}], {}, {"a": 1}, {"column": {}}, {"always": 3}]
)  # fmt: skip
def test_whatever_stands_where_something_else_belongs_is_explained(odd: object) -> None:
    """No value of another kind, anywhere in a mapping, is a mistake of ours: it is read or refused in words."""
    good = tomllib.loads(RICH)
    for path in places(good):
        given = copy.deepcopy(good)
        inside = given
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = odd
        reader = Reader("m.toml")
        mapped = reader.mapped(given, RICH)
        for complaint in reader.complaints or wrong_names(mapped):
            assert complaint.error(RICH, "m.toml").line().startswith("m.toml"), path
            assert complaint.what, path
