"""The same rule among those in the same records who did not get the drug.

A marker that is measured because it is high falls afterwards in many patients without any drug, so a
response means little without the rate among others beside it. The index of the others is drawn by the
protocol's own definition of a storm, by the draws; where they are few, also by the level of a marker alone.
Nothing is tested: the groups differ in more than the drug.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.cohort.storm import Storms
from becalm.core import stats, toml
from becalm.core.arrays import FAR_PAST, Floats, Mask, Persons, Texts, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.response import ratios
from becalm.measures.response.primary import at_48_h
from becalm.measures.response.questions import CLOCKS, Questions
from becalm.measures.response.table import gone_before, source_rows
from becalm.measures.stage import Pooled, Stage, StageInput
from becalm.persons import diagnoses
from becalm.persons.death import Deaths
from becalm.persons.stays import discharges
from becalm.protocol import Protocol
from becalm.tables import UNTREATED, WITHOUT_DRUG
from becalm.timeline import nearest
from becalm.timeline.nearest import Draws

FILE: Final = Path(__file__).with_suffix(".toml")
STORM: Final = "storm"
PRIMARY: Final = "primary"
WITH: Final = "with the drug"
WITHOUT: Final = "without the drug"
AROUND: Final = (3 * DAY, 2 * DAY)
"""Around an index, other immunotherapies are named: before and after, as the protocols' confounders."""
_WORDS: Final = {
    "responded": "yes",
    "did not respond": "no",
    "fell": "yes",
    "at least": "yes",
    "did not fall": "no",
    "both censored": "open",
}


class Level(toml.TomlTable, frozen=True):
    """The level of a marker that draws an index."""

    variable: str
    at_least: float
    source: str


class Elsewhere(toml.TomlTable, frozen=True):
    """How often a marker fell in other records without the drug."""

    variable: str
    at_least: float
    fell: int
    of: int
    source: str
    verified: bool


class Here(toml.TomlTable, frozen=True):
    """From how many persons on the definition alone draws the index."""

    fewest: int
    source: str


class BackgroundFile(toml.TomlTable, frozen=True):
    """The file `background.toml`."""

    here: Here
    level: tuple[Level, ...]
    elsewhere: tuple[Elsewhere, ...]


def file() -> BackgroundFile:
    """Return the shipped levels and rates."""
    return toml.load(FILE, BackgroundFile)


def index_name(level: Level) -> str:
    """Return what `index_by` calls a level: `ast 100`.

    >>> index_name(Level(variable="ast", at_least=100.0, source=""))
    'ast 100'
    """
    return f"{level.variable} {level.at_least:g}"


def few(without_drug: Frame) -> bool:
    """Whether fewer than `fewest` without the drug have a known response from the same storm."""
    mine = (without_drug["group"] == WITHOUT) & (without_drug["index_by"] == STORM)
    known = without_drug["known"][mine & (without_drug["rule"] == PRIMARY)]
    return int(known.sum()) < file().here.fewest


def measure(given: StageInput) -> Frame:
    """Fill the table `untreated`; empty for a protocol without a drug of interest."""
    if given.protocol.entry is None:
        return UNTREATED.empty()
    others = _others(given)
    frames = [UNTREATED.empty(), _by_storm(given, others)]
    frames += [_by_level(given, others, level) for level in file().level]
    return Frame.concat(frames).sort(*UNTREATED.key)


def _others(given: StageInput) -> Mask:
    """Return who of the population never got the drug by any route, as far as the records say."""
    assert given.protocol.entry is not None
    doses, drug = given.patients.doses, given.protocol.entry.drug
    others = given.candidates.population.copy()
    frame = doses.frame
    if drug in doses.drugs:
        mine = frame["drug_code"] == doses.drugs.index(drug)
        others[frame["person"][mine & (frame["exposed"] | frame["untimed"])]] = False
    return others


def _excluded(given: StageInput, index: Times) -> Mask:
    """Return who has a condition for which the protocol excludes, by the index."""
    out = np.zeros(len(given.patients), np.bool_)
    for condition in given.protocol.exclude.conditions:
        out |= diagnoses.excluded_by(given.patients.diagnosed, condition, index)
    return out


def _by_storm(given: StageInput, others: Mask) -> Frame:
    """Return the rule among those whose storm was definite or possible by the draws, from its first moment."""
    who = np.flatnonzero(others).astype(np.int32)
    ended = given.patients.ended
    who = who[ended[who] != UNKNOWN_TIME]
    if not len(who):
        return UNTREATED.empty()
    storms = Storms(given.evaluations, given.protocol, given.candidates.underlying)
    judged = storms.judge(who, np.full(len(who), FAR_PAST), ended[who])
    stormy = (judged.definite | judged.possible) & (judged.onset != UNKNOWN_TIME)
    person, index = who[stormy], judged.onset[stormy]
    everybody = np.full(len(given.patients), UNKNOWN_TIME)
    everybody[person] = index
    kept = ~_excluded(given, everybody)[person]
    person, index = person[kept], index[kept]
    asked = _questions(given, person, index)
    events, protocol = given.patients.events, given.protocol
    compared, answer, _ = at_48_h(asked, events, protocol)
    frames = []
    if protocol.response.primary:
        ferritin = protocol.response.primary[0]
        draws = _around(given, asked, ferritin)
        frames.append(_rows(given, asked, STORM, PRIMARY, answer, draws=draws))
        known = compared[ferritin]
        for share in protocol.response.graded_falls:
            sure, possible = known.at_most(1 - share)
            told = np.select([~known.measured, sure, ~possible], ["no sample", "yes", "no"], "open")
            frames.append(
                _rows(
                    given,
                    asked,
                    STORM,
                    f"fall_{round(100 * share)}",
                    told.astype(object),
                    draws=draws,
                )
            )
    for variable in protocol.response.variables:
        draws = _around(given, asked, variable)
        status = ratios.Compared.of(*draws).status()
        frames.append(_rows(given, asked, STORM, variable, status, draws=draws))
    return Frame.concat(frames)


def _by_level(given: StageInput, others: Mask, level: Level) -> Frame:
    """Return who fell after the first value at or above a level; that value is the baseline."""
    points = given.patients.events.points(level.variable)
    reached = points.take(np.flatnonzero(others[points.person] & (points.low >= level.at_least)))
    _, first = np.unique(reached.person, return_index=True)
    start = reached.take(first)
    index = np.full(len(given.patients), UNKNOWN_TIME)
    index[start.person] = start.time
    start = start.take(np.flatnonzero(~_excluded(given, index)[start.person]))
    asked = _questions(given, start.person, start.time)
    at_index = nearest.within(points, start.person, start.time, start.time)
    later = ratios.at_horizon(points, asked, given.protocol.horizons["h48"])
    draws = nearest.last(points, *at_index), later
    status = ratios.Compared.of(*draws).status()
    return _rows(given, asked, index_name(level), level.variable, status, draws=draws)


def _questions(given: StageInput, person: Persons, index: Times) -> Questions:
    """Return the questions of the response for persons outside the cohort, at their index."""
    records = given.patients.records
    frame = Frame(
        {
            "person": person,
            "person_id": records.persons["person_id"][person],
            "discharge": discharges(records, person, index),
        }
    )
    at = np.arange(len(person), dtype=np.intp)
    return Questions(frame, at, np.full(len(person), CLOCKS[0], object), index.astype(np.int64))


def _around(given: StageInput, asked: Questions, variable: str) -> tuple[Draws, Draws]:
    points = given.patients.events.points(variable)
    before = ratios.baseline(points, asked, variable, given.protocol)
    return before, ratios.at_horizon(points, asked, given.protocol.horizons["h48"])


def _rows(
    given: StageInput,
    asked: Questions,
    index_by: str,
    rule: str,
    status: Texts,
    *,
    draws: tuple[Draws, Draws],
) -> Frame:
    """Return one row a person: a death before 48 h stays one whatever was measured."""
    patients, person, count = given.patients, asked.person, len(asked)
    moment = asked.time + round(given.protocol.horizons["h48"].at * HOUR)
    gone = gone_before(asked, patients.records, moment)
    result = np.array([_WORDS.get(word, word) or "no sample" for word in status], object)
    absent = result == "no sample"
    result[absent & (gone != "")] = gone[absent & (gone != "")]
    if rule == PRIMARY:
        result[gone == "died before"] = "died before"
    others = [drug.name for drug in patients.vocabulary.drugs if drug.immunotherapy]
    when = patients.doses.exposure(*others)
    treated = np.zeros(count, np.bool_)
    treated[when.overlaps(person, asked.time - AROUND[0], asked.time + AROUND[1] + 1)[0]] = True
    died = np.full(count, None, dtype=object)
    died[Deaths.of(patients.records).died[person]] = True
    known = len(patients.records.administrations) > 0
    low = draws[0].low
    return Frame.of(
        UNTREATED,
        person_id=asked.column("person_id"),
        index_by=np.full(count, index_by, object),
        rule=np.full(count, rule, object),
        index_drawn=asked.time,
        result=result,
        value_at_index=np.where(draws[0].found & np.isfinite(low), low, np.nan),
        age=given.candidates.age[person],
        sex=patients.records.persons["sex"][person],
        died=died,
        immunotherapy=treated.astype(object) if known else np.full(count, None, object),
        source_row=source_rows(patients.events, draws),
    )


@dataclass(frozen=True)
class Group:
    """The persons of one row of `without_drug`."""

    group: str
    index_by: str
    rule: str
    result: Texts
    baseline: Floats
    age: Floats
    sex: Texts
    died: Texts
    immunotherapy: Texts | None

    def row(self) -> dict[str, Any]:
        """Return the row. A death before 48 h is a no of the primary rule, as in the cohort."""
        told = self.result
        yes, no = int((told == "yes").sum()), int((told == "no").sum())
        before = int((told == "died before").sum())
        known = yes + no + (before if self.rule == PRIMARY else 0)
        low, high = stats.proportion(yes, known) or (np.nan, np.nan)
        finite = self.baseline[np.isfinite(self.baseline)]
        ages = self.age[self.age >= 0]
        return {
            "group": self.group,
            "index_by": self.index_by,
            "rule": self.rule,
            "with_index": len(told),
            "known": known,
            "yes": yes,
            "share": yes / known if known else np.nan,
            "share_low": low,
            "share_high": high,
            "no_sample": int(np.isin(told, ["no sample", "open"]).sum()),
            "died_before": before,
            "discharged_before": int((told == "discharged before").sum()),
            "women": int((self.sex == "F").sum()),
            "died_persons": int((self.died == np.True_).sum()),
            "with_immunotherapy": -1
            if self.immunotherapy is None
            else int((self.immunotherapy == np.True_).sum()),
            "age_median": float(np.median(ages)) if len(ages) else np.nan,
            "baseline_median": float(np.median(finite))
            if len(finite) and self.rule != PRIMARY
            else np.nan,
        }


def without_drug(tables: Mapping[str, Frame], protocol: Protocol) -> Frame:
    """Fill the table `without_drug` from those without the drug, and from the cohort itself."""
    if protocol.entry is None:
        return WITHOUT_DRUG.empty()
    groups = [*_untreated(tables["untreated"]), *_treated(tables, protocol)]
    return Frame.of_rows(WITHOUT_DRUG, [group.row() for group in groups])


def _untreated(table: Frame) -> Iterator[Group]:
    columns = (table["index_by"].tolist(), table["rule"].tolist())
    for index_by, rule in sorted(set(zip(*columns, strict=True))):
        mine = table.take((table["index_by"] == index_by) & (table["rule"] == rule))
        yield Group(
            WITHOUT, index_by, rule, mine["result"], mine["value_at_index"], mine["age"].astype(float),
            mine["sex"], mine["died"], mine["immunotherapy"],
        )  # fmt: skip


def _treated(tables: Mapping[str, Frame], protocol: Protocol) -> Iterator[Group]:
    """Yield the cohort's own results on each clock, from `primary` and `response`."""
    persons, outcome = tables["persons"], tables["outcome"]
    row = {name: i for i, name in enumerate(persons["person_id"].tolist())}
    died_of = dict(zip(outcome["person_id"].tolist(), outcome["died"].tolist(), strict=True))

    def group(clock: str, rule: str, who: Texts, result: Texts, baseline: Floats) -> Group:
        at = np.array([row[name] for name in who.tolist()], np.intp)
        died = np.array([died_of.get(name) for name in who.tolist()], object)
        ages = persons["age"][at].astype(float)
        return Group(WITH, clock, rule, result, baseline, ages, persons["sex"][at], died, None)

    primary, response = tables["primary"], tables["response"]
    for clock in dict.fromkeys(primary["clock"].tolist()):
        mine = primary.take((primary["clock"] == clock) & np.isin(primary["response"], _ANALYSED))
        blank = np.full(len(mine), np.nan)
        words = np.array([_WORDS.get(word, word) for word in mine["response"]], object)
        yield group(clock, PRIMARY, mine["person_id"], words, blank)
        for share in protocol.response.graded_falls:
            name = f"fall_{round(100 * share)}"
            if name in mine.columns:
                said = {True: "yes", False: "no", None: "no sample"}
                told = np.array([said[each] for each in mine[name].tolist()], object)
                yield group(clock, name, mine["person_id"], told, blank)
        for variable in protocol.response.variables:
            of = response.take((response["clock"] == clock) & (response["variable"] == variable))
            words = np.array([_WORDS.get(word, word) for word in of["status"]], object)
            yield group(clock, variable, of["person_id"], words, of["baseline"])


_ANALYSED: Final = [
    "responded", "did not respond", "no sample", "died before", "discharged before",
]  # fmt: skip
STAGES: Final = (Stage(UNTREATED, measure, over="population", opens=()),)
POOLED: Final = (Pooled(WITHOUT_DRUG, without_drug, needs=("untreated", "persons", "primary", "response", "outcome")),)  # fmt: skip
