"""Whole stays: every item at its worst value of one stay, as HScore and HLH-2004 were derived."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm import protocol
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.errors import UsageError
from becalm.definitions import Moments, criteria, evaluate, load
from becalm.definitions.item_evidence import nameless
from becalm.patients.understood import Patients
from becalm.persons.whole_stays import whole_stays
from becalm.records import open_records
from becalm.study.run import run
from becalm.study.screen import screen, totals_of
from tests.records import (
    Row,
    V,
    at,
    chunk,
    dose,
    finding,
    hours,
    lab,
    patient,
    person,
    records,
    sheets,
    stay,
)
from tests.spec.scoring import people

CASES: Final = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
MIMIC: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
HSCORE: Final = load("hscore")
MET: Final = (
    lab("ferritin", 9000, 10), lab("temperature", 39.6, 10), lab("triglycerides", 4.5, 10), lab("fibrinogen", 1, 11),
)  # fmt: skip
"""From hour 11 on 193 points are certain."""


def total(*rows: Row, name: str = "hscore") -> dict[str, Any]:
    """The whole-stay total of one person in a screening."""
    [row] = totals_of(chunk(*rows), [load(name)], whole_stay=True).rows()
    assert row["moment"] == "whole_stay"
    return row


def within(row: dict[str, Any]) -> tuple[float, float]:
    return row["low"], row["high"]


def spans(*rows: Row) -> list[tuple[float, float]]:
    """The stays of one person, in hours; the end is the last moment that counts."""
    found = whole_stays(records(*rows))
    return [
        (round(hours(a) or 0, 6), round(hours(b - 1) or 0, 6))
        for a, b in zip(found.start, found.end, strict=True)
    ]


def test_the_worst_value_of_a_stay_counts_whenever_it_was_drawn() -> None:
    """A ferritin of the first day and a fever of the tenth count together, although our look-backs never hold both."""
    ward = stay(0, 400)
    assert within(total(ward, lab("ferritin", 9000, 5), lab("temperature", 39.6, 240))) == (99, 337)
    again = total(ward, lab("ferritin", 9000, 5), lab("ferritin", 900, 100))
    assert within(again) == (50, 337)


def test_an_item_that_is_known_to_be_absent_all_the_stay_gives_no_points() -> None:
    """A highest triglyceride below the first band is no point, and the same item unmeasured may give all."""
    rows = (stay(0, 400), lab("ferritin", 9000, 5))
    assert within(total(*rows, lab("triglycerides", 1.4, 6))) == (50, 273)
    assert within(total(*rows)) == (50, 337)


def test_a_stay_begins_a_day_before_its_admission_and_ends_with_its_last_moment() -> None:
    """A result of the emergency department, a day before the admission, counts; one a minute older does not, nor does one after the discharge."""
    assert spans(stay(100, 300), lab("ferritin", 9000, 5)) == [(76, 300)]
    minute = 1 / 60
    for hour, low in ((76, 50), (76 - minute, 0), (300, 50), (300 + minute, 0)):
        assert total(stay(100, 300), lab("ferritin", 9000, hour))["low"] == low


def test_an_end_that_is_a_date_is_the_end_of_that_day() -> None:
    """A stay that ended on 5 January counts what was drawn at 23:59 that day, and nothing of the next."""
    ward = stay("2020-01-02", "2020-01-05")
    assert total(ward, lab("ferritin", 9000, "2020-01-05 23:59"))["low"] == 50
    assert total(ward, lab("ferritin", 9000, "2020-01-06 00:00"))["low"] == 0


def test_intensive_care_without_an_end_ends_with_the_stay_around_it() -> None:
    """An ICU stay that begins in a ward's stay and has no end does not prolong that stay to the end of the records."""
    rows = (stay(0, 200), stay(50, None, "S2", "ICU"), lab("ferritin", 9000, 900))
    assert spans(*rows) == [(-24, 200)]
    assert total(*rows)["low"] == 0


def test_who_was_never_admitted_has_one_stay_from_the_first_row_to_the_last() -> None:
    """Without any stay on record, everything recorded of a person is one stay."""
    rows = (lab("ferritin", 9000, 5), lab("temperature", 39.6, 5000))
    assert spans(*rows) == [(5, 5000)]
    assert within(total(*rows)) == (99, 337)


def test_who_has_no_dated_row_has_no_stay_and_an_open_total() -> None:
    """Of a person without any row nothing is known: 0 to 337, undetermined, and no time."""
    row = total(person())
    assert (*within(row), row["status"], row["time"]) == (0, 337, "undetermined", UNKNOWN_TIME)


def test_nothing_after_death_counts() -> None:
    """A value drawn after the moment of death, or after the day of a death known by its date, is not of the stay."""
    ward = stay(0, 400)
    for death, last in (("2020-01-05 12:00", 108), ("2020-01-05", 120 - 1 / 60)):
        dead = person(death=death)
        assert total(dead, ward, lab("ferritin", 9000, last))["low"] == 50
        assert total(dead, ward, lab("ferritin", 9000, last + 2 / 60))["low"] == 0


def test_two_stays_are_never_mixed_and_the_higher_one_is_screened() -> None:
    """Fever of one admission and ferritin of another, weeks apart, do not add up; of equal stays the first is taken."""
    rows = (stay(0, 100), stay(1000, 1100, "S2"))
    apart = total(*rows, lab("temperature", 39.6, 5), lab("ferritin", 9000, 1005))
    assert (apart["low"], hours(apart["time"])) == (50, 1100)
    same = total(*rows, lab("ferritin", 9000, 5), lab("ferritin", 9000, 1005))
    assert (same["low"], hours(same["time"])) == (50, 100)


def test_stays_a_day_apart_are_one_stay() -> None:
    """A transfer to another house within 24 h goes on with the same stay; an hour more makes two."""
    rows = (lab("temperature", 39.6, 5), lab("ferritin", 9000, 150))
    assert total(stay(0, 100), stay(124, 200, "S2"), *rows)["low"] == 99
    assert total(stay(0, 100), stay(125, 200, "S2"), *rows)["low"] == 50


@pytest.mark.parametrize(("index", "low"), [(5, 50), (1005, 33), (500, 50)])
def test_the_stay_of_the_index_is_judged_and_outside_all_stays_the_highest(
    index: float, low: float
) -> None:
    """In a study the whole stay is the one in which the index lies; for an index at home it is the stay with the highest total."""
    evaluation = evaluate(HSCORE, chunk(
        stay(0, 100), stay(1000, 1100, "S2"), lab("ferritin", 9000, 5), lab("temperature", 39, 1005),
        lab("ast", 90, 500),
    ).inputs("drawn"))  # fmt: skip
    stays = whole_stays(records(stay(0, 100), stay(1000, 1100, "S2")))
    moments = Moments(np.array([at(index)]), 0, stays)
    totals, _ = criteria(evaluation, people(), moments, modifiers={}, source_row=nameless)
    assert [row["low"] for row in totals.rows() if row["moment"] == "whole_stay"] == [low]


def test_a_documented_yes_of_any_day_of_the_stay_is_known_immunosuppression() -> None:
    """A finding of immunosuppression on the fifth day counts for the stay, and a no of the same stay does not undo it."""
    yes, no = (
        finding("immunosuppression", "yes", 120),
        finding("immunosuppression", "no", 200),
    )
    assert within(total(stay(0, 400), yes)) == (18, 337)
    assert within(total(stay(0, 400), no)) == (0, 319)
    assert within(total(stay(0, 400), yes, no)) == (18, 337)


def test_rows_and_modifiers_of_the_stay_are_named(tmp_path: Path) -> None:
    """Each item of a whole stay says its value, its row, when it was drawn, what could have moved it, and why it is open."""
    book = sheets(
        tmp_path,
        *patient(
            "A", stay(-10, 400), lab("ferritin", 9000, 5), lab("triglycerides", 3.2, 200),
            lab("temperature", 39.0, 6), lab("haemoglobin", 8, 6), lab("triglycerides", 9, 2000),
            dose("propofol", 190, 205, rate="100 mg/h"),
        ),
    )  # fmt: skip
    result = run(open_records(str(book)), protocol.load("hyperinflammation"), "records")
    items = {
        row["item"]: row
        for row in result.frames["criteria_items"].rows()
        if (row["moment"], row["criterion"]) == ("whole_stay", "hscore")
    }
    lipids = items["triglycerides"]
    assert (lipids["value"], hours(lipids["time"]), lipids["points_low"]) == (3.2, 200, 44)
    assert "propofol" in lipids["modified_by"]
    assert lipids["source_row"].startswith("labs:")
    assert items["fibrinogen"]["reason"] == "not measured in the stay"
    [whole] = [
        row
        for row in result.frames["criteria"].rows()
        if (row["moment"], row["criterion"]) == ("whole_stay", "hscore")
    ]
    assert (whole["low"], whole["low_unmodified"], whole["clock"]) == (127, 83, "drawn")


def test_a_result_that_came_after_the_stay_belongs_to_the_stay(tmp_path: Path) -> None:
    """Of a whole stay the time of the draw counts on either clock: a marrow reported after the discharge counts."""
    book = sheets(
        tmp_path,
        *patient("A", stay(0, 100), lab("ferritin", 9000, 5), lab("temperature", 39, 6),
                 lab("ast", 90, 90, available=150)),
    )  # fmt: skip
    result = run(open_records(str(book)), protocol.load("hyperinflammation"), "records")
    [whole] = [
        row
        for row in result.frames["criteria"].rows()
        if (row["moment"], row["criterion"]) == ("whole_stay", "hscore")
    ]
    assert whole["low"] == 50 + 33 + 19


def test_a_window_that_ends_at_the_index_has_no_duration() -> None:
    """A definition first met at the index has stayed met for 0 h, and one met an hour before for exactly 1 h."""
    evaluation = evaluate(HSCORE, chunk(*MET).inputs("drawn"))
    for index, held in ((11, 0), (12, 1), (13.5, 2.5)):
        moments = Moments(np.array([at(index)]), 14 * 24 * HOUR)
        totals, _ = criteria(evaluation, people(), moments, modifiers={}, source_row=nameless)
        assert {row["held_hours"] for row in totals.rows() if row["moment"] != "peak_ever"} == {
            held
        }


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ferritin", "temperature", "triglycerides", "fibrinogen", "ast"]),
            st.integers(0, 39),
            st.sampled_from([0.3, 1.6, 2.4, 4.5, 25, 39.0, 39.6, 700, 2500, 9000]),
        ),
        max_size=12,
    )
)
def test_a_whole_stay_is_the_score_of_its_worst_values(draws: list[tuple[str, int, float]]) -> None:
    """For random results of a stay, the total is that of one moment with the worst value of each."""
    usual = {"ferritin": (1, 1e5), "temperature": (36, 43), "triglycerides": (0.2, 30),
             "fibrinogen": (0.2, 20), "ast": (5, 20_000)}  # fmt: skip
    kept = [(name, hour * 10, value) for name, hour, value in draws
            if usual[name][0] <= value <= usual[name][1]]  # fmt: skip
    rows = [lab(name, value, hour + i / 100) for i, (name, hour, value) in enumerate(kept)]
    worst: dict[str, float] = {}
    for name, _, value in kept:
        better = min if name == "fibrinogen" else max
        worst[name] = better(worst.get(name, value), value)
    together = [lab(name, value, 1) for name, value in worst.items()]
    found = total(stay(0, 400), *rows)
    assert within(found) == within(total(stay(0, 400), *together))
    peak = list(totals_of(chunk(stay(0, 400), *rows), [HSCORE]).rows())
    assert found["low"] >= peak[0]["low"]


PUBLISHED: Final = {
    ("PTCL_nomarrow", "hscore"): (254, 254, "met"),
    ("PTCL_nomarrow", "hlh2004"): (5, 7, "met"),
    ("PTCL", "hscore"): (289, 289, "met"),
    ("PTCL", "hlh2004"): (6, 8, "met"),
    ("HIV", "hscore"): (214, 214, "met"),
    ("HIV", "hlh2004"): (3, 5, "undetermined"),
    ("PNEUMO", "hscore"): (220, 255, "met"),
    ("PNEUMO", "hlh2004"): (4, 7, "undetermined"),
}
"""What the printed values of the cases give over their whole stay; docs/published.md says why papers differ."""


@needs_cases
def test_published_cases_have_the_totals_of_their_whole_stays() -> None:
    """Over its whole stay each published case has the total that its printed values give, in a screening and in a study alike."""
    folder = str(CASES / "published" / "typed-with-care")
    screened = screen(open_records(folder), ["hscore", "hlh2004", "mas2016"], whole_stay=True)
    assert summarised(row for frame in screened for row in frame.rows()) == PUBLISHED
    study = run(open_records(folder), protocol.load("hyperinflammation"), "cases")
    rows = (row for row in study.frames["criteria"].rows() if row["moment"] == "whole_stay")
    assert summarised(rows) == PUBLISHED


def summarised(rows: Any) -> dict[tuple[str, str], tuple[float, float, str]]:
    return {
        (row["person_id"], row["criterion"]): (row["low"], row["high"], row["status"])
        for row in rows
    }


@needs_cases
def test_each_difference_from_a_paper_is_explained() -> None:
    """The page about published cases has a row for each person and definition, with our total and a sentence where a paper prints another."""
    page = (Path(__file__).parents[2] / "docs" / "published.md").read_text(encoding="utf-8")
    for (name, criterion), (low, high, _) in PUBLISHED.items():
        shown = f"{low}" if low == high else f"{low}–{high}"
        [line] = [
            each for each in page.splitlines() if each.startswith(f"| {name} | `{criterion}` |")
        ]
        _, _, _, whole, paper, why, _ = (cell.strip() for cell in line.split("|"))
        assert whole == shown
        assert paper == shown or why.endswith(".")


def test_a_definition_not_derived_on_stays_is_named_and_left_out(tmp_path: Path) -> None:
    """A screening over whole stays leaves out the 2016 MAS criteria and says so; alone they are refused."""
    book = str(sheets(tmp_path, *patient("A", lab("ferritin", 9000, 5))))
    said: list[str] = []
    rows = [
        row
        for frame in screen(open_records(book), ["hscore", "mas2016"], said.append, whole_stay=True)
        for row in frame.rows()
    ]
    assert [row["criterion"] for row in rows] == ["hscore"]
    assert any("mas2016" in text and "left out" in text for text in said)
    with pytest.raises(UsageError, match="whole stays"):
        list(screen(open_records(book), ["mas2016"], whole_stay=True))


@pytest.mark.skipif(not MIMIC.exists(), reason="the MIMIC-IV demo is not here")
def test_only_a_peak_outside_all_stays_is_above_every_whole_stay() -> None:
    """In the MIMIC-IV demo a peak by our windows exceeds the whole stays of its person only where it lies outside all of them, in results of outpatients."""
    [only] = list(open_records(str(MIMIC)).chunks())
    patients = Patients.of(only, V)
    peaks = list(totals_of(patients, [HSCORE]).rows())
    whole = list(totals_of(patients, [HSCORE], whole_stay=True).rows())
    assert len(whole) == len(peaks) == 100
    stays = whole_stays(only)
    for code, (peak, worst) in enumerate(zip(peaks, whole, strict=True)):
        if peak["low"] > worst["low"]:
            assert not stays.contains([code], [peak["time"]])[0], peak["person_id"]
    assert sum(p["low"] > w["low"] for p, w in zip(peaks, whole, strict=True)) == 7


@pytest.mark.parametrize(
    ("death", "end"), [(30.5, 30.5), ("2020-01-02", 48), (None, 80), (90.5, 80)]
)
def test_a_whole_stay_ends_with_the_death(death: float | str | None, end: float) -> None:
    """A stay that is charted to 80 h ends at the death, or with the day of a death known by its date."""
    found = whole_stays(records(person(death=death), stay(0, 80.0)))
    assert hours(int(found.end[0])) == pytest.approx(end, abs=1e-9)
