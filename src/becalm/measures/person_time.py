"""Time at risk of a new bacterial infection by the dose before it.

The authors of the first series asked whether a longer time at a high dose brings infections. A patient
can only reach a long time by living that long, so time is never given to a dose before it was reached
(immortal time): each stretch of time belongs to the dose that had been given when it began. Time ends at the first
sample that may show an infection, too: nobody knows whether it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Mask, Persons, Texts, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.dose_history import METRICS, UNKNOWN_BAND, DoseHistory, decoded, labels
from becalm.measures.infection_at_death import MAY_BE, both
from becalm.measures.stage import Stage, StageInput
from becalm.protocol import PersonTime
from becalm.tables import PERSON_TIME
from becalm.timeline import Cumulative, Intervals

INFECTION: Final = "bacterial infection"
POSSIBLE: Final = "possible infection"
DEATH: Final = "death"
DISCHARGE: Final = "discharge"
LAST_DOSE: Final = "last dose"
RECORDS: Final = "end of records"
UNKNOWN_INFECTION: Final = -1
ENDS: Final = (INFECTION, POSSIBLE, DEATH, DISCHARGE, LAST_DOSE, RECORDS)
"""What can end the time at risk; of several at one moment the first of this list."""


@dataclass(frozen=True, eq=False)
class Risk:
    """The time at risk of each person.

    person : int32[n], positions in the batch, ascending. t0, start and end : int64[n] in µs; a person
    whose time would end before it begins has none (`begun` is False). ended_by : words of `ENDS`.
    """

    person: Persons
    t0: Times
    start: Times
    end: Times
    ended_by: Texts

    @classmethod
    def of(cls, person: Persons, t0: Times, rule: PersonTime, ends: dict[str, Times]) -> Risk:
        """Return the time from `rule.from_t0` after t0 to the first of the ends.

        ends : for words of `ENDS`, when each comes; `UNKNOWN_TIME` where it does not. An infection
        before the risk begins is no event: that time is left out together with its infections.
        """
        start = t0 + rule.from_t0.us
        moments = np.full((len(ENDS), len(person)), FAR_FUTURE)
        for i, name in enumerate(ENDS):
            moment = ends.get(name, np.full(len(person), UNKNOWN_TIME))
            moments[i] = np.where(moment == UNKNOWN_TIME, FAR_FUTURE, moment)
        first = np.argmin(moments, axis=0)
        end = moments[first, np.arange(len(person))]
        why = np.array(ENDS, dtype=object)[first]
        return cls(person, t0, start, np.where(end == FAR_FUTURE, start, end), why)

    @property
    def begun(self) -> Mask:
        """Whether a person has time at risk at all."""
        began: Mask = self.end > self.start
        return began

    @property
    def intervals(self) -> Intervals:
        """The time at risk of those who have any."""
        at = np.flatnonzero(self.begun)
        return Intervals(self.person[at], self.start[at], self.end[at])


def counting_process(risk: Risk, history: DoseHistory | None, rule: PersonTime) -> Frame:
    """Return the rows of `person_time` without ids and days: columns `person` and the table's own.

    One row for each stretch in which no band changes, for each lag. A stretch is (start, stop]; the event
    that ends the time at risk belongs to the last. Without a history there is one stretch a person.
    """
    frames = [Frame.of({**PERSON_TIME, "person": "code"})]
    place = np.full(int(max([*risk.person[-1:], -1])) + 1, -1)
    place[risk.person] = np.arange(len(risk.person))
    during = risk.intervals
    for us in [lag.us for lag in rule.lags] if history else [0]:
        if history is None:
            who, start, stop = during.person, during.start, during.end
            bands = {
                name: np.full(len(who), "all" if name == METRICS[0] else "", object)
                for name in METRICS
            }
            numbers = {name: np.full(len(who), np.nan) for name in METRICS}
        else:
            line = history.codes(during, us)
            who, start, stop = line.person, line.start, line.end
            codes = decoded(line.low)
            bands = {name: named(rule, name)[codes[name]] for name in METRICS}
            numbers = history.values(who, start, us)
        at = place[who]
        last = stop == risk.end[at]
        why = np.where(last, risk.ended_by[at], "")
        frames.append(
            Frame.of(
                {**PERSON_TIME, "person": "code"},
                person=who,
                lag_h=np.full(len(who), us / HOUR),
                start=start,
                stop=stop,
                start_h=(start - risk.t0[at]) / HOUR,
                stop_h=(stop - risk.t0[at]) / HOUR,
                days=(stop - start) / DAY,
                **{f"{name}_band": bands[name] for name in METRICS},
                **numbers,
                infected=answer(why),
                ended_by=why,
            )
        )
    return Frame.concat(frames)


def answer(why: Texts) -> Times:
    """Return whether an infection ended each stretch: 1, 0, or -1 where nobody knows."""
    told = np.where(why == POSSIBLE, UNKNOWN_INFECTION, why == INFECTION)
    return told.astype(np.int64)


def named(rule: PersonTime, metric: str) -> Texts:
    """Return the names of the bands of a measure of dose at their numbers, and `unknown`."""
    names = labels(bands_of(rule)[metric])
    told = np.full(UNKNOWN_BAND + 1, "", object)
    told[: len(names)] = names
    told[UNKNOWN_BAND] = "unknown"
    return told


def bands_of(rule: PersonTime) -> dict[str, tuple[float, ...]]:
    """Return the edges of the bands of each measure of dose."""
    return {
        "dose_24h": rule.bands_24h,
        "days_high": rule.bands_days_high,
        "cumulative": rule.bands_cumulative,
    }


def at_risk(given: StageInput) -> Risk | None:
    """Return the time at risk of each patient of the cohort; None where the protocol asks for none."""
    rule, cohort = given.protocol.person_time, given.cohort
    if rule is None:
        return None
    known = cohort.take(cohort["t0"] != UNKNOWN_TIME)
    known = known.take(np.argsort(known["person"], kind="stable"))
    outcome = given.tables["outcome"]
    row = dict(zip(outcome["person_id"].tolist(), range(len(outcome)), strict=True))
    at = np.array([row[name] for name in known["person_id"].tolist()], np.intp)
    died = outcome["died"][at] == np.True_
    contact, left = outcome["last_contact"][at], outcome["discharged"][at]
    growth = first_growth(given.tables["infections"], known, rule)
    ends = {
        INFECTION: growth.certain,
        POSSIBLE: np.where(never_looked(given)[known["person"]], UNKNOWN_TIME, growth.possible),
        DEATH: np.where(died, contact, UNKNOWN_TIME),
        DISCHARGE: left,
        RECORDS: np.where(died, UNKNOWN_TIME, contact),
    }
    if given.protocol.entry is not None and rule.after_last_dose is not None:
        doses = given.patients.doses.exposure(given.protocol.entry.drug)
        latest = np.full(len(given.patients), UNKNOWN_TIME)
        np.maximum.at(latest, doses.person, doses.end)
        ended = latest[known["person"]]
        after = ended + rule.after_last_dose.us
        ends[LAST_DOSE] = np.where(ended == UNKNOWN_TIME, UNKNOWN_TIME, after)
    return Risk.of(known["person"], known["t0"], rule, ends)


@dataclass(frozen=True, eq=False)
class FirstGrowth:
    """The first new bacterial infection of each person after the begin of the risk, and what may be one.

    certain, possible : int64[n] in µs. unknown : whether what may be one may have come before the risk began.
    """

    certain: Times
    possible: Times
    unknown: Mask


def first_growth(infections: Frame, cohort: Frame, rule: PersonTime) -> FirstGrowth:
    """Return the first new bacterial infections of each row of a cohort, and the first samples that may be one.

    A sample may be one where nobody knows its result, its organism, whether it counts, or whether it was new.
    """
    place = dict(zip(cohort["person_id"].tolist(), range(len(cohort)), strict=True))
    certain, possible = np.full(len(cohort), FAR_FUTURE), np.full(len(cohort), FAR_FUTURE)
    unknown = np.zeros(len(cohort), np.bool_)
    for row in infections.rows():
        at = place.get(row["person_id"])
        new = both(row["counts"], row["new_onset"])
        if at is None or new is False or row["class"] not in MAY_BE:
            continue
        if cohort["t0"][at] == UNKNOWN_TIME:
            continue
        onset, begin = row["onset"], cohort["t0"][at] + rule.from_t0.us
        latest = onset + DAY - 1 if row["onset_is"] == "date" else onset
        if onset == UNKNOWN_TIME or onset <= begin < latest:
            unknown[at] = True
        elif onset > begin and new:
            certain[at] = min(certain[at], onset)
        elif onset > begin:
            possible[at] = min(possible[at], onset)
    for moments in (certain, possible):
        moments[moments == FAR_FUTURE] = UNKNOWN_TIME
    return FirstGrowth(certain, possible, unknown)


def never_looked(given: StageInput) -> Mask:
    """Return of each person of the batch whether no sample for culture has a result from time zero on.

    Whether such a person had an infection is not known: the time is no time without one.
    """
    outcome, cohort = given.tables["outcome"], given.cohort
    none = set(outcome["person_id"][outcome["cultures_taken"] <= 0].tolist())
    found = np.zeros(len(given.patients), np.bool_)
    found[cohort["person"]] = [name in none for name in cohort["person_id"].tolist()]
    return found


def unknown_throughout(given: StageInput, rule: PersonTime, infected: Persons) -> Mask:
    """Return of each person of the batch whether nobody knows of an infection in all the time at risk.

    Nobody looked, and no infection was found (`infected`: in whom one was); or what may be one may have come before
    the risk began.
    """
    found = never_looked(given)
    found[infected] = False
    growth = first_growth(given.tables["infections"], given.cohort, rule)
    found[given.cohort["person"][growth.unknown]] = True
    return found


def history_of(given: StageInput) -> DoseHistory | None:
    """Return what the cohort had been given of the drug of interest; None without such a drug."""
    rule, entry = given.protocol.person_time, given.protocol.entry
    if rule is None or entry is None:
        return None
    cohort, doses = given.cohort, given.patients.doses
    known = cohort.take(cohort["t0"] != UNKNOWN_TIME)
    known = known.take(np.argsort(known["person"], kind="stable"))
    amounts, unknown = doses.amounts(entry.drug), doses.unknown(entry.drug)
    inside = np.isin(amounts.person, known["person"])
    mine = Cumulative(
        amounts.person[inside], amounts.time[inside], amounts.total[inside], amounts.rate[inside]
    )
    # A dose at a time that nobody knows may have been before any moment.
    untimed = np.unique(doses.frame["person"][doses.untimed(entry.drug)])
    untimed = untimed[np.isin(untimed, known["person"])]
    hidden = unknown.take(np.isin(unknown.person, known["person"])).union(
        Intervals.build(
            untimed, np.full(len(untimed), -FAR_FUTURE), np.full(len(untimed), FAR_FUTURE)
        )
    )
    return DoseHistory(known["person"], known["t0"], mine, hidden, rule)


def measure(given: StageInput) -> Frame:
    """Fill the table `person_time`."""
    risk, rule = at_risk(given), given.protocol.person_time
    if risk is None or rule is None:
        return PERSON_TIME.empty()
    frame = counting_process(risk, history_of(given), rule)
    doses, entry = given.patients.doses, given.protocol.entry
    unit = doses.unit(entry.drug) if entry else ""
    names = given.patients.records.persons["person_id"]
    open_ = unknown_throughout(given, rule, frame["person"][frame["infected"] > 0])
    frame = frame.replace(
        person_id=names[frame["person"]],
        infected=np.where(open_[frame["person"]], UNKNOWN_INFECTION, frame["infected"]),
        days=doses.hours(frame["start"], frame["stop"]) / 24,
        unit_canonical=np.full(len(frame), unit, object),
    )
    return Frame({name: frame[name] for name in PERSON_TIME}).sort("person_id", "lag_h", "start")


STAGES: Final = (Stage(PERSON_TIME, measure, needs=("infections", "outcome"), opens=()),)
