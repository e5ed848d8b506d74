"""Projects with random fields and rows: no cell without a fate, every draft can be read, no bug."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from becalm.core.errors import BecalmError
from becalm.records import open_records, redcap
from tests.sources.redcap_patients import Row, write_csv
from tests.sources.redcap_storms import Project, Question, write_dictionary

LABELS = (
    "Ferritin (ng/mL)", "Platelets [10^9/L]", "Weight (kg)", "Splenomegaly?", "Lupus", "Anakinra (mg)", "Comment",
    "Date of visit", "Sex", "Date of birth", "Date of admission", "Date of discharge", "CRRT", "Age (years)", "Temperature (C)",
    "Test", "Result", "Unit", "Medication", "Dose", "Route", "Start date", "Specimen", "Organism", "Diagnosis", "Onset date",
    "Anakinra (mg/h)", "Died?", "Date of death",
)  # fmt: skip
ANNOTATIONS = (
    "",
    "",
    "",
    "",
    "becalm=labs.value",
    "becalm=doses.amount",
    "becalm=stays.start",
    "becalm=no.such",
)
CHOICES = (
    {"1": "Yes", "0": "No"}, {"0": "Female", "1": "Male"}, {"1": "Yes", "2": "No", "-99": "Unknown"},
    {"a": "splenomegaly", "b": "SLE", "-1": "other"}, {"1": "one", "2": "two", "3": "three"},
)  # fmt: skip
KINDS = (
    "text", "text", "text", "notes", "radio", "dropdown", "checkbox", "yesno", "truefalse", "calc", "slider",
    "file", "descriptive",
)  # fmt: skip
VALIDATIONS = (
    "", "number", "integer", "number_comma_decimal", "date_ymd", "datetime_ymd", "email", "time",
)  # fmt: skip
TEXTS = (
    "", "", "", "5", "12,5", "12.5", "-99", "-98", "-9", ">15000", "2021-02-03", "2021-02-03 10:00", "03/04/2021", "1", "0",
    "a", "Yes", "NA", "none", "haemolysed", "=1+1", "ä\nb",
)  # fmt: skip


def random_project(dice: random.Random, folder: Path) -> tuple[int, int, int, list[str]]:
    """Write a project; return rows, columns, persons, and the names of its fields."""
    questions = [Question("record_id", "form_1", "text", "Record ID")]
    for number in range(dice.randint(1, 14)):
        kind = dice.choice(KINDS)
        questions.append(
            Question(
                f"f{number}", f"form_{1 + number // 4}", kind, dice.choice(LABELS),
                dice.choice(CHOICES) if kind in {"radio", "dropdown", "checkbox"} else {},
                dice.choice(VALIDATIONS) if kind == "text" else "",
                dice.choice(ANNOTATIONS),
            )
        )  # fmt: skip
    own = ["redcap_event_name"] * dice.randint(0, 1)
    own += ["redcap_repeat_instrument", "redcap_repeat_instance"] * dice.randint(0, 1)
    own += ["redcap_data_access_group"] * dice.randint(0, 1)
    project = Project(questions, own)
    for record in range(dice.randint(0, 4)):
        for row in range(dice.randint(1, 4) if len(own) > 1 else 1):
            project.rows.append(_row(dice, project, str(record), row))
    folder.mkdir()
    write_dictionary(folder / "dictionary.csv", questions)
    names = ["record_id", *own]
    for form in project.forms():
        of_form = [q for q in questions[1:] if q.form == form and q.kind != "descriptive"]
        names += [column for q in of_form for column in q.columns()] + [f"{form}_complete"]
    cells = [[row.get(name, "") for name in names] for row in project.rows]
    write_csv(folder / "data.csv", names, cells)
    persons = len({row["record_id"] for row in project.rows})
    return len(cells), len(names), persons, [q.name for q in questions]


def _row(dice: random.Random, project: Project, record: str, number: int) -> Row:
    row = {"record_id": record, "redcap_data_access_group": dice.choice(["", "north"])}
    if "redcap_event_name" in project.own:
        row["redcap_event_name"] = f"day_{number}_arm_1"
    if "redcap_repeat_instance" in project.own and number:
        row["redcap_repeat_instance"] = str(number + 1)
        row["redcap_repeat_instrument"] = dice.choice(["", *project.forms()])
    repeated = row.get("redcap_repeat_instrument", "")
    for q in project.questions[1:]:
        if repeated in {"", q.form} or dice.random() < 0.03:
            for column in q.columns():
                right = dice.choice(["", *q.choices]) if q.choices else dice.choice(TEXTS)
                text = dice.choice(["0", "0", "1", ""]) if q.kind == "checkbox" else right
                if q.kind in {"yesno", "truefalse"}:
                    text = dice.choice(["", "0", "1", "7"])
                row[column] = text
    for form in project.forms():
        row[f"{form}_complete"] = dice.choice(["", "0", "1", "2"])
    return row


def check(seed: int, folder: Path) -> bool:
    """Draft and read one random project; return whether its records could be read."""
    dice = random.Random(seed)
    rows, columns, persons, names = random_project(dice, folder)
    files = (folder / "data.csv", folder / "dictionary.csv")
    text = redcap.draft(*files)
    mapping = folder / "mapping.toml"
    mapping.write_text(text, encoding="utf-8")
    assert [name for name in names if name not in text] == []
    found = redcap.fates_of(folder, str(mapping))
    assert sum(found.counts().values()) == rows * columns, seed
    assert (found.rows, found.columns) == (rows, columns)
    filled = {
        one.column: sum(n for fate, n in one.cells.items() if fate not in SAYS_NOTHING)
        for one in found.fields
        if one.field in names[1:] and one.column
    }
    if rows:
        assert filled == _filled(folder, names), seed
    listed = found.counts()["used as written"] + found.counts()["not understood"]
    assert listed == len(found.unexplained), seed
    try:
        (chunk,) = open_records(str(folder), mapping=str(mapping)).chunks()
    except BecalmError as error:
        assert all(line.strip() for line in error.line().splitlines())
        return False
    assert len(chunk.persons) == persons
    return True


SAYS_NOTHING = {"not ticked", "blank", "not of this row"}


def _filled(folder: Path, names: list[str]) -> dict[str, int]:
    """Count the cells of each field's column that hold something: a text, or a ticked box."""
    with (folder / "data.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counted = {}
    for column in rows[0] if rows else ():
        name, box, _ = column.partition("___")
        if name in names[1:]:
            counted[column] = sum(row[column] not in ({"", "0"} if box else {""}) for row in rows)
    return counted


@pytest.mark.parametrize("block", range(4))
def test_a_random_project_has_no_cell_without_a_fate(block: int, tmp_path: Path) -> None:
    """Twenty projects a block; most of them can be read with the draft as it is."""
    read = [check(seed, tmp_path / str(seed)) for seed in range(20 * block, 20 * block + 20)]
    assert sum(read) >= 5


@pytest.mark.long
def test_many_random_projects_have_no_cell_without_a_fate(tmp_path: Path) -> None:
    """The same, two thousand times."""
    read = [check(seed, tmp_path / str(seed)) for seed in range(2000)]
    assert sum(read) >= 500
