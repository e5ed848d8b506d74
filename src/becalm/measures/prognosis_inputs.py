"""What published calculators of the outcome ask for: the value at time zero, and how old it is.

becalm does not calculate their results: they are forests behind a web page, or models of one hospital.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions.item_evidence import bound_and_sign
from becalm.measures.stage import Stage, StageInput
from becalm.tables import PROGNOSIS_INPUTS
from becalm.timeline import nearest

FILE: Final = Path(__file__).with_suffix(".toml")
AGE: Final = "age"
IN_FORCE: Final = "in force"
EXPIRED: Final = "expired"
NEVER: Final = "not measured"


class PrognosisInput(toml.TomlTable, frozen=True):
    """One input: a variable of the vocabulary or the person's age, and who asks for it."""

    name: str
    asked_by: tuple[str, ...]
    source: str


class PrognosisInputFile(toml.TomlTable, frozen=True):
    """The file `prognosis_inputs.toml`."""

    input: tuple[PrognosisInput, ...]


def inputs() -> tuple[PrognosisInput, ...]:
    """Return the shipped inputs."""
    return toml.load(FILE, PrognosisInputFile).input


def measure(given: StageInput) -> Frame:
    """Fill `prognosis_inputs`: one row for each person with a time zero, and input.

    The value is the last one drawn until time zero, that moment included. One that was drawn longer ago than
    the vocabulary lets it count is given too, and is said to be expired.
    """
    cohort = given.cohort.take(given.cohort["t0"] != UNKNOWN_TIME)
    return Frame.concat(
        [PROGNOSIS_INPUTS.empty(), *(_rows(given, cohort, each) for each in inputs())]
    ).sort("person_id", "prognosis_input")


def _rows(given: StageInput, cohort: Frame, asked: PrognosisInput) -> Frame:
    found = _age(cohort) if asked.name == AGE else _value(given, cohort, asked.name)
    count = len(cohort)
    return Frame.of(
        PROGNOSIS_INPUTS,
        person_id=cohort["person_id"],
        prognosis_input=np.full(count, asked.name, object),
        input_of=np.full(count, "|".join(asked.asked_by), object),
        **found,
    )


def _age(cohort: Frame) -> dict[str, Any]:
    """Return the age at time zero; the persons table holds no age that could expire."""
    age = cohort["age"].astype(np.float64)
    age = np.where(age < 0, np.nan, age)
    return {
        "input_value": age,
        "input_limit": np.full(len(cohort), "", object),
        "unit": np.full(len(cohort), "completed years", object),
        "input_state": np.where(np.isnan(age), NEVER, IN_FORCE).astype(object),
        "input_age_h": np.full(len(cohort), np.nan),
        "source_row": np.full(len(cohort), "", object),
    }


def _value(given: StageInput, cohort: Frame, name: str) -> dict[str, Any]:
    """Return the last value until time zero, its age and whether it still counts."""
    events = given.patients.events
    variable = events.vocabulary.variable(name)
    points, t0 = events.points(name), cohort["t0"]
    first, stop = nearest.within(points, cohort["person"], np.full(len(cohort), -FAR_FUTURE), t0)
    draw = nearest.last(points, first, stop)
    value, sign = bound_and_sign(*draw.bounds, prefer_high=False)
    value[~draw.found], sign[~draw.found] = np.nan, ""
    held = t0 - draw.time < variable.valid.us
    return {
        "input_value": value,
        "input_limit": sign,
        "unit": np.full(len(cohort), variable.unit, object),
        "input_state": np.select([~draw.found, held], [NEVER, IN_FORCE], EXPIRED).astype(object),
        "input_age_h": np.where(draw.found, (t0 - draw.time) / HOUR, np.nan),
        "source_row": np.array(
            [events.source_row(row) if row >= 0 else "" for row in draw.row.tolist()], object
        ),
    }


STAGES: Final = (Stage(PROGNOSIS_INPUTS, measure),)
