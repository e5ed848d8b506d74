"""The MH score: primary HLH or macrophage activation syndrome, in a child who has one of them."""

import pytest

from becalm.definitions import attainable, load
from tests.spec.scoring import points

MH = load("mh_score")


@pytest.mark.parametrize(
    ("variable", "edge", "beyond", "worth"),
    [
        ("age", 1.6, 1.61, 37),
        ("neutrophils", 1.4, 1.41, 37),
        ("fibrinogen", 131, 132, 15),
        ("platelets", 78, 79, 11),
        ("haemoglobin", 8.3, 8.4, 11),
        ("splenomegaly", True, False, 12),
    ],
)
def test_every_edge_counts_and_nothing_beyond_it(
    variable: str, edge: float, beyond: float, worth: float
) -> None:
    """Age up to 1.6 years and neutrophils up to 1.4 are 37 points each, fibrinogen up to 131 mg/dL 15, splenomegaly 12, platelets up to 78 and haemoglobin up to 8.3 are 11 each."""
    assert points("mh_score", **{variable: edge})[variable] == (worth, worth)
    assert points("mh_score", **{variable: beyond})[variable] == (0, 0)


def test_it_runs_from_0_to_123() -> None:
    """Sixty or more favours primary HLH. Totals that no combination makes are recognised: 100 is one of them, 123 and 74 are not."""
    assert (MH.minimum, MH.maximum, MH.cut_off) == (0, 123, 60)
    assert attainable(MH, 74)
    assert attainable(MH, 123)
    assert not attainable(MH, 13)
    assert not attainable(MH, 1)


def test_an_age_that_is_not_known_leaves_a_range() -> None:
    """Without birth or age 37 points stay open."""
    known = {
        "neutrophils": 3.0,
        "fibrinogen": 100,
        "splenomegaly": True,
        "platelets": 50,
        "haemoglobin": 8,
    }
    assert points("mh_score", **known)["total"] == (49, 86)
    assert points("mh_score", age=5, **known)["total"] == (49, 49)
