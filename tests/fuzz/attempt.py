"""One run of becalm on records that may be wrong, and what every run owes to its user.

It ends in time, with 0 or with one of the documented codes; a mistake says where it is, what it is and how to mend
it; nothing is left behind after it, and nothing that was there is changed.
"""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, TypeVar

from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import BecalmError, SeveralMistakesError

CODES: Final = frozenset({2, 3, 4, 5, 6})
"""The exit codes of mistakes in what a command is given; a database and an extra are not tried here."""
SECONDS: Final = 30
"""No run on records of a few rows may take longer."""
LONGEST_LINE: Final = 2_000
"""Characters of one line of a message."""


T = TypeVar("T")


SAYS_HOW: Final = re.compile(
    r"\b(needs|must|write|such as|is missing|outside|negative|has only|may not|no effect|twice)\b"
)
"""Words of a message that says itself how to mend what it names."""


class TooLongError(Exception):
    """A run that did not end in time."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. error : the mistake it found, None where it went well or its objects are not known."""

    code: int
    said: str
    error: BecalmError | None = None


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def in_time(seconds: int = SECONDS) -> Iterator[None]:
    """Raise `TooLongError` in what takes longer."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"not at an end after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def attempt(words: Iterable[object], out: Path) -> Outcome:
    """Run a command in this process and hold it to what it owes; `out` is where it writes.

    Raises AssertionError where it does not keep it, and the error itself where it is a bug in becalm.
    """
    with in_time():
        result = CliRunner().invoke(main, ["--debug", *map(str, words), "--out", str(out)])
    error = result.exception
    if error is None or result.exit_code == 0:
        return Outcome(0, result.stderr)
    if isinstance(error, SystemExit):  # click's own: an option that is wrong
        assert result.exit_code in CODES, result.output
        return Outcome(result.exit_code, result.stderr)
    if not isinstance(error, BecalmError):
        raise error
    _explains(error)
    _left_nothing(out)
    return Outcome(error.exit_code, error.line(), error)


def reading(read: Callable[[], T]) -> tuple[Outcome, T | None]:
    """Read records as every command does, hold that to what it owes, and return what was read."""
    try:
        with in_time():
            return Outcome(0, ""), read()
    except BecalmError as error:
        _explains(error)
        return Outcome(error.exit_code, error.line(), error), None


def attempt_outside(words: Iterable[object], out: Path) -> Outcome:
    """Run a command in a process of its own and hold it to what can be seen from outside."""
    command = [sys.executable, "-m", "becalm", *map(str, words), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS, check=False)
    if done.returncode == 0:
        return Outcome(0, done.stderr)
    assert done.returncode in CODES, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].strip(), done.stderr
    assert any(line.startswith("becalm: ") for line in done.stderr.splitlines()), done.stderr
    _left_nothing(out)
    return Outcome(done.returncode, done.stderr)


def _explains(error: BecalmError) -> None:
    """Each mistake has one line that says where, what and how to mend it."""
    assert error.exit_code in CODES, error.line()
    each = error.each() if isinstance(error, SeveralMistakesError) else [error]
    for one in each:
        line = one.line() if not isinstance(one, SeveralMistakesError) else one.alone().line()
        assert "\n" not in line and "\r" not in line and "\0" not in line, repr(line)
        assert len(line) <= LONGEST_LINE, f"{len(line)} characters: {line[:300]}"
        assert line.isprintable(), repr(line)
        assert one.what, line
        assert one.where or "the table " in one.what, f"says not where: {line}"
        how = one.hint or SAYS_HOW.search(one.what)
        assert how, f"says not how to mend it: {line}"


def _left_nothing(out: Path) -> None:
    left = sorted(out.rglob("*")) if out.is_dir() else [out] if out.exists() else []
    assert not left, f"left behind: {left}"
