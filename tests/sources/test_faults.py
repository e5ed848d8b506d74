"""Files that are damaged, changed, mistaken or too large for the disk: said in one line each.

A gzip's own checksum is compared for every file that is read, in all commands; where the release
prints SHA-256 of its files, these are. A plain file that nobody listed, cut exactly between two
rows, cannot be told from a whole one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from becalm.core import scratch
from becalm.core.database import connect
from becalm.core.errors import BecalmError, OutputError, RecordsError, UnreadableFileError
from becalm.records import InputFile, Records, duck, open_records
from becalm.records.files import input_file, published, stamp, unchanged
from becalm.records.mimic4 import open_mimic4
from tests.records.mimic_files import mimic_folder

LAB = {
    "labevent_id": 1, "subject_id": 2, "itemid": 50924, "charttime": "2150-01-01 10:00:00",
    "value": "812", "valuenum": "812", "valueuom": "ng/mL",
}  # fmt: skip
ROWS = [{**LAB, "labevent_id": i} for i in range(1, 400)]


def folder(root: Path) -> Path:
    return mimic_folder(root, {"hosp/labevents": ROWS})


def labs(root: Path) -> Path:
    return root / "hosp" / "labevents.csv.gz"


def plain_labs(root: Path) -> bytes:
    """Unpack the laboratory table, leave it out, and return its bytes."""
    content = gzip.decompress(labs(root).read_bytes())
    labs(root).unlink()
    return content


def said(root: Path) -> BecalmError:
    """Read everything, and return what is wrong."""
    with pytest.raises(BecalmError) as caught:
        for _ in open_mimic4(root).chunks():
            pass
    assert "\n" not in caught.value.line()
    return caught.value


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    labs(folder(tmp_path)).unlink()
    labs(tmp_path).mkdir()
    error = said(tmp_path)
    assert isinstance(error, UnreadableFileError)
    assert error.line() == "hosp/labevents.csv.gz: is a folder, not a file"


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    labs(folder(tmp_path)).unlink()
    labs(tmp_path).symlink_to(tmp_path / "gone")
    assert "hosp/labevents.csv.gz: is a link to a file that does not exist" in said(tmp_path).line()


def test_a_plain_file_cut_within_a_row(tmp_path: Path) -> None:
    content = plain_labs(folder(tmp_path))
    (tmp_path / "hosp" / "labevents.csv").write_bytes(content[: len(content) // 2 + 3])
    error = said(tmp_path)
    assert isinstance(error, UnreadableFileError)
    row = content[: len(content) // 2 + 3].count(b"\n") + 1
    assert f"labevents.csv, row {row}: " in error.line()


def test_another_encoding(tmp_path: Path) -> None:
    content = plain_labs(folder(tmp_path))
    at = content.index(b"ng/mL", len(content) // 2)
    (tmp_path / "hosp" / "labevents.csv").write_bytes(
        content[:at] + "µg/L".encode("latin-1") + content[at + 5 :]
    )
    error = said(tmp_path)
    assert isinstance(error, UnreadableFileError)
    row = content[:at].count(b"\n") + 1
    assert f"labevents.csv, row {row}: this is not UTF-8" in error.line()


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_a_gzip_cut_short(tmp_path: Path, keep: float) -> None:
    packed = labs(folder(tmp_path)).read_bytes()
    labs(tmp_path).write_bytes(packed[: int(len(packed) * keep)])
    error = said(tmp_path)
    assert isinstance(error, UnreadableFileError)
    assert "labevents.csv.gz" in error.line()


def stored(content: bytes) -> bytearray:
    """Pack without compressing, so that a byte of the content can be changed in place."""
    packer = zlib.compressobj(0, zlib.DEFLATED, 31)
    return bytearray(packer.compress(content) + packer.flush())


def test_a_damaged_gzip_that_can_still_be_read(tmp_path: Path) -> None:
    """One number is another than was packed, and only the checksum in the file knows."""
    packed = stored(gzip.decompress(labs(folder(tmp_path)).read_bytes()))
    packed[packed.index(b"812,812,") + 4] = ord("9")
    labs(tmp_path).write_bytes(packed)
    values = [v for c in without_checks(tmp_path) for v in c.measurements["value"].tolist()]
    assert 912 in values
    error = said(tmp_path)
    assert isinstance(error, UnreadableFileError)
    assert error.line().startswith("hosp/labevents.csv.gz: the compressed file is damaged")


def without_checks(root: Path) -> Iterator[Records]:
    return open_mimic4(root)._chunks()


@pytest.mark.parametrize("at", [-8, -1])
def test_a_checksum_or_a_length_that_does_not_fit(tmp_path: Path, at: int) -> None:
    packed = bytearray(labs(folder(tmp_path)).read_bytes())
    packed[at] ^= 1
    labs(tmp_path).write_bytes(packed)
    assert "damaged or incomplete" in said(tmp_path).line()


def test_several_members_and_padding_are_one_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"a\n", mtime=0) + gzip.compress(b"1\n", mtime=0) + b"\0" * 9)
    assert input_file(file).bytes == file.stat().st_size


def test_a_published_hash_is_trusted_and_another_refused(tmp_path: Path) -> None:
    root = folder(tmp_path)
    sums = "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{file.relative_to(root)}\n"
        for file in sorted(root.rglob("*.gz"))
    )
    (root / "SHA256SUMS.txt").write_text(sums)
    assert len(published(root)) > 10
    assert list(open_mimic4(root).chunks())
    shorter = gzip.decompress(labs(root).read_bytes()).splitlines(keepends=True)[:-7]
    labs(root).write_bytes(gzip.compress(b"".join(shorter), mtime=0))
    error = said(root)
    assert isinstance(error, UnreadableFileError)
    assert "hosp/labevents.csv.gz: is not the file that SHA256SUMS.txt lists" in error.line()


def test_a_renamed_column_and_another_table_are_records_not_understood(tmp_path: Path) -> None:
    content = gzip.decompress(labs(folder(tmp_path)).read_bytes())
    labs(tmp_path).write_bytes(gzip.compress(content.replace(b"itemid", b"item_id", 1), mtime=0))
    error = said(tmp_path)
    assert isinstance(error, RecordsError)
    assert error.line() == (
        "hosp/labevents.csv.gz, row 1: has no column 'itemid'. Did you mean 'item_id'?"
    )


@pytest.mark.parametrize("how", ["written to", "replaced", "removed"])
def test_a_file_that_changes_during_the_run(tmp_path: Path, how: str) -> None:
    source = open_mimic4(folder(tmp_path), chunk_rows=1)
    file = labs(tmp_path)
    content = file.read_bytes()
    chunks = source.chunks()
    next(chunks)
    if how == "written to":
        os.utime(file, ns=(0, 0))
    else:
        file.unlink()
    if how == "replaced":
        file.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        list(chunks)
    assert "labevents.csv.gz: " in caught.value.line()
    if how != "removed":
        assert "changed while it was being read" in caught.value.line()


def test_a_file_that_changes_after_it_was_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    before = [stamp(file)]
    unchanged(before, tmp_path)
    file.write_text("a\n1\n2\n")
    with pytest.raises(UnreadableFileError, match=r"^a\.csv: changed while it was being read"):
        unchanged(before, tmp_path)


SPILLS = "SELECT i, md5(i::VARCHAR) AS t FROM range(3000000) r(i) ORDER BY hash(i)"


def test_a_limit_to_what_may_be_spilt() -> None:
    con = connect("60MB", settings={"max_temp_directory_size": "'8MB'"})
    with pytest.raises(OutputError, match="disk is full while sorting"):
        for _ in duck.stream(con, SPILLS):
            pass
    con.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB, where one may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_while_spilling(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    con = connect("60MB")
    with pytest.raises(OutputError) as caught:
        for _ in duck.stream(con, SPILLS):
            pass
    con.close()
    assert caught.value.exit_code == 6
    assert str(small_disk) in caught.value.line()
    scratch.remove()
    assert not list(small_disk.iterdir())


def test_sheets_that_change_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "persons.csv"
    file.write_text("person_id,sex\n1,F\n")

    def meanwhile(path: Path, root: Path | None = None) -> InputFile:
        file.write_text("person_id,sex\n1,F\n2,M\n")
        return input_file(path, root)

    monkeypatch.setattr("becalm.records.sheets.source.input_file", meanwhile)
    with pytest.raises(UnreadableFileError, match=r"persons\.csv: changed while"):
        open_records(str(tmp_path))
