"""Five invented patients as chart-review sheets, and those who do not enter the study beside them.

Everything is invented. Hours count from the first anakinra, or the moment that stands for it. The
tests say what a report must show of these sheets; each number is worked out from what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from becalm import protocol
from becalm.records import open_records
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.records import (
    Row,
    condition,
    dose,
    finding,
    lab,
    patient,
    procedure,
    sheets,
    stay,
)
from tests.records.chart_review import said

STUDY = """
title = "Five invented patients"
centre = "Invented Hospital"
recruitment_start = "2016-01-01"
recruitment_end = "2019-12-31"
illustrative = "yes"
"""


@dataclass(frozen=True)
class Dose:
    """One administration as written: `given` is an amount (`100 mg`) or a rate (`25 mg/h`)."""

    drug: str
    route: str
    start: float
    given: str
    end: float | None = None


@dataclass(frozen=True)
class Person:
    """One invented patient, in the terms of a chart review; hours are from `zero`."""

    id: str
    zero: str
    sex: str = "F"
    age: int = 40
    kg: float | None = None
    background: str = ""
    conditions: tuple[tuple[float, str], ...] = ()
    stays: tuple[tuple[float, float, str, str, str], ...] = ()  # from, to, kind, came from, left to
    labs: Mapping[str, tuple[tuple[float, str], ...]] = field(default_factory=dict)
    odd_labs: tuple[tuple[float, str, str, str], ...] = ()  # hour, name, value and unit as written
    findings: tuple[tuple[float, str, str], ...] = ()
    singles: tuple[tuple[float, str, float], ...] = ()  # hour, route, mg of anakinra
    rates: tuple[
        tuple[float, float], ...
    ] = ()  # hour, mg/h of anakinra; the last ends the infusion
    others: tuple[Dose, ...] = ()
    procedures: tuple[tuple[float, float, str], ...] = ()
    death: float | None = None
    cause: str = ""
    contact: float | None = None

    def at(self, hour: float | None) -> str:
        """Return an hour as a calendar time."""
        if hour is None:
            return ""
        return (datetime.fromisoformat(self.zero) + timedelta(hours=hour)).isoformat("T", "seconds")

    @property
    def doses(self) -> list[Dose]:
        """Return what was given: the single doses, the rates and the other drugs."""
        found = [Dose("anakinra", route, hour, f"{mg} mg") for hour, route, mg in self.singles]
        for (start, rate), (end, _) in zip(self.rates, self.rates[1:], strict=False):
            if rate:
                found.append(Dose("anakinra", "IV", start, f"{rate} mg/h", end))
        return [*found, *self.others]

    def rows(self) -> tuple[Row, ...]:
        """Return everything that is recorded."""
        known = [*self.conditions, *([(-9000.0, self.background)] if self.background else [])]
        labs = [
            lab(name, value, self.at(hour))
            for name, values in self.labs.items()
            for hour, value in values
        ]
        return patient(
            self.id,
            *(
                stay(self.at(a), self.at(b), "", kind, origin=origin, destination=to)
                for a, b, kind, origin, to in self.stays
            ),
            *labs,
            *(lab(name, value, self.at(hour), unit) for hour, name, value, unit in self.odd_labs),
            *(_given(self, each) for each in self.doses),
            *(finding(name, present, self.at(hour)) for hour, name, present in self.findings),
            *(condition(name, self.at(hour)) for hour, name in known),
            *(procedure(name, self.at(a), self.at(b)) for a, b, name in self.procedures),
            age=self.age,
            sex=self.sex,
            age_at=self.at(0),
            death=self.at(self.death),
            cause_of_death=self.cause,
            last_contact=self.at(self.contact),
            last_contact_status="" if self.contact is None else "alive",
            **({} if self.kg is None else {"weight_kg": self.kg}),
        )

    def key(self, sheet: str, hour: float, what: str = "") -> str:
        """Return the name of a row of this patient in the sheets of everybody: `labs:17`."""
        lines = said(*(row for each in EVERYBODY for row in each.rows()))[sheet]
        when = datetime.fromisoformat(self.at(hour))
        found = [
            number
            for number, cells in enumerate(lines, 2)  # the header is line 1
            if cells["person_id"] == self.id
            and when in cells.values()
            and (not what or what in cells.values())
        ]
        return f"{sheet}:{found[0]}"


def _given(person: Person, given: Dose) -> Row:
    what = "rate" if given.given.endswith("/h") else "amount"
    return dose(
        given.drug,
        person.at(given.start),
        person.at(given.end),
        route=given.route,
        **{what: given.given},
    )


def write(folder: Path, persons: Iterable[Person], study: str = STUDY) -> Path:
    """Write the sheets of some patients into an existing folder."""
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return sheets(folder, *(row for each in persons for row in each.rows()), leave_out="cultures")


def run_on(folder: Path, name: str = "anakinra_mas") -> StudyResult:
    """Run a protocol on written sheets."""
    return run(open_records(str(folder)), protocol.load(name), "records")


HOME = ("ward", "home", "home")
DIED = ("ward", "home", "died")
ICU = ("ICU", "", "")

ONE = Person(
    "ILL-1", "2017-03-04T14:20", "F", 38, 61, "systemic lupus erythematosus",
    stays=((-144, -12, "ward", "home", ""), (-12, 198, *ICU), (198, 264, "ward", "", "home")),
    labs={
        "ferritin": ((-138, "3900"), (-60, "6800"), (-30, "11000"), (-4, "14200"), (23, "11900"),
                     (47, "7400"), (71, "5100"), (168, "1650"), (260, "900")),
        "ast": ((-4, "412"), (22, "350"), (47, "214"), (71, "150"), (168, "61")),
        "alt": ((-4, "300"), (22, "280"), (47, "190"), (71, "141"), (168, "70")),
        "crp": ((-4, "180"), (22, "150"), (47, "80"), (168, "12")),
        "haemoglobin": ((-4, "8.1"), (71, "8.0"), (168, "9.5")),
        "wbc": ((-4, "2.3"), (71, "2.1"), (168, "6.0")),
        "neutrophils": ((-4, "1.4"), (71, "0.9")),
        "platelets": ((-4, "54"), (22, "50"), (47, "61"), (71, "80"), (168, "112")),
        "creatinine": ((-2600, "0.7"), (-4, "0.8"), (22, "1.0"), (47, "1.2"), (71, "1.1"), (168, "0.8")),
        "fibrinogen": ((-4, "1.6"), (47, "2.0"), (168, "2.6")),
        "triglycerides": ((-4, "3.4"), (168, "1.2")),
        "temperature": ((-4, "39.6"), (168, "36.8")),
    },
    findings=((-140, "immunosuppressed", "yes"), (-10, "splenomegaly", "yes"), (-10, "hepatomegaly", "no")),
    singles=((0, "IV", 100), (6, "IV", 100)),
    rates=((10, 25), (22, 50), (34, 100), (60, 100), (96, 50), (120, 25), (144, 0)),
    others=(
        *(Dose("methylprednisolone", "IV", hour, "1000 mg") for hour in (-130, -105, -80)),
        *(Dose("ivig", "IV", hour, "30 g") for hour in (-96, -72)),
        Dose("cyclophosphamide", "IV", -120, "900 mg"),
        Dose("propofol", "IV", -8, "140 mg/h", 0),
    ),
    contact=9888,
)  # fmt: skip

TWO = Person(
    "ILL-2", "2017-06-09T17:20", "F", 41, 74, "systemic lupus erythematosus",
    stays=((-144, -10, "ward", "home", ""), (-10, 300, *ICU), (300, 374, "ward", "", "home")),
    labs={
        "ferritin": ((-40, "9200"), (-5, "18000"), (20, "24500"), (46, "17100"), (72, "11300"), (168, "3100")),
        "ast": ((-5, "286"), (20, "301"), (46, "241"), (72, "180"), (168, "70")),
        "alt": ((-5, "210"), (20, "230"), (46, "180"), (168, "66")),
        "crp": ((-5, "140"), (20, "151"), (46, "110"), (168, "20")),
        "haemoglobin": ((-5, "9.8"), (72, "9.6")),
        "wbc": ((-5, "7.2"), (72, "6.4")),
        "neutrophils": ((-5, "5.6"), (72, "4.6")),
        "platelets": ((-5, "88"), (20, "71"), (46, "84"), (168, "131")),
        "creatinine": ((-2400, "0.9"), (-5, "1.0"), (20, "1.4"), (46, "2.1"), (72, "1.9"), (168, "1.1")),
        "fibrinogen": ((-5, "2.2"), (46, "2.4")),
        "triglycerides": ((-104, "2.9"),),
        "temperature": ((-5, "39.1"),),
    },
    findings=((-140, "immunosuppressed", "yes"),),
    singles=((0, "SC", 100), (24, "SC", 100)),
    rates=((26, 25), (32, 50), (38, 100), (206, 50), (230, 25), (254, 0)),
    others=(Dose("ciclosporin", "oral", -140, "150 mg q12h", -44),),
    contact=15720,
)  # fmt: skip

THREE = Person(
    "ILL-3", "2017-09-14T20:20", "M", 39, 82, "adult-onset Still's disease",
    stays=((-150, 224, "ward", "home", "home"),),
    labs={
        "ferritin": ((-26, "48000"), (-2, "62000"), (24, "49000"), (47, "27500"), (72, "18900"), (168, "4200")),
        "ast": ((-2, "188"), (24, "150"), (47, "96"), (168, "40")),
        "alt": ((-2, "160"), (24, "140"), (47, "101"), (168, "51")),
        "crp": ((-2, "22"), (24, "15"), (47, "<5"), (168, "<5")),
        "haemoglobin": ((-2, "9.9"), (47, "9.8")),
        "wbc": ((-2, "18.4"), (47, "14.0")),
        "neutrophils": ((-2, "15.0"), (47, "11.0")),
        "platelets": ((-2, "132"), (24, "118"), (47, "150"), (168, "240")),
        "creatinine": ((-2200, "1.0"), (-2, "1.7"), (24, "1.9"), (47, "1.5"), (168, "1.0")),
        "fibrinogen": ((-2, "1.9"), (47, "2.4")),
        "triglycerides": ((-2, "2.1"),),
        "temperature": ((-2, "39.8"),),
    },
    findings=((-140, "immunosuppressed", "yes"), (-30, "splenomegaly", "yes"), (-30, "hepatomegaly", "yes"),
              (-20, "haemophagocytosis", "no")),
    singles=((0, "IV", 100),),
    rates=((2, 50), (8, 100), (56, 50), (80, 25), (104, 0)),
    others=(
        Dose("tocilizumab", "IV", -144, "640 mg"),
        *(Dose("ciclosporin", "oral", hour, "150 mg") for hour in (-90, -78)),
    ),
    contact=19272,
)  # fmt: skip

FOUR = Person(
    "ILL-4", "2017-12-20T23:20", "F", 64, 58,
    stays=((-120, -6, "ward", "home", ""), (-6, 583.2, "ICU", "", "died")),
    labs={
        "ferritin": ((-30, "32000"), (-3, ">40000"), (22, ">40000"), (46, "24400"), (70, "15200"),
                     (168, "5300"), (300, "2900"), (480, "6400")),
        "ast": ((-3, "640"), (22, "500"), (46, "270"), (70, "190"), (168, "88")),
        "alt": ((-3, "410"), (22, "380"), (46, "220"), (168, "75")),
        "crp": ((-3, "301"), (22, "240"), (46, "120"), (168, "40"), (468, "220")),
        "haemoglobin": ((-3, "7.9"), (46, "7.6")),
        "wbc": ((-3, "1.4"), (46, "1.2")),
        "neutrophils": ((-3, "1.1"), (46, "0.7")),
        "platelets": ((-3, "31"), (22, "28"), (46, "24"), (168, "58")),
        "creatinine": ((-2300, "0.8"), (-3, "1.9"), (46, "2.6"), (120, "3.1"), (168, "3.4"), (192, "2.2")),
        "fibrinogen": ((-3, "1.1"), (46, "1.4")),
        "triglycerides": ((-3, "4.6"),),
        "temperature": ((-3, "38.9"),),
    },
    findings=((-110, "immunosuppressed", "no"), (-20, "splenomegaly", "yes"), (-20, "haemophagocytosis", "yes")),
    singles=tuple((hour, "IV", 100) for hour in (0, 6, 12, 18)),
    rates=((24, 12.5), (30, 25), (36, 50), (42, 100), (336, 50), (408, 25), (480, 0)),
    others=tuple(Dose("ivig", "IV", hour, "30 g") for hour in (-72, -60)),
    death=583.2, cause="infection",
)  # fmt: skip

FIVE = Person(
    "ILL-5", "2018-03-28T02:20", "F", 38, 66, "undifferentiated connective tissue disease",
    stays=((-144, -6, "ward", "home", ""), (-6, 261.6, "ICU", "", "died")),
    labs={
        "ferritin": ((-3, "31000"), (18, "38500"), (46, "47000"), (70, "66000"), (168, "118000")),
        "ast": ((-3, "890"), (18, "1100"), (46, "2050"), (70, "2900"), (168, "3900")),
        "alt": ((-3, "610"), (18, "700"), (46, "980"), (168, "1400")),
        "crp": ((-3, "220"), (18, "210"), (46, "240"), (168, "260")),
        "haemoglobin": ((-3, "8.3"), (46, "7.8")),
        "wbc": ((-3, "3.1"), (46, "1.8")),
        "neutrophils": ((-3, "1.2"), (46, "0.6")),
        "platelets": ((-3, "22"), (18, "20"), (46, "18"), (168, "14")),
        "creatinine": ((-2000, "0.6"), (-3, "1.5"), (18, "1.9"), (46, "2.4"), (110, "3.2")),
        "fibrinogen": ((-3, "1.3"), (46, "0.9")),
        "temperature": ((-3, "39.0"),),
    },
    findings=((-140, "immunosuppressed", "yes"), (-20, "hepatomegaly", "yes"), (-20, "splenomegaly", "no")),
    singles=((0, "SC", 100), (12, "SC", 100)),
    rates=((20, 25), (26, 50), (32, 100), (144, 0), (147, 100), (262, 0)),
    others=(
        Dose("cyclophosphamide", "IV", -12, "800 mg"),
        Dose("noradrenaline", "IV", -6, "0.2 mg/h", 10),
        Dose("noradrenaline", "IV", 10, "0.6 mg/h", 60),
        Dose("ivig", "IV", 270, "30 g"),
    ),
    procedures=((24, 200, "CRRT"),),
    death=261.6, cause="multi-organ failure|infection",
)  # fmt: skip

PERSONS = (ONE, TWO, THREE, FOUR, FIVE)
CANCER = Person(
    "MIM-AML", "2017-05-02T08:00", "M", 52, 75,
    conditions=((-100, "acute myeloid leukaemia"),),
    stays=((-120, 300, *HOME),),
    labs={
        "ferritin": ((-4, "12400"),), "ast": ((-4, "60"),), "haemoglobin": ((-4, "7.4"),),
        "wbc": ((-4, "1.1"),), "platelets": ((-4, "18"),), "triglycerides": ((-4, "2.2"),),
        "fibrinogen": ((-4, "1.8"),), "temperature": ((-4, "39.0"),),
    },
    findings=((-110, "immunosuppressed", "yes"), (-20, "splenomegaly", "yes"), (-20, "hepatomegaly", "no")),
    rates=((0, 100), (24, 0)),
)  # fmt: skip
"""18 + 33 + 23 + 34 + 50 + 44 + 30 + 19 = 251; the marrow was not looked at: up to 286."""

OTHERS = (
    CANCER,
    replace(CANCER, id="CHILD", age=15, conditions=()),
    replace(CANCER, id="LATE", zero="2020-05-02T08:00", conditions=()),
    Person("NO-INFUSION", "2017-05-02T08:00", stays=((-5, 50, *HOME),), labs={"ferritin": ((-4, "9000"),)},
           singles=((0, "SC", 100),), others=(Dose("anakinra", "SC", 24, "1 vial"),)),
    Person("NO-FERRITIN", "2017-05-02T08:00", stays=((-5, 50, *HOME),), rates=((0, 100), (24, 0)),
           odd_labs=((-4, "ferritin", "1200", ""), (20, "ferritin", "1100", ""))),
)  # fmt: skip
"""Each leaves at another step: malignancy, age, date, no continuous infusion, no storm."""
EVERYBODY = (*PERSONS, *OTHERS)
