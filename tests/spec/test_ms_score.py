"""The MS score: macrophage activation syndrome against a flare of systemic juvenile arthritis."""

import pytest

from becalm.definitions import attainable, evaluate, load
from tests.spec.scoring import chart, check, over_time, points, reported

MS = load("ms_score")
NO_SIGN = {"cns_dysfunction": False, "haemorrhage": False, "arthritis": False}


def test_the_check_value() -> None:
    """No clinical item, platelets 150, LDH 800, fibrinogen 250 mg/dL and ferritin 10,000 make 0.35: −0.45 + 0.8 − 1.0 + 1.0."""
    found = points("ms_score", platelets=150, ldh=800, fibrinogen=250, ferritin=10000, **NO_SIGN)
    assert found["total"] == (0.35, 0.35)


def test_not_the_error_of_fibrinogen_in_g_per_l() -> None:
    """2.5 g/L weighs as 250 mg/dL, −1.0, and not −0.01: a record in g/L and one in mg/dL give the same score."""
    record = """
    hour | platelets | ldh | fibrinogen | ferritin | cns_dysfunction | haemorrhage | arthritis
    0    | 500       | 300 | 6.0        | 3000     | 0               | 0           | 1
    """
    check(over_time("ms_score", record), {0: -4.6})  # fibrinogen of a record is kept in g/L
    [fibrinogen] = [item for item in MS.items if item.key == "fibrinogen"]
    low, _ = evaluate(MS, chart(record)).bounds(fibrinogen, [0], [0])
    assert low.tolist() == [-2.4]


@pytest.mark.parametrize(("fibrinogen", "status"), [(300, "met"), (301, "not met")])
def test_the_cut_off_is_reached_exactly(fibrinogen: float, status: str) -> None:
    """−2.1 is MAS although the sum of its binary terms falls short of it: totals are rounded to 9 decimals before they are compared."""
    evaluation = over_time(
        "ms_score",
        f"""
        hour | platelets | ldh | fibrinogen         | ferritin | cns_dysfunction | haemorrhage | arthritis
        0    | 500       | 300 | {fibrinogen / 100} | 3000     | 0               | 0           | 0
        """,
    )
    totals, _ = reported(evaluation, index=0)
    assert totals["index"]["status"] == status


def test_a_missing_term_takes_its_plausible_range() -> None:
    """Without a ferritin everything from 1 to 1,000,000 ng/mL is possible, and the score stays open; a term is never left out as if it were zero."""
    found = points("ms_score", platelets=150, ldh=800, fibrinogen=250, **NO_SIGN)
    assert found["ferritin"] == (0.0001, 100.0)
    assert found["total"] == (-0.6499, 99.35)
    signs = points("ms_score", platelets=400, ldh=300, fibrinogen=500, ferritin=2000)
    assert signs["total"] == (-4.0, 1.28)


def test_a_censored_value_is_open_on_one_side() -> None:
    """Ferritin above 40,000 weighs at least 4.0; fibrinogen below 50 mg/dL at most −0.04 and at least −0.2."""
    found = points("ms_score", ferritin=">40000", fibrinogen="<50")
    assert found["ferritin"] == (4.0, 100.0)
    low, high = found["fibrinogen"]
    assert (round(low, 6), high) == (-0.2, -0.04)


def test_active_arthritis_speaks_against() -> None:
    """An item may lower the total: active arthritis by 1.30, and it is an item that is met."""
    assert points("ms_score", arthritis=True)["arthritis"] == (-1.3, -1.3)
    evaluation = over_time("ms_score", "hour | arthritis | haemorrhage\n 0 | 1 | 0")
    _, items = reported(evaluation, index=0)
    states = {name: items["index", name]["state"] for name in ("arthritis", "haemorrhage", "cns")}
    assert states == {"arthritis": "met", "haemorrhage": "not met", "cns": "not assessed"}


def test_adult_onset_still_has_a_cut_off_of_its_own() -> None:
    """−1.74 in adult-onset Still's disease and −1.5 in a Danish cohort are variants under their own names, with the same items."""
    adult, danish = load("ms_score_aosd"), load("ms_score_danish")
    assert (adult.cut_off, danish.cut_off, MS.cut_off) == (-1.74, -1.5, -2.1)
    assert adult.items == danish.items == MS.items
    assert adult.cite != MS.cite
    assert adult.derivation.underlying == ("aosd",)
    inputs = chart(
        """
        hour | platelets | ldh | fibrinogen | ferritin | cns_dysfunction | haemorrhage | arthritis
        0    | 400       | 300 | 3.0        | 2000     | 0               | 0           | 0
        """
    )
    statuses = [reported(evaluate(d, inputs), index=0)[0]["index"]["status"] for d in (MS, adult)]
    assert statuses == ["met", "not met"]  # −1.9


def test_any_number_within_reach_can_be_a_total() -> None:
    """A linear score has no gaps; only what lies beyond every patient is impossible."""
    assert attainable(MS, -3.33)
    assert not attainable(MS, -20)
    assert not attainable(MS, 1000)
