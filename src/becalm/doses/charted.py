"""One administration in two tables: which of the two counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.clock import UNKNOWN_TIME, span
from becalm.columns import Coded
from becalm.doses.coded import distinct
from becalm.doses.exposure import ROUTES
from becalm.doses.rates import Codes, Mask, Times
from becalm.doses.units import CHANGEOVER, TABLE
from becalm.frame import Array, Frame
from becalm.timeline import Intervals

INJECTED: Final = ("", "IV", "SC", "IM")
"""Routes that one table may name and the other not; a tablet is never an infusion."""


@dataclass(frozen=True)
class Charted:
    """start and end in µs without what another table says already.

    again : the whole row stands there too; cut : a part of it does. also_in : names of the tables,
    by row, '' where there is none.
    """

    start: Times
    end: Times
    again: Mask
    cut: Mask
    also_in: Array


def once(given: Frame, table: Coded, *, substance: Codes, route: Array, counts: Mask) -> Charted:
    """Find rows whose administration stands in another table too, which then has the last word.

    table : the tables that rows came from; substance : one code a drug, or a label where no drug is known. Rows
    of a person, a substance and compatible routes are compared, by the pairs of tables in
    `units.toml`. A single dose is the other table's where that table has the drug within `within`; an
    infusion whose rate is not stated, where it has the drug in that stay. Where that table states no
    amount ("1 dose") and this one does, this one has the last word. An infusion at a stated rate keeps the longest part of
    its time that the other table does not speak of, where that is longer than a changeover.
    """
    start, end = given["start"].copy(), given["end"].copy()
    again, cut = np.zeros(len(given), np.bool_), np.zeros(len(given), np.bool_)
    also_in = np.full(len(given), "", dtype=object)
    able = counts & (start != UNKNOWN_TIME)
    able &= np.isin(route, [ROUTES.index(name) for name in INJECTED])
    for rule in TABLE.charted_again:
        mine = np.flatnonzero(able & table.among([rule.table]))
        theirs = np.flatnonzero(able & table.among([rule.also_in]))
        if not len(mine) or not len(theirs):
            continue
        both = np.concatenate([theirs, mine])
        who = _numbered(given["person"][both], substance[both])
        known, who = who[: len(theirs)], who[len(theirs) :]
        stop = np.maximum(np.where(end == UNKNOWN_TIME, start, end), start + 1)
        near = span(rule.within)
        silent = given.coded("amount_unit").among(rule.says_nothing)
        stated = ~np.isnan(given["amount"]) & ~silent

        # "1 dose" there gives way to the amount here.
        dose = stated[mine] & np.isnan(given["rate"][mine])
        here = Intervals.build(who[dose], start[mine[dose]] - near, start[mine[dose]] + near)
        vague = np.flatnonzero(~stated[theirs] & np.isnan(given["rate"][theirs]))
        gives_way = np.zeros(len(theirs), np.bool_)
        row, _ = here.overlaps(known[vague], start[theirs[vague]], stop[theirs[vague]])
        gives_way[vague[row]] = True
        again[theirs[gives_way]] = True
        also_in[theirs[gives_way]] = rule.table
        known, theirs = known[~gives_way], theirs[~gives_way]

        spoken = Intervals.build(known, start[theirs], stop[theirs])
        around = Intervals.build(known, start[theirs] - near, stop[theirs] + near)
        rated = ~np.isnan(given["rate"][mine]) & (end[mine] != start[mine])
        hit = np.zeros(len(mine), np.bool_)
        hit[around.overlaps(who, start[mine], stop[mine])[0]] = True
        unsaid = np.isnan(given["rate"][mine]) & np.isnan(given["amount"][mine])
        unsaid &= end[mine] > start[mine]
        stays = set(zip(known.tolist(), given["stay_id"][theirs], strict=True))
        for i in np.flatnonzero(unsaid).tolist():
            hit[i] |= (int(who[i]), given["stay_id"][mine[i]]) in stays
        again[mine[hit & ~rated]] = True
        asked = np.flatnonzero(hit & rated)
        left = _longest_left(
            start[mine[asked]], stop[mine[asked]], who[asked], spoken.bridge(span(rule.bridge))
        )
        rows = mine[asked]
        shorter = (left[1] - left[0]) < (stop[rows] - start[rows])
        gone = shorter & (left[1] - left[0] <= CHANGEOVER)
        again[rows[gone]] = True
        kept = rows[shorter & ~gone]
        start[kept], end[kept] = (side[shorter & ~gone] for side in left)
        cut[kept] = True
        also_in[mine[again[mine] | cut[mine]]] = rule.also_in
    return Charted(start, end, again, cut, also_in)


def _numbered(person: Codes, substance: Codes) -> Codes:
    """One code for each person and substance."""
    most = int(substance.max(initial=0)) + 1
    return distinct(person.astype(np.int64) * most + substance)[1]


def _longest_left(start: Times, end: Times, who: Codes, spoken: Intervals) -> tuple[Times, Times]:
    """The longest part of each [start, end) outside `spoken`, the earliest of equals; else none."""
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
