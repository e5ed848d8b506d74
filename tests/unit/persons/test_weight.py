"""The weight in force: each step of its order, at its bounds, and one weight in every row."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from becalm.persons.weighed import rules
from becalm.persons.weight import SOURCES, WeightInForce, weight_in_force
from becalm.records import open_records
from becalm.study.protocol_names import load as load_protocol
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.records import Row, at, chunk, dose, lab, person, sheets, stay

CASES = Path(__file__).parents[4] / "shared" / "cases"
MINUTE = 1 / 60


def weighed(
    *rows: Row,
    hour: float | None = 0,
    own: float = np.nan,
    sheet: float | None = None,
    age: int = 44,
) -> WeightInForce:
    """The weight of one person at an hour."""
    patients = chunk(person(age=age, weight_kg=np.nan if sheet is None else sheet), *rows)
    moment = np.array([at(hour)])
    who = np.zeros(1, np.int32)
    return weight_in_force(patients.records, patients.events, who, moment, np.array([own]))


def answer(found: WeightInForce) -> tuple[float | None, str]:
    kg = float(found.kg[0])
    return (None if math.isnan(kg) else kg), str(found.names()[0])


def weight(kg: float, hour: float) -> Row:
    return lab("weight", kg, hour)


@pytest.mark.parametrize(
    ("hours_before", "expected"),
    [
        (0, (61, "measured before")),
        (24 - MINUTE, (61, "measured before")),
        (24, (70, "persons sheet")),
        (24 + MINUTE, (70, "persons sheet")),
    ],
)
def test_a_measured_weight_stands_for_less_than_a_day(
    hours_before: float, expected: tuple[float, str]
) -> None:
    assert answer(weighed(weight(61, -hours_before), sheet=70)) == expected


@pytest.mark.parametrize(
    ("hours_after", "expected"),
    [
        (MINUTE, (61, "measured after")),
        (24 - MINUTE, (61, "measured after")),
        (24, (70, "persons sheet")),
        (24 + MINUTE, (70, "persons sheet")),
    ],
)
def test_and_describes_less_than_a_day_before_it(
    hours_after: float, expected: tuple[float, str]
) -> None:
    assert answer(weighed(weight(61, hours_after), sheet=70)) == expected


def test_each_step_of_the_order_gives_way_to_the_one_before() -> None:
    """Own, measured before, measured after, sheet, older, later in the stay, none."""
    older, before, after, later = weight(50, -200), weight(55, -5), weight(65, 5), weight(75, 200)
    here = stay(-100, 300)
    assert answer(weighed(older, before, after, later, here, own=45, sheet=70)) == (45, "own")
    assert answer(weighed(older, before, after, later, here, sheet=70)) == (55, "measured before")
    assert answer(weighed(older, after, later, here, sheet=70)) == (65, "measured after")
    assert answer(weighed(older, later, here, sheet=70)) == (70, "persons sheet")
    assert answer(weighed(older, later, here)) == (50, "older measurement")
    assert answer(weighed(later, here)) == (75, "later in the stay")
    assert answer(weighed(later)) == (None, "")
    assert [SOURCES[0], *SOURCES[1:]] == ["", "own", "measured before", "measured after",
                                          "persons sheet", "older measurement", "later in the stay"]  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "expected"), [(100 + MINUTE, 61), (100, None), (100 - MINUTE, None)]
)
def test_a_weight_of_another_stay_is_not_taken(ends: float, expected: float | None) -> None:
    """Measured at the very end of the stay, or after it, it describes somebody else's body."""
    assert answer(weighed(weight(61, 100), stay(-10, ends)))[0] == expected


@pytest.mark.parametrize(
    ("second", "expected"),
    [(63, 61.5), (60 * 1.05, 61.5), (63.1, None), (72, None)],
)
def test_two_weights_of_one_minute_are_their_mean_if_they_nearly_agree(
    second: float, expected: float | None
) -> None:
    """5 % apart they are one weight; further apart nobody knows which is right."""
    found = answer(weighed(weight(60, -1), weight(second, -1)))[0]
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("kg", "age", "usable"),
    [
        (25, 44, True), (24.9, 44, False), (24.9, 18, False), (24.9, 17, True), (0.4, 1, True),
        (0.39, 1, False), (400, 44, True), (400.1, 44, False),
    ],
)  # fmt: skip
def test_what_no_such_person_weighs_does_not_count(kg: float, age: int, usable: bool) -> None:
    assert (answer(weighed(sheet=kg, age=age))[0] is not None) == usable
    assert (answer(weighed(own=kg, age=age))[0] is not None) == usable


def test_the_age_of_a_weight_is_negative_where_it_was_measured_later() -> None:
    assert weighed(weight(61, -5)).age_h[0] == 5
    assert weighed(weight(61, 5)).age_h[0] == -5
    assert math.isnan(weighed(sheet=70).age_h[0])
    assert math.isnan(weighed(own=70).age_h[0])


def test_at_an_unknown_time_only_what_has_no_time_is_known() -> None:
    assert answer(weighed(weight(61, 0), hour=None)) == (None, "")
    assert answer(weighed(weight(61, 0), hour=None, sheet=70)) == (70, "persons sheet")


def test_nobody_and_nothing_measured_is_ordinary() -> None:
    patients = chunk(person())
    none = np.empty(0, np.int64)
    found = weight_in_force(patients.records, patients.events, none.astype(np.int32), none)
    assert len(found.kg) == 0
    assert answer(weighed()) == (None, "")


def test_the_numbers_are_a_proposal_and_say_so() -> None:
    assert not rules().verified
    assert "proposal" in rules().source


# ------------------------------------------------------------ one weight in every row


def study(folder: Path, protocol: str = "anakinra_mas") -> StudyResult:
    return run(open_records(str(folder)), load_protocol(protocol), folder.name)


def infused(folder: Path, *, own: bool, measured: tuple[str, float]) -> Path:
    """Somebody on 1 mg/kg/h, with a weight of the row's own or one measured at a time."""
    stated = {"weight_kg": 61} if own else {}
    return sheets(
        folder,
        person("A", age=50, age_at="2020-03-01", death="2020-03-20"),
        stay("2020-03-01", "2020-03-20", destination="died"),
        lab("ferritin", 20000, "2020-03-08T08:00"),
        lab("creatinine", 1.0, "2020-03-09T01:00"),
        lab("temperature", 39.6, "2020-03-08T08:00"),
        lab("weight", measured[1], measured[0]),
        dose("anakinra", "2020-03-09T02:00", "2020-03-10T18:00", rate="1 mg/kg/h", **stated),
    )


@pytest.mark.parametrize(
    ("own", "measured", "source", "age"),
    [
        (False, ("2020-03-06T08:00", 61), "older measurement", 66.0),
        (True, ("2020-03-08T20:00", 90), "own", math.nan),
    ],
    ids=["three days old", "beside one of its own"],
)
def test_a_dose_per_kg_and_the_clearance_beside_it_rest_on_one_weight(
    tmp_path: Path, own: bool, measured: tuple[str, float], source: str, age: float
) -> None:
    """A row that prints 61 kg beside a clearance of 90 kg is wrong in one of the two."""
    result = study(infused(tmp_path / "records", own=own, measured=measured))
    first, *_ = result.tables["daily_dose"].rows()
    assert (first["weight_used"], first["weight_source"]) == (61, source)
    assert first["weight_age_h"] == pytest.approx(age, nan_ok=True)
    assert first["peak_rate_mg_h"] == 61
    assert first["mg_per_kg"] * 61 == pytest.approx(first["mg"])
    assert first["crcl_ml_min"] == round((140 - 50) * 61 / 72 * 0.85, 1)
    [dose] = result.tables["doses"].rows()
    assert (dose["rate_mg_h"], dose["weight_kg"], dose["weight_source"]) == (61, 61, source)
    [who] = result.tables["persons"].rows()
    assert (who["weight_kg"], who["weight_source"]) == (61, source)
    assert who["weight_row"].split(":")[0] == ("doses" if own else "labs")
    assert ("day or longer before" in dose["flag"]) == (source == "older measurement")


@pytest.mark.parametrize("case", ["doses-weight-a", "doses-weight-b"])
def test_the_same_in_records_that_were_once_read_wrong(case: str) -> None:
    folder = CASES / case
    if not folder.is_dir():
        pytest.skip("shared/cases is absent")
    protocol = folder / "any.toml"
    result = study(folder, str(protocol) if protocol.exists() else "anakinra_mas")
    rates = {
        row["rate_mg_h"]
        for row in result.tables["doses"].rows()
        if row["person_id"] == "A" and row["rate_mg_h"] > 0
    }
    assert rates == {61}
    days = [row for row in result.tables["daily_dose"].rows() if row["person_id"] == "A"]
    assert {row["weight_used"] for row in days} <= {61}
