"""A true infusion, charted the way that MIMIC-IV's tables do and read from files, is the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import MINUTE, to_us
from becalm.doses import Doses, rebuild
from becalm.events import harmonise
from becalm.records.mimic4 import open_mimic4
from becalm.vocabulary import load
from tests.generative.test_doses import same, truths
from tests.records.mimic_files import FileRow, mimic_folder
from tests.reference import doses as slow
from tests.reference.doses import Rates, Segment

KG = 73.5
ORIGIN = datetime(2160, 1, 1)
many = st.lists(truths(), min_size=12, max_size=12)
rarely = settings(max_examples=4, derandomize=True, deadline=None)


def clock(minute: float) -> str:
    return f"{ORIGIN + timedelta(minutes=minute):%Y-%m-%d %H:%M:%S}"


def stretches(truth: list[Segment]) -> Iterator[tuple[int, int, float | None]]:
    start = 0
    for segment in truth:
        yield start, start + segment.minutes, segment.rate
        start += segment.minutes


def read(tables: dict[str, list[FileRow]], persons: int) -> Doses:
    listed = [
        {"subject_id": 100 + i, "gender": "F", "anchor_age": 40, "anchor_year": 2160}
        for i in range(persons)
    ]
    with TemporaryDirectory() as folder:
        root = mimic_folder(Path(folder), {"hosp/patients": listed, **tables})
        (records,) = open_mimic4(root, items=[]).chunks()
    return rebuild(records, harmonise(records, load()), load())


def check(found: Doses, person: int, truth: list[Segment]) -> None:
    """Every minute has its rate; a pause and nothing hung are one in these tables."""
    line = found.rate("propofol")
    expected: Rates = [rate or None for rate in slow.minutes_of(truth)]
    middle = to_us(ORIGIN) + np.arange(len(expected)) * MINUTE + MINUTE // 2
    found_rates = line.at(np.full(len(expected), person), middle)[0].tolist()
    assert same([rate if rate > 0 else None for rate in found_rates], expected)
    total = float(found.amounts("propofol").at(person, to_us(ORIGIN) + len(expected) * MINUTE))
    assert total == pytest.approx(slow.total(expected, 0, len(expected)), abs=1e-5)


PER_MG_H = {
    "mg/hour": 1.0,
    "mcg/kg/min": 1000 / 60 / KG,
    "mg/min": 1 / 60,
    "grams/hour": 1 / 1000,
}


@pytest.mark.parametrize("unit", PER_MG_H)
@rarely
@given(infusions=many)
def test_inputevents(unit: str, infusions: list[list[Segment]]) -> None:
    """A row for each rate with amount, weight and rate; what was rewritten ran at another one."""
    rows: list[FileRow] = []
    for person, truth in enumerate(infusions):
        for start, end, rate in stretches(truth):
            if rate is None:
                continue
            row: dict[str, Any] = {
                "subject_id": 100 + person, "hadm_id": 1, "itemid": 222168,
                "starttime": clock(start), "endtime": clock(end),
                "amount": repr(rate * (end - start) / 60), "amountuom": "mg",
                "rate": repr(rate * PER_MG_H[unit]), "rateuom": unit, "patientweight": KG,
                "ordercategoryname": "01-Drips", "ordercategorydescription": "Continuous Med",
                "statusdescription": "ChangeDose/Rate",
            }  # fmt: skip
            rows.append(row)
            if rate:
                wrong = {"amount": 9999, "rate": 9999, "statusdescription": "Rewritten"}
                rows.append({**row, **wrong})
    found = read({"icu/inputevents": rows}, len(infusions))
    assert not found.refused
    for person, truth in enumerate(infusions):
        check(found, person, truth)


@rarely
@given(infusions=many, confirmed=st.integers(5, 400))
def test_emar(infusions: list[list[Segment]], confirmed: int) -> None:
    """Started, confirmed every so often, changed, stopped and restarted; some of it not confirmed."""
    events: list[FileRow] = []
    details: list[FileRow] = []

    def event(person: int, minute: int, word: str, rate: float | None = None) -> None:
        name = f"{100 + person}-{len(events)}"
        events.append(
            {
                "subject_id": 100 + person, "hadm_id": 1, "emar_id": name, "emar_seq": len(events),
                "poe_id": f"{100 + person}-1", "charttime": clock(minute), "event_txt": word,
                "medication": "Propofol",
            }
        )  # fmt: skip
        stated = {"infusion_rate": repr(rate), "infusion_rate_unit": "mg/hr"} if rate else {}
        details.append({"emar_id": name, "administration_type": "IV Infusion", **stated})
        details.append({"emar_id": name, "parent_field_ordinal": "1.1", "dose_given_unit": "mg"})

    for person, truth in enumerate(infusions):
        running: float | None = None
        end = 0
        for start, end, rate in stretches(truth):
            if rate:
                event(person, start, "Rate Change" if running else "Started", rate)
                for minute in range(start + confirmed, end, confirmed):
                    word = "Confirmed" if minute % 2 else "Not Confirmed"
                    event(person, minute, word, rate if minute % 2 else None)
            elif running:
                event(person, start, "Stopped")
            running = rate
        event(person, end, "Stopped - Unscheduled")
    found = read({"hosp/emar": events, "hosp/emar_detail": details}, len(infusions))
    assert not found.refused
    for person, truth in enumerate(infusions):
        check(found, person, truth)
