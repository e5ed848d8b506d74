"""The rate without the drug is recovered in planted hospitals, and in open records equals a plain query.

A planted hospital has forty persons: most with a storm that nobody treated with the drug, whose markers are
lower two days later with a known probability; and, among them, those who must not count. `pytest -m long`
plants 500 hospitals, every run the first fifty of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import numpy as np
import pytest

from becalm import protocol
from becalm.core.frame import Frame
from becalm.measures.response import background
from becalm.records import open_records
from becalm.study.run import run
from becalm.tables import UNTREATED
from tests.records import Row, condition, dose, lab, measured, patient

MIMIC: Final = Path(__file__).parents[2] / ".." / "shared" / "data" / "mimic-iv-demo"
HOSPITALS: Final = [50, pytest.param(500, marks=pytest.mark.long)]
PERSONS: Final = 40
FALLS: Final = 0.68
"""Planted probability that both ferritin and AST are lower about 48 h later."""
DIES: Final = 0.06
UNSAMPLED: Final = 0.15
TRUE: Final = FALLS * (1 - DIES) * (1 - UNSAMPLED) / (DIES + (1 - DIES) * (1 - UNSAMPLED))
"""The rate among those whose result is known: a death before 48 h is no response."""


def hospital(number: int, planted: Counter[str]) -> Iterator[Row]:
    """Yield the rows of one hospital; `planted` counts what became of those who must count."""
    random = np.random.default_rng([6, number])
    for i in range(PERSONS):
        high, enzyme = random.uniform(3000, 30000), random.uniform(120, 900)
        fell, dies, unsampled = random.random(3) < (FALLS, DIES, UNSAMPLED)
        down = random.uniform(0.3, 0.95, 2)
        up = random.uniform(1.01, 1.5, 2)  # more than what rounding to a printed value takes back
        risen = ((up[0], down[1]), (down[0], up[1]), (up[0], up[1]))[random.integers(3)]
        moves = (down[0], down[1]) if fell else risen
        later = random.uniform(31, 54)
        begun = random.uniform(0, 200)
        rows = [lab("ferritin", high, begun), lab("ast", enzyme, begun), lab("alt", enzyme, begun)]
        if not unsampled:
            rows += [
                lab(name, value, begun + later)
                for name, value in (
                    ("ferritin", round(high * moves[0], 1)),
                    ("ast", round(enzyme * moves[1], 1)),
                    ("alt", round(enzyme * moves[1], 1)),
                )
            ]
        facts: dict[str, Any] = {"age": 18 + i}
        kind = "counts" if i < 30 else ("treated", "child", "cancer", "calm")[i % 4]
        if kind == "treated":
            rows.append(dose("anakinra", begun + 1, amount="100 mg", route="SC"))
        elif kind == "child":
            facts["age"] = 12
        elif kind == "cancer":
            rows.append(condition("lymphoma", begun - 100))
        elif kind == "calm":
            rows = [lab("ferritin", 200, begun), lab("ast", enzyme, begun)]
        elif dies:
            facts["death"] = begun + random.uniform(10, 29)
            rows = rows[:3]
            planted["died before"] += 1
        else:
            planted["no sample" if unsampled else "yes" if fell else "no"] += 1
        yield from patient(f"{number:03}-{i:02}", *rows, **facts)


@pytest.mark.parametrize("hospitals", HOSPITALS)
def test_the_rate_of_planted_hospitals_is_recovered(hospitals: int) -> None:
    """Each count is exact; the mean over the hospitals is the planted rate within 3 points; intervals cover it."""
    truth: dict[int, Counter[str]] = {number: Counter() for number in range(hospitals)}
    by_hospital: dict[int, list[dict[str, Any]]] = defaultdict(list)
    step = 50
    for first in range(0, hospitals, step):
        numbers = range(first, min(first + step, hospitals))
        rows = [row for number in numbers for row in hospital(number, truth[number])]
        for row in measured("anakinra_mas", *rows, only="untreated"):
            by_hospital[int(row["person_id"][:3])].append(row)
    shares, covered = [], 0
    for number, planted in truth.items():
        table = Frame.of_rows(UNTREATED, by_hospital[number])
        groups = [group.row() for group in background._untreated(table)]
        [found] = [
            each
            for each in groups
            if (each["index_by"], each["rule"]) == (background.STORM, background.PRIMARY)
        ]
        assert found["with_index"] == 30
        assert found["yes"] == planted["yes"]
        assert found["known"] == planted["yes"] + planted["no"] + planted["died before"]
        assert found["no_sample"] == planted["no sample"]
        assert found["died_before"] == planted["died before"]
        shares.append(found["share"])
        covered += found["share_low"] <= TRUE <= found["share_high"]
    assert np.mean(shares) == pytest.approx(TRUE, abs=0.03)
    assert covered / hospitals >= 0.94


QUERY: Final = """
with draws as (  -- of one moment the lowest and the highest report
    select subject_id, charttime as t, min(valuenum) as low, max(valuenum) as high
    from read_csv('{file}') where itemid = 50878 and valuenum is not null group by all
), first as (
    select subject_id, t, low, high from draws where low >= 100
    qualify row_number() over (partition by subject_id order by t) = 1
), later as (
    select first.subject_id, first.low as low0, first.high as high0, draws.low, draws.high
    from first join draws using (subject_id)
    where draws.t > first.t + interval 30 hour and draws.t <= first.t + interval 54 hour
    qualify row_number() over (
        partition by first.subject_id order by abs(epoch(draws.t) - epoch(first.t) - 48 * 3600), draws.t) = 1
)
select (select count(*) from first), count(*), count(*) filter (high < low0) from later
where high < low0 or low >= high0
"""


@pytest.mark.skipif(not MIMIC.is_dir(), reason=f"no {MIMIC.name} in ../shared/data")
def test_the_rate_of_aspartate_in_open_records_is_that_of_a_plain_query() -> None:
    """First AST of 100 or more, the value nearest to 48 h in (30, 54] h lower; with nobody excluded for a diagnosis."""
    rules = protocol.load("anakinra_mas")
    nobody_excluded = msgspec.structs.replace(rules.exclude, conditions=())
    result = run(
        open_records(str(MIMIC)),
        msgspec.structs.replace(rules, exclude=nobody_excluded),
        MIMIC.name,
    )
    [found] = [row for row in result.tables["without_drug"].rows() if row["index_by"] == "ast 100"]
    with duckdb.connect() as connection:
        query = QUERY.format(file=MIMIC / "hosp" / "labevents.csv.gz")
        [(index, known, fell)] = connection.execute(query).fetchall()
    assert known > 10
    assert (found["with_index"], found["known"], found["yes"]) == (index, known, fell)
