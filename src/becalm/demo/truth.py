"""The truth about every planted patient, to check a study with. No study reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from becalm.demo.charting import segments, total_mg
from becalm.demo.planted import (
    all_entries,
    anchors,
    at,
    calendar,
    infusion_steps,
)
from becalm.demo.tidy import HOUR

_ANAKINRA = ("anakinra", "kineret")
_BAND_MG_H = 50
"""1,200 mg/day: the upper dose band of the study's protocol."""


def truth_text(persons: int, seed: int) -> str:
    """Return `truth.json`: the planted patients, each with what a study should find."""
    planted = [_of(file, entry) for file, entry in all_entries()]
    whole = {
        "note": "Invented patients. None of them is one of the five published patients.",
        "illustrative": True,
        "persons": persons,
        "seed": seed,
        "planted": planted,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _of(file: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "person_id": entry["id"],
        "group": file,
        "sex": entry["sex"],
        "age": entry["age"],
        "background": entry["background"],
        "outcome": entry["outcome"],
        **_truth_with_times(entry),
    }
    known["died"] = _time(entry, entry["death"]) if "death" in entry else None
    if "cause_of_death" in entry:
        known["cause_of_death"] = entry["cause_of_death"].split("|")
    if file != "mimics":
        known["t0"] = _time(entry, 0)
        known["anakinra"] = _anakinra(entry)
    if file == "illustrative":
        known["failed_before"] = entry["failed_before"]
        known["first_route"] = entry["first_route"]
        known["response"] = _response(entry)
    return known


def _time(entry: Mapping[str, Any], hours: float) -> str:
    return calendar(at(entry, hours)).isoformat()


def _truth_with_times(entry: Mapping[str, Any]) -> dict[str, Any]:
    truth = dict(entry["truth"])
    if "hscore_at" in truth:
        truth["hscore_at_hours"] = truth["hscore_at"]
        truth["hscore_at"] = _time(entry, truth["hscore_at"])
    return truth


def _anakinra(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first doses, the rates by hour and the mg of both; maintenance stands apart."""
    first = maintenance = 0.0
    for given in entry.get("doses", []):
        if (
            not given["drug"].lower().startswith(_ANAKINRA)
            or given.get("status", "given") != "given"
        ):
            continue
        mg = given["amount"] * given.get("times", 1)
        if given.get("indication") == "maintenance":
            maintenance += mg
        else:
            first += mg
    infusions = [i for i in entry.get("infusions", []) if i["drug"] in _ANAKINRA]
    known: dict[str, Any] = {"first_doses_mg": first, "maintenance_mg": maintenance}
    if infusions:
        (infusion,) = infusions
        steps = infusion_steps(entry, infusion)
        high = [(a, b) for a, b, rate, _ in segments(steps) if rate >= _BAND_MG_H]
        known |= {
            "infusion_start": _time(entry, infusion["steps"][0][0]),
            "rate_mg_h_from_hour": infusion["steps"],
            "peak_mg_h": max(rate for _, rate in steps),
            "written_as": infusion["written"],
            "continuous_mg": total_mg(steps),
            "total_mg": first + total_mg(steps),
            "days_at_50_mg_h_or_more": round(sum(b - a for a, b in high) / HOUR / 24, 2),
        }
    return known


def _response(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return ferritin and AST at baseline and near 48 h of both clocks, with the ratio."""
    start = entry["infusions"][0]["steps"][0][0]
    return {
        f"{variable}_{clock}": _ratio(anchors(entry, variable), origin)
        for variable in ("ferritin", "ast")
        for clock, origin in (("t0", 0.0), ("infusion_start", float(start)))
    }


def _ratio(series: list[tuple[float, float, str]], origin: float) -> dict[str, Any]:
    before = [a for a in series if origin - 48 <= a[0] <= origin]
    after = [a for a in series if origin + 30 < a[0] <= origin + 54]
    baseline = before[-1]
    then = min(after, key=lambda a: abs(a[0] - origin - 48))
    return {
        "baseline": baseline[1],
        "baseline_bound": baseline[2],
        "h48": then[1],
        "h48_hours": then[0],
        "ratio": round(then[1] / baseline[1], 4),
    }
