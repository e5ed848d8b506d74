"""Kidney injury by creatinine and urine, beside the same rules written as self-joins in DuckDB SQL.

    python benchmarks/kidney.py [--rows 20000000] [--seed 20]

Both get the same rows: of each person a creatinine every 6 h and a volume of urine every hour, in stays of
ten days. Creatinine: the lowest of the 48 h and of the 7 d before each draw, ratio and difference; urine: the means of
6, 12 and 24 h. Counts of each stage must be equal, else the program fails. Time is wall-clock, one run of each,
after one small one of each; the process gets the threads of the machine in both.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import pyarrow as pa

from becalm.core.arrays import Floats
from becalm.kidney import injury, kdigo, urine
from becalm.kidney.baseline import CreatinineBaseline
from becalm.timeline import Intervals, Points

HOUR = 3_600_000_000
STAY = 240
KG = 80.0
PERSONS = 150
"""Persons in a batch: about 42,000 rows. A batch of a study has more rows, but few of them are creatinine or urine."""
CREATININE = """
with pairs as (
  select a.person, a.time, a.value,
    min(b.value) filter (where b.time >= a.time - {two_days}) as lowest_2d, min(b.value) as lowest_7d, count(*) as n
  from creatinine a join creatinine b
    on b.person = a.person and b.time <= a.time and b.time >= a.time - {week}
  group by 1, 2, 3)
select stage, count(*) from (
  select case
    when n = 1 then null
    when (round(value - lowest_2d, 9) >= 0.3 or round(value / lowest_7d, 9) >= 1.5) and value >= 4.0 then 3
    when round(value / lowest_7d, 9) >= 3.0 then 3
    when round(value / lowest_7d, 9) >= 2.0 then 2
    when round(value - lowest_2d, 9) >= 0.3 or round(value / lowest_7d, 9) >= 1.5 then 1
    else 0 end as stage from pairs) where stage is not null group by 1 order by 1
"""
URINE = """
with sums as (
  select a.person, a.time,
    sum(b.value) filter (where b.time > a.time - 6 * {hour}) as six, count(*) filter (where b.time > a.time - 6 * {hour}) as n6,
    sum(b.value) filter (where b.time > a.time - 12 * {hour}) as twelve, count(*) filter (where b.time > a.time - 12 * {hour}) as n12,
    sum(b.value) as day, count(*) as n24
  from volume a join volume b
    on b.person = a.person and b.time <= a.time and b.time > a.time - 24 * {hour}
  group by 1, 2)
select stage, count(*) from (
  select case
    when n6 < 6 then null
    when n24 = 24 and round(day / {kg} / 24, 9) < 0.3 then 3
    when n12 = 12 and twelve = 0 then 3
    when n12 = 12 and round(twelve / {kg} / 12, 9) < 0.5 then 2
    when round(six / {kg} / 6, 9) < 0.5 then 1
    else 0 end as stage from sums) where stage is not null group by 1 order by 1
"""


def rows(count: int, seed: int) -> tuple[Points, Points, Intervals]:
    """Return creatinine and urine, together about `count` rows, and the stays."""
    rng = np.random.default_rng(seed)
    draws, volumes = STAY // 6, STAY
    persons = max(1, count // (draws + volumes))
    who = np.arange(persons, dtype=np.int32)
    drift = np.cumsum(rng.normal(0.01, 0.12, (persons, draws)), axis=1)
    mg_dl = np.round(np.clip(np.exp(drift + rng.normal(-0.1, 0.3, (persons, 1))), 0.3, 12), 1)
    level = np.exp(rng.normal(4.0, 0.8, (persons, 1)))
    ml = np.round(np.maximum(0, rng.normal(level, level / 2, (persons, volumes))))
    when = np.arange(1, draws + 1, dtype=np.int64) * 6 * HOUR
    hourly = np.arange(1, volumes + 1, dtype=np.int64) * HOUR
    return (
        Points.build(np.repeat(who, draws), np.tile(when, persons), mg_dl.ravel()),
        Points.build(np.repeat(who, volumes), np.tile(hourly, persons), ml.ravel()),
        Intervals.build(who, np.zeros(persons, np.int64), np.full(persons, (STAY + 1) * HOUR)),
    )


def ours(creatinine: Points, volumes: Points, stays: Intervals) -> list[dict[int, int]]:
    """Return how many values have each stage, by creatinine and by urine: two batches of persons at a time, as a study."""
    rules = kdigo.load()

    def batch(first: int) -> list[dict[int, int]]:
        persons = min(PERSONS, len(stays) - first)
        draws, mine = (_of(each, first, first + persons) for each in (creatinine, volumes))
        person = np.arange(persons, dtype=np.int32)
        inside = slice(first, first + persons)
        care = Intervals(person, stays.start[inside], stays.end[inside])
        baseline = CreatinineBaseline.of(np.full(persons, np.nan))
        by_creatinine = injury.kdigo_stages(draws, baseline, Intervals.empty(), rules.kdigo)
        flow = urine.flow(mine, (care, Intervals.empty()), rules.urine)
        by_urine = urine.stages(mine, flow, np.full(len(mine), KG), rules.urine)
        return [_counted(by_creatinine.points.low), _counted(by_urine.low)]

    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(batch, range(0, len(stays), PERSONS)))
    totals: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for part in parts:
        for total, each in zip(totals, part, strict=True):
            total.update(each)
    return [dict(sorted(total.items())) for total in totals]


def _of(points: Points, first: int, stop: int) -> Points:
    """Return the points of some persons, numbered from 0."""
    # With numbers of another type NumPy would copy all persons first, in every batch.
    bounds = np.array((first, stop), points.person.dtype)
    at = slice(*np.searchsorted(points.person, bounds).tolist())
    value = points.low[at]
    return Points(points.person[at] - first, points.time[at], value, value, points.row[at])


def _counted(stage: Floats) -> dict[int, int]:
    counts = np.bincount(stage.astype(np.int64))
    return {value: int(count) for value, count in enumerate(counts.tolist()) if count}


def sql(creatinine: Points, volumes: Points) -> list[dict[int, int]]:
    """Return the same by DuckDB."""
    with duckdb.connect() as connection:
        for name, points in (("creatinine", creatinine), ("volume", volumes)):
            table = pa.table({"person": points.person, "time": points.time, "value": points.low})
            connection.register("arrow", table)
            connection.execute(f"create table {name} as select * from arrow")
            connection.unregister("arrow")
        began, used = time.perf_counter(), time.process_time()
        values = {"hour": HOUR, "kg": KG, "two_days": 48 * HOUR, "week": 168 * HOUR}
        found = [dict(connection.execute(each.format(**values)).fetchall()) for each in (CREATININE, URINE)]  # fmt: skip
        print(
            f"self-joins in DuckDB: {time.perf_counter() - began:.1f} s, {time.process_time() - used:.1f} s of CPU"
        )
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=20_000_000)
    asked.add_argument("--seed", type=int, default=20)
    options = asked.parse_args()
    for count in (min(100_000, options.rows), options.rows):
        given = rows(count, options.seed)
        print(f"{len(given[0]) + len(given[1]):,} rows of {len(given[2]):,} persons")
        began, used = time.perf_counter(), time.process_time()
        mine = ours(*given)
        print(
            f"becalm: {time.perf_counter() - began:.1f} s, {time.process_time() - used:.1f} s of CPU"
        )
        theirs = sql(*given[:2])
        if mine != theirs:
            raise SystemExit(f"the stages differ: {mine} and {theirs}")
        print(f"equal stages: {mine}")


if __name__ == "__main__":
    main()
