"""When an infusion without a written end ended: at a stop, the next row, the end of its stay, or its drug's limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Array, Codes, Index, Mask, Times, expand
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical, unique_keys
from becalm.core.frame import Frame
from becalm.doses.exposure import ROUTES, SYSTEMIC
from becalm.doses.limits import PUSH_UPTO
from becalm.doses.limits import TABLE as LIMITS
from becalm.doses.rates import Quantity
from becalm.records import Records
from becalm.timeline import axis

AT_DEATH: Final = "death"
AT_END_OF_STAY: Final = "end of the stay"
AT_LIMIT: Final = "limit of the drug"
ASSUMED: Final = ("", AT_DEATH, AT_END_OF_STAY, AT_LIMIT)
"""Why an end is assumed; '' if it is written, or is the next row of the drug. Arrays hold positions."""
STOPPED: Final = "stopped"

_STOP_UNIT: Final = "mg/h"  # the unit of the rate 0 of a row that says stopped


@dataclass(frozen=True)
class Endings:
    """Start and end of each row; opened : a rate without a written end; assumed : position in `ASSUMED`."""

    start: Times
    end: Times
    opened: Mask
    assumed: Array


def stops(administrations: Frame) -> Mask:
    """Return the rows that say that the drug was stopped at their start.

    A row that is stopped and has an end after its start was running until then.
    """
    start, end = administrations["start"], administrations["end"]
    stopped = administrations.coded("status").map(lambda text: text == STOPPED, np.bool_)
    ran: Mask = (start != UNKNOWN_TIME) & (end != UNKNOWN_TIME) & (end - start > PUSH_UPTO)
    return stopped & ~ran


def as_pauses(administrations: Frame, stop: Mask) -> Frame:
    """Return the rows with a rate of 0 and no amount in those that stop, whatever their cells say."""
    if not stop.any():
        return administrations
    return administrations.replace(
        end=np.where(stop, UNKNOWN_TIME, administrations["end"]),
        amount=np.where(stop, np.nan, administrations["amount"]),
        rate=np.where(stop, 0.0, administrations["rate"]),
        rate_unit=Categorical.where(
            stop,
            Categorical.by(np.zeros(len(stop), np.int32), [_STOP_UNIT]),
            administrations.coded("rate_unit"),
        ),
    )


def longest(drug: Codes, drugs: Sequence[str], route: Array, rate: Quantity) -> Times:
    """Return how long each row's rate holds if nothing ends it, µs.

    A dose per day that is not intravenous was written once for many days, and holds longer.
    """
    infused = (route == ROUTES.index("IV")) | rate.each(lambda unit: 0 < unit.hours < 24, np.bool_)
    limits = LIMITS.limits
    held = np.where(infused, limits.rate_holds.us, limits.daily_rate_holds.us)
    for one in LIMITS.holds:
        named = [drugs.index(name) for name in one.drugs if name in drugs]
        held = np.where(infused & np.isin(drug, named), one.upto.us, held)
    return held


def close(
    records: Records,
    start: Times,
    written: Times,
    *,
    substance: Array,
    route: Array,
    counts: Mask,
    longest_held: Times,
    death: Times,
) -> Endings:
    """End each rate without an end at the next row of its drug, its stay's end, death, or its limit.

    The first of them counts; of equal ones the next row, because it is not assumed. A single dose into
    a vein, or of unknown route, is given beside an infusion and does not end it. A rate of 0 ends by
    itself. written : the ends as written. substance : the drug, else its label. longest_held : see
    `longest`. death : the latest possible time of each row's person.
    """
    administrations = records.administrations
    end = written.copy()
    rated, known = ~np.isnan(administrations["rate"]), start != UNKNOWN_TIME
    opened = rated & known & (end == UNKNOWN_TIME) & np.isnan(administrations["amount"]) & counts
    assumed = np.zeros(len(start), np.int8)
    asked = np.flatnonzero(opened)
    if not len(asked):
        return Endings(start, end, opened, assumed)
    lasting = (end != UNKNOWN_TIME) & (end - start > PUSH_UPTO)
    pushed = ~rated & ~lasting & np.isin(route, [ROUTES.index("IV"), ROUTES.index("")])
    others = np.flatnonzero(counts & known & ~pushed)
    group = _of_one_drug(administrations["person"], substance, route)
    following = _next(group, start, asked, others)
    runs = administrations["rate"][asked] > 0
    moments = (
        following,
        np.where(runs, death[asked], FAR_FUTURE),
        np.where(runs, _stay_ends(records, administrations.take(asked)), FAR_FUTURE),
        np.where(runs, start[asked] + longest_held[asked], FAR_FUTURE),
    )
    first = np.argmin(moments, axis=0)
    end[asked] = np.min(moments, axis=0)
    assumed[asked] = first
    end[asked[end[asked] >= FAR_FUTURE]] = UNKNOWN_TIME
    opened &= end != UNKNOWN_TIME
    return Endings(start, end, opened, assumed)


def _of_one_drug(person: Codes, substance: Array, route: Array) -> Codes:
    """Return one code for each person and substance by any route that reaches the blood, else by its route."""
    systemic = np.isin(route, [ROUTES.index(name) for name in SYSTEMIC])
    most = int(substance.max(initial=0)) + 1
    group = (person.astype(np.int64) * most + substance) * len(ROUTES)
    return unique_keys(group + np.where(systemic, 0, route))[1]


def _next(group: Codes, start: Times, asked: Index, others: Index) -> Times:
    """Return when the next of some rows of the same group starts, else `FAR_FUTURE`."""
    others = others[np.lexsort((start[others], group[others]))]
    line = axis((group[others], start[others]))
    places = line.place(group[others], start[others])
    following = np.searchsorted(places, line.place(group[asked], start[asked]), "right")
    row = others[np.minimum(following, len(others) - 1)]
    chained = (following < len(others)) & (group[row] == group[asked])
    return np.where(chained, start[row], FAR_FUTURE)


def _stay_ends(records: Records, rows: Frame) -> Times:
    """Return when the stay ends in which each row was charted; `FAR_FUTURE` without one.

    It is the stay that the row names, else of those around its start the one that ends last: a unit or an
    emergency department inside a longer stay passes its infusions on. A stay that follows is another stay.
    """
    stays = records.stays
    order = np.argsort(stays["person"], kind="stable")
    low, high = (
        np.searchsorted(stays["person"][order], rows["person"], side) for side in ("left", "right")
    )
    of, at = expand(low, high)
    at = order[at]
    begun, over, moment = stays["start"][at], stays["end"][at], rows["start"][of]
    named = (rows["stay_id"][of] != "") & (rows["stay_id"][of] == stays["stay_id"][at])
    around = (begun != UNKNOWN_TIME) & (begun <= moment) & (moment < over)
    ends, own = (np.full(len(rows), UNKNOWN_TIME) for _ in range(2))
    np.maximum.at(ends, of[around], over[around])
    named &= moment < over  # some name an admission that begins a little later
    np.maximum.at(own, of[named], over[named])
    last = np.where(own != UNKNOWN_TIME, own, ends)
    return np.where(last != UNKNOWN_TIME, last, FAR_FUTURE)
