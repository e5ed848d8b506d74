"""Public records that leave nothing that is not understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.doctor import examine
from becalm.records import open_records
from tests.spec.test_wuhan import FOLDER as WUHAN

MIMIC = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"


@pytest.mark.parametrize(("folder", "mapping"), [(MIMIC, None), (WUHAN, "wuhan2020")])
def test_nothing_is_left(folder: Path, mapping: str | None) -> None:
    """Every name, code, unit, specimen, organism, route and status is understood, or a rule sets it aside."""
    if not folder.exists():
        pytest.skip(f"{folder.name} is not here")
    found = examine(open_records(str(folder), None, mapping))["not_understood"]
    assert list(found.rows()) == []
