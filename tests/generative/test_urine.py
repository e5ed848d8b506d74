"""Stages by urine of many patients at once are those of one window at a time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.kidney import kdigo, urine
from becalm.timeline import Intervals, Points
from tests.reference import urine as slow
from tests.reference.urine import HOUR, Stay, Volume

quickly = settings(max_examples=200, derandomize=True, deadline=None)

HOURS = st.sampled_from([1, 2, 5, 6, 7, 11, 12, 13, 18, 23, 24, 25, 30, 36, 48, 60, 61, 85, 110])
ML = st.sampled_from([0, 0, 0, 5, 40, 100, 239, 240, 241, 300, 480, 576, 700, 2000])
STAY = st.dictionaries(HOURS, ML, max_size=8)
PERSON = st.tuples(
    st.lists(STAY, min_size=1, max_size=2), st.sampled_from([80.0, 40.0, None]), st.booleans()
)


@quickly
@given(st.lists(PERSON, max_size=4))
def test_fast_and_slow_stage_every_window_alike(
    people: list[tuple[list[dict[int, int]], float | None, bool]],
) -> None:
    """With stays, each observed from its begin; or without, from the first volume on."""
    persons, times, values, expected = [], [], [], []
    care: list[tuple[int, int, int]] = []
    for person, (charted, kg, in_stays) in enumerate(people):
        parts = []
        for at, stay in enumerate(charted if in_stays else charted[:1]):
            begin = 112 * at * HOUR
            volumes = [Volume(begin + hour * HOUR, float(ml)) for hour, ml in sorted(stay.items())]
            parts.append(Stay(begin if in_stays else None, volumes))
            if in_stays:
                care.append((person, begin, begin + 111 * HOUR))
        flat = [each for part in parts for each in part.volumes]
        expected += [(person, *each) for each in slow.stages(parts, {v.time: kg for v in flat})]
        persons += [person] * len(flat)
        times += [each.time for each in flat]
        values += [each.ml for each in flat if each.ml is not None]
    points = Points.build(persons, times, values)
    stays = Intervals.build(*zip(*care, strict=True)) if care else Intervals.empty()
    rule = kdigo.load().urine
    weights = np.array([np.nan if kg is None else kg for _, kg, _ in people], np.float64)
    flow = urine.flow(points, (stays, Intervals.empty()), rule)
    found = urine.stages(points, flow, weights[points.person], rule)
    assert [
        (int(p), int(t), int(s))
        for p, t, s in zip(found.person, found.time, found.low, strict=True)
    ] == expected
