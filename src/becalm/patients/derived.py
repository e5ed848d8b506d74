"""What definitions read that no row says by itself: age, organ support, multiples of a limit.

Worked out from several rows when a definition asks, and only then; the numbers are in
`derived.toml`. That nothing was given is known while a person is in hospital and administrations
are recorded for the stay; elsewhere it is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, Floats, Pair, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, span
from becalm.definitions.evaluation import Clock, Given
from becalm.patients import organ_support
from becalm.patients.data import PatientData
from becalm.persons.age import age_over_time
from becalm.persons.stays import admissions
from becalm.timeline import Intervals, Points, Timeline, combine, either, overlay, rounded

FILE: Final = Path(__file__).with_suffix(".toml")
BEYOND: Final = 90 * DAY
"""How long after the last record an age is still told."""
IN_A_VEIN: Final = ("IV", "")


class Vasopressors(toml.TomlTable, frozen=True, rename={"drug_class": "class"}):
    drug_class: str
    apart: str
    source: str


class Oxygen(toml.TomlTable, frozen=True):
    low_flow_upto: float
    holds: str
    positive_pressure: tuple[str, ...]
    source: str


class Masking(toml.TomlTable, frozen=True):
    classes: tuple[str, ...]
    after: str
    source: str


class DerivedRules(toml.TomlTable, frozen=True):
    """The numbers of `derived.toml`."""

    vasopressors: Vasopressors
    oxygen: Oxygen
    fever_masked: tuple[Masking, ...]


def rules() -> DerivedRules:
    """Return the shipped rules."""
    return toml.load(FILE, DerivedRules)


class Values(Mapping[str, Given]):
    """Values by variable, each read or worked out when first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Given]]) -> None:
        self._makers = makers
        self._made: dict[str, Given] = {}

    def __getitem__(self, name: str) -> Given:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def values(chunk: PatientData, clock: Clock) -> Values:
    """Return everything that a definition may read of a chunk, on one clock."""
    makers: dict[str, Callable[[], Given]] = {
        variable.name: partial(chunk.events.points, variable.name, clock)
        for variable in chunk.vocabulary.variables
    }
    makers |= {
        "immunosuppression": lambda: chunk.immunosuppressed,
        "age": lambda: age(chunk),
        "vasopressors": lambda: vasopressors(chunk),
        "vasopressin_running": lambda: running(chunk, (rules().vasopressors.apart,)),
        "oxygen_support": lambda: oxygen_support(chunk, clock),
        "fever_masked": lambda: fever_masked(chunk),
        "pt_prolongation": partial(beyond_limit, chunk, "pt", clock, np.subtract),
    }
    for name in ("ast", "alt", "ferritin", "d_dimer"):
        makers[f"{name}_uln"] = partial(beyond_limit, chunk, name, clock, np.divide)
    return Values(makers)


def beyond_limit(chunk: PatientData, variable: str, clock: Clock, compared: np.ufunc) -> Points:
    """Return draws compared with the upper limit that their own row prints; others are left out."""
    events = chunk.events
    rows = events.frame.take(
        np.flatnonzero(events.frame["variable"] == chunk.vocabulary.code(variable))
    )
    rows = rows.take(rows["ref_high"] > 0)
    limit = rows["ref_high"]
    return Points.build(
        rows["person"],
        rows["time" if clock == "drawn" else "available"],
        rounded(compared(rows["low"], limit)),
        rounded(compared(rows["high"], limit)),
        rows["row"],
        drawn=rows["time"] if clock == "available" else None,
    )


def age(chunk: PatientData) -> Timeline:
    """Age over time, as long as there are records."""
    first, last = _seen(chunk)
    return age_over_time(chunk.records.persons, first, last)


def _seen(chunk: PatientData) -> tuple[Times, Times]:
    """The first and the last moment of each person's records."""
    first, last = np.full(len(chunk), FAR_FUTURE), chunk.ended + BEYOND
    for table, column in ((chunk.events.frame, "time"), (chunk.doses.frame, "start")):
        known = table[column] != UNKNOWN_TIME
        np.minimum.at(first, table["person"][known], table[column][known])
        np.maximum.at(last, table["person"][known], table[column][known] + BEYOND)
    return first, last


def recorded(chunk: PatientData) -> Intervals:
    """Return the hospital stays for which administrations are recorded at all."""
    inside, given = admissions(chunk.records), chunk.doses.frame
    timed = given["start"] != UNKNOWN_TIME
    person, start = given["person"][timed], given["start"][timed]
    _, stay = inside.overlaps(person, start, start + 1)
    return inside.take(np.unique(stay))


def vasopressors(chunk: PatientData) -> Timeline:
    """How many different vasopressors are infused at once, the one that is counted apart not among them."""
    rule = rules().vasopressors
    names = chunk.vocabulary.drugs_of_class(rule.drug_class)
    return running(chunk, tuple(name for name in names if name != rule.apart))


def running(chunk: PatientData, drugs: tuple[str, ...]) -> Timeline:
    """How many of some drugs are infused into a vein at each moment."""
    frame = chunk.doses.frame
    # Rows of administrations follow those of measurements and findings (`Events.source_row`).
    behind = chunk.events.given_from
    each = [_standing(recorded(chunk), 0.0)]
    for drug in drugs:
        rows = chunk.doses.exposed(drug, IN_A_VEIN)
        rows = rows[~frame["single"][rows] & (frame["until"][rows] > frame["start"][rows])]
        known = overlay(
            frame["person"][rows],
            frame["start"][rows],
            frame["until"][rows],
            np.ones(len(rows)),
            frame["row"][rows] + behind,
        )
        each.append(known.map(lambda low, _: (np.minimum(low, 1.0),) * 2))  # two pumps, one drug
    return combine(_added, *each)


def _added(*pairs: Pair) -> Pair:
    """The sum of what is known: a drug that is not recorded beside others does not run."""
    known: Floats = np.sum([np.where(low == -np.inf, 0.0, low) for low, _ in pairs], axis=0)
    return known, known


def fever_masked(chunk: PatientData) -> Timeline:
    """1 while something that hides a fever acts, 0 while nothing of it was given."""
    acting = Intervals.empty()
    for rule in rules().fever_masked:
        given = chunk.doses.given(*chunk.vocabulary.drugs_of_class(*rule.classes))
        until = given.end + span(rule.after)
        acting = acting.union(Intervals.build(given.person, given.start, until))
    return combine(either, _standing(acting, 1.0), _standing(recorded(chunk), 0.0))


def oxygen_support(chunk: PatientData, clock: Clock) -> Timeline:
    """0 none, 1 low flow, 2 high flow or mask, 3 positive pressure: the highest that is recorded."""
    rule = rules().oxygen
    holds = span(rule.holds)
    flow = chunk.events.points("oxygen_flow", clock).hold(holds)

    def level(low: Floats, high: Floats) -> Pair:
        found = [
            np.where(x > rule.low_flow_upto, 2.0, np.where(x > 0, 1.0, 0.0)) for x in (low, high)
        ]
        return found[0], found[1]

    sources = [flow.map(level)]
    for finding, reached in (
        ("room_air", 0.0),
        ("oxygen_low_flow", 1.0),
        ("oxygen_high_flow", 2.0),
    ):
        said = chunk.events.points(finding, clock).where(lambda low, _: low > 0)
        sources.append(said.map(partial(_times, reached)).hold(holds))
    ran = organ_support.running(chunk.records, chunk.vocabulary)
    for name in rule.positive_pressure:
        sources.append(_standing(ran.get(name, Intervals.empty()), 3.0))
    return combine(_highest, *sources)


def _times(factor: float, low: Floats, _: Floats) -> Pair:
    return low * factor, low * factor


def _highest(*pairs: Pair) -> Pair:
    """The highest of what is known; what is not recorded beside it was not there."""
    low = np.maximum.reduce([each for each, _ in pairs])
    return low, np.maximum.reduce(
        [np.where(least == -np.inf, -np.inf, most) for least, most in pairs]
    )


def _standing(when: Intervals, value: float) -> Timeline:
    return Timeline.build(when.person, when.start, when.end, np.full(len(when), value))
