"""What was true once and ended: immunosuppression by a drug in a screening years later."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from becalm.definitions import load
from becalm.records import open_records
from becalm.study.screen import screen, totals_of
from tests.records import Row, chunk, dose, lab, stay

CASE: Final = Path(__file__).parents[3] / "shared" / "cases" / "doses-immunosuppression-ends"
YEARS: Final = 3 * 365 * 24
"""Hours of three years, the moment of the ferritin."""


@pytest.mark.skipif(not CASE.exists(), reason="shared/cases is not here")
def test_case_immunosuppression_ends() -> None:
    """Prednisone that ended three years before a ferritin leaves immunosuppression open; prednisone still taken is 18 points."""
    rows = [row for frame in screen(open_records(str(CASE)), ["hscore"]) for row in frame.rows()]
    found = {row["person_id"]: (row["low"], row["high"]) for row in rows}
    assert found == {"ENDED": (50, 337), "RUNNING": (68, 337)}


def course(first: int, days: int, drug: str = "prednisone", route: str = "PO") -> list[Row]:
    """A dose at 8:00 of each day; days are counted from the day of the ferritin."""
    return [
        dose(drug, YEARS + day * 24 + 8, amount="20 mg", route=route)
        for day in range(first, first + days)
    ]


OLD_STAY: Final = stay(1000, 1100)


@pytest.mark.parametrize(
    ("rows", "points"),
    [
        (course(-28, 28), 18), (course(-27, 27), 0),  # 28 days, and 27
        (course(-90, 28), 18), (course(-91, 28), 0),  # the first of them 90 days ago, and 91
        (course(-300, 200), 0),  # two hundred days, long ended
        (course(0, 60), 0), (course(-27, 60), 0), (course(-28, 60), 18),  # what is given for it never counts
        (course(-28, 4, "tocilizumab", "IV"), 18), (course(-27, 4, "tocilizumab", "IV"), 0),  # an infusion stands for 28 days
        (course(-40, 40, route="topical"), 0), (course(-40, 40, "omeprazole"), 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [(), (OLD_STAY,)], ids=["never admitted", "admitted long ago"])
def test_the_90_days_before_the_moment_judged(
    rows: list[Row], points: float, before: tuple[Row, ...]
) -> None:
    """A systemic immunosuppressant counts on 28 of the 90 days before the ferritin that is judged, whether or not somebody was ever admitted."""
    patients = chunk(*before, *rows, lab("ferritin", 7000, YEARS + 9))
    [row] = totals_of(patients, [load("hscore")]).rows()
    assert (row["low"], row["high"]) == (50 + points, 337)
