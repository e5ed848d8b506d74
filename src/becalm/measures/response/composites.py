"""Responses of several parts, as others defined them: `composites.toml`, with every part removable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from msgspec import field

from becalm.core import stats, toml
from becalm.core.arrays import Floats, Mask, Texts
from becalm.core.clock import HOUR, Length
from becalm.core.errors import DefinitionError
from becalm.core.frame import Frame
from becalm.measures.response import ratios
from becalm.measures.response.primary import LEFT_TRUNCATED
from becalm.measures.response.questions import Questions
from becalm.measures.response.signs import no_fever, no_new
from becalm.measures.response.table import gone_before, source_rows
from becalm.measures.safety import limits_beside
from becalm.measures.stage import Pooled, Stage, StageInput
from becalm.protocol import Horizon, Protocol
from becalm.tables import COMPOSITE_COUNTS, COMPOSITES
from becalm.timeline import Points, rounded
from becalm.timeline.nearest import Draws

FILE: Final = Path(__file__).with_suffix(".toml")
UNKNOWN: Final = ("undetermined", "no sample", "discharged before")
CLINICIAN: Final = "clinician"
Answer = tuple[Mask, Mask]
"""Whether something is certainly true, and whether it is possibly true."""


class PartTest(toml.TomlTable, frozen=True):
    """One test of a part: of a value or its ratio to the baseline, or a sign."""

    variable: str = ""
    sign: Literal[
        "", "no fever", "no new vasopressor", "no new ventilation", "no new renal replacement",
        "clinician",
    ] = ""  # fmt: skip
    ratio_below: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None
    below: float | None = None
    above: float | None = None
    at_least: float | None = None
    below_upper: float | None = None
    at_most_upper: float | None = None
    above_lower: float | None = None
    if_tested: bool = False

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that it has, by their keys."""
        named = {each: getattr(self, each) for each in BOUNDS}
        return {name: bound for name, bound in named.items() if bound is not None}


BOUNDS: Final = (
    "ratio_below", "ratio_at_most", "ratio_at_least", "below", "above", "at_least", "below_upper",
    "at_most_upper", "above_lower",
)  # fmt: skip


class Part(toml.TomlTable, frozen=True, rename={"tests": "any"}):
    """One part of a response: met if any of its tests is."""

    name: str
    tests: tuple[PartTest, ...]


class Composite(toml.TomlTable, frozen=True, rename={"parts": "part"}):
    """A response of several parts. horizon : a horizon of the protocol; else its own window."""

    name: str
    title: str
    source: str
    verified: bool
    parts: tuple[Part, ...]
    horizon: Literal["", "h24", "h48", "h72", "d7"] = ""
    window: Horizon | None = None
    needs: int | None = None

    def when(self, protocol: Protocol) -> Horizon:
        """Return its window after the clock."""
        if self.window is not None or not self.horizon:
            assert self.window is not None
            return self.window
        return protocol.horizons[self.horizon]

    def needed(self, parts: int) -> int:
        """Return how many parts are needed if so many are left."""
        return parts if self.needs is None else min(self.needs, parts)


class SignRules(toml.TomlTable, frozen=True):
    """What the signs mean."""

    fever_below: float
    fever_for: Length
    vasopressor_before: Length
    ventilation_before: Length
    replacement_before: Length
    source: str


class _File(toml.TomlTable, frozen=True, rename={"composites": "composite"}):
    rules: SignRules
    composites: tuple[Composite, ...] = field(name="composite")


def file() -> _File:
    """Return the shipped responses and the rules of their signs."""
    found = toml.load(FILE, _File)
    for each in found.composites:
        if bool(each.horizon) == (each.window is not None):
            raise DefinitionError(
                f"{each.name}: needs either 'horizon' or 'window', and not both", where=FILE.name
            )
        for part in each.parts:
            for test in part.tests:
                if len(test.bounds) != (0 if test.sign else 1) or bool(test.sign) == bool(
                    test.variable
                ):
                    raise DefinitionError(
                        f"{each.name}, {part.name}: a test has a sign, or a variable with one bound",
                        where=FILE.name,
                    )
    return found


def shipped() -> dict[str, Composite]:
    """Return the shipped responses by name."""
    return {each.name: each for each in file().composites}


@dataclass(frozen=True, eq=False)
class _Asked:
    """One composite asked of everybody: its questions, its window and where its values come from."""

    given: StageInput
    questions: Questions
    horizon: Horizon

    def later(self, variable: str) -> Draws:
        points = self.points(variable)
        return ratios.at_horizon(points, self.questions, self.horizon)

    def before(self, variable: str) -> Draws:
        points = self.points(variable)
        return ratios.baseline(points, self.questions, variable, self.given.protocol)

    def points(self, variable: str) -> Points:
        return self.given.patients.events.points(variable)

    def sign(self, name: str) -> Answer:
        rules = file().rules
        if name == CLINICIAN:
            nobody = np.zeros(len(self.questions), np.bool_)
            return nobody, ~nobody
        until = self.questions.time + round(self.horizon.at * HOUR)
        if name == "no fever":
            person, since = self.questions.person, until - rules.fever_for.us
            return no_fever(self.points("temperature"), person, since, until, rules.fever_below)
        kind = name.removeprefix("no new ")
        back = {"vasopressor": rules.vasopressor_before, "ventilation": rules.ventilation_before}
        length = back.get(kind, rules.replacement_before)
        return no_new(self.given, kind, self.questions, until, length.us)

    def draws(self, test: PartTest) -> tuple[Draws, ...]:
        """Return the draws that a test reads."""
        if not test.variable:
            return ()
        later = self.later(test.variable)
        if any(name.startswith("ratio") for name in test.bounds):
            return self.before(test.variable), later
        return (later,)

    def answer(self, test: PartTest) -> Answer:
        """Return whether a test is certainly, and possibly, met."""
        if test.sign:
            return self.sign(test.sign)
        ((name, bound),) = test.bounds.items()
        later = self.later(test.variable)
        if name.startswith("ratio"):
            compared = ratios.Compared.of(self.before(test.variable), later)
            low, high = compared.low, compared.high
        else:
            low, high = later.low, later.high
            if name.endswith(("upper", "lower")):
                limit = self._limit(test.variable, later, name)
                low, high = rounded(low / limit), rounded(high / limit)
                unknown = np.isnan(limit)
                low, high = np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)
        return _compared(name, low, high, round(bound, 9))

    def _limit(self, variable: str, later: Draws, name: str) -> Floats:
        """Return the limit of normal that the record has beside each draw, else the customary one."""
        events = self.given.patients.events
        side = "upper" if name.endswith("upper") else "lower"
        own = np.full(len(later.row), np.nan)
        column = "ref_high" if side == "upper" else "ref_low"
        own[later.found] = limits_beside(events, variable, later.row[later.found], column)
        usual = events.vocabulary.variable(variable).usual
        limit = None if usual is None else usual.high if side == "upper" else usual.low
        return np.where(own > 0, own, np.nan if limit is None else limit)


def _compared(name: str, low: Floats, high: Floats, bound: float) -> Answer:
    if name in {"ratio_below", "below", "below_upper"}:
        return high < bound, low < bound
    if name in {"ratio_at_most", "at_most_upper"}:
        return high <= bound, low <= bound
    if name in {"ratio_at_least", "at_least"}:
        return low >= bound, high >= bound
    return low > bound, high > bound


def _any(answers: Iterator[Answer]) -> Answer:
    return reduce(lambda a, b: (a[0] | b[0], a[1] | b[1]), answers)


def measure(given: StageInput) -> Frame:
    """Fill the table `composites`; empty for a protocol that claims no response.

    A part is met only if it is for the whole range of a value known by a limit. Who died before the
    horizon failed whatever was measured before; a missing value leaves a part unknown.
    """
    if given.protocol.response.claim != "response":
        return COMPOSITES.empty()
    questions = Questions.of(given.described)
    frames = [COMPOSITES.empty()]
    frames += [_one(given, questions, each) for each in file().composites]
    return Frame.concat(frames).sort(*COMPOSITES.key)


def _one(given: StageInput, questions: Questions, composite: Composite) -> Frame:
    asked = _Asked(given, questions, composite.when(given.protocol))
    events, count = given.patients.events, len(questions)
    sure, possible = np.zeros((2, len(composite.parts), count), np.bool_)
    draws: list[Draws] = []
    sampled = np.zeros(count, np.bool_)
    for at, part in enumerate(composite.parts):
        sure[at], possible[at] = _any(asked.answer(test) for test in part.tests)
        sampled |= sure[at] | ~possible[at]
        for test in part.tests:
            if test.if_tested:
                sure[at] |= ~asked.later(test.variable).found
        draws += [draw for test in part.tests for draw in asked.draws(test)]
    horizon = questions.time + round(asked.horizon.at * HOUR)
    gone = gone_before(questions, given.patients.records, horizon)
    needed = composite.needed(len(composite.parts))
    low, high = sure.sum(axis=0), possible.sum(axis=0)
    status = np.where(sampled, "undetermined", "no sample").astype(object)
    left = gone == "discharged before"
    status[left] = "discharged before"
    status[low >= needed] = "met"
    status[high < needed] = "not met"
    status[gone == "died before"] = "died before"
    truncated = questions.column("left_truncated") == np.array(True, dtype=object)
    status[truncated] = LEFT_TRUNCATED
    names = [part.name for part in composite.parts]
    return Frame.of(
        COMPOSITES,
        person_id=questions.column("person_id"),
        composite=np.full(count, composite.name, object),
        clock=questions.clock,
        horizon=horizon,
        status=status,
        parts_low=low,
        parts_high=high,
        parts_needed=np.full(count, needed),
        met_parts=_named(names, sure),
        failed_parts=_named(names, ~possible),
        missing_parts=_named(names, possible & ~sure),
        source_row=source_rows(events, tuple(draws)) if draws else np.full(count, "", object),
    )


def _named(names: list[str], which: Mask) -> Texts:
    """Return the names of the parts of each person, joined; each combination is joined once."""
    code = (which * (1 << np.arange(len(names)))[:, None]).sum(axis=0)
    kinds, of = np.unique(code, return_inverse=True)
    words = ["|".join(n for at, n in enumerate(names) if kind >> at & 1) for kind in kinds.tolist()]
    return np.array(words, object)[of] if words else np.zeros(0, object)


def counts(tables: Mapping[str, Frame], protocol: Protocol) -> Frame:
    """Fill the table `composite_counts`: each response with all its parts, and without each."""
    del protocol
    table = tables["composites"]
    rows: list[dict[str, Any]] = []
    analysed = table["status"] != LEFT_TRUNCATED
    for name, composite in shipped().items():
        for clock in dict.fromkeys(table["clock"].tolist()):
            mine = table.take(analysed & (table["composite"] == name) & (table["clock"] == clock))
            if len(mine):
                left_out = ["", *(part.name for part in composite.parts)]
                if len(composite.parts) == 1:
                    left_out = [""]
                rows += [{"composite": name, "clock": clock, **counted(mine, composite, part)}
                         for part in left_out]  # fmt: skip
    return Frame.of_rows(COMPOSITE_COUNTS, rows).sort(*COMPOSITE_COUNTS.key)


def counted(rows: Frame, composite: Composite, without: str) -> dict[str, Any]:
    """Count who reached a response without one of its parts ('' leaves out none)."""
    parts = [part.name for part in composite.parts if part.name != without]
    needed = composite.needed(len(parts))
    low, open_ = (_number(rows[name], parts) for name in ("met_parts", "missing_parts"))
    died = rows["status"] == "died before"
    met = (low >= needed) & ~died
    not_met = (low + open_ < needed) | died
    yes, no, n = int(met.sum()), int(not_met.sum()), len(rows)
    unknown = n - yes - no
    worst, best = (stats.proportion(k, n) or (np.nan, np.nan) for k in (yes, yes + unknown))
    return {
        "without": without, "analysed": n, "met": yes, "not_met": no, "died_first": int(died.sum()),
        "unknown": unknown, "worst": yes / n, "worst_low": worst[0], "worst_high": worst[1],
        "best": (yes + unknown) / n, "best_low": best[0], "best_high": best[1],
    }  # fmt: skip


def _number(joined: Texts, parts: list[str]) -> Floats:
    """Return how many of some parts are named in each text."""
    kinds, of = np.unique(joined.astype(str), return_inverse=True)
    found = np.array([len(set(kind.split("|")) & set(parts)) for kind in kinds.tolist()], int)
    return found[of] if len(kinds) else np.zeros(0)


STAGES: Final = (Stage(COMPOSITES, measure),)
POOLED: Final = (Pooled(COMPOSITE_COUNTS, counts, needs=("composites",)),)
