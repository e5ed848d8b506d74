"""A paper from a results folder: draft, tables, figures and checklists."""

from __future__ import annotations

from pathlib import Path

from becalm.api.releasing import checked
from becalm.core.staging import staged_once


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
