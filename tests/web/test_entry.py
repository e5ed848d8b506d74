"""Rows of a chart review in the page: entered and corrected with the keyboard, checked as they are typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from becalm.records import open_records
from tests.web.browser import Tab
from tests.web.conftest import Open
from tests.web.test_accessible import violations


def test_a_row_is_corrected_and_one_entered_in_the_browser(
    opened: Callable[..., Open], browser: Tab
) -> None:
    """The checks of the command are told while it is typed; what is wrong is not saved."""
    page = opened(2)
    before = {path.name: path.read_bytes() for path in page.records.iterdir()}
    browser.go(page.gate.address)
    browser.until("document.activeElement.id === 'reviewer'")
    browser.type("Dr A")
    browser.key("Enter")
    browser.until("document.querySelector('button.open')")
    browser.tab_to("button.open")
    browser.key("Enter")
    browser.until("document.querySelector('.ask')")
    browser.js("document.querySelector('[data-go=entry]').focus()")
    browser.key("Enter")
    browser.until("document.querySelector('#choose')")
    assert browser.js("document.querySelector('#whose').value") == "SECRET-01"
    assert violations(browser) == []
    browser.tab_to("[data-edit='2']")
    browser.key("Enter")
    browser.until("document.querySelector('#row').dataset.row === '2'")
    browser.tab_to("#c-value")
    browser.js("document.activeElement.select()")
    browser.type("8765")
    browser.until("document.querySelector('#checks').textContent === 'This can be saved.'")
    browser.key("Enter")
    browser.until("document.querySelector('#status').textContent === 'Saved: 1 cells of row 2'")
    for name, text in (("time", "soon"), ("name", "ferritin"), ("value", "77"), ("unit", "ng/mL")):
        browser.tab_to(f"#c-{name}")
        browser.type(text)
    browser.until("document.querySelector('#checks').textContent.includes('is not a date')")
    browser.key("Enter")
    browser.until("document.querySelector('#wrong').textContent.includes('is not a date')")
    browser.js(
        "document.querySelector('#c-time').select(); document.querySelector('#c-time').focus()"
    )
    browser.type("2020-01-05 10:00")
    browser.until("document.querySelector('#checks').textContent === 'This can be saved.'")
    browser.key("Enter")
    browser.until("document.querySelector('#status').textContent.includes('labs, row +3')")
    (chunk,) = open_records(str(page.records)).chunks()
    assert {8765.0, 77.0} <= set(chunk.measurements["value"].tolist())
    assert {path.name: path.read_bytes() for path in page.records.iterdir()} == before
    browser.js("document.querySelector('#name').focus()")
    browser.type("../away.xlsx")
    browser.key("Enter")
    browser.until("document.querySelector('#wrong').textContent.includes('without a folder')")
    browser.js("document.querySelector('#name').select()")
    browser.type("corrected")
    browser.key("Enter")
    browser.until("document.querySelector('#status').textContent === 'Saved: corrected.xlsx'")
    (again,) = open_records(str(page.records.parent / "corrected.xlsx")).chunks()
    assert sorted(again.measurements["value"].tolist()) == pytest.approx(
        sorted(chunk.measurements["value"].tolist()), nan_ok=True
    )
    assert [each for each in browser.console if "409" not in each] == []
