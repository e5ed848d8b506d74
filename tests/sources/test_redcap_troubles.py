"""What others stumble over in exports of REDCap projects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from becalm.core.errors import RecordsError
from becalm.records import open_records, redcap
from tests.sources.redcap_project import (
    HEADER,
    QUESTIONS,
    changed,
    fates,
    ferritin,
    mapping,
    project,
    records,
    refused,
)
from tests.sources.redcap_storms import Question, write_dictionary

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
    (told,) = open_records(str(folder), mapping=how).refused()
    assert (told.source_table, told.variable, told.rows, told.example) == (
        "data",
        "sex",
        1,
        "data:3 1",
    )


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
        "data.csv, row 2, column sex of persons, looked up by record_id: '7' is not one of the list"
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


def test_every_value_leads_back_to_its_cell(tmp_path: Path) -> None:
    """`source_row` of a value names the export, its column and its row."""
    folder = project(tmp_path, "1,a_arm_1,,,1,2,2021-02-01,5,1,2,,,,")
    chunk = records(folder)
    assert chunk.kinds[int(chunk.measurements["kind"][0])].table == "data[fer]"
    assert chunk.measurements["key"].tolist() == [2]
    assert np.isfinite(chunk.measurements["value"]).all()


def test_labels_of_events_are_read_as_their_unique_names(tmp_path: Path) -> None:
    """With the table of events a mapping that names events serves labelled exports too, each arm its own."""
    folder = project(
        tmp_path,
        "1,day_1_arm_1,,,1,2,2021-02-01,5,1,2,,,,",
        "2,day_1_arm_2,,,1,2,2021-02-01,6,1,2,,,,",
    )
    events = "event_name,arm_num,unique_event_name\nDay 1,1,day_1_arm_1\nDay 1,2,day_1_arm_2\nEnd,2,end_arm_2\n"
    (folder / "event.csv").write_text(events)
    text = redcap.draft(folder / "data.csv", folder / "dictionary.csv", folder / "event.csv")
    only = '[[labs]]\ntable = "bloods"\nwhere = { redcap_event_name = "day_1_arm_2" }'
    (folder / "mapping.toml").write_text(text.replace('[[labs]]\ntable = "bloods"', only))
    how = str(folder / "mapping.toml")
    assert [value for *_, value in ferritin(records(folder, how))] == [6]
    assert fates(folder, how)["fer"] == {"left out by the mapping": 1, "used": 1}
    project(
        folder, "1,Day 1 (Arm 1: Drug A),,,1,2,2021-02-01,5,1,2,,,,",
        "2,Day 1 (Arm 2: Drug B),,,1,2,2021-02-01,6,1,2,,,,", "2,End,,,,,2021-02-09,7,1,2,,,,",
    )  # fmt: skip
    assert [value for *_, value in ferritin(records(folder, how))] == [6]
    (folder / "event.csv").write_text("event_name,arm_num\nDay 1,1\n")
    assert refused(folder, how).startswith("event.csv, row 1: is not a table of events of REDCap")


@pytest.mark.parametrize("event", ["", "stay_arm_1"], ids=["no events", "events"])
def test_a_date_of_the_record_does_not_date_what_repeats(tmp_path: Path, event: str) -> None:
    """Ten results of an instrument without a date are not all of the day of the visit in another form."""
    questions = (*QUESTIONS[:2], QUESTIONS[3], QUESTIONS[6])
    write_dictionary(tmp_path / "dictionary.csv", questions)
    data = tmp_path / "data.csv"
    name, cell = (",redcap_event_name", f",{event}") if event else ("", "")
    data.write_text(
        f"record_id{name},redcap_repeat_instrument,redcap_repeat_instance,sex,fer,seen\n"
        f"1{cell},,,0,,2021-02-01\n1{cell},bloods,1,,500,\n1{cell},bloods,2,,600,\n"
    )
    text = redcap.draft(data, tmp_path / "dictionary.csv")
    assert "[[labs]]" not in text
    assert 'fer: "Ferritin (ng/mL)" (labs.value (ferritin, ng/mL), but no date says when)' in text


def test_a_text_that_identifies_a_person_is_not_shown(tmp_path: Path) -> None:
    """A cell of an identifier that the dictionary does not explain is listed without its text."""
    header = "field_name,form_name,field_type,field_label,text_validation_type_or_show_slider_number,identifier\n"
    (tmp_path / "dictionary.csv").write_text(
        header + "record_id,p,text,R,,\nborn,p,text,Date of birth,date_ymd,y\n"
    )
    (tmp_path / "data.csv").write_text("record_id,born\n1,born in May\n")
    text = redcap.draft(tmp_path / "data.csv", tmp_path / "dictionary.csv")
    (tmp_path / "mapping.toml").write_text(text)
    found = redcap.fates_of(tmp_path, str(tmp_path / "mapping.toml"))
    assert [one.text for one in found.unexplained] == ["(not shown: the field identifies a person)"]
    assert "May" not in found.sentence()


def test_a_decimal_mark_is_the_one_of_the_field(tmp_path: Path) -> None:
    """1,540 is 1.54 in a field with a decimal comma, and 1.540 is 1.54 in one with a point; nothing else decides."""
    questions = [*QUESTIONS[:4]]
    questions[3] = Question(
        "fer", "bloods", "text", "Ferritin (ng/mL)", validation="number_2dp_comma_decimal"
    )
    folder = project(tmp_path, header="record_id,sex,drawn,fer")
    write_dictionary(folder / "dictionary.csv", questions)
    (folder / "data.csv").write_text('record_id,sex,drawn,fer\n1,0,2021-02-01,"1,540"\n')
    assert [value for *_, value in ferritin(records(folder))] == [1.54]
    questions[3] = QUESTIONS[3]
    write_dictionary(folder / "dictionary.csv", questions)
    (folder / "data.csv").write_text("record_id,sex,drawn,fer\n1,0,2021-02-01,1.540\n")
    assert [value for *_, value in ferritin(records(folder))] == [1.54]


def test_tests_that_becalm_does_not_know_are_said_in_the_draft(tmp_path: Path) -> None:
    """Of a list of tests the known ones are named; the others get no name, are told, and their rows are refused."""
    tests = {"1": "Ferritin (ng/mL)", "2": "Zonulin"}
    questions = (
        QUESTIONS[0],
        Question("test", "labs", "dropdown", "Test", tests),
        Question("result", "labs", "text", "Result"),
        Question("unit", "labs", "text", "Unit"),
        Question("on", "labs", "text", "Date", validation="date_ymd"),
    )
    write_dictionary(tmp_path / "dictionary.csv", questions)
    (tmp_path / "data.csv").write_text(
        "record_id,redcap_repeat_instrument,redcap_repeat_instance,test,result,unit,on\n"
        "1,labs,1,1,900,ng/mL,2021-02-01\n1,labs,2,2,77,pg/mL,2021-02-01\n"
    )
    how = mapping(tmp_path)
    text = Path(how).read_text(encoding="utf-8")
    assert 'words = { "1" = "ferritin", "2" = "" }' in text
    assert "drafted from the label 'Test'; no test that becalm knows: Zonulin" in text
    source = open_records(str(tmp_path), mapping=how)
    (chunk,) = source.chunks()
    assert ferritin(chunk) == [("1", "2021-02-01", 900)]
    assert [(each.reason, each.example) for each in source.refused()] == [
        ("name and loinc missing", "data:3 77")
    ]
    assert fates(tmp_path, how)["test"] == {"used": 1, "no meaning in the mapping": 1}


def test_a_choice_that_cannot_stand_in_its_column_is_left_to_the_person(tmp_path: Path) -> None:
    """A drug that is nearly a known one, and an annotation that does not fit: the draft says why, and can be read."""
    questions = (
        QUESTIONS[0],
        Question("med", "drugs", "radio", "Medication", {"1": "anakinra", "2": "prednisonne"}),
        Question("dose", "drugs", "text", "Dose", validation="number"),
        Question("when", "other", "radio", "When", {"1": "early"}, annotation="becalm=stays.start"),
    )
    write_dictionary(tmp_path / "dictionary.csv", questions)
    (tmp_path / "data.csv").write_text("record_id,med,dose,when\n1,2,5,1\n")
    how = mapping(tmp_path)
    text = Path(how).read_text(encoding="utf-8")
    assert (
        "doses.drug lacks a meaning for its choices: no drug is called 'prednisonne'. Did you mean"
        in text
    )
    assert (
        "stays.start lacks a meaning for its choices: start: 'early' is not a date or a time"
        in text
    )
    assert len(records(tmp_path, how).administrations) == 0
