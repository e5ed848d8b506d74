"""The creatinine from before an injury: by the ways that the protocol names, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Mask, Texts, Times
from becalm.kidney import equations
from becalm.protocol import Kidney
from becalm.timeline import Intervals, Points

NOT_KNOWN: Final = "not known"
"""The way of a person for whom no way of the protocol gives a baseline."""


@dataclass(frozen=True, eq=False)
class CreatinineBaseline:
    """Creatinine in mg/dL before the injury, one for each person; NaN where there is none.

    way : the word of the protocol by which it was found, or `not known`. label : the same in words for the
    reader. rows : the rows of the records it comes from. half_digit : half a unit of its last printed digit,
    0 where it was not printed.
    """

    mg_dl: Floats
    way: Texts
    label: Texts
    rows: Sequence[tuple[int, ...]]
    half_digit: Floats

    @classmethod
    def of(cls, mg_dl: ArrayLike) -> CreatinineBaseline:
        """Return baselines that somebody stated, exactly."""
        values: Floats = np.asarray(mg_dl, np.float64)
        stated = np.full(len(values), "stated", dtype=object)
        return cls(values, stated, stated, [()] * len(values), np.zeros(len(values)))


@dataclass(frozen=True)
class _Found:
    mg_dl: float
    label: str
    rows: tuple[int, ...] = ()
    half_digit: float = 0.0


@dataclass(frozen=True, eq=False)
class _Person:
    """The draws of one person, in the order of their time, and what is assumed without them.

    before : from each draw to the onset, µs. outside : whether it is known to be from outside hospital.
    """

    before: Times
    low: Floats
    high: Floats
    row: Times
    half_digit: Floats
    outside: Mask
    assumed: float


def baseline(
    creatinine: Points,
    onset: Times,
    *,
    inpatient: Intervals,
    age: npt.NDArray[np.int64],
    sex: Texts,
    kidney: Kidney,
    chronic: Mask | None = None,
    half_digit: Floats | None = None,
) -> CreatinineBaseline:
    """Return the creatinine from before the injury, by the first way of the protocol that gives one.

    outpatient_median : the median of the values from outside hospital, 365 to 7 d before onset; for a person
    without a stay in the records no value is known to be from outside. minimum_before_onset : the lowest of the
    7 d before it, without the value at onset itself, which may already have risen. back_calculated : the value
    at which MDRD gives an assumed eGFR, unless chronic kidney disease is on record. rolling_minimum : none is
    stated, and each draw is compared only with the lowest of the 7 d before it.

    creatinine and inpatient : persons are positions in `onset`. age : completed years, -1 unknown.
    chronic : who has chronic kidney disease on record. half_digit : of each creatinine.
    """
    count = len(onset)
    mg_dl, half = np.full(count, np.nan), np.zeros(count)
    way = np.full(count, NOT_KNOWN, dtype=object)
    label = np.full(count, "baseline not known", dtype=object)
    rows: list[tuple[int, ...]] = [()] * count
    assumed = equations.mdrd_creatinine(kidney.assumed_egfr, age, sex)
    assumed = np.where(np.isin(sex.astype(str), ("F", "M")), assumed, np.nan)
    if chronic is not None:
        assumed = np.where(chronic, np.nan, assumed)
        if "back_calculated" in kidney.baseline:
            label[chronic] = "baseline not known; none is assumed in chronic kidney disease"
    printed = np.zeros(len(creatinine)) if half_digit is None else half_digit
    admitted = np.zeros(count, np.bool_)
    admitted[inpatient.person] = True
    outside = ~inpatient.contains(creatinine.person, creatinine.time) & admitted[creatinine.person]
    before = onset[creatinine.person] - creatinine.time
    ends = np.searchsorted(creatinine.person, np.arange(count + 1)).tolist()
    for i in range(count):
        draws = slice(ends[i], ends[i + 1])
        person = _Person(
            before[draws], creatinine.low[draws], creatinine.high[draws], creatinine.row[draws], printed[draws],
            outside[draws], float(assumed[i]),
        )  # fmt: skip
        for name in kidney.baseline:
            found = _WAYS[name](person, kidney)
            if found is not None:
                mg_dl[i], half[i], rows[i] = found.mg_dl, found.half_digit, found.rows
                way[i], label[i] = name, found.label
                break
    return CreatinineBaseline(mg_dl, way, label, rows, half)


def _outpatient_median(of: _Person, kidney: Kidney) -> _Found | None:
    before = of.before
    away = (before >= kidney.outpatient_to.us) & (before <= kidney.outpatient_from.us)
    away &= of.outside & (of.low == of.high)
    if not away.any():
        return None
    n = int(away.sum())
    label = (
        f"{f'median of {n} outpatient values' if n > 1 else 'one outpatient value'}"
        f" {kidney.outpatient_from} to {kidney.outpatient_to} before onset"
    )
    return _Found(
        float(np.median(of.high[away])),
        label,
        tuple(of.row[away].tolist()),
        float(of.half_digit[away].max()),
    )


def _minimum_before_onset(of: _Person, kidney: Kidney) -> _Found | None:
    before, value = of.before, of.high
    near = (before > 0) & (before <= kidney.minimum_within.us) & np.isfinite(value)
    if not near.any():
        return None
    at = int(np.argmin(np.where(near, value, np.inf)))
    label = f"lowest of the {kidney.minimum_within} before onset"
    return _Found(float(value[at]), label, (int(of.row[at]),), float(of.half_digit[at]))


def _back_calculated(of: _Person, kidney: Kidney) -> _Found | None:
    if not np.isfinite(of.assumed):
        return None
    return _Found(round(of.assumed, 2), f"back-calculated at eGFR {kidney.assumed_egfr:g} (MDRD)")


def _rolling_minimum(of: _Person, kidney: Kidney) -> _Found | None:
    del of, kidney
    return _Found(np.nan, "none stated: the lowest of the days before each draw")


_WAYS: Final[Mapping[str, Callable[[_Person, Kidney], _Found | None]]] = {
    "outpatient_median": _outpatient_median,
    "minimum_before_onset": _minimum_before_onset,
    "back_calculated": _back_calculated,
    "rolling_minimum": _rolling_minimum,
}
