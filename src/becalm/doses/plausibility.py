"""What is wrong with a row, and what looks wrong: said beside it, and never a reason to drop it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Codes, Mask, Times
from becalm.core.columns import Categorical
from becalm.core.frame import Frame
from becalm.doses.deduplicate import Charted
from becalm.doses.exposure import ROUTES
from becalm.doses.rates import (
    BACKWARDS,
    NEGATIVE,
    NO_END,
    NO_START,
    NO_WEIGHT,
    WHY,
    Converted,
    WrittenRate,
)
from becalm.doses.units import LONG_SINGLE_DOSE, TABLE, TOLERANCE, VOLUME
from becalm.persons.weight import SOURCES, WeightInForce
from becalm.records import Refusal
from becalm.timeline import axis

WEIGHT_REMARKS: Final = {
    "measured after": "weight measured after the dose",
    "persons sheet": "weight from persons sheet",
    "older measurement": "weight measured a day or longer before",
    "later in the stay": "weight measured a day or longer after",
}
"""What is said of a dose per kg whose weight is neither its own nor measured in the 24 h before."""
HINTS: Final = {
    NO_WEIGHT: "give weight_kg in the row, a weight among the labs, or persons.weight_kg",
    NO_END: "give an end, or a row with the next rate",
    BACKWARDS: "look at start and end",
    NEGATIVE: "a rewritten row is 'not given'",
    NO_START: "give a start",
}


Remark: TypeAlias = str | Callable[[int], str]
"""What is said of a row, or how it is worded."""


@dataclass(frozen=True)
class Read:
    """The rows of a record and what was made of them; everything that a remark can rest on.

    counts : the drug was given; usable : and its amount can be used. group : one code for each
    person, drug (else label) and route. assumed_iv : the route is. opened : a rate without an end.
    charted : what stands in another table too.
    weight : in force at the start of each row. death : at the latest, µs.
    """

    given: Frame
    written: WrittenRate
    done: Converted
    counts: Mask
    usable: Mask
    understood: Mask
    drug: Codes
    drugs: tuple[str, ...]
    route: npt.NDArray[np.int8]
    assumed_iv: Mask
    group: Codes
    opened: Mask
    charted: Charted
    weight: WeightInForce
    death: Times


def flags(read: Read) -> Categorical:
    """Say what there is to say of each row, joined by `|`; '' where there is nothing."""
    done, usable, start = read.done, read.usable, read.written.start
    late = usable & (start >= read.death)
    remarks: list[tuple[Mask, Remark]] = []

    def add(where: Mask, said: Remark) -> None:
        if where.any():
            remarks.append((where, said))

    status = read.given["status"]
    add(read.counts & (done.refused > 0), lambda i: f"refused: {WHY[done.refused[i]]}")
    add(~read.understood, lambda i: f"refused: status {status[i]!r} is not understood")
    for where, said in done.notes:
        add(usable & where, said)
    add(
        usable & read.opened,
        "no end recorded: runs until the next rate, death or the end of the stay",
    )
    by_weight = usable & done.by_weight
    for number, source in enumerate(SOURCES):
        if source in WEIGHT_REMARKS:
            add(by_weight & (read.weight.source == number), WEIGHT_REMARKS[source])
    add(usable & read.assumed_iv, "route not recorded: an infusion is taken as IV")
    add(usable & _without_mass(read), "volume without concentration")
    add(usable & _implausible(read), lambda i: f"implausible rate: {done.rate_mg_h[i]:.6g} mg/h")
    schedule = read.given["schedule"]
    add(
        usable & (schedule != ""),
        lambda i: f"one dose of a schedule ({schedule[i]}), taken as given",
    )
    entered, rate = read.given["entered_rate"], read.given["rate"]
    with np.errstate(invalid="ignore"):
        apart = usable & (rate > 0) & (np.abs(entered - rate) > TOLERANCE * rate)
    add(apart, lambda i: f"entered as {entered[i]:.6g}, charted as {rate[i]:.6g}")
    add(usable & _long(read), "one amount over more than a day: read as the total")
    also = read.charted.also_in
    add(read.charted.again, lambda i: f"also in {also[i]}: not counted")
    add(usable & read.charted.cut, lambda i: f"also in {also[i]}: counted where that is silent")
    add(_twice(read), "possible duplicate")
    add(_overlapping(read), "overlaps another infusion of the drug")
    add(usable & (done.end > read.death) & ~late, "runs past death: counted until death")
    add(late, "after death: not counted")
    add(read.given["date_only"], "date only")
    return _remarked(remarks, len(usable))


def _remarked(remarks: Sequence[tuple[Mask, Remark]], n: int) -> Categorical:
    """Join what is said of each row: once for all rows of which the very same is said."""
    which = np.zeros(n, np.int64)
    for bit, (where, _) in enumerate(remarks):
        which |= where.astype(np.int64) << bit
    some = np.flatnonzero(which)
    alike, at, rows_of = np.unique(which[some], return_inverse=True, return_counts=True)
    rows = some[np.argsort(at, kind="stable")]
    code, texts = np.zeros(n, np.int32), [""]
    for bits, mine in zip(alike.tolist(), np.split(rows, np.cumsum(rows_of)[:-1]), strict=False):
        said = [each for bit, (_, each) in enumerate(remarks) if bits >> bit & 1]
        fixed = [each for each in said if isinstance(each, str)]
        if len(fixed) == len(said):
            code[mine] = len(texts)
            texts.append("|".join(fixed))
            continue
        for i in mine.tolist():
            code[i] = len(texts)
            texts.append("|".join(each if isinstance(each, str) else each(i) for each in said))
    return Categorical.by(code, texts)


def refusals(read: Read) -> tuple[Refusal, ...]:
    """Rows that give no amount although they were given, counted by where and why."""
    given, refused = read.given, read.done.refused
    found: dict[tuple[str, str, str, str], list[int]] = {}
    for i in np.flatnonzero((read.counts & (refused > 0)) | ~read.understood).tolist():
        reason = WHY[refused[i]] if read.understood[i] else "status is not understood"
        if reason in HINTS:
            reason = f"{reason}: {HINTS[reason]}"
        unit = given["rate_unit" if np.isnan(given["amount"][i]) else "amount_unit"][i]
        name = read.drugs[read.drug[i]] if read.drug[i] >= 0 else given["label"][i]
        found.setdefault((given["table"][i], name, unit, reason), []).append(i)
    return tuple(
        Refusal(*key, len(rows), f"{key[0]}:{given['key'][rows[0]]} {_shown(given, rows[0])}")
        for key, rows in sorted(found.items())
    )


def _shown(given: Frame, i: int) -> str:
    parts = [
        f"{given[value][i]:g} {given[unit][i]}".strip()
        for value, unit in (("amount", "amount_unit"), ("rate", "rate_unit"))
        if not np.isnan(given[value][i])
    ]
    return ", ".join(parts) or "no number"


def _without_mass(read: Read) -> Mask:
    """A known drug by volume whose strength is not stated: how many mg cannot be known."""
    written = read.written
    volume = np.where(
        np.isnan(written.amount.value),
        written.rate.of_dimension(VOLUME),
        written.amount.of_dimension(VOLUME),
    ).astype(np.bool_)
    unsaid = np.isnan(read.done.amount_mg) & np.isnan(written.concentration.value)
    return (read.drug >= 0) & volume & unsaid


def _implausible(read: Read) -> Mask:
    odd = np.zeros(len(read.drug), np.bool_)
    rate = read.done.rate_mg_h
    for one in TABLE.plausible:
        if one.drug in read.drugs:
            outside = (rate < one.rate_mg_h_low) | (rate > one.rate_mg_h_high)
            odd |= (read.drug == read.drugs.index(one.drug)) & outside
    return odd


def _long(read: Read) -> Mask:
    """An amount with start and end days apart by a route that nothing runs through."""
    swallowed = np.isin(read.route, [ROUTES.index(name) for name in ("SC", "IM", "PO")])
    length = read.done.end - read.written.start
    return swallowed & ~read.done.states_rate & read.done.timed & (length > LONG_SINGLE_DOSE)


def _twice(read: Read) -> Mask:
    """Rows that repeat an earlier one in everything but their key; both are counted."""
    rows = np.flatnonzero(read.usable & _at_one_time(read.given))
    group = read.group[rows]
    columns = [read.given[name][rows] for name in ("start", "end", "amount", "rate")]
    mixed = group.astype(np.uint64)
    for column in columns:
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + column.view(np.uint64)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    same = (mixed[order][1:] == mixed[order][:-1]) & (group[order][1:] == group[order][:-1])
    for column in columns:
        # Bit by bit, because what is not given must equal what is not given.
        bits = column.view(np.uint64)[order]
        same &= bits[1:] == bits[:-1]
    repeated = np.zeros(len(read.usable), np.bool_)
    repeated[rows[order[1:][same]]] = True
    return repeated


def _at_one_time(given: Frame) -> Mask:
    """Rows beside which another of that person begins, where rows are sorted; else all of them."""
    person, start = given["person"], given["start"]
    same = (person[1:] == person[:-1]) & (start[1:] == start[:-1])
    later = (person[1:] > person[:-1]) | ((person[1:] == person[:-1]) & (start[1:] > start[:-1]))
    if not (same | later).all():
        return np.ones(len(given), np.bool_)
    near: Mask = np.zeros(len(given), np.bool_)
    near[1:] |= same
    near[:-1] |= same
    return near


def _overlapping(read: Read) -> Mask:
    """Infusions that begin while an earlier one of the same drug, person and route still runs."""
    done, start = read.done, read.written.start
    odd = np.zeros(len(read.usable), np.bool_)
    runs = ~done.single & (done.end > start) & (done.rate_per_h > 0)
    rows = np.flatnonzero(read.usable & (read.drug >= 0) & runs)
    if not len(rows):
        return odd
    rows = rows[np.lexsort((start[rows], read.group[rows]))]
    who, begin, stop = read.group[rows], start[rows], done.end[rows]
    # Where each begins after the one before has ended, none overlaps any of those before.
    meet = np.zeros(int(who[-1]) + 1, np.bool_)
    meet[who[1:][(who[1:] == who[:-1]) & (begin[1:] < stop[:-1])]] = True
    some = meet[who]
    rows, who, begin, stop = rows[some], who[some], begin[some], stop[some]
    by_end = np.lexsort((stop, who))
    line = axis((who, begin), (who[by_end], stop[by_end]))
    reach = np.maximum.accumulate(line.place(who, stop))
    odd[rows[1:][line.place(who, begin)[1:] < reach[:-1]]] = True
    return odd
