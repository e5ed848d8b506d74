"""Cell lines of generated counts equal the rule asked of every pair of draws."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import ORIGIN, Row, condition, dose, infusion, lab, measured, patient, procedure
from tests.reference import cell_lines as slow
from tests.reference.cell_lines import BOUNDS, HOUR

MINUTE = HOUR // 60
BEFORE, AFTER = 72, 96 + 7 * 24
"""The time before time zero in which a peak is looked for, and the end: 7 d after the last dose."""
MOMENTS = st.builds(
    lambda hour, minute: hour * HOUR + minute * MINUTE,
    st.one_of(st.sampled_from([-73, -72, -48, -24, 0, 1, 24, 25, 48, AFTER - 24, AFTER, AFTER + 1]), st.integers(-80, AFTER + 5)),
    st.sampled_from([-1, 0, 0, 1]),
)  # fmt: skip
WRITTEN = {
    "haemoglobin": [6.5, 8.9, 9.0, 9.1, 12.0, "<9", "<12"],
    "platelets": [8, 99, 100, 101, 250, "<100", "<150", ">500"],
    "neutrophils": [0.2, 0.9, 1.0, 1.1, 4.0, "<0.5", "<2"],
}
DRAWS = st.dictionaries(
    st.tuples(st.sampled_from(sorted(BOUNDS)), MOMENTS), st.integers(0, 99), max_size=9
).map(lambda found: [(name, at, WRITTEN[name][i % len(WRITTEN[name])]) for (name, at), i in found.items()])  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["transfusion", "filgrastim"]),
        st.integers(-80, AFTER + 5).map(lambda hour: hour * HOUR + 30 * MINUTE),
    ),
    max_size=3,
)
"""Half an hour from every bound: what is given lasts a minute."""


def ends(value: float | str) -> tuple[float, float]:
    """What a result says of the value."""
    if isinstance(value, str):
        limit = float(value[1:])
        # Whether a value below the bound itself counts as below it is left open: the limit may be a rounded one.
        return (0.0, limit) if value[0] == "<" else (limit, float("inf"))
    return float(value), float(value)


def rows_of(draws: list[tuple[str, int, float | str]], events: list[tuple[str, int]]) -> list[Row]:
    given_then: list[Row] = [
        procedure("transfusion", at / HOUR) if what == "transfusion"
        else dose(what, at / HOUR, amount="300 mg")
        for what, at in events
    ]  # fmt: skip
    return [*(lab(name, value, at / HOUR) for name, at, value in draws), *given_then]


@settings(max_examples=30)
@given(people=st.lists(st.tuples(DRAWS, EVENTS), min_size=1, max_size=3))
def test_the_table_is_that_of_every_pair_of_draws(
    people: list[tuple[list[tuple[str, int, float | str]], list[tuple[str, int]]]],
) -> None:
    rows = [
        row
        for who, (draws, events) in enumerate(people)
        for row in patient(f"P{who}", condition("macrophage activation syndrome", -1), lab("crp", 5, 900),
                           infusion(0, 96), *rows_of(draws, events))
    ]  # fmt: skip
    found = {
        (row["person_id"], row["when"]): row
        for row in measured("anakinra_mas", *rows, only="cell_lines")
    }
    assert len(found) == 2 * len(people)
    for who, (draws, events) in enumerate(people):
        for when in ("before", "after"):
            row = found[f"P{who}", when]
            first_moment, last_moment = (
                (-BEFORE * HOUR, 0) if when == "before" else (1, AFTER * HOUR)
            )
            here = [
                (name, at, *ends(value))
                for name, at, value in draws
                if first_moment <= at <= last_moment
            ]
            first = slow.first(here)
            assert row["several_low"] is slow.several(here), here
            assert row["first_several_low"] == (
                row["first_several_low"] if first is None else ORIGIN + first
            )
            standing = set() if first is None else slow.standing(here, first)
            assert set(filter(None, row["lines"].split("|"))) == standing
            measured_lines = {name for name, *_ in here}
            assert set(filter(None, row["measured"].split("|"))) == measured_lines
            for name in BOUNDS:
                lowest = min(
                    (high for line, _, _, high in here if line == name and high != float("inf")),
                    default=None,
                )
                told = row[f"lowest_{name}"]
                assert told == pytest.approx(nan if lowest is None else lowest, nan_ok=True)
            given_then = {what for what, at in events if first_moment <= at <= last_moment}
            assert row["growth_factor"] is ("filgrastim" in given_then)
            assert row["transfused"] is ("transfusion" in given_then)
