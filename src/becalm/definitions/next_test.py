"""The next best test: which single missing measurement would settle a definition, and by which results.

A test is a variable as records hold it: the spleen apart from the liver, triglycerides apart from fibrinogen.
Its value is thought of as drawn at the moment and known at once, while everything else stays as it was known; one
value may decide several items. What no test shows, immunosuppression for example, is a question to the history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Floats, Index, Mask, Persons, Texts, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.columns import Categorical, Held, listed
from becalm.core.frame import Frame
from becalm.definitions.evaluation import Evaluation
from becalm.definitions.item_evidence import blank, bound_and_sign
from becalm.definitions.model import Item
from becalm.definitions.not_assessed import Refused, none_refused
from becalm.definitions.results import Results, domain, results
from becalm.definitions.what_if import MET, NOT_MET, WhatIf, not_exact, timeline_of
from becalm.tables import NEXT_TEST

SETTLES: Final = ("whatever the result", "met or not met", "met only", "not met only")
"""How far a test settles a definition, the best first."""
NONE: Final = "no single test"
STATES: Final = (
    "missing",
    "measured later",
    "expired",
    "result pending",
    "in part",
    "not understood",
)
KINDS: Final = ("measurement", "finding", "history")


def no_rows(rows: Times) -> Texts:
    """Return no rows, where nobody opens them."""
    return blank(len(rows))


@dataclass(frozen=True, eq=False)
class Undetermined:
    """A definition that is undetermined at one moment of each of some persons.

    name : person_id. person : int32, each once. time : int64, µs. moment : as in `criteria`, one for all or one
    for each. whole_stay : whether values count until the end of a stay. source_rows : names rows of the records.
    refused : the rows that could not be used.
    """

    evaluation: Evaluation
    name: Texts
    person: Persons
    time: Times
    low: Floats
    high: Floats
    moment: Categorical
    whole_stay: bool = False
    source_rows: Callable[[Times], Held] = no_rows
    refused: Refused = none_refused


def next_tests(asked: Undetermined) -> Frame:
    """Return `next_test` of one definition, sorted by person (in the given order) and rank."""
    what_if = WhatIf(asked.evaluation, asked.person, asked.time)
    parts = [
        part
        for number, (variable, leaves) in enumerate(_tests(asked.evaluation).items())
        if (part := _of_test(asked, what_if, number, variable, leaves)) is not None
    ]
    return _joined(asked, parts)


def in_words(found: Frame) -> Categorical:
    """Return one text for each person of `next_tests`: `triglycerides: not met if below 1.5 mmol/L`, joined by |."""
    columns = [found.coded(name) for name in ("test", "settles_met_if", "settles_not_met_if")]
    rank = found["rank"]
    each = np.zeros(len(found), np.int64)
    for column in columns:
        each = each * (len(column.texts) + 1) + column.code
    _, first, line = np.unique(each, return_index=True, return_inverse=True)
    texts = [_line(*(str(column.texts[column.code[at]]) for column in columns)) for at in first]
    begins = np.flatnonzero(rank <= 1)
    sizes = np.diff(np.append(begins, len(found)))
    code = line[begins]
    for further in range(1, int(sizes.max(initial=1))):
        more = np.flatnonzero(sizes > further)
        pair = code[more] * len(texts) + line[begins[more] + further]
        found_, position = np.unique(pair, return_inverse=True)
        code = code.copy()
        code[more] = len(texts) + position
        texts += [
            f"{texts[one // len(texts)]}|{texts[one % len(texts)]}" for one in found_.tolist()
        ]
    return Categorical(code.astype(np.int32), listed(texts))


def _line(test: str, met: str, denied: str) -> str:
    """Return what one test would decide, in words."""
    parts = [f"met if {met}"] if met else []
    parts += [f"not met if {denied}"] if denied else []
    return f"{test}: {', '.join(parts)}" if parts else NONE


def _tests(evaluation: Evaluation) -> dict[str, list[Item]]:
    """Return every leaf of a definition by its variable, in the order of the file."""
    found: dict[str, list[Item]] = {}
    for item in evaluation.definition.items:
        for leaf in item.leaves():
            found.setdefault(leaf.variable, []).append(leaf)
    return found


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows of one test."""

    variable: str
    number: int
    results: Results
    kind: int
    settles: Index
    state: Index
    last: _Last
    counts_for: float


@dataclass(frozen=True, eq=False)
class _Last:
    """The last value before the moment: NaN and row −1 where there is none."""

    value: Floats
    sign: Texts
    taken: Times
    row: Times


def _of_test(
    asked: Undetermined, what_if: WhatIf, number: int, variable: str, leaves: Sequence[Item]
) -> _Part | None:
    states = [not_exact(what_if.known(leaf)) for leaf in leaves]
    unknown = np.logical_and.reduce([each for each, _ in states])
    open_ = np.logical_or.reduce([each | ranged for each, ranged in states])
    of = np.flatnonzero(open_)
    if not len(of):
        return None
    history = all(timeline_of(asked.evaluation, leaf) for leaf in leaves)
    each = results(what_if, variable, of, history=history)
    some = each.can_meet | each.can_deny
    if not some.any():
        return None
    kept = each.take(some)
    of = kept.of
    settles = np.where(
        ~kept.leaves_open, 0, np.where(kept.can_meet & kept.can_deny, 1, 3 - kept.can_meet)
    )
    last, state = _before(asked, leaves, of, unknown[of])
    finding = domain(variable, history=history).answers is not None
    within = [leaf.within.us for leaf in leaves if leaf.within is not None]
    counts_for = np.nan if asked.whole_stay or not within else min(within) // HOUR
    kind = 2 if history else int(finding)
    return _Part(variable, number, kept, kind, settles, state, last, counts_for)


def _before(
    asked: Undetermined,
    leaves: Sequence[Item],
    of: Index,
    unknown: Mask,
) -> tuple[_Last, Index]:
    """Return the last value before each moment, and why the test is asked for."""
    person, time, count = asked.person[of], asked.time[of], len(of)
    state = np.zeros(count, np.intp)
    value, row = np.full(count, np.nan), np.full(count, -1)
    taken = np.full(count, UNKNOWN_TIME)
    sign = blank(count)
    points = asked.evaluation.inputs.points(leaves[0])
    within = max((leaf.within.us for leaf in leaves if leaf.within is not None), default=0)
    if len(points):
        begin = points.count_until(person, np.full(count, UNKNOWN_TIME))
        until = points.count_until(person, time)
        ever = points.count_until(person, np.full(count, FAR_FUTURE))
        state[ever > until] = STATES.index("measured later")
        some = until > begin
        at = until[some] - 1
        value[some], sign[some] = bound_and_sign(
            points.low[at], points.high[at], prefer_high=leaves[0].take == "max"
        )
        taken[some], row[some] = points.taken[at], points.row[at]
        state[some] = STATES.index("expired")
        moment = np.full(asked.evaluation.inputs.n_persons, UNKNOWN_TIME)
        moment[person] = time
        theirs = moment[points.person]
        pending = (points.time > theirs) & (points.taken <= theirs) & (theirs != UNKNOWN_TIME)
        pending &= points.taken > theirs - within
        state[np.isin(person, points.person[pending])] = STATES.index("result pending")
    state[~unknown] = STATES.index("in part")
    whose, when, _ = asked.refused(leaves[0].variable)
    if len(whose):
        newest = np.full(asked.evaluation.inputs.n_persons, UNKNOWN_TIME)
        moment = np.full(len(newest), UNKNOWN_TIME)
        moment[person] = time
        usable = (when <= moment[whose]) & (when > moment[whose] - max(within, 1))
        np.maximum.at(newest, whose[usable], when[usable])
        state[unknown & (newest[person] > UNKNOWN_TIME)] = STATES.index("not understood")
    return _Last(value, sign, taken, row), state


def _joined(asked: Undetermined, parts: Sequence[_Part]) -> Frame:
    """Return the rows of all tests, ranked within each person, and one for each person whom none settles."""
    total = len(asked.person)
    without = np.ones(total, np.bool_)
    for part in parts:
        without[part.results.of] = False
    none = np.flatnonzero(without)
    of = np.concatenate([none, *(part.results.of for part in parts)]).astype(np.intp)
    sizes = [len(none), *(len(part.results.of) for part in parts)]

    def spread(values: Sequence[object], kind: type) -> np.ndarray:
        return np.repeat(np.array(values, kind), sizes)

    number = spread([-1, *(part.number for part in parts)], np.int64)
    kind = spread([-1, *(part.kind for part in parts)], np.int64)
    counts_for = spread([np.nan, *(part.counts_for for part in parts)], np.float64)
    blank_ = np.full(len(none), -1)
    settles = np.concatenate([blank_, *(part.settles for part in parts)])
    state = np.concatenate([blank_, *(part.state for part in parts)])
    order = np.lexsort((number, kind == KINDS.index("history"), settles, of))
    person = of[order]
    fresh = np.append(True, person[1:] != person[:-1]) if len(person) else np.empty(0, np.bool_)
    begins = np.flatnonzero(fresh)
    rank = np.arange(len(person)) - np.repeat(begins, np.diff(np.append(begins, len(person)))) + 1
    rank[settles[order] < 0] = 0

    tests = [part.variable for part in parts]
    test = np.repeat(np.arange(-1, len(parts)), sizes)
    last = [part.last for part in parts]
    row = np.concatenate([blank_, *(each.row for each in last)])[order]
    taken = np.concatenate([np.full(len(none), UNKNOWN_TIME), *(each.taken for each in last)])
    age = np.where(taken[order] == UNKNOWN_TIME, np.nan, (asked.time[person] - taken[order]) / HOUR)
    sign = np.concatenate([blank(len(none)), *(each.sign for each in last)])[order]
    censored = blank(len(sign))
    censored[sign != ""] = [f"last_value{each}" for each in sign[sign != ""]]
    opened = blank(len(row))
    if (row >= 0).any():
        held = asked.source_rows(row[row >= 0])
        opened[row >= 0] = held if isinstance(held, np.ndarray) else held.written()
    criterion = asked.evaluation.definition.name
    return Frame.around(
        NEXT_TEST,
        {
            "person_id": asked.name[person],
            "criterion": Categorical(np.zeros(len(person), np.int32), listed([criterion])),
            "moment": asked.moment.take(person),
            "time": asked.time[person],
            "low": asked.low[person],
            "high": asked.high[person],
            "rank": rank.astype(np.int64),
            "test": Categorical.by(test[order], [*tests, ""]),
            "test_kind": Categorical.by(kind[order], [*KINDS, ""]),
            "settles": Categorical.by(settles[order], [*SETTLES, NONE]),
            "settles_met_if": _texts(len(none), parts, MET).take(order),
            "settles_not_met_if": _texts(len(none), parts, NOT_MET).take(order),
            "counts_for_hours": counts_for[order],
            "test_state": Categorical.by(state[order], [*STATES, ""]),
            "last_value": np.concatenate(
                [np.full(len(none), np.nan), *(each.value for each in last)]
            )[order],
            "unit": Categorical.by(
                test[order], [*(part.results.domain.unit for part in parts), ""]
            ),
            "last_value_hours": age,
            "censored": Categorical.of(censored),
            "source_row": opened,
        },
    )


def _texts(none: int, parts: Sequence[_Part], status: int) -> Categorical:
    """Return the results that lead to a status, in words, of the rows of all tests."""
    blank_ = Categorical(np.zeros(none, np.int32), listed([""]))
    each = [part.results.words(status) for part in parts]
    return Categorical.concat([blank_, *(Categorical(code, listed(texts)) for code, texts in each)])
