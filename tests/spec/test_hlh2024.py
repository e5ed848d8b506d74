"""The 2024 revision of the HLH criteria: seven items, five of them."""

import pytest

from becalm.definitions import derived_in, load
from tests.spec.scoring import over_time, points, reported

HLH = load("hlh2024")
Bounds = tuple[float, float]


def test_natural_killer_activity_is_no_item_any_more() -> None:
    """Seven items where HLH-2004 had eight; the others and their thresholds stay."""
    former = {item.key: item for item in load("hlh2004").items}
    assert set(former) - {item.key for item in HLH.items} == {"nk_activity"}
    for item in HLH.items:
        assert (item.scale, item.count) == (former[item.key].scale, former[item.key].count)
    assert (HLH.minimum, HLH.maximum, HLH.cut_off) == (0, 7, 5)


@pytest.mark.parametrize(
    ("given", "total"),
    [
        (
            {"temperature": 38.5, "splenomegaly": True, "ferritin": 500, "triglycerides": 3.0},
            (4, 7),
        ),
        ({"temperature": 38.4, "splenomegaly": False, "ferritin": 499}, (0, 4)),
        ({"sil2r": 2400, "haemophagocytosis": True}, (2, 7)),
    ],
)
def test_a_criterion_that_was_not_tested_keeps_five_within_reach(
    given: dict[str, float], total: Bounds
) -> None:
    """The lowest total counts what is fulfilled; the highest says whether five can still be reached: with three of seven out, they cannot."""
    assert points("hlh2024", **given)["total"] == total


def test_five_need_no_natural_killer_test() -> None:
    """Fever, spleen, counts, fibrinogen and ferritin make five of seven, whatever the marrow shows."""
    evaluation = over_time(
        "hlh2024",
        """
        hour | temperature | splenomegaly | haemoglobin | platelets | fibrinogen | ferritin
        0    | 39.0        | 1            | 8.2         | 60        | 1.4        |
        6    |             |              |             |           |            | 2000
        """,
    )
    totals, _ = reported(evaluation, index=6)
    assert (totals["index"]["low"], totals["index"]["high"]) == (5, 7)
    assert totals["index"]["status"] == "met"


def test_it_was_made_for_children_below_16() -> None:
    """Adults are described by it and marked as outside its population; how many items are asked for was not compared with the paper, so every row is marked unverified."""
    assert derived_in(HLH.derivation, [15, 16, -1], ["", "", ""]) == [True, False, None]
    assert not HLH.verified
