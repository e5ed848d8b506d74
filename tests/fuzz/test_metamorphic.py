"""Records changed in a way whose effect is known: rows in another order, dates shifted, units changed, ids renamed ...

Nobody knows the right results of a whole study, but everybody knows how two studies must differ: not at all, or by
just that shift.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import pytest

from becalm.core.clock import DAY, HOUR, MINUTE
from tests.fuzz.relations import (
    Facts,
    changed,
    differences,
    facts,
    is_time,
    known_facts,
    records,
    shifted,
    unchanged,
    undated,
)
from tests.fuzz.small import Form, form

ALL: Final = ("example", "ties", "hospital")
MOST: Final = ("example", "ties", pytest.param("hospital", marks=pytest.mark.long))
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")


def of(name: str) -> tuple[Form, str]:
    """Return records that can be changed, and their protocol."""
    whole = records(name)
    return whole.form.copy(), whole.protocol


def same(one: Facts, other: Facts) -> None:
    assert differences(one, other) == []


# ------------------------------------------------------------ order


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_rows_means_nothing(name: str) -> None:
    """Two results of one moment too are read alike, whichever stands first."""
    given, protocol = of(name)
    rng = random.Random(7)
    for table in given.tables.values():
        rows = table[1:]
        rng.shuffle(rows)
        table[1:] = rows
    same(known_facts(name), facts(given, protocol))


def test_rows_in_reverse_say_the_same() -> None:
    """What was said first of one moment comes last."""
    given, protocol = of("ties")
    for table in given.tables.values():
        table[1:] = table[:0:-1]
    same(known_facts("ties"), facts(given, protocol))


def test_the_order_of_columns_means_nothing() -> None:
    given, protocol = of("example")
    rng = random.Random(7)
    for name, table in given.tables.items():
        order = list(range(len(table[0])))
        rng.shuffle(order)
        given.tables[name] = [[row[i] for i in order] for row in table]
    same(known_facts("example", rows=True), facts(given, protocol, rows=True))


def test_a_workbook_says_what_its_sheets_say() -> None:
    """Numbers and times are typed there; even the rows that a result comes from have the same numbers."""
    given, protocol = of("example")
    given.name = "workbook"
    same(known_facts("example", rows=True), facts(given, protocol, rows=True))


def test_a_table_in_two_files_is_one_table() -> None:
    whole = form("mapped").copy()
    before = facts(whole, "hyperinflammation")
    header, *rows = whole.tables["results.csv"]
    random.Random(7).shuffle(rows)
    whole.tables["results.csv"] = [header, *rows[:20]]
    whole.tables["more.csv"] = [header, *rows[20:]]
    mapping = whole.others["mapping.toml"].decode()
    mapping += _block(mapping, "[tables.results]", "results", "more")
    mapping += _block(mapping, "[[labs]]", "results", "more")
    whole.others["mapping.toml"] = mapping.encode()
    same(before, facts(whole, "hyperinflammation"))


def _block(mapping: str, header: str, was: str, now: str) -> str:
    """Return a block of a mapping again, for another table."""
    block = mapping.split(header, 1)[1].split("\n\n", 1)[0]
    return f"\n{header.replace(was, now)}{block.replace(was, now)}\n"


# ------------------------------------------------------------ time


def moved(given: Form, by: timedelta) -> None:
    """Shift every moment of every sheet."""

    def later(found: re.Match[str]) -> str:
        text = found.group()
        when = datetime.fromisoformat(text) + by
        form = when.isoformat(timespec="minutes" if len(text) == 16 else "seconds")
        return form[: len(text)].replace("T", text[10]) if len(text) > 10 else form[:10]

    for table in given.tables.values():
        table[1:] = [[_MOMENT.sub(later, cell) for cell in row] for row in table[1:]]
    study = given.others.get("study.toml", b"").decode()
    given.others["study.toml"] = (
        _MOMENT.sub(later, study).replace("timezone", "# timezone").encode()
    )


TWENTY_EIGHT_YEARS: Final = 10_227
"""Days after which the calendar is the same again: the same weekdays and the same leap years."""


CLOCK: Final = frozenset({"dose_remarks", "doses.flag"})
"""Where it is said that the clock may have been changed: no two decades have the same days for that."""


@pytest.mark.parametrize("name", MOST)
def test_all_dates_shifted_shift_the_results(name: str) -> None:
    """After 28 years everything is the same: hours from time zero, ages, days of the week; dates are later by them."""
    given, protocol = of(name)
    moved(given, timedelta(0))
    before = facts(given, protocol)
    moved(given, timedelta(days=-TWENTY_EIGHT_YEARS))
    how = shifted(-TWENTY_EIGHT_YEARS * DAY)
    same(changed(before, how, CLOCK), changed(facts(given, protocol), unchanged, CLOCK))


@pytest.mark.parametrize(
    "days", [-3, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 7))]
)
def test_dates_shifted_by_days_shift_the_results(days: int) -> None:
    """No result depends on the day of the week or of the month; the ages in the example do not change."""
    given, protocol = of("example")
    moved(given, timedelta(0))
    before = facts(given, protocol)
    moved(given, timedelta(days=days))
    same(changed(before, shifted(days * DAY)), facts(given, protocol))


BY_DATE: Final = frozenset({"calendar_dose"})
"""Tables of dates, from midnight to midnight."""


@pytest.mark.parametrize("hours", [-11, pytest.param(5, marks=pytest.mark.long)])
def test_no_result_depends_on_the_time_of_the_day(hours: int) -> None:
    """Where every moment has its time of day, a shift by hours and minutes shifts all results but those of dates."""
    given, protocol = of("small")
    by = timedelta(hours=hours, minutes=17)
    birth = given.tables["persons.csv"][0].index("birth_date")
    born = [row[birth] for row in given.tables["persons.csv"]]
    moved(given, timedelta(0))
    before = facts(given, protocol)
    moved(given, by)
    for row, date in zip(given.tables["persons.csv"], born, strict=True):
        row[birth] = date
    how = shifted(hours * HOUR + 17 * MINUTE)
    same(changed(before, how, BY_DATE), changed(facts(given, protocol), undated, BY_DATE))


# ------------------------------------------------------------ units

OTHER_UNITS: Final[Mapping[tuple[str, str], tuple[str, float, float]]] = {
    # name and unit as written: another unit, and the number there as shift + factor * number
    ("ferritin", "ng/mL"): ("µg/L", 0, 1),
    ("crp", "mg/L"): ("mg/dL", 0, 0.1),
    ("ast", "U/L"): ("ukat/L", 0, 1 / 60),
    ("alt", "U/L"): ("ukat/L", 0, 1 / 60),
    ("ldh", "U/L"): ("ukat/L", 0, 1 / 60),
    ("creatinine", "mg/dL"): ("umol/L", 0, 88.4),
    ("triglycerides", "mmol/L"): ("mg/dL", 0, 88.57),
    ("fibrinogen", "g/L"): ("mg/dL", 0, 100),
    ("haemoglobin", "g/dL"): ("g/L", 0, 10),
    ("albumin", "g/L"): ("g/dL", 0, 0.1),
    ("bilirubin", "mg/dL"): ("umol/L", 0, 17.1),
    ("platelets", "10^9/L"): ("/uL", 0, 1000),
    ("leucocytes", "10^9/L"): ("/uL", 0, 1000),
    ("neutrophils", "10^9/L"): ("/uL", 0, 1000),
    ("temperature", "°C"): ("°F", 32, 1.8),
    ("weight", "kg"): ("lb", 0, 2.2046226218),
}
DOSES: Final = {
    "mg": ("g", 0.001),
    "mg/h": ("ug/min", 1000 / 60),
    "mg/kg/h": ("ug/kg/min", 1000 / 60),
    "g": ("mg", 1000.0),
}
AS_WRITTEN: Final = frozenset(
    {
        "dose_remarks",
        "doses.amount",
        "doses.amount_unit",
        "doses.rate_per_h",
        "*.notation",
        "kidney_stages.stage_low",
        "kidney_stages.why_range",
    }
)
"""Columns that show a dose as it was written, and what the digits of a creatinine as written may hide."""


@pytest.mark.parametrize("name", ["example", "small"])
def test_other_units_say_the_same(name: str) -> None:
    """Results and doses in another unit give the same tables, as far as six digits go."""
    given, protocol = of(name)
    labs, doses = given.tables["labs.csv"], given.tables["doses.csv"]
    seen = set()
    at = {title: labs[0].index(title) for title in ("name", "value", "unit")}
    for row in labs[1:]:
        key = (row[at["name"]].casefold(), row[at["unit"]])
        if key in OTHER_UNITS and row[at["value"]].replace(".", "", 1).isdigit():
            unit, shift, factor = OTHER_UNITS[key]
            row[at["value"]] = f"{shift + factor * float(row[at['value']]):.10g}"
            row[at["unit"]] = unit
            seen.add(key)
    assert len(seen) >= (11 if name == "example" else 8)
    for number, unit in (("amount", "amount_unit"), ("rate", "rate_unit")):
        value, of_what = doses[0].index(number), doses[0].index(unit)
        for row in doses[1:]:
            if row[of_what] in DOSES and row[value]:
                other, factor = DOSES[row[of_what]]
                row[value], row[of_what] = f"{factor * float(row[value]):.12g}", other
    without = changed(known_facts(name), unchanged, AS_WRITTEN)
    same(without, changed(facts(given, protocol), unchanged, AS_WRITTEN))


# ------------------------------------------------------------ persons


def renamed(given: Form, names: Mapping[str, str]) -> None:
    for table in given.tables.values():
        at = table[0].index(given.whose)
        for row in table[1:]:
            row[at] = names[row[at]]


def ids_of(given: Form) -> list[str]:
    table = given.tables["persons.csv"]
    return [row[table[0].index(given.whose)] for row in table[1:]]


@pytest.mark.parametrize(
    ("name", "in_order"),
    [
        ("example", True),
        ("example", False),
        ("hospital", False),
        pytest.param("hospital", True, marks=pytest.mark.long),
    ],
)
def test_the_names_of_persons_mean_nothing(name: str, in_order: bool) -> None:
    """Renamed persons have the same results, from the same rows, whether or not their order is another one."""
    given, protocol = of(name)
    ids = sorted(ids_of(given))
    numbers = list(range(100, 100 + len(ids)))
    if not in_order:
        random.Random(7).shuffle(numbers)
    names = {one: f"patient {number}" for one, number in zip(ids, numbers, strict=True)}
    renamed(given, names)
    before = {names[one]: theirs for one, theirs in known_facts(name, rows=True).items()}
    same(before, facts(given, protocol, rows=True))


@pytest.mark.parametrize("enters", [True, False], ids=["who enters", "who does not"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_one_more_patient_changes_nothing_for_the_others(enters: bool, first: bool) -> None:
    """A patient more, in the order of ids before or after the others; the rows stand at the end of each sheet."""
    given, protocol = of("example")
    copied, other = ids_of(given)[0], "A0" if first else "Z9"
    for name, table in given.tables.items():
        if enters or name in {"persons.csv", "labs.csv"}:
            at = table[0].index(given.whose)
            theirs = [list(row) for row in table[1:] if row[at] == copied]
            for row in theirs:
                row[at] = other
            table.extend(theirs)
    after = dict(facts(given, protocol, rows=True))
    alone = after.pop(other)
    assert enters == any(table == "persons" for table, _ in alone)
    same(known_facts("example", rows=True), after)


# ------------------------------------------------------------ the checks can fail


def test_a_changed_value_and_a_moment_that_did_not_shift_are_seen() -> None:
    given, protocol = of("small")
    table = given.tables["labs.csv"]
    table[1][table[0].index("value")] = "9851"
    found = differences(known_facts("small"), facts(given, protocol))
    assert found
    assert all(each.startswith("P1, ") for each in found)
    before = known_facts("small")
    assert differences(before, changed(before, shifted(HOUR)))
    assert is_time("persons", "t0")
