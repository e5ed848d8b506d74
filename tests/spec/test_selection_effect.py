"""Regression to the mean: what a fall from a peak owes to the choice of the peak."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from becalm import protocol
from becalm.core.frame import Frame
from becalm.measures.response.selection_effect import expected_greatest, selection_effect
from becalm.tables import REPEATED_DRAWS, RESPONSE, SLOPES
from tests.records import Row, infusion, lab, measured, person
from tests.spec.edges import around, hours, read, unknown_keys

FILE = "measures/response/selection_effect.toml"
RULE = read(FILE)["pairs"]


def test_every_key_is_tested_or_has_no_edge() -> None:
    """A new number is tested here."""
    keys = dict.fromkeys(["pairs.within", "pairs.fewest"], "here")
    words = dict.fromkeys(["pairs.source", "pairs.verified", "pairs.variables"], "words")
    assert not unknown_keys(FILE, keys, words)


@pytest.mark.parametrize("draws", [1, 2, 3, 5, 12])
def test_the_expected_greatest_is_that_of_many_samples(draws: int) -> None:
    """Against a mean of 200,000 drawn maxima."""
    drawn = np.random.default_rng(7).standard_normal((200_000, draws)).max(axis=1).mean()
    assert expected_greatest(draws) == pytest.approx(drawn, abs=0.01)
    with pytest.raises(ValueError, match="does not exist"):
        expected_greatest(0)


def pairs(*rows: Row) -> dict[str, dict[str, Any]]:
    found = measured("anakinra_mas", person("P1"), person("P2"), *rows, only="repeated_draws")
    return {row["variable"]: row for row in found}


def of(name: str, row: Row) -> Row:
    return Row(row.table, {**row.cells, "person": name})


def test_draws_up_to_a_day_apart_are_a_pair() -> None:
    """At 24 h they are, a minute more and they are not; two persons never are."""
    for gap, n in zip(around(hours(RULE["within"])), (1, 1, 0), strict=True):
        rows = of("P1", lab("ast", 100, 0)), of("P1", lab("ast", 200, gap))
        assert pairs(*rows)["ast"]["pairs"] == n, gap
    assert pairs(of("P1", lab("ast", 100, 0)), of("P2", lab("ast", 200, 1)))["ast"]["pairs"] == 0
    two = pairs(of("P1", lab("ast", 100, 0)), of("P1", lab("ast", 200, 5)))["ast"]
    assert two["sum_of_squares"] == pytest.approx(math.log(2) ** 2)


def test_limits_and_the_treated_make_no_pairs() -> None:
    """A limit has no number; who is in the cohort is what is asked about."""
    limit = of("P1", lab("ast", ">2000", 0)), of("P1", lab("ast", 200, 5))
    assert pairs(*limit)["ast"]["pairs"] == 0
    storm = [
        of("P1", lab(name, value, -4))
        for name, value in (("ferritin", 20_000), ("platelets", 20), ("haemoglobin", 7), ("wbc", 1.0),
                            ("neutrophils", 0.4), ("triglycerides", 5), ("fibrinogen", 1.0), ("temperature", 39.8))
    ]  # fmt: skip
    treated = [
        *storm,
        of("P1", infusion(0, 96)),
        of("P1", lab("ast", 400, -4)),
        of("P1", lab("ast", 300, 5)),
    ]
    assert pairs(*treated)["ast"]["pairs"] == 0


def effect(n: int, deviation: float, draws: int) -> dict[str, Any]:
    tables = {
        "repeated_draws": Frame.of_rows(
            REPEATED_DRAWS, [{"variable": "ast", "pairs": n, "sum_of_squares": 2 * n * deviation**2}]
        ),
        "slopes": Frame.of_rows(
            SLOPES,
            [{"person_id": "a", "variable": "ast", "from_clock": "t0", "side": "before", "draws_in_window": draws}],
        ),
        "response": Frame.of_rows(
            RESPONSE,
            [{"person_id": "a", "variable": "ast", "clock": "t0", "peak": 400.0, "baseline": 300.0, "h48": 200.0}],
        ),
    }  # fmt: skip
    rows = selection_effect(tables, protocol.load("anakinra_mas")).rows()
    return next(row for row in rows if row["variable"] == "ast")


def test_the_choice_alone_explains_what_order_statistics_say() -> None:
    """Planted: the highest of five draws that scatter by 20 %, and a typical value after it."""
    row = effect(1000, 0.2, 5)
    rng = np.random.default_rng(11)
    drawn = np.exp(0.2 * rng.standard_normal((200_000, 5)))
    planted = 100 * (1 - np.exp(-np.log(drawn).max(axis=1).mean()))
    assert row["expected_fall_percent"] == pytest.approx(planted, abs=0.2)
    assert row["spread_percent"] == pytest.approx(100 * math.expm1(0.2))
    assert (row["fall_from_peak_percent"], row["fall_from_baseline_percent"]) == (
        50,
        pytest.approx(100 / 3),
    )
    assert effect(1000, 0.2, 1)["expected_fall_percent"] == pytest.approx(0, abs=1e-9)


def test_few_pairs_give_no_estimate() -> None:
    """From the least number on there is one."""
    least = RULE["fewest"]
    assert math.isnan(effect(least - 1, 0.2, 5)["expected_fall_percent"])
    assert not math.isnan(effect(least, 0.2, 5)["expected_fall_percent"])
