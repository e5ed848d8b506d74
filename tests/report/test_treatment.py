"""What was given: the dose timeline, the steps up, and which earlier lines had failed."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from becalm import tables
from becalm.core.frame import Frame
from becalm.report import render, write_report
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.figures import dose, escalation
from becalm.report.sections import treatment
from tests.report import fixture
from tests.report.conftest import seen


def planted(i: int) -> float:
    person = fixture.PERSONS[i]
    pairs = zip(person.rates, person.rates[1:], strict=False)
    return sum(r * (b - a) for (a, r), (b, _) in pairs) + sum(mg for _, _, mg in person.singles)


def test_the_cumulative_curve_ends_at_everything_that_was_given(cohort: Cohort) -> None:
    drawn = dose.sums(cohort)
    for i, person in enumerate(cohort.ids):
        mine = [row["top"] for row in drawn if row["person"] == person]
        assert mine == sorted(mine)
        assert mine[-1] == pytest.approx(planted(i))


def test_the_daily_bars_and_the_cumulative_curve_agree(cohort: Cohort) -> None:
    bars = [row for row in dose.daily(cohort) if row["person"] == "ILL-1"]
    assert sum(row["top"] for row in bars) == pytest.approx(planted(0))
    assert [row["top"] for row in bars][:2] == [pytest.approx(600), pytest.approx(1900)]
    assert (bars[0]["start"], bars[0]["end"]) == (0, 1)


def test_a_single_dose_is_a_jump_and_a_rate_a_slope(cohort: Cohort) -> None:
    mine = [row for row in dose.sums(cohort) if row["person"] == "ILL-1"]
    assert [(round(24 * row["start"]), row["top"]) for row in mine[:6]] == [
        (0, 100), (6, 100), (6, 200), (10, 200), (22, 500), (34, 1100),
    ]  # fmt: skip


def test_the_sum_stops_where_an_amount_is_unknown(cohort: Cohort) -> None:
    steps = cohort.result.frames["dose_steps"]
    blank = np.where((steps["person_id"] == "ILL-1") & (steps["hours_from_t0"] == 6), math.nan, steps["amount"])  # fmt: skip
    unknown = Cohort(cohort.result.with_frames({"dose_steps": steps.replace(amount=blank)}))
    mine = [row for row in dose.sums(unknown) if row["person"] == "ILL-1"]
    assert [row["top"] for row in mine] == [100]
    others = [row for row in dose.sums(unknown) if row["person"] != "ILL-1"]
    assert others == [row for row in dose.sums(cohort) if row["person"] != "ILL-1"]


def test_a_day_whose_amount_is_unknown_is_no_day_without_a_dose(cohort: Cohort) -> None:
    daily = cohort.result.tables["daily_dose"]
    blank = {
        "daily_dose": daily.replace(amount_canonical=np.full(len(daily), math.nan)),
    }
    rows = dose.daily(Cohort(cohort.result.with_frames(blank)))
    assert rows
    assert {(row["kind"], row["top"]) for row in rows} == {("unknown", None)}


def test_a_curve_holds_each_rate_until_the_next_and_a_pause_is_zero(cohort: Cohort) -> None:
    mine = [row for row in escalation.curves(cohort) if row["person"] == "ILL-5"]
    rates = [(row["hour"], row["rate"]) for row in mine]
    end = escalation.window(cohort)
    planted = [(h, r) for h, r in fixture.PERSONS[4].rates if h < end]
    assert rates == [(0.0, 0.0), *planted, (end, planted[-1][1])]


def test_each_rate_is_divided_by_the_weight_in_force(cohort: Cohort) -> None:
    ups = cohort.result.frames["escalations"]
    heavier = Cohort(
        cohort.result.with_frames({"escalations": ups.replace(weight_used=2 * ups["weight_used"])})
    )
    at = {
        row["hour"]: row["per_kg"] for row in escalation.curves(cohort) if row["person"] == "ILL-1"
    }
    later = {row["hour"]: row["per_kg"] for row in escalation.curves(heavier) if row["person"] == "ILL-1"}  # fmt: skip
    assert at[22.0] == pytest.approx(50 / 61)
    assert later[22.0] == pytest.approx(25 / 61)  # a step up with a weight of its own
    assert later[10.0] == at[10.0] == pytest.approx(25 / 61)  # the day's weight


def test_no_weight_means_no_curve_by_weight(cohort: Cohort) -> None:
    persons = cohort.result.tables["persons"]
    unknown = {
        "persons": persons.replace(weight_kg=np.full(len(persons), math.nan)),
        "daily_dose": tables.empty("daily_dose"),
    }
    none = cohort.result.frames["escalations"].take(
        np.zeros(len(cohort.result.frames["escalations"]), dtype=bool)
    )
    drawn = escalation.curves(Cohort(cohort.result.with_frames({**unknown, "escalations": none})))
    assert {row["per_kg"] for row in drawn if row["rate"] > 0} == {None}


def test_every_curve_has_a_colour_and_a_dash_of_its_own(cohort: Cohort) -> None:
    spec = escalation.spec(cohort)
    assert spec is not None
    encoding = spec["hconcat"][0]["encoding"]
    dashes = encoding["strokeDash"]["scale"]["range"]
    assert (
        len({tuple(dash) for dash in dashes}) == len(set(encoding["color"]["scale"]["range"])) == 5
    )


def test_no_drug_of_interest_no_dose_figure() -> None:
    cohort = Cohort(fixture.many(6))
    assert dose.spec(cohort) is None
    assert escalation.spec(cohort) is None


def test_a_step_up_shows_what_was_worse_and_what_nobody_knows(cohort: Cohort) -> None:
    table = treatment.escalations(cohort, Drill(cohort))
    assert len(table.rows) == sum(
        len(list(fixture._ups(i, p))) for i, p in enumerate(fixture.PERSONS)
    )
    row = next(row for row in table.rows if row[0] == "ILL-4")
    told = dict(zip(table.head, map(_bare, row), strict=True))
    assert "12.5 → 25" in told["mg/h, from → to"]
    assert told["from t0"] == "+30 h"
    assert (
        told["ferritin worse"]
        == told["vasopressor worse"]
        == told["renal replacement therapy"]
        == "yes"
    )
    assert told["AST worse"] == "no"
    assert told["temperature worse"] == "–"


def test_the_course_of_the_infusion_is_told_in_a_line(cohort: Cohort) -> None:
    table = treatment.courses(cohort, Drill(cohort))
    rows = {row[0]: [_bare(cell) for cell in row[1:]] for row in table.rows}
    assert rows["ILL-2"] == ["SC → continuous IV", "2,400", "38", "168", "2", "–", "–", "–", "–"]


def test_an_earlier_line_says_whether_it_had_failed_and_why(cohort: Cohort) -> None:
    table = treatment.prior(cohort, Drill(cohort))
    told = {(row[0], _bare(row[1])): [_bare(cell) for cell in row[6:]] for row in table.rows}
    assert len(told) == len(table.rows) == len(cohort.prior)  # nothing is said twice
    assert told["ILL-1", "methylprednisolone"] == ["20.5 mg/kg", "yes", "ferritin did not fall"]
    assert told["ILL-3", "tocilizumab"] == ["", "–", "ferritin: no two values"]
    assert told["ILL-5", "cyclophosphamide"][1] == "no"


def _bare(cell: Any) -> str:
    return seen(str(cell))


def test_the_page_shows_the_figures_and_the_tables(five: str) -> None:
    text = seen(five)
    assert "Anakinra as given" in text
    assert "Escalation: each step up" in text
    assert "Course of the infusion" in text


@pytest.fixture
def small() -> Any:
    return fixture.illustrative(fixture.PERSONS[:1])


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_two_processes_one_and_a_broken_one_write_the_same_bytes(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    kept = render.Pixels._given

    def counted(self: render.Pixels) -> dict[str, bytes]:
        found = kept(self)
        given.append(len(found))
        return found

    monkeypatch.setattr(render.Pixels, "_given", counted)
    written = []
    half = "import sys; sys.stdout.write(open(0).readline()[:40])"  # dies in the middle of a line
    for name, cores, command in (("two", 2, render.COMMAND), ("one", 1, render.COMMAND), ("broken", 2, ("-c", half))):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        monkeypatch.setattr(render, "COMMAND", command)
        write_report(small, folder)
        written.append(bytes_of(folder))
    assert written[0] == written[1] == written[2]
    assert given[0] == sum(name.endswith(".png") for name in written[0]) > 8
    assert given[1:] == [0, 0]


def test_the_other_process_is_gone_when_drawing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*given: Any, **more: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*given, **more))
        return started[-1]

    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(render, "COMMAND", ("-c", "import time; time.sleep(60)"))
    with pytest.raises(ZeroDivisionError), render.pixels():
        raise ZeroDivisionError
    assert len(started) == 1
    assert started[0].poll() is not None


def test_remarks_about_doses_are_counted_and_open_their_rows(cohort: Cohort) -> None:
    drill = Drill(cohort)
    [row] = treatment.oddities(cohort, drill).rows
    assert [_bare(cell) for cell in row] == ["implausible rate", "5", "4", "anakinra"]
    [opened] = drill.popovers
    assert opened.count("implausible rate: 450 mg/h") == 5
    assert all(person in opened for person in cohort.ids)


def test_time_at_a_dose_opens_the_doses_it_is_counted_from(cohort: Cohort) -> None:
    drill = Drill(cohort)
    table = treatment.at_dose(cohort, drill)
    assert [_bare(row[1]) for row in table.rows] == ["2,400 mg/day"] * 5
    assert [_bare(cell) for cell in table.rows[0][3:]] == ["62", "38"]
    assert len(drill.popovers) == 5


def test_bags_that_run_at_once_are_drawn_as_their_sum(cohort: Cohort) -> None:
    steps = cohort.result.frames["dose_steps"]
    mine = np.flatnonzero((steps["person_id"] == "ILL-1") & (steps["rate"] == 100))
    second = steps.take(mine)
    middle = (second["start"] + second["end"]) // 2
    both = Frame.concat([steps, second.replace(start=middle, rate=second["rate"] / 4)])
    drawn = Cohort(cohort.result.with_frames({"dose_steps": both}))
    rates = [r["rate"] for r in drawn.rates if r["person_id"] == "ILL-1"]
    single = [r["rate"] for r in cohort.rates if r["person_id"] == "ILL-1"]
    at = single.index(100)
    assert rates == [*single[: at + 1], 125, *single[at + 1 :]]
    assert max(r["rate"] for r in escalation.curves(drawn) if r["person"] == "ILL-1") == 125
