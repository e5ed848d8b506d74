"""Writing results so that no result is ever incomplete.

All files are written into a staging folder inside the output folder, and moved to their places when
all of them exist. `manifest.json`, with the hash of every file, is moved last. A file that the
manifest does not list is not a result.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from becalm.core import toml
from becalm.core.errors import OutputError

MANIFEST: Final = "manifest.json"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; its files move to `out` if nothing fails.

    Files that are already in `out` and are not written again are kept. After a failure
    `out` is as before; a folder that was made for the results is removed.
    """
    made = _missing_folders(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".becalm-", dir=out))
    except OSError as error:
        _remove(made)
        raise _refused(out, error) from error
    try:
        try:
            yield stage
        except OSError as error:
            if _is_about(error, stage):
                raise _refused(out, error) from error
            raise
        try:
            _move(stage, out)
        except OSError as error:
            raise _refused(out, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        _remove(made)


def _missing_folders(out: Path) -> list[Path]:
    """Return the folders that have to be made for `out`, innermost first."""
    return [folder for folder in (out, *out.parents) if not folder.exists()]


def _remove(made: list[Path]) -> None:
    """Remove the folders that were made for the results and are still empty."""
    for folder in made:
        with suppress(OSError):
            folder.rmdir()


def _is_about(error: OSError, stage: Path) -> bool:
    """Whether an error came from writing; an error from reading the records is not explained here."""
    names = (error.filename, error.filename2)
    inside = (Path(str(name)).is_relative_to(stage) for name in names if name is not None)
    return error.errno in _FULL or any(inside)


def _refused(out: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"cannot be written ({reason})", where=str(out), hint="Choose another place with --out"
    )


def _move(stage: Path, out: Path) -> None:
    """Move all files, the manifest last; all targets are checked before the first file moves."""
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    targets = {path: out / path.relative_to(stage) for path in files}
    for target in targets.values():
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder is in the way of a file", str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
    if stage / MANIFEST in targets:
        # Without a manifest nobody takes a mixture of old and new files for one result.
        (out / MANIFEST).unlink(missing_ok=True)
    for path in sorted(files, key=lambda path: path == stage / MANIFEST):
        os.replace(path, targets[path])  # noqa: PTH105 - replaces what is there, atomically


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
    text = msgspec.json.format(
        msgspec.json.encode({**facts, "files": files}, enc_hook=toml.as_written), indent=2
    )
    (stage / MANIFEST).write_bytes(text + b"\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
