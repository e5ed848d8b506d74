"""Glucocorticoids of 39 real children with macrophage activation syndrome, day by day.

Daily doses in mg/kg (VIS-SIG Wonderful Wednesdays, April 2025, CC0): written as doses of
prednisolone by weight, read back, and asked when they first fell below 1.0, 0.5 and 0.2 mg/kg/day.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from becalm.core.clock import DAY
from becalm.doses import Doses
from tests.records import at
from tests.spec.dosing import doses_of

FILE = Path(__file__).parents[3] / "shared" / "data" / "mas-glucocorticoid" / "WW_GCdose.csv"
KG = 20.0
Taper = dict[str, dict[int, float]]


@pytest.fixture(scope="module")
def children() -> Taper:
    """Mg/kg by child and day of the study."""
    if not FILE.is_file():
        pytest.skip("shared/data/mas-glucocorticoid is absent")
    found: Taper = {}
    with FILE.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            if row["AVAL1"]:
                found.setdefault(row["SUBJID"], {})[int(row["ASTDY"])] = float(row["AVAL1"])
    return found


@pytest.fixture(scope="module")
def doses(children: Taper) -> Doses:
    """Each day's dose spread over that day, by mouth; a day without any is written as 0."""
    return doses_of(
        [
            {
                "person": person, "drug": "prednisolone", "route": "PO", "start": f"{24 * day}",
                "end": f"{24 * (day + 1)}", "amount": f"{mg!r} mg/kg", "weight": KG,
            }
            for person, days in enumerate(children.values())
            for day, mg in days.items()
        ],
        persons=len(children),
    )  # fmt: skip


@pytest.mark.parametrize(("below", "reached"), [(1.0, 27), (0.5, 24), (0.2, 9)])
def test_time_to_a_dose_is_read_off_the_rate(
    children: Taper, doses: Doses, below: float, reached: int
) -> None:
    """The first day below the dose; children who begin below it are there on their first day."""
    line = doses.rate("prednisolone", ("PO",)).map(
        lambda low, high: (low * 24 / KG, high * 24 / KG)
    )
    who, when = line.first(lambda low, _: low < below - 1e-9)
    found = dict(zip(who.tolist(), ((when - at(0)) // DAY).tolist(), strict=True))
    expected = {
        person: min(day for day, mg in days.items() if mg < below - 1e-9)
        for person, days in enumerate(children.values())
        if any(mg < below - 1e-9 for mg in days.values())
    }
    assert found == expected
    assert len(found) == reached


def test_what_was_given_is_what_was_written(children: Taper, doses: Doses) -> None:
    """No row is refused, and each child's milligrams add up to those of the table."""
    assert len(children) == 39
    assert not doses.refused
    total = doses.amounts("prednisolone")
    for person, days in enumerate(children.values()):
        given = float(total.at(person, at(60 * 24 + 1))) / KG
        assert given == pytest.approx(sum(days.values()), abs=1e-6)


def test_half_the_dose_is_gone_within_weeks(children: Taper, doses: Doses) -> None:
    """The median child is on less than half of the first day's dose after so many days."""
    line = doses.rate("prednisolone", ("PO",))
    days = []
    for person, daily in enumerate(children.values()):
        half = daily[min(daily)] * KG / 24 / 2
        mine = line.person == person
        lower = line.start[mine][line.low[mine] < half - 1e-9]
        plain = [day for day, mg in sorted(daily.items()) if mg < daily[min(daily)] / 2 - 1e-9]
        assert [int((t - at(0)) // DAY) for t in lower[:1]] == plain[:1]
        days.append(plain[0] if plain else np.inf)
    assert 0 < median(days) < 56
