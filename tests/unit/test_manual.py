"""The manual is written from definitions and tests, and every test says its rule."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from becalm.definitions import load, shipped

ROOT: Final = Path(__file__).parents[2]
CHAPTERS: Final = sorted((ROOT / "tests" / "spec").glob("test_*.py"))


@pytest.fixture(scope="module")
def manual() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts" / "manual"))
    try:
        return importlib.import_module("pages")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def pages(manual: ModuleType) -> dict[str, str]:
    found: dict[str, str] = manual.render()
    return found


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_test_of_a_chapter_says_its_rule(manual: ModuleType, chapter: Path) -> None:
    assert manual.chapters.without_sentence(chapter) == []


def test_every_chapter_and_every_definition_has_a_page(pages: dict[str, str]) -> None:
    chapters = {f"{path.stem.removeprefix('test_')}.md" for path in CHAPTERS}
    assert chapters | {f"{name}.md" for name in shipped()} | {"index.md"} == set(pages)
    assert all(f"]({name})" in pages["index.md"] for name in pages if name != "index.md")


@pytest.mark.parametrize("name", shipped())
def test_a_definitions_page_has_every_number_with_its_source(
    pages: dict[str, str], name: str
) -> None:
    page, definition = pages[f"{name}.md"], load(name)
    assert definition.cut_off_source in page
    for item in definition.items:
        assert f"**{item.title or item.key.replace('_', ' ')}**" in page
        assert item.source.replace("|", "\\|") in page
        for band in item.scale if item.coefficient is None else ():
            assert f"| {band.points:g} |" in page
    assert page.count("**not yet checked**") >= sum(not item.verified for item in definition.items)
    assert all(each.source.replace("|", "\\|") in page for each in definition.examples)


def test_the_chapter_on_hscore_can_be_checked_against_the_paper(pages: dict[str, str]) -> None:
    page = pages["hscore.md"]
    for row in (
        "| **Temperature**, °C | below 38.4 | 0 | highest of 24 h |",
        "|  | from 38.4 up to 39.4 | 33 |",
        "|  | above 39.4 | 49 |",
        "|  | from 2000 up to 6000 | 35 |",
        "| **Cytopenias** | 0 or 1 of these | 0 |",
        "|  | · Haemoglobin: up to 9.2 g/dL (lowest of 48 h) |",
        "| up to 90 | <1 |",
        "| 169 | 169 | 40–54 % |",
        "### One low lineage scores nothing",
        "- haemoglobin 8.0; wbc 8.0; platelets 300 → cytopenias 0",
    ):
        assert row in page, row
    assert "**184**" in page
    assert "**184 to 219**" in page
    assert "HScore" in page.splitlines()[0]
    assert "def test" not in page


def test_a_chapters_picture_and_hours_are_tables(pages: dict[str, str]) -> None:
    assert (
        "| 100 | 1200 |\n\n| at hour | expected |\n|---|---|\n| 71 | 9000 |" in pages["timeline.md"]
    )


def test_pages_of_chapters_that_are_gone_are_removed(manual: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("old")
    manual.main(tmp_path)
    assert not (tmp_path / "gone.md").exists()
    assert "hscore.md" in {path.name for path in tmp_path.iterdir()}
