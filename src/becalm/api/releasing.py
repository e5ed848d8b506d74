"""A release, or a paper, from a results folder: what may be published of a study that has been written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from becalm.api.write import AGGREGATES, write_release_of
from becalm.core.errors import OutputError, UnreadableFileError
from becalm.core.staging import MANIFEST, sha256, staged_once, staged_release
from becalm.records import StudyInfo


def check_kind(kind: str, info: StudyInfo) -> None:
    """Raise `RecordsError` where a case series is asked for and the study does not state what it needs."""
    from becalm.report.release.case_sheets import stated

    if kind != AGGREGATES:
        stated(info.cases)


def overlap(found: bytes, persons: list[str], kind: str, previous: Path | None) -> tuple[str, ...]:
    """Return what must be known of an earlier release before this one is published.

    found : the file `release.json`. previous : the manifest of an earlier results folder, or of a release.
    """
    from becalm.report.release.aggregates import FILE, decoded
    from becalm.report.release.case_sheets import case_sheets, not_named
    from becalm.report.release.overlap import earlier, warnings
    from becalm.report.release.rules import DisclosureRules
    from becalm.report.release.sheets import sheets

    made, rules = decoded(found, FILE), DisclosureRules.default()
    told: list[str] = []
    if kind == AGGREGATES:
        given = sheets(made, rules)
    else:
        given = case_sheets(made.series)
        if words := not_named(made.series):
            told.append(
                "not named, because case_series_words of study.toml does not allow them: "
                + "; ".join(words)
            )
    if previous is not None:
        told += [
            f"warning: {line}"
            for line in warnings(persons, given, earlier(previous), rules.threshold)
        ]
    return tuple(told)


def release(
    results: Path,
    out: Path,
    kind: str = AGGREGATES,
    previous: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Make a release from a results folder that `becalm study` wrote.

    Raises
    ------
    UnreadableFileError
        Where the folder is no results folder, or was changed since it was written.
    RecordsError
        Where a case series is asked for and the study does not state what it needs.
    OutputError
        Where the release cannot be written, or something is in the way.
    """
    from becalm.report.release.aggregates import FILE, decoded
    from becalm.report.release.overlap import persons_of

    data = checked(results, FILE)
    for line in overlap(data, persons_of(results), kind, previous):
        progress(line)
    with staged_release(out, apart_from=[results]) as stage:
        write_release_of(decoded(data, str(results / FILE)), stage, kind)


def write_paper(results: Path, out: Path, kind: str) -> None:
    """Write a paper of a study into a folder that is new or empty: the authors go on with its files.

    kind : aggregates (suppressed as in a release), case-series (single patients, where the study states what it
    needs) or internal (nothing suppressed, not for release).

    Raises
    ------
    MissingExtraError
        Where python-docx is not installed.
    UnreadableFileError
        Where the folder is no results folder, or was changed since it was written.
    RecordsError
        Where single patients are asked for and the study does not state what it needs.
    OutputError
        Where something is in the way.
    """
    from becalm.report.paper.content import paper
    from becalm.report.paper.word import require_word
    from becalm.report.paper.writing import write
    from becalm.report.release.aggregates import FILE, decoded

    require_word()
    found = decoded(checked(results, FILE), str(results / FILE))
    content = paper(found, kind)
    with staged_once(out) as stage:
        write(content, stage)


def checked(results: Path, name: str) -> bytes:
    """Return a file of a results folder, if it is as it was written."""
    hint = "Name the folder that becalm study wrote, with this version"
    try:
        facts = msgspec.json.decode((results / MANIFEST).read_bytes())
        listed = {each["name"]: each["sha256"] for each in facts["files"]}
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise UnreadableFileError(
            f"is not a results folder ({error})", where=str(results), hint=hint
        ) from error
    for needed in (name, "tables/persons.csv"):
        if needed not in listed:
            raise UnreadableFileError(f"has no file {needed}", where=str(results), hint=hint)
        path = results / needed
        if not path.is_file() or sha256(path) != listed[needed]:
            raise OutputError(
                "was changed since becalm wrote it",
                where=str(path),
                hint="Run becalm study again",
            )
    return (results / name).read_bytes()
