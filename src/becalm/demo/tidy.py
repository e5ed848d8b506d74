"""The truth about an invented patient, before it is written into untidy records.

Times are whole minutes of the wall clock since 1970-01-01. Values are in canonical units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

HOUR: Final = 60
DAY: Final = 24 * HOUR
_EPOCH: Final = datetime(1970, 1, 1)
_CLOCK: Final = tuple(f"{m // 60:02d}:{m % 60:02d}" for m in range(DAY))


def minute_of(moment: datetime) -> int:
    """Return a wall-clock datetime as minutes since 1970-01-01."""
    return (moment - _EPOCH) // timedelta(minutes=1)


@lru_cache(maxsize=8192)
def date_text(day: int) -> str:
    """Return a day, counted from 1970-01-01, as an ISO date."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def minute_text(minute: int | None) -> str:
    """Return a minute as `2018-03-01 17:05`; '' where there is none."""
    if minute is None:
        return ""
    day, clock = divmod(minute, DAY)
    return f"{date_text(day)} {_CLOCK[clock]}"


class Draw(NamedTuple):
    """A number at a moment: a laboratory value, a temperature, urine over an interval."""

    minute: int
    variable: str
    value: float
    sign: str = ""  # '>' or '<' where the laboratory reported only a bound
    planted: bool = False  # written so that exactly this value can be read back
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Dose:
    """One line of a medication chart, in the notation of whoever wrote it."""

    drug: str
    route: str
    start: int
    end: int | None = None
    amount: float | None = None
    amount_unit: str = ""
    rate: float | None = None
    rate_unit: str = ""
    concentration: float | None = None
    concentration_unit: str = ""
    status: str = "given"
    indication: str = ""
    reason: str = ""
    date_only: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    start: int
    end: int | None
    kind: str
    origin: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True)
class FindingRow:
    minute: int
    finding: str
    present: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class ConditionRow:
    minute: int
    code: str
    name: str
    status: str = "confirmed"


@dataclass(frozen=True, slots=True)
class ProcedureRow:
    start: int
    end: int | None
    name: str
    amount: float | None = None
    amount_unit: str = ""


@dataclass(frozen=True, slots=True)
class Culture:
    collected: int
    available: int | None
    specimen: str
    test: str
    result: str
    organism: str = ""
    judged: str = ""
    date_only: bool = False


@dataclass(slots=True)
class Patient:
    """One invented person with all true facts about them."""

    person_id: str
    sex: str
    weight_kg: float | None
    height_cm: float | None = None
    birth: str = ""  # ISO date, where the chart gives it
    age: int | None = None  # completed years, where the chart gives only that
    age_at: int | None = None
    death: int | None = None
    cause_of_death: str = ""
    last_contact: int | None = None
    last_contact_status: str = ""
    planted: bool = False
    stays: list[Stay] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    doses: list[Dose] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    conditions: list[ConditionRow] = field(default_factory=list)
    procedures: list[ProcedureRow] = field(default_factory=list)
    cultures: list[Culture] = field(default_factory=list)
