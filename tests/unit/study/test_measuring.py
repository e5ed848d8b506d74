"""A study whose batches are measured and whose tables are written by two processes is that of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.core import beside, machine
from becalm.records.mimic4 import open_mimic4
from becalm.study import measuring, protocol_names
from becalm.study.run import run
from becalm.tables import sharing, store
from tests.sources.test_generated import generate


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital") / "records"
    generate(folder, 4_000)
    return folder


def written(hospital: Path, out: Path) -> dict[str, bytes]:
    out.mkdir()
    source = open_mimic4(hospital, chunk_rows=1_400)
    result = run(source, protocol_names.load("hyperinflammation"), "hospital")
    with beside.beside() as other, sharing.written(result.tables, out, other):
        pass  # the report is written meanwhile
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_two_processes_one_and_a_broken_one_make_the_same_study(
    hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the tables lie on disk; and both have something to do."""
    here = 0
    measured = measuring.Measurement.of

    def counted(*given: object) -> object:
        nonlocal here
        here += 1
        return measured(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring.Measurement, "of", counted)
    monkeypatch.setattr(store, "IN_MEMORY", 0)
    made, batches = [], []
    for name, cores, command in (
        ("one", 1, ()),
        ("two", 2, beside.COMMAND),
        ("broken", 2, ("-c", "print('no answer')")),
    ):
        monkeypatch.setattr(machine, "cores", lambda cores=cores: cores)
        monkeypatch.setattr(beside, "COMMAND", command)
        here = 0
        made.append(written(hospital, tmp_path / name))
        batches.append(here)
    assert made[0] == made[1] == made[2]
    assert batches[0] == batches[2] > batches[1] > 0
