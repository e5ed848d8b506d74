"""Studies of invented sheets and of the built-in example, each run and written once for all tests."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from becalm import protocol
from becalm.demo import write_hospital
from becalm.records import open_records
from becalm.report import page, write_report
from becalm.report.cohort import Cohort
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.report import charts
from tests.report.charts import Person

MIMIC = Path(__file__).parents[2] / ".." / "shared" / "data" / "mimic-iv-demo"
Folders = pytest.TempPathFactory
Study = Callable[..., StudyResult]


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: Folders) -> Path:
    """Return the folder of the sheets of the five and of those who do not enter."""
    return charts.write(tmp_path_factory.mktemp("sheets"), charts.EVERYBODY)


@pytest.fixture(scope="session")
def result(sheets: Path) -> StudyResult:
    """Return the study of the five."""
    return charts.run_on(sheets)


@pytest.fixture(scope="session")
def cohort(result: StudyResult) -> Cohort:
    return Cohort(result)


@pytest.fixture(scope="session")
def folder(result: StudyResult, tmp_path_factory: Folders) -> Path:
    """Return the folder of the report of five."""
    out = tmp_path_factory.mktemp("five")
    write_report(result, out)
    return out


@pytest.fixture(scope="session")
def five(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def study(tmp_path_factory: Folders) -> Study:
    """Return what runs a study of some patients: of a protocol, with what its study.toml says."""

    def run_study(
        persons: Iterable[Person], name: str = "anakinra_mas", about: str = charts.STUDY
    ) -> StudyResult:
        written = charts.write(tmp_path_factory.mktemp("sheets"), persons, about)
        return charts.run_on(written, name)

    return run_study


@pytest.fixture(scope="session")
def nobody(study: Study) -> StudyResult:
    """Return a study that nobody entered."""
    return study(charts.OTHERS)


@pytest.fixture(scope="session")
def twelve(study: Study) -> StudyResult:
    """Return a treated series of twelve: the five over and over."""
    return study(repeated(12))


@pytest.fixture(scope="session")
def hundred(study: Study) -> StudyResult:
    """Return a treated series of 120: more than are listed."""
    return study(repeated(120))


@pytest.fixture(scope="session")
def thirty_six(study: Study) -> StudyResult:
    """Return a study without a drug of interest: the five over and over, aged 60 to 95."""
    return study(repeated(36), "hyperinflammation", "")


@pytest.fixture(scope="session")
def many(thirty_six: StudyResult, tmp_path_factory: Folders) -> str:
    """Return the report of the 36."""
    out = tmp_path_factory.mktemp("many")
    write_report(thirty_six, out)
    return (out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def crowd(study: Study) -> Cohort:
    """Return more patients than anybody tells apart."""
    return Cohort(study(repeated(130), "hyperinflammation", ""))


@pytest.fixture(scope="session")
def demo_report(tmp_path_factory: Folders) -> page.Printout:
    """Return the report of the built-in example as it is written, and its results."""
    records, out = tmp_path_factory.mktemp("records"), tmp_path_factory.mktemp("report")
    write_hospital(records, 40, 20)
    study = run(open_records(str(records)), protocol.load("anakinra_mas"), "records")
    written = write_report(study, out)
    return page.Printout((out / "report.html").read_text(encoding="utf-8"), written.results)


@pytest.fixture(scope="session")
def demo(demo_report: page.Printout) -> str:
    """Return the report of the built-in example."""
    return demo_report.html


@pytest.fixture(scope="session")
def real() -> StudyResult:
    """Return the study of an index design in open records of real patients."""
    if not MIMIC.is_dir():
        pytest.skip(f"no {MIMIC.name} in ../shared/data")
    return run(open_records(str(MIMIC)), protocol.load("hyperinflammation"), MIMIC.name)


def repeated(n: int) -> list[Person]:
    """Return the five over and over, each with an id and an age of its own."""
    return [
        replace(charts.PERSONS[i % 5], id=f"{10_000_000 + 37 * i}", age=60 + i % 36)
        for i in range(n)
    ]


def seen(page: str) -> str:
    """Return what a reader sees: no tags, no style, no script."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def render(result: StudyResult) -> str:
    """Return a page without its charts."""
    return page.render(Cohort(result), {})
