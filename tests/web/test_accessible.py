"""The page for everybody: a well-kept checker finds nothing, keys reach everything, a narrow window holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.web.browser import Tab
from tests.web.conftest import Open

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = '{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}'


@pytest.fixture
def page(opened: Callable[..., Open], browser: Tab) -> Iterator[tuple[Open, Tab]]:
    """A page of two patients, at its start."""
    found = opened(2)
    browser.go(found.gate.address)
    browser.until("document.querySelector('#reviewer')")
    yield found, browser


def views(browser: Tab) -> Iterator[str]:
    """Go through the views of the page, with the keyboard."""
    yield "start"
    browser.type("Dr A")
    browser.key("Enter")
    browser.until("document.querySelector('#filter')")
    yield "list"
    browser.tab_to("button.open")
    browser.key("Enter")
    browser.until("document.querySelector('.ask')")
    yield "patient"
    browser.key("1")
    browser.until("document.querySelector('#status').textContent")
    yield "answered"
    browser.tab_to("[data-go=words]")
    browser.key("Enter")
    browser.until("document.querySelector('form.word')")
    yield "words"
    browser.tab_to("form.word input")
    browser.type("nothing of that name")
    browser.until("document.querySelector('.told').textContent.includes('is called')")
    yield "a word that is wrong"
    browser.tab_to("[data-go=entry]")
    browser.key("Enter")
    browser.until("document.querySelector('#choose')")
    yield "entry"
    browser.tab_to("#whose")
    browser.type("SECRET-01")
    browser.key("Enter")
    browser.until("document.querySelector('[data-edit]')")
    yield "rows"
    browser.tab_to("[data-edit]")
    browser.key("Enter")
    browser.until("document.querySelector('#row').dataset.row")
    browser.tab_to("#c-value")
    browser.js("document.activeElement.select()")
    browser.type("seven")
    browser.until("document.querySelector('#checks').textContent.includes('not a number')")
    yield "a cell that is wrong"
    browser.tab_to("#name")
    browser.type("../away")
    browser.key("Enter")
    browser.until("document.querySelector('#wrong').textContent.includes('without a folder')")
    yield "a name that is wrong"


def violations(browser: Tab) -> list[tuple[str, Any]]:
    """Return what axe finds: the rule, and where."""
    browser.js(AXE)
    found = browser.js(f"axe.run({RULES})")
    return [
        (each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]
    ]


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_in_any_view(page: tuple[Open, Tab], width: int) -> None:
    """WCAG 2.1 A and AA, contrast included."""
    _, browser = page
    browser.size(width)
    for view in views(browser):
        assert violations(browser) == [], view


def test_nothing_is_wider_than_a_window_of_320_pixels(page: tuple[Open, Tab]) -> None:
    """What is wider, a figure or a table, scrolls within itself and can be reached with Tab."""
    _, browser = page
    browser.size(320, 640)
    for view in views(browser):
        assert browser.js("document.documentElement.scrollWidth <= innerWidth"), view
        assert browser.js("[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)")


def test_a_mark_of_the_figure_opens_its_row(page: tuple[Open, Tab]) -> None:
    """And every mark has one."""
    _, browser = page
    for view in views(browser):
        if view == "patient":
            break
    links = "[...document.querySelectorAll('svg a')].map(a => a.getAttribute('href').slice(1))"
    assert browser.js(f"{links}.length > 8 && {links}.every(id => document.getElementById(id))")
    browser.tab_to("svg a")
    first = browser.js("document.activeElement.getAttribute('aria-label')")
    browser.key("ArrowRight")
    second = browser.js("document.activeElement.getAttribute('aria-label')")
    assert first.startswith("Day ")
    assert second not in {None, first}
    browser.key("Enter")
    assert browser.js("document.activeElement.matches('tr.opened')")
    assert browser.js("document.activeElement.textContent.includes('labs:')")
    browser.key("Escape")
    assert browser.js("document.activeElement.getAttribute('aria-label')") == second


def test_the_policy_of_contents_is_kept_by_the_page_itself(page: tuple[Open, Tab]) -> None:
    """No style, script or picture of the page is stopped by it, and a foreign one would be."""
    _, browser = page
    for _ in views(browser):
        assert [text for text in browser.console if "409" not in text] == []
    browser.js(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\">')"
    )
    browser.js("new Promise(done => setTimeout(done, 50))")
    assert any("Content Security Policy" in text for text in browser.console), browser.console


def test_a_second_tab_is_refused(page: tuple[Open, Tab]) -> None:
    """The token is spent and the key is of the first tab; a reload of that goes on."""
    found, browser = page
    browser.send("Page.reload")
    browser.until("document.querySelector('#reviewer')")
    browser.js("sessionStorage.clear()")  # what another tab has: nothing
    browser.go(f"http://127.0.0.1:{found.gate.port}/")
    browser.until(
        "document.querySelector('#refused') && !document.querySelector('#refused').hidden"
    )
    assert not browser.js("document.body.innerText.includes('SECRET')")


def test_the_answer_is_on_the_disk_before_it_is_confirmed(
    page: tuple[Open, Tab], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A disk that is full says so; the page shows the line and no answer."""
    found, browser = page
    for view in views(browser):
        if view == "patient":
            break

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("becalm.records.review.log.os.fsync", full)
    browser.key("2")
    browser.until("document.querySelector('#wrong').textContent")
    assert "nothing was saved" in browser.js("document.querySelector('#wrong').textContent")
    assert not browser.js("document.querySelector('[aria-pressed=true]')")
    assert not browser.js("document.querySelector('#status').textContent")
    del found, tmp_path
