"""Remarks on rows of doses that are wrong or look wrong; no row is dropped because of a remark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Codes, Floats, Mask, Times
from becalm.core.clock import HOUR
from becalm.core.columns import Categorical
from becalm.core.frame import Frame
from becalm.doses.deduplicate import Charted
from becalm.doses.endings import ASSUMED, Endings
from becalm.doses.limits import PLAUSIBLE, TOLERANCE, Plausible
from becalm.doses.limits import TABLE as LIMITS
from becalm.doses.rates import (
    BACKWARDS,
    NEGATIVE,
    NO_END,
    NO_START,
    NO_WEIGHT,
    TOO_LONG,
    WHY,
    Converted,
    WrittenRate,
)
from becalm.doses.unit_table import TABLE
from becalm.doses.units import VOLUME, rate_unit
from becalm.persons.lifetime import REASONS
from becalm.persons.weight import SOURCES, WeightInForce
from becalm.records import Refusal
from becalm.timeline import axis, rounded

WEIGHT_REMARKS: Final = {
    "measured after": "weight measured after the dose",
    "persons sheet": "weight from persons sheet",
    "older measurement": "weight measured a day or longer before",
    "later in the stay": "weight measured a day or longer after",
}
"""Remarks on a dose per kg whose weight is not in its row and not from the 24 h before it."""
IMPLAUSIBLE: Final = "implausible rate"
"""How the remark on a rate above its drug's plausible one begins: such a rate is no headline."""
NO_END_WRITTEN: Final = "no end recorded: end assumed"
"""How the remark on a rate begins whose end is neither written nor the next row of the drug."""
HINTS: Final = {
    NO_WEIGHT: "give weight_kg in the row, a weight among the labs, or persons.weight_kg",
    NO_END: "give an end, or a row with the next rate",
    BACKWARDS: "look at start and end",
    TOO_LONG: "the end cannot be true; correct it, or write a row for each year",
    NEGATIVE: "a rewritten row is 'not given'",
    NO_START: "it was given, nobody knows when: give a start",
}


CLOCK_CHANGE: Final = "may span a clock change: no timezone is stated"

AMBIGUOUS: Final = "ambiguous: one amount over more than a day may be the total or that of each day"

Remark: TypeAlias = str | Callable[[int], str]
"""The text of a remark, or a function that makes it from the position of the row."""


@dataclass(frozen=True)
class Read:
    """The rows of the records and the results for each row: all that remarks need.

    counts : the drug was administered; usable : it was, and its amount can be used. group : one code
    for each person, drug (else label) and route. assumed_iv : the route IV is assumed. endings : of rates
    without an end; stop : the row says that the drug was stopped. charted : rows that are also in another
    table. weight : at the start of each row. death : the latest possible time, µs. outside : why a row is
    not in the person's life, by its code in `persons.lifetime.REASONS`.
    """

    administrations: Frame
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
    endings: Endings
    stop: Mask
    charted: Charted
    weight: WeightInForce
    death: Times
    outside: npt.NDArray[np.int8]
    ambiguous: Mask


def flags(read: Read) -> Categorical:
    """Return the remarks on each row, joined by `|`; '' if there is none."""
    done, usable, start = read.done, read.usable, read.written.start
    late = usable & (read.outside > 0)
    remarks: list[tuple[Mask, Remark]] = []

    def add(where: Mask, remark: Remark) -> None:
        if where.any():
            remarks.append((where, remark))

    status = read.administrations["status"]
    add(read.counts & (done.refused > 0), lambda i: f"refused: {WHY[done.refused[i]]}")
    add(~read.understood, lambda i: f"refused: status {status[i]!r} is not understood")
    for where, note in done.notes:
        add(usable & where, note)
    opened, assumed = usable & read.endings.opened, read.endings.assumed
    add(opened & (assumed == 0), "no end recorded: runs until the next row of the drug")
    for number, reason in enumerate(ASSUMED[1:], 1):
        add(opened & (assumed == number), f"{NO_END_WRITTEN}: {reason}")
    add(read.stop & read.counts, "stopped: no rate runs from here")
    by_weight = usable & done.by_weight
    for number, source in enumerate(SOURCES):
        if source in WEIGHT_REMARKS:
            add(by_weight & (read.weight.source == number), WEIGHT_REMARKS[source])
    contradicted = read.weight.remarks()
    no_weight = read.counts & (done.refused == WHY.index(NO_WEIGHT))
    add(
        (by_weight | no_weight) & (contradicted.code > 0),
        lambda i: str(contradicted.texts[contradicted.code[i]]),
    )
    add(usable & read.assumed_iv, "route not recorded: an infusion is taken as IV")
    add(usable & _without_mass(read), "volume without concentration")
    for container in TABLE.held:
        add(
            usable & _without_content(read, container),
            f"amount in {container}: its content is not written",
        )
    for where, remark in implausible(read):
        add(usable & where, remark)
    schedule = read.administrations["schedule"]
    add(
        usable & (schedule != ""),
        lambda i: f"one dose of a schedule ({schedule[i]}), taken as given",
    )
    entered, rate = read.administrations["entered_rate"], read.administrations["rate"]
    with np.errstate(invalid="ignore"):
        apart = usable & (rate > 0) & (np.abs(entered - rate) > TOLERANCE * rate)
    add(apart, lambda i: f"entered as {entered[i]:.6g}, charted as {rate[i]:.6g}")
    add(read.ambiguous, AMBIGUOUS)
    also = read.charted.also_in
    add(read.charted.again, lambda i: f"also in {also[i]}: not counted")
    add(usable & read.charted.cut, lambda i: f"also in {also[i]}: counted where that is silent")
    add(_twice(read), "possible duplicate")
    add(_overlapping(read), "overlaps another infusion of the drug")
    add(usable & (done.end > read.death) & ~late, "runs past death: counted until death")
    add(late, lambda i: f"{REASONS[read.outside[i]]}: not counted")
    add(read.administrations["date_only"], "date only")
    lasting = usable & ~done.single & (done.end > start)
    hours = (done.end - start + done.beyond) / HOUR
    add(
        lasting & (done.beyond != 0),
        lambda i: f"spans a clock change: {hours[i]:.6g} h pass",
    )
    add(lasting & read.written.time.uncertain(start, done.end), CLOCK_CHANGE)
    return _remarked(remarks, len(usable))


def _remarked(remarks: Sequence[tuple[Mask, Remark]], n: int) -> Categorical:
    """Join the remarks of each row; rows with the same remarks are handled together."""
    which = np.zeros(n, np.int64)
    for bit, (where, _) in enumerate(remarks):
        which |= where.astype(np.int64) << bit
    some = np.flatnonzero(which)
    alike, at, rows_of = np.unique(which[some], return_inverse=True, return_counts=True)
    rows = some[np.argsort(at, kind="stable")]
    code, texts = np.zeros(n, np.int32), [""]
    for bits, same_rows in zip(
        alike.tolist(), np.split(rows, np.cumsum(rows_of)[:-1]), strict=False
    ):
        of_rows = [each for bit, (_, each) in enumerate(remarks) if bits >> bit & 1]
        fixed = [each for each in of_rows if isinstance(each, str)]
        if len(fixed) == len(of_rows):
            code[same_rows] = len(texts)
            texts.append("|".join(fixed))
            continue
        for i in same_rows.tolist():
            code[i] = len(texts)
            texts.append("|".join(each if isinstance(each, str) else each(i) for each in of_rows))
    return Categorical.by(code, texts)


def refusals(read: Read) -> tuple[Refusal, ...]:
    """Return the rows that were administered and are not used, counted by place and reason.

    Their amount cannot be used, or they are from before the birth or after the death.
    """
    administrations, refused = read.administrations, read.done.refused
    rows_of: dict[tuple[str, str, str, str], list[int]] = {}
    outside = read.counts & (read.outside > 0)
    for i in np.flatnonzero((read.counts & (refused > 0)) | outside | ~read.understood).tolist():
        reason = WHY[refused[i]] if read.understood[i] else "status is not understood"
        if outside[i]:
            reason = REASONS[read.outside[i]]
        if reason in HINTS:
            reason = f"{reason}: {HINTS[reason]}"
        unit = administrations[
            "rate_unit" if np.isnan(administrations["amount"][i]) else "amount_unit"
        ][i]
        name = read.drugs[read.drug[i]] if read.drug[i] >= 0 else administrations["label"][i]
        rows_of.setdefault((administrations["table"][i], name, unit, reason), []).append(i)
    return tuple(
        Refusal(
            *key,
            len(rows),
            f"{key[0]}:{administrations['key'][rows[0]]} {_shown(administrations, rows[0])}",
        )
        for key, rows in sorted(rows_of.items())
    )


def _shown(administrations: Frame, i: int) -> str:
    parts = [
        f"{administrations[value][i]:g} {administrations[unit][i]}".strip()
        for value, unit in (("amount", "amount_unit"), ("rate", "rate_unit"))
        if not np.isnan(administrations[value][i])
    ]
    return ", ".join(parts) or "no number"


def _without_mass(read: Read) -> Mask:
    """Return rows of a known drug with a volume but no concentration: the mg are not known."""
    written = read.written
    volume = np.where(
        np.isnan(written.amount.value),
        written.rate.of_dimension(VOLUME),
        written.amount.of_dimension(VOLUME),
    ).astype(np.bool_)
    no_strength = np.isnan(read.done.amount_mg) & np.isnan(written.concentration.value)
    return (read.drug >= 0) & volume & no_strength


def _without_content(read: Read, container: str) -> Mask:
    """Return rows of a known drug counted in containers of which nobody says what one holds."""
    held = read.written.amount.of_dimension(container) | read.written.rate.of_dimension(container)
    return (read.drug >= 0) & held & np.isnan(read.done.dose)


def implausible(read: Read) -> Iterator[tuple[Mask, Remark]]:
    """Yield the rows of each drug whose rate is above its plausible one, with the remark."""
    done = read.done
    for one in PLAUSIBLE:
        if one.drug not in read.drugs:
            continue
        rows = np.flatnonzero(read.drug == read.drugs.index(one.drug))
        unit = rate_unit(one.unit)
        rate = done.dose_per_h[rows] * unit.hours / unit.size
        if unit.per_kg:
            kg = np.where(done.by_weight, read.written.weight_kg, read.weight.kg)[rows]
            rate = rate / np.where(np.isnan(kg), LIMITS.limits.without_weight_kg, kg)
        brief = done.end[rows] - read.written.start[rows] <= one.bolus_within.us
        rate = np.where(brief & ~done.states_rate[rows], np.nan, rounded(rate))
        odd, shown = np.zeros(len(read.drug), np.bool_), np.full(len(read.drug), np.nan)
        odd[rows], shown[rows] = rate > one.high, rate
        yield odd, _too_fast(shown, one)


def _too_fast(rate: Floats, limit: Plausible) -> Remark:
    return lambda i: f"{IMPLAUSIBLE}: {rate[i]:.6g} {limit.unit}"


def _twice(read: Read) -> Mask:
    """Return rows that repeat an earlier row in all but the key; both are counted."""
    rows = np.flatnonzero(read.usable & _at_one_time(read.administrations))
    group = read.group[rows]
    columns = [read.administrations[name][rows] for name in ("start", "end", "amount", "rate")]
    mixed = group.astype(np.uint64)
    for column in columns:
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + column.view(np.uint64)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    same = (mixed[order][1:] == mixed[order][:-1]) & (group[order][1:] == group[order][:-1])
    for column in columns:
        # Compared as bits, because two missing values (NaN) must be equal.
        bits = column.view(np.uint64)[order]
        same &= bits[1:] == bits[:-1]
    repeated = np.zeros(len(read.usable), np.bool_)
    repeated[rows[order[1:][same]]] = True
    return repeated


def _at_one_time(administrations: Frame) -> Mask:
    """Return rows that start together with another row of the person, if sorted; else all rows."""
    person, start = administrations["person"], administrations["start"]
    same = (person[1:] == person[:-1]) & (start[1:] == start[:-1])
    later = (person[1:] > person[:-1]) | ((person[1:] == person[:-1]) & (start[1:] > start[:-1]))
    if not (same | later).all():
        return np.ones(len(administrations), np.bool_)
    near: Mask = np.zeros(len(administrations), np.bool_)
    near[1:] |= same
    near[:-1] |= same
    return near


def _overlapping(read: Read) -> Mask:
    """Return infusions that begin while an earlier one of the same drug, person and route runs.

    Of several that begin at once the one that ends first, or the slowest, counts as the earlier one.
    """
    done, start = read.done, read.written.start
    odd = np.zeros(len(read.usable), np.bool_)
    runs = ~done.single & (done.end > start) & (done.rate_per_h > 0)
    rows = np.flatnonzero(read.usable & (read.drug >= 0) & runs)
    if not len(rows):
        return odd
    by = (done.rate_per_h[rows], done.end[rows], start[rows], read.group[rows])
    rows = rows[np.lexsort(by)]
    who, begin, stop = read.group[rows], start[rows], done.end[rows]
    # If each begins after the end of the one before, no infusion overlaps an earlier one.
    meet = np.zeros(int(who[-1]) + 1, np.bool_)
    meet[who[1:][(who[1:] == who[:-1]) & (begin[1:] < stop[:-1])]] = True
    some = meet[who]
    rows, who, begin, stop = rows[some], who[some], begin[some], stop[some]
    by_end = np.lexsort((stop, who))
    line = axis((who, begin), (who[by_end], stop[by_end]))
    reach = np.maximum.accumulate(line.place(who, stop))
    odd[rows[1:][line.place(who, begin)[1:] < reach[:-1]]] = True
    return odd
