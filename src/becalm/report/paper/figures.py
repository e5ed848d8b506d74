"""The figures of a paper, drawn for the two widths of a journal's columns, each with the data it shows.

They are made from what the tables of the paper print, and the timelines of the cases: nothing else is known here.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import vl_convert

from becalm.core.spreadsheets import csv_text
from becalm.report.paper.content import AGGREGATES, PaperContent
from becalm.report.printed import found_in
from becalm.report.release.case_sheets import in_order
from becalm.report.release.cases import Case, course_heads
from becalm.report.release.sheets import COUNTED, HIDDEN, ReleaseSheet
from becalm.report.theme import BLACK, BLUE, GREY, OKABE_ITO, PALE, VERMILION, draw
from becalm.report.vega import Spec, category, flat, mark, quantity, values

WIDTHS_MM: Final = (85, 180)
"""One column, and the whole width of a page."""
PIXELS_PER_MM: Final = 96 / 25.4
POINTS_PER_INCH: Final = 600
"""The resolution of PNG, for line drawings."""
LETTER, LINE = 6.0, 12
"""How wide a letter of the words of a lane is, and how high a line."""
LANE: Final = 30
DAYS: Final = (-1, 30)
MOST_SHARES: Final = 24
SHARES: Final = ("case_series_summary", "primary", "outcome", "landmark", "safety")
EVENTS: Final = ("single dose", "infection", "discharged", "died", "still followed")
SHAPES: Final = ("triangle-down", "circle", "diamond", "cross", "triangle-right")
COLOURS: Final = (BLUE, VERMILION, GREY, BLACK, GREY)


@dataclass(frozen=True)
class PaperFigure:
    """A figure: its file name, title and caption, the rows it shows, and its drawing for a width in pixels."""

    name: str
    title: str
    caption: str
    rows: Sequence[Mapping[str, Any]]
    spec: Callable[[float], Spec]

    def svg(self, width_mm: float) -> str:
        """Return the drawing with exactly this width."""
        return scaled(draw(self.spec(width_mm * PIXELS_PER_MM)), width_mm, "mm")

    def csv(self) -> str:
        """Return what the figure shows."""
        heads = list(dict.fromkeys(name for row in self.rows for name in row))
        return csv_text(heads, [[row.get(name, "") for name in heads] for row in self.rows])


def scaled(svg: str, width: float, unit: str) -> str:
    """Return a drawing with another width; its height follows."""
    sizes = re.findall(r'(?:width|height)="([\d.]+)(?:mm)?"', svg)[:2]
    wide, high = map(float, sizes)
    size = f'width="{width:g}{unit}" height="{high * width / wide:.2f}{unit}"'
    return re.sub(r'width="[\d.]+(?:mm)?" height="[\d.]+(?:mm)?"', size, svg, count=1)


def write(figure: PaperFigure, folder: Path) -> Iterator[Path]:
    """Write a figure as SVG, PNG and PDF in both widths, and its data; yield the files."""
    for width in WIDTHS_MM:
        svg = figure.svg(width)
        path = folder / f"{figure.name}_{width}mm"
        path.with_suffix(".svg").write_text(svg, encoding="utf-8")
        png = vl_convert.svg_to_png(svg, scale=72 / 96, ppi=POINTS_PER_INCH)
        path.with_suffix(".png").write_bytes(png)
        points = scaled(svg, width * 72 / 25.4, "")  # the page of a PDF counts one point a pixel
        path.with_suffix(".pdf").write_bytes(vl_convert.svg_to_pdf(points))
        yield from (path.with_suffix(f".{form}") for form in ("svg", "png", "pdf"))
    data = folder / f"{figure.name}.csv"
    data.write_text(figure.csv(), encoding="utf-8")
    yield data


def figures(paper: PaperContent) -> list[PaperFigure]:
    """Return the figures for which a paper has something to show."""
    tables = {sheet.name: sheet for sheet in paper.tables}
    found = [_flow(tables["attrition"])] if "attrition" in tables else []
    unknown = {(group.about, label) for group in paper.found.groups for label in group.unknown}
    found += _shares([tables[name] for name in SHARES if name in tables], unknown)
    if paper.kind != AGGREGATES:
        cases = in_order(paper.found.series.cases)
        found += [*_timeline(cases, paper.found.series.drug), *_course(cases)]
    return found


def _flow(sheet: ReleaseSheet) -> PaperFigure:
    rows = [
        {"order": i, "step": reason, "persons": int(n) if n != HIDDEN else None,
         "label": f"{n if n == HIDDEN else f'{int(n):,}'}  {reason}"}
        for i, (reason, n) in enumerate(sheet.rows)
    ]  # fmt: skip

    def spec(width: float) -> Spec:
        y = {"field": "order", "type": "ordinal", "axis": None}
        return _lanes(width, rows, [
            mark("bar", {"y": y, "x": quantity("persons", title="persons who remain")}, color=BLUE, height=8, yOffset=6),
            _words(y),
        ])  # fmt: skip

    return PaperFigure(
        "flow", "Flow of participants", "Persons who remain after each step.", rows, spec
    )


def _shares(given: Sequence[ReleaseSheet], unknown: Set[tuple[str, str]]) -> list[PaperFigure]:
    """Return the shares of those of whom it is known, each with its interval."""
    found = [
        {"table": sheet.name, "result": f"{row[1]}; {row[0]}", **dict(zip(COUNTED, row[2:], strict=True))}
        for sheet in given
        for row in sheet.rows
        if not {HIDDEN, ""} & set(row) and (row[0], row[1]) not in unknown
    ]  # fmt: skip
    rows = [
        {**row, "order": i, "label": f"{row['count']}/{row['n']}  {row['result']}",
         **{f"{name}_number": _number(row[name]) for name in ("percent", "low95", "high95")}}
        for i, row in enumerate(found[:MOST_SHARES])
    ]  # fmt: skip
    if not rows:
        return []

    def spec(width: float) -> Spec:
        y = {"field": "order", "type": "ordinal", "axis": None}
        x = quantity("percent_number", title="% (exact 95 % interval)", scale=flat(0, 100))
        ends = {"y": y, "x": {**x, "field": "low95_number"}, "x2": {"field": "high95_number"}}
        return _lanes(width, rows, [
            mark("rule", ends, color=GREY, strokeWidth=1.5, yOffset=7),
            mark("point", {"y": y, "x": x}, filled=True, color=BLUE, size=45, opacity=1, yOffset=7),
            _words(y),
        ])  # fmt: skip

    caption = "Point: share of those of whom it is known; line: exact 95 % interval."
    return [PaperFigure("shares", "Results as shares of the patients", caption, rows, spec)]


def _lanes(width: float, rows: Sequence[Mapping[str, Any]], layers: Sequence[Spec]) -> Spec:
    """Return a drawing with words above each mark, which leaves the whole width to both; long words take two lines."""
    lines = [textwrap.wrap(row["label"], int(width / LETTER)) for row in rows]
    most = max(map(len, lines), default=1)
    told = [
        {**row, "label": "\n".join(each), "above": -6 - LINE * (len(each) - 1)}
        for row, each in zip(rows, lines, strict=True)
    ]
    return {
        "data": values(told), "width": width, "height": (LANE + LINE * (most - 1)) * len(rows),
        "autosize": {"type": "fit-x", "contains": "padding"}, "layer": list(layers),
    }  # fmt: skip


def _words(y: Spec) -> Spec:
    """Return the words above a mark, at the left edge."""
    text = {"y": y, "text": category("label")}
    return mark(
        "text", text, x=0, align="left", dy={"expr": "datum.above"}, lineBreak="\n", lineHeight=LINE
    )


def _number(text: str) -> float:
    return found_in(text)[0].value


def _timeline(cases: Sequence[tuple[str, Case]], drug: str) -> list[PaperFigure]:
    """Return the course of each patient in time: the drug, infections, discharge and death."""
    rows = [
        {"patient": name, "what": each.what, "start_day": each.start, "end_day": each.end}
        for name, case in cases
        for each in case.timeline
    ]
    if not rows:
        return []
    shown = list(_inside(rows))

    def spec(width: float) -> Spec:
        y = category("patient", title=None, sort=[name for name, _ in cases])
        x = quantity("start_day", title="days from time zero", scale=flat(*DAYS))
        key = {"orient": "bottom", "title": None, "columns": 3 if width < 400 else 5}
        events = {"scale": {"domain": EVENTS, "range": SHAPES}, "legend": key}
        colour = {"scale": {"domain": EVENTS, "range": COLOURS}, "legend": key}
        return {
            "data": values(shown), "width": width, "height": 24 * len(cases) + 10,
            "autosize": {"type": "fit-x", "contains": "padding"},
            "layer": [
                mark("rule", {"y": y, "x": x, "x2": {"field": "end_day"}}, where="datum.what == 'line'", color=PALE, strokeWidth=2),
                mark("bar", {"y": y, "x": x, "x2": {"field": "end_day"}}, where="datum.what == 'infusion'", color=BLUE, opacity=0.45, height=9),
                mark("point", {"y": y, "x": x, "shape": {"field": "what", "type": "nominal", **events},
                               "color": {"field": "what", "type": "nominal", **colour}},
                     where="datum.what != 'infusion' && datum.what != 'line'", filled=True, size=46, opacity=1),
            ],
        }  # fmt: skip

    bars = f"Bar: infusion of {drug}. " if drug else ""
    caption = (
        f"{bars}Grey line: time in which the patient was followed. Events after day {DAYS[1]} are not drawn; "
        "the file with the data has them."
    )
    return [PaperFigure("timeline", "Timeline of each patient", caption, rows, spec)]


def _inside(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what lies within the days that are drawn; a patient who is followed longer has a mark at the edge."""
    first, last = DAYS
    for row in rows:
        start, end = row["start_day"], row["end_day"]
        if row["what"] == "followed":
            yield {**row, "what": "line", "start_day": 0, "end_day": min(end, last)}
            if end > last:
                yield {**row, "what": "still followed", "start_day": last, "end_day": last}
        elif start <= last and end >= first:
            yield {**row, "start_day": max(start, first), "end_day": min(end, last)}


def _course(cases: Sequence[tuple[str, Case]]) -> list[PaperFigure]:
    """Return the values of each variable from time zero on, one line a patient."""
    heads = course_heads()
    rows = [
        {"patient": name, "variable": row.variable, "at": at, "printed": text, "value": _number(text)}
        for name, case in cases
        for row in case.course
        for at, text in zip(heads, row.values, strict=True)
        if found_in(text) and _number(text) > 0
    ]  # fmt: skip
    if not rows:
        return []
    names = list(dict.fromkeys(row["variable"] for row in rows))

    def spec(width: float) -> Spec:
        columns = 2 if width < 400 else 4
        each = (width - 12) / columns - 52
        x = {
            "field": "at",
            "type": "ordinal",
            "title": None,
            "sort": heads,
            "axis": {"labelAngle": -45},
        }
        y = quantity(
            "value",
            title=None,
            scale={"type": "log", "nice": False},
            axis={"tickCount": 3, "format": ",~r"},
        )
        key = {"orient": "bottom", "title": None, "columns": columns + 1}
        known = [name for name, _ in cases]
        colours = [OKABE_ITO[i % len(OKABE_ITO)] for i in range(len(known))]
        colour = category("patient", scale={"domain": known, "range": colours}, legend=key)
        shape = category("patient", scale={"domain": known}, legend=key)
        line = {"x": x, "y": y}
        return {
            "data": values(rows), "columns": columns, "spacing": 10,
            "facet": category("variable", title=None, sort=names),
            "spec": {"width": each, "height": 90, "encoding": {"color": colour, "shape": shape}, "layer": [
                mark("line", line, strokeWidth=1.2), mark("point", line, filled=True, size=22, opacity=1),
            ]},
            "resolve": {"scale": {"y": "independent"}},
        }  # fmt: skip

    caption = (
        "Logarithmic axes. A value that the laboratory gave as a limit only is drawn at the limit."
    )
    return [PaperFigure("course", "Values from time zero on", caption, rows, spec)]
