"""Values that no single row contains: age, organ support, multiples of an upper limit.

They are computed from several rows when a definition needs them; the numbers are in
`derived.toml`. While a person is in hospital and administrations are recorded for the stay, a drug
without a row was not administered; at other times this is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, Floats, Pair, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, Length
from becalm.definitions.evaluation import Clock, Given
from becalm.events import by_draw, by_report, draw_states
from becalm.patients import organ_support
from becalm.patients.data import PatientData
from becalm.persons.age import age_over_time
from becalm.persons.stays import admissions
from becalm.timeline import Intervals, Points, Timeline, combine, either, overlay, rounded
from becalm.vocabulary import reports

FILE: Final = Path(__file__).with_suffix(".toml")
BEYOND: Final = 90 * DAY
"""For how long after the last record the age is still known."""
IN_A_VEIN: Final = ("IV", "")


class Vasopressors(toml.TomlTable, frozen=True, rename={"drug_class": "class"}):
    drug_class: str
    apart: str
    source: str


class Oxygen(toml.TomlTable, frozen=True):
    low_flow_upto: float
    holds: Length
    positive_pressure: tuple[str, ...]
    source: str


class Masking(toml.TomlTable, frozen=True):
    """What hides a fever, for how long after its end: classes of drugs, or drugs by their names."""

    after: Length
    source: str
    classes: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()


class DerivedRules(toml.TomlTable, frozen=True):
    """The numbers of `derived.toml`."""

    vasopressors: Vasopressors
    oxygen: Oxygen
    fever_masked: tuple[Masking, ...]


def rules() -> DerivedRules:
    """Return the shipped rules."""
    return toml.load(FILE, DerivedRules)


class Values(Mapping[str, Given]):
    """Values by variable; each is read or computed when it is first needed."""

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
    """Return all values that a definition may read of a chunk, on one clock."""
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
    """Return draws compared with the upper limit in their own row; draws without one are left out."""
    rows = chunk.events.reported(chunk.vocabulary.code(variable))
    limited = rows["ref_high"] > 0
    limit = np.where(limited, rows["ref_high"], 1.0)
    low, high = (rounded(compared(rows[bound], limit)) for bound in ("low", "high"))
    # A correction without a limit still takes its earlier report back.
    kept = limited | (rows["report"] == reports.CORRECTS)
    of = draw_states(
        rows.take(kept),
        np.where(limited, low, -np.inf)[kept],
        np.where(limited, high, np.inf)[kept],
    )
    return by_draw(of) if clock == "drawn" else by_report(of)


def age(chunk: PatientData) -> Timeline:
    """Age over time, as long as there are records."""
    first, last = _seen(chunk)
    return age_over_time(chunk.records.persons, first, last)


def _seen(chunk: PatientData) -> tuple[Times, Times]:
    """Return the first and the last moment of each person's records."""
    first, last = np.full(len(chunk), FAR_FUTURE), chunk.ended + BEYOND
    for table, column in ((chunk.events.frame, "time"), (chunk.doses.frame, "start")):
        known = table[column] != UNKNOWN_TIME
        np.minimum.at(first, table["person"][known], table[column][known])
        np.maximum.at(last, table["person"][known], table[column][known] + BEYOND)
    return first, last


def recorded(chunk: PatientData) -> Intervals:
    """Return the hospital stays with at least one recorded administration."""
    inside, doses = admissions(chunk.records), chunk.doses.frame
    timed = doses["start"] != UNKNOWN_TIME
    person, start = doses["person"][timed], doses["start"][timed]
    _, stay = inside.overlaps(person, start, start + 1)
    return inside.take(np.unique(stay))


def vasopressors(chunk: PatientData) -> Timeline:
    """Return the number of different vasopressors infused at once, without the one counted separately."""
    rule = rules().vasopressors
    names = chunk.vocabulary.drugs_of_class(rule.drug_class)
    return running(chunk, tuple(name for name in names if name != rule.apart))


def running(chunk: PatientData, drugs: tuple[str, ...]) -> Timeline:
    """Return how many of `drugs` are infused into a vein at each moment."""
    frame = chunk.doses.frame
    # Rows of administrations follow those of measurements and findings (`Events.source_row`).
    first_row = chunk.events.administrations_from
    each = [_standing(recorded(chunk), 0.0)]
    for drug in drugs:
        rows = chunk.doses.exposed(drug, IN_A_VEIN)
        rows = rows[~frame["single"][rows] & (frame["until"][rows] > frame["start"][rows])]
        known = overlay(
            frame["person"][rows],
            frame["start"][rows],
            frame["until"][rows],
            np.ones(len(rows)),
            frame["row"][rows] + first_row,
        )
        each.append(known.map(lambda low, _: (np.minimum(low, 1.0),) * 2))  # two pumps, one drug
    return combine(_added, *each)


def _added(*pairs: Pair) -> Pair:
    """Return the sum of the known numbers; a drug without a record does not run."""
    known: Floats = np.sum([np.where(low == -np.inf, 0.0, low) for low, _ in pairs], axis=0)
    return known, known


def fever_masked(chunk: PatientData) -> Timeline:
    """Return 1 while a drug that hides fever acts, 0 while none was administered."""
    acting = Intervals.empty()
    maskings = rules().fever_masked
    named = {drug for rule in maskings for drug in rule.drugs}
    for rule in maskings:
        others = set(chunk.vocabulary.drugs_of_class(*rule.classes)) - named
        exposure = chunk.doses.exposure(*rule.drugs, *sorted(others))
        until = exposure.end + rule.after.us
        acting = acting.union(Intervals.build(exposure.person, exposure.start, until))
    return combine(either, _standing(acting, 1.0), _standing(recorded(chunk), 0.0))


def oxygen_support(chunk: PatientData, clock: Clock) -> Timeline:
    """Return the highest recorded support: 0 none, 1 low flow, 2 high flow or mask, 3 positive pressure."""
    rule = rules().oxygen
    holds = rule.holds.us
    flow = chunk.events.points("oxygen_flow", clock).hold(holds)

    def level(low: Floats, high: Floats) -> Pair:
        levels = [
            np.where(x > rule.low_flow_upto, 2.0, np.where(x > 0, 1.0, 0.0)) for x in (low, high)
        ]
        return levels[0], levels[1]

    sources = [flow.map(level)]
    for finding, reached in (
        ("room_air", 0.0),
        ("oxygen_low_flow", 1.0),
        ("oxygen_high_flow", 2.0),
    ):
        present = chunk.events.points(finding, clock).where(lambda low, _: low > 0)
        sources.append(present.map(partial(_times, reached)).hold(holds))
    ran = organ_support.running(chunk.records, chunk.vocabulary)
    for name in rule.positive_pressure:
        sources.append(_standing(ran.get(name, Intervals.empty()), 3.0))
    return combine(_highest, *sources)


def _times(factor: float, low: Floats, _: Floats) -> Pair:
    return low * factor, low * factor


def _highest(*pairs: Pair) -> Pair:
    """Return the highest known level; support without a record was not used."""
    low = np.maximum.reduce([each for each, _ in pairs])
    return low, np.maximum.reduce(
        [np.where(least == -np.inf, -np.inf, most) for least, most in pairs]
    )


def _standing(when: Intervals, value: float) -> Timeline:
    return Timeline.build(when.person, when.start, when.end, np.full(len(when), value))
