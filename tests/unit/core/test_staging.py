"""Results appear whole or not at all."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from becalm.core.errors import OutputError, UsageError
from becalm.core.staging import MANIFEST, sha256, staged, write_manifest


def fill(stage: Path, text: str = "new") -> None:
    (stage / "tables").mkdir()
    (stage / "tables" / "a.csv").write_text(text)
    (stage / "report.html").write_text(text)
    write_manifest(stage, {"becalm": "0", "kind": "test"})


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_everything_moves_into_place_and_the_manifest_vouches_for_it(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with staged(out) as stage:
        fill(stage)
        assert contents(out).keys() == {
            f"{stage.name}/{name}" for name in ("tables/a.csv", "report.html", MANIFEST)
        }
    assert sorted(contents(out)) == [MANIFEST, "report.html", "tables/a.csv"]
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["kind"] == "test"
    assert [file["name"] for file in manifest["files"]] == ["report.html", "tables/a.csv"]
    for file in manifest["files"]:
        assert file["sha256"] == sha256(out / file["name"])
        assert file["bytes"] == (out / file["name"]).stat().st_size


def test_files_that_are_not_written_again_stay(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    (tmp_path / "tables" / "mine.txt").write_text("mine")
    with staged(tmp_path) as stage:
        fill(stage)
    found = contents(tmp_path)
    assert found["tables/mine.txt"] == "mine"
    assert found["report.html"] == "new"
    assert len(found) == 4


def refused(out: Path, **more: Any) -> str:
    """Return why results are not written; nothing in the folder has changed then."""
    before = contents(out)
    with pytest.raises(OutputError) as caught, staged(out, **more) as stage:
        fill(stage)
    assert contents(out) == before
    assert caught.value.exit_code == 6
    return caught.value.line()


def test_a_file_that_becalm_did_not_write_is_never_replaced(tmp_path: Path) -> None:
    """Without a manifest, with somebody else's manifest, and with one that does not list the file."""
    (tmp_path / "report.html").write_text("mine")
    said = f"{tmp_path / 'report.html'}: is there already, and becalm did not write it. Choose another place"
    assert refused(tmp_path).startswith(said)
    (tmp_path / MANIFEST).write_text('{"files": [{"name": "report.html", "sha256": "0"}]}')
    assert refused(tmp_path).startswith(f"{tmp_path / MANIFEST}: is there already")
    (tmp_path / MANIFEST).write_text('{"becalm": "0", "files": []}')
    assert refused(tmp_path).startswith(said)
    (tmp_path / MANIFEST).write_text("no json")
    assert refused(tmp_path).startswith(f"{tmp_path / MANIFEST}: is there already")


def test_a_result_that_was_changed_since_is_not_replaced(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    (tmp_path / "report.html").write_text("with my notes")
    assert "was changed since becalm wrote it" in refused(tmp_path)


def test_an_equal_file_and_an_own_one_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("new")
    with staged(tmp_path) as stage:
        fill(stage)
    (tmp_path / "peaks.csv").write_text("old")
    with staged(tmp_path, own=["peaks.csv"]) as stage:
        (stage / "peaks.csv").write_text("new")
    assert contents(tmp_path)["peaks.csv"] == "new"


def test_what_is_read_is_not_replaced_even_if_becalm_wrote_it(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    with pytest.raises(UsageError, match="is what is read"), staged(tmp_path, reads=[tmp_path]):
        pytest.fail("nothing may run before it is known that results can be written")
    said = refused(tmp_path, reads=[str(tmp_path / "tables" / "a.csv")])
    assert said.startswith(f"{tmp_path / 'tables' / 'a.csv'}: is read, and would be written over")


def test_what_is_expected_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(OutputError), staged(tmp_path, expected=["report.html"]):
        pytest.fail("not reached")


def test_a_run_that_was_cut_off_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old and new files without a manifest are still becalm's own."""
    fill(tmp_path, "old")

    def fail(source: Path, target: Path) -> None:
        if target.name == "a.csv":
            raise OSError(errno.EIO, "Input/output error")
        Path(source).rename(target)

    with monkeypatch.context() as patched:
        patched.setattr("becalm.core.staging.os.replace", fail)
        with pytest.raises(OutputError), staged(tmp_path) as stage:
            fill(stage, "new")
    with staged(tmp_path) as stage:
        fill(stage, "newer")
    found = contents(tmp_path)
    assert found.pop(MANIFEST)
    assert found == {"report.html": "newer", "tables/a.csv": "newer"}


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
    with pytest.raises(OutputError, match="cannot be written") as refused, staged(tmp_path / place):
        pytest.fail("nothing may run before it is known that results can be written")
    assert refused.value.exit_code == 6
    assert contents(tmp_path) == {"file": "mine"}


def test_a_folder_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not stop an administrator, so the refusal is played."""

    def refuse(**_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr("becalm.core.staging.tempfile.mkdtemp", refuse)
    with pytest.raises(OutputError, match=r"Permission denied.*--out"), staged(tmp_path / "out"):
        pytest.fail("not reached")
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_found_before_anything_moves(tmp_path: Path) -> None:
    """A folder named like a result: no file is replaced, and the old manifest still holds."""
    fill(tmp_path, "old")
    (tmp_path / "report.html").unlink()
    (tmp_path / "report.html").mkdir()
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="in the way"), staged(tmp_path) as stage:
        fill(stage)
    assert contents(tmp_path) == before


def test_the_manifest_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cut off while moving leaves no manifest to vouch for a mixture."""
    fill(tmp_path, "old")
    moved: list[str] = []

    def replace(source: Path, target: Path) -> None:
        moved.append(target.name)
        if len(moved) == 2:
            raise OSError(errno.EIO, "Input/output error")
        Path(source).rename(target)

    monkeypatch.setattr("becalm.core.staging.os.replace", replace)
    with pytest.raises(OutputError, match="Input/output error"), staged(tmp_path) as stage:
        fill(stage)
    assert moved == ["report.html", "a.csv"]
    assert not (tmp_path / MANIFEST).exists()


def test_a_full_disk_is_the_outputs_fault(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left"), staged(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_that_cannot_be_read_is_not_the_outputs_fault(tmp_path: Path) -> None:
    """The records may lie inside the folder that results are written to."""
    with pytest.raises(FileNotFoundError), staged(tmp_path / "out"):
        (tmp_path / "out" / "records.csv").read_text()
