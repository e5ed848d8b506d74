"""The weight in force: the fast one says what the slow one says, for any records."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from becalm.core.arrays import Floats
from becalm.persons.weight import weight_in_force
from tests.records import at, chunk, lab, person, stay
from tests.reference.weight import Weighed, in_force

MINUTES = st.integers(-5 * 24 * 60, 5 * 24 * 60)
KG = st.sampled_from([0.0, 24.9, 25.0, 61.0, 90.0, 400.0, 400.1, 999.0])


@given(
    measured=st.dictionaries(MINUTES, KG, max_size=5),
    asked=st.lists(MINUTES, min_size=1, max_size=6),
    own=st.none() | KG,
    sheet=st.none() | KG,
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
        kg, source, age = in_force(minute, weighed, own=own, sheet=sheet, stays=stays)
        assert found.names()[i] == source
        assert (math.isnan(found.kg[i]) and kg is None) or found.kg[i] == kg
        hours = found.age_h[i]
        assert (math.isnan(hours) and age is None) or round(hours * 60) == age
        assert (found.row[i] >= 0) == (age is not None)
