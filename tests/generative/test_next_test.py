"""The next best test against trying every result of every test: random patients, all definitions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import pytest

from becalm.core.columns import Categorical, listed
from becalm.core.frame import Frame
from becalm.definitions import Definition, Undetermined, evaluate, load, next_tests, shipped
from tests.generative.test_scores import ODD, RULED
from tests.reference import next_test as brute
from tests.reference.next_test import HOUR, STANDING, Patient, Try, Value

MOMENT: Final = 2000 * HOUR
REPORTED: Final = ("hscore", "hlh2004", "mas2016", "cov_hi", "chis", "temple")
"""The definitions that shipped protocols report: of each so many patients as the number says, of others a tenth."""
SIZES: Final = [1000, pytest.param(10_000, marks=pytest.mark.long)]
AT_ONCE: Final = 500
"""Patients of one seed: a study of 10,000 has twenty, and its first two are those of 1,000."""
MG_DL: Final = {"triglycerides": 88.57}
"""mg/dL in one mmol/L, where a definition prints a threshold in both."""


def patients(definition: Definition, count: int, random: np.random.Generator) -> list[Patient]:
    """Patients whose values lie near thresholds; much is missing, expired, or known as a limit."""
    return [_patient(definition, random) for _ in range(count)]


def _patient(definition: Definition, random: np.random.Generator) -> Patient:
    gaps = float(random.choice([0.1, 0.3, 0.6]))  # some lack little, so that one test may decide
    draws: dict[str, list[Value]] = {}
    standing: dict[str, float] = {}
    for variable in definition.variables:
        if random.random() < gaps:
            continue
        choices = brute.results(definition, variable, random)
        if variable in STANDING:
            standing[variable] = float(random.choice([round(each) for each in choices]))
            continue
        leaves = [leaf for item in definition.items for leaf in item.leaves()]
        within = [
            leaf.within.us / HOUR for leaf in leaves if leaf.variable == variable and leaf.within
        ]
        for _ in range(int(random.integers(1, 4))):
            value = float(random.choice(choices))
            before = float(random.choice([0, 1, 20, 24, 0.5 * max(within), min(within), 400]))
            drawn = MOMENT / HOUR - before
            known = drawn + float(random.choice([0, 2]))
            low = high = value
            if value > 0 and choices != [0.0, 1.0] and random.random() < 0.15:
                low, high = [(math.nextafter(value, math.inf), math.inf), (0.0, value)][
                    random.integers(2)
                ]
            draws.setdefault(variable, []).append(Value(drawn, known, low, high))
    return Patient(draws, standing)


def asked(definition: Definition, some: list[Patient], clock: str) -> tuple[Frame, Undetermined]:
    """What becalm says of the patients whose status is open."""
    given, time = brute.inputs(some, [], MOMENT, clock)
    evaluation = evaluate(definition, given)
    low, high = evaluation.at(np.arange(len(some)), time)
    open_ = np.flatnonzero((low < definition.cut_off) & (high >= definition.cut_off)).astype(
        np.int32
    )
    names = listed(f"{number:05}" for number in open_.tolist())
    of = Undetermined(
        evaluation, names, open_, time[open_], low[open_], high[open_],
        Categorical(np.zeros(len(open_), np.int32), listed(["index"])),
    )  # fmt: skip
    return next_tests(of), of


def differences(definition: Definition, count: int, seed: int) -> tuple[list[str], int, int]:
    """Where becalm and the brute force differ; how many results were tried, and how many settle."""
    random = np.random.default_rng([seed, *definition.name.encode()])
    some = patients(definition, count, random)
    clock = ("drawn", "available")[seed % 2]
    rows, of = asked(definition, some, clock)
    said: dict[tuple[int, str], Mapping[str, str]] = {
        (int(row["person_id"]), row["test"]): row for row in rows.rows()
    }
    tries = [
        Try(patient, variable, value)
        for variable in definition.variables
        for value in brute.results(definition, variable, random)
        for patient in _unsure(definition, of, variable)
    ]
    given, time = brute.inputs(some, tries, MOMENT, clock)
    found = brute.status(definition, given, time)[len(some) :]
    wrong, settled = [], 0
    outcomes: dict[tuple[int, str], set[str]] = {}
    for one, status in zip(tries, found, strict=True):
        row = said.get((one.patient, one.variable))
        met = row is not None and brute.means(
            row["settles_met_if"], one.value, other_units(one.variable)
        )
        denied = row is not None and brute.means(
            row["settles_not_met_if"], one.value, other_units(one.variable)
        )
        outcomes.setdefault((one.patient, one.variable), set()).add(status)
        if met is None or denied is None or _between(one):
            continue
        settled += status != "open"
        words = "met" if met else "not met" if denied else "open"
        if words != status or (met and denied):
            wrong.append(
                f"{definition.name} {clock} {some[one.patient]} {one}: {words}, not {status}"
            )
    for key, states in outcomes.items():
        row = said.get(key)
        if row is not None and not _agrees(row, states):
            wrong.append(f"{definition.name} {key}: {row['settles']}, not {states}")
    none = {int(row["person_id"]) for row in rows.rows() if row["settles"] == "no single test"}
    able = {patient for (patient, _), states in outcomes.items() if states != {"open"}}
    if none & able:
        wrong.append(f"{definition.name}: a test would settle {sorted(none & able)}")
    if none | {patient for patient, _ in said} != set(of.person.tolist()):
        wrong.append(f"{definition.name}: somebody undetermined has no row")
    return wrong, len(tries), settled


def _between(one: Try) -> bool:
    """Whether a result lies between one threshold as printed in two units: no laboratory prints it in the first."""
    own = one.value * MG_DL.get(one.variable, 1.0)
    return (
        one.variable in MG_DL and round(one.value, 2) != one.value and round(own) == round(own, 6)
    )


def _agrees(row: Mapping[str, str], states: set[str]) -> bool:
    """Whether what is said of a test is what its results gave; an `about` may hide a narrow range."""
    if row["settles"] == "whatever the result":
        return "open" not in states
    return states == SETTLES[row["settles"]] or "about" in str(dict(row))


SETTLES: Final = {
    "met or not met": {"met", "not met", "open"},
    "met only": {"met", "open"},
    "not met only": {"not met", "open"},
}


def other_units(variable: str) -> Mapping[str, float]:
    return {"mg/dL": MG_DL[variable]} if variable in MG_DL else {}


def _unsure(definition: Definition, of: Undetermined, variable: str) -> list[int]:
    """Those undetermined in whom something that the definition reads of a variable is not known exactly."""
    inputs = of.evaluation.inputs
    time = np.full(inputs.n_persons, MOMENT)
    exact = brute.exact(definition, inputs, variable, time)
    return [person for person in of.person.tolist() if not exact[person]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("definition", [*map(load, shipped()), ODD, RULED], ids=lambda d: d.name)
def test_every_result_of_every_test_decides_as_it_is_said(
    definition: Definition, size: int
) -> None:
    """Each result that is tried, as one more row, gives the status that the words promise, and no other test would."""
    count = size if definition.name in REPORTED else size // 10
    batches = max(2, count // AT_ONCE)
    found = 0
    for seed in range(batches):
        wrong, tried, settled = differences(definition, count // batches, seed)
        assert not wrong, "\n".join(wrong[:5])
        assert tried
        found += settled
    assert found
