"""Weights and urine of real patients: no flip of the clearance, and volumes that add up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from becalm.core.clock import parse
from becalm.kidney.clearance import clearance_per_kg
from becalm.patients.understood import Patients
from becalm.persons.weight import weight_in_force
from becalm.records import open_records
from becalm.vocabulary import load

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
pytestmark = pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")


@pytest.fixture(scope="module")
def demo() -> Patients:
    [chunk] = open_records(str(DEMO)).chunks()
    return Patients.of(chunk, load())


def position(demo: Patients, person: str) -> int:
    return int(np.flatnonzero(demo.records.persons["person_id"] == person)[0])


def clearances(
    demo: Patients, person: str, since: str, until: str
) -> Iterator[tuple[float, float]]:
    """The weight and the clearance beside each dose of a person, in their order."""
    f, who = demo.doses.frame, position(demo, person)
    rows = np.flatnonzero(
        (f["person"] == who) & (f["start"] >= parse(since)[0]) & (f["start"] < parse(until)[0])
    )
    rows = rows[np.argsort(f["start"][rows], kind="stable")]
    per_kg = clearance_per_kg(demo.records, demo.events)
    low, _ = per_kg.at(f["person"][rows], f["start"][rows])
    yield from zip(
        f["weight_kg"][rows].tolist(), (low * f["weight_kg"][rows]).tolist(), strict=True
    )


def test_a_clearance_does_not_flip_with_a_restated_weight(demo: Patients) -> None:
    """58 kg at admission, 94.1 kg four hours later, 58 kg in every row of doses: one rise, and no way back."""
    found = list(clearances(demo, "10019777", "2187-02-10 20:00", "2187-02-11 01:00"))
    in_order = list(dict.fromkeys((kg, round(ml, 1)) for kg, ml in found))
    assert in_order == [(58.0, 79.7), (94.1, 129.2)]
    later = clearances(demo, "10019777", "2187-02-11 01:00", "2187-02-18")
    weights = [kg for kg, _ in later]
    assert weights == sorted(weights)
    assert set(weights) == {94.1, 95.3, 102.3, 104.2}


def test_an_admission_weight_in_pounds_does_not_undo_a_daily_weight(demo: Patients) -> None:
    """Charted again for days (127.6 lb beside 94 to 104 kg; 176 lb beside 83.7 kg), it is no measurement."""
    for person, when, kg in (
        ("10019777", "2187-02-14 08:00", 102.3),
        ("10019777", "2187-02-17 09:00", 104.2),
        ("10018081", "2134-08-07 16:00", 83.7),
        ("10019003", "2155-07-12 09:00", 68.9),
        ("10000032", "2180-07-23 15:00", 39.4),
    ):
        who = np.array([position(demo, person)], np.int32)
        found = weight_in_force(demo.records, demo.events, who, np.array([parse(when)[0]]))
        assert found.kg[0] == pytest.approx(kg), (person, when)


def test_two_outlets_charted_in_one_minute_are_their_sum(demo: Patients) -> None:
    """675 mL from the operating room and 130 mL from the catheter at 15:00: 805 mL, and no range."""
    urine = demo.events.points("urine_output")
    at = (urine.person == position(demo, "10004457")) & (urine.time == parse("2141-12-17 15:00")[0])
    assert urine.low[at].tolist() == urine.high[at].tolist() == [805]
    assert (urine.low == urine.high).all()


def test_urine_is_counted_beside_irrigation_and_not_during_it(demo: Patients) -> None:
    """Between volumes of irrigation there is no urine; before the first and after the last there is."""
    urine, rinse = (demo.events.points(name) for name in ("urine_output", "bladder_irrigation"))
    who = position(demo, "10002495")
    first, last = rinse.time[rinse.person == who][[0, -1]]
    times = urine.time[urine.person == who]
    assert not ((times >= first) & (times <= last)).any()
    assert (times < first).any()
    assert (times > last).any()
