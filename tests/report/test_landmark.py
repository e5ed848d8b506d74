"""The landmark in the report: deaths by definition, whom each number counts, the course of the treated."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm import protocol
from becalm.cli import main
from becalm.records import open_records
from becalm.report import page
from becalm.report.cohort import Cohort
from becalm.report.figures import specs
from becalm.report.figures.landmark import spec
from becalm.report.sections import landmark
from becalm.study.run import run
from tests.report.test_every_number_opens import NO_NUMBER, Cells
from tests.report.test_figures import _bare

N = 40
TREATED = {"P05", "P06", "P07", "P08", "P09", "P10"}
"""Given tocilizumab on the second day."""


def sheets(folder: Path, *, doses: bool = True, treated: bool = True) -> Path:
    """Write invented patients: the first ten have a CRP of 200 and every second of those dies."""
    persons, stays, labs, given = [], [], [], []
    conditions = ["person_id,onset,name,status"]
    for i in range(N):
        who, dead = f"P{i:02d}", i < 10 and i % 2 == 0
        came, went = "2020-02-01T08:00", f"2020-02-{14 + i % 3:02d}T08:00"
        persons.append(f"{who},{'FM'[i % 2]},{50 + i % 30},{came},{went if dead else ''}")
        stays.append(f"{who},{came},{went},{'died' if dead else 'home'}")
        conditions.append(f"{who},{came},COVID-19,confirmed")
        for day, crp in ((1, 200 if i < 10 else 20), (3, 90), (8, 30), (12, 10)):
            labs.append(f"{who},2020-02-{day:02d}T12:00,crp,{crp},mg/L")
            labs.append(f"{who},2020-02-{day:02d}T12:00,ferritin,{900 - 10 * day},ng/mL")
    if treated:
        given += [f"{who},tocilizumab,IV,2020-02-02T10:00,,400,mg" for who in sorted(TREATED)]
    given += [
        "P20,prednisone,oral,2020-01-20T08:00,,10,mg",  # taken before the admission only
        "P21,tocilizumab,IV,2020-02-10T08:00,,400,mg",  # a week and more after the landmark
        "P22,paracetamol,oral,2020-02-02T08:00,,1,g",
    ]
    for name, head, rows in (
        ("persons", "person_id,sex,age,age_at,death_time", persons),
        ("stays", "person_id,start,end,to", stays),
        ("labs", "person_id,time,name,value,unit", labs),
        ("doses", "person_id,drug,route,start,end,amount,amount_unit", given),
        ("conditions", conditions[0], conditions[1:]),
    ):
        if name != "doses" or doses:
            text = "\n".join([head, *rows]) + "\n"
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def study(folder: Path, **kept: bool) -> Path:
    records = folder / "records"
    records.mkdir()
    done = CliRunner().invoke(
        main,
        ["study", str(sheets(records, **kept)), "--protocol", "covid_hyperinflammation",
         "--out", str(folder / "out"), "--release", str(folder / "release")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("landmark"))


def cohort_of(records: Path) -> Cohort:
    """Run the study and write nothing."""
    rules = protocol.load("covid_hyperinflammation")
    return Cohort(run(open_records(str(records)), rules, "records"))


def page_of(folder: Path) -> str:
    return (folder / "out" / "report.html").read_text(encoding="utf-8")


def section(html: str, name: str) -> str:
    return html.split(f'<section id="{name}">')[1].split("</section>", maxsplit=1)[0]


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def opened(html: str, button: str) -> list[str]:
    """Return the patients listed in what a button opens."""
    found = re.search(r'popovertarget="(\w+)"', button)
    assert found
    body = html.split(f'<div popover id="{found.group(1)}">')[1].split("</div>", maxsplit=1)[0]
    return sorted(re.findall(r"<td>(P\d\d)", body))


def test_every_number_opens_exactly_whom_it_counts(folder: Path) -> None:
    """Of the ten who met COV-HI the five even ones died: the ten, the five and the other five open."""
    html = page_of(folder)
    row = re.findall(r"<tr>(.*?)</tr>", section(html, "landmark"), re.S)[1]
    cells = re.findall(r"<td>(.*?)</td>", row, re.S)
    assert [text(cell) for cell in cells] == [
        "COV-HI", "met", "10", "5", "5", "0", "0", "50 % (19 to 81)",
    ]  # fmt: skip
    ten = [f"P{i:02d}" for i in range(10)]
    assert [opened(html, cell) for cell in cells[2:5]] == [ten, ten[::2], ten[1::2]]
    assert opened(html, cells[7]) == ten


def test_no_number_of_the_page_is_closed(folder: Path) -> None:
    """In the landmark and the course; a count of nobody has nobody to open."""
    cells = Cells()
    cells.feed(page_of(folder))
    wanted = {"Deaths in hospital by definition", "Course of treated patients"}
    closed = [
        (part, said)
        for part, _, said, opens in cells.found
        if part in wanted
        and not opens
        and said != "0"
        and re.search(r"\d", NO_NUMBER.sub("", re.sub(r"\bP\d\d\b", "", said)))
    ]
    assert {part for part, *_ in cells.found} >= wanted
    assert closed == []


def test_the_deaths_are_a_key_result(folder: Path) -> None:
    """Up front, of each definition: who met it, and beneath who did not or is undetermined."""
    html = page_of(folder)
    facts = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section(html, "key"), re.S)
    (fact,) = [fact for fact in facts if "COV-HI" in fact[0]]
    assert text(fact[0]) == "Died in hospital, COV-HI met"
    assert text(fact[1]) == "5/10 (50 %; 18.7–81.3) not met 0/30 (0 %; 0–11.6)"
    assert opened(html, fact[1]) == [f"P{i:02d}" for i in range(10)]


def test_the_course_is_of_the_treated_only(folder: Path) -> None:
    """Six were given tocilizumab; prednisone before the admission, a dose after the week, and paracetamol count nobody in."""
    with (folder / "out" / "tables" / "response.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["person_id"] for row in rows} == TREATED
    assert {row["variable"] for row in rows} == {"ferritin", "crp"}
    assert {row["d7"] for row in rows if row["variable"] == "crp"} == {"30.0"}
    html = page_of(folder)
    said = section(html, "course")
    assert "Ferritin and CRP to day 7, only of the 6 of 40 patients who were given" in text(said)
    button = re.search(r"<button.*?6 of 40</button>", said)
    assert button
    assert opened(html, button.group()) == sorted(TREATED)
    assert "fig-course_t0" in said
    drawn = re.findall(r"<td>(P\d\d)</td>", said)
    assert set(drawn) == TREATED


def test_where_nobody_was_treated_or_nobody_knows_the_report_says_which(tmp_path: Path) -> None:
    """No course is drawn either way; not recorded is not the same as not given."""
    for name, kept, said in (
        ("none", {"treated": False}, "No patient was given an immunotherapy between admission and a week"),
        ("unknown", {"doses": False}, "The records have no drug administrations. It is not known who was treated"),
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        cohort = cohort_of(sheets(tmp_path / name, **kept))
        html = page.render(cohort, {})
        assert said in text(section(html, "course"))
        assert not any(figure.startswith("course") for figure, *_ in specs(cohort))
        assert '<section id="change">' not in html


def test_relapse_is_not_looked_for(folder: Path) -> None:
    with (folder / "out" / "tables" / "outcome.csv").open(encoding="utf-8") as file:
        assert {row["relapse_time"] for row in csv.DictReader(file)} == {""}


def test_the_release_counts_deaths_without_small_cells(folder: Path) -> None:
    """Of forty, ten have met the definition and five of these died; nobody of the thirty others died."""
    with (folder / "release" / "landmark.csv").open(encoding="utf-8", newline="") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    hidden = ["suppressed"] * 3
    assert ["COV-HI: met", "died in hospital", "suppressed", "10", *hidden] in rows
    alive = "discharged alive, or still in hospital"
    assert ["COV-HI: not met", alive, "30", "30", *hidden] in rows
    with (folder / "release" / "outcome.csv").open(encoding="utf-8", newline="") as file:
        assert {row["about"] for row in csv.DictReader(file)} == {"new bacterial infection"}
    html = (folder / "release" / "release.html").read_text(encoding="utf-8")
    assert "Deaths in hospital by status of each definition" in html
    assert not re.search(r"P\d\d\b", html)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_figure_draws_every_cell_that_counts_somebody(folder: Path) -> None:
    """A point for each status of each definition that anybody has, in a chart that Vega-Lite knows."""
    import altair

    cohort = cohort_of(folder / "records")
    drawn = spec(cohort)
    assert drawn is not None
    cells = {(row["definition"], row["status"]) for row in drawn["data"]["values"]}
    assert len(cells) == len(drawn["data"]["values"]) > 6
    assert cells == {
        (cohort.definition_label(c.criterion), c.status)
        for c in landmark.status_counts(cohort)
        if c.n
    }
    assert altair.Chart.from_dict(_bare(drawn), validate=True) is not None
