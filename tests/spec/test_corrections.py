"""Two reports of one draw: a correction replaces, an unmarked second report makes a range."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import becalm
from becalm.core.clock import HOUR
from becalm.definitions import evaluate
from becalm.definitions import load as definition
from becalm.vocabulary import reports
from tests.records import Row, at, chart_review, chunk, entered, hours, lab, left, study

CASES = Path(__file__).parents[3] / "shared" / "cases"
FOLDER = CASES / "numbers-corrections"
needs_cases = pytest.mark.skipif(not FOLDER.exists(), reason="shared/cases is not here")
HI = "hyperinflammation"
CORRECTS, FINAL, PRELIMINARY = reports.CORRECTS, reports.FINAL, reports.PRELIMINARY
ONE = np.zeros(1, np.int32)


@cache
def case() -> Any:
    """Return the study of the corrections."""
    return becalm.run(becalm.open_records(str(FOLDER)), protocol=HI)


@needs_cases
def test_a_ferritin_that_was_corrected_makes_no_index_and_an_unmarked_second_one_leaves_it_open() -> (
    None
):
    """33,546, then 335 of the same draw: nobody has a certain ferritin of 500 when the rest is known."""
    assert not len(case().result.tables["persons"])
    totals = {
        (row["person_id"], row["criterion"]): (row["low"], row["high"], row["status"])
        for row in case().result.tables["criteria"].rows()
    }
    assert totals["UNMARKED", "hscore"] == (126, 301, "undetermined")
    assert {status for *_, status in totals.values()} == {"undetermined"}
    assert totals["MARKED", "hscore"][:2] == (126, 251)


@needs_cases
def test_what_a_later_report_changed_is_listed() -> None:
    """Each replaced ferritin stands in a table with when it was known, until when, and what came then."""
    rows = {row["person_id"]: row for row in case().result.tables["replaced_reports"].rows()}
    assert rows["MARKED"]["change"] == "replaced"
    assert (rows["MARKED"]["earlier_low"], rows["MARKED"]["later_high"]) == (33546, 335)
    assert rows["UNMARKED"]["change"] == "both believed"
    assert (rows["UNMARKED"]["later_low"], rows["UNMARKED"]["later_high"]) == (335, 33546)


@needs_cases
def test_clumped_platelets_were_low_until_the_correction_and_never_by_the_draw() -> None:
    """12 known from 11:00 to 13:00 on the available clock; by the draw they were always 240."""
    patients = becalm.understand(becalm.open_records(str(FOLDER)))
    [batch] = patients.batches
    assert batch.events.points("platelets").low.tolist() == [240]
    platelets = batch.events.points("platelets", "available")
    line = platelets.hold(48 * HOUR).where(lambda low, _: low < 100)
    start, end = int(line.start[0]), int(line.end[0])
    assert (end - start) / HOUR == 2


def ferritins(
    *rows: Row, hour: float, clock: Any = "available", take: Any = "last"
) -> tuple[float, float]:
    """Return the ferritin in force at an hour."""
    line = chunk(*rows).events.points("ferritin", clock).trailing(take, 72 * HOUR)
    low, high = line.at(ONE, np.array([at(hour)]))
    return float(low[0]), float(high[0])


FIRST = lab("ferritin", 9000, 10, available=11)


@pytest.mark.parametrize(
    ("second", "before", "after", "drawn"),
    [
        (lab("ferritin", 300, 10, available=13, report=CORRECTS), 9000, (300, 300), (300, 300)),
        (lab("ferritin", 300, 10, available=13), 9000, (300, 9000), (300, 9000)),
        (lab("ferritin", 9000, 10, available=13), 9000, (9000, 9000), (9000, 9000)),
        (lab("ferritin", "<50", 10, available=13, report=CORRECTS), 9000, (-1, 50), (-1, 50)),
        (lab("ferritin", 300, 10, available=13, report=FINAL), 9000, (300, 9000), (300, 9000)),
        (lab("ferritin", 300, 10, report=CORRECTS), 300, (300, 300), (300, 300)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("take", ["last", "max", "min"])
def test_a_second_report_counts_from_its_own_time_on(
    second: Row, before: float, after: tuple[float, float], drawn: tuple[float, float], take: str
) -> None:
    """A correction replaces, an unmarked report makes a range, an equal one changes nothing.

    A correction without a time of its own is known as soon as what it corrects.
    """

    def found(hour: float, clock: str = "available") -> tuple[float, float]:
        low, high = ferritins(FIRST, second, hour=hour, clock=clock, take=take)
        return (-1 if low <= 0 else low, round(high, 6))

    assert found(12.99) == (before, before)
    assert found(13) == after
    assert found(10, "drawn") == drawn


def test_a_final_report_replaces_preliminary_ones_only() -> None:
    """Preliminary 9,000, then final 300: 300; preliminary twice: the range of both."""
    early = lab("ferritin", 9000, 10, available=11, report=PRELIMINARY)
    late = {
        says: lab("ferritin", 300, 10, available=13, report=says) for says in (FINAL, PRELIMINARY)
    }
    assert ferritins(early, late[FINAL], hour=13) == (300, 300)
    assert ferritins(early, late[PRELIMINARY], hour=13) == (300, 9000)


def test_a_correction_to_no_value_takes_the_earlier_one_back() -> None:
    """Corrected to `haemolysed`: known until then, unknown afterwards, and never by the draw."""
    void = lab("ferritin", "haemolysed", 10, available=13, report=CORRECTS)
    assert ferritins(FIRST, void, hour=12.99) == (9000, 9000)
    assert ferritins(FIRST, void, hour=13) == (-np.inf, np.inf)
    assert not len(chunk(FIRST, void).events.points("ferritin"))


def test_a_chain_of_reports_is_read_in_the_order_in_which_they_came() -> None:
    """9,000, corrected to 300, then an unmarked 400, then corrected to 500."""
    rows = (
        FIRST,
        lab("ferritin", 300, 10, available=12, report=CORRECTS),
        lab("ferritin", 400, 10, available=13),
        lab("ferritin", 500, 10, available=14, report=CORRECTS),
    )
    found = [ferritins(*rows, hour=hour) for hour in (11, 12, 13, 14)]
    assert found == [(9000, 9000), (300, 300), (300, 400), (500, 500)]


def test_another_draw_is_not_corrected() -> None:
    """A correction of the draw at 10 h says nothing of the draw at 9 h."""
    other = lab("ferritin", 7000, 9, available=11)
    fixed = lab("ferritin", 300, 10, available=13, report=CORRECTS)
    assert ferritins(other, FIRST, fixed, hour=13, take="max") == (7000, 7000)
    assert ferritins(other, FIRST, fixed, hour=13) == (300, 300)


ILL = [
    lab("temperature", 39.5, 10, available=11),
    lab("triglycerides", 2.0, 10, available=11),
    lab("fibrinogen", 2.0, 10, available=11),
    lab("ast", 50, 10, available=11),
    lab("platelets", 40, 10, available=11),
    lab("haemoglobin", 8.0, 10, available=11),
]


def test_an_index_on_a_value_that_was_taken_back_stands_and_is_marked() -> None:
    """What was known at the index made it; 72 h later the correction is known, and so is its effect."""
    fixed = lab("ferritin", 335, 10, available=11.5, report=CORRECTS)
    row = entered(HI, FIRST, fixed, *ILL)
    assert (row["index_time"], row["storm"]) == (11, "definite")
    assert (row["storm_72h"], row["taken_back"]) == ("undetermined", "index|storm")
    kept = entered(HI, FIRST, *ILL)
    assert (kept["storm"], kept["storm_72h"], kept["taken_back"]) == ("definite", "definite", "")


def test_a_total_that_rests_on_a_value_later_taken_back_says_when() -> None:
    """HScore at the index rests on 9,000; a total without the ferritin does not."""
    fixed = lab("ferritin", 335, 10, available=11.5, report=CORRECTS)
    _, selection = study(HI, FIRST, fixed, *ILL)
    assert len(selection.cohort) == 1
    patients = chunk(FIRST, fixed, *ILL)
    total = evaluate(definition("hscore"), patients.inputs("available"))
    before, after = (float(total.at(ONE, np.array([at(h)]))[0][0]) for h in (11.49, 11.5))
    assert (before >= 169, after < 169) == (True, True)


def test_values_that_never_stood_together_make_no_index() -> None:
    """Fever is known half an hour after the ferritin was corrected; at the same minute it is too late."""
    for minute, reason in ((11.49, ""), (11.5, "no index hour"), (12, "no index hour")):
        rows = [
            FIRST,
            lab("ferritin", 335, 10, available=11.5, report=CORRECTS),
            lab("temperature", 39.5, 10, available=minute),
        ]
        assert left(HI, *rows) == [reason]


def test_the_comment_and_the_status_of_a_sheet_are_read(tmp_path: Path) -> None:
    """A correction by either column, in several words; a comment about something else is none."""
    head = "person_id,time,available,name,value,unit,status,comment\n"
    first = "{0},2020-01-01T10:00,2020-01-01T11:00,ferritin,9000,ng/mL,,\n"
    second = "{0},2020-01-01T10:00,2020-01-01T12:00,ferritin,300,ng/mL,{1},{2}\n"
    said = {
        "A": ("", "CORRECTED RESULT"), "B": ("amended", ""), "C": ("", "revised; previously reported as 9000"),
        "D": ("final", ""), "E": ("", "corrected for haematocrit"), "F": ("", "repeat"), "G": ("corrected", "haemolysed"),
    }  # fmt: skip
    labs = head + "".join(first.format(who) + second.format(who, *of) for who, of in said.items())
    persons = "person_id,sex,age\n" + "".join(f"{who},F,40\n" for who in said)
    folder = chart_review.write(tmp_path / "sheets", persons=persons, labs=labs)
    patients = becalm.understand(becalm.open_records(str(folder)))
    [batch] = patients.batches
    found = batch.events.points("ferritin")
    bounds = dict(zip(said, zip(found.low.tolist(), found.high.tolist(), strict=True), strict=True))
    assert bounds == {who: (300, 300) if who in "ABCG" else (300, 9000) for who in said}
    assert hours(int(found.time[0])) == hours(int(found.time[-1]))


def test_a_report_that_its_status_withdraws_is_refused_and_counted(tmp_path: Path) -> None:
    """Entered in error: the row is no result, is counted with that reason, and the other report stands."""
    labs = (
        "person_id,time,name,value,unit,status\n"
        "A,2020-01-01T10:00,ferritin,9000,ng/mL,entered in error\n"
        "A,2020-01-01T10:00,ferritin,300,ng/mL,final\n"
        "A,2020-01-02T10:00,ferritin,400,ng/mL,Cancelled\n"
    )
    persons = "person_id,sex,age\nA,F,40\n"
    folder = chart_review.write(tmp_path / "sheets", persons=persons, labs=labs)
    records = becalm.open_records(str(folder))
    [batch] = becalm.understand(records).batches
    assert batch.events.points("ferritin").low.tolist() == [300]
    refused = becalm.run(records, protocol=HI).result.tables["rows_refused"].rows()
    assert [row["rows"] for row in refused if row["reason"] == "the report was withdrawn"] == [2]
