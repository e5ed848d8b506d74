"""An infusion across a change of the clock: its axis is the wall clock, its amount is rate times real hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.clock import HOUR, parse
from becalm.core.frame import Frame
from becalm.core.time_zones import ClockChanges
from becalm.doses import (
    EpisodeRules,
    calendar_dose,
    continuous_entries,
    daily_dose,
    time_at_dose,
    treatments,
)
from becalm.measures.escalations import courses_of
from becalm.patients.understood import Patients
from becalm.protocol import load
from becalm.records.sheets import open_sheets

V = vocabulary.load()
RULES = EpisodeRules.of(load("anakinra_mas"))
CASES = Path(__file__).parents[3] / "shared" / "cases"
PARIS = "Europe/Paris"
EVER = -(10**17)


def amounts(folder: Path) -> dict[str, tuple[float, float, float, float]]:
    """Return the mg of anakinra of each person by its rows, its days, its dates and its episodes."""
    (records,) = open_sheets(folder).chunks()
    doses = Patients.of(records, V).doses
    ids = doses.person_id.tolist()
    sums = dict.fromkeys(ids, (0.0, 0.0, 0.0, 0.0))
    tables = (
        (doses.frame, "amount_mg"),
        (daily_dose(doses, ["anakinra"]), "mg"),
        (calendar_dose(doses, ["anakinra"], np.full(len(ids), EVER)), "mg"),
        (treatments(doses, ["anakinra"], RULES).episodes, "cumulative_mg"),
    )
    for one in ids:
        in_all = [float(t[name][t["person_id"] == one].sum()) for t, name in tables]
        sums[one] = (in_all[0], in_all[1], in_all[2], in_all[3])
    return sums


def remarks(folder: Path) -> list[str]:
    """Return the remark on each dose."""
    (records,) = open_sheets(folder).chunks()
    return [row["flag"] for row in Patients.of(records, V).doses.frame.rows()]


def written(folder: Path, doses: str, zone: str = "", rows: str = "") -> Path:
    """Write a chart review of one infusion or several, with the time zone if it is stated."""
    folder.mkdir(exist_ok=True)
    header = rows or "person_id,drug,route,start,end,rate,rate_unit"
    (folder / "persons.csv").write_text("person_id\nP1\n", encoding="utf-8")
    (folder / "doses.csv").write_text(f"{header}\n{doses}\n", encoding="utf-8")
    study = f'timezone = "{zone}"\n' if zone else ""
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder


def infusion(start: str, end: str, rate: str = "10,mg/h", route: str = "IV") -> str:
    return f"P1,anakinra,{route},{start},{end},{rate}"


def copied(folder: Path, name: str) -> Path:
    """Copy a case without its description of the study."""
    if not (CASES / name).is_dir():
        pytest.skip("shared/cases is absent")
    folder.mkdir(exist_ok=True)
    for file in (CASES / name).glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_the_case_of_offsets_with_a_stated_zone() -> None:
    """Seven hours on the ward's clock are six in spring, 60 mg, and eight in autumn, 80 mg, in every table."""
    if not (CASES / "times-offsets").is_dir():
        pytest.skip("shared/cases is absent")
    found = amounts(CASES / "times-offsets")
    for name, mg in {
        "SPRING": 60,
        "AUTUMN": 80,
        "OFF_SPRING": 60,
        "OFF_AUTUMN": 80,
        "MIXZ": 100,
    }.items():
        assert found[name] == pytest.approx((mg,) * 4, abs=1e-6)


def test_the_case_of_offsets_without_a_zone(tmp_path: Path) -> None:
    """Without a zone the clock's seven hours are 70 mg and remarked; a row with offsets needs no zone."""
    folder = copied(tmp_path / "case", "times-offsets")
    found = amounts(folder)
    for name, mg in {
        "SPRING": 70,
        "AUTUMN": 70,
        "OFF_SPRING": 60,
        "OFF_AUTUMN": 80,
        "MIXZ": 0,
    }.items():
        assert found[name] == pytest.approx((mg,) * 4, abs=1e-6)
    assert sum("no timezone is stated" in remark for remark in remarks(folder)) == 2


def test_a_value_drawn_by_another_clock_after_the_dose_is_no_baseline(tmp_path: Path) -> None:
    """09:00Z is 11:00 in Paris in summer, an hour after the dose began at 10:00."""
    if not (CASES / "times-offsets").is_dir():
        pytest.skip("shared/cases is absent")
    (records,) = open_sheets(CASES / "times-offsets").chunks()
    who = records.persons["person_id"].tolist().index("MIXZ")
    drawn = records.measurements["time"][records.measurements["person"] == who]
    begun = records.administrations["start"][records.administrations["person"] == who]
    assert set((drawn - begun[0]).tolist()) == {HOUR}


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2021-03-28T02:00", "2021-03-28T07:00", 4),  # from the change on
        ("2021-03-28T03:00", "2021-03-28T07:00", 4),  # the minute after it
        ("2021-03-27T20:00", "2021-03-28T02:00", 6),  # until the change
        ("2021-03-27T20:00", "2021-03-28T03:00", 6),  # the skipped hour adds nothing
        ("2021-03-27T20:00", "2021-03-28T03:01", 6 + 1 / 60),
        ("2021-10-30T20:00", "2021-10-31T02:00", 6),  # before the hour that is shown twice
        ("2021-10-30T20:00", "2021-10-31T03:00", 8),
        ("2021-10-31T03:00", "2021-10-31T07:00", 4),  # after it
        ("2021-10-31T02:00", "2021-10-31T07:00", 6),
        ("2021-06-05T00:00", "2021-06-05T07:00", 7),  # another night
    ],
)
def test_the_hour_of_the_change(tmp_path: Path, start: str, end: str, hours: float) -> None:
    """At the change of the clock and beside it, in Paris in 2021."""
    folder = written(tmp_path, infusion(start.replace("T00:00", "T00:00"), end), PARIS)
    assert amounts(folder)["P1"] == pytest.approx((hours * 10,) * 4, abs=1e-5)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Sydney", "Asia/Tokyo"])
def test_other_zones_change_in_other_nights(tmp_path: Path, zone: str) -> None:
    """The night of the change in Paris is an ordinary one elsewhere."""
    folder = written(tmp_path, infusion("2021-03-28T01:00", "2021-03-28T07:00"), zone)
    assert amounts(folder)["P1"] == pytest.approx((60,) * 4)
    assert remarks(folder) == [""]


def test_an_amount_over_a_night_of_the_change_keeps_its_amount(tmp_path: Path) -> None:
    """60 mg over six real hours are 10 mg/h, and 60 mg in every table."""
    header = "person_id,drug,route,start,end,amount,amount_unit"
    night = infusion("2021-03-28T00:00", "2021-03-28T07:00", "60,mg")
    folder = written(tmp_path, night, PARIS, rows=header)
    assert amounts(folder)["P1"] == pytest.approx((60,) * 4, abs=1e-5)
    (records,) = open_sheets(folder).chunks()
    assert Patients.of(records, V).doses.frame["rate_mg_h"].tolist() == [10]


def test_tablets_per_day_are_those_of_a_date(tmp_path: Path) -> None:
    """15 mg a day by mouth are 15 mg on the day of the change too, without a remark."""
    weeks = infusion("2021-03-20T08:00", "2021-04-03T08:00", "15,mg/day", "oral")
    for zone in (PARIS, ""):
        folder = written(tmp_path, weeks, zone)
        assert amounts(folder)["P1"] == pytest.approx((14 * 15,) * 4, abs=1e-5)
        assert remarks(folder) == [""]


def test_an_end_computed_from_an_amount_follows_real_hours(tmp_path: Path) -> None:
    """60 mg at 10 mg/h from midnight of the spring night end at 07:00 on the clock."""
    header = "person_id,drug,route,start,amount,amount_unit,rate,rate_unit"
    night = "P1,anakinra,IV,2021-03-27T24:00,60,mg,10,mg/h"
    (records,) = open_sheets(written(tmp_path, night, PARIS, rows=header)).chunks()
    frame = Patients.of(records, V).doses.frame
    assert frame["end"].tolist() == [parse("2021-03-28T07:00")[0]]


@pytest.mark.parametrize(
    ("end", "enters"), [("2021-03-28T06:59", False), ("2021-03-28T07:00", True)]
)
def test_six_real_hours_enter(tmp_path: Path, end: str, enters: bool) -> None:
    """In spring an infusion from midnight has run for six hours when the clock shows seven."""
    folder = written(tmp_path, infusion("2021-03-28T00:01", end.replace(":00", ":01")), PARIS)
    (records,) = open_sheets(folder).chunks()
    doses = Patients.of(records, V).doses
    found = continuous_entries(doses, "anakinra", RULES, 6 * HOUR)
    assert (len(found) == 1) is enters


def test_bags_that_meet_at_the_skipped_hour_have_no_pause(tmp_path: Path) -> None:
    """One ends at 02:00 and the next begins at 03:00, which is the same moment."""
    bags = "\n".join(
        infusion(*times)
        for times in (
            ("2021-03-27T20:00", "2021-03-28T02:00"),
            ("2021-03-28T03:00", "2021-03-28T09:00"),
        )
    )
    for zone, pauses in ((PARIS, 0), ("Asia/Tokyo", 1)):
        (records,) = open_sheets(written(tmp_path, bags, zone)).chunks()
        episodes = treatments(Patients.of(records, V).doses, ["anakinra"], RULES).episodes
        assert episodes["pauses"].tolist() == [pauses]


def test_an_unknown_zone_is_remarked_only_on_nights_when_clocks_change(tmp_path: Path) -> None:
    """The remark is on the row that spans such a night, and on no other; nothing is corrected."""
    rows = [
        infusion("2021-03-27T20:00", "2021-03-28T09:00"),
        infusion("2021-03-29T20:00", "2021-03-30T09:00"),
        infusion("2021-11-06T20:00", "2021-11-07T09:00"),  # North America
        infusion("2021-10-02T20:00", "2021-10-03T09:00"),  # Australia
        infusion("2021-03-27T10:00", "2021-03-27T23:59"),
        infusion("2021-03-28T04:00", "2021-03-28T17:00"),
    ]
    folder = written(tmp_path, "\n".join(rows))
    said = ["no timezone is stated" in remark for remark in remarks(folder)]
    (records,) = open_sheets(folder).chunks()
    by_key = [said[i] for i in np.argsort(records.administrations["key"])]
    assert by_key == [True, False, True, True, False, False]


START = st.datetimes(datetime(2018, 1, 1), datetime(2030, 1, 1)).map(
    lambda m: m.replace(minute=30 if m.minute % 2 else 10, second=0, microsecond=0)
)
NIGHTS = st.sampled_from(
    [datetime(2021, 3, 28), datetime(2021, 10, 31), datetime(2024, 3, 31), datetime(2023, 10, 29)]
).flatmap(lambda night: st.integers(-900, 240).map(lambda m: night + timedelta(minutes=m)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(START, NIGHTS),
    st.lists(st.tuples(st.integers(31, 900), st.sampled_from([5.0, 12.5, 40.0])), min_size=1, max_size=4),
    st.sampled_from([PARIS, "America/New_York"]),
    st.sampled_from(["rate", "amount", "per day"]),
)  # fmt: skip
def test_one_true_infusion_has_one_amount_however_its_times_are_written(
    tmp_path: Path, begins: datetime, bags: list[tuple[int, float]], zone: str, notation: str
) -> None:
    """With offsets, with and without a stated zone, and without offsets but with the zone: rate times real hours."""
    there = ZoneInfo(zone)
    moment = begins.replace(tzinfo=UTC)
    true, edges = 0.0, []
    for minutes, rate in bags:
        end = moment + timedelta(minutes=minutes)
        edges.append((moment.astimezone(there), end.astimezone(there), rate, minutes))
        true += rate * minutes / 60
        moment = end
    if any(time.fold or _twice(time) for a, b, *_ in edges for time in (a, b)):
        return  # without an offset nobody can know which of the two hours is meant

    def row(start: datetime, end: datetime, rate: float, minutes: int, offsets: bool) -> str:
        a, b = (t.isoformat() if offsets else f"{t:%Y-%m-%dT%H:%M}" for t in (start, end))
        written_as = {
            "rate": f"{rate},mg/h,,", "per day": f"{rate * 24},mg/day,,",
            "amount": f",,{rate * minutes / 60!r},mg",
        }  # fmt: skip
        return f"P1,anakinra,IV,{a},{b},{written_as[notation]}"

    header = "person_id,drug,route,start,end,rate,rate_unit,amount,amount_unit"
    found: list[Any] = []
    for offsets, stated in ((True, zone), (True, ""), (False, zone)):
        text = "\n".join(row(*edge, offsets=offsets) for edge in edges)
        found.append(amounts(written(tmp_path, text, stated, rows=header))["P1"])
    assert found == [pytest.approx((true,) * 4, abs=1e-4)] * 3


def _twice(time: datetime) -> bool:
    """Return whether the clock shows this time twice."""
    return time.replace(fold=0).utcoffset() != time.replace(fold=1).utcoffset()


@given(NIGHTS, st.integers(1, 3000))
def test_real_time_between_two_times_is_that_of_the_zone(begins: datetime, minutes: int) -> None:
    """The same as Python's own arithmetic in the zone, outside the hour that is shown twice."""
    there = ZoneInfo(PARIS)
    ends = begins + timedelta(minutes=minutes)
    aware = [time.replace(tzinfo=there) for time in (begins, ends)]
    if any(_twice(time) for time in aware):
        return
    shown = [np.array([parse(time.isoformat())[0]]) for time in (begins, ends)]
    clock = ClockChanges.of(PARIS, parse("2017-01-01")[0], parse("2031-01-01")[0])
    passed = (aware[1].astimezone(UTC) - aware[0].astimezone(UTC)) / timedelta(hours=1)
    beyond = clock.beyond(*shown)[0] / HOUR
    assert minutes / 60 + beyond == pytest.approx(passed)


@pytest.mark.parametrize(
    ("zone", "night", "hours"),
    [
        (PARIS, "2021-03-28", 6),
        (PARIS, "2021-10-31", 8),
        ("Asia/Tokyo", "2021-03-28", 7),
        ("", "2021-03-28", 7),
    ],
)
def test_hours_at_a_dose_are_real_hours(
    tmp_path: Path, zone: str, night: str, hours: float
) -> None:
    """The time at 240 mg/day in a night of seven hours on the clock; without a zone the clock's hours count."""
    folder = written(tmp_path, infusion(f"{night}T00:00", f"{night}T07:00"), zone)
    (records,) = open_sheets(folder).chunks()
    doses = Patients.of(records, V).doses
    cohort = Frame.of(
        {"person": "code", "person_id": "text", "t0": "time"},
        person=[0],
        person_id=["P1"],
        t0=doses.frame["start"],
    )
    (row,) = time_at_dose(cohort, doses, "anakinra", [240.0], RULES).rows()
    assert row["hours_at_rate"] == pytest.approx(hours)
    protocol = load("anakinra_mas")
    found = treatments(doses, ["anakinra"], RULES)
    (course,) = courses_of(cohort, doses, ["anakinra"], protocol, found).rows()
    assert course["hours_at_ceiling"] == pytest.approx(hours)
