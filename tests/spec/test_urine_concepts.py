"""Urine of the MIMIC-IV demo: equal to a plain reading for everybody, and beside the public concepts."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import becalm
from becalm.core.clock import HOUR, UNKNOWN_TIME, to_us
from becalm.events import URINE
from becalm.kidney import kdigo, urine
from becalm.persons.stays import admissions
from becalm.persons.weight import weight_in_force
from tests.reference import urine as slow

DATA = Path(__file__).parents[3] / "shared" / "data"
CONCEPTS = DATA / "mimic-iv-demo-concepts"
pytestmark = pytest.mark.skipif(not CONCEPTS.exists(), reason="shared/data is not here")
BOUNDS = ((6, 0.5, 1), (12, 0.5, 2), (24, 0.3, 3))


@cache
def demo() -> tuple[Any, urine.UrineStages, frozenset[int]]:
    """Return the demo, its stages by urine, and who has volumes that cannot be used."""
    [batch] = becalm.understand(becalm.open_records(str(DATA / "mimic-iv-demo"))).batches
    records, events, rule = batch.records, batch.events, kdigo.load().urine
    volumes = events.points(URINE)
    who, when = urine.unusable(events)
    flow = urine.flow(volumes, urine.begins(records), rule, refused=(who, when))
    weight = weight_in_force(records, events, volumes.person, volumes.time)
    return batch, urine.stages(volumes, flow, weight.kg, rule), frozenset(who.tolist())


def stays_of(person: int) -> list[slow.Stay]:
    """The volumes of one person, cut where a stay begins; read from the values, not from the stages.

    What was charted while the bladder was irrigated is a volume that nobody knows.
    """
    batch, _, _ = demo()
    frame, stays = batch.events.frame, batch.records.stays
    mine = (frame["person"] == person) & (frame["variable"] == batch.vocabulary.code(URINE))
    by_minute: dict[int, float] = {}
    for time, ml in zip(frame["time"][mine].tolist(), frame["low"][mine].tolist(), strict=True):
        by_minute[time] = by_minute.get(time, 0.0) + ml
    care = (stays["person"] == person) & (stays["kind"] == "ICU") & (stays["start"] != UNKNOWN_TIME)
    whole = admissions(batch.records)
    begins = {*stays["start"][care].tolist(), *whole.start[whole.person == person].tolist()}
    who, when = urine.unusable(batch.events)
    charted: list[tuple[int, int, float | None]] = [
        *((time, 0, ml) for time, ml in by_minute.items()),
        *((time, -1, None) for time in when[who == person].tolist()),
    ]
    parts: dict[int | None, list[slow.Volume]] = {}
    for time, _, ml in sorted(charted, key=lambda each: each[:2]):
        begin = max((each for each in begins if each < time), default=None)
        parts.setdefault(begin, []).append(slow.Volume(time, ml))
    return [slow.Stay(begin, volumes) for begin, volumes in parts.items()]


def test_stages_by_urine_equal_a_plain_reading_for_everybody() -> None:
    """All persons of the demo, the three with an irrigated bladder included."""
    batch, found, irrigated = demo()
    compared, washed = 0, 0
    for person in range(len(batch)):
        at = found.person == person
        fast = dict(zip(found.time[at].tolist(), found.low[at].astype(int).tolist(), strict=True))
        stays = stays_of(person)
        times = np.array([each.time for stay in stays for each in stay.volumes], np.int64)
        weight = weight_in_force(
            batch.records, batch.events, np.full(len(times), person, np.int32), times
        )
        kg = {
            time: None if np.isnan(each) else each
            for time, each in zip(times.tolist(), weight.kg.tolist(), strict=True)
        }
        assert dict(slow.stages(stays, kg)) == fast, person
        assert (found.low[at] == found.high[at]).all()
        compared += len(fast)
        washed += len(fast) if person in irrigated else 0
    assert len(irrigated) == 3
    assert washed > 50
    assert compared > 6000


def rows(name: str) -> dict[tuple[str, str, str], dict[str, str]]:
    with gzip.open(CONCEPTS / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        return {(r["subject_id"], r["stay_id"], r["charttime"]): r for r in csv.DictReader(file)}


def number(text: str) -> float:
    return float(text) if text else np.nan


@cache
def compared() -> Counter[tuple[str, str]]:
    """Return how many of their rows differ, by which is higher and why."""
    batch, found, irrigated = demo()
    ids = {name: at for at, name in enumerate(batch.records.persons["person_id"].tolist())}
    theirs_by = rows("kdigo_stages")
    at = {
        key: i for i, key in enumerate(zip(found.person.tolist(), found.time.tolist(), strict=True))
    }
    result: Counter[tuple[str, str]] = Counter()
    for key, row in rows("kdigo_uo").items():
        who, when = ids[key[0]], to_us(datetime.fromisoformat(key[2]))
        text = theirs_by[key]["aki_stage_uo"]
        theirs = None if text == "" else int(text)
        place = at.get((who, when))
        ours = None if place is None else int(found.low[place])
        if ours == theirs:
            result["equal", ""] += 1
            continue
        which = (
            "only theirs" if ours is None else "only ours" if theirs is None
            else "higher" if ours > theirs else "lower"
        )  # fmt: skip
        times = {hours: number(row[f"uo_tm_{hours}hr"]) for hours, _, _ in BOUNDS}
        kg = number(row["weight"])
        if who in irrigated:
            why = "the bladder is irrigated"
        elif ours is None:
            why = "observed for less than 6 h"
        elif np.isnan(kg):
            why = "they have no weight"
        elif theirs is None and times[6] >= 12:
            why = "their 6-h window took 12 h or more"
        elif theirs is None and times[6] < 6:
            why = "their observation begins later"
        elif place is not None and _by(found, place, kg) == theirs:
            why = "another weight"
        elif any(number(row[f"uo_tm_{h}hr"]) != h for h, _, _ in BOUNDS):
            why = "their windows are sums of whole gaps"
        else:
            why = "?"
        result[which, why] += 1
    return result


def _by(found: urine.UrineStages, place: int, kg: float) -> int:
    """Our stage with their weight."""
    stage = 0
    for hours, limit, number_ in BOUNDS:
        rate = found.per_kg[f"{hours}h"][place] * found.kg[place] / kg
        stage = number_ if rate < limit else stage
    return 3 if found.per_kg["12h"][place] == 0 else stage


def test_every_difference_by_urine_has_its_reason() -> None:
    """Nothing differs for a reason that is not listed."""
    assert [each for each in compared() if each[1] == "?"] == []


def test_differences_by_urine_are_counted_by_their_reason() -> None:
    """Of 7,317 volumes in intensive care most have one stage by both."""
    assert dict(compared()) == {
        ("equal", ""): 6635,
        ("higher", "another weight"): 40,
        ("higher", "the bladder is irrigated"): 14,
        ("higher", "their windows are sums of whole gaps"): 163,
        ("lower", "another weight"): 10,
        ("lower", "the bladder is irrigated"): 40,
        ("lower", "their windows are sums of whole gaps"): 114,
        ("only ours", "the bladder is irrigated"): 9,
        ("only ours", "their 6-h window took 12 h or more"): 69,
        ("only ours", "their observation begins later"): 116,
        ("only ours", "they have no weight"): 41,
        ("only theirs", "observed for less than 6 h"): 31,
        ("only theirs", "the bladder is irrigated"): 35,
    }


def test_their_windows_are_longer_than_they_say() -> None:
    """Charted hourly, the window of 6 h is 7 h: its first row's gap counts whole."""
    times = [number(row["uo_tm_6hr"]) for row in rows("kdigo_uo").values()]
    assert sum(t > 6 for t in times) > len(times) / 2


def test_sparse_anuria_has_a_stage_here_and_none_there() -> None:
    """10038081: nothing charted for 20 h. Their stage is empty, ours is 3."""
    batch, found, _ = demo()
    who = batch.records.persons["person_id"].tolist().index("10038081")
    when = to_us(datetime(2115, 10, 12, 20))
    there = rows("kdigo_stages")["10038081", "38430513", "2115-10-12 20:00:00"]
    at = (found.person == who) & (found.time == when)
    assert there["aki_stage_uo"] == ""
    assert found.low[at].tolist() == [3]


def test_no_window_reaches_over_the_begin_of_a_stay() -> None:
    """Everybody with two stays: the first stage of each comes 6 h after its begin at the earliest."""
    batch, found, irrigated = demo()
    for person in sorted(set(range(len(batch))) - irrigated):
        mine = found.time[found.person == person]
        for earlier, stay in pairwise(stays_of(person)):
            first = mine[mine > earlier.volumes[-1].time]
            assert stay.begin is not None
            assert not len(first) or first[0] >= stay.begin + 6 * HOUR
