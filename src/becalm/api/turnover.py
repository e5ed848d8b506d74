"""Writing the courses of the marker chain: the table, the figure, a manifest; and what the command prints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from becalm import __version__
from becalm.core.digits import fixed
from becalm.core.staging import staged, write_manifest
from becalm.core.text_table import text_table
from becalm.pk import NOT_ADVICE, FastFall, MarkerCourses
from becalm.report import turned_over
from becalm.tables import writing

KIND: Final = "courses of markers"
"""How the kind of what is written begins in its manifest."""
_SHOWN: Final = (24.0, 48.0, 72.0, 168.0)


def write(found: MarkerCourses, out: Path, reads: tuple[Path, ...] = ()) -> None:
    """Write the table (Parquet and CSV), the figure (SVG and PNG) and the manifest to a folder.

    Raises `OutputError` where something is in the way that becalm did not write.
    """
    with staged(out, KIND, reads=reads) as folder:
        (folder / "tables").mkdir()
        writing.write("simulated_markers", found.frame, folder / "tables")
        (folder / "figures").mkdir()
        figure = turned_over.figure(found)
        (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
        (folder / "figures" / f"{figure.name}.png").write_bytes(figure.png())
        facts = {
            "becalm": __version__,
            "kind": f"{KIND}: {NOT_ADVICE}",
            **found.settings,
            "remarks": list(found.remarks),
            "faster_than_breakdown": [_fall(each) for each in found.flagged],
        }
        write_manifest(folder, facts)


def lines(found: MarkerCourses) -> list[str]:
    """Return what the command prints."""
    hours = [hour for hour in _SHOWN if hour <= found.settings["hours"]]
    hours = hours or [max(found.frame["hours"].tolist())]
    cells = [
        [row["marker"], f"{row['hours']:g} h", *(_share(row[each]) for each in ("typical", "p05", "p50", "p95", "floor"))]
        for row in found.frame.rows()
        if row["hours"] in hours
    ]  # fmt: skip
    heads = ["% of the value before", "", "typical", "5 %", "median", "95 %", "production stopped"]
    drawn = found.settings["patients"]
    return [
        NOT_ADVICE,
        turned_over.NO_FORECAST,
        "",
        f"{found.model.title}; {found.regimen.text}",
        f"{drawn:,} virtual patients, seed {found.settings['seed']}" if drawn else "The typical patient alone",
        "",
        *text_table(heads, cells),
        *(["", *(f"FASTER THAN BREAKDOWN: {_fall(each)}" for each in found.flagged)] if found.flagged else []),
        "",
        "What to know:",
        *(f"  {each}" for each in found.remarks),
        "",
        NOT_ADVICE,
    ]  # fmt: skip


def _share(value: float) -> str:
    return "–" if math.isnan(value) else fixed(100 * value)


def _fall(fall: FastFall) -> str:
    return (
        f"{fall.marker} {fall.before:g} at {fall.begin:g} h, {fall.after:g} at {fall.end:g} h; with a half-life of {fall.half_life:g} h "
        f"at least {fall.least:.4g} is left. Think of another method or specimen, dilution, plasma exchange, another patient"
        + ("; of ferritin set free from tissue" if fall.marker == "ferritin" else "")
    )
