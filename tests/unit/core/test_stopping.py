"""Signals become one exception, wait for what must not be cut in two, and interrupt running queries."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from becalm.core import stopping
from becalm.core.database import connect
from becalm.core.stopping import Hold, Stopped, watched

FOREVER = "SELECT sum(a.range * b.range % 7) FROM range(1_000_000) a, range(10_000_000) b"
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Whatever a test does, the handlers are as before."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    assert before == {number: signal.getsignal(number) for number in NUMBERS}


def later(seconds: float, number: int) -> None:
    threading.Timer(seconds, os.kill, (os.getpid(), number)).start()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_each_signal_has_the_exit_code_of_shells(number: int, code: int) -> None:
    with pytest.raises(Stopped) as caught, watched():
        signal.raise_signal(number)
    assert caught.value.exit_code == code
    assert not isinstance(caught.value, Exception), "no library may take it for a failure"


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """As `nohup` asks for."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with watched():
            signal.raise_signal(signal.SIGHUP)
            with Hold():
                signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_waits_while_it_is_held_back(number: int) -> None:
    done = False
    with pytest.raises(Stopped) as caught, watched(), Hold():
        signal.raise_signal(number)
        done = True
    assert done
    assert caught.value.number == number


def test_without_the_command_line_ctrl_c_waits_too() -> None:
    """In a notebook it is a `KeyboardInterrupt`, after the moves."""
    done = False
    with pytest.raises(KeyboardInterrupt), Hold():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done


def test_in_another_thread_nothing_is_changed() -> None:
    def work() -> bool:
        with watched(), Hold():
            return True

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result()


def execute() -> None:
    with connect(threads=1) as con:
        con.execute(FOREVER).fetchall()


def on_a_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(execute).result()


def on_a_cursor() -> None:
    import nanoarrow

    with connect() as con, stopping.interruptible(con.cursor()) as cursor:
        list(nanoarrow.c_array_stream(cursor.sql(FOREVER)))


@pytest.mark.parametrize("query", [execute, on_a_thread, on_a_cursor])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_query_is_interrupted_at_once(query: Callable[[], None], number: int) -> None:
    """DuckDB may take the exception for its own, or lose it: the run knows all the same."""
    begun = time.perf_counter()
    with watched():
        later(0.1, number)
        with suppress(Exception, Stopped):
            query()
        with pytest.raises(Stopped) as caught:
            stopping.check()
    assert caught.value.number == number
    assert time.perf_counter() - begun < 5


def test_what_follows_a_stopped_command_is_not_stopped() -> None:
    with suppress(Stopped), watched():
        signal.raise_signal(signal.SIGTERM)
    stopping.check()
    with watched():
        stopping.check()
