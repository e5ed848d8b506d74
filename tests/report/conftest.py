"""Reports of the invented studies, written once for all tests."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from becalm.report import write_report
from becalm.report.cohort import Cohort
from tests.report import fixture


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the report of five."""
    out = tmp_path_factory.mktemp("five")
    write_report(fixture.illustrative(), out)
    return out


@pytest.fixture(scope="session")
def five(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report of 36 persons in a protocol without a drug of interest."""
    out = tmp_path_factory.mktemp("many")
    write_report(fixture.many(), out)
    return (out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    return Cohort(fixture.illustrative())


def seen(page: str) -> str:
    """Return what a reader sees: no tags, no style, no script."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())
