"""Ferritin over ESR, soluble IL-2 receptor, and the index of malignancy."""

import math

import pytest

from becalm.definitions import evaluate, load
from tests.spec.scoring import chart, check, hours, over_time, points, reported


def test_ferritin_over_esr_is_the_ratio_itself() -> None:
    """Ferritin 860 ng/mL over 40 mm/h is 21.5, on the cut-off; a Danish cohort put it at 19.4."""
    assert points("ferritin_esr", ferritin=860, esr=40)["total"] == (21.5, 21.5)
    assert load("ferritin_esr").cut_off == 21.5
    assert load("ferritin_esr_danish").cut_off == 19.4
    assert load("ferritin_esr_danish").items == load("ferritin_esr").items


def test_a_falling_esr_raises_the_ratio() -> None:
    """Both values hold for 72 h; the ratio changes with either and is open once one has expired."""
    evaluation = over_time(
        "ferritin_esr",
        """
        hour | ferritin | esr
        0    | 4000     | 80
        24   |          | 10
        48   | 9000     |
        """,
    )
    check(evaluation, {0: 50, 24: 400, 48: 900})
    low, high = evaluation.at([0], [96 * 3_600_000_000])
    assert (low[0], high[0]) == (0.005, math.inf)
    totals, items = reported(evaluation, index=50)
    assert hours(totals["index"]["first_met"]) == 0
    row = items["index", "ratio"]
    assert (row["value"], row["unit"], row["state"]) == (900, "", "met")
    assert row["source_row"] == "ferritin:3|ferritin:2"


def test_over_an_esr_of_zero_there_is_no_upper_bound() -> None:
    """Nothing can be divided by 0: the ratio is as open as if the ESR were not known."""
    assert points("ferritin_esr", ferritin=9000, esr=0)["total"] == (0.005, math.inf)


@pytest.mark.parametrize(
    ("value", "total"), [(2400, 0), (2401, 1), (10000, 1), (10001, 2), ("<500", 0), (">20000", 2)]
)
def test_the_soluble_receptor_rules_out_and_in(value: float | str, total: float) -> None:
    """Up to 2,400 U/mL rules out, above 10,000 rules in, between them it does neither."""
    assert points("sil2r", sil2r=value)["total"] == (total, total)
    assert (load("sil2r").cut_off, load("sil2r_not_ruled_out").cut_off) == (2, 1)


def test_the_receptor_over_ferritin_points_to_lymphoma() -> None:
    """Means of 8.56 with lymphoma and 0.66 without; the cut-off of about 2 was not compared with the paper, and every row says so."""
    assert points("sil2r_ferritin", sil2r=8560, ferritin=1000)["total"] == (8.56, 8.56)
    assert not load("sil2r_ferritin").verified


def test_the_index_of_malignancy_needs_both() -> None:
    """Soluble CD25 above 3,900 U/mL and ferritin above 1,000 ng/mL; one too low settles it."""
    assert points("ohi", sil2r=3901, ferritin=1001)["total"] == (1, 1)
    assert points("ohi", sil2r=3900)["total"] == (0, 0)
    assert points("ohi", ferritin=1000)["total"] == (0, 0)
    assert points("ohi", ferritin=90000)["total"] == (0, 1)


def test_three_definitions_share_one_ferritin() -> None:
    """What is looked back for alike is worked out once, whoever divides by it."""
    inputs = chart("hour | ferritin | sil2r | esr\n 0 | 2000 | 8000 | 10")
    for name in ("ferritin_esr", "sil2r_ferritin", "ohi", "hscore"):
        evaluate(load(name), inputs).at([0], [0])
    ferritin = [key for key in inputs._cache if key[:1] == ("ferritin",) and len(key) == 3]
    assert sorted(ferritin) == [("ferritin", "last", "72h"), ("ferritin", "max", "72h")]
