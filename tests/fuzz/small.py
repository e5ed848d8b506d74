"""Small valid records in every form that becalm reads: what the mutations begin with.

The same three patients, as a folder of CSV sheets, a workbook, a MIMIC-IV folder and flat tables with a mapping.
A form is its tables of text and its other files; `write` puts it on disk.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from tests.records import (
    Row,
    condition,
    culture,
    dose,
    finding,
    lab,
    mimic4,
    patient,
    procedure,
    sheets,
    stay,
)

Table = list[list[str]]
"""A table as text, its header first."""
FORMS: Final = ("sheets", "workbook", "mimic4", "mapped")


@dataclass
class Form:
    """Records of one form: tables by file name, other files, and the column that says whose a row is.

    options : of the command, each with `{}` for the folder.
    """

    name: str
    tables: dict[str, Table]
    whose: str
    others: dict[str, bytes] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    protocol: str = "anakinra_mas"

    def copy(self) -> Form:
        """Return a form that can be changed."""
        tables = {name: [list(row) for row in table] for name, table in self.tables.items()}
        return Form(self.name, tables, self.whose, dict(self.others), self.options, self.protocol)

    def person_of(self, table: str, row: Sequence[str]) -> str | None:
        """Return the id of a row's person; None where the table is about nobody, or everybody."""
        header = self.tables[table][0]
        return row[header.index(self.whose)] if self.whose in header else None


def _storm(start: str, ferritin: Sequence[float], platelets: Sequence[float]) -> list[Row]:
    """Return the results of four days, from a date on."""
    day = int(start[-2:])
    rows = []
    for after, (high, low) in enumerate(zip(ferritin, platelets, strict=True)):
        when = f"{start[:-2]}{day + after:02} 06:00"
        rows += [
            lab("ferritin", high, when),
            lab("platelets", low, when),
            lab("crp", 148 - 30 * after, when),
            lab("ast", 322 - 60 * after, when),
            lab("creatinine", 0.8 + 0.1 * after, when),
        ]
    rows += [
        lab("haemoglobin", 8.4, f"{start} 06:00"),
        lab("neutrophils", 1.5, f"{start} 06:00"),
        lab("triglycerides", 3.7, f"{start} 06:00", "mmol/L"),
        lab("fibrinogen", 1.4, f"{start} 06:00", "g/L"),
        lab("temperature", 39.4, f"{start} 07:15"),
    ]
    return rows


_FIRST: Final = [
    stay("2021-02-04 14:00", "2021-02-22 14:00", "A1", destination="home", origin="home"),
    *_storm("2021-02-08", (9850, 12400, 6100, 2200), (71, 64, 90, 140)),
    dose("methylprednisolone", "2021-02-06 14:00", amount="60 mg"),
    dose("anakinra", "2021-02-08 14:00", "2021-02-09 02:00", rate="25 mg/h"),
    dose("anakinra", "2021-02-09 02:00", "2021-02-12 14:00", rate="50 mg/h"),
    condition(code="D76.1", system="ICD10CM"),
    procedure("ventilation", "2021-02-09 03:00", "2021-02-10 03:00"),
    culture("no growth", "2021-02-11 02:00", available="2021-02-13 02:00"),
]
_SECOND: Final = [
    stay("2021-05-15 09:30", "2021-06-02 09:30", "B1", destination="died"),
    *_storm("2021-05-19", (15200, 11000, 9000, 7000), (44, 50, 61, 80)),
    dose("anakinra", "2021-05-18 09:30", amount="100 mg", route="SC"),
    dose("anakinra", "2021-05-19 09:30", "2021-05-22 09:30", rate="30 mg/h"),
    condition(code="M32.9", system="ICD10CM"),
]
_THIRD: Final = [
    stay("2021-07-01 08:00", "2021-07-05 12:00", "C1", destination="home"),
    lab("ferritin", 310, "2021-07-01 09:00"),
    lab("platelets", 260, "2021-07-01 09:00"),
    lab("crp", 12, "2021-07-02 09:00"),
    dose("dexamethasone", "2021-07-02 10:00", amount="6 mg"),
    condition(code="I10", system="ICD10CM"),
    procedure("plasma exchange", "2021-07-03 09:00", "2021-07-03 12:00"),
    culture("growth", "2021-07-01 09:30", "Escherichia coli", available="2021-07-03 09:30"),
]
_WEIGHED: Final = {"P1": 58.5, "P2": 86.0, "P10": 71.0}
_EXAMINED: Final = {
    "P1": [
        finding("splenomegaly", "yes", "2021-02-07 18:00", method="US"),
        finding("haemophagocytosis", "no", "2021-02-08 04:00", method="marrow"),
    ],
    "P2": [finding("hepatomegaly", "yes", "2021-05-18 03:30", method="CT")],
    "P10": [],
}


def patients(*, examined: bool) -> list[Row]:
    """Return the three patients; `examined`: also what only a chart review can say."""
    rows: list[Row] = []
    everybody = {"P1": _FIRST, "P2": _SECOND, "P10": _THIRD}
    for name, theirs in everybody.items():
        more = _EXAMINED[name] if examined else []
        facts = (
            {"age": None, "birth": "1980-03-02", "weight_kg": _WEIGHED[name], "died": _died(name)}
            if examined
            else {"age": 40}
        )
        rows += patient(name, *theirs, *more, **facts)
    return rows


def _died(name: str) -> str:
    return "yes" if name == "P2" else "no"


STUDY: Final = b"""title = "Three invented patients"
setting = "intensive care"
timezone = "Europe/Paris"
recruitment_start = "2021-01-01"
recruitment_end = "2021-12-31"
consecutive = "yes"
illustrative = "yes"
"""
MAPPING: Final = """notice = "Invented."
words_file = "words.toml"

[study]
title = "Three invented patients"
timezone = "Europe/Paris"

[tables.people]
file = "people.csv"
person_id = "who"

[tables.results]
file = "results.csv"
nothing = ["-1"]
person_id = "who"

[tables.drugs]
file = "drugs.csv"
person_id = "who"

[persons]
table = "people"
sex = { column = "gender", words = { "1" = "M", "2" = "F" } }
age = "age"
age_at = "admitted"

[[stays]]
table = "people"
start = "admitted"
end = "left"
to = "went"

[[labs]]
table = "results"
time = "drawn"
name = "test"
value = "result"
unit = "unit"

[[doses]]
table = "drugs"
drug = "given"
start = "begun"
end = "ended"
rate = "speed"
rate_unit = { always = "mg/h" }
amount = "amount"
amount_unit = { always = "mg" }
status = { always = "given" }
route = { always = "IV" }

[[conditions]]
table = "people"
code = "icd"
system = { always = "ICD10CM" }
status = { always = "confirmed" }
onset = "admitted"
"""
WORDS: Final = """[drug]
"study medication" = "anakinra"
"placebo" = "not needed"

[diagnosis]
"haemophag. syndr." = "hlh"
"lymphoproliferation, old" = "history: lymphoma"

[test]
"Ferr." = "ferritin"
"""
PROTOCOL: Final = (
    Path(__file__).parents[2] / "src/becalm/protocol/shipped/anakinra_mas.toml"
).read_text(encoding="utf-8")
DEFINITION: Final = (
    (Path(__file__).parents[2] / "src/becalm/definitions/shipped/mas2016.toml")
    .read_text(encoding="utf-8")
    .replace('name = "mas2016"', 'name = "own"')
)


@cache
def form(name: str) -> Form:
    """Return the records in one form; take a `copy` to change them."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        if name in {"sheets", "workbook"}:
            tables = read_tables(sheets(folder, *patients(examined=True)))
            others = {"study.toml": STUDY}
            return Form(name, tables, "person_id", others)
        if name == "mimic4":
            tables = read_tables(mimic4(folder, *patients(examined=False)))
            return Form(name, tables, "subject_id")
        return Form(
            name,
            _flat(),
            "who",
            {"mapping.toml": MAPPING.encode(), "words.toml": WORDS.encode()},
            ("--mapping", "{}/mapping.toml"),
        )


def _flat() -> dict[str, Table]:
    """Return the patients as flat tables of a layout of their own."""
    whole = form("sheets").tables
    people: Table = [["who", "gender", "age", "admitted", "left", "went", "icd"]]
    of = {
        name: _by_column(whole[f"{name}.csv"]) for name in ("stays", "conditions", "labs", "doses")
    }
    for row in of["stays"]:
        name = row["person_id"]
        [code] = [each["code"] for each in of["conditions"] if each["person_id"] == name]
        people.append([name, "2", "40", row["start"], row["end"], row["to"], code])
    results: Table = [["who", "drawn", "test", "result", "unit"]]
    results += [
        [row[name] for name in ("person_id", "time", "name", "value", "unit")] for row in of["labs"]
    ]
    drugs: Table = [["who", "given", "begun", "ended", "speed", "amount"]]
    drugs += [
        [row[name] for name in ("person_id", "drug", "start", "end", "rate", "amount")]
        for row in of["doses"]
    ]
    return {"people.csv": people, "results.csv": results, "drugs.csv": drugs}


def _by_column(table: Table) -> list[dict[str, str]]:
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def read_tables(folder: Path) -> dict[str, Table]:
    """Return all CSV tables of a folder, by their names in it."""
    found = {}
    for path in sorted(folder.rglob("*.csv*")):
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
        found[path.relative_to(folder).as_posix()] = list(csv.reader(io.StringIO(text, newline="")))
    return found


def as_csv(table: Table, *, separator: str = ",", quoted: bool = False, end: str = "\n") -> bytes:
    """Return a table as the bytes of a CSV file."""
    out = io.StringIO(newline="")
    how: Literal[0, 1] = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=separator, quoting=how, lineterminator=end).writerows(table)
    return out.getvalue().encode("utf-8", "surrogatepass")


def write(given: Form, folder: Path, files: Mapping[str, bytes | None] | None = None) -> Path:
    """Write a form and return what the command is given: the folder, or the workbook.

    files : the bytes of files that are otherwise than their tables say; None: the file is not there.
    """
    instead = dict(files or {})
    if given.name == "workbook":
        where = folder / "review.xlsx"
        made: dict[str, bytes] = {"review.xlsx": as_workbook(given.tables)}
    else:
        where, made = folder, {}
        for name, table in given.tables.items():
            raw = as_csv(table)
            made[name] = gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw
    for name, content in {**made, **given.others, **instead}.items():
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return where


_NUMBER: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def as_workbook(tables: Mapping[str, Table]) -> bytes:
    """Return sheets as a workbook; what looks like a number or a time is one, as Excel would have it."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, table in tables.items():
        tab = book.create_sheet(name.removesuffix(".csv"))
        for i, row in enumerate(table):
            tab.append([each if i == 0 else _typed(each) for each in map(_writable, row)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _writable(text: str) -> str:
    """Return what a cell of a workbook can hold."""
    return _CONTROL.sub("?", text)[:32_000]


def _typed(text: str) -> object:
    if _NUMBER.fullmatch(text):
        return float(text)
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text
    return text or None
