"""Suspected infection on the MIMIC-IV demo: a plain reading of the rule, and the public query for MIMIC-IV beside it.

The public query pairs orders with cultures, carriage screens and serology included; here antibiotics count as given and by
routes that reach the blood. So the two find the same cultures where an order was carried out at once, and every other row has
a reason that this test names and counts.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

import numpy as np

from becalm.core.clock import DAY, HOUR, to_us
from becalm.measures.organs import suspicion
from becalm.measures.stage import StageInput
from becalm.patients.understood import Patients
from becalm.vocabulary import words
from tests.reference import organs as plain
from tests.spec.edges import read
from tests.spec.test_organs_mimic import DATA, demo, real

BANNED = [f" {each} " for each in read("measures/organs/organs.toml")["suspicion"]["not_cultures"]]
CONCEPT = DATA / "mimic-iv-demo-concepts" / "suspicion_of_infection.csv.gz"
BEFORE, AFTER = 72 * HOUR, 24 * HOUR
GUT_OR_SKIN = ("Mupirocin", "Neomycin", "Vancomycin Oral", "Vancomycin Enema")


@dataclass(frozen=True, eq=False)
class Everybody:
    """All persons of a batch as a cohort."""

    patients: Patients

    @property
    def in_cohort(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.ones(len(self.patients), np.bool_)


Pair = tuple[int, int, str]
"""Begin of the antibiotic, culture, drug."""


@cache
def ours() -> dict[str, list[Pair]]:
    """What is suspected of each person."""
    names = demo().records.persons["person_id"].tolist()
    found: dict[str, list[Pair]] = defaultdict(list)
    for who, start, culture, _, drug in suspicion.pairs(cast(StageInput, Everybody(demo()))):
        found[names[who]].append((start, culture, drug))
    return found


@cache
def given() -> dict[str, list[tuple[int, int, str]]]:
    """Begin, end and drug of each dose of an antibiotic."""
    doses, names = demo().doses, demo().records.persons["person_id"].tolist()
    found: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for drug in demo().vocabulary.drugs:
        if drug.drug_class == "antibiotic":
            for row in doses.exposed(drug.name).tolist():
                person, start, until = (
                    int(doses.frame[c][row]) for c in ("person", "start", "until")
                )
                found[names[person]].append((start, max(start, until), drug.name))
    return found


@cache
def taken() -> dict[str, list[tuple[int, int, bool]]]:
    """First and last moment of each culture, and whether it looks for carriage or antibodies."""
    table, names = demo().records.cultures, demo().records.persons["person_id"].tolist()
    found: dict[str, list[tuple[int, int, bool]]] = defaultdict(list)
    for row in table.rows():
        label = f" {words(row['specimen'])} {words(row['test'])} "
        first = row["collected"]
        last = first + DAY - 1 if row["date_only"] else first
        banned = any(each in label for each in BANNED)
        found[names[row["person"]]].append((first, last, banned))
    return found


@real
def test_every_suspicion_equals_a_plain_reading() -> None:
    """Of all hundred persons: begin of the course, culture and drug, and nobody else is suspected."""
    for name in demo().records.persons["person_id"].tolist():
        cultures = [(first, last) for first, last, banned in taken()[name] if not banned]
        expected = plain.suspicions(plain.courses(given()[name]), cultures)
        found = sorted((min(start, c), start, c, drug) for start, c, drug in ours()[name])
        assert found == expected, name
    assert sum(len(each) for each in ours().values()) == 350


@cache
def theirs() -> list[dict[str, str]]:
    """The rows of the public query: orders, those without a culture included."""
    with gzip.open(CONCEPT, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))


def only_there(row: dict[str, str]) -> str:
    """Why a suspicion of theirs has no culture here; '' where it has."""
    name, culture, order = row["subject_id"], us(row["culture_time"]), us(row["antibiotic_time"])
    mine, doses = ours()[name], given()[name]
    near = [s for s, _ in plain.courses(doses) if culture - AFTER <= s <= culture + BEFORE]
    reasons = {
        "": any(c == culture for _, c, _ in mine),
        "no culture of an infection": all(
            banned for first, _, banned in taken()[name] if first == culture
        ),
        "a drug for gut or skin": row["antibiotic"].startswith(GUT_OR_SKIN),
        "an earlier culture is paired here": any(s in near and c < culture for s, c, _ in mine),
        "unexplained": bool(near),
        "an order in a course that runs": any(
            begin <= order <= until + BEFORE for begin, until, _ in doses
        ),
        "not given within 72 h of the culture": not any(
            order <= begin <= culture + BEFORE for begin, *_ in doses
        ),
    }
    return next((words for words, holds in reasons.items() if holds), "unexplained")


def only_here(name: str, pair: Pair) -> str:
    """Why a suspicion of ours has no culture there; '' where it has."""
    culture = pair[1]
    rows = [row for row in theirs() if row["subject_id"] == name]
    if any(row["culture_time"] and us(row["culture_time"]) == culture for row in rows):
        return ""
    if any(first == culture < last for first, last, _ in taken()[name]):
        return "the culture has a date alone"
    orders = [us(row["antibiotic_time"]) for row in rows]
    near = [order for order in orders if culture - AFTER <= order <= culture + BEFORE]
    if not near:
        return "not ordered near the culture"
    earlier = [
        banned
        for first, _, banned in taken()[name]
        if first < culture and any(order - BEFORE <= first for order in near)
    ]
    if earlier:
        return "a screen is paired there" if all(earlier) else "an earlier culture is paired there"
    return "unexplained"


@real
def test_every_difference_from_the_public_suspicions_has_its_reason() -> None:
    """Their 791 orders with a culture, and our 350 courses with one."""
    there = Counter(only_there(row) for row in theirs() if row["suspected_infection"] == "1")
    here = Counter(only_here(name, pair) for name, pairs in ours().items() for pair in pairs)
    assert there == {
        "": 426, "no culture of an infection": 148, "not given within 72 h of the culture": 104,
        "an earlier culture is paired here": 84, "an order in a course that runs": 25, "a drug for gut or skin": 4,
    }  # fmt: skip
    assert here == {
        "": 265, "a screen is paired there": 40, "not ordered near the culture": 20, "the culture has a date alone": 16,
        "an earlier culture is paired there": 9,
    }  # fmt: skip
