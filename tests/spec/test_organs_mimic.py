"""SOFA, vasopressors and suspected infection on the MIMIC-IV demo: a plain reading of what was understood."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import becalm
from becalm.core.clock import HOUR, to_us
from becalm.doses import equivalent_rate
from becalm.measures.organs import rules, sofa, vasopressors
from becalm.patients.understood import Patients
from tests.reference import organs as plain
from tests.spec.edges import read

FILE = read("measures/organs/organs.toml")
DATA = Path(__file__).parents[3] / "shared" / "data"
real = pytest.mark.skipif(
    not (DATA / "mimic-iv-demo").is_dir(), reason="no mimic-iv-demo in ../shared/data"
)


@cache
def demo() -> Patients:
    [batch] = becalm.understand(becalm.open_records(str(DATA / "mimic-iv-demo"))).batches
    return batch


def draws(name: str) -> dict[int, list[plain.Draw]]:
    """The draws of those of whom no draw is a limit or a range."""
    points = demo().events.points(name)
    found: dict[int, list[plain.Draw]] = {}
    ranged = set(points.person[points.low != points.high].tolist())
    columns = (points.person.tolist(), points.time.tolist(), points.low.tolist())
    for who, time, low in zip(*columns, strict=True):
        if who not in ranged:
            found.setdefault(who, []).append((time, low))
    return found


def infusions() -> dict[int, dict[str, list[plain.Run]]]:
    found: dict[int, dict[str, list[plain.Run]]] = {}
    everybody = np.ones(len(demo()), np.bool_)
    for drug in (
        "norepinephrine",
        "epinephrine",
        "phenylephrine",
        "dopamine",
        "dobutamine",
        "vasopressin",
    ):
        line = vasopressors.rates(demo(), drug, everybody)
        for who, start, end, rate in zip(line.person, line.start, line.end, line.low, strict=True):
            found.setdefault(int(who), {}).setdefault(drug, []).append(
                (int(start), int(end), float(rate))
            )
    return found


@real
@pytest.mark.parametrize(
    ("name", "variable", "reading"),
    [
        ("coagulation", "platelets", plain.coagulation),
        ("liver", "bilirubin", plain.liver),
    ],
)
def test_items_on_real_records_equal_a_plain_reading(
    name: str, variable: str, reading: Any
) -> None:
    """Every person of the MIMIC-IV demo, every six hours of their draws."""
    everybody = np.ones(len(demo()), np.bool_)
    line = sofa.items(demo(), rules.load().sofa, everybody)[name]
    compared = 0
    for who, of_person in draws(variable).items():
        first, last = int(of_person[0][0]), int(of_person[-1][0])
        for hour in range(first - 3 * HOUR, last + 30 * HOUR, 6 * HOUR):
            low, high = line.at([who], [hour])
            expected = reading(of_person, hour)
            if np.isfinite(low[0]) and low[0] != high[0]:
                continue  # limits of the laboratory
            assert (None if not np.isfinite(low[0]) else int(low[0])) == expected, (who, hour)
            compared += 1
    assert compared > 2000


@real
def test_pressure_and_vasopressors_on_real_records_equal_a_plain_reading() -> None:
    """Every person of the MIMIC-IV demo with a pressure, every six hours."""
    everybody, runs = np.ones(len(demo()), np.bool_), infusions()
    line = sofa.items(demo(), rules.load().sofa, everybody)["cardiovascular"]
    compared: Counter[int] = Counter()
    for who, of_person in draws("mean_arterial_pressure").items():
        for hour in range(int(of_person[0][0]), int(of_person[-1][0]) + 30 * HOUR, 6 * HOUR):
            low, high = line.at([who], [hour])
            if not np.isfinite(low[0]) or low[0] != high[0]:
                continue
            assert int(low[0]) == plain.cardiovascular(of_person, runs.get(who, {}), hour), (
                who,
                hour,
            )
            compared[int(low[0])] += 1
    assert set(compared) == {0, 1, 2, 3, 4} or len(compared) >= 3


@real
def test_noradrenaline_equivalents_equal_the_published_queries() -> None:
    """At the middle of each of their stretches; two doubled bags are left out."""
    line = equivalent_rate(demo().doses, "norepinephrine")
    ids = {name: i for i, name in enumerate(demo().records.persons["person_id"].tolist())}
    with gzip.open(
        DATA / "mimic-iv-demo-concepts" / "norepinephrine_equivalent_dose.csv.gz", "rt"
    ) as file:
        rows = list(csv.DictReader(file))
    differs: list[tuple[str, str, float, float]] = []
    for row in rows:
        start, end = (to_us(datetime.fromisoformat(row[each])) for each in ("starttime", "endtime"))
        found = float(line.at([ids[row["subject_id"]]], [(start + end) // 2])[0][0])
        theirs = float(row["norepinephrine_equivalent_dose"] or "nan")
        ours = found if np.isfinite(found) else float("nan")
        if np.isnan(theirs) and np.isnan(ours):
            continue
        if not abs(ours - theirs) <= 1.5e-4:  # theirs is rounded to four decimals
            differs.append((row["stay_id"], row["starttime"], ours, theirs))
    doubled = {("32359580", "23"), ("32119961", "03")}
    unexplained = [each for each in differs if (each[0], each[1][8:10]) not in doubled]
    assert len(rows) > 1500
    assert unexplained == []
