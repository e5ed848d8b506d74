"""The tables of doses: every row, each 24 h, each date, each episode, and time at a dose."""

from __future__ import annotations

from typing import Final

from becalm.core.frame import Frame
from becalm.doses import calendar_dose, daily_dose, remarks, time_at_dose
from becalm.measures.stage import Stage, StageInput
from becalm.tables import (
    CALENDAR_DOSE,
    DAILY_DOSE,
    DOSE_REMARKS,
    DOSES,
    EPISODES,
    TIME_AT_DOSE,
    Table,
)


def measure(given: StageInput) -> Frame:
    """Fill the table `doses`: every row of the population, also of drugs that the vocabulary lacks."""
    doses = given.patients.doses
    return doses.table().take(given.candidates.population[doses.frame["person"]])


def measure_daily(given: StageInput) -> Frame:
    """Fill the table `daily_dose`."""
    frames = [
        daily_dose(
            given.patients.doses,
            [drug],
            since=given.first_days[drug],
            inside={drug: given.treatments.inside(drug)},
            replacement=given.replacement,
            clearance=given.clearance,
        )
        for drug in given.drugs
    ]
    return _columns(Frame.concat(frames), DAILY_DOSE)


def measure_dates(given: StageInput) -> Frame:
    """Fill the table `calendar_dose`."""
    doses, first = given.patients.doses, given.first_days
    return Frame.concat([calendar_dose(doses, [drug], first[drug]) for drug in given.drugs])


def measure_episodes(given: StageInput) -> Frame:
    """Fill the table `episodes`."""
    return _columns(given.treatments.episodes, EPISODES)


def measure_remarks(given: StageInput) -> Frame:
    """Fill the table `dose_remarks`."""
    return remarks(given.patients.doses, given.candidates.population)


def measure_time_at_dose(given: StageInput) -> Frame:
    """Fill the table `time_at_dose`; empty for a protocol without a drug of interest."""
    entry = given.protocol.entry
    if entry is None:
        return TIME_AT_DOSE.empty()
    levels = given.protocol.doses.levels_per_day
    doses = given.patients.doses
    return time_at_dose(given.cohort, doses, entry.drug, levels, given.episode_rules)


def _columns(frame: Frame, table: Table) -> Frame:
    return Frame({name: frame[name] for name in table})


STAGES: Final = (
    Stage(DOSES, measure, over="population", opens=()),
    Stage(DAILY_DOSE, measure_daily),
    Stage(CALENDAR_DOSE, measure_dates),
    Stage(EPISODES, measure_episodes),
    Stage(DOSE_REMARKS, measure_remarks, over="population", opens=()),
    Stage(TIME_AT_DOSE, measure_time_at_dose),
)
