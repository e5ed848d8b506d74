"""The list of patients: each filter keeps those whom its words say, and the figure shows what is short as a point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from becalm.records.review.answers import Answered
from becalm.web.drawing import timeline
from becalm.web.lists import FILTERS, PatientLists
from becalm.web.patient import view
from becalm.web.workbench import open_workbench
from tests.records import lab, person, procedure, sheets, stay
from tests.web.conftest import Open


def test_each_filter_keeps_those_whom_it_names(opened: Callable[..., Open]) -> None:
    """Odd ones enter the study; one has a name that nobody knows; the answers of others are counted, not shown."""
    bench = opened(4).bench
    lists = PatientLists(bench)
    for who, reviewer, answer in (
        ("SECRET-01", "A", "yes"),
        ("SECRET-01", "B", "no"),
        ("SECRET-02", "A", "no"),
    ):
        for question in ("storm_active", "infection_true", "relapse"):
            bench.book.add(Answered(who, reviewer, question, answer, "", ""))
    assert set(lists.filters) == set(FILTERS)

    def kept(*wanted: str, text: str = "") -> list[int]:
        found = lists.patients(" a ", bench.book.holding(), wanted, text)
        return [int(each.person_id[-2:]) for each in found]

    statuses = {
        row["person_id"]
        for row in bench.result.tables["criteria"].rows()
        if row["moment"] == "peak_ever" and row["status"] == "undetermined"
    }
    assert kept() == [1, 2, 3, 4]
    assert [f"SECRET-{each:02}" for each in kept("undetermined")] == sorted(statuses)
    in_study = {row["person_id"] for row in bench.result.tables["persons"].rows()}
    assert {f"SECRET-{each:02}" for each in kept("cohort")} == in_study
    nearest = set(bench.result.frames["nearest"]["person_id"].tolist())
    assert {f"SECRET-{each:02}" for each in kept("near")} == nearest
    assert kept("unjudged") == [3, 4]
    assert kept("differing") == [1]
    assert kept("words") == [1]
    assert kept("unjudged", "words") == []
    assert kept(text="ret-03") == [3]


def test_a_row_of_a_minute_is_drawn_as_a_point(tmp_path: Path) -> None:
    """A bar of it would have no width, and nobody could open its row."""
    records = sheets(
        tmp_path / "records", person("P1"), stay(0, 240, person="P1"), lab("ferritin", 900, 1, person="P1"),
        procedure("Arterial Line", 20, 100, person="P1"), procedure("EKG", 30, 30.02, person="P1"),
    )  # fmt: skip
    bench = open_workbench(str(records), "hyperinflammation")
    spec = timeline(view(bench, bench.people[0], frozenset(), everything=False))
    assert spec is not None
    [lane] = [
        each
        for each in spec["vconcat"]
        if each.get("title", {}).get("text", "").startswith("Organ support, lines")
    ]
    kinds = {row["name"]: row["kind"] for row in lane["data"]["values"]}
    assert kinds == {"Arterial Line": "long", "EKG": "moment"}
