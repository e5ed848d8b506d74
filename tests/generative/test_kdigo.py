"""Kidney stages of many patients at once are those of one draw at a time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.kidney import kdigo
from becalm.kidney.baseline import CreatinineBaseline
from becalm.kidney.injury import kdigo_stages
from becalm.timeline import Intervals, Points
from tests.reference import renal as slow
from tests.reference.renal import HOUR, Draw

quickly = settings(max_examples=200, derandomize=True, deadline=None)

HOURS = st.sampled_from([0, 6, 12, 24, 36, 48, 49, 72, 96, 120, 167, 168, 169, 192, 240, 336])
CREATININE = st.sampled_from([0.5, 0.7, 0.8, 1.0, 1.2, 1.3, 1.5, 2.0, 2.3, 3.0, 3.7, 4.0, 4.2])
PERSON = st.tuples(
    st.dictionaries(HOURS, CREATININE, max_size=9),
    st.one_of(st.none(), CREATININE),
    st.lists(st.tuples(HOURS, st.sampled_from([4, 24, 100])), max_size=2),
)


@quickly
@given(st.lists(PERSON, max_size=4))
def test_fast_and_slow_stage_every_draw_alike(
    people: list[tuple[dict[int, float], float | None, list[tuple[int, int]]]],
) -> None:
    persons, times, values, sessions = [], [], [], []
    expected = []
    for person, (labs, baseline, replaced) in enumerate(people):
        draws = [Draw(hour * HOUR, mg_dl) for hour, mg_dl in sorted(labs.items())]
        courses = [(start * HOUR, (start + length) * HOUR) for start, length in replaced]
        expected += [(person, *each) for each in slow.stages(draws, baseline, courses)]
        persons += [person] * len(draws)
        times += [draw.time for draw in draws]
        values += [draw.mg_dl for draw in draws]
        sessions += [(person, *course) for course in courses]
    found = kdigo_stages(
        Points.build(persons, times, values),
        CreatinineBaseline.of([np.nan if b is None else b for _, b, _ in people]),
        Intervals.build(*zip(*sessions, strict=True)) if sessions else Intervals.empty(),
        kdigo.load().kdigo,
    ).points
    assert found.exact
    assert [
        (int(p), int(t), int(s))
        for p, t, s in zip(found.person, found.time, found.low, strict=True)
    ] == expected
