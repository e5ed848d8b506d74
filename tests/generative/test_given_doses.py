"""Concentrations by doses as they were given equal a matrix exponential from change to change, for any doses and kidney."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.pk import CovariateCourse, GivenDoses, VirtualPatients, load, patient_curves
from tests.reference import exposure as slow

KG, AGE, END = 64.0, 58.0, 96.0
quarters = st.integers(0, int(END * 4)).map(lambda n: n / 4)
infusions = st.tuples(quarters, st.integers(1, 80), st.integers(1, 100)).map(
    lambda each: slow.Infused(each[0], min(each[0] + each[1] / 4, END), float(each[2]))
)
doses = st.builds(slow.Once, quarters, st.integers(1, 200).map(float), st.booleans())
draws = st.builds(slow.Drawn, quarters, st.integers(4, 90).map(lambda n: n / 10))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(infusions, max_size=5),
    st.lists(doses, max_size=6),
    st.lists(draws, min_size=1, max_size=6, unique_by=lambda each: each.hour),
)
def test_levels_and_areas_are_those_of_a_matrix_exponential(
    infused: list[slow.Infused], once: list[slow.Once], drawn: list[slow.Drawn]
) -> None:
    infused = [each for each in infused if each.end > each.start]
    drawn = sorted(drawn)
    hours = [float(hour) for hour in range(int(END) + 1)]
    answer = slow.anakinra(infused, once, drawn, hours, age=AGE, kg=KG)
    what = GivenDoses(
        np.array(infused, float).reshape(-1, 3),
        np.array([(each.hour, each.mg) for each in once if not each.skin], float).reshape(-1, 2),
        np.array([(each.hour, each.mg) for each in once if each.skin], float).reshape(-1, 2),
    )
    at = np.array([0.0, *(each.hour for each in drawn[1:])])
    cleared = np.array([slow.woman(each.value, AGE, KG) for each in drawn])
    fixed = {"weight": KG, "haemodialysis": 0.0, "effluent_flow": 0.0}
    courses = {
        name: CovariateCourse(name, np.empty(0), np.array([value])) for name, value in fixed.items()
    }
    courses["creatinine_clearance"] = CovariateCourse("creatinine_clearance", at, cleared)
    found = patient_curves(VirtualPatients(load("anakinra"), 0, 1), what, courses, hours, END)
    level = found.at(np.array(hours[:-1]))[0]
    assert level == pytest.approx(np.array(answer.level[:-1]), rel=1e-8, abs=1e-9)
    areas = [found.area(a, a + 1)[0] for a in hours[:-1]]
    assert areas == pytest.approx(answer.area, rel=1e-8, abs=1e-9)
