"""Writing results so that no result is ever incomplete, and nothing of anybody else is written over.

All files are written into a stage, a folder inside the output folder, and moved to their places when all of them
exist. `manifest.json`, with the hash of every file, is moved last. A file that the manifest does not list is not a
result. What stood there before is replaced as a whole if becalm wrote it and nobody changed it since (`placement`);
a failure or a stop leaves it as it was (`moving`).
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from becalm.core import stopping, toml
from becalm.core.errors import OutputError, UsageError
from becalm.core.moving import StagingFolder, publish, recover
from becalm.core.placement import MANIFEST, Place, alone, apart, own_files, same, sha256

__all__ = ["MANIFEST", "Place", "apart", "own_files", "same", "sha256"]

INTERNAL: Final = "internal"
RELEASE: Final = "for release"
_AT_ONCE: Final = 2
"""Files that are hashed at a time."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def check(out: Path, kind: str = INTERNAL, *, beside: Sequence[str] = ()) -> None:
    """Raise `OutputError` if `out` has something that becalm did not write; for commands that write twice."""
    with stopping.Hold(), _explained(out):
        recover(out)
    own_files(Place(out, kind, beside=tuple(beside)), ())


@contextmanager
def staged(
    out: Path,
    kind: str = INTERNAL,
    *,
    reads: Collection[str | Path] = (),
    beside: Sequence[str] = (),
) -> Iterator[Path]:
    """Yield an empty folder to write into; its files move to the folder `out` if nothing fails.

    kind : how the `kind` in the manifest begins; results of another kind are not replaced. reads : files and
    folders that are read; more may be added to it until the end. beside : names that a new folder may have.

    Raises `UsageError` if `out` is what is read, and `OutputError` if it has something that becalm did not write.
    """
    with together([Place(out, kind, beside=tuple(beside))], reads) as stages:
        yield stages[0]


@contextmanager
def staged_with_release(
    out: Path,
    release: Path | None,
    *,
    reads: Collection[str | Path] = (),
    beside: Sequence[str] = (),
) -> Iterator[tuple[Path, Path | None]]:
    """Yield a folder for patient data, and one for what may be published, if it is asked for.

    Both move into their places together, the release last, or neither does. Raises as `staged` does, also
    where the release would be inside, around or equal to the records or to `out`.
    """
    places = [Place(out, INTERNAL, beside=tuple(beside))]
    if release is not None:
        if same(release, out):
            raise UsageError(
                f"--release and --out are both {out}",
                hint="Patient data and the release need two folders",
            )
        apart(release, reads)
        alone(release, [out, *(each for each in reads if Path(each).exists())])
        places.append(Place(release, RELEASE, public=True))
    with together(places, reads) as stages:
        yield stages[0], stages[1] if release is not None else None


@contextmanager
def staged_release(release: Path, *, apart_from: Collection[str | Path]) -> Iterator[Path]:
    """Yield a folder for a release alone; it is apart from the folders of `apart_from`."""
    alone(release, apart_from)
    with together([Place(release, RELEASE, public=True)], apart_from) as stages:
        yield stages[0]


@contextmanager
def staged_once(out: Path) -> Iterator[Path]:
    """Yield a folder for files that the user changes afterwards: `out` is new or empty, and gets no manifest."""
    with together([Place(out)], ()) as stages:
        yield stages[0]


@contextmanager
def staged_file(
    out: Path,
    kind: str = "",
    *,
    facts: Mapping[str, Any] | None = None,
    reads: Collection[str | Path] = (),
) -> Iterator[Path]:
    """Yield the path of a file to write; it moves to `out` if nothing fails.

    kind : a file of this kind is replaced if its own manifest, `NAME.manifest.json` beside it, shows that becalm
    wrote it and that nobody changed it since. facts : what the manifest says besides. Without a kind the file has
    no manifest and is never replaced.
    """
    place = Place(out.parent, kind, out.name)
    with together([place], reads) as stages:
        yield stages[0] / out.name
        if kind:
            write_manifest(stages[0], {**(facts or {})}, place.manifest)


@contextmanager
def together(places: Sequence[Place], reads: Collection[str | Path]) -> Iterator[list[Path]]:
    """Yield a folder to write into for each place; all of them move in their order, or none does."""
    for place in places:
        if not place.file:
            apart(place.root, reads)
    with stopping.Hold() as hold:
        stages: list[StagingFolder] = []
        try:
            for place in places:
                with _explained(place.shown):
                    stages.append(StagingFolder(place, reads))
            for one in places[1:]:
                # Now both are there, so that other spellings and mounts of one folder are seen.
                alone(one.root, [places[0].root])
            hold.release()
            try:
                yield [stage.new for stage in stages]
            except OSError as error:
                about = next((each for each in stages if _is_about(error, each.new)), None)
                if about is None:
                    raise
                raise _refused(about.place.shown, error) from error
            stopping.check()
            hold.hold()
            with _explained(places[-1].shown):
                publish(stages, lambda: stopping.wrote(place.shown for place in places))
        finally:
            hold.hold()
            for stage in stages:
                stage.close()


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refused(out, error) from error


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


def write_manifest(stage: Path, facts: Mapping[str, Any], name: str = MANIFEST) -> None:
    """Write a manifest: the run's facts and the size and hash of every file staged so far."""
    paths = sorted(path for path in stage.rglob("*") if path.is_file())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        files = [
            {
                "name": path.relative_to(stage).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": sha,
            }
            for path, sha in zip(paths, pool.map(sha256, paths), strict=True)
        ]
    text = msgspec.json.format(
        msgspec.json.encode({**facts, "files": files}, enc_hook=toml.as_written), indent=2
    )
    (stage / name).write_bytes(text + b"\n")
