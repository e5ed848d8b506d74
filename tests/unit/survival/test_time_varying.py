"""Hazards by a changing dose: the planted ratio comes out, and few events are refused."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from becalm.core import stats
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.survival.time_varying import fewest_events, hazard_ratios
from becalm.tables import PERSON_TIME
from tests.generative.test_planted_truth import EFFECT, LATE, NULL, STOPPED, measured
from tests.reference.planted_truth import Truth


def two_bands(frame: Frame) -> Frame:
    """Only a high dose and all below it."""
    high = frame["dose_24h_band"] == "≥1,200"
    return frame.replace(dose_24h_band=np.where(high, "high", "below").astype(object))


def plain(frame: Frame, lag_h: float) -> float:
    """The ratio that maximises the partial likelihood, summed event by event."""
    rows = frame.take(frame["lag_h"] == lag_h)
    high = (rows["dose_24h_band"] == "high").astype(float)
    start, stop = rows["start_h"], rows["stop_h"]
    happened = np.flatnonzero(rows["infected"] == 1)
    at_risk = [np.flatnonzero((start < stop[i]) & (stop >= stop[i])) for i in happened]
    shares = [(high[i], high[r].sum(), len(r)) for i, r in zip(happened, at_risk, strict=True)]

    def lost(beta: float) -> float:
        return -math.fsum(x * beta - math.log(n - k + k * math.exp(beta)) for x, k, n in shares)

    return math.exp(float(minimize_scalar(lost, bounds=(-4, 4), method="bounded").x))


@pytest.mark.parametrize(
    ("truth", "lag", "ratio"), [(EFFECT, 0, 3), (LATE, 24, 3), (NULL, 24, 1), (STOPPED, 24, 1)]
)
def test_the_planted_ratio_lies_in_the_interval(truth: Truth, lag: float, ratio: float) -> None:
    """Fifty studies together; without the lag a dose that stops on suspicion would seem to protect."""
    _, frame = measured(truth, 50)
    [found] = hazard_ratios(two_bands(frame), lag_h=lag, reference="below")
    assert found.low < ratio < found.high
    assert found.high / found.low < 1.6
    if truth is STOPPED:
        [naive] = hazard_ratios(two_bands(frame), lag_h=0, reference="below")
        assert naive.high < 0.7


def test_it_is_the_greatest_partial_likelihood() -> None:
    """Against a sum over the events by hand."""
    _, frame = measured(EFFECT, 50)
    few = two_bands(frame.take(frame["study"] < 5))
    [found] = hazard_ratios(few, lag_h=0, reference="below")
    assert found.ratio == pytest.approx(plain(few, 0), rel=1e-3)


def test_its_interval_is_at_most_1_3_times_as_wide_as_the_exact_one() -> None:
    """On the logarithm, beside the exact interval of the ratio of two rates."""
    _, frame = measured(EFFECT, 50)
    for study in range(10):
        one = two_bands(frame.take(frame["study"] == study))
        try:
            [found] = hazard_ratios(one, lag_h=0, reference="below")
        except UsageError:
            continue
        at_once = one.take(one["lag_h"] == 0)
        low = at_once.take(at_once["dose_24h_band"] == "below")
        exact = stats.rate_ratio(
            found.events, found.days, int(low["infected"].sum()), float(low["days"].sum())
        )
        assert exact is not None
        assert math.log(found.high / found.low) <= 1.3 * math.log(exact[1] / exact[0])


def rows(events: int, band: str = "high") -> list[dict[str, Any]]:
    return [
        {
            "person_id": f"{band}{i}", "lag_h": 24.0, "start_h": 48.0, "stop_h": 60.0 + i, "days": 0.5 + i / 24,
            "dose_24h_band": band, "infected": int(i < events), "ended_by": "bacterial infection" if i < events else "discharge",
        }
        for i in range(30)
    ]  # fmt: skip


def table(*of: list[dict[str, Any]]) -> Frame:
    return Frame.of_rows(PERSON_TIME, [row for each in of for row in each])


def test_at_the_fewest_events_a_model_is_fitted_and_one_below_not() -> None:
    """Twenty events; with nineteen the table of rates says what there is."""
    least = fewest_events()
    assert least == 20
    assert hazard_ratios(table(rows(10), rows(least - 10, "low")), reference="low")
    with pytest.raises(UsageError, match="19 events are too few for a model: it needs 20"):
        hazard_ratios(table(rows(10), rows(least - 11, "low")), reference="low")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"metric": "dose_48h"}, "no measure of dose is called 'dose_48h'"),
        ({"lag_h": 12.0}, "no time at risk has a lag of 12 h"),
        ({"reference": "middle"}, "no band of dose_24h is called 'middle'"),
    ],
)
def test_a_name_that_is_not_there_is_refused(asked: dict[str, Any], message: str) -> None:
    """With what there is."""
    with pytest.raises(UsageError, match=message):
        hazard_ratios(table(rows(20), rows(10, "low")), **asked)


def test_events_in_one_band_give_no_ratio() -> None:
    """A ratio to a rate of nothing would be infinite."""
    with pytest.raises(UsageError, match="all events lie in one band"):
        hazard_ratios(table(rows(25), rows(0, "low")), reference="low")


def test_without_the_library_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base installation does not contain it."""
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("statsmodels"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UsageError, match="needs statsmodels, which is not installed"):
        hazard_ratios(table(rows(15), rows(15, "low")), reference="low")
