"""Who a patient was before the storm: diagnoses, underlying disease, immunosuppression, admissions.

Three states throughout: recorded as present, recorded as absent, and not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from becalm.clock import DAY, HOUR, UNKNOWN_TIME, span
from becalm.doses import Doses
from becalm.events import Events
from becalm.frame import Frame, Kind
from becalm.records import Records
from becalm.timeline import Intervals, Mask, Timeline, combine, either
from becalm.vocabulary import Vocabulary

DIAGNOSES: Final[dict[str, Kind]] = {
    "person": "code",
    "condition": "text",
    "onset": "time",
    "stay_id": "text",
    "status": "text",
    "row": "code",
}


class ImmunosuppressionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a patient counts as immunosuppressed before a storm."""

    conditions: tuple[str, ...]
    days: int
    within: str
    finding_valid: str
    same_admission: str


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers of `background.toml`."""

    underlying: tuple[str, ...]
    immunosuppression: ImmunosuppressionRule


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Return the shipped rules."""
    file = Path(__file__).with_name("background.toml")
    return msgspec.toml.decode(file.read_bytes(), type=Rules)


def diagnoses(records: Records, vocabulary: Vocabulary) -> Frame:
    """Return every condition row that the vocabulary knows, under each name it goes by.

    One row per record row × condition (a wider condition repeats it), in the records' order.
    """
    table = records.conditions
    found: list[dict[str, object]] = []
    for at, row in enumerate(table.rows()):
        for name in vocabulary.conditions_of(row["system"], row["code"], row["name"]):
            found.append(
                {
                    "person": row["person"],
                    "condition": name,
                    "onset": row["onset"],
                    "stay_id": row["stay_id"],
                    "status": row["status"] or "confirmed",
                    "row": at,
                }
            )
    return Frame.of_rows(DIAGNOSES, found)


def has(diagnosed: Frame, conditions: Iterable[str], n_persons: int) -> Mask:
    """Whether each person has a confirmed row of one of some conditions, at any time."""
    names = list(conditions)
    chosen = np.isin(diagnosed["condition"].astype(str), names) & (
        diagnosed["status"] == "confirmed"
    )
    mask = np.zeros(n_persons, np.bool_)
    mask[diagnosed["person"][chosen]] = True
    return mask


def underlying(diagnosed: Frame, n_persons: int) -> list[str]:
    """Return each person's confirmed underlying diseases, joined by `|`; '' where none is recorded.

    A disease is given by its narrowest name only: systemic lupus is not also "autoimmune".
    """
    order = rules().underlying
    names: list[set[str]] = [set() for _ in range(n_persons)]
    by_row: dict[tuple[int, int], list[str]] = {}
    for row in diagnosed.rows():
        if row["status"] == "confirmed" and row["condition"] in order:
            by_row.setdefault((row["person"], row["row"]), []).append(row["condition"])
    for (person, _), found in by_row.items():
        names[person].add(min(found, key=order.index))
    return ["|".join(sorted(each, key=order.index)) for each in names]


def admissions(records: Records) -> Intervals:
    """Return each person's time in hospital: stays joined when at most a day apart.

    Outpatient visits do not count; a stay without an end lasts as far as it is known to: its start.
    """
    stays = records.stays
    inside = (stays["kind"] != "outpatient") & (stays["start"] != UNKNOWN_TIME)
    start, end = stays["start"][inside], stays["end"][inside]
    end = np.where(end == UNKNOWN_TIME, start + HOUR, end)
    whole = Intervals.build(stays["person"][inside], start, np.maximum(end, start + 1))
    return whole.bridge(span(rules().immunosuppression.same_admission))


def immunosuppression(
    records: Records, events: Events, doses: Doses, diagnosed: Frame, vocabulary: Vocabulary
) -> Timeline:
    """Return whether each person is known to be immunosuppressed (1), known not to be (0).

    HIV; a systemic immunosuppressant on at least 28 of the 90 days before the admission, so that
    the treatment of the storm itself never counts; or a finding. What nobody wrote down is
    unknown, never no. Source: Fardet 2014 for the item, the numbers are a proposal.
    """
    rule = rules().immunosuppression
    said = events.points("immunosuppression").hold(span(rule.finding_valid))
    hiv = has(diagnosed, rule.conditions, len(records.persons))
    people = np.flatnonzero(hiv).astype(np.int32)
    ever = Timeline.build(
        people,
        np.full(len(people), _FIRST),
        np.full(len(people), _LAST),
        np.ones(len(people)),
    )
    treated = _long_treated(records, doses, vocabulary, rule)
    return combine(either, ever, treated, said)


_FIRST: Final = -(10**16)
_LAST: Final = 10**16


def _long_treated(
    records: Records, doses: Doses, vocabulary: Vocabulary, rule: ImmunosuppressionRule
) -> Timeline:
    """Return 1 from an admission to the next one, where enough of the days before had a drug."""
    names = [drug.name for drug in vocabulary.drugs if drug.immunosuppressant]
    given, inside = doses.frame, admissions(records)
    rows = np.concatenate([np.empty(0, np.intp), *(doses.exposed(name) for name in names)])
    if not len(rows) or not len(inside):
        return Timeline.empty()
    person = given["person"][rows]
    first = given["start"][rows] // DAY
    last = np.maximum(first, (given["until"][rows] - 1) // DAY)
    length = last - first + 1
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    days = np.unique(
        np.column_stack((np.repeat(person, length), np.repeat(first, length) + offset)), axis=0
    )
    found: list[tuple[int, int, int]] = []
    for i in range(len(inside)):
        who, start = int(inside.person[i]), int(inside.start[i])
        mine = days[days[:, 0] == who, 1] if len(days) else days[:, 1]
        before = (mine < start // DAY) & (mine >= (start - span(rule.within)) // DAY)
        if before.sum() >= rule.days:
            later = i + 1 < len(inside) and inside.person[i + 1] == who
            found.append((who, start, int(inside.start[i + 1]) if later else _LAST))
    return Timeline.build(
        [each[0] for each in found],
        [each[1] for each in found],
        [each[2] for each in found],
        np.ones(len(found)),
    )
