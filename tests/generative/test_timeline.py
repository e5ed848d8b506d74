"""The fast core gives what the slow, obvious one gives, whatever the records look like."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.timeline import (
    Cumulative,
    Intervals,
    Points,
    Take,
    Timeline,
    combine,
    nearest,
    overlay,
    rounded,
)
from tests.reference import timeline as slow
from tests.reference.timeline import HOUR, Point, Rate, Segments, Spans

quickly = settings(max_examples=100, derandomize=True, deadline=None)

PERSONS = st.sampled_from([0, 1, 2, 5, 70_000])
MOMENTS = st.integers(-12, 30)
SCALES = st.sampled_from([1, HOUR, 10**17])
"""The last makes two persons longer than int64: the axis must fall back on ranks."""
TAKES: list[Take] = ["last", "max", "min", "sum", "count"]


@st.composite
def bounds(draw: st.DrawFn) -> tuple[float, float]:
    value = float(draw(st.integers(0, 5)))
    kind = draw(st.sampled_from(["exact", "exact", "exact", "above", "below", "range"]))
    if kind == "above":
        return math.nextafter(value, math.inf), math.inf
    if kind == "below":
        return 0.0, math.nextafter(value + 1, -math.inf)
    return value, value + (2.0 if kind == "range" else 0.0)


@st.composite
def raw_points(draw: st.DrawFn, scale: int, clock: str) -> list[Point]:
    rows = draw(st.lists(st.tuples(PERSONS, MOMENTS, bounds(), st.integers(0, 20)), max_size=14))
    return [
        Point(
            person,
            time * scale,
            low if clock != "exact" else round(low),
            high if clock != "exact" else round(low),
            row,
            (time - late) * scale if clock == "available" else None,
        )
        for row, (person, time, (low, high), late) in enumerate(rows)
    ]


def fast_points(raw: list[Point]) -> Points:
    shuffled = raw[::-1]
    late = any(p.drawn is not None for p in raw)
    return Points.build(
        [p.person for p in shuffled],
        [p.time for p in shuffled],
        [p.low for p in shuffled],
        [p.high for p in shuffled],
        [p.row for p in shuffled],
        drawn=[p.drawn or 0 for p in shuffled] if late else None,
    )


@st.composite
def worlds(draw: st.DrawFn, clock: str = "either") -> tuple[int, list[Point], Points]:
    """A time scale, the collapsed points and the same points in the fast core."""
    scale = draw(SCALES)
    if clock == "either":
        clock = draw(st.sampled_from(["drawn", "available"]))
    raw = draw(raw_points(scale, clock))
    return scale, slow.collapse(raw)[0], fast_points(raw)


@st.composite
def timelines(draw: st.DrawFn, scale: int) -> tuple[Segments, Timeline]:
    points = slow.collapse(draw(raw_points(scale, "drawn")))[0]
    within = draw(st.integers(1, 12)) * scale
    return slow.hold(points, within), fast_points(points).hold(within)


@st.composite
def several(draw: st.DrawFn, count: int = 2) -> tuple[int, list[Segments], list[Timeline]]:
    scale = draw(SCALES)
    pairs = [draw(timelines(scale)) for _ in range(count)]
    return scale, [p[0] for p in pairs], [p[1] for p in pairs]


@st.composite
def spans(draw: st.DrawFn, scale: int) -> tuple[Spans, Intervals]:
    rows = draw(st.lists(st.tuples(PERSONS, MOMENTS, st.integers(0, 8)), max_size=12))
    plain: Spans = {}
    for person, start, length in rows:
        plain.setdefault(person, []).append((start * scale, (start + length) * scale))
    fast = Intervals.build(
        [p for p, _, _ in rows],
        [s * scale for _, s, _ in rows],
        [(s + n) * scale for _, s, n in rows],
    )
    return slow.union(plain), fast


def plain(timeline: Timeline) -> Segments:
    result: Segments = {}
    for person, start, end, low, high in zip(
        timeline.person, timeline.start, timeline.end, timeline.low, timeline.high, strict=True
    ):
        segment = (int(start), int(end), float(low), float(high))
        result.setdefault(int(person), []).append(segment)
    return result


def plain_spans(intervals: Intervals) -> Spans:
    result: Spans = {}
    for person, start, end in zip(intervals.person, intervals.start, intervals.end, strict=True):
        result.setdefault(int(person), []).append((int(start), int(end)))
    return result


def everywhere(scale: int) -> list[tuple[int, int]]:
    """Persons, one of whom has no records, at and around every moment."""
    moments = [m * scale + d for m in range(-13, 45, 3) for d in (-1, 0)]
    moments = [m for m in moments if abs(m) < slow.LIMIT]
    return [(person, time) for person in (0, 3, 70_000) for time in moments]


@quickly
@given(st.data(), st.sampled_from(["drawn", "available", "exact"]))
def test_results_of_one_instant_collapse_as_in_the_oracle(data: st.DataObject, clock: str) -> None:
    raw = data.draw(raw_points(1, clock))
    points, conflicts = slow.collapse(raw)
    fast = fast_points(raw)
    assert fast.conflicts == conflicts
    assert fast.exact == all(p.low == p.high for p in points)
    assert [
        (fast.person[i], fast.time[i], fast.low[i], fast.high[i], fast.row[i])
        for i in range(len(fast))
    ] == [p[:5] for p in points]


@quickly
@given(worlds(), st.integers(1, 20), st.sampled_from(TAKES))
def test_trailing_is_the_oracle_s(world: Any, within: int, take: Take) -> None:
    scale, points, fast = world
    assert plain(fast.trailing(take, within * scale)) == slow.trailing(points, take, within * scale)


@quickly
@given(worlds("drawn"), st.integers(1, 20))
def test_hold_is_the_oracle_s_and_the_trailing_last(world: Any, within: int) -> None:
    scale, points, fast = world
    expected = slow.hold(points, within * scale)
    assert plain(fast.hold(within * scale)) == expected
    assert slow.trailing(points, "last", within * scale) == expected


@quickly
@given(worlds(), st.integers(1, 20), st.sampled_from(TAKES))
def test_evidence_names_the_oracle_s_rows(world: Any, within: int, take: Take) -> None:
    scale, points, fast = world
    timeline = fast.trailing(take, within * scale)
    asked = everywhere(scale)
    number, row = timeline.evidence_at([p for p, _ in asked], [t for _, t in asked])
    for i, (person, time) in enumerate(asked):
        expected = slow.evidence(points, take, within * scale, person, time)
        assert row[number == i].tolist() == expected


@quickly
@given(worlds(), st.integers(0, 12), st.integers(0, 12))
def test_the_nearest_draw_is_the_oracle_s(world: Any, before: int, after: int) -> None:
    scale, points, fast = world
    asked = everywhere(scale)
    who = np.array([p for p, _ in asked], np.int32)
    at = np.array([t for _, t in asked])
    start, end = at - before * scale, at + after * scale
    found = nearest.nearest(fast, at, *nearest.within(fast, who, start, end))
    for i, (person, time) in enumerate(asked):
        expected = slow.nearest(points, person, time, int(start[i]), int(end[i]))
        assert found.row[i] == expected


@quickly
@given(st.data(), worlds(), st.integers(0, 5))
def test_choosing_points_keeps_the_rows_that_qualify(
    data: st.DataObject, world: Any, threshold: int
) -> None:
    scale, points, fast = world
    windows, fast_windows = data.draw(spans(scale))
    inside = fast.clip(fast_windows)
    assert inside.row.tolist() == [
        p.row for p in points if slow.contains(windows, p.person, p.time)
    ]
    high = fast.where(lambda low, high: low >= threshold)
    assert high.row.tolist() == [p.row for p in points if p.low >= threshold]
    doubled = fast.map(lambda low, high: (low * 2, high * 2))
    assert doubled.high.tolist() == [p.high * 2 for p in points]
    assert doubled.row.tolist() == [p.row for p in points]


@quickly
@given(several(1))
def test_at_known_at_and_before_agree_with_the_oracle(world: Any) -> None:
    scale, [expected], [fast] = world
    asked = everywhere(scale)
    person, time = [p for p, _ in asked], [t for _, t in asked]
    low, high = fast.at(person, time)
    before = fast.before(person, np.array(time) + 1)
    known = fast.known_at(person, time)
    for i, (who, when) in enumerate(asked):
        value = slow.at(expected, who, when)
        assert (low[i], high[i]) == value == (before[0][i], before[1][i])
        assert known[i] == (value != slow.UNKNOWN)
    assert plain_spans(fast.known()) == slow.where(expected, lambda low, high: True)
    assert fast.persons.tolist() == sorted(expected)


@quickly
@given(several(3))
def test_combine_is_the_oracle_s(world: Any) -> None:
    _, expected, fast = world

    def total(*pairs: tuple[Any, Any]) -> tuple[Any, Any]:
        return sum(p[0] for p in pairs), sum(p[1] for p in pairs)

    def worst(*pairs: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = pairs[0]
        for other in pairs[1:]:
            low, high = np.maximum(low, other[0]), np.maximum(high, other[1])
        return low, high

    def score(*pairs: tuple[Any, Any]) -> tuple[Any, Any]:
        return sum((p[0] >= 2) * 3 for p in pairs), sum((p[1] >= 2) * 3 for p in pairs)

    functions: list[Callable[..., Any]] = [total, worst, score]
    for f in functions:
        assert plain(combine(f, *fast)) == slow.combine(f, *expected)


@quickly
@given(
    st.lists(
        st.tuples(PERSONS, MOMENTS, st.integers(0, 12), st.sampled_from([0.0, 0.1, 0.3, 2.7])),
        max_size=14,
    ),
    SCALES,
)
def test_overlay_is_the_oracle_s_and_leaves_no_residue(rows: Any, scale: int) -> None:
    rates = [
        Rate(person, start * scale, (start + length) * scale, rate, row)
        for row, (person, start, length, rate) in enumerate(rows)
    ]
    columns: Any = list(zip(*rates, strict=True)) or [[]] * 5
    fast = overlay(*columns)
    expected = slow.overlay(rates)
    assert [(p, s[:2]) for p, segs in sorted(plain(fast).items()) for s in segs] == [
        (p, s[:2]) for p, segs in sorted(expected.items()) for s in segs
    ]
    for person, segments in plain(fast).items():
        for start, end, low, high in segments:
            assert low == high == pytest.approx(slow.at(expected, person, start)[0], abs=1e-15)
            alone = [r for r in rates if r.person == person and r.start <= start < r.end]
            if len(alone) == 1:
                assert low == alone[0].rate
            rows_open = [r.row for r in sorted(alone, key=lambda r: (r.start, r.row))]
            assert list(fast.evidence(person, start)) == rows_open
            assert end > start


@quickly
@given(several(1), st.integers(0, 5))
def test_where_and_first_are_the_oracle_s(world: Any, threshold: int) -> None:
    _, [expected], [fast] = world
    for holds in (lambda low, high: low >= threshold, lambda low, high: high < threshold):
        assert plain_spans(fast.where(holds)) == slow.where(expected, holds)
        person, time = fast.first(holds)
        assert dict(zip(person.tolist(), time.tolist(), strict=True)) == slow.first(expected, holds)


@quickly
@given(several(1), st.integers(-9, 9))
def test_shift_is_the_oracle_s(world: Any, by: int) -> None:
    scale, [expected], [fast] = world
    if scale < 10**17:
        moved = fast.shift(by * scale)
        assert plain(moved) == slow.shift(expected, by * scale)
        assert plain_spans(moved.known()) == plain_spans(fast.known().shift(by * scale))


@quickly
@given(st.data(), several(1))
def test_clip_is_the_oracle_s(data: st.DataObject, world: Any) -> None:
    scale, [expected], [fast] = world
    windows, fast_windows = data.draw(spans(scale))
    clipped = fast.clip(fast_windows)
    assert plain(clipped) == slow.clip(expected, windows)
    for person, time in everywhere(scale)[::5]:
        same = fast.evidence(person, time) if slow.contains(windows, person, time) else ()
        assert clipped.evidence(person, time) == same


@quickly
@given(st.data(), several(1))
def test_integrate_and_covered_are_the_oracle_s(data: st.DataObject, world: Any) -> None:
    scale, [expected], [fast] = world
    asked = data.draw(st.lists(st.tuples(PERSONS, MOMENTS, st.integers(0, 14)), max_size=6))
    person = [p for p, _, _ in asked]
    start, end = [s * scale for _, s, _ in asked], [(s + n) * scale for _, s, n in asked]
    low, high = fast.integrate(person, start, end)
    known = fast.covered(person, start, end)
    for i, question in enumerate(zip(person, start, end, strict=True)):
        assert (low[i], high[i]) == pytest.approx(slow.integrate(expected, *question), rel=1e-12)
        assert known[i] == slow.covered(expected, *question)


@quickly
@given(st.data(), SCALES, st.integers(0, 6))
def test_intervals_are_the_oracle_s(data: st.DataObject, scale: int, gap: int) -> None:
    expected, fast = data.draw(spans(scale))
    other, fast_other = data.draw(spans(scale))
    assert plain_spans(fast) == expected
    assert plain_spans(fast.bridge(gap * scale)) == slow.bridge(expected, gap * scale)
    asked = everywhere(scale)
    person, time = [p for p, _ in asked], [t for _, t in asked]
    mine = [slow.contains(expected, *each) for each in asked]
    theirs = [slow.contains(other, *each) for each in asked]
    assert fast.contains(person, time).tolist() == mine
    for result, both in (
        (fast.clip(fast_other), [a and b for a, b in zip(mine, theirs, strict=True)]),
        (fast.union(fast_other), [a or b for a, b in zip(mine, theirs, strict=True)]),
        (fast.without(fast_other), [a and not b for a, b in zip(mine, theirs, strict=True)]),
    ):
        assert result.contains(person, time).tolist() == both


@quickly
@given(st.data(), st.sampled_from([HOUR, HOUR // 7, 10**17]), st.integers(1, 10))
def test_cumulative_is_the_oracle_s(data: st.DataObject, scale: int, window: int) -> None:
    rows = data.draw(
        st.lists(st.tuples(PERSONS, MOMENTS, st.integers(1, 9), st.integers(0, 5)), max_size=8)
    )
    rates = [
        Rate(person, start * scale, (start + length) * scale, float(rate), row)
        for row, (person, start, length, rate) in enumerate(rows)
    ]
    columns: Any = list(zip(*rates, strict=True)) or [[]] * 5
    doses = data.draw(raw_points(scale, "exact"))
    boluses = Points.of_doses(
        [d.person for d in doses], [d.time for d in doses], [d.low for d in doses]
    )
    fast = Cumulative.build(overlay(*columns), boluses)
    running = slow.overlay(rates)
    asked = everywhere(scale)
    mg = fast.at([p for p, _ in asked], [t for _, t in asked])
    reach = window * scale
    for i, (person, time) in enumerate(asked):
        assert mg[i] == pytest.approx(slow.given(running, doses, person, time), rel=1e-12)
    amount = fast.amount(
        [p for p, _ in asked], [t - reach for _, t in asked], [t for _, t in asked]
    )
    most, when = fast.max_within([p for p, _ in asked], reach)
    for i, (person, time) in enumerate(asked):
        before = slow.given(running, doses, person, time - reach)
        expected = slow.given(running, doses, person, time) - before
        assert amount[i] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert most[i] >= amount[i] - 1e-9 * max(1.0, amount[i])
        if most[i] > 0 and scale == HOUR:
            assert most[i] == pytest.approx(
                max(
                    slow.given(running, doses, person, int(when[i]))
                    - slow.given(running, doses, person, int(when[i]) - reach),
                    slow.given(running, doses, person, int(when[i]) - 1)
                    - slow.given(running, doses, person, int(when[i]) - 1 - reach),
                ),
                abs=1e-6,
            )


@quickly
@given(st.data(), st.integers(1, 10))
def test_the_band_of_a_dose_follows_the_mg_in_the_window(data: st.DataObject, window: int) -> None:
    rows = data.draw(
        st.lists(st.tuples(PERSONS, MOMENTS, st.integers(1, 9), st.integers(0, 5)), max_size=8)
    )
    rate = overlay(
        [r[0] for r in rows],
        [r[1] * HOUR for r in rows],
        [(r[1] + r[2]) * HOUR for r in rows],
        [float(r[3]) for r in rows],
    )
    doses = data.draw(raw_points(HOUR, "exact"))
    boluses = Points.of_doses(
        [d.person for d in doses], [d.time for d in doses], [d.low for d in doses]
    )
    fast = Cumulative.build(rate, boluses)
    edges = [0.0, 2.5, 7.0]
    bands = fast.bands(window * HOUR, edges)
    asked = [(person, time + 1234567) for person, time in everywhere(HOUR)]
    person, time = [p for p, _ in asked], np.array([t for _, t in asked])
    mg = fast.amount(person, time - window * HOUR, time)
    band, _ = bands.at(person, time)
    known = bands.known_at(person, time)
    for i in range(len(asked)):
        if not known[i]:
            assert mg[i] == 0
        elif min(abs(mg[i] - edge) for edge in edges) > 1e-6:
            assert band[i] == sum(mg[i] > edge for edge in edges)


@quickly
@given(several(2))
def test_a_result_does_not_depend_on_who_else_is_in_the_chunk(world: Any) -> None:
    _, _, [one, two] = world
    together = plain(combine(lambda a, b: (a[0] + b[0], a[1] + b[1]), one, two))
    for person in (0, 1, 2, 5, 70_000):
        alone = [
            Timeline(
                *(
                    getattr(t, c)[t.person == person]
                    for c in ("person", "start", "end", "low", "high")
                )
            )
            for t in (one, two)
        ]
        mine = plain(combine(lambda a, b: (a[0] + b[0], a[1] + b[1]), *alone))
        assert mine.get(person) == together.get(person)


@quickly
@given(st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7))
def test_a_rounded_difference_of_decimals_is_the_decimal(a: int, b: int) -> None:
    assert rounded(a / 1000 - b / 1000) == (a - b) / 1000
