"""Urine: volumes of one minute add up; during bladder irrigation how much of it is urine is not known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.events import Events
from becalm.events.volumes import IRRIGATED
from becalm.vocabulary import load
from tests.records import Row, at, chunk, lab, procedure

MINUTE = 1 / 60


def urine(
    ml: float | str, hour: float, name: str = "urine output", *, available: float | None = None
) -> Row:
    return lab(name, ml, hour, "mL", available=available)


def volumes(*rows: Row, clock: str = "drawn") -> list[tuple[float, float, float]]:
    """Hour, lowest and highest volume of each minute."""
    points = chunk(*rows).events.points("urine_output", clock)  # type: ignore[arg-type]
    hours = (points.time - at(0)) / 3.6e9
    return [
        (round(float(hour), 4), float(low), float(high))
        for hour, low, high in zip(hours, points.low, points.high, strict=True)
    ]


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ([130, 675], 805, 805),
        ([100, 100], 200, 200),
        ([50, 60, 70], 180, 180),
        ([0, 40], 40, 40),
        ([200], 200, 200),
        (["<50", 100], 100, 150),
    ],
)
def test_volumes_of_one_minute_add_up(written: list[float | str], low: float, high: float) -> None:
    """A catheter and a nephrostomy, or twice the same outlet: both were measured, so both count."""
    [(_, lowest, highest)] = volumes(*(urine(ml, 3) for ml in written))
    assert (lowest, round(highest, 6)) == (low, high)


def test_volumes_of_different_minutes_stay_apart() -> None:
    """A minute apart they are two volumes."""
    assert volumes(urine(130, 3), urine(675, 3 + MINUTE)) == [(3, 130, 130), (3.0167, 675, 675)]


def test_a_sum_is_known_when_its_last_volume_is() -> None:
    """On the clock of what could be known, the sum of a minute waits for its later report."""
    rows = urine(130, 3, available=4), urine(675, 3, available=9)
    assert volumes(*rows, clock="available") == [(9, 805, 805)]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 900)), max_size=12),
)
def test_nothing_is_lost_when_volumes_add_up(charted: list[tuple[int, int]]) -> None:
    """However volumes share their minutes, the sum of all stays the sum of all."""
    found = volumes(*(urine(ml, minute / 60) for minute, ml in charted))
    by_minute: dict[int, int] = {}
    for minute, ml in charted:
        by_minute[minute] = by_minute.get(minute, 0) + ml
    assert [(round(hour * 60), low) for hour, low, _ in found] == sorted(by_minute.items())


def refused(events: Events) -> list[str]:
    return [each.reason for each in events.refused if each.variable == "urine_output"]


@pytest.mark.parametrize(
    "name", ["GU irrigant", "Bladder irrigation", "GU Irrigant/Urine Volume Out"]
)
def test_urine_during_bladder_irrigation_is_not_known(name: str) -> None:
    """Between one irrigation volume and the next, a volume of urine is refused, counted and told why."""
    rows = [
        urine(80, 1),
        urine(3000, 2, name),
        urine(500, 5),
        urine(3600, 9, name),
        urine(60, 9),
        urine(70, 9 + MINUTE),
    ]
    events = chunk(*rows).events
    points = events.points("urine_output")
    assert points.low.tolist() == [80, 70]
    assert refused(events) == [IRRIGATED]
    assert [each.rows for each in events.refused] == [2]


def test_two_irrigations_far_apart_are_two() -> None:
    """Volumes of irrigation further apart than one is valid are two irrigations, with urine between them."""
    valid = load().variable("bladder_irrigation").valid.us / 3.6e9
    for apart, kept in ((valid - MINUTE, 0), (valid, 0), (valid + MINUTE, 1)):
        events = chunk(
            urine(3000, 0, "gu irrigant"), urine(90, 5), urine(3000, apart, "gu irrigant")
        ).events
        assert len(events.points("urine_output")) == kept


@pytest.mark.parametrize(
    ("hour", "known"), [(2 - MINUTE, True), (2, False), (5, False), (8, False), (8 + MINUTE, True)]
)
def test_an_irrigation_as_a_procedure_has_a_start_and_an_end(hour: float, known: bool) -> None:
    """From its start to its end, both included, urine is not known."""
    events = chunk(procedure("continuous bladder irrigation", 2, 8), urine(90, hour)).events
    assert (len(events.points("urine_output")) == 1) is known


def test_a_rinse_of_nothing_is_no_irrigation() -> None:
    """An irrigation volume of 0 mL does not make urine unknown."""
    events = chunk(urine(0, 2, "gu irrigant"), urine(90, 2)).events
    assert events.points("urine_output").low.tolist() == [90]
    assert np.isfinite(events.points("bladder_irrigation").low).all()
