"""The template and its filled example: shipped as the script makes them, and readable."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

from becalm.core.errors import OutputError
from becalm.records.sheets.schema import SHEETS
from becalm.records.template import copy_template
from becalm.vocabulary import load
from tests.records.chart_review import differences, read_sheets, source

SHIPPED = Path(__file__).parents[2] / "src/becalm/records/sheets/template"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    _script().main(folder)
    return folder


def _script() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts/make_template.py"
    spec = importlib.util.spec_from_file_location("make_template", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _content(path: Path) -> dict[str, Any]:
    """Return what a workbook holds: cells with their formats, and drop-downs."""
    from openpyxl import load_workbook

    return {
        tab.title: (
            [[(cell.value, cell.number_format) for cell in row] for row in tab.iter_rows()],
            sorted((str(v.sqref), v.formula1) for v in tab.data_validations.dataValidation),
        )
        for tab in load_workbook(path)
    }


@pytest.mark.parametrize("name", ["becalm-template.xlsx", "becalm-example.xlsx"])
def test_the_shipped_workbooks_are_those_that_the_script_makes(made: Path, name: str) -> None:
    """Run scripts/make_template.py after a change of the schema or of the example."""
    assert _content(SHIPPED / name) == _content(made / name)


def test_the_shipped_csv_template_is_the_one_that_the_script_makes(made: Path) -> None:
    """Headers only, in the order of the schema."""
    for path in sorted((made / "becalm-template").iterdir()):
        assert (SHIPPED / "becalm-template" / path.name).read_text() == path.read_text()


def test_every_closed_list_has_a_drop_down_of_exactly_its_words() -> None:
    """Except causes of death, of which several may be true."""
    content = _content(SHIPPED / "becalm-template.xlsx")
    for name, schema in SHEETS.items():
        offered = {formula for _, formula in content[name][1]}
        for column in schema.columns.values():
            if column.kind == "choice":
                assert f'"{",".join(column.among)}"' in offered


@pytest.mark.parametrize("name", ["becalm-template", "becalm-template.xlsx"])
def test_the_blank_template_reads_as_no_person(name: str) -> None:
    """And every other sheet is listed as empty."""
    read = source(SHIPPED / name)
    assert len(next(read.chunks()).persons) == 0
    assert [absent.table for absent in read.absent()] == [n for n in SHEETS if n != "persons"]
    assert read.missing == ()


def test_the_example_says_the_same_as_a_workbook_and_as_csv() -> None:
    """Five persons, nothing refused, no sheet empty."""
    book, folder = source(SHIPPED / "becalm-example.xlsx"), source(SHIPPED / "becalm-example")
    assert differences(next(book.chunks()), next(folder.chunks())) == []
    assert book.info == folder.info
    assert len(next(book.chunks()).persons) == 5
    assert book.refused() == folder.refused() == ()
    assert book.absent() == ()
    assert book.notices == ()


def test_the_example_is_labelled_as_invented_wherever_a_person_appears() -> None:
    """Nobody may take these five for patients."""
    read = source(SHIPPED / "becalm-example")
    assert read.info.illustrative
    assert "INVENTED EXAMPLE" in read.info.title
    persons = (SHIPPED / "becalm-example" / "persons.csv").read_text().splitlines()[1:]
    assert len(persons) == 5
    for row in persons:
        assert row.startswith("EXAMPLE-")
        assert "INVENTED EXAMPLE, no real patient" in row


def test_every_word_of_the_example_and_of_the_suggestions_is_known() -> None:
    """Somebody who copies the example's spelling loses no row."""
    words, offered = load(), _script().SUGGESTED
    read = read_sheets(SHIPPED / "becalm-example")
    assert [kind.name for kind in read.kinds if words.resolve(kind).reason] == []
    drugs = set(read.administrations["label"])
    routes = {*read.administrations["route"], *offered["doses", "route"]}
    findings = {*read.findings["finding"], *offered["findings", "finding"]}
    procedures = {*read.procedures["name"], *offered["procedures", "name"]}
    conditions = set(read.conditions["name"])
    assert {drug for drug in drugs if words.drug_of(drug) is None} == set()
    assert {route for route in routes if not words.route_of(route)} == set()
    assert {finding for finding in findings if not words.finding_of(finding)} == set()
    assert {name for name in procedures if not words.procedures_of("", "", name)} == set()
    assert {name for name in conditions if not words.conditions_of("", "", name)} == set()


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize(("filled", "persons"), [(True, 5), (False, 0)])
def test_a_copy_can_be_read_back(
    tmp_path: Path, kind: Literal["xlsx", "csv"], filled: bool, persons: int
) -> None:
    """As a workbook or as a folder."""
    to = tmp_path / ("mine.xlsx" if kind == "xlsx" else "mine")
    assert copy_template(to, filled, kind) == to
    assert len(read_sheets(to).persons) == persons


def test_a_workbook_gets_the_ending_that_its_readers_ask_for(tmp_path: Path) -> None:
    """A spreadsheet program and becalm know a workbook by .xlsx; another ending is refused."""
    made = copy_template(tmp_path / "mine", False, "xlsx")
    assert made == tmp_path / "mine.xlsx"
    assert len(read_sheets(made).persons) == 0
    with pytest.raises(OutputError, match=r"mine\.csv does not end in \.xlsx. .*--csv"):
        copy_template(tmp_path / "mine.csv", False, "xlsx")


def test_a_workbook_may_be_copied_into_a_folder(tmp_path: Path) -> None:
    """Under its own name."""
    assert copy_template(tmp_path, True, "xlsx") == tmp_path / "becalm-example.xlsx"


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_copy_never_replaces_what_is_there(tmp_path: Path, kind: Literal["xlsx", "csv"]) -> None:
    """It might be somebody's filled-in review."""
    to = tmp_path / ("mine.xlsx" if kind == "xlsx" else "mine")
    copy_template(to, True, kind)
    with pytest.raises(OutputError, match=r"is there already.*Choose another place"):
        copy_template(to, False, kind)
    assert len(source(to).inputs()) == 10 if kind == "csv" else to.stat().st_size > 0


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Exit code 6."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        copy_template(tmp_path / "file" / "mine.xlsx", True, "xlsx")
