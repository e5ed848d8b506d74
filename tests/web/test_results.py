"""A folder of results opens its own records, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import UsageError
from becalm.web.results import is_results, records_of
from tests.web.conftest import write_records


def test_a_folder_of_results_leads_to_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it, within it, or where the command runs; not if a file was changed; answers may be added."""
    records, out = write_records(tmp_path, 2), tmp_path / "results"
    done = CliRunner().invoke(
        main, ["study", str(records), "--protocol", "hyperinflammation", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert is_results(out)
    assert not is_results(records)
    assert records_of(out) == (str(out.resolve().parent / "records"), "hyperinflammation")
    away = tmp_path / "elsewhere" / "results"
    away.parent.mkdir()
    out.rename(away)
    with pytest.raises(UsageError, match="its records 'records' were not found"):
        records_of(away)
    monkeypatch.chdir(tmp_path)
    assert records_of(away) == ("records", "hyperinflammation")
    (records / "labs.csv").write_text((records / "labs.csv").read_text() + "\n")
    with pytest.raises(UsageError, match=r"were changed since \(labs.csv\)"):
        records_of(away)
