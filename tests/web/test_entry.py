"""Rows of a chart review in the page: entered and corrected with the keyboard, checked as they are typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from becalm.records import open_records
from becalm.records.review.entry import RowChange
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


def test_a_row_is_checked_as_a_study_would_read_it(opened: Callable[..., Open]) -> None:
    """What stops a run is wrong; what a study would not use, or not understand, is told beside it."""
    from becalm.web.application import Desk
    from becalm.web.entering import EntryDesk, RowCall

    bench = opened(2).bench
    desk = EntryDesk(bench, Desk(bench).templates)
    time = "2020-01-05 10:00"

    def told(sheet: str, **cells: str) -> tuple[str, ...]:
        row = {"person_id": "SECRET-01", **cells}
        found = desk.row(RowCall("A", sheet, "", {}, row, only_check=True))
        return (*found["wrong"], *found["notes"])

    ferritin = {"time": time, "name": "ferritin", "value": "77", "unit": "ng/mL"}
    given = {"start": time, "drug": "anakinra", "amount": "100", "amount_unit": "mg"}
    assert told("labs", **ferritin) == told("doses", **given) == told("persons", sex="F") == ()
    assert told("labs", **ferritin | {"value": "high"}) == ("ferritin: not a number",)
    assert "ferritin: unknown unit" in told("labs", **ferritin | {"unit": "stones"})
    assert told("labs", **ferritin | {"name": "feritine"}) == ("nobody knows the test 'feritine'",)
    assert told("doses", **given | {"drug": "anakinar"}) == ("nobody knows the drug 'anakinar'",)
    assert told("conditions", name="lupsu") == ("nobody knows the diagnosis 'lupsu'",)
    assert "is not a date" in told("labs", **ferritin | {"time": "soon"})[0]


def test_a_person_among_others_is_corrected(opened: Callable[..., Open]) -> None:
    page = opened(2)
    assert page.bench.sheets is not None
    (row,) = page.bench.sheets.rows("persons", "SECRET-01")
    change = RowChange(row.row, row.cells, {**row.cells, "weight_kg": "61"})
    assert page.bench.sheets.correct("persons", change, "A") == 1
    (chunk,) = open_records(str(page.records)).chunks()
    assert chunk.persons["weight_kg"].tolist()[0] == 61
