"""A second process computes what this one would; whatever happens to it, the result is the same."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from becalm.core import beside as module
from becalm.core import machine, stopping
from becalm.core.beside import Beside, Once, Waiting, beside
from becalm.core.columns import Categorical
from becalm.core.errors import OutputError
from becalm.core.frame import Frame
from tests.unit.core import calls


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them, and a process that finds these tests."""
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.fixture
def two(cores: None) -> Iterator[Beside]:
    with beside() as other:
        yield other


def test_it_computes_elsewhere_and_remembers_what_it_was_given_once(two: Beside) -> None:
    there = two.call(calls.process)
    assert there != os.getpid() == calls.process()
    assert two.call(calls.process) == there, "one process answers all"
    large = Once({"a": np.arange(3)})
    assert two.call(calls.same, large) == two.call(calls.same, large), "read once"
    assert two.call(calls.total, large) == 3


def test_what_is_printed_is_no_answer(two: Beside) -> None:
    assert two.call(calls.loud, 7) == 7


def test_tables_come_back_as_they_were(two: Beside) -> None:
    frame = Frame({"a": np.arange(3.0), "b": Categorical.of(np.array(["x", "y", "x"], object))})
    assert frame["b"].tolist() == ["x", "y", "x"]
    back = two.call(calls.itself, frame)
    assert back["a"].tolist() == [0, 1, 2]
    assert back["b"].tolist() == ["x", "y", "x"]
    assert isinstance(back.columns.held["b"], Categorical)


def test_an_error_is_the_one_that_this_process_meets(two: Beside) -> None:
    with pytest.raises(OutputError, match=f"in {os.getpid()}"):
        two.call(calls.failing)
    assert two.call(calls.process) != os.getpid(), "it goes on"


def test_what_cannot_be_sent_is_done_here(two: Beside) -> None:
    assert two.call(calls.itself, threading.Lock) is threading.Lock
    lock = threading.Lock()
    assert two.call(calls.itself, lock) is lock
    two.call(calls.process)
    assert two.call(calls.unsendable)() == os.getpid()


@pytest.mark.parametrize(
    "command",
    [("-c", ""), ("-c", "print('no answer')"), ("-c", "import sys; sys.stdin.buffer.read(9)")],
    ids=["ends", "talks", "stops reading"],
)
def test_where_the_other_process_does_not_work_all_is_done_here(
    two: Beside, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(module, "COMMAND", command)
    assert two.call(calls.itself, b"x" * 1_000_000) == b"x" * 1_000_000
    assert two.call(calls.process) == os.getpid()
    assert not two.there


def test_where_it_is_killed_the_call_is_done_here(two: Beside) -> None:
    assert two.call(calls.killed_unless, os.getpid()) == os.getpid()
    assert two.call(calls.process) == os.getpid()


def test_one_core_or_a_limit_on_addresses_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    monkeypatch.setattr(machine, "cores", lambda: 1)
    with beside() as other:
        assert not other.there
        assert other.call(calls.process) == os.getpid()
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "address_space_is_limited", lambda: True)
    with beside() as other:
        assert not other.there


@pytest.mark.usefixtures("cores")
def test_it_ends_with_the_block_and_nobody_waits_for_what_it_was_asked(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), beside() as other:
        there = other.call(calls.process)
        thread = threading.Thread(target=_ignoring, args=(other, tmp_path / "here"))
        thread.start()
        while not other.busy.locked():
            time.sleep(0.01)
        raise ZeroDivisionError
    thread.join()
    assert time.monotonic() - began < 30
    assert not (tmp_path / "here").exists(), "it is not done again here"
    with pytest.raises(ProcessLookupError):
        os.kill(there, 0)


def _ignoring(other: Beside, mark: Path) -> None:
    try:
        other.call(calls.slow, os.getpid(), str(mark))
    except BaseException:
        return


@pytest.mark.usefixtures("cores")
def test_it_ends_with_the_process_that_asks() -> None:
    """Even if that one is killed while a long call is at work."""
    script = (
        "import os, threading, time\n"
        "from becalm.core import machine\n"
        "machine.cores = lambda: 2\n"
        "from becalm.core.beside import Beside\n"
        "from tests.unit.core import calls\n"
        "other = Beside()\n"
        "print(other.call(calls.process), flush=True)\n"
        "threading.Thread(target=other.call, args=(calls.sleeping, 60), daemon=True).start()\n"
        "time.sleep(0.3)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, check=False
    )  # fmt: skip
    there = int(done.stdout)
    for _ in range(300):
        try:
            os.kill(there, 0)
        except ProcessLookupError:
            return
        if (
            Path(f"/proc/{there}/stat").exists()
            and " Z " in Path(f"/proc/{there}/stat").read_text()
        ):
            return
        time.sleep(0.1)
    raise AssertionError("it still runs")


def test_a_stopped_run_does_not_do_the_call_again(
    two: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.call(calls.process)

    def stop() -> None:
        monkeypatch.setattr(stopping._STATE, "requested", 15)
        two.interrupt()

    threading.Timer(0.2, stop).start()

    with pytest.raises(stopping.Stopped):
        two.call(calls.sleeping, 60)


def test_it_may_be_started_before_it_is_needed(two: Beside) -> None:
    two.prepare(calls.nothing)
    two.prepare(calls.nothing)
    there = two.call(calls.process)
    assert there != os.getpid()
    assert two.call(calls.itself, 5) == 5


def test_calls_wait_in_a_row_and_who_asks_first_does_what_nobody_began(two: Beside) -> None:
    row = Waiting(two)
    asked = [row.call(calls.process_after, 0.05) for _ in range(20)]
    here = [each.result() for each in reversed(asked)]
    assert set(here[:5]) == {os.getpid()}
    assert asked[0].result() != os.getpid()
    assert [each.result() for each in asked] == here[::-1], "computed once"
    row.close()


def test_the_other_process_starts_without_what_it_does_not_need() -> None:
    """Drawing needs no database."""
    code = "import becalm.report.theme, sys; print('duckdb' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "False"
