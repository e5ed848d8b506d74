"""An empty cell that means something by the mapping, in every kind of column, and never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.core.errors import BecalmError
from becalm.records import Records, open_records

HEAD = """
[tables.p]
file = "p.csv"
person_id = "id"
[tables.t]
file = "t.csv"
person_id = "id"
nothing = ["-99"]
[persons]
table = "p"
"""
BLOCKS = {
    "cultures.result": '[[cultures]]\ntable = "t"\nspecimen = "more"\n',
    "cultures.judged": '[[cultures]]\ntable = "t"\nspecimen = "more"\n',
    "conditions.status": '[[conditions]]\ntable = "t"\nname = { always = "HLH" }\nonset = "when"\n',
    "findings.present": '[[findings]]\ntable = "t"\nfinding = { always = "splenomegaly" }\ntime = "when"\n',
    "doses.status": '[[doses]]\ntable = "t"\ndrug = "more"\nstart = "when"\namount = { always = "1" }\namount_unit = { always = "mg" }\n',
    "doses.route": '[[doses]]\ntable = "t"\ndrug = "more"\nstart = "when"\namount = { always = "1" }\namount_unit = { always = "mg" }\n',
    "stays.destination": '[[stays]]\ntable = "t"\nstart = "when"\n',
}  # fmt: skip
MEANS = {
    "cultures.result": ("no growth", "growth"), "cultures.judged": ("contaminant", "infection"),
    "conditions.status": ("excluded", "suspected"), "findings.present": ("no", "yes"),
    "doses.status": ("not given", "ordered"), "doses.route": ("IV", "oral"), "stays.destination": ("home", "died"),
}  # fmt: skip
EMPTY = {"findings.present": "unknown"}
"""What a cell without any meaning becomes, where that is not a blank."""


def opened(folder: Path, mapping: str, cells: list[str]) -> Records:
    (folder / "p.csv").write_text("id\nA\n", encoding="utf-8")
    lines = [f"A,2020-02-{1 + at:02}T08:00,x{at},{cell}" for at, cell in enumerate(cells)]
    (folder / "t.csv").write_text("id,when,more,what\n" + "\n".join(lines) + "\n", "utf-8")
    (folder / "m.toml").write_text(HEAD + mapping, encoding="utf-8")
    (chunk,) = open_records(str(folder), mapping=str(folder / "m.toml")).chunks()
    return chunk


def read(folder: Path, column: str, cells: list[str], words: str) -> list[str]:
    table, _, name = column.partition(".")
    key = {"destination": "to"}.get(name, name)
    mapping = f'{BLOCKS[column]}{key} = {{ column = "what", {words} }}\n'
    frame = getattr(opened(folder, mapping, cells), {"doses": "administrations"}.get(table, table))
    order = {"stays": "start", "conditions": "onset", "findings": "time", "doses": "start"}
    by = order.get(table)
    said = frame[name].tolist()
    return [x for _, x in sorted(zip(frame[by].tolist(), said, strict=True))] if by else said


@pytest.mark.parametrize("column", sorted(BLOCKS))
def test_an_empty_cell_is_the_word_that_the_mapping_says(tmp_path: Path, column: str) -> None:
    """Empty and of spaces alone; a text that means no value stays blank, and another text is itself."""
    empty, other = MEANS[column]
    words = f'words = {{ "" = "{empty}" }}'
    cells = ["", "  ", other, "-99", ""]
    assert read(tmp_path, column, cells, words) == [
        empty, empty, other, EMPTY.get(column, ""), empty,
    ]  # fmt: skip


@pytest.mark.parametrize("column", sorted(BLOCKS))
def test_an_empty_cell_without_a_word_means_nothing(tmp_path: Path, column: str) -> None:
    """Words for other texts leave an empty cell as it is."""
    empty, other = MEANS[column]
    words = f'words = {{ "X" = "{empty}" }}'
    assert read(tmp_path, column, ["", "x", other], words) == [EMPTY.get(column, ""), empty, other]


@given(st.lists(st.sampled_from(["", " ", "X", "-99", "growth"]), min_size=1, max_size=8))
def test_any_order_of_cells_gives_the_same_meaning_each(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    """Each cell is read by itself: what stands above or below it changes nothing."""
    meaning = {"": "no growth", " ": "no growth", "X": "detected", "-99": "", "growth": "growth"}
    words = 'words = { "" = "no growth", X = "detected" }'
    folder = tmp_path_factory.mktemp("cells")
    assert sorted(read(folder, "cultures.result", cells, words)) == sorted(
        meaning[cell] for cell in cells
    )


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ('{ column = "what", carry_down = true, words = { "" = "growth" } }', "cannot be both"),
        ('{ always = "growth", words = { "" = "growth" } }', "has no effect without a column"),
        ('{ column = "what", words = { "" = "grown?" } }', "is not one of the list"),
        ('{ column = "what", words = { "" = "growth", " " = "no growth" } }', "is there twice"),
        ('{ column = "what", words = { "" = ["growth"] } }', "needs a text"),
    ],
)
def test_a_word_for_an_empty_cell_that_cannot_be_meant_is_refused(
    tmp_path: Path, cell: str, says: str
) -> None:
    """When the mapping is read, not in silence."""
    with pytest.raises(BecalmError, match=says):
        opened(tmp_path, f"{BLOCKS['cultures.result']}result = {cell}\n", ["growth"])
