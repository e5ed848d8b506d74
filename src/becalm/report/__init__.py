"""The report: an internal page with patients in it, and a release with none.

`write_report` writes `report.html` and `figures/` and gives every number of the page as data, which
`analysis_results` gives alone; `write_aggregates` writes the exact aggregates beside them, from
which `write_release` makes suppressed ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from becalm.core.beside import Beside
    from becalm.core.frame import Frame
    from becalm.report.release.aggregates import Aggregates
    from becalm.report.release.rules import DisclosureRules
    from becalm.report.release.sheets import ReleaseSheet
    from becalm.study.result import StudyResult

__all__ = [
    "WrittenReport",
    "analysis_results",
    "chart",
    "labels",
    "levels_drawn",
    "occupied",
    "page",
    "page_table",
    "paper",
    "release",
    "simulated",
    "text",
    "theme",
    "turned_over",
    "vega",
    "write_aggregates",
    "write_case_series",
    "write_release",
    "write_report",
]

# The rest is imported where it is used: the process that only makes pixels needs none of it.


@dataclass(frozen=True)
class WrittenReport:
    """The files of a report, and every number that its page prints."""

    files: list[Path]
    results: Frame


def analysis_results(result: StudyResult) -> Frame:
    """Return every number that the report of a study prints, without drawing or writing anything."""
    from becalm.report import page
    from becalm.report.cohort import cohort_of

    return page.printout(cohort_of(result), {}).results


def write_report(result: StudyResult, folder: Path, other: Beside | None = None) -> WrittenReport:
    """Write `report.html` and every figure as SVG and PNG into an existing folder.

    other : a process beside this one that draws too.
    """
    from becalm.core.beside import Waiting, beside
    from becalm.report import page
    from becalm.report.cohort import cohort_of
    from becalm.report.drawing import require_drawing
    from becalm.report.figures import draw_and_paint_all

    require_drawing()
    cohort = cohort_of(result)
    html, drawings = folder / "report.html", folder / "figures"
    drawings.mkdir(exist_ok=True)
    written = [html]
    with ExitStack() as stack:
        waiting = stack.enter_context(closing(Waiting(other or stack.enter_context(beside()))))
        figures = draw_and_paint_all(cohort, waiting)
    printed = page.printout(cohort, figures)
    html.write_text(printed.html, encoding="utf-8")
    for figure in figures.values():
        vector, raster = drawings / f"{figure.name}.svg", drawings / f"{figure.name}.png"
        vector.write_text(figure.svg, encoding="utf-8")
        raster.write_bytes(figure.png())
        written += [vector, raster]
    return WrittenReport(written, printed.results)


def write_aggregates(result: StudyResult, folder: Path) -> Path:
    """Write `release.json` into an existing folder: what a release is made of, exact and internal."""
    from becalm.report.release import aggregates

    path = folder / aggregates.FILE
    path.write_bytes(aggregates.encoded(aggregates.aggregates_of(result)))
    return path


def write_release(
    found: Aggregates, folder: Path, rules: DisclosureRules | None = None
) -> list[Path]:
    """Write suppressed aggregates into an existing folder: `release.html`, a CSV a table, and `analysis_results.csv`.

    No person, row, date or example leaves. Counts of persons below a threshold, and those from which they could
    be worked out, are suppressed; all others are rounded. Other rules than the default are recorded.
    """
    from becalm.report.release import page
    from becalm.report.release.rules import DisclosureRules
    from becalm.report.release.sheets import sheets

    rules = rules or DisclosureRules.default()
    given = sheets(found, rules)
    return _pages(folder, "release.html", page.render(found, given, rules), given)


def write_case_series(found: Aggregates, folder: Path) -> list[Path]:
    """Write single patients into an existing folder: `case_series.html`, a CSV a table, and `analysis_results.csv`.

    Raises `RecordsError` where the study does not state consent or its waiver, ethics and who decided.
    """
    from becalm.report.release import case_sheets

    given = case_sheets.case_sheets(found.series)
    html = case_sheets.render(found, found.series, given)
    return _pages(folder, "case_series.html", html, given)


def _pages(folder: Path, name: str, html: str, given: Iterable[ReleaseSheet]) -> list[Path]:
    from becalm.report.release.results import results

    page = folder / name
    page.write_text(html, encoding="utf-8")
    written = [page]
    sheets = list(given)
    for sheet in [*sheets, results(sheets)]:
        path = folder / f"{sheet.name}.csv"
        path.write_text(sheet.csv(), encoding="utf-8")
        written.append(path)
    return written
