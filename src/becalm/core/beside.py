"""Work on a second core: a process of becalm beside this one.

Python's lock lets one thread compute at a time, so that a thread would gain nothing. The other process is told which
function to call, with which arguments, and sends back what it returned; its results are those of this one. What
does not come back (the process could not be started, was ended, or the function failed there) is done here, so
that an error is the one that a single process meets.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import lru_cache, partial
from typing import Any, Final, Generic, ParamSpec, TypeVar

from becalm.core import machine, stopping

P = ParamSpec("P")
T = TypeVar("T")

# Named on the command line instead of run with -m, which would load the module twice; -P keeps a
# stray module in the working folder from being imported.
COMMAND: Final = ("-P", "-c", "from becalm.core.beside import work; work()")


class Beside:
    """The other process. It starts with the first call, and answers one call after the other.

    Of a machine with one core, or a session with a limit on addresses, there is none: everything is done here.
    """

    def __init__(self) -> None:
        self.busy = threading.Lock()
        """Held while the other process has something to do."""
        self._process: subprocess.Popen[bytes] | None = None
        self._gone = machine.cores() < 2 or not sys.executable or machine.address_space_is_limited()
        self._closed = False
        self._unread = 0

    @property
    def there(self) -> bool:
        """Whether there is, or may be, another process."""
        return not self._gone

    def call(self, function: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> T:
        """Return what a function returns, called there or, if that does not work, here.

        function : a function of a module, found by its name. It and what it is given can be pickled. Raises
        `CancelledError` where the block of the other process has ended meanwhile.
        """
        return self.do(Coming(function, given, named))

    def do(self, coming: Coming[T]) -> T:
        """Return the result of a call as soon as the other process is free, unless somebody has begun with it."""
        with self.busy:
            mine = coming.begin()
            answer = self._asked(coming.question) if mine else None
        if not mine:
            return coming.result()
        try:
            if answer is None:
                stopping.check()
                if self._closed:
                    raise CancelledError
            coming.end_with((lambda: answer[0]) if answer is not None else coming.here)
        except BaseException as error:
            coming.fail(error)
            raise
        return coming.result()

    def prepare(self, function: Callable[[], None]) -> None:
        """Start the other process, which calls a function first, while this one goes on."""
        with self.busy, suppress(OSError):
            if not self._gone and self._process is None:
                process = self._started()
                assert process.stdin is not None
                process.stdin.write(pickle.dumps((function, (), {}), pickle.HIGHEST_PROTOCOL))
                process.stdin.flush()
                self._unread += 1

    def _asked(self, question: Any) -> tuple[Any] | None:
        """Return the answer of the other process; None where there is none."""
        if self._gone:
            return None
        try:
            data = pickle.dumps(question, pickle.HIGHEST_PROTOCOL)
        except Exception:  # whatever its parts raise: it cannot be sent
            return None
        try:
            process = self._process or self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(data)
            process.stdin.flush()
            while self._unread:
                pickle.load(process.stdout)
                self._unread -= 1
            answer: tuple[Any] | None = pickle.load(process.stdout)
        except Exception:  # a broken answer raises anything
            self._end()
            return None
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        process = self._process = subprocess.Popen(
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        stopping.interruptible(self)
        return process

    def interrupt(self) -> None:
        """Kill the other process because the run is stopped: nobody waits for it."""
        self._gone = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the other process; what it was still asked is not done any more."""
        self._closed = True
        self.interrupt()
        with self.busy:
            self._end()

    def _end(self) -> None:
        self.interrupt()
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            self._process.wait()


@contextmanager
def beside() -> Iterator[Beside]:
    """Yield another process, which ends with the block."""
    with closing(Beside()) as other:
        yield other


class Coming(Generic[T]):
    """What a call will return: computed by the other process, or by who asks before that one has begun."""

    def __init__(self, function: Callable[..., T], given: Any, named: Mapping[str, Any]) -> None:
        self.question = function, given, named
        self.here = partial(function, *given, **named)
        self._begun = threading.Lock()
        self._end: Future[T] = Future()

    def begin(self) -> bool:
        """Say that one has begun; return whether one is the first."""
        return self._begun.acquire(blocking=False)

    def end_with(self, result: Callable[[], T]) -> None:
        """Say what the result is."""
        self._end.set_result(result())

    def fail(self, error: BaseException) -> None:
        """Say that there is none."""
        self._end.set_exception(error)

    def result(self) -> T:
        """Return it, or raise the error of the call."""
        if self.begin():
            try:
                self.end_with(self.here)
            except BaseException as error:
                self.fail(error)
                raise
        return self._end.result()


class Waiting:
    """Calls that wait in a row for the other process, while this one goes on."""

    def __init__(self, other: Beside) -> None:
        self._other = other
        self._row = ThreadPoolExecutor(1)

    def call(self, function: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> Coming[T]:
        """Ask for a call without waiting for it."""
        coming = Coming(function, given, named)
        self._row.submit(self._other.do, coming)
        return coming

    def close(self) -> None:
        """Forget the calls that nobody has begun."""
        self._row.shutdown(wait=False, cancel_futures=True)


class Once(Generic[T]):
    """Something large that many calls are given: it is written once, and read once by the other process."""

    def __init__(self, value: T) -> None:
        self.value = value
        self._bytes: bytes | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self._bytes is None:
            self._bytes = pickle.dumps(self.value, pickle.HIGHEST_PROTOCOL)
        return _once, (self._bytes,)


@lru_cache(maxsize=4)
def _once(data: bytes) -> Once[Any]:
    return Once(pickle.loads(data))


def work() -> None:
    """Answer calls until nobody asks any more. Ctrl-C is for the process that asks; it ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    machine.collect_less_often()
    answers, asked = os.fdopen(os.dup(1), "wb"), queue.SimpleQueue[Any]()
    os.dup2(2, 1)  # what a library prints is no answer
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    while True:
        function, given, named = asked.get()
        try:
            answer = pickle.dumps((function(*given, **named),), pickle.HIGHEST_PROTOCOL)
        except Exception:  # it is done once more by who asked, who meets the error
            answer = pickle.dumps(None)
        answers.write(answer)
        answers.flush()


def _listen(asked: queue.SimpleQueue[Any]) -> None:
    """Pass on what is asked; end with the process that asks, whatever is at work."""
    try:
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    except BaseException:
        os._exit(0)
