"""What another definition would have said, and what one missing test would have decided."""

from typing import Any

import numpy as np
import pytest

from becalm.definitions import load
from becalm.measures.definition_agreement import Agreement, decisive, kappa, pairwise
from tests.records.pictures import rows_of
from tests.spec.scoring import over_time, reported

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


ALL_BUT_TG = """
    hour | temperature | hepatomegaly | splenomegaly | haemophagocytosis | haemoglobin | wbc | platelets | ferritin | fibrinogen | ast
    0    | 39.0        | 0            | 1            | 0                 | 8.0         | 2.0 | 60        | 3000     | 3.0        | 60
"""


def missing(name: str, table: str, **known: Any) -> dict[str, tuple[int, int, int, int]]:
    """What each missing item of one person decides: missing, decides, could meet, could deny."""
    totals, items = reported(over_time(name, table, **known), index=1)
    rows = [{**totals["index"]}]
    listed = [row for (moment, _), row in items.items() if moment == "index"]
    return {
        each.item: (each.missing, each.decides, each.could_meet, each.could_deny)
        for each in decisive(load(name), rows, listed)
    }


def test_one_missing_test_that_decides_whatever_it_shows() -> None:
    """144 points without triglycerides: normal ones leave 144, not met; any others make 188 or more, met."""
    assert missing("hscore", ALL_BUT_TG, immunosuppressed=False) == {"triglycerides": (1, 1, 1, 1)}


def test_one_missing_test_that_may_not_be_enough() -> None:
    """With the immunosuppression unknown too, triglycerides of 1.5 or more still decide, normal ones decide as well: 162 at most; knowing the immunosuppression alone decides nothing."""
    assert missing("hscore", ALL_BUT_TG) == {"triglycerides": (1, 1, 1, 1)}


def test_a_decided_definition_asks_for_nothing() -> None:
    """Whoever is met or not met for certain is not counted."""
    table = ALL_BUT_TG.replace("3000", "9000").replace("39.0", "39.9")
    assert missing("hscore", table, immunosuppressed=True) == {}


def test_the_persons_left_open_are_counted() -> None:
    """Of two persons without triglycerides one is decided already: triglycerides decide in 1 of 1."""
    high, low = (
        reported(over_time("hscore", table, immunosuppressed=False), index=1)
        for table in (ALL_BUT_TG, ALL_BUT_TG.replace("39.0", "36.5").replace("3000", "300"))
    )
    rows, items = [], []
    for who, (totals, parts) in (("a", high), ("b", low)):
        rows.append({**totals["index"], "person_id": who})
        items += [{**row, "person_id": who} for (m, _), row in parts.items() if m == "index"]
    [found] = decisive(load("hscore"), rows, items)
    assert (found.item, found.undetermined, found.decides) == ("triglycerides", 1, 1)


def test_in_a_rule_any_one_term_can_meet_it() -> None:
    """COV-HI is met by any of three: a ferritin can meet it alone, and can deny it only if CRP is known."""
    without = missing("cov_hi", "hour | albumin\n0 | 30")
    assert without["ferritin"] == (1, 0, 1, 0)
    known = missing("cov_hi", "hour | crp\n0 | 40")
    assert known == {"ferritin": (1, 1, 1, 1)}
