"""One administration in two tables: which of the two counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Codes, Mask, Times
from becalm.core.clock import UNKNOWN_TIME, span
from becalm.core.columns import Categorical, unique_keys
from becalm.core.frame import Frame
from becalm.doses.exposure import ROUTES
from becalm.doses.units import CHANGEOVER
from becalm.records.charted_again import ChartedElsewhere, RepeatedCharting
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


def once(
    given: Frame,
    table: Categorical,
    repeated: RepeatedCharting,
    *,
    substance: Codes,
    route: Array,
    counts: Mask,
) -> Charted:
    """Find rows whose administration stands in another table too, which then has the last word.

    table : the tables that rows came from; repeated : which tables of the source chart one
    administration twice; substance : one code a drug, or a label where no drug is known. Rows
    of a person, a substance and compatible routes are compared, by the pairs of tables in
    `repeated.again`. A single dose is the other table's where that table has the drug within `within`; an
    infusion whose rate is not stated, where it has the drug in that stay. Where that table states no
    amount ("1 dose") and this one does, this one has the last word. An infusion at a stated rate keeps the longest part of
    its time that the other table does not speak of, where that is longer than a changeover.

    Within one table an infusion that says it was begun elsewhere (`repeated.elsewhere`) goes on under
    another order: rows inside it at its rate say nothing new, and beside others it counts where they do
    not run.
    """
    start, end = given["start"].copy(), given["end"].copy()
    again, cut = np.zeros(len(given), np.bool_), np.zeros(len(given), np.bool_)
    also_in = np.full(len(given), "", dtype=object)
    found = Charted(start, end, again, cut, also_in)
    able = counts & (start != UNKNOWN_TIME)
    able &= np.isin(route, [ROUTES.index(name) for name in INJECTED])
    for rule in repeated.again:
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
        _shorten(found, mine[asked], left, stop[mine[asked]])
        also_in[mine[again[mine] | cut[mine]]] = rule.also_in
    for other in repeated.elsewhere:
        _begun_elsewhere(found, given, table, other, substance=substance, able=able & ~again)
    return found


def _shorten(found: Charted, rows: Array, left: tuple[Times, Times], stop: Times) -> None:
    """Leave rows what is left of them: nothing of those left with no more than a changeover."""
    shorter = (left[1] - left[0]) < (stop - found.start[rows])
    gone = shorter & (left[1] - left[0] <= CHANGEOVER)
    found.again[rows[gone]] = True
    kept = rows[shorter & ~gone]
    found.start[kept], found.end[kept] = (side[shorter & ~gone] for side in left)
    found.cut[kept] = True


def _begun_elsewhere(
    found: Charted,
    given: Frame,
    table: Categorical,
    rule: ChartedElsewhere,
    *,
    substance: Codes,
    able: Mask,
) -> None:
    """Count an infusion once that goes on under another order than the one it was begun under."""
    start, end = found.start, found.end
    runs = able & ~np.isnan(given["rate"]) & (end != UNKNOWN_TIME) & (end > start)
    category = given.coded("category")
    elsewhere = category.among([text for text in category.texts.tolist() if rule.words in text])
    here = runs & table.among([rule.table])
    mine, theirs = np.flatnonzero(here & elsewhere), np.flatnonzero(here & ~elsewhere)
    if not len(mine) or not len(theirs):
        return
    both = np.concatenate([theirs, mine])
    who = _numbered(given["person"][both], substance[both])
    known, who = who[: len(theirs)], who[len(theirs) :]
    inside = _inside(found, given, (theirs, known), (mine, who))
    found.again[theirs[inside]] = True
    found.also_in[theirs[inside]] = "another order"
    theirs, known = theirs[~inside], known[~inside]
    spoken = Intervals.build(known, start[theirs], end[theirs])
    _shorten(found, mine, _longest_left(start[mine], end[mine], who, spoken), end[mine])
    unnamed = here & (found.again | found.cut) & (found.also_in == "")
    found.also_in[unnamed] = "another order"


def _inside(
    found: Charted, given: Frame, theirs: tuple[Array, Codes], mine: tuple[Array, Codes]
) -> Mask:
    """Which of their rows run wholly inside one of mine, at its rate: those say nothing new."""
    inside: Mask = np.zeros(len(theirs[0]), np.bool_)
    at = np.flatnonzero(np.isin(theirs[1], mine[1]))
    alike: dict[int, list[int]] = {}
    for i in at.tolist():
        alike.setdefault(int(theirs[1][i]), []).append(i)
    rate, unit = given["rate"], given.coded("rate_unit").code
    for row, who in zip(mine[0].tolist(), mine[1].tolist(), strict=True):
        for i in alike.get(who, []):
            other = theirs[0][i]
            inside[i] |= bool(
                found.start[row] <= found.start[other]
                and found.end[other] <= found.end[row]
                and (rate[row], unit[row]) == (rate[other], unit[other])
            )
    return inside


def _numbered(person: Codes, substance: Codes) -> Codes:
    """One code for each person and substance."""
    most = int(substance.max(initial=0)) + 1
    return unique_keys(person.astype(np.int64) * most + substance)[1]


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
