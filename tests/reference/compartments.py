"""Amounts in linear compartments the slow, obvious way: the system as a matrix, its exponential step by step.

Compartments: central, peripheral, depot, first depot, then the area of the central amount, then the constant 1
that brings in an infusion. Three ways: 60 decimal digits (right in every digit of every compartment), SciPy's
matrix exponential (right to 1e-16 of the largest amount), a solver for stiff equations that stops at each step.
"""

from decimal import Decimal, localcontext
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate
import scipy.linalg

DIGITS = 60


class Step(NamedTuple):
    """One interval: what is given at its beginning (mg), the rate (mg/h), its length (h), constants (1/h)."""

    hours: float
    rate: float
    bolus: float
    depot: float
    elimination: float
    outward: float
    inward: float
    absorption: float
    before: float


def matrix(step: Step) -> list[list[float]]:
    k, out, back, ka, kb = step[4:]
    return [
        [-(k + out), back, ka, 0, 0, step.rate],
        [out, -back, 0, 0, 0, 0],
        [0, 0, -ka, kb, 0, 0],
        [0, 0, 0, -kb, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def exact_exponential(rows: list[list[float]], hours: float) -> list[list[Decimal]]:
    """exp(rows × hours) by the series of a matrix halved until it is small, then squared."""
    with localcontext() as context:
        context.prec = DIGITS + 40
        a = [[Decimal(x) * Decimal(hours) for x in row] for row in rows]
        n = range(len(a))
        halvings = 0
        while max(sum(abs(x) for x in row) for row in a) > Decimal("0.5"):
            a = [[x / 2 for x in row] for row in a]
            halvings += 1

        def times(p: list[list[Decimal]], q: list[list[Decimal]]) -> list[list[Decimal]]:
            return [[sum((p[i][m] * q[m][j] for m in n), Decimal(0)) for j in n] for i in n]

        total = [[Decimal(int(i == j)) for j in n] for i in n]
        term = total
        for number in range(1, 60):
            term = [[x / number for x in row] for row in times(term, a)]
            total = [[x + y for x, y in zip(r, s, strict=True)] for r, s in zip(total, term, strict=True)]  # fmt: skip
        for _ in range(halvings):
            total = times(total, total)
        return total


def given(amounts: Any, step: Step, *, two_depots: bool) -> Any:
    amounts[0] += step.bolus
    amounts[3 if two_depots else 2] += step.depot
    return amounts


def by_digits(steps: list[Step], *, two_depots: bool) -> list[list[float]]:
    """Amounts of the four compartments and the area at the end of each step, in 60 decimal digits."""
    now = [Decimal(0)] * 5
    found = []
    for step in steps:
        with localcontext() as context:
            context.prec = DIGITS + 40
            exact = step._replace(bolus=Decimal(step.bolus), depot=Decimal(step.depot))  # type: ignore[arg-type]
            now = given(now, exact, two_depots=two_depots)
            power = exact_exponential(matrix(step), step.hours)
            now = [sum((power[i][j] * x for j, x in enumerate([*now, Decimal(1)])), Decimal(0)) for i in range(5)]  # fmt: skip
        found.append([float(x) for x in now])
    return found


def by_matrix(steps: list[Step], *, two_depots: bool) -> list[list[float]]:
    """The same by SciPy's matrix exponential."""
    now = np.zeros(6)
    now[5] = 1.0
    found = []
    for step in steps:
        now = scipy.linalg.expm(np.array(matrix(step)) * step.hours) @ given(now, step, two_depots=two_depots)  # fmt: skip
        found.append(now[:5].tolist())
    return found


def by_solver(steps: list[Step], *, two_depots: bool) -> list[list[float]]:
    """The same by a solver for stiff equations, stopped at the end of each step."""
    now = np.zeros(6)
    now[5] = 1.0
    found = []
    for step in steps:
        now = given(now, step, two_depots=two_depots)
        a = np.array(matrix(step))
        if step.hours > 0:
            solved = scipy.integrate.solve_ivp(
                lambda _, y, a=a: a @ y, (0, step.hours), now, "LSODA", rtol=1e-11, atol=1e-13, jac=lambda *_, a=a: a
            )  # fmt: skip
            now = solved.y[:, -1]
        found.append(now[:5].tolist())
    return found
