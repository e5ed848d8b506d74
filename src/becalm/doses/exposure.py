"""Exposure to any drug: rates, amounts and daily doses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Array, Floats, Index, Times
from becalm.core.clock import DAY, HOUR, MINUTE, UNKNOWN_TIME
from becalm.core.frame import Frame, Kind
from becalm.core.time_zones import ClockChanges
from becalm.doses.one_weight import weight_share
from becalm.doses.real_time import wall_clock_flow
from becalm.records import Refusal
from becalm.tables import DAILY_DOSE, DOSES
from becalm.timeline import Cumulative, Intervals, Points, Timeline, axis, overlay

ROUTES: Final = ("", "IV", "SC", "IM", "PO", "topical", "ophthalmic", "inhaled", "other")
"""Names of the vocabulary; '' is an unknown route. Arrays hold positions in this list."""

SYSTEMIC: Final = ("IV", "SC", "IM", "PO", "")
"""Routes that reach the blood; eye drops, skin creams and inhalers are never an exposure."""

ROWS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "row": "key",  # position in Records.administrations
    **DOSES,
    "drug_code": "code",
    "route_code": "code",
    "counted": "flag",  # administered, understood and not after death: its amount counts
    "exposed": "flag",  # administered with usable times, also of unknown amount
    "untimed": "flag",  # administered, nobody knows when, or until when
    "single": "flag",  # a single dose
    "states_rate": "flag",  # written with a rate
    "mode": "code",  # what the row says of its mode, as in `doses.modes.SAID`
    "date_only": "flag",  # start or end is a date without a time
    "plausible": "flag",  # its rate is not above the limit of its drug
    "assumed_end": "flag",  # the end is an assumption (`doses.endings`)
    "until": "time",  # end, or death if it was earlier
    "set_per_h": "number",  # the written rate, in amount units per hour
    "dose": "number",  # in the unit in which the drug is added up (`Doses.unit`)
    "dose_per_h": "number",
    "beyond_h": "number",  # hours that pass from start to end beyond those that the clock shows
    "by_clock": "flag",  # and they follow the changes of the ward's clock
    "weight_kg": "number",  # at the start, used or not
    "dosed_by_kg": "number",  # the weight that a dose per kg was multiplied by
    "weight_remark": "text",  # what speaks against it
    "weight_row": "key",  # row of its measurement, as in `Events.source_row`
}
DAILY: Final[Mapping[str, Kind]] = {"person": "code", "start": "time", **DAILY_DOSE}

MG_DECIMALS: Final = 6
"""A rate is rounded to nine decimals, so rate × hours is exact to six decimals of mg."""


@dataclass(frozen=True, eq=False)
class Doses:
    """The doses of one chunk, one row per row of the record.

    frame : columns of `ROWS`, in the order of the record; refused : rows without a usable amount;
    drugs : names of the drug codes; units : the unit in which each is added up; last_moment :
    int64[persons], the latest possible time of death, far in the future for living persons;
    person_id : the persons of the chunk; clock : the changes of the ward's clock.

    A drug is added up in one unit, mg unless the vocabulary says otherwise (heparin: units). Rows
    without an amount in this unit ("1 dose", a volume without concentration, a missing weight) are in
    `unknown`, so that a part is never taken for the whole.
    """

    frame: Frame
    refused: tuple[Refusal, ...]
    drugs: tuple[str, ...]
    units: tuple[str, ...]
    last_moment: npt.NDArray[np.int64]
    person_id: Array
    clock: ClockChanges = field(default_factory=ClockChanges.none)
    _kept: dict[tuple[str, tuple[str, ...]], Index] = field(default_factory=dict, repr=False)

    def table(self) -> Frame:
        """Return the columns of the written table `doses`."""
        return self.frame.select(DOSES)

    def unit(self, drug: str) -> str:
        """Return the unit in which a drug is added up; mg for a drug without rows."""
        return self.units[self.drugs.index(drug)] if drug in self.drugs else "mg"

    def hours(self, start: Times, end: Times) -> Floats:
        """Return the hours that pass between two times of the ward's clock, see `ClockChanges`."""
        passed: Floats = (self.clock.real(end) - self.clock.real(start)) / HOUR
        return passed

    def exposed(self, drug: str, routes: Collection[str] = SYSTEMIC) -> Index:
        """Return the rows in which a drug was administered by `routes`, also of unknown amount."""
        key = (drug, tuple(sorted(routes)))
        if key not in self._kept:
            rows = np.empty(0, np.intp)
            if drug in self.drugs:
                wanted = np.isin(np.arange(len(ROUTES)), [ROUTES.index(name) for name in routes])
                f = self.frame
                of_drug = f["exposed"] & (f["drug_code"] == self.drugs.index(drug))
                rows = np.flatnonzero(of_drug & wanted[f["route_code"]])
            self._kept[key] = rows
        return self._kept[key]

    def untimed(self, drug: str) -> Index:
        """Return the rows in which a drug was given by a route that reaches the blood, nobody knows when."""
        if drug not in self.drugs:
            return np.empty(0, np.intp)
        f = self.frame
        wanted = np.isin(np.arange(len(ROUTES)), [ROUTES.index(name) for name in SYSTEMIC])
        of_drug = f["untimed"] & (f["drug_code"] == self.drugs.index(drug))
        return np.flatnonzero(of_drug & wanted[f["route_code"]])

    def rate(
        self, drug: str, routes: Collection[str] = ("IV",), *, at_one_weight: bool = False
    ) -> Timeline:
        """Return the infusion rate in the drug's unit per hour (mg/h).

        Bags that overlap add up; a written rate of 0 is a pause. There is no segment where no infusion
        runs, or where one of unknown or implausible strength runs. at_one_weight : without the changes that only a
        new weight made.
        """
        f = self.frame
        rows = self._rates(drug, routes)
        rows = rows[f["plausible"][rows]]
        per_h = f["dose_per_h"][rows]
        if at_one_weight:
            per_h = per_h / weight_share(f, rows, f["person"][rows])
        known = overlay(f["person"][rows], f["start"][rows], f["until"][rows], per_h, rows)
        unknown = self._infusions_without_mass(drug, routes)
        return known.clip(known.known().without(unknown)) if len(unknown) else known

    def boluses(self, drug: str, routes: Collection[str] = SYSTEMIC) -> Points:
        """Return single doses in the drug's unit; two doses at one instant add up."""
        f = self.frame
        rows = self.exposed(drug, routes)
        rows = rows[f["single"][rows] & f["counted"][rows] & ~np.isnan(f["dose"][rows])]
        return Points.of_doses(f["person"][rows], f["start"][rows], f["dose"][rows], rows)

    def amounts(self, drug: str, routes: Collection[str] = SYSTEMIC) -> Cumulative:
        """Return the cumulative amount in the drug's unit, of infusions and single doses; see `unknown`."""
        return Cumulative.build(self.flow(drug, routes), self.boluses(drug, routes))

    def flow(self, drug: str, routes: Collection[str] = SYSTEMIC) -> Timeline:
        """Return what flows by any of the routes in an hour of the wall clock, see `wall_clock_flow`."""
        rows = self._rates(drug, routes)
        return wall_clock_flow(self.frame, self.clock, rows, self.frame["person"][rows])

    def assumed_flow(self, drug: str, routes: Collection[str] = SYSTEMIC) -> Timeline:
        """Return the part of `flow` from rates whose end is assumed."""
        rows = self._rates(drug, routes)
        rows = rows[self.frame["assumed_end"][rows]]
        return wall_clock_flow(self.frame, self.clock, rows, self.frame["person"][rows])

    def written_ends(self) -> Doses:
        """Return the doses without the rates whose end is assumed."""
        written = ~self.frame["assumed_end"]
        frame = self.frame.replace(
            counted=self.frame["counted"] & written, exposed=self.frame["exposed"] & written
        )
        return replace(self, frame=frame, _kept={})

    def unknown(self, drug: str, routes: Collection[str] = SYSTEMIC) -> Intervals:
        """Return when the drug was administered in an amount that is not known in its unit."""
        rows = self.exposed(drug, routes)
        return self._stretches(rows[np.isnan(self.frame["dose"][rows])])

    def exposure(self, *drugs: str, routes: Collection[str] = SYSTEMIC) -> Intervals:
        """Return when any of the drugs was administered; a single dose lasts one minute."""
        rows = [self.exposed(drug, routes) for drug in drugs]
        return self._stretches(np.concatenate([np.empty(0, np.intp), *rows]))

    def first_dose(
        self, drug: str, routes: Collection[str] = SYSTEMIC
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the persons who received the drug, in order, and the time of the first dose of each."""
        rows = self.exposed(drug, routes)
        f = self.frame
        rows = rows[np.lexsort((f["start"][rows], f["person"][rows]))]
        person, first = np.unique(f["person"][rows], return_index=True)
        return person, f["start"][rows][first]

    def _rates(self, drug: str, routes: Collection[str]) -> Index:
        """Return the rows of infusions of known rate, with pauses written as a rate of 0."""
        f = self.frame
        if drug not in self.drugs:
            return np.empty(0, np.intp)
        wanted = np.isin(np.arange(len(ROUTES)), [ROUTES.index(name) for name in routes])
        rows = np.flatnonzero((f["drug_code"] == self.drugs.index(drug)) & f["counted"])
        rows = rows[wanted[f["route_code"][rows]] & ~np.isnan(f["dose_per_h"][rows])]
        return rows[f["until"][rows] > f["start"][rows]]

    def _infusions_without_mass(self, drug: str, routes: Collection[str]) -> Intervals:
        f = self.frame
        rows = self.exposed(drug, routes)
        unknown = np.isnan(f["dose_per_h"][rows]) | ~f["plausible"][rows]
        return self._stretches(rows[~f["single"][rows] & unknown])

    def _stretches(self, rows: Index) -> Intervals:
        f = self.frame
        start, until = f["start"][rows], f["until"][rows]
        brief = f["single"][rows] | (until <= start)
        return Intervals.build(f["person"][rows], start, np.where(brief, start + MINUTE, until))


def daily_dose(
    doses: Doses,
    drugs: Collection[str],
    *,
    since: npt.NDArray[np.int64] | None = None,
    inside: Mapping[str, Intervals] | None = None,
    replacement: Intervals | None = None,
    clearance: Timeline | None = None,
) -> Frame:
    """Return the dose in every 24 h from a person's first dose of each drug; day 1 begins with that dose.

    Days without a dose outside every treatment episode (`inside`, by drug) are left out: a second
    course a year later does not make a year of zeros. mg is empty on a day with a dose of unknown
    mass. peak_rate_mg_h is the greatest infusion rate of the day, empty without an infusion.
    weight_used is the weight at the first dose of the day, else at the last dose before; the amounts
    per kg and the clearance of a row both use it.

    since : int64[persons], day 1 begins with the first dose at or after this; `UNKNOWN_TIME` leaves
    the person out; by default the first dose of all. replacement : when renal replacement ran;
    without it `rrt` is not known. clearance : in mL/min
    per kg, see `becalm.kidney.clearance`. Columns in mg are
    empty for a drug that is added up in another unit; those that end in `canonical` are in its own.
    """
    frames = [
        _daily(
            doses,
            drug,
            since,
            inside=(inside or {}).get(drug),
            replacement=replacement,
            clearance=clearance,
        )
        for drug in sorted(drugs)
    ]
    table = Frame.concat([Frame.of(DAILY), *frames])
    return table.take(np.lexsort((table["day"], table["person"])))


def _daily(
    doses: Doses,
    drug: str,
    since: npt.NDArray[np.int64] | None,
    *,
    inside: Intervals | None,
    replacement: Intervals | None,
    clearance: Timeline | None,
) -> Frame:
    exposure = doses.exposure(drug)
    if since is not None:
        wanted = since[exposure.person]
        exposure = exposure.take((wanted != UNKNOWN_TIME) & (exposure.end > wanted))
        exposure = Intervals(
            exposure.person, np.maximum(exposure.start, since[exposure.person]), exposure.end
        )
    persons, begins = np.unique(exposure.person, return_index=True)
    if not len(persons):
        return Frame.of(DAILY)
    first = np.full(len(doses.person_id), UNKNOWN_TIME)
    first[persons] = exposure.start[begins]
    cover = exposure
    if inside is not None:
        relevant = np.isin(inside.person, persons) & (inside.end > first[inside.person])
        cover = exposure.union(inside.take(relevant))
    opened = np.maximum(cover.start - first[cover.person], 0) // DAY
    closed = (cover.end - 1 - first[cover.person]) // DAY
    owner = np.repeat(np.arange(len(cover)), closed - opened + 1)
    day = np.arange(len(owner)) - np.repeat(
        np.cumsum(closed - opened + 1) - (closed - opened + 1) - opened, closed - opened + 1
    )
    pairs = np.unique(np.column_stack((cover.person[owner], day)), axis=0)
    person, day = pairs[:, 0].astype(np.int32), pairs[:, 1]
    start = first[person] + day * DAY
    windows = Intervals(person, start, start + DAY)
    amount, peak = in_windows(doses, drug, windows)
    weight = weight_of(doses, drug, person, start)
    rrt = np.full(len(person), None, dtype=object)
    if replacement is not None:
        rrt[:] = False
        rrt[windows.overlaps(replacement.person, replacement.start, replacement.end)[1]] = True
    unit = doses.unit(drug)
    in_mg = np.where(unit == "mg", 1.0, np.nan)
    return Frame.of(
        DAILY,
        person=person,
        start=start,
        person_id=doses.person_id[person],
        drug=[drug] * len(person),
        day=day + 1,
        mg=amount * in_mg,
        peak_rate_mg_h=peak * in_mg,
        mg_per_kg=np.round(amount / weight.kg * in_mg, MG_DECIMALS),
        crcl_ml_min=np.round(_clearance_of(clearance, windows, rrt) * weight.kg, 1),
        rrt=rrt,
        unit_canonical=[unit] * len(person),
        amount_canonical=amount,
        peak_rate_canonical_per_h=peak,
        amount_canonical_per_kg=np.round(amount / weight.kg, MG_DECIMALS),
        **weight.columns,
        cumulative_canonical=_running_sum(person, amount),
        assumed_end_canonical=_by_assumed_ends(doses, drug, windows, amount),
    )


def in_windows(doses: Doses, drug: str, windows: Intervals) -> tuple[Floats, Floats]:
    """Return the amount in each window, and the greatest infusion rate, in the drug's unit.

    The amount is NaN if the window has a dose of unknown amount, the rate is NaN without an infusion.
    """
    amount = doses.flow(drug).integrate(windows.person, windows.start, windows.end)[0].copy()
    bolus = doses.boluses(drug)
    dose, window = windows.overlaps(bolus.person, bolus.time, bolus.time + 1)
    np.add.at(amount, window, bolus.low[dose])
    unknown = doses.unknown(drug)
    amount[windows.overlaps(unknown.person, unknown.start, unknown.end)[1]] = np.nan
    running = doses.rate(drug)
    segment, window = windows.overlaps(running.person, running.start, running.end)
    peak = np.full(len(windows), -np.inf)
    np.maximum.at(peak, window, running.low[segment])
    return np.round(amount, MG_DECIMALS), np.where(np.isfinite(peak), peak, np.nan)


def _by_assumed_ends(doses: Doses, drug: str, windows: Intervals, amount: Floats) -> Floats:
    """Return the part of the amount in each window from rates whose end is assumed; NaN if it is not known."""
    part = doses.assumed_flow(drug).integrate(windows.person, windows.start, windows.end)[0]
    return np.where(np.isnan(amount), np.nan, np.round(part, MG_DECIMALS))


def _running_sum(person: npt.NDArray[np.int32], amount: Floats) -> Floats:
    """Return the sum from a person's first window to each; NaN from the first unknown amount on."""
    total = np.full(len(amount), np.nan)
    begins = np.flatnonzero(np.diff(person, prepend=-1))
    for begin, stop in zip(begins, [*begins[1:], len(person)], strict=True):
        total[begin:stop] = np.cumsum(amount[begin:stop])
    return np.round(total, MG_DECIMALS)


def _clearance_of(clearance: Timeline | None, windows: Intervals, rrt: Array) -> Floats:
    """Return clearance per kg at the start of each window, else the first in it; NaN on replacement."""
    per_kg = np.full(len(windows), np.nan)
    if clearance is None or not len(clearance):
        return per_kg
    piece, window = windows.overlaps(clearance.person, clearance.start, clearance.end)
    order = np.lexsort((clearance.start[piece], window))
    first, at = np.unique(window[order], return_index=True)
    per_kg[first] = clearance.low[piece[order][at]]
    per_kg[rrt == True] = np.nan  # noqa: E712  the column holds None too
    return per_kg


@dataclass(frozen=True, eq=False)
class DayWeights:
    """The weight used for each day's amounts per kg, with its source.

    kg : NaN if none is known. source : words of `persons.weight.SOURCES`. age_h : hours from its
    measurement to the dose from which it comes. row : see `persons.weight.WeightInForce`. remark : what
    speaks against it.
    """

    kg: Floats
    source: Array
    age_h: Floats
    row: npt.NDArray[np.int64]
    remark: Array

    @property
    def columns(self) -> dict[str, Array]:
        """The columns of the weight in tables of doses."""
        return {
            "weight_used": self.kg,
            "weight_source": self.source,
            "weight_age_h": np.round(self.age_h, 6),
            "weight_remark": self.remark,
        }


def weight_of(
    doses: Doses, drug: str, person: npt.NDArray[np.int32], start: npt.NDArray[np.int64]
) -> DayWeights:
    """Return the weight at the first dose of each day, else at the last dose before it."""
    f = doses.frame
    rows = doses.exposed(drug)
    rows = rows[~np.isnan(f["weight_kg"][rows])]
    rows = rows[np.lexsort((f["start"][rows], f["person"][rows]))]
    used = np.full(len(person), -1, np.intp)
    if len(rows):
        who, when = f["person"][rows], f["start"][rows]
        line = axis((who, when))
        places = line.place(who, when)
        after = np.searchsorted(places, line.place(person, start), "left")
        inside = np.minimum(after, len(rows) - 1)
        today = (after < len(rows)) & (who[inside] == person) & (when[inside] < start + DAY)
        before = np.maximum(after - 1, 0)
        earlier = ~today & (after > 0) & (who[before] == person)
        used[today] = rows[inside[today]]
        used[earlier] = rows[before[earlier]]
    return weights_of_rows(doses, used)


def weights_of_rows(doses: Doses, rows: Index) -> DayWeights:
    """Return the weights at the start of some rows of doses; -1 means no row."""
    none, f = rows < 0, doses.frame
    if not len(f):
        blank, silent = np.full(len(rows), np.nan), np.full(len(rows), "", object)
        return DayWeights(blank, silent, blank, np.full(len(rows), -1), silent)
    return DayWeights(
        np.where(none, np.nan, f["weight_kg"][rows]),
        np.where(none, "", f["weight_source"][rows]),
        np.where(none, np.nan, f["weight_age_h"][rows]),
        np.where(none, -1, f["weight_row"][rows]),
        np.where(none, "", f["weight_remark"][rows]),
    )
