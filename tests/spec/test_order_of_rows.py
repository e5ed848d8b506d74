"""What was recorded of one moment reads alike, whichever row stands first."""

from __future__ import annotations

import pytest

from becalm.patients.unrecognised import labels_of
from tests.records import Row, chunk, condition, dose, entered, finding, infusion, lab, stay

STORM = [stay(-24, 400), *(lab("ferritin", 12000, hour) for hour in (0, 24)), infusion(2, 60)]
ORDERS = pytest.mark.parametrize("turned", [False, True], ids=["as written", "in reverse"])


def in_order(rows: list[Row], turned: bool) -> list[Row]:
    return rows[::-1] if turned else rows


@ORDERS
def test_the_first_route_is_every_route_of_that_moment(turned: bool) -> None:
    """An infusion and an injection that begin together are both the first dose."""
    rows = [*STORM, dose("anakinra", 2, amount="100 mg", route="SC")]
    assert entered("anakinra_mas", *in_order(rows, turned))["first_route"] == "IV|SC"


@ORDERS
def test_names_that_nobody_knows_stand_by_kind_and_name(turned: bool) -> None:
    """Drugs, diagnoses and findings that nobody knows are listed in one order, whatever that of their rows."""
    rows = [
        finding("big ears", "yes", 1), condition("thymoblastosis"), condition("Zustand unklar"),
        dose("zaubermittel", 1, amount="1 mg"), dose("qwertinib", 1, amount="1 mg"),
    ]  # fmt: skip
    patients = chunk(*in_order(rows, turned))
    assert labels_of(patients.unrecognised, 1) == [
        "drug: qwertinib|drug: zaubermittel|diagnosis: Zustand unklar|diagnosis: thymoblastosis|finding: big ears"
    ]


@ORDERS
def test_of_two_infusions_that_begin_together_the_faster_one_overlaps(turned: bool) -> None:
    """The remark does not depend on which of them is written first."""
    rows = [infusion(0, 10, 50), infusion(0, 10, 25)]
    frame = chunk(*in_order(rows, turned)).doses.frame
    said = dict(zip(frame["rate_canonical_per_h"].tolist(), frame["flag"].tolist(), strict=True))
    assert said == {25: "", 50: "overlaps another infusion of the drug"}
