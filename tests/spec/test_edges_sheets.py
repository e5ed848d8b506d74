"""At and beside every bound of the sheets: plausible cells, the longest times, dates that are none.

Made from the file: each key is tested here or has no edge.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.clock import DAY, UNKNOWN_TIME, from_us, parse
from becalm.records import Records, Refusal
from becalm.records.sheets import SheetsSource
from becalm.records.sheets.schema import SHEETS
from tests.records.chart_review import source, write
from tests.spec.edges import MINUTE, hours, read, unknown_keys

FILE = "records/sheets/plausible.toml"
CASES = Path(__file__).parents[3] / "shared" / "cases"
TESTED = dict.fromkeys(
    ["range[].low", "range[].high", "range[].variable", "longest[].upto", "midnight.share"]
)  # fmt: skip
NO_EDGE = dict.fromkeys(
    ["range[].sheet", "range[].column", "range[].source", "range[].verified", "longest[].sheet",
     "longest[].column", "longest[].after", "longest[].source", "longest[].verified", "midnight.source"]
)  # fmt: skip
OUTSIDE: list[dict[str, Any]] = read(FILE)["range"]
LONGEST: list[dict[str, Any]] = read(FILE)["longest"]
START = "2020-03-04T10:00"


def test_every_key_is_tested_or_has_no_edge() -> None:
    """A new bound is tested here, or says why it has no edge."""
    assert not unknown_keys(FILE, TESTED, NO_EDGE)


def chunk(opened: SheetsSource) -> Records:
    (records,) = opened.chunks()
    return records


def refusals(opened: SheetsSource, column: str) -> list[Refusal]:
    return [each for each in opened.refused() if each.variable == column]


def limits(rule: dict[str, Any]) -> tuple[float, float, float]:
    """Return the bounds of a range and the step to the next number outside."""
    if "variable" not in rule:
        return rule["low"], rule["high"], 1
    plausible = vocabulary.load().variable(rule["variable"]).plausible
    return plausible.low, plausible.high, 0.1


@pytest.mark.parametrize("rule", OUTSIDE, ids=lambda rule: rule["column"])
def test_a_number_at_the_bound_is_used_and_one_outside_is_not(
    tmp_path: Path, rule: dict[str, Any]
) -> None:
    """Both bounds belong to the range; outside, the cell is counted and the rest of the row is used."""
    column = rule["column"]
    low, high, step = limits(rule)
    for number, used in ((low, True), (high, True), (high + step, False), (low - step, False)):
        if number < 0:
            continue  # a mistake: no number of these sheets is below 0
        persons = f"person_id,sex,{column}\nP1,F,{number:.4g}\n"
        if not number and SHEETS["persons"].columns[column].kind == "positive":
            continue
        opened = source(write(tmp_path, persons=persons))
        one = next(iter(chunk(opened).persons.rows()))
        assert one["sex"] == "F"
        assert (one[column] == pytest.approx(number)) is used
        outside = [r for r in refusals(opened, column) if "outside plausible range" in r.reason]
        assert [(r.source_table, r.rows, r.example) for r in outside] == (
            [] if used else [("persons", 1, f"persons:2 {number:.4g}")]
        )


@pytest.mark.parametrize("rule", LONGEST, ids=lambda rule: f"{rule['sheet']}.{rule['column']}")
@pytest.mark.parametrize(("minutes", "used"), [(-1, True), (0, True), (1, False)])
def test_two_times_of_a_row_are_no_further_apart_than_that(
    tmp_path: Path, rule: dict[str, Any], minutes: int, used: bool
) -> None:
    """Beyond it the later one is not known, and counted; the row is used, except a result without a time."""
    sheet, upto = rule["sheet"], hours(rule["upto"])
    moment = parse(START)[0] + round((upto + minutes * MINUTE) / 24 * DAY)
    later = from_us(moment).isoformat()
    cells = {"person_id": "P1", rule["after"]: START, rule["column"]: later, "name": "CRP", "value": "5",
             "unit": "mg/L", "finding": "splenomegaly", "present": "yes", "result": "growth"}  # fmt: skip
    columns = [name for name in SHEETS[sheet].columns if name in cells]
    text = ",".join(columns) + "\n" + ",".join(cells[name] for name in columns) + "\n"
    opened = source(write(tmp_path, **{sheet: text}))
    rows = list(getattr(chunk(opened), {"labs": "measurements"}.get(sheet, sheet)).rows())
    if (sheet, rule["column"]) == ("labs", "time") and not used:
        assert not rows
    else:
        assert rows[0][rule["column"]] == (moment if used else UNKNOWN_TIME)
    said = [(r.source_table, r.reason, r.example) for r in refusals(opened, rule["column"])]
    reason = f"more than {rule['upto']} after {rule['after']}: cell not used"
    assert said == ([] if used else [(sheet, reason, f"{sheet}:2 {later}")])


@pytest.mark.parametrize(("others", "said"), [(1, False), (0, False), (-1, True)])
def test_many_midnights_beside_other_times_are_said(
    tmp_path: Path, others: int, said: bool
) -> None:
    """Above the stated part of the times of a column; they are midnights whether it is said or not."""
    others += round(1 / read(FILE)["midnight"]["share"]) - 1
    stays = "person_id,start\nP1,2020-03-05T00:00\n" + "P1,2020-03-04T09:00\n" * others
    opened = source(write(tmp_path, stays=stays))
    assert chunk(opened).stays["start"].max() == parse("2020-03-05")[0]
    assert ["read as midnight" in notice for notice in opened.notices] == [True] * said


def case(name: str) -> SheetsSource:
    if not (CASES / name).is_dir():
        pytest.skip("shared/cases is absent")
    return source(CASES / name)


@pytest.mark.parametrize(
    ("name", "columns"),
    [("plausible-age", {"age": "1e30"}), ("plausible-weight-height", {"weight_kg": "5850", "height_cm": "16.4"})],
)  # fmt: skip
def test_the_cases_of_implausible_persons(name: str, columns: dict[str, str]) -> None:
    """The cells are not used; the other cells of the row and the other persons are."""
    opened = case(name)
    first, *others = chunk(opened).persons.rows()
    assert first["sex"] == "F"
    assert not np.isnan(others[-1]["weight_kg"])
    for column, text in columns.items():
        assert np.isnan(first[column])
        (refusal,) = refusals(opened, column)
        assert refusal.example == f"persons:2 {text}"


def test_the_cases_of_open_ends() -> None:
    """A stay and an infusion that end on 31 December 9999 have no known end."""
    stays = chunk(case("dates-stay-9999")).stays
    assert stays["end"][stays["key"] == 2].tolist() == [UNKNOWN_TIME]
    opened = case("dates-dose-9999")
    doses = chunk(opened).administrations
    assert doses["end"][doses["key"] == 5].tolist() == [UNKNOWN_TIME]
    (refusal,) = opened.refused()
    assert refusal.example == "doses:5 9999-12-31T00:00"
