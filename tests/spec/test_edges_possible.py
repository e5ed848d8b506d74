"""At and beside every bound of what can be true in any records: dates, placeholders, ages, stays, reports.

Made from the file: each key is tested here or has no edge.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from becalm.core.clock import DAY, UNKNOWN_TIME, from_us, parse
from becalm.core.errors import RecordsError
from becalm.records import Records, possible
from becalm.records.mimic4 import open_mimic4
from becalm.records.possible import PLACEHOLDER, is_placeholder, no_date, outside_dates, rules
from becalm.records.sheets.plausible import rules as sheet_rules
from becalm.records.sheets.schema import SHEETS
from tests.records import chunk, condition, culture, dose, finding, lab, person, procedure, stay
from tests.records.chart_review import source, write
from tests.records.mimic_files import FileRow, mimic_folder
from tests.spec.edges import hours, read, unknown_keys

FILE = "records/possible.toml"
TESTED = dict.fromkeys(
    ["dates.first", "dates.last", "dates.shifted", "life.longest_years", "stays.longest", "results.within",
     "placeholder[].years", "placeholder[].dates", "placeholder[].words", "placeholder[].births"]
)  # fmt: skip
NO_EDGE = dict.fromkeys(
    f"{table}.{key}"
    for table in ("dates", "life", "stays", "results", "placeholder[]")
    for key in ("source", "verified")
)
DATES = [day for group in rules().placeholder for day in group.dates]
OF_BIRTHS = [day for group in rules().placeholder if not group.births for day in group.dates]
YEARS = [year for group in rules().placeholder for year in group.years]
WORDS = [word for group in rules().placeholder for word in group.words]
START = "2020-03-04T10:00"
TIMES = [(sheet, column) for sheet, schema in SHEETS.items() for column in schema.times()]
CELLS = {
    "person_id": "P1", "name": "CRP", "value": "5", "unit": "mg/L", "drug": "anakinra", "amount": "100",
    "amount_unit": "mg", "finding": "splenomegaly", "present": "yes", "result": "growth",
}  # fmt: skip
"""What a row of any sheet needs besides its times."""
BEGINS = {"stays": "start", "labs": "time", "doses": "start", "findings": "time"}
"""The time of each sheet without which a row is no row."""


def test_every_key_is_tested_or_has_no_edge() -> None:
    """A new bound is tested here, or says why it has no edge."""
    assert not unknown_keys(FILE, TESTED, NO_EDGE)


def only(
    folder: Path, sheet: str, column: str, text: str
) -> tuple[Records, list[tuple[str, str, str]]]:
    """Return the records of one row with this text in one column, and what was refused of that column."""
    folder.mkdir(exist_ok=True)
    cells = {name: cell for name, cell in CELLS.items() if name in SHEETS[sheet].columns}
    if begins := BEGINS.get(sheet):
        cells[begins] = START
    if (sheet, column) == ("persons", "age_at"):
        cells["age"] = "44"
    if sheet in ("doses", "procedures") and column == "end":
        cells["start"] = text
    cells[column] = text
    written = ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"
    opened = source(write(folder, **{sheet: written}))
    (records,) = opened.chunks()
    said = [(r.source_table, r.reason, r.example) for r in opened.refused() if r.variable == column]
    return records, said


@pytest.mark.parametrize(("sheet", "column"), TIMES, ids=lambda name: name)
def test_every_time_of_every_sheet_is_within_the_plausible_dates(
    tmp_path: Path, sheet: str, column: str
) -> None:
    """Both days belong to the range; the day before and the day after are no times of any column."""
    first, last = (date.fromisoformat(day) for day in (rules().dates.first, rules().dates.last))
    for day, why in (
        (first - timedelta(1), PLACEHOLDER),
        (first - timedelta(3), outside_dates()),
        (first, PLACEHOLDER),
        (first + timedelta(1), ""),
        (last - timedelta(1), ""),
        (last, PLACEHOLDER),
        (last + timedelta(1), outside_dates()),
        (date(9998, 12, 31), outside_dates()),
        (date(9999, 12, 31), PLACEHOLDER),
        (date(1, 1, 1), PLACEHOLDER),
        (date(1, 1, 2), outside_dates()),
    ):
        text = f"{day.isoformat()}T10:00"
        if why == "" and (sheet, column) in {
            ("stays", "end"),
            ("labs", "time"),
            ("labs", "available"),
            ("labs", "start"),
            ("findings", "end"),
            ("cultures", "available"),
        }:
            assert (
                no_date(text) == ""
            )  # beside the other times of its row it is too late or too early
            continue
        if (sheet, column) == ("stays", "start") and why:
            with pytest.raises(
                RecordsError,
                match="start is blank" if why == PLACEHOLDER else "is outside plausible dates",
            ):
                only(tmp_path, sheet, column, text)
            continue
        _, said = only(tmp_path, sheet, column, text)
        assert said == ([(sheet, why, f"{sheet}:2 {text}")] if why else []), (text, said)


@pytest.mark.parametrize(
    "day", [*DATES, *(f"{y}-{day}" for y in YEARS for day in ("01-01", "07-15", "12-31"))]
)
def test_a_placeholder_is_no_date_however_it_is_written(tmp_path: Path, day: str) -> None:
    """As an end "still open", as a death "alive": the cell is blank, and counted with its text."""
    year, month, of_month = day.split("-")
    for text in (
        day,
        f"{day}T00:00",
        f"{day} 23:59:59",
        f"{of_month}.{month}.{year}",
        f"{month}/{of_month}/{year}",
    ):
        stays = f"person_id,start,end\nP1,{START},{text}\n"
        opened = source(write(tmp_path, persons=f"person_id,death_time\nP1,{text}\n", stays=stays))
        (records,) = opened.chunks()
        assert records.persons["death_time"].tolist() == [UNKNOWN_TIME]
        assert records.persons["died"].tolist() == [""]
        assert records.stays["end"].tolist() == [UNKNOWN_TIME]
        assert [(r.source_table, r.variable, r.reason, r.example) for r in opened.refused()] == [
            ("persons", "death_time", PLACEHOLDER, f"persons:2 {text}"),
            ("stays", "end", PLACEHOLDER, f"stays:2 {text}"),
        ]


def test_a_day_beside_a_placeholder_is_a_date() -> None:
    """The day before and after each date of the list, and the years before and after those of the list."""
    for day in DATES:
        if day.endswith("-00"):
            continue  # in no calendar
        moment = np.datetime64(day)
        for beside in (moment - 1, moment + 1):
            assert str(beside) in DATES or not is_placeholder(str(beside))
    for year in (each + step for each in YEARS for step in (-1, 1)):
        assert year in YEARS or not is_placeholder(f"{year}-12-30")
    assert not is_placeholder("2021-12-31")
    assert not is_placeholder("31/12/2021")


@pytest.mark.parametrize("day", OF_BIRTHS)
def test_somebody_may_be_born_on_the_day_0_of_a_program(tmp_path: Path, day: str) -> None:
    """1 January 1970 is a birthday; as the time of a death it is no date."""
    records, said = only(tmp_path, "persons", "birth_date", day)
    assert records.persons["birth"].tolist() == [parse(day)[0]]
    assert not said
    records, said = only(tmp_path, "persons", "death_time", day)
    assert records.persons["death_time"].tolist() == [UNKNOWN_TIME]
    assert said == [("persons", PLACEHOLDER, f"persons:2 {day}")]


@pytest.mark.parametrize("word", WORDS)
def test_a_database_writes_an_open_end_as_a_word(word: str) -> None:
    """In any capitals."""
    assert is_placeholder(word)
    assert is_placeholder(word.upper())


def test_a_placeholder_where_a_time_must_be_is_a_blank(tmp_path: Path) -> None:
    """A stay begins at some time: the mistake is that of a blank cell."""
    with pytest.raises(RecordsError, match="column start: start is blank"):
        source(write(tmp_path, stays="person_id,start\nP1,9999-12-31\n"))


def test_a_death_that_cannot_be_dated_is_still_a_death(tmp_path: Path) -> None:
    """A mistyped year makes nobody alive; a placeholder says nothing."""
    for text, died in (("2921-03-04", "yes"), ("9999-12-31", "")):
        records, _ = only(tmp_path, "persons", "death_time", text)
        assert records.persons["died"].tolist() == [died]
        assert records.persons["death_time"].tolist() == [UNKNOWN_TIME]


@pytest.mark.parametrize(("text", "why"), [("9999", PLACEHOLDER), ("12/9999", PLACEHOLDER), ("2999-01", PLACEHOLDER), ("December 9998", outside_dates()), ("1899", outside_dates()), ("1900", ""), ("2299", ""), ("2300", outside_dates())])  # fmt: skip
def test_a_month_or_a_year_that_cannot_be_true_is_no_onset(
    tmp_path: Path, text: str, why: str
) -> None:
    """It was the last year of the calendar of the language, and the run ended in an error of becalm."""
    records, said = only(tmp_path, "conditions", "onset", text)
    assert said == ([("conditions", why, f"conditions:2 {text}")] if why else [])
    known = [records.conditions[name][0] != UNKNOWN_TIME for name in ("onset_from", "onset_until")]
    assert known == [not why, not why]


def test_the_dates_of_a_study_can_be_true(tmp_path: Path) -> None:
    """Else the message names the file."""
    folder = write(tmp_path)
    for text in ("9999-12-31", "2300-01-01", "1899-12-01"):
        (folder / "study.toml").write_text(f'recruitment_end = "{text}"\n', encoding="utf-8")
        with pytest.raises(RecordsError, match=r"study\.toml: recruitment_end: "):
            source(folder)


# ------------------------------------------------------------------------------- all sources

BORN = "1960-05-06"
LAST_DAY = f"{1960 + rules().life.longest_years + 1}-05-05T23:59"
TOO_LATE = f"{1960 + rules().life.longest_years + 1}-05-06T00:00"
TOO_OLD = f"more than {rules().life.longest_years} years after birth"


def test_a_row_later_than_the_longest_life_is_refused() -> None:
    """The minute before the 126th birthday is used; the birthday is not. The other rows of the person stay."""
    for when, used in ((LAST_DAY, True), (TOO_LATE, False)):
        found = chunk(
            person(birth=BORN), stay("2020-03-04", "2020-03-20"), lab("crp", 5, when), lab("crp", 6, START),
            finding("splenomegaly", "yes", when), procedure("dialysis", when), culture("growth", when),
            dose("anakinra", when, amount="100 mg"),
        )  # fmt: skip
        assert len(found.events.points("crp")) == 1 + used
        refused = {(r.source_table, r.reason) for r in found.refused}
        tables = ("measurements", "findings", "procedures", "cultures", "administrations")
        late = {table for table, reason in refused if reason == TOO_OLD}
        assert len(late) == (0 if used else len(tables)), refused


def test_a_stay_later_than_the_longest_life_is_refused() -> None:
    """And so are a death and a last contact; somebody with such a death died, nobody knows when."""
    for when, used in ((LAST_DAY, True), (TOO_LATE, False)):
        rows = (person(birth=BORN, death=when), stay(START, "2020-03-20"), stay(when, "", "S2"))
        found = chunk(*rows)
        assert len(found.records.stays) == 1 + used
        assert bool(found.records.persons["death_time"][0] != UNKNOWN_TIME) is used
        assert bool(found.records.persons["died"][0] == "yes") is not used
        said = sorted((r.variable, r.reason) for r in found.refused)
        assert said == ([] if used else [("death_time", f"{TOO_OLD}: cell not used"), ("start", f"{TOO_OLD}: row not used")])  # fmt: skip


@pytest.mark.parametrize("how", ["birth", "age"])
def test_a_birth_that_no_row_allows_is_unknown_and_the_person_stays(how: str) -> None:
    """All rows are later than the longest life: then the birth is wrong. The age is unknown, and it is said."""
    who = person(birth="1902-05-06") if how == "birth" else person(age=118, age_at="1990-01-01")
    found = chunk(who, stay("2030-03-04", "2030-03-20"), lab("crp", 5, "2030-03-05"))
    assert found.records.persons["birth"].tolist() == [UNKNOWN_TIME]
    assert found.records.persons["age_at"].tolist() == [UNKNOWN_TIME]
    assert len(found.events.points("crp")) == 1
    (refusal,) = found.refused
    assert refusal.variable == ("birth_date" if how == "birth" else "age_at")
    assert refusal.reason.endswith("age unknown")


def test_an_age_of_somebody_who_was_not_born_is_unknown() -> None:
    """Five years old in 2090, and all rows of 2020."""
    found = chunk(person(age=5, age_at="2090-01-01"), lab("crp", 5, START))
    assert np.isnan(found.records.persons["age"]).tolist() == [True]
    assert len(found.events.points("crp")) == 1
    assert [r.variable for r in found.refused] == ["age_at"]


def test_a_stay_is_no_longer_than_that_in_any_source() -> None:
    """Beyond it the end is not known, and counted; the stay is used. One number, here and for the sheets."""
    longest = rules().stays.longest
    assert {r.upto for r in sheet_rules().longest if r.sheet == "stays"} == {longest}
    for minutes, used in ((-1, True), (0, True), (1, False)):
        end = parse(START)[0] + longest.us + minutes * 60_000_000
        found = chunk(stay(START, from_us(end).isoformat()))
        assert found.records.stays["end"].tolist() == [end if used else UNKNOWN_TIME]
        assert [r.variable for r in found.refused] == ([] if used else ["end"])


def test_a_result_is_reported_within_that_time_in_any_source() -> None:
    """Beyond it the report's time is not known, and the value is available when it was drawn."""
    within = rules().results.within
    assert {r.upto for r in sheet_rules().longest if r.column == "available"} == {within}
    for minutes, used in ((-1, True), (0, True), (1, False)):
        when = parse(START)[0] + within.us + minutes * 60_000_000
        found = chunk(lab("crp", 5, START, available=from_us(when).isoformat()))
        assert bool(found.records.measurements["available"][0] == when) is used
        assert [r.variable for r in found.refused] == ([] if used else ["available"])


def test_a_diagnosis_later_than_the_longest_life_has_no_date() -> None:
    """The diagnosis is kept."""
    for when, used in ((LAST_DAY, True), (TOO_LATE, False)):
        rows = (person(birth=BORN), lab("crp", 5, START), condition("lymphoma", when))
        onset = chunk(*rows).records.conditions["onset"]
        assert bool(onset[0] != UNKNOWN_TIME) is used


# ------------------------------------------------------------------------------- MIMIC-IV

PERSON: FileRow = {"subject_id": 2, "gender": "F", "anchor_age": 40, "anchor_year": 2150}
STAY: FileRow = {"subject_id": 2, "hadm_id": 20, "admittime": "2150-01-01 08:00:00", "dischtime": "2150-01-09 08:00:00"}  # fmt: skip


def mimic(folder: Path, who: FileRow, there: FileRow) -> tuple[Records, set[tuple[str, str]]]:
    opened = open_mimic4(mimic_folder(folder, {"hosp/patients": [who], "hosp/admissions": [there]}))
    (records,) = opened.chunks()
    return records, {(r.variable, r.reason) for r in opened.refused()}


@pytest.mark.parametrize(
    ("age", "used"), [(0, True), (125, True), (126, False), (200, False), (-1, False)]
)
def test_the_anchor_age_of_mimic_is_an_age(tmp_path: Path, age: int, used: bool) -> None:
    """Else the birth is unknown, and it is said; the person stays."""
    assert rules().life.longest_years == 125
    records, said = mimic(tmp_path, {**PERSON, "anchor_age": age}, STAY)
    assert records.persons["person_id"].tolist() == ["2"]
    assert bool(records.persons["birth"][0] != UNKNOWN_TIME) is used
    outside = ("anchor_age", "outside plausible range (0 to 125): cell not used")
    assert said == (set() if used else {outside})


@pytest.mark.parametrize(
    ("year", "used"), [(1899, False), (2150, True), (2299, True), (2300, False), (9999, False)]
)
def test_the_anchor_year_of_mimic_is_a_plausible_year(
    tmp_path: Path, year: int, used: bool
) -> None:
    """Else the birth is unknown, and it is said."""
    records, said = mimic(tmp_path, {**PERSON, "anchor_year": year}, STAY)
    assert bool(records.persons["birth"][0] != UNKNOWN_TIME) is used
    assert said == (set() if used else {("anchor_year", outside_dates())})


@pytest.mark.parametrize(
    ("text", "used"),
    [("1899-12-30", False), ("1900-01-01", False), ("1900-01-02", True), ("1970-01-01", False), ("2038-01-19", False),
     ("2037-12-31", True), ("2099-12-31", True), ("2100-01-01", True), ("2299-12-31", True), ("2300-01-01", False),
     ("9999-12-31", False), ("infinity", False)],
)  # fmt: skip
def test_a_time_of_mimic_is_a_plausible_date(tmp_path: Path, text: str, used: bool) -> None:
    """Where its dates are shifted to, any day may be true: from `dates.shifted` on only the range counts."""
    assert read(FILE)["dates"]["shifted"] == "2050-01-01"
    assert "2038-01-19" in possible.before_shifted_dates()
    records, said = mimic(tmp_path, PERSON, {**STAY, "edregtime": text})
    starts = records.stays["start"][records.stays["kind"] == "ED"]
    assert [bool(start != UNKNOWN_TIME) for start in starts] == [used]
    assert said == (set() if used else {("edregtime", f"a placeholder, or {outside_dates()}")})
    assert hours(str(rules().stays.longest)) * 3600 * 1_000_000 == rules().stays.longest.us
    assert DAY
