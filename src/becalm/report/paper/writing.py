"""The files of a paper: the draft, tables, figures, checklists, and its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from becalm.core.spreadsheets import csv_text
from becalm.report.paper import figures, latex
from becalm.report.paper.checklists import COLUMNS, MARK, FilledChecklist, filled
from becalm.report.paper.content import INTERNAL, REVIEW, PaperContent, matrix
from becalm.report.paper.fields import Text, labels_of
from becalm.report.paper.figures import PaperFigure
from becalm.report.paper.word import WordDocument
from becalm.report.release.results import results
from becalm.report.release.sheets import COUNTED, ReleaseSheet

DRAFT: Final = "draft.docx"
SUPPLEMENT: Final = frozenset({"items"})
"""Tables that are too long for the text."""
TO_WRITE: Final = "[Authors: write this part.]"
DECLARATIONS: Final = "[Authors: state ethics approval and consent, funding, interests, roles, and how data can be asked for.]"
JUDGED: Final = (
    "What counts as judged is the consensus of the reviewers, or the answer that all of them gave; where they differ it stays “cannot tell”. "
    "Agreement is the share of the same answers with its exact interval, and Cohen’s kappa, in which “cannot tell” is an answer like the others. "
    "Definitions are compared with the judgement over those judged yes or no; those in whom a definition is undetermined are apart. "
    "Where patients entered the study by a definition, its measures over them say nothing of others. "
    "No judgement changed a computed result. "
)
REVIEWERS: Final = "[Authors: state who the reviewers were, whom they judged and why these patients, what they saw, and from what they were blinded.]"
NO_TEST: Final = "The patients were not randomised; no p-value is given."


def write(paper: PaperContent, folder: Path) -> None:
    """Write all files of a paper into an empty folder."""
    drawn = folder / "figures"
    drawn.mkdir()
    given = figures.figures(paper)
    for figure in given:
        list(figures.write(figure, drawn))
    _draft(paper, given, drawn).save(folder / DRAFT)
    _tables(paper, folder)
    _checklists(paper, folder)
    (folder / "fields.csv").write_text(paper.fields.csv(), encoding="utf-8")
    data = results(paper.tables)
    (folder / f"{data.name}.csv").write_text(data.csv(), encoding="utf-8")


def _draft(paper: PaperContent, given: Sequence[PaperFigure], drawn: Path) -> WordDocument:
    """Return the draft: its sections in the order of a case series."""
    found = paper.found
    title = found.title if "case series" in found.title else f"{found.title}: a case series"
    document = WordDocument(title, paper.banner)
    document.heading(title, 0)
    for name in ("Abstract", "Introduction"):
        document.heading(name)
        document.paragraph(TO_WRITE)
    document.heading("Methods")
    for name, text in _methods(paper):
        document.heading(name, 2)
        document.paragraph(text)
    document.heading("Results")
    number = 0
    for section in paper.results:
        document.heading(section.title, 2)
        for paragraph in section.paragraphs:
            document.paragraph(paragraph)
        for sheet in section.tables:
            if sheet.name not in SUPPLEMENT:
                number += 1
                document.table(f"Table {number}. {sheet.title}", *_matrix(paper, sheet))
    document.heading("Figures")
    for i, figure in enumerate(given, start=1):
        text = f"Figure {i}. {figure.title}. {figure.caption}"
        document.picture(drawn / f"{figure.name}_180mm.png", 180, text)
    document.heading("Discussion")
    document.paragraph(TO_WRITE)
    document.heading("Limits of the data", 2)
    for words in _limits(paper):
        document.paragraph(words)
    document.heading("Declarations")
    for name, words in paper.statement.lines() if paper.statement else []:
        document.paragraph(f"{name}: {words}")
    document.paragraph(DECLARATIONS)
    document.heading("References")
    for reference in found.references:
        doi = f" doi:{reference.doi}" if reference.doi else ""
        unchecked = "" if reference.checked else " (reference unverified)"
        document.paragraph(f"{reference.text}{doi}{unchecked}", "List Number")
    return document


def _methods(paper: PaperContent) -> Iterator[tuple[str, Text]]:
    """Yield the parts of the methods; what only the authors know is asked for."""
    found, fields = paper.found, paper.fields
    yield (
        "Design",
        [
            f"Retrospective case series by the protocol {found.protocol}. ",
            "[Authors: state setting, centre, dates of recruitment, whether patients are consecutive, and the registration.]",
        ],
    )
    text = f"Records were read as {found.source} by becalm {found.becalm}, which also judged them by the rules below."
    yield "Data", fields.text(text, ("methods", "data", "words"))
    yield from paper.methods
    if any(section.title == REVIEW for section in paper.results):
        yield REVIEW, [JUDGED, REVIEWERS]
    if paper.kind != INTERNAL:
        yield "Disclosure control", [_disclosure(paper)]


def _disclosure(paper: PaperContent) -> str:
    if paper.statement is not None:
        return "Single patients are printed under the statement in the declarations: without ids, dates and places."
    return (
        "Counts of few patients, and those from which they could be calculated, are suppressed; all others are rounded, "
        "and shares and intervals are calculated from the rounded counts."
    )


def _limits(paper: PaperContent) -> Iterator[Text]:
    """Yield what limits the results, as far as the run knows it."""
    yield [NO_TEST]
    yield ["Unknown is never counted as no: shares are of those of whom it is known, and the others are counted beside them."]  # fmt: skip
    if paper.kind == INTERNAL:
        refused = (
            f"{paper.found.rows_refused:,} rows of the records were not used, each with its reason."
        )
        yield paper.fields.text(refused, ("records", "rows not used", "rows"))
    for i, words in enumerate(paper.found.unverified):
        yield [
            "Not verified against its source: ",
            *paper.fields.text(words, ("unverified", str(i), "words")),
            ".",
        ]


def _matrix(
    paper: PaperContent, sheet: ReleaseSheet
) -> tuple[list[str], list[list[Text]], list[int]]:
    """Return a table as it is printed, with wider columns for the words that name its lines."""
    head, rows = matrix(paper.fields, sheet)
    labels = labels_of(sheet) if len(head) == len(sheet.head) else 1
    wide = 5 if tuple(sheet.head[-len(COUNTED) :]) == COUNTED else 3
    return head, rows, [wide if i < labels else 2 for i in range(len(head))]


def _tables(paper: PaperContent, folder: Path) -> None:
    """Write every table as CSV and for LaTeX, and all of them as one Word document."""
    inside = folder / "tables"
    inside.mkdir()
    document = WordDocument(f"{paper.found.title}: tables", paper.banner)
    for i, sheet in enumerate(paper.tables, start=1):
        head, rows, shares = _matrix(paper, sheet)
        document.table(f"Table {i}. {sheet.title}", head, rows, shares)
        tex = latex.table(sheet.title, sheet.name, head, rows, shares, banner=paper.banner)
        (inside / f"{sheet.name}.tex").write_text(tex, encoding="utf-8")
        (inside / f"{sheet.name}.csv").write_text(sheet.csv(), encoding="utf-8")
    document.save(folder / "tables.docx")


def _checklists(paper: PaperContent, folder: Path) -> None:
    given: list[FilledChecklist] = filled(paper)
    document = WordDocument("Checklists", paper.banner)
    for each in given:
        document.heading(each.title)
        marked = f" {MARK}: nobody has compared this number with the paper."
        document.paragraph(
            f"The items are in our words; the paper has the wording that counts: doi:{each.source}. {each.note}"
            + marked * any(row[0].endswith(MARK) for row in each.rows),
            leads=True,
        )
        cells: list[list[Text]] = [[[cell] for cell in row] for row in each.rows]
        document.table(f"{each.title}: items", COLUMNS, cells, (2, 3, 6, 5, 5))
        path = folder / f"checklist_{each.name}.csv"
        path.write_text(csv_text(COLUMNS, each.rows), encoding="utf-8")
    document.save(folder / "checklists.docx")
