"""Neutrophils from their percentage and the leucocytes of one specimen, where no count was reported."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.definitions import evaluate, load
from becalm.events import Events, harmonise, values
from becalm.records import open_records
from tests.records import V, chunk, lab
from tests.records.rows import Row, patient

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"


def counts(*rows: Row) -> list[tuple[float, float, str]]:
    """Return lowest and highest number of each neutrophil count, with the rows it rests on."""
    events = chunk(*rows).events
    points = events.points("neutrophils")
    names = [events.source_row(row) for row in points.row.tolist()]
    return list(zip(points.low.tolist(), points.high.tolist(), names, strict=True))


def percent(value: float | str, hour: float = 0, **more: Any) -> Row:
    return lab("neutrophils %", value, hour, "%", **more)


def leucocytes(value: float | str, hour: float = 0, unit: str = "10^9/L", **more: Any) -> Row:
    return lab("WBC", value, hour, unit, **more)


def bands(value: float | str, hour: float = 0) -> Row:
    return lab("bands", value, hour, "%")


def test_a_count_is_the_percentage_of_the_leucocytes() -> None:
    """30 % of 2.5 × 10⁹/L leucocytes is 0.75 × 10⁹/L neutrophils, resting on both rows."""
    assert counts(percent(30), leucocytes(2.5)) == [(0.75, 0.75, "labs:2|labs:3")]


def test_band_forms_are_added_where_they_were_counted() -> None:
    """Segmented 30 % and bands 12 % of 2.5 are 1.05; bands alone give no count."""
    assert counts(percent(30), bands(12), leucocytes(2.5)) == [(1.05, 1.05, "labs:2|labs:4|labs:3")]
    assert counts(bands(12), leucocytes(2.5)) == []


def test_more_than_all_leucocytes_is_all_of_them() -> None:
    """A laboratory whose percentage includes the bands reports 95 % and 10 %: no more than 100 % is counted."""
    assert counts(percent(95), bands(10), leucocytes(2.0))[0][:2] == (2.0, 2.0)


def test_a_reported_count_stands() -> None:
    """Where the laboratory gives the count itself, nothing is worked out beside it."""
    reported = lab("ANC", 0.69, 0, "10^9/L")
    assert counts(percent(30), leucocytes(2.5), reported) == [(0.69, 0.69, "labs:4")]
    later = lab("ANC", 0.69, 24, "10^9/L")
    assert [low for low, _, _ in counts(percent(30), leucocytes(2.5), later)] == [0.75, 0.69]


@pytest.mark.parametrize("hour", [-1, 1 / 60, 24])
def test_two_specimens_give_no_count(hour: float) -> None:
    """A percentage and leucocytes of two times of drawing belong to two specimens."""
    assert counts(percent(30), leucocytes(2.5, hour)) == []


def test_two_persons_give_no_count() -> None:
    """The leucocytes of another patient are not used, although both were drawn at one time."""
    assert counts(*patient("A", percent(30)), *patient("B", leucocytes(2.5))) == []


def test_a_count_is_known_when_its_last_part_was() -> None:
    """The machine's leucocytes come at once, the differential two hours later: the count is available then."""
    patients = chunk(percent(30, available=2), leucocytes(2.5, available=0.5))
    drawn = patients.events.points("neutrophils", "drawn")
    available = patients.events.points("neutrophils", "available")
    assert (available.time - drawn.time).tolist() == [2 * 3_600_000_000]


@pytest.mark.parametrize(
    ("share", "cells", "low", "high"),
    [
        (">90", "2.0", 1.8, 2.0), ("30", "<0.1", 0.0, 0.03), ("30", ">100", 30.0, np.inf), ("0", ">100", 0.0, 0.0),
        ("<5", "2.0", 0.0, 0.1),
    ],
)  # fmt: skip
def test_limits_stay_limits(share: str, cells: str, low: float, high: float) -> None:
    """30 % of less than 0.1 is less than 0.03; none of any number is none."""
    ((least, most, _),) = counts(percent(share), leucocytes(cells))
    assert [least, most] == [pytest.approx(low), pytest.approx(high)]


def test_two_leucocyte_counts_of_one_draw_are_a_range() -> None:
    """Two different results of one draw are both believed: the neutrophils lie between their products."""
    ((low, high, _),) = counts(percent(50), leucocytes(2.0), leucocytes(4.0))
    assert (low, high) == (1.0, 2.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["%", "wbc", "anc", "bands"]), st.integers(0, 3), st.integers(1, 99)
        ),
        max_size=10,
    )
)
def test_it_is_what_a_slow_reading_gives(rows: list[tuple[str, int, int]]) -> None:
    """For any mixture of results the counts are those of a reading draw by draw."""
    made = {
        "%": percent, "wbc": leucocytes, "bands": bands,
        "anc": lambda value, hour: lab("ANC", value, hour, "10^9/L"),
    }  # fmt: skip
    found = chunk(*(made[kind](value, hour) for kind, hour, value in rows)).events.points(
        "neutrophils"
    )
    expected: list[tuple[float, float]] = []
    for hour in range(4):
        of = {k: [v for kind, h, v in rows if kind == k and h == hour] for k in made}
        if of["anc"]:
            expected.append((min(of["anc"]), max(of["anc"])))
        elif of["%"] and of["wbc"]:
            few, many = min(of["bands"], default=0), max(of["bands"], default=0)
            low = min(min(of["%"]) + few, 100) * min(of["wbc"]) / 100
            high = min(max(of["%"]) + many, 100) * max(of["wbc"]) / 100
            expected.append((low, high))
    assert list(zip(found.low, found.high, strict=True)) == [
        (pytest.approx(low), pytest.approx(high)) for low, high in expected
    ]


BASE = [lab("haemoglobin", 8.0, 0, "g/dL"), lab("platelets", 200, 0, "10^9/L")]


@pytest.mark.parametrize(("share", "expected"), [(None, (0, 1)), (30, (1, 1)), (60, (0, 0))])
def test_the_highest_total_of_hlh_2004_falls_or_the_lowest_rises(
    share: float | None, expected: tuple[float, float]
) -> None:
    """With haemoglobin 8.0 and platelets 200 the cytopenias are open; 0.75 neutrophils meet them, 1.5 do not."""
    rows = [*BASE, leucocytes(2.5)] + ([] if share is None else [percent(share)])
    patients = chunk(*rows)
    evaluation = evaluate(load("hlh2004"), patients.inputs("drawn"))
    (item,) = (each for each in evaluation.definition.items if each.key == "cytopenias")
    time = int(patients.events.frame["time"][0])
    low, high = evaluation.bounds(item, [0], [time])
    assert (float(low[0]), float(high[0])) == expected


def table(events: Events) -> dict[str, dict[str, Any]]:
    return {row["variable"]: row for row in values(events).rows()}


def test_the_table_of_values_counts_derived_ones_beside_the_reported() -> None:
    """Two counts, one of them derived; the leucocytes are all reported."""
    rows = [percent(30), leucocytes(2.5), lab("ANC", 0.69, 24, "10^9/L"), leucocytes(3, 24)]
    found = table(chunk(*rows).events)
    assert (found["neutrophils"]["n"], found["neutrophils"]["n_derived"]) == (2, 1)
    assert (found["wbc"]["n"], found["wbc"]["n_derived"]) == (2, 0)


@pytest.mark.skipif(not DEMO.exists(), reason="shared/data/mimic-iv-demo is absent")
def test_the_public_demo_has_neutrophils_in_46_more_people() -> None:
    """Of the hundred patients of the MIMIC-IV demo 45 have a reported count; 46 have only the percentage."""
    reported, derived = set(), set()
    for records in open_records(str(DEMO)).chunks():
        events = harmonise(records, V)
        of = events.frame["variable"] == V.code("neutrophils")
        ids = records.persons["person_id"]
        reported |= set(ids[events.frame["person"][of & ~events.derived]])
        derived |= set(ids[events.frame["person"][of & events.derived]])
    assert len(reported) == 45
    assert len(derived - reported) == 46


@pytest.mark.parametrize(("says", "expected"), [(-1, [(1.0, 2.0)]), (2, [(2.0, 2.0)])])
def test_a_corrected_part_corrects_the_count(
    says: int, expected: list[tuple[float, float]]
) -> None:
    """Leucocytes of 2.0, then 4.0 of the same draw: marked as a correction the second holds, unmarked both."""
    rows = [
        percent(50, available=1),
        leucocytes(2.0, available=1),
        leucocytes(4.0, available=2, report=says),
    ]
    assert [(low, high) for low, high, _ in counts(*rows)] == expected
    available = chunk(*rows).events.points("neutrophils", "available")
    assert (available.low.tolist()[0], available.high.tolist()[0]) == (1.0, 1.0)
    assert [(available.low.tolist()[-1], available.high.tolist()[-1])] == expected


def test_a_part_that_was_taken_back_gives_no_count() -> None:
    """A correction of the leucocytes to "clotted" takes the count back as well."""
    rows = [percent(50), leucocytes(2.0, available=1), leucocytes("clotted", available=2, report=2)]
    assert counts(*rows) == []
