"""Writing results so that nothing is ever half-written.

Everything is written into a staging folder beside its place, and moved there file by file when all
of it exists; `manifest.json`, with every file's hash, comes last. What the manifest does not list is
not a result.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from becalm.errors import OutputError

MANIFEST = "manifest.json"


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; what is in it moves to `out` if nothing fails.

    Files that are already in `out` and are not written again stay as they are.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".becalm-", dir=out))
    except OSError as error:
        raise _refused(out, error) from error
    try:
        yield stage
        _move(stage, out)
    except OSError as error:
        raise _refused(out, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _refused(out: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"cannot be written ({reason})", where=str(out), hint="Choose another folder with --out"
    )


def _move(stage: Path, out: Path) -> None:
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        target = out / path.relative_to(stage)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105 - replaces what is there, atomically


def write_manifest(stage: Path, facts: Mapping[str, Any]) -> None:
    """Write `manifest.json`: the run's facts and the size and hash of every file staged so far."""
    files = [
        {
            "name": path.relative_to(stage).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": sha256(path),
        }
        for path in sorted(stage.rglob("*"))
        if path.is_file()
    ]
    text = msgspec.json.format(msgspec.json.encode({**facts, "files": files}), indent=2)
    (stage / MANIFEST).write_bytes(text + b"\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_file(path: Path, text: str) -> None:
    """Write one text file by rename, so that a reader sees the old one or the new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".becalm-", delete=False
        ) as file:
            file.write(text)
        Path(file.name).replace(path)
    except OSError as error:
        raise _refused(path, error) from error
