"""One administration in two tables of the records: which of the two rows counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Codes, Mask, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical, unique_keys
from becalm.core.frame import Frame
from becalm.doses.exposure import ROUTES
from becalm.doses.limits import CHANGEOVER
from becalm.records.charted_again import ChartedElsewhere, RepeatedCharting
from becalm.timeline import Intervals

INJECTED: Final = ("", "IV", "SC", "IM")
"""Routes that are compatible: one table may name the route and the other not."""


@dataclass(frozen=True)
class Charted:
    """Times of the rows without the parts that another table has as well; start and end in µs.

    again : the whole row is also in another table; cut : a part of it is. also_in : the name of that
    table, by row, '' if there is none.
    """

    start: Times
    end: Times
    again: Mask
    cut: Mask
    also_in: Array


def once(
    administrations: Frame,
    table: Categorical,
    repeated: RepeatedCharting,
    *,
    substance: Codes,
    route: Array,
    counts: Mask,
) -> Charted:
    """Find rows whose administration is also in another table; then only the other row counts.

    table : the tables that rows came from; repeated : which tables of the source chart one
    administration twice; substance : one code a drug, or a label where no drug is known. Rows
    of a person, a substance and compatible routes are compared, by the pairs of tables in
    `repeated.again`. A single dose does not count if the other table has the drug within `within`; an
    infusion without a rate does not count if the other table has the drug in that stay. If the other
    table states no amount ("1 dose") and this one does, this row counts. An infusion with a rate keeps
    the longest part of its time without rows in the other table, if that is longer than a changeover.

    Within one table, an infusion that was begun elsewhere (`repeated.elsewhere`) continues under
    another order: rows inside it at its rate are repeats, and it counts only where other rows do not
    run.
    """
    start, end = administrations["start"].copy(), administrations["end"].copy()
    again, cut = np.zeros(len(administrations), np.bool_), np.zeros(len(administrations), np.bool_)
    also_in = np.full(len(administrations), "", dtype=object)
    charted = Charted(start, end, again, cut, also_in)
    able = counts & (start != UNKNOWN_TIME)
    able &= np.isin(route, [ROUTES.index(name) for name in INJECTED])
    for rule in repeated.again:
        rows_here = np.flatnonzero(able & table.among([rule.table]))
        rows_there = np.flatnonzero(able & table.among([rule.also_in]))
        if not len(rows_here) or not len(rows_there):
            continue
        both = np.concatenate([rows_there, rows_here])
        who = _numbered(administrations["person"][both], substance[both])
        known, who = who[: len(rows_there)], who[len(rows_there) :]
        stop = np.maximum(np.where(end == UNKNOWN_TIME, start, end), start + 1)
        near = rule.within.us
        silent = administrations.coded("amount_unit").among(rule.says_nothing)
        stated = ~np.isnan(administrations["amount"]) & ~silent

        # "1 dose" there does not count if the amount is stated here.
        dose = stated[rows_here] & np.isnan(administrations["rate"][rows_here])
        here = Intervals.build(
            who[dose], start[rows_here[dose]] - near, start[rows_here[dose]] + near
        )
        vague = np.flatnonzero(~stated[rows_there] & np.isnan(administrations["rate"][rows_there]))
        gives_way = np.zeros(len(rows_there), np.bool_)
        row, _ = here.overlaps(known[vague], start[rows_there[vague]], stop[rows_there[vague]])
        gives_way[vague[row]] = True
        again[rows_there[gives_way]] = True
        also_in[rows_there[gives_way]] = rule.table
        known, rows_there = known[~gives_way], rows_there[~gives_way]

        spoken = Intervals.build(known, start[rows_there], stop[rows_there])
        around = Intervals.build(known, start[rows_there] - near, stop[rows_there] + near)
        rated = ~np.isnan(administrations["rate"][rows_here]) & (end[rows_here] != start[rows_here])
        hit = np.zeros(len(rows_here), np.bool_)
        hit[around.overlaps(who, start[rows_here], stop[rows_here])[0]] = True
        without_numbers = np.isnan(administrations["rate"][rows_here]) & np.isnan(
            administrations["amount"][rows_here]
        )
        without_numbers &= end[rows_here] > start[rows_here]
        stays = set(zip(known.tolist(), administrations["stay_id"][rows_there], strict=True))
        for i in np.flatnonzero(without_numbers).tolist():
            hit[i] |= (int(who[i]), administrations["stay_id"][rows_here[i]]) in stays
        again[rows_here[hit & ~rated]] = True
        asked = np.flatnonzero(hit & rated)
        left = _longest_left(
            start[rows_here[asked]],
            stop[rows_here[asked]],
            who[asked],
            spoken.bridge(rule.bridge.us),
        )
        _shorten(charted, rows_here[asked], left, stop[rows_here[asked]])
        also_in[rows_here[again[rows_here] | cut[rows_here]]] = rule.also_in
    for other in repeated.elsewhere:
        _begun_elsewhere(
            charted, administrations, table, other, substance=substance, able=able & ~again
        )
    return charted


def _shorten(charted: Charted, rows: Array, left: tuple[Times, Times], stop: Times) -> None:
    """Shorten rows to the remaining part; a part not longer than a changeover is dropped."""
    shorter = (left[1] - left[0]) < (stop - charted.start[rows])
    gone = shorter & (left[1] - left[0] <= CHANGEOVER)
    charted.again[rows[gone]] = True
    kept = rows[shorter & ~gone]
    charted.start[kept], charted.end[kept] = (side[shorter & ~gone] for side in left)
    charted.cut[kept] = True


def _begun_elsewhere(
    charted: Charted,
    administrations: Frame,
    table: Categorical,
    rule: ChartedElsewhere,
    *,
    substance: Codes,
    able: Mask,
) -> None:
    """Count an infusion only once if it was begun under one order and continues under another."""
    start, end = charted.start, charted.end
    runs = able & ~np.isnan(administrations["rate"]) & (end != UNKNOWN_TIME) & (end > start)
    category = administrations.coded("category")
    elsewhere = category.among([text for text in category.texts.tolist() if rule.words in text])
    here = runs & table.among([rule.table])
    rows_elsewhere, rows_here = np.flatnonzero(here & elsewhere), np.flatnonzero(here & ~elsewhere)
    if not len(rows_elsewhere) or not len(rows_here):
        return
    both = np.concatenate([rows_here, rows_elsewhere])
    who = _numbered(administrations["person"][both], substance[both])
    known, who = who[: len(rows_here)], who[len(rows_here) :]
    inside = _inside(charted, administrations, (rows_here, known), (rows_elsewhere, who))
    charted.again[rows_here[inside]] = True
    charted.also_in[rows_here[inside]] = "another order"
    rows_here, known = rows_here[~inside], known[~inside]
    spoken = Intervals.build(known, start[rows_here], end[rows_here])
    _shorten(
        charted,
        rows_elsewhere,
        _longest_left(start[rows_elsewhere], end[rows_elsewhere], who, spoken),
        end[rows_elsewhere],
    )
    unnamed = here & (charted.again | charted.cut) & (charted.also_in == "")
    charted.also_in[unnamed] = "another order"


def _inside(
    charted: Charted,
    administrations: Frame,
    others: tuple[Array, Codes],
    wholes: tuple[Array, Codes],
) -> Mask:
    """Return which rows of `others` run wholly inside a row of `wholes` at its rate: they are repeats."""
    inside: Mask = np.zeros(len(others[0]), np.bool_)
    at = np.flatnonzero(np.isin(others[1], wholes[1]))
    alike: dict[int, list[int]] = {}
    for i in at.tolist():
        alike.setdefault(int(others[1][i]), []).append(i)
    rate, unit = administrations["rate"], administrations.coded("rate_unit").code
    for row, who in zip(wholes[0].tolist(), wholes[1].tolist(), strict=True):
        for i in alike.get(who, []):
            other = others[0][i]
            inside[i] |= bool(
                charted.start[row] <= charted.start[other]
                and charted.end[other] <= charted.end[row]
                and (rate[row], unit[row]) == (rate[other], unit[other])
            )
    return inside


def _numbered(person: Codes, substance: Codes) -> Codes:
    """Return one code for each person and substance."""
    most = int(substance.max(initial=0)) + 1
    return unique_keys(person.astype(np.int64) * most + substance)[1]


def _longest_left(start: Times, end: Times, who: Codes, spoken: Intervals) -> tuple[Times, Times]:
    """Return the longest part of each [start, end) outside `spoken`, the earliest of equal ones."""
    row, stretch = spoken.overlaps(who, start, end)
    n = np.arange(len(start))
    # Gaps of a row: from its start, or the end of one stretch, to the start of the next, or its end.
    owner = np.concatenate([n, row])
    begin = np.concatenate([start, np.maximum(spoken.end[stretch], start[row])])
    order = np.lexsort((begin, owner))
    owner, begin = owner[order], begin[order]
    close = np.concatenate([end, np.minimum(spoken.start[stretch], end[row])])
    closer = np.concatenate([n, row])
    close = close[np.lexsort((close, closer))]
    length = np.maximum(close - begin, 0)
    best = np.lexsort((-length, owner))
    first = best[np.searchsorted(owner[best], n)]
    return begin[first], begin[first] + length[first]
