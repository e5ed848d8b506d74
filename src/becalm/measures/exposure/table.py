"""The tables of exposure: a row an episode, a row a dose level, a row a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Floats
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import CONTINUOUS
from becalm.measures.exposure.calculation import CohortCurves, RunCurves, reasons
from becalm.measures.exposure.own_kidney import LATER, REPLACED, STATES, TOO_OLD
from becalm.measures.stage import Stage, StageInput
from becalm.pk import spread
from becalm.tables import EXPOSURE, EXPOSURE_BY_DOSE, EXPOSURE_OVER_TIME

DECIMALS: Final = 6
_SHARES: Final = ("p05", "p25", "p50", "p75", "p95")


def _band(name: str, values: Floats | None) -> dict[str, float]:
    """Return the columns of a measure: of the typical patient, and of virtual ones."""
    if values is None:
        return {}
    found = {key: round(value, DECIMALS) for key, value in spread(values).items()}
    return {
        name: found["typical"],
        **{f"{name}_{end}": found[end] for end in ("p05", "p95") if end in found},
    }


def episode_rows(given: StageInput, found: CohortCurves) -> Iterator[dict[str, Any]]:
    """Yield a row for each treatment episode."""
    for each in found.runs:
        starts = each.episodes["start"].tolist()
        for row in each.episodes.rows():
            start, end = int(row["start"]), int(row["end"])
            later = [at for at in starts if at > start]
            until = max(end, min([*later, each.run.until]))
            yield {
                "person_id": row["person_id"], "drug": row["drug"], "episode_begin": start, "episode_mode": row["mode"],
                "episode_end": end, "until": until, "model": found.model.name,
                "target_mg_l": np.nan if found.asked.target_mg_l is None else found.asked.target_mg_l,
                "weight_taken": each.covariates.weight,
                **_measured(found, each, start, end, until),
                **_known_how(found, each, start, until),
                "source_row": _sources(given, each, start, end, until),
            }  # fmt: skip


def _measured(
    found: CohortCurves, each: RunCurves, start: int, end: int, until: int
) -> dict[str, Any]:
    """Return the measures of an episode; what could not be calculated as a whole is empty."""
    curves, known = each.curves, each.computed_until
    row: dict[str, Any] = {}
    if known < until and each.stop is not None:
        row |= {"not_computed": each.stop.reason, "computed_until": max(known, start)}
    if curves is None:
        return row
    begin, last, close = each.hours(start, end, until).tolist()
    if known >= end > start:
        row |= _band("css_mg_l", curves.area(begin, last) / (last - begin))
    if known < until or not close > begin:
        return row
    row |= _band("auc_mg_h_l", curves.area(begin, close)) | _band(
        "peak_mg_l", curves.peak(begin, close)
    )
    if found.asked.target_mg_l is not None:
        row |= _band(
            "hours_above_target", curves.hours_above(found.asked.target_mg_l, begin, close)
        )
    if each.ends is not None:
        areas = [round(float(one.area(begin, close)[0]), DECIMALS) for one in each.ends]
        if areas[0] != areas[1]:
            row |= zip(("auc_least_cleared", "auc_most_cleared"), areas, strict=True)
    return row


def _known_how(found: CohortCurves, each: RunCurves, start: int, until: int) -> dict[str, Any]:
    """Return how clearance is known in an episode, and what is outside the studied patients."""
    kidney = each.covariates.kidney
    row: dict[str, Any] = {
        "extrapolated": "|".join(reasons(found, each, start, until)),
        "exposure_remarks": "|".join([*each.covariates.remarks, *each.doses.remarks(each.run)]),
    }
    if kidney is None:
        return row
    for name, state in (
        ("hours_too_old", TOO_OLD),
        ("hours_carried_back", LATER),
        ("hours_replaced", REPLACED),
    ):
        lasted = kidney.lasting(state, start, until)
        row[name] = round(float(lasted.durations().sum() / HOUR), DECIMALS)
    return row | {"clearance_by": found.asked.clearance}


def _sources(given: StageInput, each: RunCurves, start: int, end: int, until: int) -> str:
    """Return the rows of the doses of an episode, and of the creatinines on which the time until `until` rests."""
    f = given.patients.doses.frame
    rows = each.run.rows[(f["start"][each.run.rows] >= start) & (f["start"][each.run.rows] <= end)]
    kidney, named = each.covariates.kidney, each.covariates.rows
    drawn = [] if kidney is None else [named[at] for at in kidney.draws(start, until) if named[at]]
    return "|".join(dict.fromkeys([*f["source_row"][rows].tolist(), *drawn]))


# ------------------------------------------------------------ dose levels


def level_rows(given: StageInput, found: CohortCurves) -> Iterator[dict[str, Any]]:
    """Yield a row for each dose level of each treatment episode."""
    for each in found.runs:
        if each.curves is None:
            continue
        for row in each.episodes.rows():
            infused = row["mode"] == CONTINUOUS
            steps = _rates(each, row) if infused else _intervals(each, row)
            levels: dict[float, list[tuple[int, int]]] = {}
            for level, start, end in steps:
                if end <= each.computed_until:
                    levels.setdefault(round(level, 9), []).append((start, end))
            for level, when in sorted(levels.items()):
                yield {
                    "person_id": row["person_id"], "drug": row["drug"], "episode_begin": row["start"],
                    "episode_mode": row["mode"], "dose_level": level, "dose_level_unit": "mg/h" if infused else "mg", "first_at_level": when[0][0],
                    "model": found.model.name, **_at_level(each, when),
                    "source_row": _sources(given, each, row["start"], row["end"], when[-1][1]),
                }  # fmt: skip


def _at_level(each: RunCurves, when: list[tuple[int, int]]) -> dict[str, Any]:
    assert each.curves is not None
    curves = each.curves
    parts = [each.hours(start, end).tolist() for start, end in when]
    hours = sum(end - start for start, end in parts)
    area = np.sum([curves.area(start, end) for start, end in parts], axis=0)
    peak = np.max([curves.peak(start, end) for start, end in parts], axis=0)
    return {
        "hours_at_level": round(hours, DECIMALS),
        **_band("average_mg_l", area / hours),
        **_band("peak_at_level", peak),
    }


def _rates(each: RunCurves, episode: Mapping[str, Any]) -> list[tuple[float, int, int]]:
    """Return the rates of an episode with their times."""
    rate = each.doses.rate
    here = (rate.person == each.run.person) & (rate.start >= episode["start"])
    here &= (rate.end <= episode["end"]) & (rate.low > 0)
    return list(
        zip(
            rate.low[here].tolist(), rate.start[here].tolist(), rate.end[here].tolist(), strict=True
        )
    )


def _intervals(each: RunCurves, episode: Mapping[str, Any]) -> list[tuple[float, int, int]]:
    """Return the doses of an episode, each until the next one; the last one has no end."""
    f = each.doses.doses.frame
    rows = each.run.rows
    rows = rows[(f["start"][rows] >= episode["start"]) & (f["start"][rows] <= episode["end"])]
    amounts: dict[int, float] = {}
    for start, dose in zip(f["start"][rows].tolist(), f["dose"][rows].tolist(), strict=True):
        amounts[start] = amounts.get(start, 0.0) + dose
    starts = sorted(amounts)
    return [(amounts[a], a, b) for a, b in pairwise(starts) if amounts[a] > 0]


# ------------------------------------------------------------ moments


def moments(given: StageInput, found: CohortCurves) -> Iterator[Frame]:
    """Yield the curves near time zero, a frame a run."""
    t0 = dict(zip(given.cohort["person"].tolist(), given.cohort["t0"].tolist(), strict=True))
    for each in found.runs:
        if each.curves is None or not len(each.printed):
            continue
        times, person = each.printed, each.run.person
        at = each.doses.hours(each.run, times)
        level = each.curves.at(at)
        columns: dict[str, Any] = {"typical": level[0]}
        if len(level) > 1:
            columns |= dict(
                zip(
                    _SHARES,
                    np.quantile(level[1:], (0.05, 0.25, 0.5, 0.75, 0.95), axis=0),
                    strict=True,
                )
            )
        if each.ends is not None:
            columns |= {
                name: one.at(at)[0]
                for name, one in zip(("least_cleared", "most_cleared"), each.ends, strict=True)
            }
        kidney = each.covariates.kidney
        states = [""] * len(times)
        if kidney is not None:
            which = np.searchsorted(kidney.time, times, side="right") - 1
            columns["creatinine_clearance"] = kidney.middle[which]
            states = [STATES[state] for state in kidney.state[which].tolist()]
        zero = t0[person]
        yield Frame.of(
            EXPOSURE_OVER_TIME,
            person_id=[str(given.patients.doses.person_id[person])] * len(times),
            drug=[found.model.drug] * len(times),
            at_time=times,
            hours_from_t0=np.full(len(times), np.nan)
            if zero == UNKNOWN_TIME
            else (times - zero) / HOUR,
            infused_mg_h=each.curves.rate_at(at),
            clearance_state=states,
            **{name: np.round(values, DECIMALS) for name, values in columns.items()},
        )


def measure(given: StageInput) -> Frame:
    """Fill the table `exposure`."""
    rows = [row for each in given.concentrations for row in episode_rows(given, each)]
    return Frame.of_rows(EXPOSURE, rows).sort(*EXPOSURE.key)


def measure_levels(given: StageInput) -> Frame:
    """Fill the table `exposure_by_dose`."""
    rows = [row for each in given.concentrations for row in level_rows(given, each)]
    return Frame.of_rows(EXPOSURE_BY_DOSE, rows).sort(*EXPOSURE_BY_DOSE.key)


def measure_moments(given: StageInput) -> Frame:
    """Fill the table `exposure_over_time`."""
    frames = [frame for each in given.concentrations for frame in moments(given, each)]
    return Frame.concat([Frame.of(EXPOSURE_OVER_TIME), *frames]).sort(*EXPOSURE_OVER_TIME.key)


STAGES: Final = (
    Stage(EXPOSURE, measure),
    Stage(EXPOSURE_BY_DOSE, measure_levels, opens=()),
    Stage(EXPOSURE_OVER_TIME, measure_moments),
)
