"""Writing results so that no result is ever incomplete.

All files are written into a staging folder inside the output folder, and moved to their places when
all of them exist. `manifest.json`, with the hash of every file, is moved last. A file that the
manifest does not list is not a result.

A file that is in the way is only replaced if the manifest there lists it and it has not changed since.
So no records, and no file of somebody else, are ever written over.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from becalm.core import toml
from becalm.core.errors import OutputError, UsageError

MANIFEST: Final = "manifest.json"
_UNFINISHED: Final = ".becalm-unfinished"
"""Names of the files of a run that was cut off while they were moved; the next run may replace them."""
_ANOTHER_PLACE: Final = "Choose another place, or move it away if it is not needed"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def apart(out: Path, reads: Iterable[str | Path]) -> None:
    """Raise `UsageError` if results would be written to a folder, or a file, that is read."""
    for each in reads:
        if out.resolve() == Path(each).resolve():
            raise UsageError(
                f"{out} is what is read, and the results would be written there",
                hint="Choose another place for the results",
            )


@contextmanager
def staged(
    out: Path,
    *,
    reads: Collection[str | Path] = (),
    expected: Iterable[str] = (),
    own: Collection[str] = (),
) -> Iterator[Path]:
    """Yield an empty folder to write into; its files move to `out` if nothing fails.

    Files that are already in `out` and are not written again are kept. After a failure
    `out` is as before; a folder that was made for the results is removed.

    reads : files and folders that are read: `out` is none of them, and no file of them is replaced.
    expected : some names that will be written: if one is in the way, that is told before the work begins.
    own : names that may be replaced although no manifest lists them.

    Raises `OutputError` if a file is in the way that becalm did not write, or that was changed since.
    """
    apart(out, reads)
    _may_be_replaced(out, dict.fromkeys(expected), reads, own)
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
            _move(stage, out, reads, own)
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


def _may_be_replaced(
    out: Path,
    files: Mapping[str, Path | None],
    reads: Collection[str | Path],
    own: Collection[str],
) -> None:
    """Raise `OutputError` for the first file in the way that is not replaced.

    files : names, each with the new file if it exists already; an equal file may be replaced.
    """
    read = {Path(each).resolve() for each in reads}
    listed: dict[str, str] | None = None
    for name, new in files.items():
        target = out / name
        if not target.is_file():
            continue
        if listed is None:
            listed = _written_before(out)
        if target.resolve() in read:
            what = "is read, and would be written over"
        elif name in own or (new is not None and sha256(target) == sha256(new)):
            continue
        elif name not in listed:
            what = "is there already, and becalm did not write it"
        elif listed[name] and sha256(target) != listed[name]:
            what = "was changed since becalm wrote it"
        else:
            continue
        raise OutputError(what, where=str(target), hint=_ANOTHER_PLACE)


def _written_before(out: Path) -> dict[str, str]:
    """Return the hash of every file that becalm wrote into a folder; '' where it is not known."""
    written: dict[str, str] = {}
    with suppress(OSError, UnicodeDecodeError):
        names = (out / _UNFINISHED).read_text(encoding="utf-8").splitlines()
        written = dict.fromkeys(names, "")
    with suppress(OSError, msgspec.DecodeError):
        facts = msgspec.json.decode((out / MANIFEST).read_bytes())
        if isinstance(facts, dict) and "becalm" in facts and isinstance(facts.get("files"), list):
            written |= {file["name"]: file["sha256"] for file in facts["files"]}
            written[MANIFEST] = ""
    return written


def _move(stage: Path, out: Path, reads: Collection[str | Path], own: Collection[str]) -> None:
    """Move all files, the manifest last; all targets are checked before the first file moves."""
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    targets = {path: out / path.relative_to(stage) for path in files}
    for target in targets.values():
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder is in the way of a file", str(target))
    names = {path.relative_to(stage).as_posix(): path for path in files}
    _may_be_replaced(out, names, reads, own)
    for target in targets.values():
        target.parent.mkdir(parents=True, exist_ok=True)
    if stage / MANIFEST in targets:
        written = dict.fromkeys([*_written_before(out), *names])
        (out / _UNFINISHED).write_text("\n".join(written), encoding="utf-8")
        # Without a manifest nobody takes a mixture of old and new files for one result.
        (out / MANIFEST).unlink(missing_ok=True)
    for path in sorted(files, key=lambda path: path == stage / MANIFEST):
        os.replace(path, targets[path])  # noqa: PTH105 - replaces what is there, atomically
    (out / _UNFINISHED).unlink(missing_ok=True)


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
