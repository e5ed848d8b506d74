"""What was given: the dose timeline, the steps up, and which earlier lines had failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import becalm
from becalm import core
from becalm.report import write_report
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.figures import dose, escalation
from becalm.report.sections import treatment
from becalm.study.result import StudyResult
from tests.records.chart_review import write
from tests.report.charts import FIVE, ONE, PERSONS, TWO, Dose
from tests.report.conftest import Study, seen

GIVEN = {"ILL-1": 9100, "ILL-2": 19250, "ILL-3": 7000, "ILL-4": 35725, "ILL-5": 23310}
"""Milligrams in all: the single doses, and each rate times its hours.

ILL-1: 200 + 25 x 12 + 50 x 12 + 100 x 62 + 50 x 24 + 25 x 24. ILL-2: 200 + 25 x 6 + 50 x 6 + 100 x 168 +
50 x 24 + 25 x 24. ILL-3: 100 + 50 x 6 + 100 x 48 + 50 x 24 + 25 x 24. ILL-4: 400 + 12.5 x 6 + 25 x 6 + 50 x 6 +
100 x 294 + 50 x 72 + 25 x 72. ILL-5: 200 + 25 x 6 + 50 x 6 + 100 x 112 + 100 x 114.6, until death at 261.6 h.
"""


def of(study: Study, *persons: Any) -> Cohort:
    return Cohort(study(persons))


def sums(cohort: Cohort, person: str = "ILL-1") -> list[Mapping[str, Any]]:
    return [row for row in dose.sums(cohort) if row["person"] == person]


def _bare(cell: Any) -> str:
    return seen(str(cell))


def test_the_cumulative_curve_ends_at_everything_that_was_given(cohort: Cohort) -> None:
    for person, given in GIVEN.items():
        mine = [row["top"] for row in sums(cohort, person)]
        assert mine == sorted(mine)
        assert mine[-1] == pytest.approx(given)


def test_the_daily_bars_and_the_cumulative_curve_agree(cohort: Cohort) -> None:
    """Of ILL-1 on day 1: 200 + 25 x 12 + 50 x 2 mg; on day 2: 50 x 10 + 100 x 14."""
    bars = [row for row in dose.daily(cohort) if row["person"] == "ILL-1"]
    assert sum(row["top"] for row in bars) == pytest.approx(9100)
    assert [row["top"] for row in bars][:2] == [pytest.approx(600), pytest.approx(1900)]
    assert (bars[0]["start"], bars[0]["end"]) == (0, 1)


def test_a_single_dose_is_a_jump_and_a_rate_a_slope(cohort: Cohort) -> None:
    assert [(round(24 * row["start"]), row["top"]) for row in sums(cohort)[:6]] == [
        (0, 100), (6, 100), (6, 200), (10, 200), (22, 500), (34, 1100),
    ]  # fmt: skip


def test_the_sum_stops_where_an_amount_is_unknown(study: Study, cohort: Cohort) -> None:
    """The second dose of ILL-1 was a vial: nobody knows of how many mg. The others go on."""
    vial = replace(ONE, singles=((0, "IV", 100),), others=(*ONE.others, Dose("anakinra", "IV", 6, "1 vial")))  # fmt: skip
    unknown = of(study, vial, *PERSONS[1:])
    assert [row["top"] for row in sums(unknown)] == [100]
    for person in ("ILL-2", "ILL-3", "ILL-4", "ILL-5"):
        assert sums(unknown, person) == sums(cohort, person)


def test_a_day_whose_amount_is_unknown_is_no_day_without_a_dose(study: Study) -> None:
    """The first day has the vial; on the second 1,900 mg were given."""
    vial = replace(ONE, singles=((0, "IV", 100),), others=(*ONE.others, Dose("anakinra", "IV", 6, "1 vial")))  # fmt: skip
    rows = dose.daily(of(study, vial))
    assert [(row["kind"], row["top"]) for row in rows[:2]] == [
        ("unknown", None), ("known", pytest.approx(1900)),
    ]  # fmt: skip


def test_a_curve_holds_each_rate_until_the_next_and_a_pause_is_zero(
    study: Study, cohort: Cohort
) -> None:
    """The last step up of the five is at 42 h: a day later, at the next full 12 h, the figure ends.

    With a pause from 50 to 52 h in ILL-2, this is a rate of 0.
    """
    assert escalation.window(cohort) == 72
    paused = replace(TWO, rates=((26, 25), (32, 50), (38, 100), (50, 0), (52, 100), (206, 50), (230, 0)))  # fmt: skip
    shown = of(study, paused)
    end = escalation.window(shown)
    assert end == 72  # 38 + 24 = 62, and so the next multiple of 12
    rates = [(row["hour"], row["rate"]) for row in escalation.curves(shown)]
    assert rates == [(0, 0), (26, 25), (32, 50), (38, 100), (50, 0), (52, 100), (72, 100)]


def test_each_rate_is_divided_by_the_weight_in_force(study: Study) -> None:
    """61 kg from the persons sheet, from 21 h on 68 kg measured: 25 mg/h at 10 h, 50 at 22, 100 at 34."""
    heavier = replace(ONE, labs={**ONE.labs, "weight": ((21, "68"),)})
    at = {row["hour"]: row["per_kg"] for row in escalation.curves(of(study, heavier))}
    assert at[22] == pytest.approx(50 / 68)
    assert at[34] == pytest.approx(100 / 68)
    as_usual = {row["hour"]: row["per_kg"] for row in escalation.curves(of(study, ONE))}
    assert as_usual[10] == pytest.approx(25 / 61)
    assert as_usual[22] == pytest.approx(50 / 61)


def test_no_weight_means_no_curve_by_weight(study: Study) -> None:
    drawn = escalation.curves(of(study, replace(ONE, kg=None)))
    assert {row["per_kg"] for row in drawn if row["rate"] > 0} == {None}


def test_every_curve_has_a_colour_and_a_dash_of_its_own(cohort: Cohort) -> None:
    spec = escalation.spec(cohort)
    assert spec is not None
    encoding = spec["hconcat"][0]["encoding"]
    dashes = encoding["strokeDash"]["scale"]["range"]
    assert (
        len({tuple(dash) for dash in dashes}) == len(set(encoding["color"]["scale"]["range"])) == 5
    )


def test_no_drug_of_interest_no_dose_figure(thirty_six: StudyResult) -> None:
    """Also if somebody was given anakinra."""
    cohort = Cohort(thirty_six)
    assert any(step["drug"] == "anakinra" for step in cohort.steps)
    assert dose.spec(cohort) is None
    assert escalation.spec(cohort) is None


def test_a_step_up_shows_what_was_worse_and_what_nobody_knows(cohort: Cohort) -> None:
    """ILL-5 at 26 h: ferritin went from 31,000 to 38,500, AST from 890 to 1,100, noradrenaline from 0.2
    to 0.6 mg/h, CRRT ran since 24 h. Temperature: none since -3 h. ILL-4 at 30 h: ferritin above 40,000
    twice, AST from 640 to 500, no vasopressor.
    """
    table = treatment.escalations(cohort, Drill(cohort))
    assert len(table.rows) == 2 + 2 + 1 + 3 + 2

    def first(person: str) -> dict[str, str]:
        row = next(row for row in table.rows if row[0] == person)
        return dict(zip(table.head, map(_bare, row), strict=True))

    five, four = first("ILL-5"), first("ILL-4")
    assert five["from → to, mg/h"] == "25 → 50"
    assert five["from t0"] == "+26 h"
    assert five["ferritin worse"] == five["AST worse"] == five["vasopressor worse"] == "yes"
    assert five["renal replacement therapy"] == "yes"
    assert five["temperature worse"] == "–"
    assert four["from → to, mg/h"] == "12.5 → 25"
    assert four["ferritin worse"] == "–"
    assert (
        four["AST worse"] == four["vasopressor worse"] == four["renal replacement therapy"] == "no"
    )


def test_the_course_of_the_infusion_is_told_in_a_line(cohort: Cohort) -> None:
    """Ceiling 24 x 100 mg, reached after 38 h, held for 168 (in ILL-5 112 + 114.6) h; up twice, down
    twice, from 206 to 254 h. ILL-5: a pause of 3 h, and 100 mg/h until death.
    """
    table = treatment.courses(cohort, Drill(cohort))
    rows = {row[0]: [_bare(cell) for cell in row[1:]] for row in table.rows}
    assert rows["ILL-2"] == [
        "SC → continuous IV",
        "2,400",
        "38",
        "168",
        "2",
        "2",
        "48",
        "0",
        "0",
        "no",
    ]
    assert rows["ILL-5"] == [
        "SC → continuous IV",
        "2,400",
        "32",
        "227",
        "2",
        "0",
        "0",
        "1",
        "3",
        "no",
    ]


def test_an_earlier_line_says_whether_it_had_failed_and_why(cohort: Cohort) -> None:
    """Methylprednisolone 1,000 mg counts as 1,250 mg of prednisolone, 20.5 mg/kg in 61 kg; ferritin went
    from 3,900 to 14,200. When tocilizumab began, 144 h before t0, no ferritin was known. Cyclophosphamide
    12 h before t0 was too late to fail.
    """
    table = treatment.prior(cohort, Drill(cohort))
    told = {(row[0], _bare(row[1])): [_bare(cell) for cell in row[6:]] for row in table.rows}
    assert len(told) == len(table.rows) == 3 + 1 + 2 + 1 + 1
    assert told["ILL-1", "methylprednisolone"] == ["20.5 mg/kg", "yes", "ferritin did not fall"]
    assert told["ILL-3", "tocilizumab"] == ["", "–", "no ferritin at its beginning or at time zero"]
    assert told["ILL-5", "cyclophosphamide"] == ["", "no", "not given at that dose or in that time"]


def test_the_page_shows_the_figures_and_the_tables(five: str) -> None:
    text = seen(five)
    assert "Anakinra as given" in text
    assert "Escalation: each step up" in text
    assert "Course of the infusion" in text


@pytest.fixture
def small(study: Study) -> StudyResult:
    return study([ONE])


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_two_processes_one_and_a_broken_one_write_the_same_bytes(
    small: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    half = "import sys; sys.stdout.write('half an answer')"
    for name, cores, command in (("two", 2, core.beside.COMMAND), ("one", 1, ()), ("broken", 2, ("-c", half))):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setattr(core.machine, "cores", lambda cores=cores: cores)
        monkeypatch.setattr(core.beside, "COMMAND", command)
        write_report(small, folder)
        written.append(bytes_of(folder))
    assert written[0] == written[1] == written[2]
    assert sum(name.endswith(".png") for name in written[0]) > 8


def test_remarks_about_doses_are_counted_and_open_their_rows(cohort: Cohort) -> None:
    """Eight doses from a schedule; the last rate of ILL-5 stands beyond death; IVIG was charted after it."""
    drill = Drill(cohort)
    rows = treatment.oddities(cohort, drill).rows
    assert [[_bare(cell) for cell in row] for row in rows] == [
        ["one dose of a schedule (mg q12h), taken as given", "8", "8", "ciclosporin"],
        ["after death: not counted", "1", "0", "IVIG"],
        ["may span a clock change: no timezone is stated", "1", "1", "anakinra"],
        ["runs past death: counted until death", "1", "1", "anakinra"],
    ]
    schedule, late, _, past = drill.popovers
    assert schedule.count("ILL-2") == 8
    assert FIVE.key("doses", 270) in late
    assert FIVE.key("doses", 147) in past


def test_time_at_a_dose_opens_the_doses_it_is_counted_from(cohort: Cohort) -> None:
    """100 mg/h is 2,400 mg/day: of ILL-1 from 34 to 96 h, and from 58 h on for all the 24 h before."""
    drill = Drill(cohort)
    table = treatment.at_dose(cohort, drill)
    rows = {(row[0], _bare(row[1])): [_bare(cell) for cell in row[2:]] for row in table.rows}
    assert len(rows) == len(table.rows) == 5 * 3
    assert rows["ILL-1", "2,400 mg/day"] == ["+34 h", "62", "38"]
    assert rows["ILL-1", "1,200 mg/day"][:2] == ["+22 h", "98"]  # 50 mg/h until 120 h
    assert len(drill.popovers) == 5


def test_bags_that_run_at_once_are_drawn_as_their_sum(study: Study) -> None:
    """A second bag at 25 mg/h from 65 h until the end of 100 mg/h at 96 h."""
    bags = replace(ONE, others=(*ONE.others, Dose("anakinra", "IV", 65, "25 mg/h", 96)))
    drawn = of(study, bags)
    assert [row["rate"] for row in drawn.rates] == [25, 50, 100, 125, 50, 25]


def test_the_weight_at_time_zero_is_shown_with_its_source_and_opens_its_row(
    cohort: Cohort,
) -> None:
    """Kilograms, where they are from, and how long before time zero they were measured."""
    table = treatment.weights(cohort, Drill(cohort))
    assert [_bare(row[0]) for row in table.rows] == list(cohort.ids)
    persons = {row["person_id"]: row for row in cohort.rows("persons")}
    for row in table.rows:
        person = persons[_bare(row[0])]
        assert float(_bare(row[1])) == pytest.approx(person["weight_kg"], rel=0.01)
        assert _bare(row[2]) == person["weight_source"]
        assert "<button" in str(row[1])


def test_what_rests_on_an_assumed_end_is_said_with_its_share(tmp_path: Path) -> None:
    """Of 5,600 mg of P1 3,600 rest on an end that nobody wrote, and all 7,200 of P2, who entered only so."""
    folder = write(
        tmp_path / "records",
        persons="person_id,sex,age\nP1,F,44\nP2,M,50\n",
        stays="person_id,start,end\nP1,2019-12-30,2020-01-20\nP2,2019-12-30,2020-01-20\n",
        conditions="person_id,onset,name\nP1,2019-12-31,MAS\nP2,2019-12-31,MAS\n",
        labs="person_id,time,name,value,unit\nP1,2019-12-31T20:00,ferritin,20000,ng/mL\n"
        "P2,2019-12-31T20:00,ferritin,20000,ng/mL\n",
        doses="person_id,drug,route,start,end,rate,rate_unit\n"
        "P1,anakinra,IV,2020-01-01T00:00,2020-01-01T20:00,100,mg/h\n"
        "P1,anakinra,IV,2020-01-01T20:00,,50,mg/h\nP2,anakinra,IV,2020-01-01T08:00,,100,mg/h\n",
    )
    cohort = Cohort(becalm.run(becalm.open_records(str(folder)), "anakinra_mas").result)
    drill = Drill(cohort)
    share, entry = (_bare(said) for said in treatment.assumed_ends(cohort, drill))
    assert "84 % of the known dose of anakinra from t0 rests on an end that is assumed" in share
    assert "1 of 2 entered only by such an infusion" in entry
    amounts, who = drill.popovers
    assert ["3,600" in amounts, "5,600" in amounts, amounts.count("7,200")] == [True, True, 2]
    assert ("P1" in who, "P2" in who) == (False, True)
