"""Treatment episodes, continuous or not, and the steps of the continuous ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import FAR_FUTURE, Index
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame, Kind
from becalm.doses.exposure import MG_DECIMALS, ROUTES, Doses
from becalm.doses.limits import CHANGEOVER
from becalm.doses.modes import CONTINUOUSLY, NOT_SAID
from becalm.doses.one_weight import Delivered, delivered, weight_share
from becalm.doses.rate_steps import RateStep, steps_up
from becalm.doses.real_time import wall_clock_flow
from becalm.protocol import Entry, Protocol
from becalm.tables import EPISODES
from becalm.timeline import Cumulative, Intervals, Points, Timeline, overlay

CONTINUOUS: Final = "continuous IV"
INTERMITTENT: Final = "intermittent IV"

MODES: Final[Mapping[str, str]] = {
    "IV": INTERMITTENT, "SC": "SC", "IM": "IM", "PO": "oral", "": "",
}  # fmt: skip
"""Mode of doses that are not continuous infusions, by route; '' is an unknown route."""

TREATMENT: Final[Mapping[str, Kind]] = {"person": "code", **EPISODES}
STEPS: Final[Mapping[str, Kind]] = {
    # One row per step of a continuous infusion.
    "person": "code",
    "person_id": "text",
    "drug": "text",
    "episode_start": "time",
    "direction": "text",  # up, down
    "time": "time",
    "from_rate": "number",  # in the drug's unit per hour
    "to_rate": "number",
    "hours_since_last": "number",
    "hours_from_start": "number",
}


@dataclass(frozen=True)
class EpisodeRules:
    """The protocol's rules about courses of treatment; times in µs.

    gaps : by mode, the longest time without drug that does not end an episode. unknown_mode_enters : whether an
    infusion of which nobody says how it was given counts as continuous.
    """

    bridge: int
    intermittent_up_to: int
    gaps: Mapping[str, int]
    unknown_mode_enters: bool
    min_rise: float
    held: int
    resume_within: int

    @classmethod
    def of(cls, protocol: Protocol) -> EpisodeRules:
        """Read the rules from a protocol; without an entry treatment they are the entry's defaults.

        Intramuscular doses and doses of unknown route or mode count as subcutaneous.
        """
        entry = protocol.entry or Entry(drug="")
        gaps = {mode: gap.us for mode, gap in protocol.treatment_episode.items()}
        return cls(
            entry.bridge.us,
            entry.intermittent_up_to.us,
            {**gaps, "IM": gaps["SC"], "": gaps["SC"]},
            entry.unknown_mode == "enters",
            protocol.escalation.min_rise,
            protocol.escalation.min_duration.us,
            protocol.escalation.resume_within.us,
        )


@dataclass(frozen=True)
class Infusions:
    """Continuous infusions, and which of them were running at the end of the person's records."""

    when: Intervals
    running: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Treatments:
    """Treatment episodes (columns of `TREATMENT`), and steps of the continuous ones (`STEPS`).

    steps : up. falls : down; a step down is the reverse of a step up.
    """

    episodes: Frame
    steps: Frame
    falls: Frame

    def inside(self, drug: str) -> Intervals:
        """Return the episodes of the drug as intervals."""
        of_drug = self.episodes["drug"] == drug
        return Intervals.build(
            *(self.episodes[name][of_drug] for name in ("person", "start", "end"))
        )


def continuous(
    doses: Doses, drug: str, rules: EpisodeRules, last: npt.NDArray[np.int64] | None = None
) -> Infusions:
    """Find the continuous intravenous infusions of a drug: those of which somebody says it (`doses.modes`).

    Bags up to a changeover (30 min) apart are one piece, pieces up to `bridge` apart one infusion.
    An infusion is continuous if it was planned for longer than `intermittent_up_to` (planned means
    until its written end, even if death came first), or if it was written as a rate and still
    running at death or at the end of the records (`last`, int64[persons], `UNKNOWN_TIME` where not
    known). A piece no longer than that and written as amounts only is a planned intermittent
    infusion: it neither begins nor ends a continuous one, so 100 mg over 2 h every 4 h is not continuous.
    """
    rows = _infusions(doses, drug, rules)
    f = doses.frame
    person, start, until = (f[name][rows] for name in ("person", "start", "until"))
    pieces = Intervals.build(person, start, until).bridge(CHANGEOVER)
    row, piece = pieces.overlaps(person, start, until)
    planned = np.full(len(pieces), UNKNOWN_TIME)
    np.maximum.at(planned, piece, f["end"][rows[row]])
    stated = np.zeros(len(pieces), np.bool_)
    stated[piece[f["states_rate"][rows[row]]]] = True
    lasting = stated | (planned - pieces.start > rules.intermittent_up_to)

    chains = pieces.bridge(rules.bridge)
    _, of = chains.overlaps(pieces.person, pieces.start, pieces.end)
    of, planned, stated, pieces = (
        of[lasting],
        planned[lasting],
        stated[lasting],
        pieces.take(lasting),
    )
    begin, close, written = (
        np.full(len(chains), x) for x in (FAR_FUTURE, UNKNOWN_TIME, UNKNOWN_TIME)
    )
    np.minimum.at(begin, of, pieces.start)
    np.maximum.at(close, of, pieces.end)
    np.maximum.at(written, of, planned)
    rated = np.zeros(len(chains), np.bool_)
    rated[of[stated]] = True
    any_left = begin < close
    over = doses.last_moment[chains.person]
    if last is not None:
        known = last[chains.person] != UNKNOWN_TIME
        over = np.where(known, np.minimum(over, last[chains.person]), over)
    running = any_left & (close >= over - CHANGEOVER)
    keep = any_left & (
        (np.where(any_left, written - begin, 0) > rules.intermittent_up_to) | (running & rated)
    )
    return Infusions(Intervals(chains.person[keep], begin[keep], close[keep]), running[keep])


def continuous_entries(
    doses: Doses,
    drug: str,
    rules: EpisodeRules,
    min_duration: int,
    end_of_records: npt.NDArray[np.int64] | None = None,
) -> Intervals:
    """Find the continuous infusions that last long enough to enter a study.

    They last at least `min_duration` µs (gaps up to the bridge are included), or they were running at
    death or at the end of the records, where the last charting may be a changeover (30 min) earlier.
    After a pause longer than the bridge there may be a second one within a treatment episode.
    """
    infusions = continuous(doses, drug, rules, end_of_records)
    when = infusions.when
    lasted = when.durations() + doses.clock.beyond(when.start, when.end)
    return when.take((lasted >= min_duration) | infusions.running)


def continuous_rate(
    doses: Doses, drug: str, rules: EpisodeRules, *, at_one_weight: bool = False
) -> Timeline:
    """Return the rate in the drug's unit per hour, during continuous infusions only.

    at_one_weight : without the changes that only a new weight made; steps are counted in it.
    """
    rate = doses.rate(drug, at_one_weight=at_one_weight)
    return rate.clip(continuous(doses, drug, rules).when)


def treatments(
    doses: Doses,
    drugs: Collection[str],
    rules: EpisodeRules,
    *,
    persons: npt.NDArray[np.bool_] | None = None,
) -> Treatments:
    """Divide every drug's doses into treatment episodes, one mode each.

    An episode is a series of doses of one mode, at most a gap apart, so a change from subcutaneous
    doses to continuous infusion begins another episode. Intravenous doses during a continuous
    episode belong to it. Routes that do not reach the blood make no episode.

    cumulative_mg, peak_rate_mg_h and max_24h_mg use the episode's own doses and are empty if one of
    them has no known or plausible amount in the drug's unit; the columns in mg are also empty for a drug that is
    added up in another unit. Peak rate, steps and hours to peak (from the episode's start) are
    for continuous infusions only: an infusion over half an hour has no daily rate.

    persons : bool[persons], the persons to include; by default all.
    """
    parts = [_of_drug(doses, drug, rules, persons) for drug in sorted(drugs)]
    episodes = Frame.concat([Frame.of(TREATMENT), *(part.episodes for part in parts)])
    steps, falls = (
        Frame.concat([Frame.of(STEPS), *each])
        for each in ([part.steps for part in parts], [part.falls for part in parts])
    )
    return Treatments(
        episodes.take(np.lexsort((episodes["start"], episodes["person"]))),
        *(each.take(np.lexsort((each["time"], each["person"]))) for each in (steps, falls)),
    )


def _infusions(doses: Doses, drug: str, rules: EpisodeRules) -> Index:
    """Return rows of continuous infusions, also of unknown rate, but without pauses."""
    f = doses.frame
    rows = doses.exposed(drug, ("IV", "") if rules.unknown_mode_enters else ("IV",))
    rows = rows[~f["single"][rows] & (f["until"][rows] > f["start"][rows])]
    return rows if rules.unknown_mode_enters else rows[f["mode"][rows] == CONTINUOUSLY]


def _of_drug(
    doses: Doses, drug: str, rules: EpisodeRules, persons: npt.NDArray[np.bool_] | None
) -> Treatments:
    f = doses.frame
    rows = doses.exposed(drug)
    if persons is not None:
        rows = rows[persons[f["person"][rows]]]
    groups = continuous(doses, drug, rules).when.bridge(rules.gaps[CONTINUOUS])
    mode = np.array([MODES.get(route, "") for route in ROUTES], dtype=object)[f["route_code"][rows]]
    within = f["route_code"][rows] == ROUTES.index("IV")
    lasts = f["end"][rows] - f["start"][rows] > rules.intermittent_up_to
    mode[within & lasts & (f["mode"][rows] == NOT_SAID)] = ""
    within &= groups.contains(f["person"][rows], f["start"][rows]) | groups.contains(
        f["person"][rows], f["start"][rows] - 1
    )
    mode[within] = CONTINUOUS
    kind: list[str] = []
    episode = np.full(len(rows), -1)
    for name in dict.fromkeys((CONTINUOUS, *MODES.values())):
        of_mode = np.flatnonzero(mode == name)
        who, begin = f["person"][rows[of_mode]], f["start"][rows[of_mode]]
        stop = np.maximum(f["until"][rows[of_mode]], begin + 1)
        in_mode = Intervals.build(who, begin, stop).bridge(rules.gaps[name])
        row, of = in_mode.overlaps(who, begin, stop)
        episode[of_mode[row]] = of + len(kind)
        kind += [name] * len(in_mode)
    return _described(
        doses, drug, rules, rows=rows, episode=episode, mode=np.array(kind, dtype=object)
    )


def _described(
    doses: Doses,
    drug: str,
    rules: EpisodeRules,
    *,
    rows: Index,
    episode: npt.NDArray[np.int64],
    mode: npt.NDArray[np.object_],
) -> Treatments:
    """Compute the columns of all episodes at once; the episode takes the place of the person."""
    f = doses.frame
    count = len(mode)
    start, end = np.full(count, FAR_FUTURE), np.full(count, UNKNOWN_TIME)
    stop = np.where(
        f["single"][rows], f["start"][rows], np.maximum(f["until"][rows], f["start"][rows])
    )
    np.minimum.at(start, episode, f["start"][rows])
    np.maximum.at(end, episode, stop)
    person = np.zeros(count, np.int32)
    person[episode] = f["person"][rows]
    unknown, unrated = np.zeros((2, count), np.bool_)
    no_dose = np.isnan(f["dose"][rows])
    unknown[episode[no_dose]] = True
    unrated[episode[no_dose & f["plausible"][rows]]] = True

    known = ~np.isnan(f["dose"][rows])
    lasting = known & ~f["single"][rows] & (stop > f["start"][rows])
    bags, single = rows[lasting], rows[known & f["single"][rows]]
    flow = overlay(
        episode[lasting], f["start"][bags], f["until"][bags], f["dose_per_h"][bags], bags
    )
    pushed = Points.of_doses(
        episode[known & f["single"][rows]], f["start"][single], f["dose"][single]
    )
    amounts = Cumulative.build(wall_clock_flow(f, doses.clock, bags, episode[lasting]), pushed)
    every = np.arange(count)
    length = f["end"][rows] - f["start"][rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(length > 0, (stop - f["start"][rows]) / length, 1.0)
    # From the amounts: rate × time would include the rounding of the rate.
    total = np.bincount(
        episode[known], (f["dose"][rows] * np.minimum(part, 1.0))[known], minlength=count
    )
    at_assumed = np.bincount(
        episode[known],
        (f["dose"][rows] * np.minimum(part, 1.0) * f["assumed_end"][rows])[known],
        minlength=count,
    )
    most, _ = amounts.max_within(every, DAY)
    constant = (mode == CONTINUOUS) & ~unrated
    lasting &= f["plausible"][rows]
    bags = rows[lasting]
    share = weight_share(f, bags, episode[lasting])
    believed, steady = (
        overlay(episode[lasting], f["start"][bags], f["until"][bags], per_h, bags)
        for per_h in (f["dose_per_h"][bags], f["dose_per_h"][bags] / share)
    )
    peak, reached = _highest(believed, count)
    constant &= ~np.isnan(peak)
    climbs, falls = _steps(steady, constant, rules)
    running = flow.low > 0
    who, begin, close = flow.person[running], flow.start[running], flow.end[running]
    pause = begin[1:] - close[:-1] + doses.clock.beyond(close[:-1], begin[1:])
    gap = np.where(who[1:] == who[:-1], pause, 0)
    pauses = np.bincount(who[1:][gap > 0], minlength=count)
    paused = np.bincount(who[1:], weights=gap / HOUR, minlength=count)
    ids = doses.person_id[person]
    unit = doses.unit(drug)
    in_mg = np.where(unit == "mg", 1.0, np.nan)
    in_all = np.round(np.where(unknown, np.nan, total), MG_DECIMALS)
    fullest = np.round(np.where(unknown, np.nan, most), MG_DECIMALS)
    episodes = Frame.of(
        TREATMENT,
        person=person,
        person_id=ids,
        drug=[drug] * count,
        mode=mode,
        start=start,
        end=end,
        cumulative_mg=in_all * in_mg,
        peak_rate_mg_h=np.where(constant, peak, np.nan) * in_mg,
        peak_mg_day=np.round(np.where(constant, peak, np.nan) * 24, 9) * in_mg,
        max_24h_mg=fullest * in_mg,
        escalations=[len(c) if ok else -1 for c, ok in zip(climbs, constant.tolist(), strict=True)],
        hours_to_peak=np.where(
            constant, doses.hours(start, np.where(constant, reached, start)), np.nan
        ),
        unit_canonical=[unit] * count,
        cumulative_canonical=in_all,
        peak_rate_canonical_per_h=np.where(constant, peak, np.nan),
        max_24h_canonical=fullest,
        pauses=np.where(constant, pauses, -1),
        paused_hours=np.where(constant, np.round(paused, 6), np.nan),
        assumed_end_canonical=np.round(np.where(unknown, np.nan, at_assumed), MG_DECIMALS),
    )
    as_delivered = {
        one: delivered(believed, steady, one) for one in np.unique(episode[lasting][share != 1])
    }
    all_steps = [
        (one, direction, *_at_rates(step, as_delivered.get(one)), step.hours_since_last)
        for direction, found in (("up", climbs), ("down", falls))
        for one in range(count)
        for step in found[one]
    ]
    steps = Frame.of_rows(
        STEPS,
        [
            {
                "person": int(person[one]),
                "person_id": ids[one],
                "drug": drug,
                "episode_start": int(start[one]),
                "direction": direction,
                "time": time,
                "from_rate": round(before, 9),
                "to_rate": round(after, 9),
                "hours_since_last": since,
                "hours_from_start": (time - int(start[one])) / HOUR,
            }
            for one, direction, time, before, after, since in all_steps
        ],
    )
    up = steps["direction"] == "up"
    return Treatments(episodes, steps.take(up), steps.take(~up))


def _highest(rate: Timeline, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the highest rate of each episode, NaN without any, and when it was first reached."""
    peak, reached = np.full(count, -np.inf), np.full(count, FAR_FUTURE)
    np.maximum.at(peak, rate.person, rate.low)
    top = rate.low == peak[rate.person]
    np.minimum.at(reached, rate.person[top], rate.start[top])
    return np.where(np.isfinite(peak), peak, np.nan), reached


def _steps(
    steady: Timeline, constant: npt.NDArray[np.bool_], rules: EpisodeRules
) -> tuple[list[tuple[RateStep, ...]], list[tuple[RateStep, ...]]]:
    """Return the steps up and down of each continuous episode, from its rates at one weight."""
    edges = np.searchsorted(steady.person, np.arange(len(constant) + 1))
    with np.errstate(divide="ignore"):
        # A fall of the rate is a rise of its reciprocal; a pause is neither.
        reciprocal = np.where(steady.low > 0, 1 / steady.low, 0.0)
    climbs, falls = (
        [
            stepped(steady.start[own], steady.end[own], rate[own], rules) if goes_on else ()
            for own, goes_on in zip(map(slice, edges, edges[1:]), constant.tolist(), strict=False)
        ]
        for rate in (steady.low, reciprocal)
    )
    down = [
        tuple(
            step._replace(from_rate=1 / step.from_rate, to_rate=1 / step.to_rate)
            for step in steps
            if step.from_rate
        )
        for steps in falls
    ]
    return climbs, down


def _at_rates(step: RateStep, infusion: Delivered | None) -> tuple[int, float, float]:
    """Return the time of a step and the delivered rates before and after it."""
    before, after = step.from_rate, step.to_rate
    if infusion is not None:
        before = infusion.from_rate(before, step.time)
        after = infusion.to_rate(after, step.time)
    return step.time, before, after


def stepped(
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    rate: npt.NDArray[np.float64],
    rules: EpisodeRules,
) -> tuple[RateStep, ...]:
    """Return the steps up of sorted segments that a protocol's rules count."""
    return steps_up(
        start,
        end,
        rate,
        min_rise=rules.min_rise,
        held=rules.held,
        resume_within=rules.resume_within,
    )
