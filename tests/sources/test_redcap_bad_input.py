"""Exports, dictionaries and mappings of REDCap projects that do not fit each other: one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.core.errors import BecalmError, DefinitionError, RecordsError
from becalm.records import redcap
from tests.sources.redcap_project import (
    HEADER,
    QUESTIONS,
    mapping,
    project,
    records,
    refused,
)
from tests.sources.redcap_storms import Question, write_dictionary


def test_a_column_that_the_dictionary_does_not_have_is_named(tmp_path: Path) -> None:
    """A dictionary of another day: one line with the columns and where they stand."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    how = mapping(folder)
    project(folder, "1,a_arm_1,,,1,2,,,,,,,,", header=HEADER.replace("fer,shift", "ferr,crp"))
    line = refused(folder, how)
    assert line.startswith(
        "data.csv, row 1, column 8: dictionary.csv has no field for the column 'ferr', nor for 1 more: 'crp'"
    )
    assert "Did you mean 'fer'?" in line
    assert "\n" not in line


def test_a_box_that_the_dictionary_does_not_have_is_named(tmp_path: Path) -> None:
    """A choice that was added or taken away after the dictionary was downloaded."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    how = mapping(folder)
    project(folder, "1,a_arm_1,,,1,2,,,,,,,,", header=HEADER.replace("signs____1", "signs___3"))
    assert "The field signs has the choices 1, -1" in refused(folder, how)


def test_a_dictionary_of_another_project_is_refused(tmp_path: Path) -> None:
    """The id of the record is not in the export, or is another one than the mapping says."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    how = mapping(folder)
    write_dictionary(
        folder / "dictionary.csv", [Question("study", "persons", "text", "Study"), *QUESTIONS[1:]]
    )
    assert (
        "its first field, the id of the record, is 'study', and the mapping says 'record_id'"
        in refused(folder, how)
    )
    with pytest.raises(RecordsError, match="no field for the column 'record_id'"):
        redcap.draft(folder / "data.csv", folder / "dictionary.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,value\na,1\n", "dictionary.csv, row 1: is not a data dictionary of REDCap: it has no column 'Variable / Field Name'"),
        ("field_name,form_name,field_type,field_label\n", "dictionary.csv: the data dictionary has no field"),
        ("field_name,form_name,field_type,field_label\na,f,text,A\na,f,text,B\n",
         "dictionary.csv, row 3, column Variable / Field Name: the field 'a' is already in row 2"),
        ("field_name,form_name,field_type,field_label\na,f,txt,A\n", "row 2, column Field Type: 'txt' is not a type of a field. Did you mean 'text'?"),
        ("field_name,form_name,field_type,field_label\na,f,radio,A\n", "the field 'a' has no choices"),
        ("field_name,form_name,field_type,field_label,select_choices_or_calculations\nr,f,text,R\na,f,checkbox,A,\"1, x | 1, y\"\n",
         "dictionary.csv: "),
    ],
    ids=["none", "empty", "twice", "type", "no choices", "cut off"],
)  # fmt: skip
def test_a_dictionary_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake has file, row and column, and how to mend it."""
    (tmp_path / "dictionary.csv").write_text(text)
    (tmp_path / "data.csv").write_text("a\n1\n")
    with pytest.raises(BecalmError) as error:
        redcap.draft(tmp_path / "data.csv", tmp_path / "dictionary.csv")
    assert message.removeprefix("dictionary.csv: ") in error.value.line()
    assert error.value.hint


def test_a_row_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Two exports that were joined: the same record, event and instance in two rows."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    how = mapping(folder)
    project(folder, "1,a_arm_1,,,1,2,,,,,,,,", "1,a_arm_1,,,0,2,,,,,,,,")
    assert refused(folder, how).startswith("data.csv, row 3: the row 1, a_arm_1")


def test_an_instrument_without_a_name_is_asked_for(tmp_path: Path) -> None:
    """A label from which no form follows stops the run; the mapping can say which form it is."""
    folder = project(
        tmp_path, "1,a_arm_1,,,1,2,,,,,,,,", "1,a_arm_1,bloods,1,,,2021-02-02,8,,2,,,,"
    )
    how = mapping(folder)
    project(folder, "1,a_arm_1,,,1,2,,,,,,,,", "1,a_arm_1,Daily (v2),1,,,2021-02-02,8,,2,,,,")
    assert (
        "row 3, column redcap_repeat_instrument: no form of dictionary.csv is known as 'Daily (v2)'"
        in refused(folder, how)
    )
    assert 'instruments = { "Daily (v2)" = "bloods" }' in redcap.draft(
        folder / "data.csv", folder / "dictionary.csv"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"fer"', '"ferr"', "dictionary.csv has no field 'ferr'. Did you mean 'fer'?"),
        ('column = "drawn"', 'column = "seen"', "'seen' is a field of exam, not of bloods"),
        ("signs___1 =", "signs =", "'signs' is a checkbox field: read one of its boxes. signs___1, signs____1"),
        ('[[labs]]\ntable = "bloods"', '[[labs]]\ntable = "blood"', "dictionary.csv has no instrument 'blood'. Did you mean 'bloods'?"),
        ('data = "data.csv"', "", "'data' is missing"),
        ('data = "data.csv"', 'data = "../data.csv"', "'../data.csv' is outside the folder of the records"),
        ('record_id = "record_id"', 'record_id = "record_id"\nvalues = "codes"', "'codes' is not known. Write raw or labels"),
        ('[redcap]', '[tables.a]\nfile = "a.csv"\n[redcap]', "stands beside [redcap]"),
        ('[[labs]]\ntable = "bloods"', "[[labs]]", "'table' is missing"),
    ],
)  # fmt: skip
def test_mistakes_in_a_mapping_are_named_with_their_row(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """A mapping that does not fit the project: exit code 5, the row of the mapping, a similar word."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,2021-02-01,5,1,2,1,0,2021-02-01,2")
    how = Path(mapping(folder))
    text = how.read_text(encoding="utf-8").replace("fer =", '"fer" =')
    assert old in text
    how.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        records(folder, str(how))
    assert message in error.value.line()
    assert error.value.line().startswith("mapping.toml, row ")


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    """A similar name in the folder is proposed."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    how = mapping(folder)
    (folder / "dictionary.csv").rename(folder / "dictionary_2.csv")
    assert (
        refused(folder, how)
        == "dictionary.csv: the dictionary of the export is not there. Did you mean 'dictionary_2.csv'?"
    )


def test_codes_that_are_equal_are_refused(tmp_path: Path) -> None:
    """1 and 01 are two choices for REDCap and one for a mapping: nothing is read."""
    questions = [*QUESTIONS]
    questions[4] = Question("shift", "bloods", "radio", "Shift", {"1": "AM", "01": "PM"})
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    write_dictionary(folder / "dictionary.csv", questions)
    with pytest.raises(RecordsError, match="the field 'shift' has the code '1' twice, as 1 and 01"):
        redcap.draft(folder / "data.csv", folder / "dictionary.csv")
