"""The protocol's own response: one answer per person and clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from becalm.core.answers import answers_of_both
from becalm.core.arrays import Mask, Texts
from becalm.core.clock import HOUR
from becalm.core.frame import Frame
from becalm.events import Events
from becalm.measures.response import ratios
from becalm.measures.response.questions import Questions
from becalm.measures.response.ratios import Compared
from becalm.measures.response.table import gone_before
from becalm.measures.stage import Stage, StageInput
from becalm.protocol import Protocol
from becalm.tables import PRIMARY
from becalm.timeline import Points
from becalm.timeline.nearest import Draws

Answer = tuple[Mask, Mask]
"""Whether something is certainly true, and whether it is possibly true."""

LEFT_TRUNCATED = "excluded: left truncated"


def primary(cohort: Frame, response: Frame, events: Events, protocol: Protocol) -> Frame:
    """Return who responded at each clock, by the nearest value to 48 h and by the strict horizon.

    Responded: every primary variable (ferritin) and at least one of the others (AST, ALT) below
    its baseline. Did not respond: this is certainly false, even if one of them is missing. Death
    before 48 h is failure whatever was measured before. If a missing sample or a limit of the
    laboratory leaves it undecided, the answer is `discharged before` or `no sample`, and `reason`
    names each ratio. fall_15, fall_25, fall_50: whether the primary variable fell by at least that
    share; None if undecided. A person transferred in on the treatment is excluded.

    response : the table of the same cohort, for `confounded_by`.
    """
    asked = Questions.of(cohort)
    truncated = asked.column("left_truncated") == np.array(True, dtype=object)
    strict = _compared(
        asked, events, protocol, lambda points: ratios.strictly_within(points, asked, protocol)
    )
    at48, answer, words = at_48_h(asked, events, protocol)
    strictly, _ = _answer(
        strict, gone_before(asked, events.records, ratios.strict_end(asked, protocol)), protocol
    )
    for each in (answer, strictly):
        each[truncated] = LEFT_TRUNCATED
    falls: dict[str, Any] = {}
    for share in protocol.response.graded_falls:
        name = f"fall_{round(100 * share)}"
        if name in PRIMARY:
            parts = [at48[v].at_most(1 - share) for v in protocol.response.primary]
            sure, possible = _every(parts)
            falls[name] = answers_of_both(sure & ~truncated, ~possible & ~truncated)
    return Frame.of(
        PRIMARY,
        person_id=asked.column("person_id"),
        clock=asked.clock,
        response=answer,
        strict=strictly,
        confounded_by=_confounded(asked, response),
        reason=words,
        **falls,
    ).sort("person_id", "clock")


def at_48_h(
    asked: Questions, events: Events, protocol: Protocol
) -> tuple[dict[str, Compared], Texts, list[str]]:
    """Return the ratios of the primary variables at 48 h, the answer of each question, and why."""
    horizon = protocol.horizons["h48"]
    compared = _compared(
        asked, events, protocol, lambda points: ratios.at_horizon(points, asked, horizon)
    )
    gone = gone_before(asked, events.records, asked.time + round(horizon.at * HOUR))
    return compared, *_answer(compared, gone, protocol)


def _compared(
    asked: Questions, events: Events, protocol: Protocol, later: Callable[[Points], Draws]
) -> dict[str, Compared]:
    by_variable = {}
    for variable in (*protocol.response.primary, *protocol.response.primary_any):
        points = events.points(variable)
        by_variable[variable] = Compared.of(
            ratios.baseline(points, asked, variable, protocol), later(points)
        )
    return by_variable


def _answer(
    compared: dict[str, Compared], gone: Texts, protocol: Protocol
) -> tuple[Texts, list[str]]:
    rule = protocol.response
    parts = [compared[name].below_one() for name in rule.primary]
    if rule.primary_any:
        parts.append(_some([compared[name].below_one() for name in rule.primary_any]))
    sure, possible = _every(parts)
    answer = np.full(len(gone), "no sample", dtype=object)
    unmeasured = np.logical_or.reduce([~each.measured for each in compared.values()])
    answer[unmeasured & (gone != "")] = gone[unmeasured & (gone != "")]
    answer[sure] = "responded"
    answer[~possible] = "did not respond"
    answer[gone == "died before"] = "died before"
    named = {name: _words(each) for name, each in compared.items()}
    reasons = [
        ", ".join(f"{name} {words[i]}" for name, words in named.items()) for i in range(len(gone))
    ]
    return answer, reasons


def _words(compared: Compared) -> list[str]:
    number, status = compared.number(), compared.status()
    words = []
    for value, state, high in zip(number.tolist(), status.tolist(), compared.high, strict=True):
        if not state:
            words.append("no sample")
        elif np.isnan(value):
            words.append("direction open")
        elif state in ("at least", "both censored"):
            words.append(f"{'at most' if np.isfinite(high) else 'at least'} {value:.3g}")
        else:
            words.append(f"{value:.3g}")
    return words


def _every(parts: Sequence[Answer]) -> Answer:
    return (
        np.logical_and.reduce([sure for sure, _ in parts]),
        np.logical_and.reduce([possible for _, possible in parts]),
    )


def _some(parts: Sequence[Answer]) -> Answer:
    return (
        np.logical_or.reduce([sure for sure, _ in parts]),
        np.logical_or.reduce([possible for _, possible in parts]),
    )


def _confounded(asked: Questions, response: Frame) -> list[str]:
    keys = zip(
        response["person_id"].tolist(),
        response["clock"].tolist(),
        strict=True,
    )
    known = dict(zip(keys, response["confounded_by"].tolist(), strict=True))
    questions = zip(
        asked.column("person_id").tolist(),
        asked.clock.tolist(),
        strict=True,
    )
    return [known.get(key, "") for key in questions]


def measure(given: StageInput) -> Frame:
    """Fill the table `primary`."""
    response = given.tables["response"]
    return primary(given.described, response, given.patients.events, given.protocol)


STAGES: Final = (Stage(PRIMARY, measure, needs=("response",)),)
