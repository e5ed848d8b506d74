"""Results appear whole or not at all, and replace nothing but what becalm wrote."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from becalm.core import moving, staging
from becalm.core.errors import OutputError, UsageError
from becalm.core.locks import lock
from becalm.core.placement import STAGE
from becalm.core.staging import (
    INTERNAL,
    MANIFEST,
    RELEASE,
    check,
    sha256,
    staged,
    staged_file,
    staged_once,
    staged_release,
    staged_with_release,
    write_manifest,
)


def fill(stage: Path, text: str = "new", kind: str = INTERNAL) -> None:
    (stage / "tables").mkdir()
    (stage / "tables" / "a.csv").write_text(text)
    (stage / "report.html").write_text(text)
    write_manifest(stage, {"becalm": "0", "kind": kind, "run": text})


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def refused(out: Path, **more: Any) -> str:
    """Return why results are not written; nothing in the folder has changed then."""
    before = contents(out)
    with pytest.raises(OutputError) as caught, staged(out, **more) as stage:
        fill(stage)
    assert contents(out) == before
    assert caught.value.exit_code == 6
    return caught.value.line()


def test_everything_moves_into_place_and_the_manifest_vouches_for_it(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with staged(out) as stage:
        fill(stage)
        assert {path.parts[0] for path in map(Path, contents(out))} == {STAGE}
    assert sorted(contents(out)) == [MANIFEST, "report.html", "tables/a.csv"]
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["kind"] == "internal"
    assert [file["name"] for file in manifest["files"]] == ["report.html", "tables/a.csv"]
    for file in manifest["files"]:
        assert file["sha256"] == sha256(out / file["name"])
        assert file["bytes"] == (out / file["name"]).stat().st_size


def test_results_are_replaced_as_a_whole_and_the_files_of_others_stay(tmp_path: Path) -> None:
    """An old figure beside a new report would be taken for one of its own."""
    fill(tmp_path, "old")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "f.svg").write_text("old")
    (tmp_path / MANIFEST).unlink()
    write_manifest(tmp_path, {"becalm": "0", "kind": INTERNAL})
    (tmp_path / "tables" / "mine.txt").write_text("mine")
    with staged(tmp_path) as stage:
        fill(stage)
    found = contents(tmp_path)
    assert found.pop(MANIFEST)
    assert found == {"report.html": "new", "tables/a.csv": "new", "tables/mine.txt": "mine"}
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        "no json",
        "[]",
        '{"files": [{"name": "report.html", "sha256": "0"}]}',
        '{"becalm": "0", "kind": "internal"}',
        '{"becalm": "0", "kind": "internal", "files": [{"name": "report.html"}]}',
    ],
)
def test_a_folder_of_somebody_else_is_refused_whatever_it_holds(
    tmp_path: Path, manifest: str | None
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    first = tmp_path / "notes.txt"
    if manifest is not None:
        first = tmp_path / MANIFEST
        first.write_text(manifest)
    said = refused(tmp_path)
    assert said.startswith(
        f"{first}: is there already, and becalm did not write it. Choose another"
    )
    with pytest.raises(OutputError), staged(tmp_path):
        pytest.fail("that is told before the work")


def test_a_manifest_that_names_files_elsewhere_is_nobodys(tmp_path: Path) -> None:
    """Or a folder from somebody else would have becalm remove the user's own files."""
    mine = tmp_path / "mine.csv"
    mine.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("../mine.csv", str(mine), "./../mine.csv", "tables/../../mine.csv", ""):
        facts = {
            "becalm": "0",
            "kind": "internal",
            "files": [{"name": name, "sha256": sha256(mine)}],
        }
        (out / MANIFEST).write_text(json.dumps(facts))
        assert "becalm did not write it" in refused(out)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["report.html", "tables/a.csv"])
def test_a_result_that_was_changed_since_stops_the_run_by_its_name(
    tmp_path: Path, name: str
) -> None:
    fill(tmp_path, "old")
    (tmp_path / name).write_text("with my notes")
    assert refused(tmp_path).startswith(f"{tmp_path / name}: was changed since becalm wrote it")
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / MANIFEST)
    assert "was changed since becalm wrote it" in refused(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert "was changed since becalm wrote it" in refused(tmp_path)


def test_a_result_that_was_removed_is_written_again(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    (tmp_path / "report.html").unlink()
    with staged(tmp_path) as stage:
        fill(stage)
    assert contents(tmp_path)["report.html"] == "new"


def test_what_is_expected_in_a_new_folder_may_be_there(tmp_path: Path) -> None:
    """`demo` writes the records first, into the folder that its study comes to."""
    (tmp_path / "records").mkdir()
    check(tmp_path, beside=["records"])
    with staged(tmp_path, beside=["records"]) as stage:
        fill(stage)
    check(tmp_path, beside=["records"])
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(OutputError, match=r"report\.html: is there already"):
        check(tmp_path, beside=["records"])


def test_a_check_undoes_what_a_killed_run_left(tmp_path: Path) -> None:
    dies(tmp_path, MANIFEST)
    check(tmp_path)
    assert contents(tmp_path) == {}


def test_results_of_another_kind_are_not_replaced(tmp_path: Path) -> None:
    """Patient data never comes into a folder of a release, and no study over the records it made."""
    fill(tmp_path, "old", "for release: small cells suppressed")
    said = refused(tmp_path)
    assert "holds what becalm calls 'for release: small cells suppressed'" in said


def test_a_file_that_no_manifest_lists_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    write_manifest(tmp_path, {"becalm": "0", "kind": INTERNAL})
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.csv").write_text("mine")
    assert "tables/a.csv: is there already" in refused(tmp_path)


@pytest.mark.parametrize("what", ["folder", "link to a folder", "link to nothing", "file"])
def test_what_is_in_the_way_is_found_before_anything_moves(tmp_path: Path, what: str) -> None:
    """Nothing is replaced, nothing is written through a link, and the old manifest still holds."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "report.html").write_text("old")
    write_manifest(out, {"becalm": "0", "kind": INTERNAL})
    if what == "folder":
        (out / "tables" / "a.csv").mkdir(parents=True)
    elif what == "file":
        (out / "tables").write_text("mine")
    else:
        (out / "tables").symlink_to(elsewhere if what == "link to a folder" else "nowhere")
    assert "in the way" in refused(out)
    assert list(elsewhere.iterdir()) == []


def test_what_is_read_is_not_replaced_even_if_becalm_wrote_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    fill(out, "old")
    with pytest.raises(UsageError, match="is what is read"), staged(out, reads=[out]):
        pytest.fail("nothing may run before it is known that results can be written")
    table = out / "tables" / "a.csv"
    (tmp_path / "soft").symlink_to(table)
    (tmp_path / "hard").hardlink_to(table)
    for read in (table, out / "tables", tmp_path / "soft", tmp_path / "hard"):
        assert refused(out, reads=[read]).startswith(f"{table}: is read, and would be written over")


def test_a_file_that_was_read_is_known_until_the_end(tmp_path: Path) -> None:
    """Which files are read may be known only after the records were opened."""
    fill(tmp_path, "old")
    reads: list[Path] = []
    with pytest.raises(OutputError, match="is read"), staged(tmp_path, reads=reads) as stage:
        fill(stage)
        reads.append(tmp_path / "report.html")
    assert contents(tmp_path)["report.html"] == "old"


def fails_at(name: str) -> Callable[[Path, Path], None]:
    """Return a move that fails for one file of the new results."""
    move = moving._move

    def failing(source: Path, target: Path) -> None:
        if target.name == name and "new" in source.parts:
            raise OSError(errno.EIO, "Input/output error", str(target))
        move(source, target)

    return failing


@pytest.mark.parametrize("name", ["report.html", "a.csv", MANIFEST])
@pytest.mark.parametrize("before", ["results", "nothing"])
def test_a_failure_while_files_move_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, before: str
) -> None:
    out = tmp_path / "out"
    if before == "results":
        out.mkdir()
        fill(out, "old")
    was = contents(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(moving, "_move", fails_at(name))
        with pytest.raises(OutputError, match="Input/output error"), staged(out) as stage:
            fill(stage)
    assert contents(tmp_path) == was
    assert out.exists() == (before == "results")
    with staged(out) as stage:
        fill(stage, "newer")
    assert contents(out)["report.html"] == "newer"


def test_after_a_failure_everything_is_as_it_was(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    before = contents(tmp_path)
    with pytest.raises(ZeroDivisionError), staged(tmp_path) as stage:
        fill(stage)
        raise ZeroDivisionError
    assert contents(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "report.html", "tables"]


def test_a_folder_made_for_results_that_never_came_goes_again(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with pytest.raises(KeyboardInterrupt), staged(out) as stage:
        fill(stage)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "file/below/it"])
def test_a_file_where_a_folder_should_be(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError) as caught, staged(tmp_path / place):
        pytest.fail("nothing may run before it is known that results can be written")
    assert caught.value.exit_code == 6
    assert contents(tmp_path) == {"file": "mine"}


def test_a_folder_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not stop an administrator, so the refusal is played."""

    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(moving, "lock", refuse)
    with pytest.raises(OutputError, match=r"Permission denied.*--out"), staged(tmp_path / "out"):
        pytest.fail("not reached")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_the_outputs_fault(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left"), staged(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_that_cannot_be_read_is_not_the_outputs_fault(tmp_path: Path) -> None:
    """The records may lie inside the folder that results are written to."""
    with pytest.raises(FileNotFoundError), staged(tmp_path / "out"):
        (tmp_path / "out" / "records.csv").read_text()


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    """The second is refused while the first lives, and the first is not disturbed."""
    out = tmp_path / "out"
    with staged(out) as stage:
        fill(stage, "first")
        said = f"{out}: another run of becalm is writing there. Wait until it has ended"
        with pytest.raises(OutputError) as caught, staged(out):
            pytest.fail("not reached")
        assert caught.value.line().startswith(said)
    assert contents(out)["report.html"] == "first"


def in_another_process(work: Callable[[], object]) -> int:
    """Do some work in a process of its own; return its exit code, 1 after an exception."""
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def dies(out: Path, at: str, text: str = "dead") -> None:
    """Do what a run does that is killed before it moves the file `at`; '' : before any move."""
    move = moving._move

    def die(source: Path, target: Path) -> None:
        if not at or target.name == at:
            os._exit(9)
        move(source, target)

    def run() -> None:
        moving._move = die
        with staged(out) as stage:
            fill(stage, text)
            if at == "before":
                os._exit(9)

    assert in_another_process(run) == 9


@pytest.mark.parametrize("at", ["before", "", "report.html", "a.csv", MANIFEST])
@pytest.mark.parametrize("before", ["results", "nothing"])
def test_a_run_that_was_killed_is_undone_by_the_next(tmp_path: Path, at: str, before: str) -> None:
    """Whatever was moved; a next run that is itself refused undoes it too."""
    out = tmp_path / "out"
    out.mkdir()
    if before == "results":
        fill(out, "old")
    was = contents(out)
    dies(out, at)
    assert (out / STAGE).is_dir()
    with pytest.raises(ZeroDivisionError), staged(out):
        raise ZeroDivisionError
    assert contents(out) == was
    dies(out, at)
    with staged(out) as stage:
        fill(stage)
    assert sorted(contents(out)) == [MANIFEST, "report.html", "tables/a.csv"]
    assert set(contents(out).values()) >= {"new"}


def test_a_file_changed_after_a_run_was_killed_is_kept(tmp_path: Path) -> None:
    dies(tmp_path, "a.csv")
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(OutputError, match="was changed after a run"), staged(tmp_path):
        pytest.fail("not reached")
    assert contents(tmp_path)["report.html"] == "mine"
    (tmp_path / "report.html").unlink()
    with staged(tmp_path) as stage:
        fill(stage)
    assert contents(tmp_path)["report.html"] == "new"


def test_what_looks_like_a_stage_of_somebody_else_moves_nothing(tmp_path: Path) -> None:
    """A plan that names files elsewhere is not followed."""
    mine = tmp_path / "mine.csv"
    mine.write_text("mine")
    out = tmp_path / "out"
    (out / STAGE / "new").mkdir(parents=True)
    (out / STAGE / "lock").touch()
    plan = {
        "new": {"../mine.csv": sha256(mine)}, "old": {}, "made": [], "commit": "/none", "sha256": "",
    }  # fmt: skip
    (out / STAGE / "plan.json").write_text(json.dumps(plan))
    with staged(out) as stage:
        fill(stage)
    assert mine.read_text() == "mine"


def release(out: Path, public: Path, text: str = "new") -> None:
    with staged_with_release(out, public) as (stage, aggregates):
        fill(stage, text)
        assert aggregates is not None
        fill(aggregates, text, "for release: small cells suppressed")


@pytest.mark.parametrize("at", ["out", "public"])
@pytest.mark.parametrize("before", ["results", "nothing"])
def test_a_release_and_its_study_appear_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, before: str
) -> None:
    out, public = tmp_path / "out", tmp_path / "public"
    if before == "results":
        release(out, public, "old")
    was = contents(tmp_path)
    move = moving._move

    def failing(source: Path, target: Path) -> None:
        if target == tmp_path / at / MANIFEST and "old" not in source.parts:
            raise OSError(errno.EIO, "Input/output error", str(target))
        move(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(moving, "_move", failing)
        with pytest.raises(OutputError):
            release(out, public)
    assert contents(tmp_path) == was
    release(out, public)
    assert contents(out)["report.html"] == contents(public)["report.html"] == "new"


@pytest.mark.parametrize("name", [".DS_Store", "notes.txt", "tables/mine.csv", "link"])
def test_a_release_stands_alone_in_its_folder(tmp_path: Path, name: str) -> None:
    """Whatever else is there would be published with it."""
    out, public = tmp_path / "out", tmp_path / "public"
    release(out, public)
    if name == "link":
        (public / name).symlink_to(out)
    else:
        (public / name).write_text("mine")
    with pytest.raises(OutputError, match=f"public/{name}: is there already"):
        release(out, public)


def test_what_cannot_be_moved_back_now_is_moved_back_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails while results move fails while they are moved back, too."""
    out, public = tmp_path / "out", tmp_path / "public"
    release(out, public, "old")
    was = contents(tmp_path)
    move = moving._move

    def failing(source: Path, target: Path) -> None:
        if target == public / MANIFEST:
            raise OSError(errno.EIO, "Input/output error", str(target))
        move(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(moving, "_move", failing)
        with pytest.raises(OutputError, match="Input/output error"):
            release(out, public)
    assert contents(tmp_path) != was
    with pytest.raises(ZeroDivisionError), staged_with_release(out, public):
        raise ZeroDivisionError
    assert contents(tmp_path) == was


def test_a_second_run_while_the_first_moves_its_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of them are in place then, and no manifest lists them: that is not somebody else's folder."""
    move, said = moving._move, []

    def meanwhile(source: Path, target: Path) -> None:
        with pytest.raises(OutputError) as caught, staged(tmp_path / "out"):
            pytest.fail("not reached")
        said.append(caught.value.what)
        move(source, target)

    monkeypatch.setattr(moving, "_move", meanwhile)
    with staged(tmp_path / "out") as stage:
        fill(stage)
    assert set(said) == {"another run of becalm is writing there"}
    assert len(contents(tmp_path)) == 3


def test_a_release_that_is_made_by_itself_is_apart_from_what_it_is_made_of(tmp_path: Path) -> None:
    out, public = tmp_path / "out", tmp_path / "public"
    release(out, public)
    for place in (out, out / "public", tmp_path):
        with pytest.raises(UsageError), staged_release(place, apart_from=[out]):
            pytest.fail("not reached")
    with staged_release(public, apart_from=[out]) as stage:
        fill(stage, "again", RELEASE)
    assert contents(public)["report.html"] == "again"


@pytest.mark.parametrize(("name", "stops"), [(".DS_Store", False), ("notes.txt", True)])
def test_what_appears_beside_a_release_while_it_is_made(
    tmp_path: Path, name: str, stops: bool
) -> None:
    """Somebody looks into the folder with a desktop, or saves a file there."""
    out, public = tmp_path / "out", tmp_path / "public"

    def appears() -> None:
        with staged_with_release(out, public) as (stage, aggregates):
            fill(stage)
            assert aggregates is not None
            fill(aggregates, kind=RELEASE)
            (public / name).write_text("mine")
            (out / "notes.txt").write_text("mine")

    if stops:
        with pytest.raises(OutputError, match=r"notes\.txt: is there already"):
            appears()
        assert contents(tmp_path) == {"out/notes.txt": "mine", "public/notes.txt": "mine"}
    else:
        appears()
        assert {"notes.txt", MANIFEST} < contents(out).keys()
        assert {name, MANIFEST} < contents(public).keys()


def test_a_file_that_appears_where_a_result_would_be_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OutputError, match="html: is there already"), staged(out) as stage:
        fill(stage)
        (out / "report.html").write_text("mine")
    assert contents(tmp_path / "out") == {"report.html": "mine"}


@pytest.mark.parametrize(
    ("public", "where"),
    [
        ("out", "both"), ("out/public", "is inside"), (".", "is around"), ("link", "both"),
        ("records/public", "is inside"), ("link/public", "is inside"), ("records", "is what is read"),
    ],
)  # fmt: skip
def test_a_release_is_apart_from_patient_data(tmp_path: Path, public: str, where: str) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    with (
        pytest.raises(UsageError, match=where),
        staged_with_release(tmp_path / "out", tmp_path / public, reads=[tmp_path / "records"]),
    ):
        pytest.fail("not reached")
    assert contents(tmp_path) == {}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("by", "file", "folder"),
    [(None, 0o600, 0o700), ("owner", 0o600, 0o700), ("group", 0o640, 0o750)],
)
def test_results_are_readable_by_their_owner_and_a_release_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str | None, file: int, folder: int
) -> None:
    monkeypatch.delenv("BECALM_READABLE_BY", raising=False)
    if by:
        monkeypatch.setenv("BECALM_READABLE_BY", by)
    before = os.umask(0o022)
    try:
        out, public = tmp_path / "out", tmp_path / "public"
        with staged_with_release(out, public) as (stage, aggregates):
            assert mode(out / STAGE) == 0o700
            fill(stage)
            assert aggregates is not None
            fill(aggregates, kind=RELEASE)
    finally:
        os.umask(before)
    assert (mode(out), mode(out / "tables")) == (folder, folder)
    assert {mode(out / name) for name in contents(out)} == {file}
    assert (mode(public), mode(public / "tables")) == (0o755, 0o755)
    assert {mode(public / name) for name in contents(public)} == {0o644}


def test_another_word_for_who_may_read_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BECALM_READABLE_BY", "everybody")
    with pytest.raises(UsageError, match="owner or group"), staged(tmp_path / "out"):
        pytest.fail("not reached")
    assert list(tmp_path.iterdir()) == []


def test_one_file_is_replaced_if_its_own_manifest_knows_it(tmp_path: Path) -> None:
    """Whatever else stands in the folder; a file without one, or changed since, is somebody's."""
    (tmp_path / "mine.txt").write_text("mine")
    out = tmp_path / "peaks.csv"

    def write(text: str) -> None:
        with staged_file(out, "screening", facts={"becalm": "0", "kind": "screening"}) as file:
            file.write_text(text)

    write("one")
    write("two")
    assert out.read_text() == "two"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mine.txt", "peaks.csv", "peaks.csv.manifest.json",
    ]  # fmt: skip
    out.write_text("changed")
    with pytest.raises(OutputError, match=r"peaks\.csv: was changed since"):
        write("three")
    (tmp_path / "peaks.csv.manifest.json").unlink()
    with pytest.raises(OutputError, match=r"peaks\.csv: is there already"):
        write("three")
    out.unlink()
    out.symlink_to("nowhere")
    with pytest.raises(OutputError, match=r"peaks\.csv: is there already"):
        write("three")
    out.unlink()
    (tmp_path / "peaks.csv.manifest.json").write_text("mine")
    with pytest.raises(OutputError, match=r"manifest\.json: is there already"):
        write("three")


def test_a_file_without_a_manifest_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "words.toml"
    for again in (False, True):
        if again:
            with pytest.raises(OutputError, match="is there already"), staged_file(out):
                pytest.fail("not reached")
        else:
            with staged_file(out) as file:
                file.write_text("once")
    assert contents(tmp_path) == {"words.toml": "once"}


def test_a_folder_of_files_to_be_filled_in_is_new_or_empty(tmp_path: Path) -> None:
    for again in (False, True):
        if again:
            with pytest.raises(OutputError), staged_once(tmp_path / "mine"):
                pytest.fail("not reached")
        else:
            with staged_once(tmp_path / "mine") as stage:
                (stage / "a.csv").write_text("once")
    assert contents(tmp_path) == {"mine/a.csv": "once"}


def test_a_stage_without_a_manifest_is_a_mistake_of_becalm(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no manifest"), staged(tmp_path / "out") as stage:
        (stage / "a.csv").write_text("x")
    assert contents(tmp_path) == {}


def test_without_locks_a_stage_that_is_there_counts_as_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On such a file system nobody can know; the message says what to do."""

    def none(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("becalm.core.locks._flock", none)
    with staged(tmp_path / "out") as stage:
        fill(stage)
        with pytest.raises(OutputError, match="if none is left"), staged(tmp_path / "out"):
            pytest.fail("not reached")
    assert sorted(contents(tmp_path / "out")) == [MANIFEST, "report.html", "tables/a.csv"]


def test_a_lock_ends_with_the_process_that_held_it(tmp_path: Path) -> None:
    assert in_another_process(lambda: (lock(tmp_path / "held"), os._exit(9))) == 9
    held = lock(tmp_path / "held", make=False)
    assert held is not None
    assert lock(tmp_path / "held") is None
    held.remove()
    assert lock(tmp_path / "held", make=False) is None


def test_staging_offers_what_others_need() -> None:
    assert {"MANIFEST", "Place", "apart", "own_files", "sha256"} <= set(staging.__all__)
