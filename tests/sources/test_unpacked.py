"""A compressed CSV file may not unpack to more than is read as a whole; it is unpacked no further."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from becalm.core.errors import UnreadableFileError
from becalm.records import files

MOST = 1 << 20


@pytest.mark.parametrize(("extra", "read"), [(-1, True), (0, True), (1, False)])
def test_what_unpacks_to_more_than_the_limit_is_not_read(
    extra: int, read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_TEXT", MOST)
    file = tmp_path / "labs.csv.gz"
    file.write_bytes(gzip.compress(b"x" * (MOST + extra)))
    if read:
        assert len(files.read_text(file)) == MOST + extra
        return
    with pytest.raises(UnreadableFileError, match="the unpacked file is larger than 1 MiB"):
        files.read_text(file)
