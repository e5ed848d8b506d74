"""Where results may be written: a place that is new, empty or becalm's own, and nothing that is read.

Files and folders are compared by device and inode, so that links, other spellings and a file system that
does not tell capitals apart change nothing; what does not exist yet is compared by its resolved path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from becalm.core.errors import OutputError, UnreadableFileError, UsageError

MANIFEST: Final = "manifest.json"
STAGE: Final = ".becalm-stage"
"""Name of the folder that a run writes in, inside the folder of its results."""
_OF_THE_DESKTOP: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_ANOTHER_PLACE: Final = "Choose another place, or move it away if it is not needed"


@dataclass(frozen=True)
class Place:
    """Where results go: a folder as a whole, or one file in a folder.

    root : the folder. kind : how the `kind` of its manifest begins; '' for what is never replaced and has no
    manifest. file : the name of the one file. public : a release, which stands alone in its folder.
    beside : names in a new folder that are expected there.
    """

    root: Path
    kind: str = ""
    file: str = ""
    public: bool = False
    beside: tuple[str, ...] = ()

    @property
    def manifest(self) -> str:
        """The name of the file that lists the others."""
        return f"{self.file}.{MANIFEST}" if self.file else MANIFEST

    @property
    def stage(self) -> Path:
        """The folder that a run writes in."""
        return self.root / (f"{STAGE}-{self.file}" if self.file else STAGE)

    @property
    def shown(self) -> Path:
        """What the user named."""
        return self.root / self.file


def apart(out: Path, reads: Iterable[str | Path]) -> None:
    """Raise `UsageError` if results would be written to a folder, or a file, that is read.

    Raises `UnreadableFileError` for a link in a circle where something is read.
    """
    for each in reads:
        try:
            Path(each).resolve()
        except (OSError, RuntimeError) as error:
            raise UnreadableFileError(
                "is a link in a circle: it leads to no file",
                where=str(each),
                hint="Check the path",
            ) from error
        if same(out, Path(each)):
            raise UsageError(
                f"{out} is what is read, and the results would be written there",
                hint="Choose another place for the results",
            )


def alone(release: Path, others: Iterable[str | Path]) -> None:
    """Raise `UsageError` if a release would be inside, around or equal to patient data."""
    for other in map(Path, others):
        if within(release, other):
            where = "is" if within(other, release) else "is inside"
        elif within(other, release):
            where = "is around"
        else:
            continue
        raise UsageError(
            f"the folder for release, {release}, {where} {other}, where patient data are",
            hint="Choose a folder for release that is apart from all others",
        )


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of what a path leads to; None if nothing is there."""
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return None
    return seen.st_dev, seen.st_ino


def same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file or folder, or would do so."""
    known = identity(one), identity(other)
    return _resolved(one) == _resolved(other) or (known[0] is not None and known[0] == known[1])


def within(inner: Path, outer: Path) -> bool:
    """Return whether a path is a folder or lies in it, through links of either."""
    folder, known = _resolved(outer), identity(outer)
    path = _resolved(inner)
    return any(
        each == folder or (known is not None and identity(each) == known)
        for each in (path, *path.parents)
    )


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(
            "cannot be followed: its links lead in a circle", where=str(path)
        ) from error


def is_there(path: Path) -> bool:
    """Return whether a name is taken, also by a link that leads nowhere."""
    return os.path.lexists(path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_files(place: Place, reads: Iterable[str | Path], *, begun: bool = False) -> dict[str, str]:
    """Return name and hash of becalm's own files that are in a place, its manifest among them.

    begun : the run holds the place already, so what appeared there since is left alone; beside a release only
    what a desktop makes by itself is.
    Raises `OutputError`, with the file, where anything else is in the way: a file that becalm did not write, one
    that was changed since, one that is read, or results of another kind.
    """
    own = _own_file(place, reads) if place.file else _own_folder(place, begun)
    if own:
        _not_read(place, own, reads)
    return own


def _own_folder(place: Place, begun: bool) -> dict[str, str]:
    root = place.root
    passed = _OF_THE_DESKTOP if begun or not place.public else frozenset()
    if is_there(root) and not root.is_dir():
        raise OutputError(
            "cannot be written (there is no folder of this name, but a file or a link)",
            where=str(root),
            hint="Choose another place with --out",
        )
    listed = _listed(place) if place.kind else None
    if listed is None:
        for path in sorted(root.iterdir()) if root.is_dir() else []:
            expected = path.name in passed or path.name in place.beside
            if not expected and not path.name.startswith(STAGE) and (place.public or not begun):
                raise _not_ours(path)
        return {}
    own = {name: sha for name, sha in listed.items() if _is_unchanged(root, name, sha)}
    if place.public:
        for name in _all_below(root):
            if name not in own and name.split("/")[0] != STAGE and name not in passed:
                raise _not_ours(root / name)
    return own


def _own_file(place: Place, reads: Iterable[str | Path]) -> dict[str, str]:
    target = place.shown
    _not_read(place, {place.file: ""}, reads)
    if target.is_dir():
        raise OutputError("is a folder, and a file would be written there", where=str(target))
    listed = _listed(place) if place.kind else None
    for name in (place.file, place.manifest) if place.kind else (place.file,):
        if is_there(place.root / name) and name not in (listed or {}):
            raise _not_ours(place.root / name)
    return {n: sha for n, sha in (listed or {}).items() if _is_unchanged(place.root, n, sha)}


def _listed(place: Place) -> dict[str, str] | None:
    """Return the files that a manifest of becalm lists, and the manifest; None if there is none."""
    file = place.root / place.manifest
    if not file.is_file() or file.is_symlink():
        return None
    try:
        content = file.read_bytes()
        facts = msgspec.json.decode(content)
        listed = {each["name"]: each["sha256"] for each in facts["files"]}
        ours = bool(facts["becalm"]) and all(map(is_inside, listed))
        kind = str(facts["kind"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return None
    if not ours or (place.file and set(listed) != {place.file}):
        return None
    if not kind.startswith(place.kind):
        raise OutputError(
            f"holds what becalm calls {kind!r}, and {place.kind!r} would be written there",
            where=str(place.shown),
            hint="Choose another place",
        )
    return {**listed, place.manifest: hashlib.sha256(content).hexdigest()}


def is_inside(name: Any) -> bool:
    """Return whether a listed name leads to a file below the manifest's folder, and nowhere else."""
    path = PurePosixPath(name)
    parts = path.parts
    plain = name == path.as_posix() and "\\" not in name and "\0" not in name
    return plain and bool(parts) and not path.is_absolute() and ".." not in parts


def _is_unchanged(root: Path, name: str, sha: str) -> bool:
    """Return whether a listed file is there; raises `OutputError` if it is not what becalm wrote."""
    path = root / name
    if not is_there(path):
        return False
    linked = any(each.is_symlink() for each in (path, *_folders_of(root, name)))
    if linked or not path.is_file() or sha256(path) != sha:
        raise OutputError("was changed since becalm wrote it", where=str(path), hint=_ANOTHER_PLACE)
    return True


def free(place: Place, names: Iterable[str], own: dict[str, str]) -> None:
    """Raise `OutputError` for a name that would be written where something else is."""
    for name in names:
        target = place.root / name
        if name not in own and is_there(target):
            if target.is_dir() and not target.is_symlink():
                raise OutputError("a folder is in the way of a file", where=str(target))
            raise _not_ours(target)
        for folder in _folders_of(place.root, name):
            if folder.is_symlink() or (is_there(folder) and not folder.is_dir()):
                raise OutputError(
                    "is in the way of a folder for results", where=str(folder), hint=_ANOTHER_PLACE
                )


def _folders_of(root: Path, name: str) -> list[Path]:
    """Return the folders between a folder and a file in it, the outermost first."""
    return [root / each for each in list(PurePosixPath(name).parents)[-2::-1]]


def _not_read(place: Place, names: Iterable[str], reads: Iterable[str | Path]) -> None:
    """Raise `OutputError` for the first file in a place that is read."""
    targets = [place.root / name for name in names]
    there = {known: target for target in targets if (known := identity(target)) is not None}
    for read in map(Path, reads):
        if not place.file and read.is_dir() and within(read, place.root):
            found = next((each for each in there.values() if within(each, read)), None)
        else:
            found = there.get(identity(read) or (-1, -1))
        if found is not None:
            raise OutputError(
                "is read, and would be written over", where=str(found), hint=_ANOTHER_PLACE
            )


def _all_below(root: Path) -> Iterator[str]:
    """Yield the name of everything in a folder but its folders; links are not followed."""
    for here, inside, files in os.walk(root):
        links = [name for name in inside if (Path(here) / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield (Path(here) / name).relative_to(root).as_posix()


def _not_ours(path: Path) -> OutputError:
    return OutputError(
        "is there already, and becalm did not write it", where=str(path), hint=_ANOTHER_PLACE
    )
