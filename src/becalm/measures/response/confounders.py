"""Other treatments around a clock that could explain a fall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from becalm.core.arrays import Floats, Mask, Persons, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import Doses
from becalm.measures.response.questions import Questions
from becalm.protocol import Confounder, Protocol
from becalm.timeline import Intervals, rounded
from becalm.vocabulary import Vocabulary


def confounded_by(
    asked: Questions,
    doses: Doses,
    procedures: Mapping[str, Intervals],
    protocol: Protocol,
    vocabulary: Vocabulary,
    *,
    unrecognised: Frame,
) -> Texts:
    """Return the drugs and procedures in the protocol's windows around each clock, joined by `|`.

    Both ends of a window are included. Only routes that reach the blood count, never drops, creams
    or inhalers. A confounder is reported with a status and never changes it. A drug or a procedure that
    nobody knows may be any of them: in the widest window it is reported as "not understood: dex". A drug that was
    given, nobody knows when, may have been given then: "given, time unknown: tocilizumab".
    """
    names_of: list[dict[str, None]] = [{} for _ in range(len(asked))]
    for rule in protocol.confounder:
        start, end = asked.time + rule.from_.us, asked.time + rule.to.us
        counts = np.ones(len(asked), np.bool_)
        if rule.started_or_doubled:
            counts = _started_or_doubled(
                rule, asked.person, start, end, doses=doses, vocabulary=vocabulary
            )
        inside = [
            *((name, doses.exposure(name)) for name in rule.drugs),
            *((name, procedures.get(name, Intervals.empty())) for name in rule.procedures),
        ]
        for name, when in inside:
            for i in np.flatnonzero(counts & _touches(when, asked.person, start, end)).tolist():
                names_of[i][name] = None
        for name in rule.drugs:
            given = doses.frame["person"][doses.untimed(name)]
            for i in np.flatnonzero(np.isin(asked.person, given)).tolist():
                names_of[i][f"given, time unknown: {name}"] = None
    for i, name in sorted(set(_unknown(asked, protocol, unrecognised))):
        names_of[i][f"not understood: {name}"] = None
    result = np.full(len(asked), "", dtype=object)
    result[:] = ["|".join(names) for names in names_of]
    return result


def _unknown(
    asked: Questions, protocol: Protocol, unrecognised: Frame
) -> Iterator[tuple[int, str]]:
    """Yield the question and the name of each unknown drug or procedure in the widest window around it."""
    if not protocol.confounder:
        return
    kinds = [kind for kind, any_ in (
        ("drug", any(rule.drugs for rule in protocol.confounder)),
        ("procedure", any(rule.procedures for rule in protocol.confounder)),
    ) if any_]  # fmt: skip
    rows = unrecognised.take(np.isin(unrecognised["kind"].astype(str), kinds))
    before = min(rule.from_.us for rule in protocol.confounder)
    after = max(rule.to.us for rule in protocol.confounder)
    start = rows["start"]
    end = np.where(rows["end"] == UNKNOWN_TIME, start, np.maximum(rows["end"], start))
    for at in range(len(rows)):
        hit = asked.person == rows["person"][at]
        if start[at] != UNKNOWN_TIME:
            hit &= (start[at] <= asked.time + after) & (end[at] >= asked.time + before)
        for i in np.flatnonzero(hit).tolist():
            yield i, str(rows["label"][at] or rows["code"][at])


def _touches(when: Intervals, person: Persons, start: Times, end: Times) -> Mask:
    """Return whether an interval touches [start, end]."""
    hit = np.zeros(len(person), np.bool_)
    hit[when.overlaps(person, start, end + 1)[0]] = True
    return hit


def _started_or_doubled(
    rule: Confounder,
    person: Persons,
    start: Times,
    end: Times,
    *,
    doses: Doses,
    vocabulary: Vocabulary,
) -> Mask:
    """Return whether the drugs of a rule began in the window, or were at least doubled on a day of it.

    Glucocorticoids are added up as prednisolone. Days are counted from the start of the window and
    compared with the 24 h before it. If an amount is not known, doubling cannot be excluded.
    """
    equivalents = _equivalents(rule.drugs, vocabulary)
    exposure = doses.exposure(*rule.drugs)
    before = _touches(exposure, person, start - DAY, start - 1)
    unknown = _touches(
        doses.unknown(rule.drugs[0]).union(
            *(doses.unknown(name) for name in rule.drugs[1:]),
            *(doses.exposure(name) for name in rule.drugs if name not in equivalents),
        ),
        person,
        start - DAY,
        end,
    )
    totals = {name: doses.amounts(name) for name in equivalents}

    def mg(begin: Times, close: Times) -> Floats:
        """Return the prednisolone equivalent in [begin, close)."""
        parts = [
            totals[name].amount(person, begin - 1, close - 1) * factor
            for name, factor in equivalents.items()
        ]
        return rounded(np.sum(parts, axis=0)) if parts else np.zeros(len(person))

    usual, most = mg(start - DAY, start), np.zeros(len(person))
    if len(person):
        for day in range(int(-(-(end - start).max() // DAY))):
            begin = start + day * DAY
            most = np.maximum(most, mg(begin, np.maximum(begin, np.minimum(begin + DAY, end + 1))))
    doubled = most >= rounded(2 * usual)
    return ~before | unknown | doubled


def _equivalents(drugs: Iterable[str], vocabulary: Vocabulary) -> dict[str, float]:
    known = {name: vocabulary.drug(name).prednisolone_equivalent for name in drugs}
    return {name: each.factor for name, each in known.items() if each is not None}
