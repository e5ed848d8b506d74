"""What another definition would have said."""

from typing import Any

import numpy as np
import pytest

from becalm.measures.definition_agreement import Agreement, kappa, pairwise
from tests.records.pictures import rows_of

WORDS = {"+": "met", "-": "not met", "?": "undetermined"}


def said(table: str) -> list[dict[str, Any]]:
    """Rows of criteria from a table of persons and definitions."""
    return [
        {"person_id": row["person"], "criterion": name, "status": WORDS[text]}
        for row in rows_of(table)
        for name, text in row.items()
        if name not in {"person", "line"} and text
    ]


def test_a_pair_is_counted_where_both_are_decided() -> None:
    """Who is undetermined by one definition neither agrees nor disagrees: they are counted beside."""
    rows = said(
        """
        person | hscore | hlh2004
        a      | +      | +
        b      | +      | -
        c      | -      | -
        d      | -      | -
        e      | ?      | +
        f      | +      | ?
        """
    )
    [pair] = pairwise(rows, ["hscore", "hlh2004"])
    assert (pair.both, pair.first, pair.second, pair.neither) == (1, 1, 0, 2)
    assert (pair.n, pair.agreed, pair.undetermined) == (4, 3, 2)
    assert pair.kappa == pytest.approx(0.5)


def test_every_pair_of_three_definitions_is_told_once() -> None:
    """Three definitions make three pairs; who was not asked about one is left out of its pairs."""
    rows = said("person | x | y | z\na | + | + | -\nb | - | - |")
    found = pairwise(rows, ["x", "y", "z"])
    assert [(p.a, p.b, p.n) for p in found] == [("x", "y", 2), ("x", "z", 1), ("y", "z", 1)]


def numeric(cells: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Kappa and its standard error by the delta method, with the slopes taken numerically."""

    def value(p: np.ndarray[Any, Any]) -> float:
        square = p.reshape(2, 2) / p.sum()
        chance = float(square.sum(axis=1) @ square.sum(axis=0))
        return (float(np.trace(square)) - chance) / (1 - chance)

    n, step = cells.sum(), 1e-6
    p = cells / n
    slope = np.array(
        [(value(p + step * one) - value(p - step * one)) / (2 * step) for one in np.eye(4)]
    )
    return value(p), float(np.sqrt((p @ slope**2 - (p @ slope) ** 2) / n))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((20, 5, 10, 15), 0.400), ((45, 15, 25, 15), 0.130), ((25, 35, 5, 35), 0.259)],
)
def test_kappa_of_a_two_by_two_table(counts: tuple[int, int, int, int], expected: float) -> None:
    """Agreement beyond chance; its large-sample 95 % interval is that of the delta method."""
    value, interval = kappa(*counts)
    slow, error = numeric(np.array(counts, np.float64))
    assert value == pytest.approx(expected, abs=0.001)
    assert value == pytest.approx(slow)
    assert interval == pytest.approx((slow - 1.96 * error, slow + 1.96 * error), abs=1e-4)


def test_kappa_below_nothing() -> None:
    """Two definitions that always contradict each other agree worse than by chance."""
    assert kappa(0, 5, 5, 0) == (-1.0, None)


def test_the_interval_holds_kappa_in_95_of_100_samples() -> None:
    """Drawn 2,000 times from 200 persons with a known agreement, the interval misses about one in twenty."""
    truth = np.array([0.30, 0.10, 0.15, 0.45])
    cells = truth.reshape(2, 2)
    chance = float(cells.sum(axis=1) @ cells.sum(axis=0))
    wanted = (float(np.trace(cells)) - chance) / (1 - chance)
    drawn = np.random.default_rng(7).multinomial(200, truth, size=2000)
    held = 0
    for row in drawn.tolist():
        _, interval = kappa(*row)
        assert interval is not None
        held += interval[0] <= wanted <= interval[1]
    assert 0.93 <= held / 2000 <= 0.97


def test_where_everybody_is_the_same_there_is_no_kappa() -> None:
    """With nobody decided, or with one definition met by all or by none, agreement beyond chance says nothing; where all agree but differ, it is 1 without an interval."""
    assert kappa(0, 0, 0, 0) == (None, None)
    assert kappa(9, 0, 0, 0) == (None, None)
    assert kappa(38, 0, 9, 0) == (None, None)
    assert kappa(5, 0, 0, 4) == (1.0, None)


def test_nobody_is_no_agreement() -> None:
    """An empty cohort has pairs without persons."""
    assert pairwise([], ["x", "y"]) == [Agreement("x", "y", 0, 0, 0, 0, 0, None, None)]
