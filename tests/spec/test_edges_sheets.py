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
from becalm.core.errors import RecordsError
from becalm.records import Records, Refusal
from becalm.records.sheets import SheetsSource
from becalm.records.sheets.plausible import is_placeholder, rules
from becalm.records.sheets.schema import SHEETS
from tests.records.chart_review import source, write
from tests.spec.edges import MINUTE, hours, read, unknown_keys

FILE = "records/sheets/plausible.toml"
CASES = Path(__file__).parents[3] / "shared" / "cases"
TESTED = dict.fromkeys(
    ["range[].low", "range[].high", "range[].variable", "longest[].upto", "placeholder.years",
     "placeholder.dates", "placeholder.words", "midnight.share"]
)  # fmt: skip
NO_EDGE = dict.fromkeys(
    ["range[].sheet", "range[].column", "range[].source", "range[].verified", "longest[].sheet",
     "longest[].column", "longest[].source", "longest[].verified", "placeholder.source",
     "midnight.source"]
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


@pytest.mark.parametrize("rule", LONGEST, ids=lambda rule: rule["sheet"])
@pytest.mark.parametrize(("minutes", "used"), [(-1, True), (0, True), (1, False)])
def test_a_row_ends_no_later_than_so_long_after_its_start(
    tmp_path: Path, rule: dict[str, Any], minutes: int, used: bool
) -> None:
    """Beyond it the end is not known, and counted; the row is used."""
    sheet, upto = rule["sheet"], hours(rule["upto"])
    moment = parse(START)[0] + round((upto + minutes * MINUTE) / 24 * DAY)
    end = from_us(moment).isoformat()
    cells = {"person_id": "P1", "start": START, "end": end, "drug": "anakinra", "name": "HD",
             "rate": "50", "rate_unit": "mg/h"}  # fmt: skip
    columns = [name for name in SHEETS[sheet].columns if name in cells]
    text = ",".join(columns) + "\n" + ",".join(cells[name] for name in columns) + "\n"
    opened = source(write(tmp_path, **{sheet: text}))
    table = {"stays": "stays", "doses": "administrations", "procedures": "procedures"}[sheet]
    (row,) = getattr(chunk(opened), table).rows()
    assert row["end"] == (moment if used else UNKNOWN_TIME)
    said = [(each.source_table, each.reason, each.example) for each in refusals(opened, "end")]
    reason = f"more than {rule['upto']} after start: cell not used"
    assert said == ([] if used else [(sheet, reason, f"{sheet}:2 {end}")])


@pytest.mark.parametrize(
    "day",
    [
        *rules().placeholder.dates,
        *(f"{y}-{day}" for y in rules().placeholder.years for day in ("01-01", "07-15", "12-31")),
    ],
)
def test_a_placeholder_is_no_date_however_it_is_written(tmp_path: Path, day: str) -> None:
    """As an end "still open", as a death "alive": the cell is blank, and counted with its text."""
    year, month, date = day.split("-")
    for text in (
        day,
        f"{day}T00:00",
        f"{day} 23:59:59",
        f"{date}.{month}.{year}",
        f"{month}/{date}/{year}",
    ):
        opened = source(
            write(
                tmp_path,
                persons=f"person_id,death_time\nP1,{text}\n",
                stays=f"person_id,start,end\nP1,{START},{text}\n",
            )
        )
        assert chunk(opened).persons["death_time"].tolist() == [UNKNOWN_TIME]
        assert chunk(opened).stays["end"].tolist() == [UNKNOWN_TIME]
        assert [(r.source_table, r.variable, r.reason, r.example) for r in opened.refused()] == [
            (
                "persons",
                "death_time",
                f"{text} stands for no date: read as blank",
                f"persons:2 {text}",
            ),
            ("stays", "end", f"{text} stands for no date: read as blank", f"stays:2 {text}"),
        ]


def test_a_day_beside_a_placeholder_is_a_date() -> None:
    """The day before and after each date of the list, and the years before and after those of the list."""
    for day in rules().placeholder.dates:
        if day.endswith("-00"):
            continue  # in no calendar
        moment = np.datetime64(day)
        for beside in (moment - 1, moment + 1):
            assert str(beside) in rules().placeholder.dates or not is_placeholder(str(beside))
    years = rules().placeholder.years
    for year in (each + step for each in years for step in (-1, 1)):
        assert year in years or not is_placeholder(f"{year}-12-31")
    assert not is_placeholder("2021-12-31")
    assert not is_placeholder("31/12/2021")


@pytest.mark.parametrize("word", rules().placeholder.words)
def test_a_database_writes_an_open_end_as_a_word(word: str) -> None:
    """In any capitals."""
    assert is_placeholder(word)
    assert is_placeholder(word.upper())


def test_a_placeholder_where_a_time_must_be_is_a_blank(tmp_path: Path) -> None:
    """A stay begins at some time: the mistake is that of a blank cell."""
    with pytest.raises(RecordsError, match="column start: start is blank"):
        source(write(tmp_path, stays="person_id,start\nP1,9999-12-31\n"))


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
