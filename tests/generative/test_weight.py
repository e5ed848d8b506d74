"""The weight in force: the fast one says what the slow one says, for any records."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from becalm.core.arrays import Floats
from becalm.persons.weight import weight_in_force
from tests.records import at, chunk, dose, lab, person, stay
from tests.reference.weight import Weighed, in_force

MINUTES = st.integers(-5 * 24 * 60, 5 * 24 * 60)
SLIPS = st.sampled_from([0.0, 400.1, 999.0])
KG = st.sampled_from([24.9, 25.0, 61.0, 90.0, 91.4, 91.5, 137.2, 137.3, 200.0, 400.0])


@given(
    measured=st.dictionaries(MINUTES, KG, max_size=7),
    asked=st.lists(MINUTES, min_size=1, max_size=6),
    own=st.none() | KG | SLIPS,
    sheet=st.none() | KG | SLIPS,
    stayed=st.booleans(),
)
def test_fast_and_slow_find_the_same_weight(
    measured: dict[int, float],
    asked: list[int],
    own: float | None,
    sheet: float | None,
    stayed: bool,
) -> None:
    stays = [(-2 * 24 * 60, 3 * 24 * 60)] if stayed else []
    patients = chunk(
        person("other", weight_kg=50.0),
        person("one", age=44, weight_kg=np.nan if sheet is None else sheet),
        *(lab("weight", kg, minute / 60, person=1) for minute, kg in measured.items()),
        *(stay(start / 60, end / 60, person=1) for start, end in stays),
        lab("weight", 70.0, 0, person=0),
    )
    moments = np.array([at(minute / 60) for minute in asked], np.int64)
    stated: Floats = np.full(len(asked), np.nan if own is None else own)
    found = weight_in_force(
        patients.records, patients.events, np.ones(len(asked), np.int32), moments, stated
    )
    weighed = [Weighed(minute, kg) for minute, kg in measured.items()]
    for i, minute in enumerate(asked):
        slow = in_force(minute, weighed, own=own, sheet=sheet, stays=stays)
        assert found.names()[i] == slow.source
        assert (None if math.isnan(found.kg[i]) else found.kg[i]) == slow.kg
        assert (None if math.isnan(found.aside_kg[i]) else found.aside_kg[i]) == slow.aside
        hours = found.age_h[i]
        assert (math.isnan(hours) and slow.age is None) or round(hours * 60) == slow.age
        assert (found.row[i] >= 0) == (slow.age is not None)


@given(
    course=st.dictionaries(MINUTES, st.integers(68, 75), min_size=2, max_size=6),
    wrong=st.sampled_from([30.0, 40.0, 45.3, 112.5, 154.0, 165.0, 240.0, 399.0]),
    when=MINUTES,
    asked=st.lists(MINUTES, min_size=1, max_size=6),
    sheet=st.none() | st.integers(68, 75),
)
def test_a_weight_far_from_its_neighbours_changes_nothing_but_a_remark(
    course: dict[int, int], wrong: float, when: int, asked: list[int], sheet: int | None
) -> None:
    """Between two weights, or beside one and the sheet; alone at an end without a sheet nobody knows."""
    between = min(course) < when < max(course)
    assume(when not in course and (between or sheet is not None))
    patient = person(weight_kg=np.nan if sheet is None else float(sheet))
    true = [lab("weight", float(kg), minute / 60) for minute, kg in course.items()]
    doses = [dose("anakinra", minute / 60, minute / 60 + 1, rate="1 mg/kg/h") for minute in asked]
    before = chunk(patient, *true, *doses).doses.frame
    after = chunk(patient, *true, lab("weight", wrong, when / 60), *doses).doses.frame
    for name in before.columns:
        if name in ("flag", "weight_remark", "weight_row"):
            continue
        assert before[name].tolist() == pytest.approx(after[name].tolist(), nan_ok=True), name
    added = [
        (remark or "").replace(old, "")
        for old, remark in zip(before["flag"], after["flag"], strict=True)
    ]
    assert all(not each or f"weight set aside: {wrong:.4g} kg" in each for each in added)
    resting = [minute for minute in asked if when <= minute < min((m for m in course if m > when), default=10**9)
               and minute - when < 24 * 60]  # fmt: skip
    assert sum(bool(each) for each in added) >= len(resting)
