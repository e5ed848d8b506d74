"""The folder of a process below TMPDIR is its own, and goes with it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from becalm.core import scratch
from becalm.core.errors import OutputError
from becalm.core.locks import Lock, lock
from becalm.core.stopping import Stopped, watched


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    scratch.remove()


def elsewhere(temporary: Path, code: str) -> int:
    """Run Python in a process with the same TMPDIR; return its exit code."""
    code = f"import os, signal; from becalm.core import scratch; {code}"
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode


def test_it_is_readable_by_its_owner_alone() -> None:
    assert stat.S_IMODE(scratch.folder().stat().st_mode) == 0o700
    assert scratch.new_place().parent == scratch.folder()
    assert scratch.new_place() != scratch.new_place()


def test_it_goes_with_the_process(temporary: Path) -> None:
    assert elsewhere(temporary, "scratch.new_place().write_text('x')") == 0
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_at_the_next_start(temporary: Path) -> None:
    """And what a living one needs stays."""
    mine = scratch.new_place()
    mine.write_text("x")
    code = "scratch.new_place().write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    assert elsewhere(temporary, code) == -9
    assert len(list(temporary.iterdir())) == 2
    assert elsewhere(temporary, "scratch.sweep()") == 0
    assert list(temporary.iterdir()) == [scratch.folder()]
    assert mine.exists()
    scratch.sweep()
    assert mine.exists()


def test_nothing_else_is_swept(temporary: Path) -> None:
    """Not a folder of the user's with a like name, not one without our lock, not through a link."""
    name = f"becalm-1-{'0' * 16}"
    for folder in ("becalm-results", "becalm-1-results", name):
        (temporary / folder).mkdir()
        (temporary / folder / "mine.txt").write_text("mine")
    (temporary / "becalm-results" / "lock").touch()
    (temporary / f"becalm-2-{'0' * 16}").symlink_to("becalm-results")
    scratch.sweep()
    assert len(list(temporary.glob("*/mine.txt"))) == 4


def test_a_fork_does_not_remove_the_folder_of_its_parent(temporary: Path) -> None:
    mine = scratch.folder()
    process = os.fork()
    if process == 0:
        try:
            scratch.remove()
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    assert mine.exists()


def test_a_signal_while_it_is_made_does_not_leave_it(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making the folder and knowing of it."""

    def stopped(folder: Path) -> Lock | None:
        made = lock(folder)
        signal.raise_signal(signal.SIGTERM)
        return made

    monkeypatch.setattr(scratch, "lock", stopped)
    with pytest.raises(Stopped), watched():
        scratch.folder()
    scratch.remove()
    assert list(temporary.iterdir()) == []


def test_a_place_that_takes_no_folder_is_said(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "gone"))
    with pytest.raises(OutputError, match=r"gone: no folder can be made there.*TMPDIR"):
        scratch.folder()
