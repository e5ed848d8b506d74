"""Pixels on a second core: a process beside this one turns drawings into PNG while others are drawn.

Drawing keeps Python's lock, so that a thread would gain nothing. The other process is given drawings
as JSON, a line each, and answers a line each; its bytes are those that drawing here gives. Whatever
does not come back is drawn here.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Final

from becalm.core.machine import TooLittleMemoryError, address_space_is_limited
from becalm.report.theme import Figure, draw

# Named on the command line instead of run with -m, which would load the module twice; -P keeps a
# stray module in the working folder from being imported.
COMMAND: Final = ("-P", "-c", "from becalm.report.render import work; work()")


class Pixels:
    """Collects drawings and gives their pixels."""

    def __init__(self, stack: ExitStack) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if (os.cpu_count() or 1) < 2 or not sys.executable:
            return
        with suppress(OSError):
            # Answers go to a file: a pipe that nobody empties while drawing would stop the other.
            self._answers: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
            stack.callback(self._answers.close)
            self._process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, *COMMAND],
                    stdin=subprocess.PIPE, stdout=self._answers, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            stack.callback(self._hang_up)
            stack.callback(self._process.kill)
            self._thread = stack.enter_context(ThreadPoolExecutor(1))

    def add(self, figure: Figure) -> None:
        """Ask the other process for a figure's pixels, without waiting."""
        if self._process:
            line = json.dumps([figure.name, figure.svg]).encode() + b"\n"
            self._thread.submit(self._say, line)

    def _say(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):  # it has gone: everything is drawn here
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _hang_up(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def all(self, figures: list[Figure]) -> Iterator[tuple[Figure, bytes]]:
        """Yield every figure with its pixels as PNG."""
        given = self._given()
        for figure in figures:
            yield figure, given.get(figure.name) or figure.png()

    def _given(self) -> dict[str, bytes]:
        """Wait for the other process and return what it drew."""
        if self._process is None:
            return {}
        self._thread.shutdown()
        self._hang_up()
        self._process.wait()
        self._answers.seek(0)
        found: dict[str, bytes] = {}
        with suppress(ValueError):  # it was stopped in the middle of a line
            for line in self._answers:
                name, png = json.loads(line)
                found[name] = base64.b64decode(png, validate=True)
        return found


def require_drawing() -> None:
    """Raise `TooLittleMemoryError` where a limit of this session keeps the chart library from starting.

    It reserves far more addresses than it uses, and ends its process where it cannot; so another one tries.
    """
    if not address_space_is_limited():
        return
    tried = subprocess.run(
        [sys.executable, "-P", "-c", "from becalm.report.render import try_to_draw; try_to_draw()"],
        capture_output=True,
        check=False,
    )
    if tried.returncode:
        raise TooLittleMemoryError(
            "the limit of this session (ulimit -v) is too low for the figures of the report",
            hint="Raise it to 96 GiB of addresses, or remove it; little of them is used",
        )


def try_to_draw() -> None:
    """Draw a chart of one point."""
    draw({"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}})


@contextmanager
def pixels() -> Iterator[Pixels]:
    """Yield a place for drawings, with a process beside this one where there are two cores."""
    with ExitStack() as stack:
        yield Pixels(stack)


def work() -> None:
    """Draw each line of the input and answer it."""
    for line in sys.stdin.buffer:
        name, svg = json.loads(line)
        png = base64.b64encode(Figure(name, "", "", svg).png()).decode()
        sys.stdout.write(json.dumps([name, png]) + "\n")
        sys.stdout.flush()
