"""The fixture that reads a chapter's tables and checks what is known at which hour."""

from collections.abc import Mapping
from typing import Protocol

import pytest

from becalm.timeline import Take, Timeline
from tests.records.pictures import Bounds, expected, timeline_of, us

Expectations = Mapping[float, float | str | Bounds | None]


class Spec(Protocol):
    def __call__(
        self,
        given: str | Timeline,
        at: Expectations,
        variable: str | None = None,
        *,
        take: Take = "last",
        within: str = "72h",
        person: int = 0,
    ) -> Timeline: ...


@pytest.fixture
def spec() -> Spec:
    """Check a table (or a timeline made from one) hour by hour, and give the timeline back."""

    def check(
        given: str | Timeline,
        at: Expectations,
        variable: str | None = None,
        *,
        take: Take = "last",
        within: str = "72h",
        person: int = 0,
    ) -> Timeline:
        known = given if isinstance(given, Timeline) else timeline_of(given, variable, take, within)
        found = {}
        for hour in at:
            low, high = known.at(person, us(hour))
            found[hour] = (float(low), float(high))
        assert found == {hour: expected(value) for hour, value in at.items()}
        return known

    return check
