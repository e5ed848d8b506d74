"""docs/definitions.md lists every key of a definition file, and its example is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from becalm.definitions import failed_examples, load, model, rules

PAGE: Final = (Path(__file__).parents[3] / "docs" / "definitions.md").read_text(encoding="utf-8")
TABLES: Final[dict[str, type[msgspec.Struct]]] = {
    "The file": model.Definition,
    "An item": model.Item,
    "A band": model.Band,
    "A threshold in another unit": model.OtherUnit,
    "A change": model.Change,
    "A rule, and a group in it": rules.Rule,
    "A grade": rules.Grade,
    "A variant": model.Variant,
    "A derivation": model.Derivation,
    "A row of probability": model.ProbabilityRow,
    "A worked example": model.Example,
}
NOT_IN_A_FILE: Final = {"notices", "resolved"}
EXAMPLE: Final = re.findall(r"^```toml my_score.toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]


def test_every_table_of_a_definition_is_on_the_page() -> None:
    """Each kind of table that a file may have stands there, and no other."""
    kinds = {
        kind
        for kind in vars(model).values()
        if isinstance(kind, type) and issubclass(kind, rules.DefinitionTable)
    }
    made = {rules.DefinitionTable, model.Resolved, rules.ItemGroup, model.Override}
    assert set(TABLES.values()) == kinds - made
    assert re.findall(r"^### (.*)$", PAGE, re.MULTILINE) == list(TABLES)


@pytest.mark.parametrize("title", TABLES)
def test_the_page_lists_exactly_the_keys_that_are_read(title: str) -> None:
    section = PAGE.split(f"### {title}\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (yes)? ?\| (.+) \|$", section, re.MULTILINE)
    fields = msgspec.structs.fields(TABLES[title])
    assert sorted((key, bool(must)) for key, must, _ in rows) == sorted(
        (field.encode_name, field.required)
        for field in fields
        if field.encode_name not in NOT_IN_A_FILE
    )


def test_the_example_of_the_page_is_a_definition(tmp_path: Path) -> None:
    """It is read and its worked example is right; a wrong total in it is found."""
    file = tmp_path / "my_score.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    assert [item.key for item in load(str(file)).items] == ["ferritin", "platelets"]
    assert failed_examples(load(str(file))) == []
    file.write_text(EXAMPLE.replace("total = 2", "total = 1"), encoding="utf-8")
    (said,) = failed_examples(load(str(file)))
    assert "total" in said
