"""Moving finished results into their places so that a stop at any moment can be undone.

A stage is a folder beside the results: `new/` holds what was written, `old/` what is replaced, `plan.json` what is
about to move. All is checked and flushed to disk before the first move. Manifests leave first and come last, so no
manifest ever lists a mixture; the last file of the last place commits all of them. A failure before it moves
everything back, and so does the next run if the process was killed.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from becalm.core.errors import OutputError, UsageError
from becalm.core.locks import LOCK, Lock, lock
from becalm.core.placement import STAGE, Place, free, is_inside, is_there, own_files, sha256

_AT_ONCE: Final = 4
"""Files that are flushed or hashed at a time: the disk and the processor wait for each other."""
_PLAN: Final = "plan.json"
_READABLE_BY: Final = {"owner": 0o600, "group": 0o640}
READABLE_BY: Final = "BECALM_READABLE_BY"
"""Environment variable: who may read results besides their owner, `owner` (nobody) or `group`."""
_NO_FLUSH: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})


class Plan(msgspec.Struct, forbid_unknown_fields=True):
    """What moves. new, old : names with hashes, in their order. made : folders that are made for them.

    commit, sha256 : once this file is there with this hash, all moves are done.
    """

    new: dict[str, str]
    old: dict[str, str]
    made: list[str]
    commit: str
    sha256: str


class StagingFolder:
    """A place with its lock and the folder that its results are written in."""

    def __init__(self, place: Place, reads: Iterable[str | Path]) -> None:
        """Lock a place and check it; raises `OutputError`, and then leaves nothing."""
        self.place, self._reads = place, reads
        self.stuck = False  # moves could be neither finished nor undone: the next run tries again
        _file_mode()
        recover(place.root)
        if is_there(place.stage):  # it is not of a dead run
            raise self._busy()
        own_files(place, reads)
        self._made = [each for each in (place.root, *place.root.parents) if not is_there(each)]
        self._lock: Lock | None = None
        try:
            place.root.mkdir(parents=True, exist_ok=True)
            for folder in self._made if not place.public else ():
                _set_mode(folder, _folder_mode())
            self._lock = lock(place.stage)
            if self._lock is None:
                raise self._busy()
            own_files(place, reads)
            self.new.mkdir()
        except BaseException:
            self.close()
            raise

    def _busy(self) -> OutputError:
        return OutputError(
            "another run of becalm is writing there",
            where=str(self.place.shown),
            hint=f"Wait until it has ended; if none is left, remove {self.place.stage}",
        )

    @property
    def new(self) -> Path:
        """The folder to write into."""
        return self.place.stage / "new"

    def close(self) -> None:
        """Remove the stage, and the folders that were made for results and are still empty."""
        if self._lock is not None:
            if self.stuck:
                self._lock.leave()
            else:
                _clear(self.place.stage)
                self._lock.remove()
            self._lock = None
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()

    def names(self) -> list[str]:
        """Return the names of the written files, the manifest last."""
        written = (path.relative_to(self.new).as_posix() for path in _files(self.new))
        return sorted(written, key=lambda name: (name == self.place.manifest, name))

    def ready(self) -> dict[str, str]:
        """Check every name, set who may read, flush to disk; return the written names with hashes."""
        place, names = self.place, self.names()
        if not names or (place.kind and names[-1] != place.manifest):
            raise ValueError(f"{place.shown}: nothing was written, or no manifest")
        free(place, names, own_files(place, self._reads, begun=True))
        if not place.public:
            for path in self.new.rglob("*"):
                _set_mode(path, _folder_mode() if path.is_dir() else _file_mode())
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for paths in (_files(self.new), _folders(self.new)):
                list(pool.map(_flush, paths))
            return dict(
                zip(names, pool.map(sha256, (self.new / name for name in names)), strict=True)
            )


def publish(stages: Sequence[StagingFolder], committed: Callable[[], None]) -> None:
    """Move the results of all stages into their places, all or none.

    Raises `OSError`, or `OutputError` for what is in the way; then every place is as before.
    """
    written = [stage.ready() for stage in stages]
    last, names = stages[-1], list(written[-1])
    commit, sha = last.place.root.resolve() / names[-1], written[-1][names[-1]]
    plans = []
    for stage, new in zip(stages, written, strict=True):
        root = stage.place.root
        folders = dict.fromkeys(
            str(each) for name in new for each in list(PurePosixPath(name).parents)[-2::-1]
        )
        made = [each for each in folders if not is_there(root / each)]
        own = own_files(stage.place, (), begun=True)
        old = dict(sorted(own.items(), key=lambda each: each[0] != stage.place.manifest))
        plans.append(Plan(new, old, made, str(commit), sha))
        (stage.place.stage / _PLAN).write_bytes(msgspec.json.encode(plans[-1]))
        _flush(stage.place.stage / _PLAN)
        _flush(stage.place.stage)
    together = list(zip(stages, plans, strict=True))
    try:
        for manifests in (True, False):
            for stage, plan in reversed(together):  # first the manifest that would commit
                _set_aside(stage.place, plan, manifests)
        for stage, plan in together:
            _put(stage.place, plan)
    except BaseException:
        for stage in stages:
            stage.stuck = True
        for stage, plan in reversed(together):
            _undo(stage.place.root, stage.place.stage, plan)
            stage.stuck = False
        raise
    for stage in stages:
        with suppress(OSError):
            (stage.place.stage / _PLAN).unlink()  # nothing is left to be undone
    committed()
    for stage, plan in together:
        _remove_empty(stage.place.root, plan.old)


def _set_aside(place: Place, plan: Plan, manifests: bool) -> None:
    for name in plan.old:
        if (name == place.manifest) == manifests:
            _move(place.root / name, place.stage / "old" / name)
    _flush(place.root)


def _put(place: Place, plan: Plan) -> None:
    for made in plan.made:
        (place.root / made).mkdir()
        mode = (place.stage / "new" / made).stat().st_mode
        kept = (place.root / made).stat().st_mode & stat.S_ISGID
        _set_mode(place.root / made, stat.S_IMODE(mode) | kept)
    *names, last = plan.new
    for name in names:
        _move(place.stage / "new" / name, place.root / name)
    for folder in {(place.root / name).parent for name in names}:
        _flush(folder)
    _move(place.stage / "new" / last, place.root / last)
    _flush(place.root)


def _move(source: Path, target: Path) -> None:
    """Move a file to a free name of the same file system."""
    if is_there(target):
        raise FileExistsError(errno.EEXIST, "a file appeared while results were moved", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def recover(root: Path) -> None:
    """Undo in a folder what dead runs left half-done, and remove their stages."""
    for left in sorted(root.glob(f"{STAGE}*")) if root.is_dir() else []:
        _recover(left)


def _recover(left: Path) -> None:
    """Finish or undo the moves of a run that is dead, and remove its stage."""
    try:
        held = lock(left, make=False)
    except OSError:
        return
    if held is None:
        if not (left / LOCK).exists():
            with suppress(OSError):
                left.rmdir()  # it was killed before it could do anything
        return
    try:
        if (plan := _plan_of(left)) is not None:
            if _is_done(plan):
                _remove_empty(left.parent, plan.old)
            else:
                _undo(left.parent, left, plan)
        _clear(left)
    except BaseException:
        held.leave()
        raise
    held.remove()


def _plan_of(stage: Path) -> Plan | None:
    try:
        plan = msgspec.json.decode((stage / _PLAN).read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError):
        return None
    return plan if all(map(is_inside, (*plan.new, *plan.old, *plan.made))) else None


def _is_done(plan: Plan) -> bool:
    try:
        return sha256(Path(plan.commit)) == plan.sha256
    except OSError:
        return False


def _undo(root: Path, stage: Path, plan: Plan) -> None:
    """Move everything back; raises `OutputError` where somebody changed a file meanwhile."""
    for name in reversed(plan.new):
        if not is_there(stage / "new" / name) and is_there(root / name):
            if sha256(root / name) != plan.new[name]:
                raise OutputError(
                    "was changed after a run of becalm was cut off",
                    where=str(root / name),
                    hint="Move it away, and run again",
                )
            (root / name).rename(stage / "new" / name)
    for folder in reversed(plan.made):
        with suppress(OSError):
            (root / folder).rmdir()
    for name in reversed(plan.old):
        if is_there(stage / "old" / name):
            _move(stage / "old" / name, root / name)
    _flush(root)


def _remove_empty(root: Path, names: Iterable[str]) -> None:
    """Remove the folders in which nothing is left of the replaced results."""
    folders = {str(each) for name in names for each in list(PurePosixPath(name).parents)[:-1]}
    for folder in sorted(folders, key=len, reverse=True):
        with suppress(OSError):
            (root / folder).rmdir()


def _clear(stage: Path) -> None:
    with suppress(OSError):
        (stage / _PLAN).unlink(missing_ok=True)
        for each in stage.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            elif each.name != LOCK:
                each.unlink()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _folders(folder: Path) -> list[Path]:
    return [folder, *(path for path in folder.rglob("*") if path.is_dir())]


def _flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def _set_mode(path: Path, mode: int) -> None:
    """Set who may read; some file systems (FAT) cannot."""
    with suppress(PermissionError):
        path.chmod(mode)


def _file_mode() -> int:
    by = os.environ.get(READABLE_BY, "owner")
    if by not in _READABLE_BY:
        raise UsageError(f"{READABLE_BY} is {by!r}", hint="It is owner or group")
    return _READABLE_BY[by]


def _folder_mode() -> int:
    mode = _file_mode()
    return mode | (mode & 0o444) >> 2
