"""Studies to release: the invented five, thirty-six like them, nobody; and a synthetic hospital."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.demo import write_hospital
from becalm.records import open_records
from becalm.study import protocol_names
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.report.conftest import nobody, result, sheets, study, thirty_six

__all__ = ["hospital", "nobody", "result", "sheets", "study", "thirty_six"]


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """Return a study without a drug of interest, of the 117 of 1,500 invented persons whom it takes in."""
    records = tmp_path_factory.mktemp("hospital")
    write_hospital(records, 1500, 20)
    protocol = protocol_names.load("hyperinflammation")
    return run(open_records(str(records)), protocol, Path(records).name)
