"""How the stays of a landmark study stood at the horizon, by what each definition said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from becalm.core import stats
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.protocol import Landmark

STATUSES: Final = ("met", "not met", "undetermined")
ENDS: Final = ("died", "discharged", "in hospital", "unknown")
Ended: TypeAlias = str
"""died, discharged, in hospital, unknown: the state of the admission at the horizon."""


@dataclass(frozen=True)
class StatusCount:
    """The persons with one status by one definition, and their outcomes at the horizon.

    risk : in-hospital deaths among those with a known outcome, with its exact 95 % interval.
    """

    criterion: str
    status: str
    n: int
    died: int
    discharged: int
    in_hospital: int
    unknown: int

    @property
    def risk(self) -> float | None:
        known = self.n - self.unknown
        return self.died / known if known else None

    @property
    def interval(self) -> stats.Interval | None:
        return stats.proportion(self.died, self.n - self.unknown)


def ended(persons: Frame, outcome: Frame, rule: Landmark) -> dict[str, Ended]:
    """Return the outcome of each person's admission at the horizon, by person.

    Death in hospital and discharge are competing events: a person who went home alive first was
    discharged, whatever happened later. If the records end earlier without either, it is unknown; so it is
    where a later contact leaves open whether the person was alive.
    """
    later = {row["person_id"]: row for row in outcome.light_rows()}
    outcomes = {}
    for row in persons.light_rows():
        end = later[row["person_id"]]
        limit = row["index_time"] - rule.after.us + rule.horizon.us
        home, seen = end["discharged"], end["last_contact"]
        if home != UNKNOWN_TIME and home <= limit:
            state = "discharged"
        elif end["died"] and seen != UNKNOWN_TIME and seen <= limit:
            state = "died"
        elif end["death_time_is"] == "at latest":
            state = "unknown"
        elif limit <= home or (end["died"] is not None and limit <= seen):
            state = "in hospital"
        else:
            state = "unknown"
        outcomes[row["person_id"]] = state
    return outcomes


def members(
    criteria: Frame, ends: Mapping[str, Ended], names: Sequence[str]
) -> dict[tuple[str, str], dict[str, Ended]]:
    """Return, for every definition and status at the landmark, its persons and their outcomes."""
    groups: dict[tuple[str, str], dict[str, Ended]] = {
        (name, status): {} for name in names for status in STATUSES
    }
    for row in criteria.take(criteria["moment"] == "index").light_rows():
        who, cell = row["person_id"], (row["criterion"], row["status"])
        if who in ends and cell in groups:
            groups[cell][who] = ends[who]
    return groups


def cells(criteria: Frame, ends: Mapping[str, Ended], names: Sequence[str]) -> list[StatusCount]:
    """Return every definition's three statuses at the landmark with the counts of outcomes."""
    counts = []
    for (name, status), people in members(criteria, ends, names).items():
        outcomes = list(people.values())
        counts.append(StatusCount(name, status, len(outcomes), *[outcomes.count(e) for e in ENDS]))
    return counts
