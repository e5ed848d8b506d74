"""Every column is declared once: kind, unit, meaning, and whether it counts persons."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from becalm import tables
from becalm.tables.schema import Column, Table, number, text

ROOT = Path(__file__).parents[3]
NUMBERS = {"number", "count"}
OF_THE_TABLE = {
    "class", "clock", "day", "end", "first", "last", "n", "onset", "reason", "rows", "start", "status", "time", "unit", "value",
    "variable",
}  # fmt: skip
"""Names of columns whose meaning differs from table to table."""
COLUMNS = [
    pytest.param(table, name, column, id=f"{table.name}.{name}")
    for table in tables.TABLES.values()
    for name, column in table.columns.items()
]


@pytest.mark.parametrize(("table", "name", "column"), COLUMNS)
def test_every_number_has_a_unit_and_every_column_a_meaning(
    table: Table, name: str, column: Column
) -> None:
    """A unit stands in the dictionary for every number; where it varies, it names a column that is there."""
    assert bool(column.unit) == (column.kind in NUMBERS)
    assert column.meaning.endswith((".", "`."))
    assert column.meaning[0].isupper() or " " in column.meaning
    for other in re.findall(r"`(\w+)`", column.unit):
        assert other in table.columns
    assert not column.counts_persons or column.kind == "count"


@pytest.mark.parametrize("table", tables.TABLES.values(), ids=lambda table: str(table.name))
def test_a_table_says_what_it_is_and_is_sorted_by_columns_it_has(table: Table) -> None:
    assert table.meaning.endswith(".")
    assert table.row
    assert set(table.key) <= set(table.columns)
    assert next(iter(table)) == "person_id" or "person_id" not in table or table.name == "rows"


def test_the_dictionary_has_every_written_column_in_its_order() -> None:
    found = tables.dictionary(tables.WRITTEN.values())
    rows = [(row["table"], row["column"]) for row in found.rows()]
    assert rows == [(t.name, name) for _, t in sorted(tables.WRITTEN.items()) for name in t]
    counting = {(r["table"], r["column"]) for r in found.rows() if r["counts_persons"]}
    assert counting == {
        ("analysis_results", "n"), ("attrition", "persons"), ("attrition", "stays"), ("attrition", "undetermined"), ("not_understood", "persons_with"),
        *(("without_drug", name) for name in (
            "with_index", "known", "yes", "no_sample", "died_before", "discharged_before", "women", "died_persons",
            "with_immunotherapy",
        )),
        ("incidence", "still_at_risk"), ("incidence", "had_event"),
        ("event_rates", "persons_at_risk"), ("event_rates", "persons_unknown"), ("event_rates", "events"), ("event_rates", "events_possible"),
        *(("composite_counts", name) for name in ("analysed", "met", "not_met", "died_first", "unknown")),
        *(("judgement_agreement", name) for name in ("answered_by_both", "agreed", "decided", "decided_agreed")),
        *(("definition_accuracy", name) for name in (
            "right", "concerned", "open", "lowest_right", "lowest_counted", "highest_right", "highest_counted",
            "cannot_tell", "not_assessed", "not_judged",
        )),
    }  # fmt: skip


def test_two_tables_of_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever adds a file learns at once that its table's name is taken."""
    from becalm.tables import registry, schema

    twin = Table("fever", "Another.", "day", {"day": text("The day."), "x": number("h", "Hours.")})
    monkeypatch.setattr(schema, "TWIN", twin, raising=False)
    with pytest.raises(ValueError, match="two tables are called 'fever'"):
        registry._declared()


def test_one_name_means_one_thing() -> None:
    """A column that has a name of another table has its kind, unit and meaning too.

    The words listed are the exception: they always need their table (the start of what, why what).
    """
    meanings: dict[str, set[Column]] = {}
    for table in tables.WRITTEN.values():
        for name, column in table.columns.items():
            meanings.setdefault(name, set()).add(column)
    assert {name for name, found in meanings.items() if len(found) > 1} == OF_THE_TABLE
    kinds = {name for name, found in meanings.items() if len({c.kind for c in found}) > 1}
    assert kinds == {"first", "last"}  # a value in `values`, a dose in `previous_therapy`


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("script_tables", ROOT / "scripts" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_and_the_page_of_tables_come_from_the_dictionary(script: Any) -> None:
    """Mend with: python scripts/tables.py."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert script.BLOCK.search(text)
    assert text == script.readme(text)
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == script.page()
