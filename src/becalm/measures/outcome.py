"""Outcome: follow-up, death, and maintenance treatment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from becalm.cohort.storm import Storms
from becalm.core import toml
from becalm.core.arrays import Floats, Mask, Texts, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.doses import CONTINUOUS, Doses, EpisodeRules, treatments
from becalm.measures.infection_at_death import INFECTION, with_infections
from becalm.measures.on_treatment import Treated
from becalm.measures.relapse import with_relapses
from becalm.measures.stage import Stage, StageInput
from becalm.persons.death import Alive, Deaths
from becalm.protocol import Protocol
from becalm.records import Records
from becalm.tables import OUTCOME
from becalm.timeline import Intervals, rounded

AT_LATEST: Final = "at latest"
AT_DEATH: Final = "death"
AT_CONTACT: Final = "last contact"
AT_RECORD: Final = "last record"
BEFORE_ZERO: Final = "before time zero"


FILE: Final = Path(__file__).parent / "maintenance.toml"


class Maintenance(toml.TomlTable, frozen=True):
    """For how long one dose of a drug counts as treatment."""

    covers: dict[str, Length]
    source: dict[str, str]
    verified: dict[str, bool]


def maintenance() -> Maintenance:
    """Return the shipped numbers."""
    return toml.load(FILE, Maintenance)


def outcome(cohort: Frame, doses: Doses, records: Records, protocol: Protocol) -> Frame:
    """Return `outcome`: one row per person and episode.

    died is False only if the person is known to have been alive later (`persons.death.Alive`): nobody is by
    default. A word for dead at the last contact without any other date is a death by that date:
    death_time_is says `at latest`. follow_up_days runs from t0 to death, else to the last moment at which
    the person is known to have been alive, else to the last contact, else to the last record; follow_up_is says to which. It
    is 0 where all of these are before t0. infection_linked is True where
    the cause of death names infection and otherwise not known here: `infection_at_death` adds what cultures
    say, and `relapse` whether the storm came back. storm_active_at_death is a clinician's judgement. A death of which only the date is known
    is placed at the last record of that day; on_drug_at_death is then known only if it was so all day. Of a death that
    other rows dispute (`persons.death.disputes`) died is not known, and follow-up ends when it is claimed.
    """
    treated = Treated.of(cohort, doses, protocol)
    kept = _maintained(cohort, doses, protocol, treated)
    since = np.full(len(records.persons), UNKNOWN_TIME)
    since[cohort["person"]] = cohort["index_time"]
    deaths, alive = Deaths.of(records), Alive.of(records, since)
    left = _left_alive(cohort, records)
    rows = [
        _row(cohort, i, deaths, alive, kept[i], left_alive=bool(left[i]))
        for i in range(len(cohort))
    ]
    frame = Frame.of_rows(OUTCOME, rows)
    person = cohort["person"]
    died_at = np.where(deaths.at_latest, UNKNOWN_TIME, deaths.time)[person]
    over = np.where(deaths.by_date, deaths.over - 1, deaths.time)[person]
    return frame.replace(
        on_drug_at_death=_objects(treated.answers(cohort, died_at, over)),
        **_last_doses(cohort, doses, treated.drug, died_at, over),
    ).sort("person_id")


def _last_doses(
    cohort: Frame, doses: Doses, drug: str, died_at: Times, over: Times
) -> dict[str, Floats | Texts]:
    """Return the hours from the end of the last dose before each death to the death, and the row of that dose.

    Of a death known by its date the hours are those to the begin and to the end of what is left of that day.
    """
    frame, person = doses.frame, cohort["person"]
    rows = doses.exposed(drug) if drug else np.empty(0, np.intp)
    end = np.full(len(doses.person_id), UNKNOWN_TIME)
    end[person] = np.where(died_at == UNKNOWN_TIME, UNKNOWN_TIME, over)
    rows = rows[frame["start"][rows] <= end[frame["person"][rows]]]
    until = np.maximum(frame["start"][rows], frame["until"][rows])
    order = np.lexsort((until, frame["person"][rows]))
    rows, until = rows[order], until[order]
    last = np.searchsorted(frame["person"][rows], person, "right") - 1
    found = (last >= 0) & (died_at != UNKNOWN_TIME)
    found[found] = frame["person"][rows[last[found]]] == person[found]
    low, high = np.full(len(cohort), np.nan), np.full(len(cohort), np.nan)
    for hours, moment in ((low, died_at), (high, over)):
        hours[found] = np.maximum(0, moment[found] - until[last[found]]) / HOUR
    row = np.full(len(cohort), "", dtype=object)
    row[found] = frame["source_row"][rows[last[found]]]
    return {"hours_since_dose": low, "hours_since_dose_high": high, "last_dose_row": row}


def _left_alive(cohort: Frame, records: Records) -> Mask:
    """Return who left at the discharge for home or another hospital."""
    stays = records.stays
    went = np.isin(stays["destination"].astype(str), ["home", "transfer", "alive"])
    ends = set(zip(stays["person"][went].tolist(), stays["end"][went].tolist(), strict=True))
    rows = zip(cohort["person"].tolist(), cohort["discharge"].tolist(), strict=True)
    return np.array([row in ends for row in rows], np.bool_)


def _row(
    cohort: Frame, i: int, deaths: Deaths, alive: Alive, kept: str, *, left_alive: bool
) -> dict[str, Any]:
    person, t0 = int(cohort["person"][i]), int(cohort["t0"][i])
    death, discharge = int(cohort["death_time"][i]), int(cohort["discharge"][i])
    latest = bool(deaths.at_latest[person])
    cause = str(deaths.cause[person])
    died: bool | None = True if deaths.died[person] else None
    ended = int(cohort["end_of_records"][i])
    at = ended if deaths.by_date[person] else death
    disputed = bool(deaths.disputed[person])
    if disputed and discharge >= int(deaths.over[person]):
        discharge = UNKNOWN_TIME
    seen = max(int(cohort["last_contact"][i]), UNKNOWN_TIME if died else discharge)
    if died is None and alive.alive[person] and not disputed:
        died = False
    contact = at if died and at != UNKNOWN_TIME else seen
    if died is False and alive.until[person] != UNKNOWN_TIME:
        contact = int(alive.until[person])
    how = AT_DEATH if died and at != UNKNOWN_TIME else AT_CONTACT
    # A last contact before time zero cannot be the last: there are later records.
    if disputed or contact == UNKNOWN_TIME or contact < t0:
        how, contact = AT_RECORD, ended
    known = UNKNOWN_TIME not in (contact, t0)
    if known and contact < t0:
        how = BEFORE_ZERO
    return {
        "person_id": cohort["person_id"][i],
        "follow_up_days": max(0.0, round((contact - t0) / DAY, 6)) if known else None,
        "follow_up_is": how if known else "",
        "contact_before_zero": _contact_before(int(cohort["last_contact"][i]), t0),
        "last_contact": contact,
        "discharged": (
            UNKNOWN_TIME
            if died and death <= discharge and not (latest and left_alive)
            else discharge
        ),
        "died": died,
        "death_time": death,
        "death_time_is": _kind_of_death_time(deaths, person) if death != UNKNOWN_TIME else "",
        "cause_of_death": cause,
        "infection_linked": True if INFECTION in cause.split("|") else None,
        "maintenance_drug": kept,
    }


def _contact_before(contact: int, t0: int) -> bool | None:
    """Return whether the recorded last contact is before time zero, so that it cannot be the last."""
    return None if UNKNOWN_TIME in (contact, t0) else contact < t0


def _kind_of_death_time(deaths: Deaths, person: int) -> str:
    """Return whether the time of a death is exact, a date, or the latest possible."""
    if deaths.at_latest[person]:
        return AT_LATEST
    return "date" if deaths.by_date[person] else "exact"


def _maintained(cohort: Frame, doses: Doses, protocol: Protocol, treated: Treated) -> list[str]:
    """Return the drugs that were taken long enough after the last continuous dose, joined by `|`."""
    drugs_of: list[list[str]] = [[] for _ in range(len(cohort))]
    rule = protocol.outcome
    if rule.maintenance_min is None:
        return [""] * len(cohort)
    covers = maintenance().covers
    for drug in rule.maintenance_drugs:
        cap = rule.maintenance_max_mg_day if drug == treated.drug else None
        courses = _courses(cohort, doses, drug, protocol, covers.get(drug))
        for i in range(len(cohort)):
            begin = int(treated.last_continuous[i])
            if begin == UNKNOWN_TIME:
                continue
            of_person = courses.person == cohort["person"][i]
            lengths = [
                _length(doses, drug, int(cohort["person"][i]), span_, cap)
                if drug not in covers
                else min(span_[1], int(cohort["end_of_records"][i])) - span_[0]
                for span_ in zip(
                    np.maximum(courses.start[of_person], begin).tolist(),
                    courses.end[of_person].tolist(),
                    strict=True,
                )
                if span_[1] > begin
            ]
            if max(lengths, default=0) >= rule.maintenance_min.us:
                drugs_of[i].append(drug)
    return ["|".join(drugs) for drugs in drugs_of]


def _courses(
    cohort: Frame, doses: Doses, drug: str, protocol: Protocol, cover: Length | None
) -> Intervals:
    """Return the courses of a drug other than by continuous infusion."""
    if cover is not None:
        exposure = doses.exposure(drug)
        of_cohort = exposure.take(np.isin(exposure.person, cohort["person"]))
        return Intervals.build(of_cohort.person, of_cohort.start, of_cohort.start + cover.us)
    persons = np.zeros(len(doses.person_id), np.bool_)
    persons[cohort["person"]] = True
    episodes = treatments(doses, [drug], EpisodeRules.of(protocol), persons=persons).episodes
    episodes = episodes.take(episodes["mode"] != CONTINUOUS)
    return Intervals.build(episodes["person"], episodes["start"], episodes["end"] + 1)


def _length(
    doses: Doses, drug: str, person: int, course: tuple[int, int], cap: float | None
) -> int:
    """Return for how long, in µs, a course had a mean of at most `cap` mg a day until its end.

    It counts from the first dose for which this is true: days at a higher dose during a taper are
    left out. Each dose counts as one day. A dose of unknown mass could be any mass.
    """
    f, rows = doses.frame, doses.exposed(drug)
    rows = rows[f["person"][rows] == person]
    start = f["start"][rows]
    rows = rows[(start >= course[0]) & (start < course[1])]
    rows = rows[np.argsort(f["start"][rows], kind="stable")]
    if not len(rows):
        return 0
    length = f["start"][rows[-1]] - f["start"][rows] + DAY
    mean = np.cumsum(f["amount_mg"][rows][::-1])[::-1] / (length / DAY)
    low_enough = np.ones(len(rows), np.bool_) if cap is None else rounded(mean) <= cap
    return int(np.max(length[low_enough], initial=0))


def _objects(answers: list[bool | None]) -> npt.NDArray[np.object_]:
    column = np.empty(len(answers), dtype=object)
    column[:] = answers
    return column


def measure(given: StageInput) -> Frame:
    """Fill the table `outcome`."""
    frame = outcome(given.cohort, given.patients.doses, given.patients.records, given.protocol)
    frame = with_relapses(with_infections(frame, given), given)
    return frame.replace(storm_at_death=_storm_at_death(frame, given))


def _storm_at_death(outcome: Frame, given: StageInput) -> Texts:
    """Return the storm of each person at death, by the values of the protocol's time of a peak before it."""
    ids = given.cohort["person_id"].tolist()
    place = dict(zip(ids, given.cohort["person"].tolist(), strict=True))
    who = np.array([place[name] for name in outcome["person_id"].tolist()], np.int32)
    end = outcome["last_contact"]
    died = (outcome["died"] == np.True_) & (end != UNKNOWN_TIME)
    words = np.full(len(outcome), "", dtype=object)
    if died.any():
        order = np.argsort(who[died], kind="stable")
        at = np.flatnonzero(died)[order]
        storms = Storms(given.evaluations, given.protocol, given.candidates.underlying)
        back = given.protocol.baseline.peak.us
        words[at] = storms.judge(who[at], end[at] - back, end[at]).words()
    return words


STAGES: Final = (
    Stage(OUTCOME, measure, needs=("infections",), opens=("relapse_rows", "last_dose_row")),
)
