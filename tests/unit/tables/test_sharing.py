"""Every table is written, by whomever, and none any more once something failed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from becalm import tables
from becalm.core.beside import beside
from becalm.core.frame import Frame
from becalm.tables import sharing, stream

SMALL = ("persons", "response", "doses", "kidney")


def slowly(name: str, frame: Frame, folder: Path) -> None:
    time.sleep(0.2)
    (folder / name).touch()


def test_small_tables_that_take_longer_than_the_block_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "write_table", slowly)
    with beside() as other, sharing.written(frames(), tmp_path, other):
        pass
    assert {path.name for path in tmp_path.iterdir()} == set(SMALL)


def test_after_a_failure_no_further_table_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "write_table", slowly)
    with (
        pytest.raises(ZeroDivisionError),
        beside() as other,
        sharing.written(frames(), tmp_path, other),
    ):
        raise ZeroDivisionError
    assert len(list(tmp_path.iterdir())) < len(SMALL)


def test_an_error_of_the_thread_that_writes_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, frame: Frame, folder: Path) -> None:
        raise OSError(f"{name}: the disk is full")

    monkeypatch.setattr(stream, "write_table", full)
    with (
        pytest.raises(OSError, match="the disk is full"),
        beside() as other,
        sharing.written(frames(), tmp_path, other),
    ):
        pass


def frames() -> dict[str, Frame]:
    return {name: tables.empty(name) for name in SMALL}
