"""Millions of virtual patients: counted in narrow bins, the same for any number of threads, close to exact quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm.pk import histogram, simulate, simulation, summary
from becalm.pk.histogram import WIDEST_BIN, Histogram

ADULT: dict[str, Any] = {"weight": 70, "creatinine_clearance": [(0, 100), (24, 15)]}
ASKED: dict[str, Any] = {"covariates": ADULT, "hours": 36, "patients": 21_000, "targets": [0.4, 900.0]}  # fmt: skip
REGIMENS = ["vein = 10 mg IV bolus; 4 mg/h", "skin = 100 mg SC every 12 h"]


def test_counts_are_close_to_exact_quantiles_and_the_same_for_any_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = simulate("anakinra", REGIMENS, threads=1, **ASKED)
    three = simulate("anakinra", REGIMENS, threads=3, **ASKED)
    for name in one.frames:
        for column in one.frames[name].columns:
            assert str(one.frames[name][column].tolist()) == str(three.frames[name][column].tolist())  # fmt: skip
    assert any("bins that are at most 1.6 % wide" in each for each in one.remarks)
    assert not any("numba" in each for each in one.remarks)
    for module in (summary, simulation):
        monkeypatch.setattr(module, "MOST_KEPT", 21_000)
    exact = simulate("anakinra", REGIMENS, **ASKED)
    for ours, theirs in ((one.exposure, exact.exposure), (one.concentration, exact.concentration)):
        for column in ("p05", "p25", "p50", "p75", "p95"):
            known = np.isfinite(theirs[column]) & (theirs[column] > 0)
            assert np.abs(ours[column][known] / theirs[column][known] - 1).max() < WIDEST_BIN
            assert np.array_equal(ours[column][~known], theirs[column][~known], equal_nan=True)
        assert ours["typical"] == pytest.approx(theirs["typical"], rel=1e-12)
    assert np.array_equal(one.exposure["never"], exact.exposure["never"], equal_nan=True)
    assert one.attainment["share"] == pytest.approx(exact.attainment["share"], abs=1e-12)


def test_without_numba_numpy_answers_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {**ASKED, "patients": 20_500, "hours": 12, "covariates": {"weight": 70, "creatinine_clearance": 50}}  # fmt: skip
    fast = simulate("anakinra", "4 mg/h", **asked)
    for module in (histogram, simulation):
        monkeypatch.setattr(module, "kernel", lambda: None)
    slow = simulate("anakinra", "4 mg/h", **asked)
    assert any("calculated by NumPy" in each for each in slow.remarks)
    for column in ("typical", "p05", "p50", "p95"):
        assert slow.exposure[column] == pytest.approx(fast.exposure[column], rel=1e-9)


def test_probability_over_time_is_the_share_at_or_above_the_target() -> None:
    found = simulate(
        "anakinra", "100 mg SC", covariates=ADULT, hours=12, patients=41, targets=[0.4]
    )
    rows = {row["hours"]: row["share"] for row in found.attainment.rows()}
    assert rows[0] == 0
    assert 0 < rows[1] < 1
    levels = {row["hours"]: row for row in found.concentration.rows()}
    assert all((rows[hour] >= 0.5) == (levels[hour]["p50"] >= 0.4) for hour in rows)
    alone = simulate("canakinumab", "150 mg SC", covariates={}, hours=48, targets=[0.5])
    assert set(alone.attainment["share"].tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("compiled", [True, False])
def test_bins(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled:
        monkeypatch.setattr(histogram, "kernel", lambda: None)
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(0, 3, (2, 30_001)))
    found = Histogram(3)
    parts = Histogram(3)
    found.add(np.vstack([values, np.full((1, 30_001), 168.0)]))
    for part in np.array_split(values, 3, axis=1):
        other = Histogram(3)
        other.add(np.vstack([part, np.full((1, part.shape[1]), 168.0)]))
        parts.merge(other)
    assert np.array_equal(found.counts, parts.counts)
    shares = [0.0, 0.05, 0.5, 0.95, 1.0]
    quantiles = found.quantiles(shares)
    truth = np.quantile(values, shares, axis=1)
    assert np.abs(quantiles[:, :2] / truth - 1).max() < WIDEST_BIN
    assert quantiles[:, 2].tolist() == [168.0] * 5


def test_zero_infinity_and_nothing_have_their_own_answer() -> None:
    found = Histogram(2)
    found.add(np.array([[0.0, 0.0, 1.0, np.inf, np.inf], [0, 0, 0, 0, 0]]))
    assert found.quantiles([0.0, 0.5, 1.0])[:, 0].tolist() == [0.0, pytest.approx(1.0, rel=WIDEST_BIN), np.inf]  # fmt: skip
    assert found.quantiles([0.5])[0, 1] == 0
    assert np.isnan(Histogram(1).quantiles([0.5])).all()
    with pytest.raises(ValueError, match="below 0"):
        Histogram(1).add(np.array([[-1.0]]))
    with pytest.raises(ValueError, match="no number"):
        Histogram(1).add(np.array([[np.nan]]))


def test_no_bin_is_wider_than_said() -> None:
    """Each of two neighbours that lie a bin's width apart is counted in its own bin."""
    low = np.exp(np.linspace(-20, 20, 997))
    found = Histogram(1)
    for value in low:
        one, other = Histogram(1), Histogram(1)
        one.add(np.array([[value]]))
        other.add(np.array([[value * (1 + WIDEST_BIN)]]))
        assert int(one.counts.argmax()) < int(other.counts.argmax())
        found.merge(one)
    assert found.counts.sum() == len(low)
