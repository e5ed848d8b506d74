"""What others stumble over in exports of REDCap projects, and exports that do not fit their dictionary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from becalm.core.errors import BecalmError, DefinitionError, RecordsError
from becalm.records import Records, open_records, redcap
from tests.sources.redcap_storms import Question, write_dictionary

QUESTIONS = (
    Question("record_id", "persons", "text", "Record ID"),
    Question("sex", "persons", "radio", "Sex", {"0": "Female", "1": "Male"}),
    Question("drawn", "bloods", "text", "Sample collected", validation="date_ymd"),
    Question("fer", "bloods", "text", "Ferritin (ng/mL)", validation="number"),
    Question("shift", "bloods", "radio", "Shift", {"1": "AM", "2": "PM"}),
    Question("signs", "exam", "checkbox", "Signs", {"1": "splenomegaly", "-1": "hepatomegaly"}),
    Question("seen", "exam", "text", "Date of visit", validation="date_ymd"),
)
HEADER = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,persons_complete,"
    "drawn,fer,shift,bloods_complete,signs___1,signs____1,seen,exam_complete"
)


def project(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """Write an export of rows, and its dictionary."""
    write_dictionary(folder / "dictionary.csv", QUESTIONS)
    (folder / "data.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return folder


def mapping(folder: Path, **changes: str) -> str:
    """Write the draft of a mapping with some texts of it changed, and return its path."""
    text = redcap.draft(folder / "data.csv", folder / "dictionary.csv")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "mapping.toml").write_text(text, encoding="utf-8")
    return str(folder / "mapping.toml")


def changed(folder: Path, old: str, new: str) -> str:
    path = Path(mapping(folder))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(path)


def records(folder: Path, how: str | None = None) -> Records:
    (chunk,) = open_records(str(folder), mapping=how or mapping(folder)).chunks()
    return chunk


def ferritin(chunk: Records) -> list[tuple[str, str, float]]:
    """Person, date and value of every measurement."""
    frame = chunk.measurements
    names = chunk.persons["person_id"][frame["person"]]
    days = frame["time"].astype("datetime64[us]").astype("datetime64[D]").astype(str)
    return list(zip(names.tolist(), days.tolist(), frame["value"].tolist(), strict=True))


def fates(folder: Path, how: str | None = None) -> dict[str, dict[str, int]]:
    found = redcap.fates_of(folder, how or mapping(folder))
    assert sum(found.counts().values()) == found.rows * found.columns
    return {one.column: dict(one.cells) for one in found.fields}


def refused(folder: Path, how: str | None = None) -> str:
    """Return the message for an export that is refused: one line."""
    with pytest.raises(BecalmError) as error:
        records(folder, how)
    return error.value.line()


# ------------------------------------------------------------ five known troubles


def test_an_instrument_in_several_events_is_read_in_each(tmp_path: Path) -> None:
    """Values of one field at three events are three values; the sex that only one event has is known."""
    folder = project(
        tmp_path,
        "1,start_arm_1,,,0,2,2021-02-01,900,1,2,,,,",
        "1,day_1_arm_1,,,,,2021-02-02,1200,2,2,,,,",
        "1,day_2_arm_1,,,,,2021-02-03,700,1,2,,,,",
    )
    chunk = records(folder)
    assert ferritin(chunk) == [
        ("1", "2021-02-01", 900), ("1", "2021-02-02", 1200), ("1", "2021-02-03", 700),
    ]  # fmt: skip
    assert chunk.persons["sex"].tolist() == ["F"]


def test_events_that_disagree_about_the_person_stop_the_run(tmp_path: Path) -> None:
    """Two events with different sex: which one is right nobody knows, so both rows are named."""
    folder = project(tmp_path, "1,start_arm_1,,,0,2,,,,,,,,", "1,day_1_arm_1,,,1,2,,,,,,,,")
    assert "rows 2 and 3 of data.csv have different sex for record_id '1'" in refused(folder)


def test_repeating_and_not_repeating_rows_of_one_instrument_are_both_read(tmp_path: Path) -> None:
    """Bloods are entered once at the start, and repeat later: all three are rows of the one instrument."""
    folder = project(
        tmp_path,
        "1,start_arm_1,,,1,2,2021-02-01,900,1,2,0,0,,0",
        "1,ward_arm_1,bloods,1,,,2021-02-02,1200,2,2,,,,",
        "1,ward_arm_1,bloods,2,,,2021-02-03,700,1,2,,,,",
        "2,start_arm_1,,,0,2,,,,0,0,0,,0",
    )
    chunk = records(folder)
    assert [value for *_, value in ferritin(chunk)] == [900, 1200, 700]
    assert chunk.persons["person_id"].tolist() == ["1", "2"]


def test_a_value_in_a_row_of_another_instrument_is_not_read(tmp_path: Path) -> None:
    """A row that repeats bloods cannot have a sex; the cell is counted as not understood, and named."""
    folder = project(
        tmp_path, "1,start_arm_1,,,,0,,,,0,,,,", "1,start_arm_1,bloods,1,1,,2021-02-02,5,1,2,,,,"
    )
    how = mapping(folder)
    found = redcap.fates_of(folder, how)
    assert [(one.row, one.column, one.used) for one in found.unexplained] == [(3, "sex", False)]
    assert "first in row 3, column sex" in found.sentence()
    assert records(folder, how).persons["sex"].tolist() == [""]


def test_an_empty_repeating_instance_is_no_row(tmp_path: Path) -> None:
    """An instance that was opened and left empty gives nothing, even where the mapping adds a fixed text."""
    folder = project(
        tmp_path,
        "1,start_arm_1,,,1,2,,,,,,,,",
        "1,start_arm_1,exam,1,,,,,,,1,0,2021-02-02,2",
        "1,start_arm_1,exam,2,,,,,,,0,0,,0",
    )
    how = Path(mapping(folder))
    more = '\n[[procedures]]\ntable = "exam"\nname = { always = "ventilation" }\n'
    how.write_text(how.read_text(encoding="utf-8") + more, encoding="utf-8")
    chunk = records(folder, str(how))
    assert len(chunk.findings) == 1
    assert len(chunk.procedures) == 1
    assert fates(folder, str(how))["signs___1"] == {"used": 1, "not of this row": 2}


def test_boxes_of_a_checkbox_field_are_read_by_their_codes(tmp_path: Path) -> None:
    """`signs____1` is the box of code -1, not of 1; a box that is not ticked is unknown and never no."""
    folder = project(tmp_path, "1,a_arm_1,,,0,2,,,,,0,1,2021-02-02,2")
    chunk = records(folder)
    assert chunk.findings["finding"].tolist() == ["hepatomegaly"]
    assert chunk.findings["present"].tolist() == ["yes"]
    assert fates(folder)["signs___1"] == {"not ticked": 1}


@pytest.mark.parametrize(
    ("cells", "present"),
    [
        ("0,1,2021-02-02,0", {"splenomegaly": "no", "hepatomegaly": "yes"}),
        ("0,0,2021-02-02,2", {"splenomegaly": "no", "hepatomegaly": "no"}),
        ("0,0,2021-02-02,1", {}),
        ("0,0,2021-02-02,0", {}),
    ],
    ids=["another is ticked", "complete", "unverified", "incomplete"],
)
def test_a_box_that_is_not_ticked_is_no_only_where_the_question_was_answered(
    tmp_path: Path, cells: str, present: dict[str, str]
) -> None:
    """Where the mapping says that 0 is no, it counts beside a ticked box and in a form marked Complete."""
    folder = project(tmp_path, f"1,a_arm_1,,,0,2,,,,,{cells}")
    chunk = records(folder, changed(folder, '"0" = ""', '"0" = "no"'))
    found = zip(chunk.findings["finding"].tolist(), chunk.findings["present"].tolist(), strict=True)
    assert dict(found) == present


def test_codes_for_missing_are_no_values(tmp_path: Path) -> None:
    """-99 and -98 in a number, a date and a choice are missing, not values, not times and not mistakes."""
    folder = project(
        tmp_path,
        "1,a_arm_1,,,0,2,2021-02-01,-99,-98,2,,,,",
        "2,a_arm_1,,,-99,2,-98,500,1,2,,,,",
        "3,a_arm_1,,,1,2,2021-02-01,500,1,2,,,,",
    )
    how = mapping(folder)
    assert 'missing = { "-98" = "", "-99" = "" }' in Path(how).read_text(encoding="utf-8")
    source = open_records(str(folder), mapping=how)
    (chunk,) = source.chunks()
    assert ferritin(chunk) == [("3", "2021-02-01", 500)]
    assert [(each.reason, each.rows) for each in source.refused()] == [("time missing", 1)]
    assert chunk.persons["sex"].tolist() == ["F", "", "M"]
    found = fates(folder, how)
    assert found["fer"] == {"missing code": 1, "used": 2}
    assert found["sex"] == {"missing code": 1, "used": 2}
    assert found["shift"]["missing code"] == 1


def test_a_choice_that_is_called_like_a_code_for_missing_stays_a_choice(tmp_path: Path) -> None:
    """Where the field itself has -99 as a choice, the mapping says what it means, not the list of missing codes."""
    questions = [*QUESTIONS]
    questions[1] = Question("sex", "persons", "radio", "Sex", {"0": "Female", "-99": "Male"})
    folder = project(
        tmp_path, "1,a_arm_1,,,-99,2,2021-02-01,-99,1,2,,,,", "2,a_arm_1,,,0,2,,,,,,,,"
    )
    write_dictionary(folder / "dictionary.csv", questions)
    assert records(folder).persons["sex"].tolist() == ["M", "F"]


def test_a_box_for_missing_makes_the_other_boxes_unknown(tmp_path: Path) -> None:
    """`signs____99` ticked: nobody knows the signs, also where the mapping reads 0 as no and the form is Complete."""
    header = HEADER.replace("signs____1", "signs____1,signs____99")
    folder = project(tmp_path, "1,a_arm_1,,,0,2,,,,,0,0,1,2021-02-02,2", header=header)
    how = changed(folder, '"0" = ""', '"0" = "no"')
    assert len(records(folder, how).findings) == 0
    assert fates(folder, how)["signs____99"] == {"missing code": 1}


# ------------------------------------------------------------ codes, labels, titles


def test_a_cell_that_is_no_choice_is_counted_and_kept(tmp_path: Path) -> None:
    """An orphaned code of a field that is not used is listed; of a field that is used, the sheet decides: it stops."""
    folder = project(tmp_path, "1,a_arm_1,,,0,2,2021-02-01,10,7,2,,,,")
    found = redcap.fates_of(folder, mapping(folder))
    assert [(one.row, one.column, one.text, one.why) for one in found.unexplained] == [
        (2, "shift", "7", "not one of the choices of the dictionary")
    ]
    folder = project(tmp_path, "1,a_arm_1,,,7,2,2021-02-01,10,1,2,,,,")
    assert refused(folder).startswith(
        "data.csv, row 2, column record_id (sex of persons): '7' is not one of the list"
    )


def test_labels_that_two_fields_have_are_told_apart_by_their_order(tmp_path: Path) -> None:
    """A full export with labels is unique; one in which a label may be either field is refused."""
    questions = (
        *QUESTIONS[:3],
        Question("other", "second", "text", "Sample collected", validation="date_ymd"),
    )
    write_dictionary(tmp_path / "dictionary.csv", questions)
    data = tmp_path / "data.csv"
    header = "Record ID,Sex,Complete?,Sample collected,Complete?,Sample collected,Complete?\n"
    data.write_text(header + "1,Female,Complete,2021-02-01,Complete,2021-03-01,Complete\n")
    found = fates(tmp_path)
    assert found["drawn"] == found["other"] == {"not used by the mapping": 1}
    data.write_text("Record ID,Sample collected\n1,2021-02-01\n")
    with pytest.raises(RecordsError, match="may be drawn or other: they have one label"):
        redcap.draft(data, tmp_path / "dictionary.csv")


def test_a_mapping_serves_raw_and_labelled_exports_of_one_project(tmp_path: Path) -> None:
    """The words of a mapping are codes; labels are read as the codes that the dictionary gives them."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,2021-02-01,10,1,2,,,,")
    how = mapping(folder)
    raw = records(folder, how)
    titles = (
        "Record ID,Event Name,Repeat Instrument,Repeat Instance,Sex,Complete?,Sample collected,"
        "Ferritin (ng/mL),Shift,Complete?,Signs (choice=splenomegaly),Signs (choice=hepatomegaly),"
        "Date of visit,Complete?"
    )
    project(folder, "1,A,,,Male,Complete,2021-02-01,10,AM,Complete,,,,", header=titles)
    labelled = records(folder, how)
    assert labelled.persons["sex"].tolist() == raw.persons["sex"].tolist() == ["M"]
    assert ferritin(labelled) == ferritin(raw)


def test_codes_that_are_labels_of_other_codes_must_be_stated(tmp_path: Path) -> None:
    """1 is the label of code 2 and 2 that of code 1: nobody can tell, so the mapping must."""
    questions = [*QUESTIONS[:3]]
    questions[1] = Question("sex", "persons", "radio", "Sex", {"1": "2", "2": "1"})
    write_dictionary(tmp_path / "dictionary.csv", questions)
    (tmp_path / "data.csv").write_text("record_id,sex\n1,2\n")
    with pytest.raises(
        RecordsError, match="'2' is the code of one choice and the label of another"
    ) as error:
        redcap.draft(tmp_path / "data.csv", tmp_path / "dictionary.csv")
    assert "data.csv, row 2, column sex" in error.value.line()


def test_an_export_of_labels_does_not_pass_for_codes(tmp_path: Path) -> None:
    """Where the mapping says raw and the cells are labels, the run stops with an example."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,,,,,,,,")
    how = changed(folder, 'record_id = "record_id"', 'record_id = "record_id"\nvalues = "raw"')
    project(folder, "1,a_arm_1,,,Male,2,,,,,,,,")
    assert (
        "the cells of choices are labels, such as 'Male' (data.csv, row 2, column sex)"
        in refused(folder, how)
    )
    project(folder, "1,a_arm_1,,,Male,2,,,,,,,,", "2,a_arm_1,,,0,2,,,,,,,,")
    with pytest.raises(
        RecordsError, match=r"some cells of choices are codes, such as '0' .*others labels"
    ):
        redcap.draft(folder / "data.csv", folder / "dictionary.csv")


# ------------------------------------------------------------ what does not fit


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


def test_every_value_leads_back_to_its_cell(tmp_path: Path) -> None:
    """`source_row` of a value names the export, its column and its row."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,2021-02-01,5,1,2,,,,")
    chunk = records(folder)
    assert chunk.kinds[int(chunk.measurements["kind"][0])].table == "data[fer]"
    assert chunk.measurements["key"].tolist() == [2]
    assert np.isfinite(chunk.measurements["value"]).all()
