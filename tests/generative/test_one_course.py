"""One true course, written in every notation and format: the same doses, episodes and entry, or "nobody says"."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import becalm

ORIGIN: Final = datetime(2021, 3, 10, 8, 17)
WEIGHT: Final = 64.0
UNKNOWN: Final = "anakinra: nobody says whether it was given continuously"
UNTIL_MIDNIGHT: Final = 15 + 43 / 60
"""Hours from the origin to the end of its day."""
Cell = str | float | date


class Course(NamedTuple):
    """Rates in mg/h, each for some hours from the origin on, and the hours after which the person died."""

    pieces: tuple[tuple[float, float], ...]
    died: float | None
    origin: datetime = ORIGIN


def courses() -> st.SearchStrategy[Course]:
    piece = st.tuples(st.integers(7, 30), RATES)
    pieces = st.lists(piece, min_size=1, max_size=4).map(tuple)
    return st.builds(Course, pieces, st.sampled_from([None, None, 7.5, 31.25]), st.just(ORIGIN))


RATES: Final = st.sampled_from([12.5, 25.0, 50.0, 100.0])


@st.composite
def courses_over_midnight(draw: st.DrawFn) -> Course:
    """Pieces that end and begin at 00:00 exactly; the first begins and the last ends at another time of the day."""
    whole_days = draw(st.lists(st.sampled_from([24.0, 48.0]), max_size=2))
    hours = [UNTIL_MIDNIGHT, *whole_days, draw(st.sampled_from([7.0, 9.5, 23.0]))]
    rates = draw(st.lists(RATES, min_size=len(hours), max_size=len(hours)))
    return Course(tuple(zip(hours, rates, strict=True)), draw(st.sampled_from([None, None, 31.25])))


Written = Mapping[str, Cell]
NOTATIONS: Final[Mapping[str, Callable[[float, float], Written]]] = {
    # rate in mg/h, hours
    "mg/h": lambda rate, _: {"route": "IV", "rate": rate, "rate_unit": "mg/h"},
    "mcg/min": lambda rate, _: {"route": "IV", "rate": rate * 1000 / 60, "rate_unit": "mcg/min"},
    "mg/kg/h": lambda rate, _: {"route": "IV", "rate": rate / WEIGHT, "rate_unit": "mg/kg/h"},
    "mL/h": lambda rate, _: {
        "route": "IV", "rate": rate / 4, "rate_unit": "mL/h", "concentration": 4.0, "concentration_unit": "mg/mL",
    },
    "mg/day, said": lambda rate, _: {"route": "IV infusion", "rate": rate * 24, "rate_unit": "mg/day"},
    "mg, said": lambda rate, hours: {"route": "IV continuous", "amount": rate * hours, "amount_unit": "mg"},
    "g, pump": lambda rate, hours: {"route": "IV pump", "amount": rate * hours / 1000, "amount_unit": "g"},
    "mg/day": lambda rate, _: {"route": "IV", "rate": rate * 24, "rate_unit": "mg/day"},
    "mg": lambda rate, hours: {"route": "IV", "amount": rate * hours, "amount_unit": "mg"},
    "mg, no route": lambda rate, hours: {"amount": rate * hours, "amount_unit": "mg"},
}  # fmt: skip
NOT_SAID: Final = frozenset({"mg/day", "mg", "mg, no route"})
COLUMNS: Final = (
    "person_id", "drug", "route", "start", "end", "amount", "amount_unit", "rate", "rate_unit",
    "concentration", "concentration_unit",
)  # fmt: skip


US_OF_A_DAY: Final = 86_400_000_000


def us(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1)).total_seconds()) * 1_000_000


def after(hours: float, origin: datetime = ORIGIN) -> datetime:
    return origin + timedelta(minutes=round(hours * 60))


def sheets(course: Course, notation: str) -> dict[str, list[dict[str, Cell]]]:
    """Return the cells of each sheet."""
    who: dict[str, Cell] = {"person_id": "P1"}
    doses: list[dict[str, Cell]] = []
    edges = [0, *(sum(h for h, _ in course.pieces[: i + 1]) for i in range(len(course.pieces)))]
    for (begin, end), (hours, rate) in zip(pairwise(edges), course.pieces, strict=True):
        said = NOTATIONS[notation](rate, hours)
        doses.append(
            {
                **who,
                "drug": "anakinra",
                "start": after(begin, course.origin),
                "end": after(end, course.origin),
                **said,
            }
        )
    dead: dict[str, Cell] = (
        {} if course.died is None else {"death_time": after(course.died, course.origin)}
    )
    ferritin: dict[str, Cell] = {"name": "ferritin", "value": 20000.0, "unit": "ng/mL"}
    return {
        "persons": [{**who, "sex": "F", "age": 44.0, "age_at": date(2021, 3, 1), "weight_kg": WEIGHT, **dead}],
        "stays": [{**who, "start": after(-40), "end": after(300)}],
        "labs": [{**who, "time": after(-1), **ferritin}],
        "conditions": [{**who, "onset": after(-2), "name": "HLH"}],
        "doses": doses,
    }  # fmt: skip


def as_csv(
    folder: Path,
    rows: Mapping[str, list[dict[str, Cell]]],
    offset: str = "",
    midnight: str = "T00:00",
) -> Path:
    for name, lines in rows.items():
        columns = COLUMNS if name == "doses" else tuple(lines[0])
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            for line in lines:
                writer.writerow({k: _text(v, offset, midnight) for k, v in line.items()})
    return folder


def _text(cell: Cell, offset: str, midnight: str) -> str:
    """Return a cell as text; midnight : how 00:00 is written, 24:00 as that of the day before."""
    if not isinstance(cell, datetime):
        return str(cell)
    if cell.time() == time():
        day = cell - timedelta(days=midnight == "T24:00")
        return f"{day:%Y-%m-%d}{midnight}{offset if midnight else ''}"
    return cell.isoformat(timespec="minutes") + offset


def as_workbook(folder: Path, rows: Mapping[str, list[dict[str, Cell]]]) -> Path:
    """Write real date cells, as a spreadsheet has them."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, lines in rows.items():
        columns = COLUMNS if name == "doses" else tuple(lines[0])
        sheet = book.create_sheet(name)
        sheet.append(list(columns))
        for line in lines:
            sheet.append([line.get(column) for column in columns])
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                if isinstance(cell.value, datetime):
                    cell.number_format = "yyyy-mm-dd hh:mm"
    path = folder / "chart.xlsx"
    book.save(path)
    return path


FORMATS: Final[Mapping[str, Callable[[Path, Any], Path]]] = {
    "csv": as_csv,
    "csv with offsets": lambda folder, rows: as_csv(folder, rows, "+02:00"),
    "csv in UTC": lambda folder, rows: as_csv(folder, rows, "Z"),
    "csv with 24:00": lambda folder, rows: as_csv(folder, rows, midnight="T24:00"),
    "workbook": as_workbook,
}


def as_dates(folder: Path, rows: Any) -> Path:
    """Write each midnight as its date alone."""
    return as_csv(folder, rows, midnight="")


class Answer(NamedTuple):
    """What a study says of the course."""

    entered: bool
    t0: int | None
    infusion_start: int | None
    high_rate: int | None
    episodes: list[tuple[str, int, int, float, float]]
    died: bool | None
    left: str


def answer(records: Path) -> Answer:
    result = becalm.run(becalm.open_records(str(records)), protocol="anakinra_mas").result
    persons = list(result.tables["persons"].rows())
    reasons = {row["step"]: row["reason"] for row in result.tables["attrition"].rows()}
    gone = [reasons[row["step"]] for row in result.frames["left"].rows()]
    who = persons[0] if persons else {}
    episodes = [
        (e["mode"], e["start"], e["end"], round(e["cumulative_mg"], 4), round(e["peak_mg_day"], 4))
        for e in result.tables["episodes"].rows()
        if e["drug"] == "anakinra"
    ]
    ends = list(result.tables["outcome"].rows())
    return Answer(
        bool(persons),
        who.get("t0"),
        who.get("infusion_start"),
        who.get("high_rate"),
        episodes,
        ends[0]["died"] if ends else None,
        gone[0] if gone else "",
    )


def written(course: Course, notation: str, form: str) -> Iterator[Answer]:
    with TemporaryDirectory() as folder:
        write = {**FORMATS, "dates": as_dates}[form]
        yield answer(write(Path(folder), sheets(course, notation)))


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=6)
@given(course=courses(), notation=st.sampled_from(sorted(NOTATIONS)))
def test_a_course_is_the_same_in_every_notation_and_format_or_nobody_says(
    form: str, course: Course, notation: str
) -> None:
    """Never a third thing: the truth, or the step of those of whom nobody says how it ran."""
    [truth] = written(course, "mg/h", "csv")
    [found] = written(course, notation, form)
    assert truth.entered
    begun = course.died is None or course.died > 0
    assert begun
    if notation in NOT_SAID:
        assert (found.entered, found.left) == (False, UNKNOWN)
    else:
        assert found == truth


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=4)
@given(course=courses_over_midnight(), notation=st.sampled_from(sorted(NOTATIONS)))
def test_a_piece_that_ends_at_midnight_is_the_same_in_every_notation_and_format(
    form: str, course: Course, notation: str
) -> None:
    """Other cells of each column have a time of day, so 00:00 is midnight: no piece is a day longer."""
    [found] = written(course, notation, form)
    if notation in NOT_SAID:
        assert (found.entered, found.left) == (False, UNKNOWN)
        return
    [(mode, start, end, total, _)] = found.episodes
    lasts = sum(hours for hours, _ in course.pieces)
    until = lasts if course.died is None else min(lasts, course.died)
    given, begun = 0.0, 0.0
    for hours, rate in course.pieces:
        given += rate * max(min(begun + hours, until) - begun, 0)
        begun += hours
    assert (mode, start, end - start) == (
        "continuous IV",
        us(ORIGIN),
        round(until * 60) * 60_000_000,
    )
    assert total == pytest.approx(given, rel=1e-6)


@pytest.mark.parametrize(
    ("form", "days_more"),
    [
        ("csv", 1),
        ("csv with offsets", 1),
        ("csv in UTC", 1),
        ("csv with 24:00", 0),
        ("workbook", 1),
        ("dates", 1),
    ],
)
@settings(max_examples=2)
@given(days=st.integers(1, 3), rate=RATES)
def test_a_column_of_midnights_alone_holds_dates(
    form: str, days_more: int, days: int, rate: float
) -> None:
    """From 10 March to 12 March, all at 00:00, is until the end of 12 March, as the dates alone say; 24:00 is no date."""
    course = Course(((24.0 * days, rate),), None, datetime(2021, 3, 10))
    [found] = written(course, "mg/h", form)
    [(_, start, end, total, _)] = found.episodes
    assert start == us(course.origin)
    assert (end - start) / US_OF_A_DAY == days + days_more
    assert total == pytest.approx(rate * 24 * (days + days_more))


def test_the_truth_itself_is_what_was_written() -> None:
    """25 mg/h for 10 h and 100 mg/h for 20 h, cut by death after 20 h: 1,250 mg, and 2,400 mg/day from hour 10 on."""
    [found] = written(Course(((10, 25.0), (20, 100.0)), 20.0), "mg/h", "csv")
    [(mode, start, end, total, peak)] = found.episodes
    assert (mode, total, peak) == ("continuous IV", 1250.0, 2400.0)
    assert (end - start) / 3.6e9 == 20
    assert found.high_rate is not None
    assert found.infusion_start is not None
    assert (found.high_rate - found.infusion_start) / 3.6e9 == 10
    assert found.died is True
