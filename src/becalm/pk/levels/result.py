"""What `becalm levels` and `bc.pk.update` return: tables of levels, of what was learned, of curves, doses and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any

from becalm import tables
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.pk.levels.course import PkDose, TreatmentCourse
from becalm.pk.levels.predicting import PredictedLevel, Prediction
from becalm.pk.levels.scores import MethodScore, compared, scores
from becalm.pk.levels.updating import PAST, CourseUpdate
from becalm.pk.model import PkModel
from becalm.pk.rows import parameter_rows
from becalm.pk.simulation import NOT_ADVICE


@dataclass(frozen=True, eq=False)
class UpdatedCourse:
    """A course of one person with its place. start : of hour 0, µs, or None. update : None where it was `refused`."""

    person_id: str
    number: int
    start: int | None
    course: TreatmentCourse
    update: CourseUpdate | None
    refused: str = ""

    def time(self, hours: float) -> int:
        """Return the moment of an hour, µs; unknown where only hours were given."""
        return UNKNOWN_TIME if self.start is None else self.start + round(hours * HOUR)


@dataclass(frozen=True, eq=False)
class LevelUpdate:
    """Patients who were updated by their levels. Simulated, not a dosing recommendation.

    levels, updates, curves, doses, scores : the tables `levels`, `level_updates`, `level_curves`, `level_doses` and
    `level_scores` (`becalm.tables`). parameters : the table `model_parameters`. remarks : on the model.
    """

    model: PkModel
    courses: tuple[UpdatedCourse, ...]
    levels: Frame
    updates: Frame
    curves: Frame
    doses: Frame
    scores: Frame
    parameters: Frame
    remarks: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notice: str = NOT_ADVICE

    @property
    def frames(self) -> dict[str, Frame]:
        """The tables by name."""
        return {
            "levels": self.levels,
            "level_updates": self.updates,
            "level_curves": self.curves,
            "level_doses": self.doses,
            "level_scores": self.scores,
            "model_parameters": self.parameters,
        }

    def __repr__(self) -> str:
        return f"<{self.model.name}: {len(self.levels)} levels in {len(self.courses)} courses. {self.notice}>"


def of_courses(
    model: PkModel,
    courses: Sequence[UpdatedCourse],
    remarks: Sequence[str],
    settings: Mapping[str, Any],
) -> LevelUpdate:
    """Return the tables of some courses."""
    ordered = tuple(sorted(courses, key=lambda each: (each.person_id, each.number)))
    done = [(each.person_id, each.update.levels) for each in ordered if each.update is not None]
    frame = Frame.of_rows
    return LevelUpdate(
        model,
        ordered,
        frame(tables.LEVELS, [row for each in ordered for row in _level_rows(each)]),
        frame(tables.LEVEL_UPDATES, [_update_row(each) for each in ordered]),
        frame(tables.LEVEL_CURVES, [row for each in ordered for row in _curve_rows(each)]),
        frame(
            tables.LEVEL_DOSES,
            [_dose_row(each, dose) for each in ordered for dose in each.course.doses],
        ),
        frame(tables.LEVEL_SCORES, [_score_row(each) for each in scores(compared(done))]),
        frame(tables.MODEL_PARAMETERS, parameter_rows(model)),
        tuple(remarks),
        dict(settings),
    )


def _level_rows(each: UpdatedCourse) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    last = nan
    for at, level in enumerate(each.course.levels):
        dose = each.course.last_dose(level.hours)
        row: dict[str, Any] = {
            "person_id": each.person_id, "course": each.number, "hours": level.hours, "time": each.time(level.hours),
            "low": level.low, "high": level.high, "last_level": last, "source_row": level.row,
            "since_dose_h": nan if dose is None else level.hours - dose.hours,
            "last_dose_mg": nan if dose is None else dose.amount,
            "used": False, "reason": each.refused,
        }  # fmt: skip
        if each.update is not None:
            seen = each.update.levels[at]
            row |= {"used": seen.used, "reason": each.update.reasons[at], **_predictions(seen)}
            if not seen.refusal and level.exact:
                last = level.low
        found.append(row)
    return found


def _predictions(seen: PredictedLevel) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in (("model", seen.prior), ("fixed", seen.fixed), ("walk", seen.walk)):
        if each is not None:
            found |= _quantiles(name, each)
            found[f"crps_{name}"] = each.score
    if seen.walk is not None:
        found |= {"innovation": seen.walk.innovation, "draws_worth": seen.walk.effective}
    return found


def _quantiles(name: str, of: Prediction) -> dict[str, float]:
    return {f"{name}_p05": of.low, f"{name}_p50": of.middle, f"{name}_p95": of.high}


def _update_row(each: UpdatedCourse) -> dict[str, Any]:
    course = each.course
    row: dict[str, Any] = {
        "person_id": each.person_id, "course": each.number,
        "start": UNKNOWN_TIME if each.start is None else each.start,
        "doses": len(course.doses), "levels": len(course.levels), "levels_used": 0,
        "hours": course.end,
        "remarks": "|".join(_remarks(each)),
    }  # fmt: skip
    if each.update is None:
        return row
    learned = each.update.learned
    return row | {
        "hours": each.update.now,
        "levels_used": sum(one.used for one in each.update.levels),
        "clearance_model": learned.model,
        "clearance_before_p05": learned.prior[0],
        "clearance_before_p95": learned.prior[2],
        **{
            f"clearance_{name}": value
            for name, value in zip(("p05", "p50", "p95"), learned.now, strict=True)
        },
        "clearance_fixed": learned.fixed,
        "central_volume_fixed": learned.volume,
        "shrinkage": learned.shrinkage,
        "draws_worth": learned.effective,
    }


def _remarks(each: UpdatedCourse) -> list[str]:
    found = [each.refused, *each.course.remarks, *(each.update.remarks if each.update else ())]
    return [remark for remark in found if remark]


def _curve_rows(each: UpdatedCourse) -> list[dict[str, Any]]:
    if each.update is None:
        return []
    now = each.update.now
    return [
        {"person_id": each.person_id, "course": each.number, "future": point.future,
         "hours": point.hours + (0.0 if point.future == PAST else now),
         **dict(zip(("p05", "p25", "p50", "p75", "p95"), point.band, strict=True))}
        for point in each.update.curves
    ]  # fmt: skip


def _dose_row(each: UpdatedCourse, dose: PkDose) -> dict[str, Any]:
    return {
        "person_id": each.person_id, "course": each.number, "hours": dose.hours, "time": each.time(dose.hours),
        "mg": dose.amount, "over_h": nan if isnan(dose.amount) else dose.over, "route": dose.route,
        "origin": dose.origin, "source_row": dose.row,
    }  # fmt: skip


def _score_row(score: MethodScore) -> dict[str, Any]:
    return {
        "method": score.method, "levels": score.levels, "persons": score.persons, "crps": score.crps,
        "fold_error": score.fold, "coverage": score.coverage, "walk_ratio": score.walk_ratio,
        "walk_ratio_low": score.low, "walk_ratio_high": score.high,
    }  # fmt: skip
