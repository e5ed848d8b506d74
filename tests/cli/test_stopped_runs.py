"""Runs that are stopped at any moment, by any signal: nothing of the user's is touched, and nothing half-done stays."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from becalm import doctor
from becalm.cli import main
from becalm.core import moving, scratch, stopping
from becalm.core.placement import STAGE
from becalm.core.staging import (
    INTERNAL,
    Place,
    own_files,
    sha256,
    staged,
    staged_file,
    staged_with_release,
)
from becalm.demo import write_hospital

SERVER = """
import json, os, sys
import duckdb, nanoarrow, numpy
import becalm.api.write, becalm.doctor, becalm.records.sheets.source, becalm.report, becalm.study.run, becalm.study.screen
from becalm.cli import main
command = None
for line in sys.stdin:
    command = json.loads(line)
    process = os.fork()
    if process == 0:
        break
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
else:
    sys.exit()
os.close(0)
for number, file in ((1, "out"), (2, "err")):
    os.dup2(os.open(command["to"] + "/" + file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
main(command["words"])
"""
"""Starts becalm many times without importing it anew: each line is a command, run in a process of its own."""

SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT", "SIGKILL")


@dataclass
class Ended:
    """How a command ended: its exit code, what it said, whether it was ended before it was done, and when."""

    code: int
    said: str
    seconds: float


class Becalm:
    """The command in processes of its own, which a test can stop."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._told = folder / "told"
        self._told.mkdir()
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )  # fmt: skip

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def start(self, *words: object) -> int:
        """Start a command; return the number of its process."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        command = {"words": [str(word) for word in words], "to": str(self._told)}
        self._server.stdin.write(json.dumps(command) + "\n")
        self._server.stdin.flush()
        self._begun = time.perf_counter()
        return int(self._server.stdout.readline())

    def end(self) -> Ended:
        """Wait until the command has ended."""
        assert self._server.stdout is not None
        code = int(self._server.stdout.readline())
        return Ended(code, (self._told / "err").read_text(), time.perf_counter() - self._begun)

    def run(self, *words: object) -> Ended:
        self.start(*words)
        return self.end()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital") / "records"
    write_hospital(folder, 24, 20)
    return folder


@pytest.fixture(scope="module")
def both(records: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small hospital, and sheets of one patient, whose study takes a second."""
    folder = tmp_path_factory.mktemp("one") / "records"
    folder.mkdir()
    (folder / "persons.csv").write_text("person_id,sex\n1,F\n")
    labs = "person_id,time,name,value,unit\n1,2020-02-01T08:00,ferritin,900,ng/mL\n"
    (folder / "labs.csv").write_text(labs)
    return records, folder


@pytest.fixture(scope="module")
def becalm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Becalm]:
    server = Becalm(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


def hashes(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


class Runs:
    """One command with its places, which runs again and again over its own results."""

    def __init__(self, name: str, records: Path, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.out, self.public = folder / "out", folder / "public"
        file = self.out / "peaks.csv"
        self.places = {
            "study": [Place(self.out, INTERNAL), Place(self.public, "for release", public=True)],
            "screen": [Place(self.out, "screening", file.name)],
            "doctor": [Place(self.out, "doctor")],
        }[name]
        self.words: list[object] = {
            "study": ["--out", self.out, "--release", self.public],
            "screen": ["--out", file],
            "doctor": ["--out", self.out],
        }[name]
        self.words = [name, records, *self.words]
        if name == "study":
            self.words += ["--protocol", "hyperinflammation"]
        self.notes = self.out / "notes.txt"
        self.whole = {"study": 2.0, "screen": 0.6, "doctor": 0.6}[name]

    def state(self) -> list[int]:
        """Return which manifest stands in each place: the number of its file on the disk, 0 for none."""
        files = [place.root / place.manifest for place in self.places]
        return [file.stat().st_ino if file.exists() else 0 for file in files]

    def is_moving(self) -> bool:
        return any((place.stage / "plan.json").exists() for place in self.places)

    def stages(self) -> list[Path]:
        return [*self.folder.rglob(f"{STAGE}*")]

    def start_again(self) -> None:
        """Do what the next run does first, and give up."""
        if self.name == "study":
            with suppress(ZeroDivisionError), staged_with_release(self.out, self.public):
                raise ZeroDivisionError
        elif self.name == "screen":
            with suppress(ZeroDivisionError), staged_file(self.out / "peaks.csv", "screening"):
                raise ZeroDivisionError
        else:
            with suppress(ZeroDivisionError), staged(self.out, "doctor"):
                raise ZeroDivisionError

    def complete(self) -> bool:
        """Whether every place holds results; raises `OutputError` where a manifest is wrong."""
        for place in self.places:
            own = own_files(place, ())
            if (place.root / place.manifest).exists():
                listed = json.loads((place.root / place.manifest).read_text())["files"]
                assert {each["name"] for each in listed} | {place.manifest} == own.keys()
            else:
                return False
        return True


def stop(becalm: Becalm, runs: Runs, rng: random.Random, how: str) -> Ended:
    """Run a command and send a signal at a random moment, in every second run while results move."""
    moving, part = rng.random() < 0.5, rng.random()
    process = becalm.start(*runs.words)
    until = time.perf_counter() + (10 * runs.whole if moving else part * runs.whole)
    while time.perf_counter() < until and not (moving and runs.is_moving()):
        time.sleep(0.0005)
    if moving:
        time.sleep(0.004 * part)
    with suppress(ProcessLookupError):
        os.kill(process, getattr(signal, how))
    ended = becalm.end()
    if ended.code == 0:
        runs.whole = ended.seconds
    return ended


def loop(becalm: Becalm, records: Path, of_study: Path, folder: Path, kills: int) -> dict[str, int]:
    before = {read: hashes(read) for read in (records, of_study)}
    reads = {"study": of_study, "screen": records, "doctor": records}
    runs = {name: Runs(name, read, folder / name) for name, read in reads.items()}
    seen = dict.fromkeys(("stopped", "done", "undone", "moving"), 0)
    for number in range(kills):
        rng = random.Random(number)
        run = runs[rng.choices(list(runs), (1, 1, 1))[0]]
        how = SIGNALS[number % len(SIGNALS)]
        was = run.state()
        what = f"kill {number}: {run.name}, {how}"
        ended = stop(becalm, run, rng, how)
        code = getattr(signal, how)
        assert ended.code in {0, 128 + code, -code}, f"{what}: {ended}"
        if ended.code == 128 + code:
            assert run.stages() == [], what
            assert list(becalm.temporary.iterdir()) == [], what
            *_, said = ended.said.splitlines()
            if "no file was written" in said:
                assert run.state() == was, f"{what}: {said}"
            else:
                assert said.startswith("becalm: interrupted; complete: "), f"{what}: {ended}"
                assert all(new != old for new, old in zip(run.state(), was, strict=True)), what
                assert run.complete(), what
        seen["moving"] += any((stage / "plan.json").exists() for stage in run.stages())
        run.start_again()
        scratch.sweep()
        assert run.stages() == [], what
        assert list(becalm.temporary.iterdir()) == [], what
        changed = {new != old for new, old in zip(run.state(), was, strict=True)}
        assert len(changed) == 1, f"{what}: one place is new, another is not"
        assert run.complete() or not any(run.state()), what
        seen["stopped" if ended.code else "done"] += 1
        seen["undone"] += changed == {False}
        if run.complete() and not run.notes.exists():
            run.notes.write_text("mine")
        assert {read: hashes(read) for read in before} == before, what
    for run in runs.values():
        assert becalm.run(*run.words).code == 0, run.name
        assert run.complete()
        assert not run.notes.exists() or run.notes.read_text() == "mine"
        assert run.stages() == []
    assert seen["stopped"] > kills // 3, seen
    return seen


@pytest.mark.parametrize(
    "kills", [20, pytest.param(200, marks=pytest.mark.long)], ids=lambda kills: f"{kills} kills"
)
def test_a_run_can_be_stopped_at_any_moment(
    becalm: Becalm,
    both: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kills: int,
) -> None:
    """TERM, HUP, INT and KILL over study with a release, screen and doctor; 200 of them with `-m long`."""
    monkeypatch.setattr("tempfile.tempdir", str(becalm.temporary))
    hospital, one = both
    print(loop(becalm, hospital, hospital if kills >= 200 else one, tmp_path, kills))


def waits(file: Path) -> None:
    until = time.perf_counter() + 60
    while not file.exists():
        assert time.perf_counter() < until
        time.sleep(0.002)


def test_the_last_line_says_what_is_complete_and_what_not(becalm: Becalm, tmp_path: Path) -> None:
    """The records of the built-in example are written before its study begins."""
    out = tmp_path / "demo"
    process = becalm.start("demo", "--out", out, "--persons", "20")
    waits(out / "records" / "manifest.json")
    time.sleep(0.2)
    os.kill(process, signal.SIGTERM)
    ended = becalm.end()
    assert ended.code == 143
    assert ended.said.splitlines()[-1] == (
        f"becalm: interrupted; complete: {out / 'records'}; nothing else was written"
    )
    assert [path.name for path in out.iterdir()] == ["records"]
    own_files(Place(out / "records", "records of invented patients"), ())


def test_the_second_run_into_a_folder_is_refused_while_the_first_lives(
    becalm: Becalm, records: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["study", str(records), "--protocol", "hyperinflammation", "--out", str(out)]
    process = becalm.start(*words)
    waits(out / STAGE / "new")
    second = CliRunner().invoke(main, words)
    assert second.exit_code == 6
    assert f"{out}: another run of becalm is writing there" in second.stderr
    os.kill(process, signal.SIGINT)
    assert becalm.end().code == 130
    assert not out.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["screen", "doctor"])
def test_a_signal_during_the_final_moves_waits_for_them(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, number: int
) -> None:
    move = moving._move

    def meanwhile(source: Path, target: Path) -> None:
        signal.raise_signal(number)
        move(source, target)

    monkeypatch.setattr(moving, "_move", meanwhile)
    out = tmp_path / ("peaks.csv" if command == "screen" else "out")
    done = CliRunner().invoke(main, [command, str(records), "--out", str(out)])
    assert done.exit_code == 128 + number
    last = done.stderr.splitlines()[-1]
    assert last == f"becalm: interrupted; complete: {out}; nothing else was written"
    place = (
        Place(tmp_path, "screening", "peaks.csv") if command == "screen" else Place(out, "doctor")
    )
    assert len(own_files(place, ())) > 1
    assert not list(tmp_path.rglob(f"{STAGE}*"))


def test_a_signal_that_a_library_lost_stops_the_run_all_the_same(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is moved, and without results whose run was to end."""
    examine = doctor.examine

    def lost(*given: Any, **more: Any) -> Any:
        with suppress(stopping.Stopped):
            signal.raise_signal(signal.SIGINT)
        return examine(*given, **more)

    monkeypatch.setattr(doctor, "examine", lost)
    for words in ([], ["--out", str(tmp_path / "out")]):
        done = CliRunner().invoke(main, ["doctor", str(records), *words])
        assert done.exit_code == 130
        assert done.stderr.splitlines()[-1] == "becalm: interrupted; no file was written"
    assert list(tmp_path.iterdir()) == []
