"""Immunotherapies before time zero: which, how much, and whether they failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from becalm import vocabulary
from becalm.core.arrays import Times, expand
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import Doses
from becalm.events import Events
from becalm.measures.stage import Stage, StageInput
from becalm.protocol import Protocol, Refractory
from becalm.tables import PREVIOUS_THERAPY
from becalm.timeline import Cumulative, Intervals, Points, overlay, rounded
from becalm.timeline.nearest import Draws, last, within
from becalm.vocabulary import Drug

_JUST_BELOW: Final = 1e-9
"""Doses are compared at nine decimals: three doses of 1/3 mg/kg are 1 mg/kg."""


class _Rows(NamedTuple):
    """Rows of doses before time zero; `owner` is the position of the person in the cohort."""

    drug: str
    owner: npt.NDArray[np.int32]
    rows: npt.NDArray[np.intp]
    start: Times
    end: Times  # at the latest time zero; the start for a single dose
    mg: npt.NDArray[np.float64]  # until time zero; NaN where not known
    kg: npt.NDArray[np.float64]  # the weight at that time
    date_only: npt.NDArray[np.bool_]  # the start is a date without a time


def previous_therapy(cohort: Frame, events: Events, doses: Doses, protocol: Protocol) -> Frame:
    """Return one row per person and immunotherapy that was begun before t0.

    first and last : when the first administration began and the last one ended, at the latest t0.
    doses : administrations; infusions that follow one another without a gap are one, as is a bag whose
    rate was changed. hours_before_t0 : from the last to t0. The drug of interest is listed if it was
    administered before t0. begun : start of the course that leads to t0; doses up to `within` apart
    are one course. total_mg : of that course. peak_equivalent : for
    glucocorticoids, mg/kg of prednisolone in the highest 24 h before t0. acts_until : the last dose
    plus the time for which, by the protocol, the drug can confound a response.

    refractory : by the protocol's rule. A glucocorticoid counts if all of them together reached
    the dose for long enough; another agent if its course began in the window before t0, because a
    drug taken for years is no treatment of this storm. In both cases ferritin did not fall enough
    from the last value at the start to the last value at t0. Of a start that is only a date, any moment
    of that day may be the start. Unknown if the amount, the weight or one
    of the two values is unknown. Drops, creams and inhalers never count.
    """
    cohort = cohort.take(cohort["t0"] != UNKNOWN_TIME)
    steroids = {
        drug.name: drug.prednisolone_equivalent.factor
        for drug in vocabulary.load().drugs
        if drug.prednisolone_equivalent is not None
    }
    rows_of_drug = {
        drug.name: _before(drug.name, cohort, doses)
        for drug in vocabulary.load().drugs
        if drug.immunotherapy
    }
    rule = protocol.refractory
    high, unsure = _high_dose([rows_of_drug[name] for name in steroids], steroids, cohort, rule)
    table_rows: list[dict[str, Any]] = []
    for drug in vocabulary.load().drugs:
        rows_before = rows_of_drug.get(drug.name)
        if rows_before is None or not len(rows_before.rows):
            continue
        peak = _peak(rows_before, steroids, len(cohort))
        for i in np.unique(rows_before.owner).tolist():
            own = rows_before.owner == i
            course = _course(rows_before, own, rule.within.us)
            begun = int(rows_before.start[course].min())
            tried, since = _tried(
                drug,
                begun,
                int(cohort["t0"][i]),
                rule,
                high=high.get((drug.name, i)),
                unsure=i in unsure,
            )
            since = _latest_start(rows_before, course, since, int(cohort["t0"][i]))
            total = rows_before.mg[course].sum()
            latest = int(max(rows_before.end[own].max(), rows_before.start[own].max()))
            brief = np.maximum(rows_before.end[own], rows_before.start[own] + 1)
            table_rows.append(
                {
                    "person_id": cohort["person_id"][i],
                    "drug": drug.name,
                    "first": int(rows_before.start[own].min()),
                    "last": latest,
                    "doses": len(
                        Intervals.build(rows_before.owner[own], rows_before.start[own], brief)
                    ),
                    "peak_equivalent": peak[i],
                    "weight_sources": _weight_sources(doses, drug, rows_before.rows[own]),
                    "drug_class": drug.drug_class,
                    "begun": begun,
                    "total_mg": float(rounded(total)),
                    "hours_before_t0": (int(cohort["t0"][i]) - latest) / HOUR,
                    "acts_until": latest + _outlives(protocol).get(drug.name, 0),
                    "source_row": "|".join(doses.frame["source_row"][rows_before.rows[own]]),
                    **_failed(tried, _Question(cohort, i, since), events, protocol),
                }
            )
    return Frame.of_rows(PREVIOUS_THERAPY, table_rows).sort("person_id", "first", "drug")


def _weight_sources(doses: Doses, drug: Drug, rows: npt.NDArray[np.intp]) -> str:
    """Return the sources of the weights of a glucocorticoid's doses; '' for other drugs."""
    if drug.prednisolone_equivalent is None:
        return ""
    sources = doses.frame["weight_source"][rows]
    return "|".join(dict.fromkeys(each for each in sources.tolist() if each))


def _before(drug: str, cohort: Frame, doses: Doses) -> _Rows:
    """Return the rows of a drug that began before t0, ended at t0."""
    f = doses.frame
    exposed = doses.exposed(drug)
    exposed = exposed[np.argsort(f["person"][exposed], kind="stable")]
    first, stop = (
        np.searchsorted(f["person"][exposed], cohort["person"], side) for side in ("left", "right")
    )
    owner, place = expand(first, stop)
    earlier = f["start"][exposed[place]] < cohort["t0"][owner]
    at, whose = exposed[place[earlier]], owner[earlier].astype(np.int32)
    start, until = f["start"][at], np.where(f["single"][at], f["start"][at], f["until"][at])
    end = np.maximum(np.minimum(until, cohort["t0"][whose]), start)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(until > start, (end - start) / (until - start), 1.0)
    by_date = f["date_only"][at] & (start % DAY == 0)
    return _Rows(
        drug, whose, at, start, end, f["amount_mg"][at] * part, f["weight_kg"][at], by_date
    )


def _cumulative(parts: list[_Rows], factors: Mapping[str, float]) -> Cumulative:
    """Return the cumulative mg/kg of prednisolone, from rows with a known amount and weight."""
    owner, start, end, mg = (
        np.concatenate(list(columns))
        for columns in zip(
            *((p.owner, p.start, p.end, p.mg * factors[p.drug] / p.kg) for p in parts), strict=True
        )
    )
    known = ~np.isnan(mg)
    lasting, single = known & (end > start), known & (end <= start)
    hours = (end - start) / (DAY / 24)
    row = np.arange(len(owner))
    return Cumulative.build(
        overlay(owner[lasting], start[lasting], end[lasting], (mg / np.maximum(hours, 1e-12))[lasting], row[lasting]),
        Points.of_doses(owner[single], start[single], mg[single]),
    )  # fmt: skip


def _high_dose(
    parts: list[_Rows], factors: Mapping[str, float], cohort: Frame, rule: Refractory
) -> tuple[dict[tuple[str, int], int], set[int]]:
    """Return when each high-dose glucocorticoid began, by drug and row of the cohort.

    If none reached the dose alone but all together did, each one that was administered meanwhile
    counts. Returned with it: the persons with doses that are not all known.
    """
    unsure = {int(i) for part in parts for i in part.owner[np.isnan(part.mg / part.kg)].tolist()}
    began = {
        (part.drug, i): int(stretch.start[0])
        for part in parts
        for i, stretch in _high([part], factors, cohort, rule).items()
    }
    alone = {i for _, i in began}
    for i, stretch in _high(parts, factors, cohort, rule).items():
        for part in parts if i not in alone else ():
            own = part.owner == i
            inside = stretch.overlaps(
                part.owner[own], part.start[own], np.maximum(part.end[own], part.start[own] + 1)
            )
            if len(inside[0]):
                began[part.drug, i] = int(stretch.start[0])
    return began, unsure


def _high(
    parts: list[_Rows], factors: Mapping[str, float], cohort: Frame, rule: Refractory
) -> dict[int, Intervals]:
    """Return when the doses were high for long enough, by row of the cohort."""
    if not any(len(part.rows) for part in parts):
        return {}
    edge = rule.glucocorticoid_mg_kg_day - _JUST_BELOW
    high = _cumulative(parts, factors).bands(DAY, (edge,)).where(lambda low, _: low >= 1)
    everyone = np.arange(len(cohort), dtype=np.int32)
    window = Intervals.build(everyone, cohort["t0"] - rule.within.us, cohort["t0"])
    lasting = high.bridge(rule.bridge.us).clip(window).at_least(rule.glucocorticoid_for.us)
    return {int(i): lasting.take(lasting.person == i) for i in np.unique(lasting.person).tolist()}


def _peak(rows: _Rows, factors: Mapping[str, float], persons: int) -> npt.NDArray[np.float64]:
    """Return the highest 24 h of a glucocorticoid; NaN for other drugs or if a dose is not known."""
    peak = np.full(persons, np.nan)
    if rows.drug in factors:
        who = np.unique(rows.owner)
        peak[who] = _cumulative([rows], factors).max_within(who, DAY)[0]
        peak[rows.owner[np.isnan(rows.mg / rows.kg)]] = np.nan
    return rounded(peak)


def _course(rows: _Rows, own: npt.NDArray[np.bool_], gap: int) -> npt.NDArray[np.bool_]:
    """Return the rows of the last course: back from t0 until a gap is longer than `gap`."""
    brief = np.maximum(rows.end[own], rows.start[own] + 1)
    stretches = Intervals.build(rows.owner[own], rows.start[own], brief).bridge(gap)
    course: npt.NDArray[np.bool_] = own & (rows.start >= stretches.start[-1])
    return course


def _tried(
    drug: Drug, begun: int, t0: int, rule: Refractory, *, high: int | None, unsure: bool
) -> tuple[bool | None, int]:
    """Return whether a therapy was sufficient, by dose or by time, and when it began."""
    if drug.prednisolone_equivalent is not None:
        return (True, high) if high is not None else (None if unsure else False, begun)
    return t0 - rule.within.us <= begun <= t0 - rule.begun_before.us, begun


def _latest_start(rows: _Rows, course: npt.NDArray[np.bool_], since: int, t0: int) -> int:
    """Return the last moment of the day on which a treatment began, if only its date is known."""
    day = since - since % DAY
    by_date = course & rows.date_only & (rows.start == day)
    return min(day + DAY - 1, t0) if by_date.any() else since


class _Question(NamedTuple):
    cohort: Frame
    row: int
    since: int


def _failed(
    tried: bool | None, asked: _Question, events: Events, protocol: Protocol
) -> dict[str, Any]:
    """Return whether the therapy failed, and the reason for this answer."""
    if tried is False:
        return {"refractory": False, "reason": "not given at that dose or in that time"}
    points = events.points("ferritin")
    look_back = vocabulary.load().variable("ferritin").valid.us
    person = asked.cohort["person"][[asked.row]]

    def ferritin(moment: int) -> Draws:
        end = np.array([moment])
        return last(points, *within(points, person, end - look_back, end))

    before, after = ferritin(asked.since), ferritin(int(asked.cohort["t0"][asked.row]))
    if not before.found[0] or not after.found[0] or after.drawn[0] <= before.drawn[0]:
        return {"refractory": None, "reason": "no ferritin at its beginning or at time zero"}
    kept = 1 - protocol.refractory.ferritin_fall
    if float(rounded(after.high[0] / before.low[0])) <= kept:
        return {"refractory": False, "reason": "ferritin fell"}
    if float(rounded(after.low[0] / before.high[0])) <= kept:
        return {"refractory": None, "reason": "ferritin is known as a bound only"}
    if tried is None:
        return {"refractory": None, "reason": "a dose or a weight is not known, or ambiguous"}
    return {"refractory": True, "reason": "ferritin did not fall"}


def _outlives(protocol: Protocol) -> dict[str, int]:
    """Return for how long each drug may explain a response after its last dose, in µs."""
    longest: dict[str, int] = {}
    for rule in protocol.confounder:
        for name in rule.drugs:
            longest[name] = max(longest.get(name, 0), -rule.from_.us)
    return longest


def measure(given: StageInput) -> Frame:
    """Fill the table `previous_therapy`."""
    return previous_therapy(
        given.cohort, given.patients.events, given.patients.doses, given.protocol
    )


STAGES: Final = (Stage(PREVIOUS_THERAPY, measure),)
