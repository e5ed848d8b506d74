"""Death in hospital and discharge over time: who ends how, and from how many patients on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.duration import survfunc as statsmodels

from becalm import protocol
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.incidence import ends, incidence
from becalm.tables import OUTCOME, PERSONS

RULES = protocol.load("hyperinflammation")


def one(
    name: str, *, died: float | None = None, left: float | None = None, seen: float | None = None
) -> dict[str, Any]:
    """A person by the days of death, discharge and last contact."""
    last = died if died is not None else seen if seen is not None else left
    return {
        "person_id": name, "died": True if died is not None else None,
        "last_contact": UNKNOWN_TIME if last is None else round(last * DAY),
        "discharged": UNKNOWN_TIME if left is None else round(left * DAY),
    }  # fmt: skip


def tables(*people: dict[str, Any]) -> dict[str, Frame]:
    zero = [{"person_id": each["person_id"], "t0": 0, "index_time": 0} for each in people]
    return {"persons": Frame.of_rows(PERSONS, zero), "outcome": Frame.of_rows(OUTCOME, people)}


@pytest.mark.parametrize(
    ("person", "days", "cause"),
    [
        (one("a", died=5), 5, 1),
        (one("a", left=7), 7, 2),
        (one("a", died=9, left=7), 7, 2),
        (one("a", seen=3), 3, 0),
        (one("a", left=7, seen=200), 7, 2),
        (one("a", seen=-2), 0, 0),
        (one("a"), 0, 0),
        (one("a", died=5, left=5), 5, 1),
    ],
)
def test_what_ends_a_time_in_hospital(person: dict[str, Any], days: float, cause: int) -> None:
    """A death at home is after the discharge; a follow-up that ends before time zero is a time of nothing."""
    made = tables(person)
    _, found, why = ends(made["persons"], made["outcome"])
    assert (found.tolist(), why.tolist()) == ([days], [cause])


def test_ten_patients_make_a_curve_and_nine_none() -> None:
    """Below, nothing is estimated."""
    people = [one(f"p{i}", died=i + 1) if i % 2 else one(f"p{i}", left=i + 1) for i in range(10)]
    found = incidence(tables(*people), RULES)
    assert len(found) == 3 * 11
    assert len(incidence(tables(*people[:9]), RULES)) == 0


def test_without_censoring_the_shares_are_proportions() -> None:
    """Five of ten died in hospital, five went home; both shares and both counts say so."""
    people = [one(f"p{i}", died=i + 1) if i % 2 else one(f"p{i}", left=i + 1) for i in range(10)]
    rows = list(incidence(tables(*people), RULES).rows())
    for name in ("death in hospital", "discharge alive"):
        last = [row for row in rows if row["end_event"] == name][-1]
        assert (last["day_after"], last["had_event"]) == (10, 5)
        assert last["incidence"] == pytest.approx(0.5)
        assert 0 < last["incidence_low"] < 0.5 < last["incidence_high"] < 1
    first = rows[0]
    assert (first["day_after"], first["still_at_risk"], first["incidence"]) == (0, 10, 0)


def test_death_anywhere_is_that_of_kaplan_and_meier() -> None:
    """Ten patients, two deaths after the discharge: of those followed, a tenth dies on day 3 and an eighth of the rest on day 6."""
    people = [
        one("a", died=3, left=1), one("b", left=2, seen=5), one("c", died=6, left=4),
        *(one(f"p{i}", left=2, seen=20) for i in range(7)),
    ]  # fmt: skip
    found = list(incidence(tables(*people), RULES).rows())
    anywhere = {row["day_after"]: row for row in found if row["end_event"] == "death anywhere"}
    assert [row["had_event"] for row in found if row["end_event"] == "death in hospital"] == [0] * 5
    assert max(anywhere) == 20
    for day, at_risk, died, share in (
        (2, 10, 0, 0.0), (3, 10, 1, 0.1), (5, 9, 1, 0.1), (6, 8, 2, 1 - 0.9 * 7 / 8), (20, 7, 2, 1 - 0.9 * 7 / 8),
    ):  # fmt: skip
        row = anywhere[day]
        assert (row["still_at_risk"], row["had_event"]) == (at_risk, died), day
        assert row["incidence"] == pytest.approx(share)
    assert np.isnan(anywhere[2]["incidence_low"])
    low, high = (anywhere[6][name] for name in ("incidence_low", "incidence_high"))
    assert 0 < low < 1 - 0.9 * 7 / 8 < high < 1
    curve = statsmodels.SurvfuncRight([3, 5, 6, *[20] * 7], [1, 0, 1, *[0] * 7])
    assert 1 - anywhere[6]["incidence"] == pytest.approx(float(curve.surv_prob[-1]))


def test_a_landmark_study_counts_its_deaths_elsewhere() -> None:
    """At its own horizon."""
    people = [one(f"p{i}", died=i + 1) for i in range(12)]
    assert len(incidence(tables(*people), protocol.load("covid_hyperinflammation"))) == 0


def test_the_days_stop_where_nobody_is_followed() -> None:
    """No row after the last time of anybody."""
    people = [one(f"p{i}", left=3.5) for i in range(10)]
    found = incidence(tables(*people), RULES)
    days = found["day_after"][found["end_event"] != "death anywhere"]
    assert days.max() == 4
    assert np.all(np.diff(days[:5]) == 1)
