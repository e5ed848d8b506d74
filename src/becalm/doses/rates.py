"""Conversion of one row into an interval of constant rate or a single dose, however it was written.

The conversion uses numbers and units only; it does not depend on the source of the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Codes, Floats, Mask, Texts, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.columns import Categorical
from becalm.doses.limits import LARGEST_NUMBER, LONGEST_ROW, PUSH_UPTO, TOLERANCE
from becalm.doses.real_time import RealTime
from becalm.doses.units import BASE, MASS, NO_UNIT, REASONS, VOLUME, DoseUnit
from becalm.timeline import rounded

NO_START: Final = "no start"
BACKWARDS: Final = "ends before it starts"
NEGATIVE: Final = "negative amount or rate"
TOO_LONG: Final = f"runs for more than {LONGEST_ROW}"
TOO_LARGE: Final = f"a number above {LARGEST_NUMBER:g} is no dose"
NOTHING: Final = "neither amount nor rate is a number"
NO_WEIGHT: Final = "dosed by weight, and no weight is known"
NO_SURFACE: Final = "dosed by body surface, and no height or no weight is known"
NO_END: Final = "a rate without an end, and nothing later ends it"
NO_LENGTH: Final = "start and end are equal, so a rate gives no amount"
AMOUNT_WITHOUT_UNIT: Final = "amount without unit"
RATE_WITHOUT_UNIT: Final = "rate without unit"

WHY: Final = (
    "",
    *REASONS,
    NO_START,
    BACKWARDS,
    TOO_LONG,
    NEGATIVE,
    NOTHING,
    NO_WEIGHT,
    NO_SURFACE,
    NO_END,
    NO_LENGTH,
    AMOUNT_WITHOUT_UNIT,
    RATE_WITHOUT_UNIT,
    TOO_LARGE,
)
"""Reasons for which a number or a row cannot be used; a position here is its code in arrays."""

_CODE: Final = {reason: np.int8(i) for i, reason in enumerate(WHY)}


@dataclass(frozen=True)
class Quantity:
    """Numbers, each with the unit that it was written in.

    value : float64[n], NaN if not written; unit : int32[n], positions in `units`.
    """

    value: Floats
    unit: Codes
    units: Sequence[DoseUnit]

    def each(self, of: Callable[[DoseUnit], Any], dtype: Any = np.float64) -> npt.NDArray[Any]:
        """Return `of(unit)` for the unit of every row."""
        listed = np.empty(len(self.units), dtype=dtype)
        listed[:] = [of(unit) for unit in self.units]
        return listed[self.unit]

    def of_dimension(self, dimension: str) -> Mask:
        return self.each(lambda unit: unit.dimension == dimension, np.bool_)

    @property
    def names(self) -> Categorical:
        return Categorical.by(self.unit, [unit.name for unit in self.units])

    @property
    def size(self) -> Floats:
        return self.each(lambda unit: unit.size)

    @property
    def per_kg(self) -> Mask:
        return self.each(lambda unit: unit.per_kg, np.bool_)

    @property
    def per_m2(self) -> Mask:
        return self.each(lambda unit: unit.per_m2, np.bool_)

    @property
    def wrong(self) -> npt.NDArray[np.int8]:
        return self.each(lambda unit: _CODE[unit.reason], np.int8)


@dataclass(frozen=True)
class WrittenRate:
    """Rows as written. Times in µs, `UNKNOWN_TIME` if not written.

    weight_kg : the weight at the start, NaN if none is known. surface_m2 : the body surface then. contents : for each
    container that a drug of the rows comes in, the mg in one, NaN for rows of other drugs.
    time : how much time passes between
    start and end. in_base : by dimension other than mass, the rows of drugs whose doses are added up in it.
    """

    start: Times
    end: Times
    amount: Quantity
    rate: Quantity
    concentration: Quantity
    weight_kg: Floats
    surface_m2: Floats
    contents: Mapping[str, Floats]
    time: RealTime
    in_base: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True)
class Converted:
    """The dose of each row. `end` equals `start` for a single dose.

    beyond : µs that pass from start to end beyond those that the clock shows.

    amount in `unit`, rate_per_h in `unit` per hour, rate_mg_h and amount_mg where there is a mass,
    set_per_h the rate as set (amount / time is the delivered rate); NaN where not known. dose and
    dose_per_h in the unit in which the drug is added up. base, base_per_h and base_set_per_h in
    `base_unit`: the drug's unit if the row can be converted to it, else mg, mL, units, mmol, mEq or the
    container that is counted. refused : position in `WHY` of the reason why the row has no amount, 0 if
    it has one. timed : start and end are plausible, whatever the amount; too_long : the end cannot be true. single : a single dose.
    states_rate : written with a rate. by_weight : multiplied by a weight. notes : pairs of a mask and
    the remark on its rows.
    """

    end: Times
    beyond: Times
    amount: Floats
    unit: Categorical
    rate_per_h: Floats
    rate_mg_h: Floats
    amount_mg: Floats
    set_per_h: Floats
    dose: Floats
    dose_per_h: Floats
    base: Floats
    base_per_h: Floats
    base_set_per_h: Floats
    base_unit: Texts
    refused: npt.NDArray[np.int8]
    timed: Mask
    too_long: Mask
    single: Mask
    states_rate: Mask
    by_weight: Mask
    notes: tuple[tuple[Mask, Callable[[int], str]], ...]


@dataclass(frozen=True)
class _Side:
    """The amount or the rate of every row (per hour for a rate).

    own : in its own unit; mg; dose : in the unit in which the drug is added up; base : in the base
    unit of its dimension.
    """

    stated: Mask
    usable: Mask
    negative: Mask
    wrong: npt.NDArray[np.int8]
    own: Floats
    mg: Floats
    dose: Floats
    base: Floats


def convert(rows: WrittenRate) -> Converted:
    """Turn written numbers into amounts and rates.

    A bag has a rate of amount / time; a rate is valid from start to end; an amount without an end, or
    within a minute, is a single dose; for an amount with a rate and no end, the end is computed. If
    amount, rate and time are all written, amount / time is the delivered rate and the written rate is
    the set rate; if the two differ by more than 5 % the row has a remark.
    """
    dose, flow = _side(rows.amount, rows), _side(rows.rate, rows)
    alike = _alike(rows.amount, rows.rate)
    end, through = _ends(rows, dose, flow, alike)
    timeless = (rows.start == UNKNOWN_TIME) | (end == UNKNOWN_TIME)
    length = np.where(timeless, 0, end - rows.start)
    beyond = rows.time.beyond(rows.start, end)
    single = ~(flow.stated & (length > 0)) & (length <= PUSH_UPTO)
    stop = single & ~dose.stated & (rows.rate.value == 0)
    refused = _refusals(rows.start, end, length, dose, flow)
    refused[stop & np.isin(refused, (_CODE[NO_LENGTH], _CODE[NO_END]))] = 0
    good = refused == 0
    hours = (length + beyond) / HOUR
    by_amount = dose.usable | ~flow.usable

    lasting = good & ~single
    rated = lasting | (stop & good)
    zero = stop & good

    def resolved(a: Floats, b: Floats, by_a: Mask, nothing: Mask) -> tuple[Floats, Floats]:
        """Return amount and rate, from the amount `a` if it can be used, else from the rate `b`."""
        amount = np.where(single | by_a, a, b * hours)
        per_h = np.where(by_a, _over(a, hours), b)
        return (
            _known(good, np.where(nothing, 0.0, amount)),
            _known(rated, np.where(nothing, 0.0, per_h)),
        )

    amount, per_h = resolved(dose.own, flow.own, by_amount, zero)
    in_mg = dose.usable & ~np.isnan(dose.mg)
    mg, mg_h = resolved(dose.mg, flow.mg, in_mg, zero & (flow.mg == 0))
    in_dose = dose.usable & ~np.isnan(dose.dose)
    own_dose, own_dose_h = resolved(dose.dose, flow.dose, in_dose, zero & (flow.dose == 0))
    by_dose = ~np.isnan(own_dose)
    base, base_h = resolved(dose.base, flow.base, by_amount, zero)
    set_base = np.where(by_dose, flow.dose, np.where(alike | ~by_amount, flow.base, np.nan))
    base_unit = np.where(by_amount, *(q.each(_base, object) for q in (rows.amount, rows.rate)))
    for dimension, in_dimension in ((MASS, by_dose), *rows.in_base.items()):
        base_unit[in_dimension & by_dose] = BASE[dimension]
    differing, blind = _differing(lasting, hours, dose, flow, alike)
    nothing = lasting & dose.usable & flow.usable & (dose.own == 0) & (flow.own == 0)
    unread = rows.concentration.wrong
    unread[rows.concentration.value > LARGEST_NUMBER] = _CODE[TOO_LARGE]
    return Converted(
        end=np.where(single & good, rows.start, end),
        beyond=beyond,
        amount=amount,
        unit=Categorical.where(by_amount, rows.amount.names, rows.rate.names),
        rate_per_h=per_h,
        rate_mg_h=mg_h,
        amount_mg=mg,
        set_per_h=_known(lasting & flow.usable, flow.own),
        dose=own_dose,
        dose_per_h=own_dose_h,
        base=np.where(by_dose, own_dose, base),
        base_per_h=np.where(by_dose, own_dose_h, base_h),
        base_set_per_h=_known(lasting & flow.usable, set_base),
        base_unit=base_unit,
        refused=refused,
        timed=(rows.start != UNKNOWN_TIME)
        & (length >= 0)
        & (length <= LONGEST_ROW.us)
        & (refused != _CODE[NEGATIVE]),
        too_long=length > LONGEST_ROW.us,
        single=single,
        states_rate=flow.stated,
        by_weight=good & ((dose.usable & rows.amount.per_kg) | (flow.usable & rows.rate.per_kg)),
        notes=(
            (good & through, lambda _: "end computed from amount and rate"),
            (good & dose.stated & ~dose.usable, lambda i: f"amount not used: {WHY[dose.wrong[i]]}"),
            (good & flow.stated & ~flow.usable, lambda i: f"rate not used: {WHY[flow.wrong[i]]}"),
            (
                good & flow.usable & single & ~stop,
                lambda _: "rate not used: start and end are equal",
            ),
            (
                good & ~np.isnan(rows.concentration.value) & (unread > 0),
                lambda i: f"concentration not used: {WHY[unread[i]]}",
            ),
            (
                good & ((dose.usable & rows.amount.per_m2) | (flow.usable & rows.rate.per_m2)),
                lambda i: f"dosed by a body surface of {rows.surface_m2[i]:.2f} m²",
            ),
            differing,
            (blind, lambda _: "rate × time cannot be checked: another unit, and no concentration"),
            (nothing, lambda _: "nothing was given: 0 = 0"),
        ),
    )


def _side(quantity: Quantity, rows: WrittenRate) -> _Side:
    """Multiply by the weight or the body surface, divide by the time of a rate, and convert to mg if it is a mass."""
    stated, wrong, by_kg = ~np.isnan(quantity.value), quantity.wrong, quantity.per_kg
    by_m2 = quantity.per_m2
    wrong[by_kg & np.isnan(rows.weight_kg) & (wrong == 0)] = _CODE[NO_WEIGHT]
    wrong[by_m2 & np.isnan(rows.surface_m2) & (wrong == 0)] = _CODE[NO_SURFACE]
    too_large = np.abs(quantity.value) > LARGEST_NUMBER
    wrong[too_large & (wrong == 0)] = _CODE[TOO_LARGE]
    per = quantity.each(lambda unit: unit.hours or 1.0)
    body = np.where(by_kg, rows.weight_kg, np.where(by_m2, rows.surface_m2, 1.0))
    own = np.where(too_large, np.nan, quantity.value) * body / per
    base = own * quantity.size
    mg = np.where(quantity.of_dimension(MASS), base, np.nan)
    dense = rows.concentration.value
    strength = np.where(dense > LARGEST_NUMBER, np.nan, dense) * rows.concentration.size
    dissolved = quantity.of_dimension(VOLUME) & rows.concentration.of_dimension(MASS)
    mg = np.where(dissolved, base * strength, mg)
    for container, held in rows.contents.items():
        mg = np.where(quantity.of_dimension(container) & ~np.isnan(held), base * held, mg)
    dose = mg
    for dimension, in_dimension in rows.in_base.items():
        converted = np.where(quantity.of_dimension(dimension), base, np.nan)
        if dimension != VOLUME:
            mixed = quantity.of_dimension(VOLUME) & rows.concentration.of_dimension(dimension)
            converted = np.where(mixed, base * strength, converted)
        dose = np.where(in_dimension, converted, dose)
    return _Side(stated, stated & (wrong == 0), quantity.value < 0, wrong, own, mg, dose, base)


def _base(unit: DoseUnit) -> str:
    return BASE.get(unit.dimension, unit.dimension)


def _alike(amount: Quantity, rate: Quantity) -> Mask:
    """Return whether amount and rate have one dimension, so that amount / rate is a time."""
    number = {unit.dimension: i for i, unit in enumerate((*amount.units, *rate.units))}
    of = [q.each(lambda unit: number[unit.dimension], np.int32) for q in (amount, rate)]
    return np.asarray(of[0] == of[1], np.bool_)


def _ends(rows: WrittenRate, dose: _Side, flow: _Side, alike: Mask) -> tuple[Times, Mask]:
    """Return the ends; they are computed from amount and rate if no end is written."""
    both_mg = ~np.isnan(dose.mg) & ~np.isnan(flow.mg)
    both = ~np.isnan(dose.dose) & ~np.isnan(flow.dose)
    ask = (rows.end == UNKNOWN_TIME) & (rows.start != UNKNOWN_TIME) & dose.usable & flow.usable
    hours = np.where(
        both_mg, _over(dose.mg, flow.mg), np.where(alike, _over(dose.base, flow.base), np.nan)
    )
    hours = np.where(both & ~both_mg, _over(dose.dose, flow.dose), hours)
    with np.errstate(invalid="ignore"):
        through = ask & (hours > 0) & (hours < LONGEST_ROW.us / HOUR)
    run = np.round(np.where(through, hours, 0.0) * HOUR).astype(np.int64)
    end = np.where(through, rows.start + run, rows.end)
    return np.where(through, end - rows.time.beyond(rows.start, end), end), through


def _refusals(
    start: Times, end: Times, length: Times, dose: _Side, flow: _Side
) -> npt.NDArray[np.int8]:
    """Return the code of the reason why a row has no amount, 0 if it has one."""
    lost = ~dose.usable & ~flow.usable
    only_rate = flow.usable & ~dose.usable
    no_unit = _CODE[NO_UNIT]
    refused = np.where(lost & dose.stated, dose.wrong, np.where(lost, flow.wrong, np.int8(0)))
    for where, reason in (
        (lost & ~dose.stated & ~flow.stated, NOTHING),
        (lost & dose.stated & (dose.wrong == no_unit), AMOUNT_WITHOUT_UNIT),
        (lost & ~dose.stated & flow.stated & (flow.wrong == no_unit), RATE_WITHOUT_UNIT),
        (only_rate & (end == UNKNOWN_TIME), NO_END),
        (only_rate & (end != UNKNOWN_TIME) & (length == 0), NO_LENGTH),
        (dose.negative | flow.negative, NEGATIVE),
        (length < 0, BACKWARDS),
        (length > LONGEST_ROW.us, TOO_LONG),
        (start == UNKNOWN_TIME, NO_START),
    ):
        refused[where] = _CODE[reason]
    return refused


def _differing(
    lasting: Mask, hours: Floats, dose: _Side, flow: _Side, alike: Mask
) -> tuple[tuple[Mask, Callable[[int], str]], Mask]:
    """Return rows where rate × time differs from the amount by more than 5 %, with the remark.

    The second mask marks rows in which this cannot be checked.
    """
    both = lasting & dose.usable & flow.usable
    in_mg = both & ~np.isnan(dose.mg) & ~np.isnan(flow.mg)
    in_dose = both & ~np.isnan(dose.dose) & ~np.isnan(flow.dose) & ~in_mg
    set_ = np.where(in_mg, flow.mg, np.where(in_dose, flow.dose, flow.base)) * hours
    delivered = np.where(in_mg, dose.mg, np.where(in_dose, dose.dose, dose.base))
    with np.errstate(invalid="ignore"):
        agree = np.abs(set_ - delivered) <= TOLERANCE * delivered
    comparable = in_mg | in_dose | (both & alike)

    def remark(i: int) -> str:
        first = "" if alike[i] else "concentration contradicts rate and amount: "
        return f"{first}rate × time is {set_[i]:.6g}, the amount {delivered[i]:.6g}"

    return (comparable & ~agree, remark), both & ~comparable


def _known(where: Mask, values: Floats) -> Floats:
    kept: Floats = np.where(where, values, np.nan)
    return rounded(kept)


def _over(a: Floats, b: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b != 0, a / b, np.nan)
