"""What a protocol hides from those who judge: no view sends it, and whoever asks for it can no longer judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from becalm.records import open_records
from becalm.web.application import rows_table
from becalm.web.patient import view
from becalm.web.workbench import open_workbench
from tests.records import condition, lab, person, procedure, sheets, stay
from tests.web.browser import Tab
from tests.web.conftest import Open, protocol
from tests.web.test_accessible import violations
from tests.web.test_judging import ask

BLIND = """
[review]
questions = ["storm_active", "relapse"]
blind = {{ storm_active = [{hidden}] }}
shown_after = "24h"
"""


@dataclass
class Caller:
    """Sends the calls of the page, as its program does."""

    page: Open

    def __post_init__(self) -> None:
        ask(self.page.gate.port, "GET", f"/?token={self.page.gate.token}")

    def __call__(self, name: str, reviewer: str = "A", **body: Any) -> dict[str, Any]:
        bearer = {
            "Authorization": f"Bearer {self.page.gate.key}",
            "Content-Type": "application/json",
        }
        sent = json.dumps({"reviewer": reviewer, **body})
        told: dict[str, Any] = json.loads(
            ask(self.page.gate.port, "POST", f"/call/{name}", sent, **bearer)
        )
        return told

    def answer(self, person: int, question: str, reviewer: str = "A", answer: str = "yes") -> str:
        """Give an answer; return the mistake, '' where it was saved."""
        told = self("answer", reviewer=reviewer, person=person, question=question, answer=answer)
        return str(told.get("error", ""))


def blinded(opened: Callable[..., Open], *hidden: str) -> Caller:
    """Return an open page of two patients where one of two questions hides something."""
    words = ", ".join(f'"{each}"' for each in hidden)
    return Caller(opened(2, BLIND.format(hidden=words)))


def test_rows_that_tell_what_is_hidden_are_not_sent(opened: Callable[..., Open]) -> None:
    """Doses tell the treatment; the other sheets do not, and a new row can be entered all the same."""
    call = blinded(opened, "treatment")
    doses = call("rows", sheet="doses", person_id="SECRET-01")["html"]
    assert "anakinra" not in doses
    assert "The rows of SECRET-01 tell the treatment" in doses
    assert 'id="row"' in doses
    assert "9000" in call("rows", sheet="labs", person_id="SECRET-01")["html"]


def test_any_row_may_be_later_than_what_is_shown_of_the_outcome(
    opened: Callable[..., Open],
) -> None:
    call = blinded(opened, "outcome")
    for sheet in ("labs", "doses", "persons", "stays"):
        html = call("rows", sheet=sheet, person_id="SECRET-01")["html"]
        assert "tell the outcome" in html
        assert "data-edit=" not in html


def test_whoever_opens_the_rows_is_written_down_and_judges_no_more(
    opened: Callable[..., Open],
) -> None:
    """Of this patient, for the questions that hide it, under this name however it is written; what was said holds."""
    call = blinded(opened, "treatment")
    assert call.answer(1, "storm_active") == ""
    assert call("show-rows", sheet="doses", person_id="SECRET-01", reviewer="Dr A") == {}
    assert (
        "anakinra" in call("rows", sheet="doses", person_id="SECRET-01", reviewer=" dr  a ")["html"]
    )
    assert (
        "anakinra"
        not in call("rows", sheet="doses", person_id="SECRET-02", reviewer="Dr A")["html"]
    )
    assert (
        "anakinra" not in call("rows", sheet="doses", person_id="SECRET-01", reviewer="B")["html"]
    )
    refused = call.answer(0, "storm_active", "dr a")
    assert refused.startswith("dr a was shown the treatment, which this question hides")
    assert call.answer(0, "relapse", "Dr A") == ""
    assert call.answer(1, "storm_active", "Dr A") == ""
    assert call.answer(0, "storm_active", "B") == ""
    assert call("show-rows", sheet="doses", person_id="SECRET-02", reviewer="A") == {}
    assert call.answer(1, "storm_active", answer="no") != ""
    file = call.page.records.with_name("records.becalm") / "unblinded.csv"
    header, *rows = (line.split(",") for line in file.read_text("utf-8").splitlines())
    assert header == ["time", "reviewer", "person_id", "shown"]
    assert [row[1:] for row in rows] == [
        ["Dr A", "SECRET-01", "treatment"],
        ["A", "SECRET-02", "treatment"],
    ]
    held = {
        (each.person, each.reviewer, each.question): each.answer
        for each in call.page.bench.book.holding()
    }
    assert held["SECRET-02", "A", "storm_active"] == "yes"
    assert ("SECRET-01", "Dr A", "storm_active") not in held
    assert len(list(open_records(str(call.page.records)).chunks())) == 1


def test_names_of_drugs_tell_the_treatment(opened: Callable[..., Open]) -> None:
    """In the words, and as a number in the list; whoever opens them judges nobody any more."""
    call = blinded(opened, "treatment")
    words = call("words")["html"]
    assert "thymoblastin" not in words
    assert "1 name of drugs is not shown" in words
    assert [each.unknown_words for each in _listed(call)] == [0, 0]
    assert call("show-drugs") == {}
    assert "thymoblastin" in call("words")["html"]
    assert "thymoblastin" not in call("words", reviewer="B")["html"]
    assert "was shown the treatment" in call.answer(0, "storm_active")
    assert "was shown the treatment" in call.answer(1, "storm_active")
    assert call.answer(1, "relapse") == ""


def test_without_blinding_nothing_is_left_out(opened: Callable[..., Open]) -> None:
    call = blinded(opened)
    assert "thymoblastin" in call("words")["html"]
    assert "anakinra" in call("rows", sheet="doses", person_id="SECRET-01")["html"]
    assert [each.unknown_words for each in _listed(call)] == [1, 0]
    assert not (call.page.records.with_name("records.becalm") / "unblinded.csv").exists()


def _listed(call: Caller) -> Any:
    from becalm.web.lists import PatientLists

    return PatientLists(call.page.bench).patients("A", [], [])


@pytest.mark.parametrize("width", [1280, 320])
def test_rows_are_opened_with_the_keyboard(
    opened: Callable[..., Open], browser: Tab, width: int
) -> None:
    """What it costs is said before."""
    page = opened(2, BLIND.format(hidden='"treatment", "outcome"'))
    browser.size(width)
    browser.go(page.gate.address)
    browser.until("document.querySelector('#reviewer')")
    browser.type("Dr A")
    browser.key("Enter")
    browser.until("document.querySelector('#filter')")
    browser.tab_to("[data-go=words]")
    browser.key("Enter")
    browser.until("document.querySelector('[data-show=drugs]')")
    assert violations(browser) == []
    browser.tab_to("[data-go=entry]")
    browser.key("Enter")
    browser.until("document.querySelector('#choose')")
    browser.tab_to("#whose")
    browser.type("SECRET-01")
    browser.key("Enter")
    browser.until("document.querySelector('[data-show=rows]')")
    assert violations(browser) == []
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
    browser.tab_to("[data-show=rows]")
    browser.key("Enter")
    browser.until("document.querySelector('[data-edit]')")
    assert browser.console == []


def test_a_hidden_outcome_is_told_by_no_end_and_no_diagnosis(tmp_path: Path) -> None:
    """A stay that goes on ends nowhere; a diagnosis counts from its onset, or from the end of the stay that it was coded in."""
    records = sheets(
        tmp_path / "records", person("P1"), lab("ferritin", 9000, 1, person="P1"), lab("temperature", 39.5, 2, person="P1"),
        stay(0, 240, person="P1"), procedure("CRRT", 20, 200, person="P1"), procedure("Arterial Line", 4, 10, person="P1"),
        condition("systemic lupus erythematosus", 0, person="P1"), condition("pancytopenia", 26, person="P1"),
        condition("septic shock", 26.1, person="P1"),
    )  # fmt: skip
    file = protocol(tmp_path, BLIND.format(hidden='"outcome"'))
    bench = open_workbench(str(records), file)
    blind = view(bench, bench.people[0], frozenset({"outcome"}), everything=True)
    about = dict(blind.about)["Diagnoses"]
    assert about.startswith("systemic lupus erythematosus, pancytopenia;")
    ends = {row.label: (row.end, row.goes_on) for row in blind.rows if row.end > row.day}
    limit = max(end for end, _ in ends.values())
    assert limit == 1.0
    assert {label for label, (_, goes_on) in ends.items() if goes_on} == {"ward", "CRRT"}
    cells = {row[3]: row[1] for row in rows_table(blind).rows}
    assert (cells["CRRT"], cells["ward"]) == ("hidden", "hidden")
    seeing = view(bench, bench.people[0], frozenset(), everything=True)
    assert "septic shock" in dict(seeing.about)["Diagnoses"]
    assert not any(row.goes_on for row in seeing.rows)


def test_day_0_does_not_tell_who_is_in_the_study(opened: Callable[..., Open]) -> None:
    bench = opened(2, BLIND.format(hidden='"computed"')).bench
    names = {
        view(bench, each, frozenset({"computed"}), everything=False).zero for each in bench.people
    }
    assert names == {"the index of this patient"}
