"""Words that are not understood: said in the page with who and when, read by every command, never lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from becalm import protocol, vocabulary
from becalm.core.errors import DefinitionError, UsageError
from becalm.records import open_records
from becalm.records.review.words import add_word
from becalm.study.run import run
from becalm.vocabulary import site_words
from tests.web.browser import Tab
from tests.web.conftest import Open, write_records
from tests.web.test_accessible import violations


def not_understood(records: Path) -> list[str]:
    result = run(open_records(str(records)), protocol.load("hyperinflammation"), "records")
    return [str(each) for each in result.tables["not_understood"]["written"].tolist()]


def test_a_word_is_said_with_the_keyboard_and_every_command_reads_it(
    opened: Callable[..., Open], browser: Tab
) -> None:
    page = opened(2)
    assert not_understood(page.records) == ["thymoblastin"]
    browser.go(page.gate.address)
    browser.until("document.activeElement.id === 'reviewer'")
    browser.type("Dr A")
    browser.key("Enter")
    browser.until("document.querySelector('#filter')")
    browser.js("document.querySelector('[data-go=words]').focus()")
    browser.key("Enter")
    browser.until("document.querySelector('form.word')")
    assert violations(browser) == []
    browser.tab_to("form.word input")
    browser.type("thymoglobuline")
    browser.until("document.querySelector('.told').textContent.includes('no drug is called')")
    browser.js("document.activeElement.select()")
    browser.type("not needed")
    browser.until("document.querySelector('.told').textContent === 'This can be saved.'")
    assert not (page.records.with_name("records.becalm") / "words.toml").exists()
    browser.key("Enter")
    browser.until("document.querySelector('.told').textContent === 'Saved: not needed'")
    text = (page.records.with_name("records.becalm") / "words.toml").read_text("utf-8")
    assert '"thymoblastin" = "not needed"  # Dr A, 20' in text
    assert not_understood(page.records) == []
    assert open_records(str(page.records)).inputs()[-1].name == "../records.becalm/words.toml"


def test_a_word_that_is_changed_stays_as_a_comment(tmp_path: Path) -> None:
    words, folder = vocabulary.load(), tmp_path / "x.becalm"
    add_word(folder, ("drug", "dex", "dexamethasone"), "A", "2024-01-02", words)
    add_word(folder, ("diagnosis", 'a "b" # c', "suspected: hlh"), "B\nx", "2024-01-03", words)
    add_word(folder, ("drug", "pred", "prednisolone"), "A", "2024-01-04", words)
    add_word(folder, ("drug", "dex", "not needed"), "B", "2024-01-05", words)
    file = folder / "words.toml"
    said = {(each.kind, each.label): each.means for each in site_words.read(file, words).words}
    assert said == {
        ("drug", "dex"): "not needed",
        ("drug", "pred"): "prednisolone",
        ("diagnosis", 'a "b" # c'): "suspected: hlh",
    }
    assert '# replaced: "dex" = "dexamethasone"  # A, 2024-01-02' in file.read_text("utf-8")


def test_a_word_that_is_none_changes_nothing(tmp_path: Path) -> None:
    words, folder = vocabulary.load(), tmp_path / "x.becalm"
    add_word(folder, ("drug", "dex", "dexamethasone"), "A", "2024-01-02", words)
    before = (folder / "words.toml").read_bytes()
    with pytest.raises(DefinitionError, match="no drug is called 'dexafoo'"):
        add_word(folder, ("drug", "dex", "dexafoo"), "A", "2024-01-02", words)
    assert (folder / "words.toml").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"words.toml", "lock"}


def test_a_word_is_only_said_of_a_name_that_is_not_understood(opened: Callable[..., Open]) -> None:
    bench = opened(2).bench
    with pytest.raises(UsageError, match="not among those"):
        bench.say_word(("drug", "ferritin", "not needed"), "A", only_check=True)


def test_a_file_of_words_that_is_broken_is_one_line(tmp_path: Path) -> None:
    records = write_records(tmp_path, 1)
    folder = tmp_path / "records.becalm"
    folder.mkdir()
    (folder / "words.toml").write_text('[drug]\n"thymoblastin" = "nothing of that name"\n')
    with pytest.raises(DefinitionError) as told:
        open_records(str(records))
    assert told.value.line().startswith("words.toml, row 2: no drug is called")
