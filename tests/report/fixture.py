"""Five invented persons as a finished study, so that the report can be tested by itself.

Values follow the built-in illustrative series; everything is invented.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from becalm import definitions, protocol, tables
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, parse
from becalm.core.frame import Frame, Kind
from becalm.records import Absent, InputFile, StudyInfo
from becalm.study.result import StudyResult
from becalm.tables import (
    COURSES,
    DAILY_DOSE,
    DOSE_REMARKS,
    DOSE_STEPS,
    DOSES,
    EPISODES,
    ESCALATIONS,
    TIME_AT_DOSE,
)

Row = dict[str, Any]
NAN = math.nan


@dataclass(frozen=True)
class Person:
    """One invented person, in the terms of a chart review; hours are from t0."""

    id: str
    sex: str
    age: int
    kg: float
    underlying: str
    prior: tuple[tuple[str, str, float, float, int], ...]  # drug, class, first h, last h, doses
    singles: tuple[tuple[float, str, float], ...]  # hour, route, mg of anakinra
    rates: tuple[tuple[float, float], ...]  # hour, mg/h; the last one ends the infusion
    infusion_start: float
    high_rate: float
    labs: Mapping[str, tuple[tuple[float, str], ...]]
    hscore: tuple[int, int, str, int]
    points: tuple[tuple[str, str, float, float, str], ...]  # item, state, low, high, value
    kdigo: tuple[int, int]
    cells: Mapping[str, tuple[int, int]]
    follow_up: float
    death: float = NAN
    cause: str = ""
    response: Mapping[str, str] = field(default_factory=dict)
    confounded: str = ""
    maintenance: str = ""


def _items(
    *rows: tuple[str, str, float, float, str],
) -> tuple[tuple[str, str, float, float, str], ...]:
    return rows


MET, NOT, UNKNOWN = "met", "not met", "not assessed"
UNITS = {"ferritin": "ng/mL", "ast": "U/L", "alt": "U/L", "crp": "mg/L", "platelets": "10^9/L",
         "creatinine": "mg/dL", "fibrinogen": "g/L"}  # fmt: skip

PERSONS = (
    Person(
        "ILL-1", "F", 38, 61, "sle",
        (("methylprednisolone", "glucocorticoid", -150, -4, 6), ("ivig", "immunoglobulin", -96, -72, 2),
         ("cyclophosphamide", "alkylating", -120, -120, 1)),
        ((0, "IV", 100), (6, "IV", 100)),
        ((10, 25), (22, 50), (34, 100), (96, 50), (120, 25), (144, 0)), 10, 34,
        {"ferritin": ((-60, "6,800"), (-30, "11,000"), (-4, "14,200"), (23, "11,900"), (47, "7,400"), (71, "5,100"), (168, "1,650"), (260, "900")),
         "ast": ((-4, "412"), (22, "350"), (47, "214"), (71, "150"), (168, "61")),
         "alt": ((-4, "300"), (22, "280"), (47, "190"), (71, "141"), (168, "70")),
         "crp": ((-4, "180"), (22, "150"), (47, "80"), (168, "12")),
         "platelets": ((-4, "54"), (22, "50"), (47, "61"), (71, "80"), (168, "112")),
         "creatinine": ((-120, "0.7"), (-4, "0.8"), (22, "1.0"), (47, "1.2"), (71, "1.1"), (168, "0.8")),
         "fibrinogen": ((-4, "1.6"), (47, "2.0"), (168, "2.6"))},
        (267, 302, ">99", 8),
        _items(("immunosuppression", MET, 18, 18, "yes"), ("temperature", MET, 49, 49, "39.6"), ("organomegaly", MET, 23, 38, "spleen"),
               ("cytopenias", MET, 34, 34, "3"), ("ferritin", MET, 50, 50, "14200"), ("triglycerides", MET, 44, 44, "3.4"),
               ("fibrinogen", MET, 30, 30, "1.6"), ("ast", MET, 19, 19, "412"), ("haemophagocytosis", UNKNOWN, 0, 35, "")),
        (0, 1), {"neutropenia": (1, 3), "thrombocytopenia": (2, 3), "anaemia": (2, 2), "leucopenia": (2, 2), "ast": (4, 3), "alt": (3, 3)},
        412, response={"t0": "responded", "infusion_start": "responded"}, confounded="methylprednisolone|ivig|cyclophosphamide", maintenance="anakinra",
    ),
    Person(
        "ILL-2", "F", 41, 74, "sle",
        (("methylprednisolone", "glucocorticoid", -170, 40, 9), ("ciclosporin", "calcineurin inhibitor", -140, 20, 14)),
        ((0, "SC", 100), (24, "SC", 100)),
        ((26, 25), (32, 50), (38, 100), (206, 50), (230, 25), (254, 0)), 26, 38,
        {"ferritin": ((-40, "9,200"), (-5, "18,000"), (20, "24,500"), (46, "17,100"), (72, "11,300"), (168, "3,100")),
         "ast": ((-5, "286"), (20, "301"), (46, "241"), (72, "180"), (168, "70")),
         "alt": ((-5, "210"), (20, "230"), (46, "180"), (168, "66")),
         "crp": ((-5, "140"), (20, "151"), (46, "110"), (168, "20")),
         "platelets": ((-5, "88"), (20, "71"), (46, "84"), (168, "131")),
         "creatinine": ((-100, "0.9"), (-5, "1.0"), (20, "1.4"), (46, "2.1"), (72, "1.9"), (168, "1.1")),
         "fibrinogen": ((-5, "2.2"), (46, "2.4"))},
        (194, 267, "80 to >99", 6),
        _items(("immunosuppression", MET, 18, 18, "yes"), ("temperature", MET, 33, 33, "39.1"), ("organomegaly", UNKNOWN, 0, 38, ""),
               ("cytopenias", NOT, 0, 0, "1"), ("ferritin", MET, 50, 50, "18000"), ("triglycerides", MET, 44, 44, "2.9"),
               ("fibrinogen", MET, 30, 30, "2.2"), ("ast", MET, 19, 19, "286"), ("haemophagocytosis", UNKNOWN, 0, 35, "")),
        (0, 2), {"neutropenia": (0, 0), "thrombocytopenia": (1, 2), "anaemia": (2, 2), "leucopenia": (0, 0), "ast": (3, 3), "alt": (3, 2)},
        655, response={"t0": "responded", "infusion_start": "responded"}, confounded="ciclosporin", maintenance="anakinra",
    ),
    Person(
        "ILL-3", "M", 39, 82, "aosd",
        (("methylprednisolone", "glucocorticoid", -120, -6, 5), ("tocilizumab", "IL-6", -144, -144, 1), ("ciclosporin", "calcineurin inhibitor", -90, -2, 8)),
        ((0, "IV", 100),),
        ((2, 50), (8, 100), (56, 50), (80, 25), (104, 0)), 2, 8,
        {"ferritin": ((-26, "48,000"), (-2, "62,000"), (24, "49,000"), (47, "27,500"), (72, "18,900"), (168, "4,200")),
         "ast": ((-2, "188"), (24, "150"), (47, "96"), (168, "40")),
         "alt": ((-2, "160"), (24, "140"), (47, "101"), (168, "51")),
         "crp": ((-2, "22"), (24, "15"), (47, "<5"), (168, "<5")),
         "platelets": ((-2, "132"), (24, "118"), (47, "150"), (168, "240")),
         "creatinine": ((-2, "1.7"), (24, "1.9"), (47, "1.5"), (168, "1.0")),
         "fibrinogen": ((-2, "1.9"), (47, "2.4"))},
        (248, 248, "99 to >99", 9),
        _items(("immunosuppression", MET, 18, 18, "yes"), ("temperature", MET, 49, 49, "39.8"), ("organomegaly", MET, 38, 38, "both"),
               ("cytopenias", NOT, 0, 0, "0"), ("ferritin", MET, 50, 50, "62000"), ("triglycerides", MET, 44, 44, "2.1"),
               ("fibrinogen", MET, 30, 30, "1.9"), ("ast", MET, 19, 19, "188"), ("haemophagocytosis", NOT, 0, 0, "no")),
        (1, 1), {"neutropenia": (0, 0), "thrombocytopenia": (1, 1), "anaemia": (1, 2), "leucopenia": (0, 0), "ast": (3, 2), "alt": (3, 2)},
        803, response={"t0": "responded", "infusion_start": "responded"}, confounded="tocilizumab|ciclosporin", maintenance="canakinumab",
    ),
    Person(
        "ILL-4", "F", 64, 58, "",
        (("methylprednisolone", "glucocorticoid", -96, -8, 4), ("ivig", "immunoglobulin", -72, -60, 2)),
        ((0, "IV", 100), (6, "IV", 100), (12, "IV", 100), (18, "IV", 100)),
        ((24, 12.5), (30, 25), (36, 50), (42, 100), (336, 50), (408, 25), (480, 0)), 24, 42,
        {"ferritin": ((-30, "32,000"), (-3, ">40,000"), (22, ">40,000"), (46, "24,600"), (70, "15,200"), (168, "5,300"), (300, "2,900"), (480, "6,400")),
         "ast": ((-3, "640"), (22, "500"), (46, "270"), (168, "88")),
         "alt": ((-3, "410"), (22, "380"), (46, "220"), (168, "75")),
         "crp": ((-3, "301"), (22, "240"), (46, "120"), (168, "40"), (468, "220")),
         "platelets": ((-3, "31"), (22, "28"), (46, "25"), (168, "58")),
         "creatinine": ((-90, "0.8"), (-3, "1.9"), (46, "2.6"), (120, "3.1"), (168, "3.4"), (192, "2.2")),
         "fibrinogen": ((-3, "1.1"), (46, "1.4"))},
        (288, 303, ">99", 9),
        _items(("immunosuppression", NOT, 0, 0, "no"), ("temperature", MET, 33, 33, "38.9"), ("organomegaly", MET, 23, 38, "spleen"),
               ("cytopenias", MET, 34, 34, "3"), ("ferritin", MET, 50, 50, ">40000"), ("triglycerides", MET, 64, 64, "4.6"),
               ("fibrinogen", MET, 30, 30, "1.1"), ("ast", MET, 19, 19, "640"), ("haemophagocytosis", MET, 35, 35, "yes")),
        (2, 3), {"neutropenia": (2, 3), "thrombocytopenia": (3, 4), "anaemia": (3, 3), "leucopenia": (3, 3), "ast": (4, 4), "alt": (4, 3)},
        24.3, death=24.3, cause="infection", response={"t0": "responded", "infusion_start": "responded"}, confounded="ivig",
    ),
    Person(
        "ILL-5", "F", 38, 66, "uctd",
        (("methylprednisolone", "glucocorticoid", -110, 60, 8), ("ivig", "immunoglobulin", -60, -36, 2), ("cyclophosphamide", "alkylating", -48, -48, 1)),
        ((0, "SC", 100), (12, "SC", 100)),
        ((20, 25), (26, 50), (32, 100), (144, 0), (147, 100), (262, 0)), 20, 32,
        {"ferritin": ((-3, "31,000"), (18, "38,500"), (46, "47,000"), (70, "66,000"), (168, "118,000")),
         "ast": ((-3, "890"), (18, "1,100"), (46, "2,050"), (168, "3,900")),
         "alt": ((-3, "610"), (18, "700"), (46, "980"), (168, "1,400")),
         "crp": ((-3, "220"), (18, "210"), (46, "240"), (168, "260")),
         "platelets": ((-3, "22"), (18, "20"), (46, "18"), (168, "14")),
         "creatinine": ((-80, "0.6"), (-3, "1.5"), (18, "1.9"), (46, "2.4"), (110, "3.2")),
         "fibrinogen": ((-3, "1.3"), (46, "0.9"))},
        (207, 306, "88 to >99", 7),
        _items(("immunosuppression", MET, 18, 18, "yes"), ("temperature", MET, 33, 33, "39.0"), ("organomegaly", MET, 23, 23, "liver"),
               ("cytopenias", MET, 34, 34, "3"), ("ferritin", MET, 50, 50, "31000"), ("triglycerides", UNKNOWN, 0, 64, ""),
               ("fibrinogen", MET, 30, 30, "1.3"), ("ast", MET, 19, 19, "890"), ("haemophagocytosis", UNKNOWN, 0, 35, "")),
        (2, 3), {"neutropenia": (2, 3), "thrombocytopenia": (4, 4), "anaemia": (2, 3), "leucopenia": (1, 2), "ast": (4, 4), "alt": (4, 4)},
        10.9, death=10.9, cause="multi-organ failure|infection", response={"t0": "did not respond", "infusion_start": "did not respond"}, confounded="methylprednisolone|cyclophosphamide",
    ),
)  # fmt: skip

T0 = parse("2017-03-04T14:20")[0]
OTHER = {
    "hlh2004": ("fever", "splenomegaly", "cytopenias", "triglycerides_or_fibrinogen",
                "haemophagocytosis", "nk_activity", "ferritin", "scd25"),
    "mas2016": ("fever", "ferritin", "platelets", "ast", "triglycerides", "fibrinogen"),
}  # fmt: skip


def _t0(i: int) -> int:
    return T0 + i * 97 * DAY + i * 3 * HOUR


def _at(i: int, hours: float) -> int:
    return UNKNOWN_TIME if math.isnan(hours) else _t0(i) + round(hours * HOUR)


def _bounds(text: str) -> tuple[float, float]:
    number = float(text.lstrip("<>").replace(",", ""))
    if text.startswith(">"):
        return math.nextafter(number, math.inf), math.inf
    if text.startswith("<"):
        return -math.inf, math.nextafter(number, -math.inf)
    return number, number


def _each(persons: tuple[Person, ...], rows: Callable[[int, Person], Iterator[Row]]) -> list[Row]:
    return [row for i, person in enumerate(persons) for row in rows(i, person)]


def _frame(schema: Mapping[str, Kind], rows: list[Row]) -> Frame:
    return Frame.of_rows(schema, rows)


def _nearest(
    labs: tuple[tuple[float, str], ...], low: float, high: float, at: float
) -> tuple[int, tuple[float, str]] | None:
    found = [(i, lab) for i, lab in enumerate(labs) if low <= lab[0] <= high]
    return min(found, key=lambda pair: abs(pair[1][0] - at)) if found else None


def _number(text: str) -> float:
    return float(text.lstrip("<>").replace(",", ""))


def _response(i: int, p: Person) -> Iterator[Row]:
    for clock, origin in (
        ("t0", 0.0),
        ("infusion_start", p.infusion_start),
        ("high_rate", p.high_rate),
    ):
        for variable, labs in p.labs.items():
            base = _nearest(labs, origin - 48, origin, origin)
            h24 = _nearest(labs, origin + 12, origin + 30, origin + 24)
            h48 = _nearest(labs, origin + 30.01, origin + 54, origin + 48)
            h72 = _nearest(labs, origin + 54.01, origin + 84, origin + 72)
            d7 = _nearest(labs, origin + 132, origin + 192, origin + 168)
            signs = "|".join(
                f"{name}{found[1][1][0]}"
                for name, found in (("baseline", base), ("h24", h24), ("h48", h48), ("d7", d7))
                if found and found[1][1][0] in "<>"
            )
            ratio = _number(h48[1][1]) / _number(base[1][1]) if base and h48 else NAN
            status = "no sample" if math.isnan(ratio) else "fell" if ratio < 1 else "did not fall"
            if "baseline>" in signs and ratio < 1:
                status = "at least"
            yield {
                "person_id": p.id, "variable": variable, "clock": clock,
                "baseline": _number(base[1][1]) if base else None,
                "baseline_time": _at(i, base[1][0]) if base else None,
                "peak": max((_number(v) for h, v in labs if origin - 72 <= h <= origin), default=None),
                "h24": _number(h24[1][1]) if h24 else None,
                "h48": _number(h48[1][1]) if h48 else None,
                "h48_time": _at(i, h48[1][0]) if h48 else None,
                "h72": _number(h72[1][1]) if h72 else None,
                "d7": _number(d7[1][1]) if d7 else None,
                "ratio_48h": ratio, "censored": signs, "status": status,
                "confounded_by": p.confounded,
                "modified_by": "tocilizumab" if variable == "crp" and i == 2 else "",
                "unit": UNITS[variable],
                "source_row": "|".join(
                    _key(p, variable, found[0]) for found in (base, h48) if found
                ),
            }  # fmt: skip


def _number_of(p: Person) -> int:
    return int(p.id.removeprefix("ILL-"))


def _key(p: Person, variable: str, n: int) -> str:
    return f"labs:{1000 * _number_of(p) + 100 * list(p.labs).index(variable) + n}"


def _series(i: int, p: Person) -> Iterator[Row]:
    for variable, labs in p.labs.items():
        for n, (hour, text) in enumerate(labs):
            low, high = _bounds(text)
            yield {
                "person_id": p.id, "variable": variable, "time": _at(i, hour),
                "hours_from_t0": hour, "low": low, "high": high, "unit": UNITS[variable],
                "source_row": _key(p, variable, n),
            }  # fmt: skip


def _steps(i: int, p: Person) -> Iterator[Row]:
    base: Row = {"person_id": p.id}
    number = _number_of(p)
    for n, (hour, route, mg) in enumerate(p.singles):
        yield base | {
            "drug": "anakinra", "drug_class": "IL-1", "route": route, "start": _at(i, hour),
            "end": _at(i, hour), "hours_from_t0": hour, "end_hours_from_t0": hour, "amount": mg, "unit": "mg",
            "label": "anakinra 100 mg", "source_row": f"doses:{number}0{n}",
        }  # fmt: skip
    for n, ((start, rate), (end, _)) in enumerate(zip(p.rates, p.rates[1:], strict=False)):
        if rate > 0:
            yield base | {
                "drug": "anakinra", "drug_class": "IL-1", "route": "continuous IV",
                "start": _at(i, start), "end": _at(i, end), "hours_from_t0": start, "end_hours_from_t0": end,
                "rate": rate, "unit": "mg", "label": "anakinra infusion", "source_row": f"doses:{number}1{n}",
            }  # fmt: skip
    for k, (drug, kind, first, last, doses) in enumerate(p.prior):
        for n, hour in enumerate(np.linspace(first, last, doses).tolist()):
            yield base | {
                "drug": drug, "drug_class": kind, "route": "IV", "start": _at(i, hour),
                "end": _at(i, hour), "hours_from_t0": hour, "end_hours_from_t0": hour, "amount": 500.0, "unit": "mg",
                "label": f"{drug} as written", "source_row": f"doses:{number}{2 + k}{n:02d}",
            }  # fmt: skip


def _prior(i: int, p: Person) -> Iterator[Row]:
    number = _number_of(p)
    for k, (drug, kind, first, last, doses) in enumerate(p.prior):
        yield {
            "person_id": p.id, "drug": drug, "drug_class": kind, "first": _at(i, first),
            "last": _at(i, last), "doses": doses, "hours_before_t0": -first,
            "source_row": "|".join(f"doses:{number}{2 + k}{n:02d}" for n in range(doses)),
        }  # fmt: skip


def _lines(i: int, p: Person) -> Iterator[Row]:
    for row in _prior(i, p):
        steroid = row["drug_class"] == "glucocorticoid"
        failed = None if row["drug"] == "tocilizumab" else row["drug"] != "cyclophosphamide"
        yield {
            **{name: value for name, value in row.items() if name != "hours_before_t0"},
            "begun": row["first"], "peak_equivalent": 20.5 if steroid else None, "refractory": failed,
            "reason": {None: "ferritin: no two values", True: "ferritin did not fall",
                       False: "not given at that dose or in that time"}[failed],
        }  # fmt: skip


def _daily(i: int, p: Person) -> Iterator[Row]:
    """Yield milligrams of the drug in each 24 h from t0, from the planted hours."""
    spans = [(a, b, r * (b - a)) for (a, r), (b, _) in zip(p.rates, p.rates[1:], strict=False)]
    spans += [(hour, hour, mg) for hour, _, mg in p.singles]
    for day in range(1, math.ceil(p.rates[-1][0] / 24) + 1):
        low, high = 24 * (day - 1), 24 * day
        mg = sum(
            whole * (min(b, high) - max(a, low)) / (b - a) if b > a else whole
            for a, b, whole in spans
            if (a < high and b > low) or (a == b and low <= a < high)
        )
        yield {
            "person_id": p.id, "drug": "anakinra", "day": day, "mg": mg, "mg_per_kg": mg / p.kg,
            "weight_used": p.kg, "amount_canonical": mg, "unit_canonical": "mg",
        }  # fmt: skip


def _ups(i: int, p: Person) -> Iterator[Row]:
    last, step = p.infusion_start, 0
    for (_, before), (hour, rate) in zip(p.rates, p.rates[1:], strict=False):
        if rate > before > 0:
            step += 1
            yield {
                "person_id": p.id, "drug": "anakinra", "episode_start": _at(i, p.infusion_start),
                "step_in_episode": step, "direction": "up", "time": _at(i, hour), "hours_from_t0": hour, "hours_from_start": hour - p.infusion_start,
                "hours_since_last": hour - last, "from_rate": before, "to_rate": rate,
                "to_rate_per_kg": rate / p.kg, "weight_used": p.kg, "ferritin": i > 2, "ast": False,
                "temperature": None, "vasopressor": i == 3, "crcl_ml_min": 31.0 if i == 3 else None,
                "rrt": i == 3,
            }  # fmt: skip
            last = hour


def _courses(i: int, p: Person) -> Iterator[Row]:
    top = max(rate for _, rate in p.rates)
    yield {
        "person_id": p.id, "drug": "anakinra",
        "modes": f"{'SC' if p.singles[0][1] == 'SC' else 'intermittent IV'} > continuous IV",
        "ceiling_per_day": 24 * top, "hours_to_ceiling": p.high_rate, "steps_up": len(list(_ups(i, p))),
        "hours_at_ceiling": sum(
            b - a for (a, r), (b, _) in zip(p.rates, p.rates[1:], strict=False) if r == top
        ),
    }  # fmt: skip


def _at_dose(i: int, p: Person) -> Iterator[Row]:
    yield {
        "person_id": p.id, "drug": "anakinra", "level_per_day": 2400.0, "unit_canonical": "mg",
        "first_reached": _at(i, p.high_rate), "hours_at_rate": 62.0 + i, "hours_at_24h": 38.0 + i,
    }  # fmt: skip


def _odd(i: int, p: Person) -> Iterator[Row]:
    step = next(row for row in _steps(i, p) if "rate" in row)
    yield {
        "person_id": p.id, "remark": "implausible rate", "detail": "implausible rate: 450 mg/h",
        "drug": "anakinra", "label": "anakinra infusion", "start": step["start"], "end": step["end"],
        "counted": i > 0, "source_row": step["source_row"],
    }  # fmt: skip


def _criteria(i: int, p: Person) -> Iterator[Row]:
    low, high, probability, assessed = p.hscore
    for moment in ("index", "peak_to_index", "peak_ever"):
        base: Row = {
            "person_id": p.id, "moment": moment, "time": _at(i, -4), "clock": "drawn",
            "first_met": _at(i, -30), "first_possible": _at(i, -60), "held_hours": 26.0,
        }  # fmt: skip
        yield base | {
            "criterion": "hscore", "low": low, "high": high, "status": "met", "items_total": 9,
            "items_assessed": assessed, "in_derivation_population": True, "verified": True,
            "low_unmodified": low - 44, "high_unmodified": high, "probability": probability,
        }  # fmt: skip
        for criterion, items in OTHER.items():
            states = [_state(p, item) for item in items]
            met, unknown = states.count(MET), states.count(UNKNOWN)
            cut = 5 if criterion == "hlh2004" else 1
            value = met if criterion == "hlh2004" else int(met >= 3)
            top = met + unknown if criterion == "hlh2004" else 1
            yield base | {
                "criterion": criterion, "low": value, "high": top, "items_total": len(items),
                "status": MET if value >= cut else NOT if top < cut else "undetermined",
                "items_assessed": len(items) - unknown, "low_unmodified": value,
                "high_unmodified": top, "verified": criterion != "mas2016",
                "in_derivation_population": criterion == "hlh2004",
            }  # fmt: skip


def _standings(i: int, p: Person) -> Iterator[Row]:
    """HScore open from 60 h before t0, met from 30 h before to 4 h before in two totals, then not."""
    low, high, *_ = p.hscore
    for start, end, least, most in ((-60, -30, 100, high), (-30, -20, low, high), (-20, -4, low, low), (-4, 20, 20, 60)):  # fmt: skip
        state = MET if least >= 169 else NOT if most < 169 else "undetermined"
        yield {"person_id": p.id, "criterion": "hscore", "start": _at(i, start),
               "end": _at(i, end), "low": least, "high": most, "status": state}  # fmt: skip


def _state(p: Person, item: str) -> str:
    known = {name: state for name, state, *_ in p.points}
    if item in {"nk_activity", "scd25"}:
        return UNKNOWN
    names = {"fever": "temperature", "splenomegaly": "organomegaly", "platelets": "cytopenias",
             "triglycerides_or_fibrinogen": "fibrinogen"}  # fmt: skip
    return known[names.get(item, item)]


def _criteria_items(i: int, p: Person) -> Iterator[Row]:
    lab = {"ferritin", "ast", "fibrinogen"}
    for moment in ("index", "peak_to_index", "peak_ever"):
        base: Row = {"person_id": p.id, "moment": moment}
        for item, state, low, high, value in p.points:
            yield base | {
                "criterion": "hscore", "item": item, "state": state, "points_low": low,
                "points_high": high, "time": _at(i, -4) if value else None,
                "value": _number(value) if value.lstrip(">").replace(".", "").isdigit() else None,
                "unit": UNITS.get(item, ""), "censored": ">" if value.startswith(">") else "",
                "modified_by": "propofol" if item == "triglycerides" and i == 0 else "",
                "source_row": _key(p, item, 0) if item in lab else "",
            }  # fmt: skip
        for criterion, items in OTHER.items():
            for item in items:
                state = _state(p, item)
                yield base | {
                    "criterion": criterion, "item": item, "state": state,
                    "points_low": float(state == MET), "points_high": float(state != NOT),
                }  # fmt: skip


def _rows(i: int, p: Person) -> Iterator[Row]:
    number = _number_of(p)
    yield {"source_row": f"persons:{number}", "person_id": p.id, "label": "person",
           "value": f"{p.sex}, {p.age} y, {p.kg} kg"}  # fmt: skip
    for variable, labs in p.labs.items():
        for n, (hour, text) in enumerate(labs):
            yield {
                "source_row": _key(p, variable, n), "person_id": p.id, "time": _at(i, hour),
                "label": variable.upper() if i % 2 else f"{variable}, serum",
                "value": text, "unit": UNITS[variable], "available": _at(i, hour + 1.5),
                "canonical": f"{text} {UNITS[variable]}",
            }  # fmt: skip
    for step in _steps(i, p):
        rate, amount = step.get("rate"), step.get("amount")
        yield {
            "source_row": step["source_row"], "person_id": p.id, "time": step["start"],
            "label": step["label"], "value": str(rate if rate is not None else amount),
            "unit": "mg/h" if rate is not None else "mg",
        }  # fmt: skip


def _doses(i: int, p: Person) -> Iterator[Row]:
    for step in _steps(i, p):
        yield {
            "person_id": p.id, "drug": step["drug"], "label": step["label"], "route": step["route"],
            "start": step["start"], "end": step["end"], "rate_mg_h": step.get("rate"), "rate_canonical_per_h": step.get("rate"), "unit_canonical": "mg",
            "amount_mg": step.get("amount"), "source_row": step["source_row"], "status": "given",
            "notation": "mg/h",
        }  # fmt: skip


def _episodes(i: int, p: Person) -> Iterator[Row]:
    hours = [(a, r, b) for (a, r), (b, _) in zip(p.rates, p.rates[1:], strict=False)]
    singles = [h for h, _, _ in p.singles]
    route = p.singles[0][1]
    yield {
        "person_id": p.id, "drug": "anakinra", "start": _at(i, singles[0]), "end": _at(i, p.infusion_start),
        "mode": "SC" if route == "SC" else "intermittent IV", "cumulative_canonical": 100.0 * len(singles), "unit_canonical": "mg",
    }  # fmt: skip
    yield {
        "person_id": p.id, "drug": "anakinra", "mode": "continuous IV", "start": _at(i, p.infusion_start),
        "end": _at(i, p.rates[-1][0]), "cumulative_canonical": sum(r * (b - a) for a, r, b in hours), "unit_canonical": "mg",
        "peak_rate_canonical_per_h": max(r for _, r, _ in hours), "max_24h_canonical": 2400.0, "escalations": 2,
        "peak_mg_day": 24 * max(r for _, r, _ in hours), "hours_to_peak": p.high_rate - p.infusion_start,
    }  # fmt: skip


def _safety(i: int, p: Person) -> Iterator[Row]:
    for event, (before, after) in {"aki": p.kdigo, **p.cells}.items():
        yield {
            "person_id": p.id, "event": event, "grade_before": before,
            "grade_after": after, "onset": _at(i, 30) if after > before else None,
            "hours_from_t0": 30.0 if after > before else None,
            "on_drug": True if after > before else None, "attribution": "cannot tell",
            "reference": "lowest of 7 d before onset" if event == "aki" else "CTCAE default limit",
            "source_row": _key(p, "creatinine", 2) if event == "aki" else "",
        }  # fmt: skip


def _missing(i: int, p: Person) -> Iterator[Row]:
    for variable, labs in p.labs.items():
        for day in range(15):
            if not math.isnan(p.death) and day > p.death + 1:
                continue
            n = sum(24 * (day - 1) <= h < 24 * day for h, _ in labs)
            yield {"person_id": p.id, "variable": variable, "day": day, "n": n}


def _values(i: int, p: Person) -> Iterator[Row]:
    for variable, labs in p.labs.items():
        yield {"person_id": p.id, "variable": variable, "n": len(labs), "unit": UNITS[variable]}


def illustrative(persons: tuple[Person, ...] = PERSONS) -> StudyResult:
    """Return the finished study of five invented persons."""
    frames = {name: table.empty() for name, table in tables.TABLES.items()}
    steps = (
        ("everyone in the records", 412, 448, 96120), ("younger than 18", 408, 443, 95700),
        ("no continuous intravenous anakinra for 6h", 9, 10, 4300), ("outside the recruitment dates", 8, 9, 3900),
        ("no storm: neither definite, possible nor diagnosed", 6, 7, 3100),
        ("excluded: malignancy", 5, 6, 2890),
    )  # fmt: skip
    frames |= {
        "attrition": _frame(
            tables.ATTRITION,
            [
                {"step": i + 1, "persons": n, "stays": s, "rows": r, "reason": reason}
                for i, (reason, n, s, r) in enumerate(steps)
            ],
        ),
        "rows_refused": _frame(
            tables.ROWS_REFUSED,
            [
                {
                    "source_table": "labs",
                    "variable": "ferritin",
                    "unit": "",
                    "reason": "no unit",
                    "rows": 14,
                    "example": "labs:88 1200",
                },
                {
                    "source_table": "doses",
                    "variable": "anakinra",
                    "unit": "vial",
                    "reason": "unit unknown",
                    "rows": 2,
                    "example": "doses:7 1 vial",
                },
            ],
        ),
        "persons": _frame(
            tables.PERSONS,
            [
                {
                    "person_id": p.id,
                    "sex": p.sex,
                    "age": p.age,
                    "t0": _t0(i),
                    "index_time": _at(i, p.infusion_start),
                    "infusion_start": _at(i, p.infusion_start),
                    "high_rate": _at(i, p.high_rate),
                    "storm_onset": _at(i, -60),
                    "underlying": p.underlying,
                    "class": "MAS" if p.underlying else "secondary, no trigger found",
                    "cancer": "not looked for" if p.underlying else "negative",
                    "infection": "negative",
                    "covid19": "not tested",
                    "weight_kg": p.kg,
                    "storm": "definite",
                    "clinician": i != 3,
                    "immunosuppressed": i != 3,
                    "first_route": p.singles[0][1],
                    "left_truncated": False,
                    "age_undated": False,
                }
                for i, p in enumerate(persons)
            ],
        ),
        "outcome": _frame(
            tables.OUTCOME,
            [
                {
                    "person_id": p.id,
                    "follow_up_days": p.follow_up,
                    "last_contact": _at(i, 24 * p.follow_up),
                    "died": not math.isnan(p.death),
                    "discharged": _at(i, p.rates[-1][0] + 120) if math.isnan(p.death) else None,
                    "death_time": _at(i, 24 * p.death),
                    "cause_of_death": p.cause,
                    "on_drug_at_death": None if math.isnan(p.death) else i == 4,
                    "infection_linked": None if math.isnan(p.death) else True,
                    "maintenance_drug": p.maintenance,
                }
                for i, p in enumerate(persons)
            ],
        ),
        "criteria": _frame(tables.CRITERIA, _each(persons, _criteria)),
        "criteria_items": _frame(tables.CRITERIA_ITEMS, _each(persons, _criteria_items)),
        "criteria_over_time": _frame(tables.CRITERIA_OVER_TIME, _each(persons, _standings)),
        "criteria_look_backs": _frame(
            tables.CRITERIA_LOOK_BACKS,
            [
                {
                    "person_id": p.id,
                    "criterion": "hscore",
                    "moment": "peak_to_index",
                    "factor": factor,
                    "time": _at(i, -4),
                    "low": p.hscore[0] - less,
                    "high": p.hscore[1],
                    "status": state,
                }
                for i, p in enumerate(persons)
                for factor, less, state in (
                    (0.5, 100, MET if p.hscore[0] >= 269 else "undetermined"),
                    (2.0, 0, MET),
                )
            ],
        ),
        "doses": _frame(DOSES, _each(persons, _doses)),
        "episodes": _frame(EPISODES, _each(persons, _episodes)),
        "daily_dose": _frame(DAILY_DOSE, _each(persons, _daily)),
        "time_at_dose": _frame(TIME_AT_DOSE, _each(persons, _at_dose)),
        "dose_remarks": _frame(DOSE_REMARKS, _each(persons, _odd)),
        "previous_therapy": _frame(tables.PREVIOUS_THERAPY, _each(persons, _lines)),
        "response": _frame(tables.RESPONSE, _each(persons, _response)),
        "safety": _frame(tables.SAFETY, _each(persons, _safety)),
        "values": _frame(tables.VALUES, _each(persons, _values)),
    }
    primary = [
        {"person_id": p.id, "clock": clock, "response": answer, "strict": answer,
         "fall_15": answer == "responded" and (clock == "infusion_start" or p.id != "ILL-2"),
         "fall_25": answer == "responded" and (clock == "infusion_start" or p.id != "ILL-2"),
         "fall_50": None if p.id == "ILL-4" else p.id == "ILL-3",
         "confounded_by": p.confounded, "reason": "ferritin and AST fell"}
        for p in persons
        for clock, answer in p.response.items()
    ]  # fmt: skip
    frames |= {
        "primary": _frame(tables.PRIMARY, primary),
        "escalations": _frame(ESCALATIONS, _each(persons, _ups)),
        "courses": _frame(COURSES, _each(persons, _courses)),
        "series": _frame(tables.SERIES, _each(persons, _series)),
        "dose_steps": _frame(DOSE_STEPS, _each(persons, _steps)),
        "left": _frame(tables.LEFT, [{"person_id": "MIM-3", "step": 2}]),
        "nearest": _frame(
            tables.NEAREST,
            [{"person_id": "MIM-3", "reason": "excluded: malignancy",
              "criterion": "hscore", "low": 251, "high": 286, "missing": "haemophagocytosis"}],
        ),
        "missing": _frame(tables.MISSING, _each(persons, _missing)),
        "rows": _frame(tables.ROWS, _each(persons, _rows)),
    }  # fmt: skip
    return StudyResult(
        version="0.1.0",
        protocol=protocol.load("anakinra_mas"),
        source="sheets",
        records_name="records",
        info=StudyInfo(
            title="Continuous intravenous anakinra for macrophage activation syndrome: five invented patients",
            centre="Invented Hospital", recruitment_start="2016-01-01", recruitment_end="2019-12-31",
            consecutive="yes", illustrative=True,
        ),
        notices=("The records are invented by the becalm authors.",),
        citations=("monteagudo2020", "fardet2014", "hindawi2017", "henter2007", "ravelli2016", "kdigo2012", "ctcae5"),
        unverified=("anaemia grades of CTCAE v5", "2016 MAS: sensitivity"),
        inputs=(InputFile("labs.csv", 120345, "ab" * 32), InputFile("doses.csv", 20345, "cd" * 32)),
        absent=(Absent("cultures", "no cultures: infection not assessed"),),
        consequences=("no cultures: infection not assessed in 5 of 5",),
        counts={"measurements": 95210, "administrations": 910},
        frames=frames,
        definitions={name: definitions.load(name) for name in definitions.shipped()},
    )  # fmt: skip


def empty() -> StudyResult:
    """Return a study that nobody entered."""
    full = illustrative(())
    steps = full.tables["attrition"].rows()
    attrition = [
        row | {"persons": 0, "stays": 0, "rows": 0} if row["step"] > 2 else row for row in steps
    ]
    return replace(
        full,
        frames={**full.frames, "attrition": _frame(tables.ATTRITION, attrition)},
        consequences=(),
    )


def many(n: int = 36, design: str = "hyperinflammation") -> StudyResult:
    """Return a larger cohort of an index design: the five, over and over, without the drug."""
    persons = tuple(
        replace(PERSONS[i % 5], id=f"{10_000_000 + 37 * i}{i % 5 + 1}", age=60 + i, response={})
        for i in range(n)
    )
    full = illustrative(persons)
    steps = full.frames["dose_steps"]
    kept = steps.take(steps["drug"] != "anakinra")
    response = full.tables["response"]
    cohort = full.tables["persons"]
    blank = np.full(len(cohort), UNKNOWN_TIME)
    return replace(
        full,
        protocol=protocol.load(design),
        info=StudyInfo(),
        citations=("fardet2014", "henter2007"),
        frames={
            **full.frames,
            "dose_steps": kept,
            "response": response.take(response["clock"] == "t0"),
            "episodes": tables.empty("episodes"),
            "persons": cohort.replace(
                infusion_start=blank,
                high_rate=blank.copy(),
                first_route=np.full(len(cohort), "", dtype=object),
            ),
        },
    )
