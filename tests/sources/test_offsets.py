"""Offsets behind times: those of the ward's clock are dropped, others are converted or refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from becalm.core.clock import HOUR, MINUTE, UNKNOWN_TIME, from_us, iso, to_us
from becalm.core.time_zones import changes, one_clock
from becalm.records import Refusal
from becalm.records.mapped.source import open_mapped
from becalm.records.sheets import SheetsSource
from becalm.records.sheets.moments import moment_of
from tests.records.chart_review import read_sheets, source, write, write_book

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
PARIS = 'timezone = "Europe/Paris"\n'


def opened(folder: Path, zone: str = "", **sheets: str) -> SheetsSource:
    """Open a chart review with a stated time zone."""
    write(folder, **sheets)
    (folder / "study.toml").write_text(zone, encoding="utf-8")
    return source(folder)


def labs(*times: str, person: str = "P1") -> str:
    return "person_id,time,name,value,unit\n" + "".join(
        f"{person},{time},ferritin,{i + 1},ng/mL\n" for i, time in enumerate(times)
    )


def drawn(read: SheetsSource) -> list[str]:
    """Return the times of the values 1, 2, 3 ... that were read."""
    (records,) = read.chunks()
    rows = sorted(records.measurements.rows(), key=lambda row: row["value"])
    return [iso(row["time"]) for row in rows]


def of_offsets(read: SheetsSource) -> list[Refusal]:
    return [each for each in read.refused() if "offsets" in each.reason]


@pytest.mark.parametrize(
    "times",
    [
        ("2021-06-05T10:00+02:00", "2021-12-05T10:00+02:00"),  # one offset throughout
        ("2021-06-05T10:00Z", "2021-12-05T10:00Z"),
        ("2021-06-05T10:00+02:00", "2021-12-05T10:00+01:00"),  # Paris
        ("2021-06-05T10:00-04:00", "2021-12-05T10:00-05:00"),  # New York
        ("2021-06-05T10:00+10:00", "2021-12-05T10:00+11:00"),  # Sydney
        ("2021-06-05T10:00+01", "2021-12-05T10:00Z"),  # London
        ("2021-06-05T10:00+0200", "2021-12-05"),  # a date has no offset
    ],
)
@pytest.mark.parametrize("zone", ["", PARIS])
def test_the_offsets_of_one_clock_are_dropped(
    tmp_path: Path, times: tuple[str, str], zone: str
) -> None:
    """One offset, or two that differ by the hour of a clock change in their seasons: the times stay as written."""
    read = opened(tmp_path, zone, labs=labs(*times))
    assert drawn(read) == ["2021-06-05T10:00:00", f"2021-12-05T{times[1][11:16] or '00:00'}:00"]
    assert not of_offsets(read)
    assert read.notices == ()


@pytest.mark.parametrize(
    ("times", "ward"),
    [
        (("2021-06-05T09:00Z", "2021-06-05T10:00+02:00"), ("11:00", "10:00")),
        (("2021-12-05T09:00Z", "2021-12-05T10:00+02:00"), ("10:00", "09:00")),
        (("2021-06-05T09:00+01:00", "2021-06-05T10:00+02:00"), ("10:00", "10:00")),  # both in June
        (("2021-06-05T09:00Z", "2021-06-05T10:00"), ("11:00", "10:00")),  # one without an offset
        (("2021-06-05T09:00-05:00", "2021-06-05T10:00"), ("16:00", "10:00")),
        (("2021-12-05T09:00+02:00", "2021-12-05T10:00+01:00", "2021-12-05T09:30Z"), ("08:00", "10:00", "10:30")),
    ],
)  # fmt: skip
def test_the_offsets_of_several_clocks_are_converted_by_the_stated_zone(
    tmp_path: Path, times: tuple[str, ...], ward: tuple[str, ...]
) -> None:
    """A time without an offset is the ward's clock."""
    read = opened(tmp_path, PARIS, labs=labs(*times))
    assert [time[11:16] for time in drawn(read)] == [*ward]
    assert not of_offsets(read)
    assert any("Europe/Paris" in notice for notice in read.notices)


@pytest.mark.parametrize(
    ("times", "used"),
    [
        (("2021-06-05T09:00Z", "2021-06-05T10:00+02:00"), []),
        (("2021-06-05T09:00+01:00", "2021-06-05T10:00+02:00"), []),
        (("2021-12-05T10:00+02:00", "2021-06-05T10:00+01:00"), []),  # the wrong seasons
        (("2021-06-05T09:00Z", "2021-06-05T10:00"), ["2021-06-05T10:00:00"]),
        (("2021-06-05T09:00Z", "2021-06-06", "2021-06-05T10:00+02:00"), ["2021-06-06T00:00:00"]),
        (("2021-06-05T09:00-05:00", "2021-06-05T09:00-04:00", "2021-06-05T09:00-06:00"), []),
    ],
)
def test_without_a_zone_the_times_of_several_clocks_are_refused(
    tmp_path: Path, times: tuple[str, ...], used: list[str]
) -> None:
    """Each row is counted with its time as written; rows without an offset are used."""
    read = opened(tmp_path, labs=labs(*times))
    assert drawn(read) == used
    (refusal,) = of_offsets(read)
    assert (refusal.variable, refusal.rows) == ("ferritin", len(times) - len(used))
    assert times[0] in refusal.example


def test_an_offset_beside_none_is_the_wards_if_it_is_not_utc(tmp_path: Path) -> None:
    """Without a stated zone; a notice says so."""
    read = opened(tmp_path, labs=labs("2021-06-05T09:00-05:00", "2021-06-05T10:00"))
    assert drawn(read) == ["2021-06-05T09:00:00", "2021-06-05T10:00:00"]
    (notice,) = read.notices
    assert "1 person(s)" in notice


def test_all_sheets_of_one_person_count_and_other_persons_do_not(tmp_path: Path) -> None:
    """P1 has Z in the labs and +02:00 in the doses; P2 has Z throughout."""
    doses = "person_id,drug,start,amount,amount_unit\nP1,anakinra,2021-06-05T10:00+02:00,100,mg\n"
    read = opened(
        tmp_path, labs=labs("2021-06-05T09:00Z") + "P2,2021-06-05T09:00Z,ferritin,2,ng/mL\n", doses=doses
    )  # fmt: skip
    assert drawn(read) == ["2021-06-05T09:00:00"]
    assert [(each.source_table, each.variable, each.rows) for each in of_offsets(read)] == [
        ("doses", "anakinra", 1),
        ("labs", "ferritin", 1),
    ]


def test_a_refused_time_of_death_is_still_a_death(tmp_path: Path) -> None:
    """Only the cell is refused: that the person died is known, and when is not."""
    persons = "person_id,death_time\nP1,2021-06-09T10:00Z\n"
    read = opened(tmp_path, persons=persons, labs=labs("2021-06-05T09:00+02:00"))
    (records,) = read.chunks()
    assert records.persons["died"].tolist() == ["yes"]
    assert records.persons["death_time"].tolist() == [UNKNOWN_TIME]
    assert ("death_time", "persons:2 2021-06-09T10:00Z") in [
        (each.variable, each.example) for each in of_offsets(read)
    ]


def test_a_refused_stay_is_still_known_by_its_name(tmp_path: Path) -> None:
    """A diagnosis of that stay is no mistake."""
    read = opened(
        tmp_path,
        stays="person_id,stay_id,start\nP1,S1,2021-06-01T10:00Z\n",
        conditions="person_id,stay_id,name\nP1,S1,HLH\n",
        labs=labs("2021-06-05T09:00+02:00"),
    )
    (records,) = read.chunks()
    assert (len(records.stays), len(records.conditions)) == (0, 1)


def test_midnight_with_an_offset_among_dates_is_a_date(tmp_path: Path) -> None:
    """A birth at 00:00Z is no evidence of another clock, and is not moved to 02:00."""
    persons = "person_id,birth_date\nP1,1980-05-01T00:00Z\n"
    read = opened(tmp_path, PARIS, persons=persons, labs=labs("2021-06-05T09:00+02:00"))
    (records,) = read.chunks()
    assert iso(records.persons["birth"][0]) == "1980-05-01T00:00:00"
    assert read.notices == ()


def test_the_elapsed_time_of_a_dose_is_that_of_its_offsets(tmp_path: Path) -> None:
    """Across both clock changes, and where the clock shows an end before the start."""
    rows = [
        ("2021-03-28T00:00+01:00", "2021-03-28T07:00+02:00", 6),
        ("2021-10-31T00:00+02:00", "2021-10-31T07:00+01:00", 8),
        ("2021-10-31T02:30+02:00", "2021-10-31T02:15+01:00", 0.75),
        ("2021-06-05T10:00+02:00", "2021-06-05T12:00+02:00", 2),
    ]
    doses = "person_id,drug,start,end,rate,rate_unit\n" + "".join(
        f"P1,anakinra,{start},{end},10,mg/h\n" for start, end, _ in rows
    )
    records = read_sheets(write(tmp_path, doses=doses))
    found = sorted(records.administrations.rows(), key=lambda row: row["key"])
    assert [row["elapsed_h"] for row in found] == [hours for *_, hours in rows]
    assert all(row["end"] > row["start"] for row in found)
    assert iso(found[2]["end"]) == "2021-10-31T03:15:00"


@needs_cases
def test_the_case_of_offsets() -> None:
    """`09:00Z` in Paris in June is 11:00 on the ward: an hour after the dose at 10:00."""
    read = source(CASES / "times-offsets")
    (records,) = read.chunks()
    mixz = records.persons["person_id"].tolist().index("MIXZ")
    measured, given_ = records.measurements, records.administrations
    assert {iso(t) for t in measured["time"][measured["person"] == mixz]} == {"2021-06-05T11:00:00"}
    assert [iso(t) for t in given_["start"][given_["person"] == mixz]] == ["2021-06-05T10:00:00"]
    assert not of_offsets(read)


WALL = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)).map(
    lambda m: m.replace(minute=30, second=0, microsecond=0)
)
ZONES = ["Europe/Paris", "America/New_York", "Australia/Sydney", "America/Santiago", "Asia/Tokyo"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WALL, min_size=1, max_size=8), st.sampled_from(ZONES), st.booleans())
def test_with_and_without_offsets_a_ward_has_one_clock_in_every_format(
    tmp_path: Path, moments: list[datetime], zone: str, stated: bool
) -> None:
    """A zone's own offsets change nothing, in CSV and in a workbook, whether the zone is stated or not."""
    there = ZoneInfo(zone)
    moments = [
        m.replace(tzinfo=there).astimezone(ZoneInfo("UTC")).astimezone(there) for m in moments
    ]
    texts = [m.isoformat() for m in moments]
    study = f'timezone = "{zone}"\n' if stated else ""
    read = opened(tmp_path, study, labs=labs(*texts))
    wall = [iso(to_us(m)) for m in moments]
    assert drawn(read) == wall
    rows: list[list[object]] = [["P1", t, "ferritin", i + 1, "ng/mL"] for i, t in enumerate(texts)]
    book = write_book(
        tmp_path / "a.xlsx",
        persons=[["person_id"], ["P1"]],
        labs=[["person_id", "time", "name", "value", "unit"], *rows],
    )
    assert drawn(source(book)) == wall


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(WALL, st.booleans()), min_size=2, max_size=8), st.sampled_from(ZONES))
def test_a_mixture_with_utc_is_read_as_if_all_were_written_on_the_wards_clock(
    tmp_path: Path, moments: list[tuple[datetime, bool]], zone: str
) -> None:
    """Some times as Z, others with the zone's own offset, the zone stated: the ward's clock of each."""
    utc, there = ZoneInfo("UTC"), ZoneInfo(zone)
    instants = [m.replace(tzinfo=utc) for m, _ in moments]
    instants = [*instants, instants[0]]
    forms = [*(as_utc for _, as_utc in moments[1:]), True, False]
    texts = [
        i.isoformat() if as_utc else i.astimezone(there).isoformat()
        for i, as_utc in zip(instants, forms, strict=True)
    ]
    read = opened(tmp_path, f'timezone = "{zone}"\n', labs=labs(*texts))
    assert drawn(read) == [iso(to_us(i.astimezone(there))) for i in instants]


@given(WALL, st.sampled_from(ZONES))
def test_a_clock_in_both_seasons_is_one_clock_and_an_hour_apart_at_once_is_not(
    moment: datetime, zone: str
) -> None:
    """The same instant with two offsets comes from two clocks."""
    there = ZoneInfo(zone)
    shown = []
    for days in (0, 91, 182, 273):
        local = (moment + timedelta(days=days)).replace(tzinfo=ZoneInfo("UTC")).astimezone(there)
        offset = local.utcoffset()
        assert offset is not None
        shown.append((to_us(local), round(offset / timedelta(minutes=1))))
    assert one_clock(shown)
    wall, offset_minutes = shown[0]
    assert not one_clock([*shown, (wall + HOUR, offset_minutes + 60)])


def test_changes_of_the_clock_of_several_zones() -> None:
    """To the minute, on the wall clock."""
    year = to_us(datetime(2021, 1, 1)), to_us(datetime(2022, 1, 1))
    for zone, expected in {
        "Europe/Paris": [("2021-03-28T02:00:00", 60), ("2021-10-31T03:00:00", -60)],
        "Europe/London": [("2021-03-28T01:00:00", 60), ("2021-10-31T02:00:00", -60)],
        "America/New_York": [("2021-03-14T02:00:00", 60), ("2021-11-07T02:00:00", -60)],
        "Australia/Lord_Howe": [("2021-04-04T02:00:00", -30), ("2021-10-03T02:00:00", 30)],
        "Asia/Tokyo": [],
    }.items():
        assert [(iso(at), us // MINUTE) for at, us in changes(zone, *year)] == expected


@pytest.mark.parametrize(
    ("text", "offset"),
    [("2021-06-05T09:00Z", 0), ("2021-06-05 9:00 +02", 120), ("2021-06-05T09:00:30.5-0330", -210),
     ("2021-06-05T09:00", None)],
)  # fmt: skip
def test_offsets_in_every_notation(text: str, offset: int | None) -> None:
    """With and without a colon, minutes and a blank."""
    moment = moment_of(text)
    assert moment is not None
    assert moment.offset == offset
    assert from_us(moment.wall).hour == 9


def test_a_mapping_states_the_zone_too(tmp_path: Path) -> None:
    """The times of flat tables are those of the ward's clock as well."""
    (tmp_path / "t.csv").write_text(
        "who,when,ferritin\nA,2021-06-05T09:00Z,1\nA,2021-06-05T10:00+02:00,2\n", encoding="utf-8"
    )
    mapping = tmp_path / "m.toml"
    text = (
        '[tables.t]\nfile = "t.csv"\nperson_id = "who"\n[persons]\n'
        '[[labs]]\ntime = "when"\ncolumns.ferritin = { name = "ferritin", unit = "ng/mL" }\n'
    )
    for zone, times in (
        (PARIS, ["2021-06-05T11:00:00", "2021-06-05T10:00:00"]),
        ("", []),
    ):
        mapping.write_text(f"[study]\n{zone}{text}", encoding="utf-8")
        assert drawn(open_mapped(tmp_path, str(mapping))) == times
