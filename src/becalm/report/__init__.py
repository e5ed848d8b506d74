"""The report: an internal page with patients in it, and a release with none.

`write_report` writes `report.html` and `figures/`; `write_release` writes suppressed aggregates only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from becalm.report.disclosure import THRESHOLD

if TYPE_CHECKING:
    from becalm.study.result import StudyResult

__all__ = ["write_release", "write_report"]

# The rest is imported where it is used: the process that only makes pixels needs none of it.


def write_report(result: StudyResult, folder: Path) -> list[Path]:
    """Write `report.html` and every figure as SVG and PNG into an existing folder."""
    from becalm.report import page
    from becalm.report.cohort import Cohort
    from becalm.report.figures import draw_all
    from becalm.report.render import pixels, require_drawing

    require_drawing()
    cohort = Cohort(result)
    html, drawings = folder / "report.html", folder / "figures"
    drawings.mkdir(exist_ok=True)
    written = [html]
    with pixels() as beside:
        figures = draw_all(cohort, beside.add)
        html.write_text(page.render(cohort, figures), encoding="utf-8")
        for figure, png in beside.all(list(figures.values())):
            vector, raster = drawings / f"{figure.name}.svg", drawings / f"{figure.name}.png"
            vector.write_text(figure.svg, encoding="utf-8")
            raster.write_bytes(png)
            written += [vector, raster]
    return written


def write_release(result: StudyResult, folder: Path, threshold: int = THRESHOLD) -> list[Path]:
    """Write suppressed aggregates into an existing folder: `release.html`, and a CSV a table.

    No person, row, date or example leaves; counts of 1 to `threshold` - 1 persons, and those from
    which they could be worked out, are suppressed. Another threshold than the default is recorded.
    """
    from becalm.report import release
    from becalm.report.cohort import Cohort

    cohort = Cohort(result)
    given = release.sheets(cohort, threshold)
    html = folder / "release.html"
    html.write_text(release.render(cohort, given, threshold), encoding="utf-8")
    written = [html]
    for sheet in given:
        path = folder / f"{sheet.name}.csv"
        path.write_text(sheet.csv(), encoding="utf-8")
        written.append(path)
    return written
