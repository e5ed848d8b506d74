"""Turn the truth about a patient into the records of a hospital.

Units, spellings and codes change from draw to draw, reports come late or without a time, rows
are doubled, and in ordinary patients some cannot be used at all: a unit is missing, a sample was
haemolysed, one instant has two results. Planted patients only get notations that can be read back exactly.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.demo.judged import HEADER, judged_rows
from becalm.demo.tidy import DAY, ConditionRow, Culture, Dose, Draw, Patient, date_text, minute_text

Row = tuple[str, ...]

SHEETS: Final[dict[str, Row]] = {
    "persons": (
        "person_id",
        "sex",
        "age",
        "age_at",
        "birth_date",
        "weight_kg",
        "height_cm",
        "death_time",
        "cause_of_death",
        "last_contact",
        "last_contact_status",
    ),
    "stays": ("person_id", "stay_id", "start", "end", "kind", "hospital", "from", "to"),
    "labs": (
        "person_id",
        "time",
        "start",
        "name",
        "loinc",
        "value",
        "unit",
        "available",
        "ref_low",
        "ref_high",
        "specimen",
        "comment",
    ),
    "doses": (
        "person_id",
        "drug",
        "route",
        "start",
        "end",
        "amount",
        "amount_unit",
        "rate",
        "rate_unit",
        "concentration",
        "concentration_unit",
        "status",
        "indication",
        "reason_for_change",
    ),
    "findings": ("person_id", "time", "end", "finding", "present", "method", "value", "unit"),
    "conditions": ("person_id", "onset", "code", "name", "status"),
    "procedures": ("person_id", "start", "end", "name", "amount", "amount_unit"),
    "cultures": (
        "person_id",
        "collected",
        "available",
        "specimen",
        "test",
        "result",
        "organism",
        "judged",
    ),
    "judgements": HEADER,
}
HOSPITAL: Final = "Illustrative Hospital (invented)"

# How often a row of an ordinary patient is spoilt in each way, cumulated below (becalm proposal).
_EXACT_DUPLICATE: Final = 0.004
_ORDINARY_FLAWS: Final = (
    ("conflict", 0.003),
    ("no unit", 0.002),
    ("hemolyzed", 0.0015),
    ("blank", 0.002),
    ("date only", 0.003),
    ("misspelt", 0.0008),
    ("offset", 0.002),
)
_NO_AVAILABLE: Final = 0.25
_OTHER_NOTATION: Final = 0.12
_HAEMOLYSIS_SPOILS: Final = frozenset({"potassium", "ldh", "ast"})


@dataclass(frozen=True, slots=True)
class Notation:
    """One notation of a quantity."""

    name: str
    loinc: str
    unit: str
    times: float
    shift: float
    decimals: int
    exact: bool
    ref_low: str
    ref_high: str

    def plain(self, value: float) -> str:
        return f"{value * self.times + self.shift:.{self.decimals}f}"

    def precise(self, value: float) -> str:
        return f"{round(value * self.times + self.shift, 6):.10g}"


@dataclass(frozen=True, slots=True)
class WrittenQuantity:
    """A quantity with its notations, report delay, and how often a stay is filled with it."""

    written: tuple[Notation, ...]
    exact: tuple[Notation, ...]
    delay: float
    decimals: int
    every: float | None


@cache
def quantities() -> dict[str, WrittenQuantity]:
    """Return every quantity in the records of the hospital, from `notations.toml`."""
    text = Path(__file__).with_name("notations.toml").read_text(encoding="utf-8")
    return {name: _quantity(given) for name, given in tomllib.loads(text).items()}


def _quantity(given: dict[str, Any]) -> WrittenQuantity:
    def notation(entry: dict[str, Any]) -> Notation:
        times, shift = entry.get("times", 1.0), entry.get("shift", 0.0)
        low, high = (f"{limit * times:.6g}" for limit in given["ref"]) if "ref" in given else "  "
        return Notation(
            entry["name"],
            entry.get("loinc", ""),
            entry["unit"],
            times,
            shift,
            entry.get("decimals", 0),
            entry.get("exact", False),
            low.strip(),
            high.strip(),
        )

    written = tuple(notation(entry) for entry in given["written"])
    return WrittenQuantity(
        written,
        tuple(n for n in written if n.exact),
        given.get("delay", 0.0),
        given.get("decimals", 0),
        given.get("every"),
    )


def sheet_rows(patient: Patient, rng: np.random.Generator) -> dict[str, list[Row]]:
    """Return the rows of every sheet for one patient; `rng` decides how untidy each is."""
    one = patient.person_id
    return {
        "persons": [_person(patient)],
        "stays": [
            (
                one,
                f"{one}-S{i + 1}",
                minute_text(stay.start),
                minute_text(stay.end),
                stay.kind,
                HOSPITAL,
                stay.origin,
                stay.destination,
            )
            for i, stay in enumerate(patient.stays)
        ],
        "labs": lab_rows(patient, rng),
        "doses": [_dose(one, dose) for dose in patient.doses],
        "findings": [
            (one, minute_text(f.minute), "", f.finding, f.present, f.method, "", "")
            for f in patient.findings
        ],
        "conditions": [_condition(one, c) for c in patient.conditions],
        "procedures": [
            (
                one,
                minute_text(p.start),
                minute_text(p.end),
                p.name,
                _number(p.amount),
                p.amount_unit,
            )
            for p in patient.procedures
        ],
        "cultures": [_culture(one, c) for c in patient.cultures],
        "judgements": list(judged_rows(one)),
    }


def lab_rows(patient: Patient, rng: np.random.Generator) -> list[Row]:
    """Return the rows of the sheet `labs`, in the order in which they were drawn."""
    draws = sorted(patient.draws, key=lambda d: (d.minute, d.variable))
    known = quantities()
    house = int(rng.integers(3))
    prints_limits = patient.planted or bool(rng.random() < 0.7)
    chances = rng.random((len(draws), 5)).tolist()
    delays = np.exp(0.45 * rng.standard_normal(len(draws))).tolist()
    rows: list[Row] = []
    for draw, chance, delay in zip(draws, chances, delays, strict=True):
        quantity = known[draw.variable]
        other, flaw, report, coding, again = chance
        choice = quantity.exact if draw.planted else quantity.written
        at = house if other > _OTHER_NOTATION else house + 1 + int(len(choice) * other / 0.12)
        notation = choice[at % len(choice)]
        name, loinc = notation.name, notation.loinc
        if coding < 0.06 and loinc:
            name = ""
        elif coding > 0.75:
            loinc = ""
        value = notation.precise(draw.value) if draw.planted else notation.plain(draw.value)
        if draw.sign:
            value = f"{draw.sign}{value}"
        available = None
        if quantity.delay and report > _NO_AVAILABLE:
            available = draw.minute + int(quantity.delay * delay) + 1
        row = (
            patient.person_id,
            minute_text(draw.minute),
            minute_text(draw.start),
            name,
            loinc,
            value,
            notation.unit,
            minute_text(available),
            notation.ref_low if prints_limits else "",
            notation.ref_high if prints_limits else "",
            "",
            "",
        )
        if not patient.planted and flaw < _FLAWED:
            rows.extend(_spoilt(row, flaw, draw, notation))
        else:
            rows.append(row)
        if again < _EXACT_DUPLICATE:
            rows.append(rows[-1])
    return rows


_FLAWED: Final = sum(share for _, share in _ORDINARY_FLAWS)


def _spoilt(row: Row, chance: float, draw: Draw, notation: Notation) -> Sequence[Row]:
    reached = np.cumsum([share for _, share in _ORDINARY_FLAWS])
    flaw = _ORDINARY_FLAWS[int(np.searchsorted(reached, chance, side="right"))][0]
    cells = dict(zip(SHEETS["labs"], row, strict=True))
    match flaw:
        case "conflict":
            second = {**cells, "value": notation.plain(draw.value * 1.07), "comment": "repeat"}
            return [row, tuple(second.values())]
        case "no unit":
            cells["unit"] = ""
        case "hemolyzed" if draw.variable in _HAEMOLYSIS_SPOILS:
            cells["value"], cells["comment"] = "hemolyzed", "please repeat"
        case "blank":
            cells["value"] = ""
        case "date only" if draw.start is None:
            cells["time"], cells["available"] = date_text(draw.minute // DAY), ""
        case "misspelt" if cells["name"]:
            cells["name"], cells["loinc"] = cells["name"].replace("e", "ee", 1), ""
        case "offset":
            cells["time"] = cells["time"].replace(" ", "T") + ":00-05:00"
    return [tuple(cells.values())]


def _person(patient: Patient) -> Row:
    return (
        patient.person_id,
        patient.sex,
        "" if patient.age is None else str(patient.age),
        minute_text(patient.age_at),
        patient.birth,
        _number(patient.weight_kg),
        _number(patient.height_cm),
        minute_text(patient.death),
        patient.cause_of_death,
        minute_text(patient.last_contact),
        patient.last_contact_status,
    )


def _number(value: float | None) -> str:
    """Write a number with as many digits as it has, no exponent and no needless `.0`."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)


def _dose(one: str, dose: Dose) -> Row:
    start = date_text(dose.start // DAY) if dose.date_only else minute_text(dose.start)
    return (
        one,
        dose.drug,
        dose.route,
        start,
        minute_text(dose.end),
        _number(dose.amount),
        dose.amount_unit,
        _number(dose.rate),
        dose.rate_unit,
        _number(dose.concentration),
        dose.concentration_unit,
        dose.status,
        dose.indication,
        dose.reason,
    )


def _condition(one: str, condition: ConditionRow) -> Row:
    onset = date_text(condition.minute // DAY)
    return (one, onset, condition.code, condition.name, condition.status)


def _culture(one: str, culture: Culture) -> Row:
    collected = culture.collected
    return (
        one,
        date_text(collected // DAY) if culture.date_only else minute_text(collected),
        minute_text(culture.available),
        culture.specimen,
        culture.test,
        culture.result,
        culture.organism,
        culture.judged,
    )
