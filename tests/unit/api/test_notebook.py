"""The front door: what a notebook does with records, on what the pipeline makes."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import becalm as bc
from becalm.api import DataTable, Study, Understood, understanding
from becalm.api.table import plain
from becalm.core.errors import BecalmError, DefinitionError, MissingExtraError, UsageError
from becalm.core.frame import Frame
from becalm.records.template import copy_template
from becalm.tables import PERSONS, TABLES, WRITTEN
from tests.records import dose, lab, sheets

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_template(tmp_path_factory.mktemp("records") / "five.xlsx", filled=True, kind="xlsx")


@pytest.fixture(scope="module")
def study(book: Path) -> Study:
    return bc.run(bc.open_records(book), protocol="hyperinflammation")


@pytest.fixture(scope="module")
def patients(book: Path) -> Understood:
    return bc.understand(bc.open_records(book))


def test_the_lines_of_the_readme_run(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who copies them sees what they say."""
    [block] = re.findall(
        r"```python\n(import becalm as bc.*?)```",
        (ROOT / "README.md").read_text("utf-8"),
        re.DOTALL,
    )
    assert len([line for line in block.splitlines() if line.strip()]) == 12
    monkeypatch.chdir(book.parent)
    names: dict[str, Any] = {}
    exec(block, names)
    assert len(names["study"]) >= 1
    assert (book.parent / "out" / "report.html").is_file()


def test_what_others_may_rely_on_is_listed_and_loaded_when_asked_for() -> None:
    """`import becalm` alone loads nothing heavy, and offers exactly these names."""
    assert sorted(bc.__all__) == [
        "BecalmError", "kidney", "markers_ahead", "open_records", "pk", "run", "score", "understand",
    ]  # fmt: skip
    assert set(bc.__all__) <= set(dir(bc))
    for name in bc.__all__:
        assert getattr(bc, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bc.nothing  # noqa: B018
    code = "import sys, becalm; print(sorted({'numpy', 'duckdb', 'msgspec', 'becalm.core'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "becalm", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("becalm, version ")


def test_a_study_says_who_how_many_which_tables_and_what_nobody_checked(study: Study) -> None:
    said = repr(study)
    assert f"{len(study)} of 5 persons" in said
    assert "hyperinflammation" in said
    assert all(name in said for name in study.tables)
    assert all(each in said for each in study.result.unverified)
    assert "not a medical device" in said
    assert "<study" not in study._repr_html_()


def test_a_table_is_what_the_command_writes(study: Study, tmp_path: Path) -> None:
    """The same rows in the same order with the same types, in Polars, pandas, Arrow and DuckDB."""
    out = study.write(tmp_path / "out")
    for name in study.tables:
        table = offered = study[name]  # noqa: F841 - DuckDB looks for it by its name
        written = pyarrow.parquet.read_table(out / "tables" / f"{name}.parquet")
        arrow = table.to_arrow()
        assert arrow.schema.names == written.schema.names, name
        assert arrow.schema.types == written.schema.types, name
        assert arrow.to_pylist() == written.to_pylist(), name
        assert polars.from_arrow(written).equals(table.to_polars()), name
        ours, theirs = duckdb.sql("SELECT * FROM offered"), duckdb.sql("SELECT * FROM written")
        assert ours is not None
        assert theirs is not None
        assert ours.fetchall() == theirs.fetchall(), name
        pandas = table.to_pandas()
        assert list(pandas.columns) == table.columns
        assert len(pandas) == len(table) == written.num_rows
        assert list(table.rows()) == written.to_pylist(), name


def test_pandas_keeps_unknown_apart_from_no(study: Study) -> None:
    persons = study["persons"].to_pandas()
    assert str(persons["age"].dtype) == "Int64"
    assert str(persons["clinician"].dtype) == "boolean"
    assert str(persons["t0"].dtype) == "datetime64[us]"


def test_an_empty_cohort_has_its_tables_all_the_same(book: Path) -> None:
    nobody = bc.run(bc.open_records(book), protocol="covid_hyperinflammation")
    assert len(nobody) == 0
    assert "0 of 5 persons" in repr(nobody)
    assert nobody["response"].to_polars().shape == (0, len(WRITTEN["response"]))
    assert json.loads(nobody.to_json())["tables"]["persons"]["rows"] == []


def test_the_dictionary_describes_a_table_or_all(study: Study) -> None:
    one = study.describe("response")
    assert one["column"] == study["response"].columns
    assert all(one["meaning"])
    assert len(study.describe()) == sum(len(table) for table in WRITTEN.values())


def test_json_is_the_same_text_twice_and_has_every_table(book: Path, study: Study) -> None:
    again = bc.run(bc.open_records(book), protocol="hyperinflammation")
    assert again.to_json() == study.to_json()
    document = json.loads(study.to_json())
    assert set(document["tables"]) == set(TABLES)
    assert "not a medical device" in document["notice"]
    persons = document["tables"]["persons"]
    names = [column["name"] for column in persons["columns"]]
    assert [row[names.index("person_id")] for row in persons["rows"]] == study["persons"][
        "person_id"
    ]
    assert persons["rows"][0][names.index("t0")].startswith("20")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_is_not_a_number_and_none_is_infinite(value: float) -> None:
    """NaN and an open limit are not known; a minus zero is a zero."""
    found = plain("number", value)
    if not math.isfinite(value):
        assert found is None
    else:
        assert found == value
        assert math.copysign(1, found) == (1 if value == 0 else math.copysign(1, value))


@given(st.text())
def test_whatever_a_record_says_is_text_on_the_page(text: str) -> None:
    frame = Frame.of_rows(PERSONS, [{"person_id": f"<b>{text}"}])
    html = DataTable(PERSONS, frame)._repr_html_()
    assert "<b>" not in html
    assert "not a medical device" in html


def test_a_long_table_shows_its_beginning_and_how_much_more_there_is(study: Study) -> None:
    values = study["values"]
    assert f"{len(values) - 10:,} more" in repr(values)
    assert f"{len(values) - 10:,} more rows are not shown" in values._repr_html_()
    assert "more" not in repr(study["persons"]).splitlines()[-1]


def test_records_are_understood_without_a_protocol(patients: Understood) -> None:
    assert patients.ids == [f"EXAMPLE-{i}" for i in range(1, 6)]
    assert "5 persons" in repr(patients)
    ferritin = patients.values("ferritin")
    assert len(ferritin) == len(ferritin.table) > 0
    assert ferritin.unit == "ng/mL"
    assert "drug" in patients.doses.columns
    assert patients.refused.columns == list(WRITTEN["rows_refused"])


def test_a_value_stands_until_it_expires(patients: Understood) -> None:
    """At the moment of a value it is known; 72 h after the last one it no longer is."""
    ferritin = patients.values("ferritin")
    rows = [row for row in ferritin.table.rows() if row["person_id"] == "EXAMPLE-1"]
    last = rows[-1]
    held = ferritin.hold("72h")
    found = held.at("EXAMPLE-1", last["time"])
    assert found is not None
    assert found.low == last["low"]
    assert held.at("EXAMPLE-1", "1999-01-01") is None
    assert held.at("EXAMPLE-1", date(2100, 1, 1)) is None
    assert set(held.first(0)) <= set(patients.ids)
    assert len(held.table) > 0
    assert ferritin.highest("7d").at("EXAMPLE-1", last["time"]) >= found  # type: ignore[operator]
    assert ferritin.lowest("7d").at("EXAMPLE-1", last["time"]) is not None


def test_a_rate_over_time_is_in_the_drugs_unit(patients: Understood) -> None:
    rate = patients.rate("anakinra")
    assert rate.unit == "mg/h"
    assert set(rate.table["person_id"]) <= set(patients.ids)


def test_a_score_is_an_interval_and_knows_when_it_is_first_met(patients: Understood) -> None:
    hscore = bc.score(patients, "hscore")
    assert hscore.at("EXAMPLE-1", datetime(1999, 1, 1)) == (0, 337, "undetermined")
    for person, when in hscore.first(169).items():
        assert hscore.at(person, when).low >= 169
        assert hscore.at(person, when).status == "met"
    assert set(hscore.first()) == set(hscore.first(169))
    sure, perhaps = hscore.first(169), hscore.first(169, bound="high")
    assert set(sure) <= set(perhaps)
    assert all(perhaps[who] <= when for who, when in sure.items())
    assert set(hscore.table["status"]) <= {"met", "not met", "undetermined"}
    assert "cut-off 169" in repr(hscore)
    low = hscore.over_time.at("EXAMPLE-1", "1999-01-01")
    assert low is None


@pytest.mark.parametrize(
    ("ask", "kind", "hint"),
    [
        (lambda p, s: p.values("feritin"), UsageError, "ferritin"),
        (lambda p, s: p.rate("anakinr"), UsageError, "anakinra"),
        (lambda p, s: p.values("ferritin").hold("3 moons"), UsageError, "length of time"),
        (lambda p, s: p.values("ferritin").hold("72h").at("EXAMPLE-9", "2020-01-01"), UsageError, "EXAMPLE-"),
        (lambda p, s: p.values("ferritin").hold("72h").at("EXAMPLE-1", "soon"), UsageError, "2016-10-18T08:00"),
        (lambda p, s: bc.score(p, "hscor"), DefinitionError, "hscore"),
        (lambda p, s: bc.score(p, "hscore").at("nobody", "2020-01-01"), UsageError, "EXAMPLE-"),
        (lambda p, s: s["respons"], UsageError, "response"),
        (lambda p, s: s["response"]["h84"], UsageError, "h48"),
        (lambda p, s: s.describe("respons"), UsageError, "response"),
        (lambda p, s: s.write("same", release="same"), UsageError, "two folders"),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_one_line_with_the_nearest(
    ask: Any, kind: type[BecalmError], hint: str, patients: Understood, study: Study
) -> None:
    with pytest.raises(kind) as error:
        ask(patients, study)
    assert hint in error.value.line()
    assert "\n" not in error.value.line()


def test_a_protocol_and_a_path_that_are_not_there_are_refused(book: Path) -> None:
    with pytest.raises(DefinitionError, match="anakinra_mas"):
        bc.run(bc.open_records(book), protocol="anakinra")
    with pytest.raises(BecalmError, match="no such file"):
        bc.open_records(book.with_name("six.xlsx"))


def test_a_package_that_is_not_installed_is_named(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match="pip install polars") as error:
        study["persons"].to_polars()
    assert error.value.exit_code == 8


def test_many_rows_in_memory_are_said_to_be(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One warning, not one a chunk; below the bound none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bc.understand(bc.open_records(book))
    monkeypatch.setattr(understanding, "MANY_ROWS", 10)
    with pytest.warns(ResourceWarning, match="more than 10 rows") as warned:
        bc.understand(bc.open_records(book))
    assert len(warned) == 1


def test_a_notebook_says_what_a_sites_names_mean(tmp_path: Path) -> None:
    records = sheets(
        tmp_path / "records", dose("Zaubermittel", 5, amount="20 mg"), lab("ferritin", 900, 1)
    )
    words = tmp_path / "words.toml"
    words.write_text('[drug]\n"Zaubermittel" = "dexamethasone"\n', encoding="utf-8")
    opened = bc.open_records(str(records))
    assert bc.understand(opened).not_understood["written"] == ["Zaubermittel"]
    assert not bc.understand(opened, words=words).not_understood["written"]
    study = bc.run(opened, protocol="hyperinflammation", words=words)
    assert not study["not_understood"]["written"]
