"""What a study says of each person, in a form in which two studies can be compared.

`facts` runs a study on records in tables of text. A relation changes the records in a way whose effect on the results
is known; the facts are then changed in the same way and compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from becalm.core.clock import DAY, UNKNOWN_TIME, from_us, parse
from becalm.demo import write_hospital
from becalm.records import open_records
from becalm.records.template import copy_template
from becalm.study import protocol_names
from becalm.study.run import run
from becalm.tables import TABLES
from tests.fuzz.small import Form, form, read_tables, write
from tests.records import condition, dose, finding, lab, patient, sheets, stay

Fact = tuple[str, tuple[tuple[str, Any], ...]]
"""The name of a table and one row of it."""
Facts = Mapping[str, Counter[Fact]]
"""The rows of each person in all tables that a study writes."""
_DIGITS: Final = 6
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Records:
    """Sheets as tables of text, and the studies that they are for."""

    name: str
    form: Form
    protocol: str


def _ties() -> list[Any]:
    """Return a patient of whom everything was said twice, and not alike, at one moment."""
    when = "2021-03-01 06:00"
    return list(
        patient(
            "T1",
            stay("2021-02-27 10:00", "2021-03-20 10:00", "T1-A", destination="home"),
            stay("2021-02-27 10:00", "2021-03-10 10:00", "T1-B", kind="ICU"),
            *(lab("ferritin", value, when) for value in (9000, 12000, ">15000", 12000)),
            *(lab("platelets", value, when) for value in (90, 60, 75)),
            *(lab("weight", value, when) for value in (60, 61)),
            *(lab("temperature", value, when) for value in (38.4, 39.6)),
            *(lab("creatinine", value, when) for value in (0.8, 1.1)),
            lab("crp", 150, when), lab("crp", 15, when, "mg/dL"), lab("ferritin", 4000, "2021-03-04 06:00"),
            lab("ferritin", 4100, "2021-03-04 06:00"), lab("crp", 20, "2021-03-04 06:00"),
            dose("anakinra", "2021-03-01 08:00", "2021-03-02 08:00", rate="50 mg/h"),
            dose("anakinra", "2021-03-01 08:00", "2021-03-02 08:00", rate="25 mg/h"),
            dose("anakinra", "2021-03-01 08:00", amount="100 mg", route="SC"),
            dose("anakinra", "2021-03-01 08:00", amount="200 mg", route="SC"),
            dose("anakinra", "2021-03-02 08:00", "2021-03-05 08:00", rate="2 mg/kg/h"),
            dose("methylprednisolone", "2021-03-01 08:00", amount="60 mg"),
            dose("methylprednisolone", "2021-03-01 08:00", amount="125 mg"),
            dose("zaubermittel", "2021-03-01 08:00", amount="1 mg"),
            dose("qwertinib", "2021-03-01 08:00", amount="1 mg"),
            finding("splenomegaly", "yes", when, method="US"), finding("splenomegaly", "no", when, method="CT"),
            finding("blue toes", "yes", when), finding("big ears", "yes", when),
            condition("HLH", "2021-03-01"), condition("systemic lupus erythematosus", "2021-03-01"),
            condition("thymoblastosis", "2021-03-01"), condition("Zustand unklar", "2021-03-01"),
            condition("lymphoma", "2021-03-01", status="suspected"), condition("lymphoma", "2021-03-01", status="excluded"),
            age=None, birth="1975-05-05", weight_kg=63,
        )
    )  # fmt: skip


@cache
def records(name: str) -> Records:
    """Return some records: `example` ships with becalm, `hospital` is the demo's, `ties` and `small` are of the tests."""
    if name == "small":
        return Records(name, form("sheets").copy(), "hyperinflammation")
    with TemporaryDirectory() as made:
        folder = Path(made) / "records"
        if name == "example":
            copy_template(folder, True, "csv")
        elif name == "hospital":
            folder.mkdir()
            write_hospital(folder, 20, 20)
        else:
            sheets(folder, *_ties())
        tables = read_tables(folder)
        study = folder / "study.toml"
        others = {"study.toml": study.read_bytes()} if study.is_file() else {}
        return Records(name, Form("sheets", tables, "person_id", others), "anakinra_mas")


def facts(form: Form, protocol: str, *, rows: bool = False) -> Facts:
    """Return what a study says of each person of some records.

    rows : also from which rows of the records it says so.
    """
    with TemporaryDirectory() as made:
        where = write(form, Path(made))
        options = [option.format(made) for option in form.options]
        return facts_of(where, protocol, rows=rows, mapping=options[1] if options else None)


def facts_of(
    where: Path, protocol: str, *, rows: bool = False, mapping: str | None = None
) -> Facts:
    """Return what a study says of each person of the records at a place."""
    opened = open_records(str(where), mapping=mapping)
    result = run(opened, protocol_names.load(protocol), "records")
    found: dict[str, Counter[Fact]] = {}
    for name, frame in result.tables.items():
        if "person_id" not in frame.columns:
            continue
        kept = [
            column
            for column in frame.columns
            if column != "person_id" and (rows or not column.endswith(("_row", "_rows")))
        ]
        for row in frame.rows():
            cells = tuple((column, _plain(row[column])) for column in kept)
            found.setdefault(row["person_id"], Counter())[name, cells] += 1
    return found


@cache
def known_facts(name: str, rows: bool = False) -> Facts:
    """Return the facts of records as they are."""
    whole = records(name)
    return facts(whole.form, whole.protocol, rows=rows)


def _plain(value: Any) -> Any:
    """Return a value that equals itself: NaN as a word, and a number without its last digits."""
    if isinstance(value, float):
        return "nan" if value != value else float(f"{value:.{_DIGITS}g}")  # noqa: PLR0124
    return value


def is_time(table: str, column: str) -> bool:
    """Return whether a column of a table holds moments."""
    return TABLES[table].columns[column].kind == "time"


def changed(
    given: Facts, how: Callable[[str, str, Any], Any], without: frozenset[str] = frozenset()
) -> Facts:
    """Return facts with every cell changed: `how` is given table, column and value.

    without : tables, and columns as `table.column` or `*.column`, that are left out.
    """
    return {
        person: _added(
            (name, tuple(_cells(name, cells, how, without)), many)
            for (name, cells), many in theirs.items()
            if name not in without
        )
        for person, theirs in given.items()
    }


def _cells(
    name: str, cells: Any, how: Callable[[str, str, Any], Any], without: frozenset[str]
) -> Any:
    return (
        (column, how(name, column, value))
        for column, value in cells
        if f"{name}.{column}" not in without and f"*.{column}" not in without
    )


def _added(rows: Any) -> Counter[Fact]:
    found: Counter[Fact] = Counter()
    for name, cells, many in rows:
        found[name, cells] += many
    return found


def unchanged(_table: str, _column: str, value: Any) -> Any:
    """Change nothing."""
    return value


def shifted(by: int) -> Callable[[str, str, Any], Any]:
    """Return a change of every moment, µs; a date in a text is shifted by whole days, or left out."""

    def date(found: re.Match[str]) -> str:
        if by % DAY:
            return "(a date)"
        return f"{from_us(parse(found.group())[0] + by):%Y-%m-%d}"

    def how(table: str, column: str, value: Any) -> Any:
        if isinstance(value, str):
            return _DATE.sub(date, value)
        known = is_time(table, column) and value != UNKNOWN_TIME
        return value + by if known else value

    return how


def undated(_table: str, _column: str, value: Any) -> Any:
    """Leave out the dates in texts."""
    return _DATE.sub("(a date)", value) if isinstance(value, str) else value


def differences(one: Facts, other: Facts) -> list[str]:
    """Name, for each person and table, the first columns that differ, with both values."""
    found = []
    for person in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(person, Counter()), other.get(person, Counter())
        lost, new = mine - theirs, theirs - mine
        for name in sorted({each for each, _ in (*lost, *new)}):
            a = [dict(cells) for each, cells in lost if each == name]
            b = [dict(cells) for each, cells in new if each == name]
            if not a or not b:
                found.append(f"{person}, {name}: {len(a)} rows -> {len(b)} rows: {(a or b)[0]}")
                continue
            near = min(b, key=lambda row: sum(row.get(k) != v for k, v in a[0].items()))
            unlike = {k: (v, near.get(k)) for k, v in a[0].items() if near.get(k) != v}
            found.append(f"{person}, {name}: {len(a)} rows differ: {unlike}")
    return found
