"""The results of a release as data: each printed number of its tables is a row, suppressed ones too.

The rows are made from the tables as they are printed, after suppression and rounding, so they tell no more than these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from becalm.report.printed import VALUE, found_in
from becalm.report.release.sheets import COUNTED, HIDDEN, SPREAD, ReleaseSheet
from becalm.report.results import CONTEXTS, LABELS, PlaceOnPage
from becalm.tables import ANALYSIS_RESULTS

COLUMNS: Final = tuple(
    name
    for name in ANALYSIS_RESULTS
    if name not in {"printed_order", "patients", "source_row"}
)  # fmt: skip
"""Those of `analysis_results` that lead to no row and no patient."""
STATISTICS: Final = {
    "count": "n", "n": "N", "percent": "p", "low95": "conf.low", "high95": "conf.high",
    "persons": "n", "median": "median", "quartile1": "p25", "quartile3": "p75",
}  # fmt: skip
"""What a column of a release is, as the package cards in R names it."""
PERCENT: Final = frozenset({"percent", "low95", "high95"})
QUARTILES: Final = {"p25": "first quartile", "p75": "third quartile"}


def results(given: Iterable[ReleaseSheet]) -> ReleaseSheet:
    """Return every printed number of some tables of a release as a table of its own."""
    rows = [row for sheet in given for row in _rows(sheet)]
    return ReleaseSheet(ANALYSIS_RESULTS.name, ANALYSIS_RESULTS.meaning, COLUMNS, rows)


def _rows(sheet: ReleaseSheet) -> Iterator[list[str]]:
    counted = tuple(sheet.head[-len(COUNTED) :]) == COUNTED
    if counted or tuple(sheet.head) == SPREAD or tuple(sheet.head) == ("step", "persons"):
        for row in sheet.rows:
            yield from _aggregate(sheet, row)
    else:
        for row in sheet.rows:
            yield from _case(sheet, row)


def _aggregate(sheet: ReleaseSheet, row: Sequence[str]) -> Iterator[list[str]]:
    """Yield the numbers of a line of counts or of a spread; its first columns say what it is about."""
    cells = dict(zip(sheet.head, row, strict=True))
    words = [text for name, text in cells.items() if name not in STATISTICS]
    about = PlaceOnPage(sheet.name, sheet.title, words[0], "; ".join(words[1:]))
    n = cells.get("n", "")
    for head, text in cells.items():
        if head not in STATISTICS:
            continue
        name = STATISTICS[head] if not (head == "n" and "median" in cells) else "N_nonmiss"
        yield _row(about, name, (_value(text, head), text), n)


def _case(sheet: ReleaseSheet, row: Sequence[str]) -> Iterator[list[str]]:
    """Yield the numbers of a line of one patient, or of another thing, whose name is in the first column."""
    group = sheet.head[0].capitalize()
    n = "1" if group == "Patient" else ""
    labels = 2 if "variable" in sheet.head else 1
    for head, text in list(zip(sheet.head, row, strict=True))[labels:]:
        variable, level = (row[1], head) if labels > 1 else (head, "")
        about = PlaceOnPage(sheet.name, sheet.title, variable, level, group, row[0])
        for i, each in enumerate(found_in(text)):
            name = VALUE if not i else f"{VALUE}_{i + 1}"
            yield _row(about, name, (repr(each.value), text[each.start : each.end]), n)


def _row(about: PlaceOnPage, name: str, number: tuple[str, str], n: str) -> list[str]:
    """Return one row; `number` is the value and what is printed of it."""
    label = LABELS.get(name) or QUARTILES.get(name) or about.level or about.variable
    context = "continuous" if name in QUARTILES else CONTEXTS.get(name, VALUE)
    return [
        about.section, about.place, about.group, about.group_level, about.variable, about.level,
        context, name, label, *number, n if n != HIDDEN else "",
    ]  # fmt: skip


def _value(text: str, head: str) -> str:
    """Return a printed number, a percentage as a fraction; nothing where it is suppressed or only a limit."""
    if text == HIDDEN or not text or text[0] in "<>":
        return ""
    return repr(float(text.replace(",", "")) / 100) if head in PERCENT else text.replace(",", "")
