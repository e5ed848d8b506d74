"""The results of a study as data: every number that the page prints, and the page made from them.

A section hands over texts and tables. Here each of their numbers becomes one row of `analysis_results`, and
the text is put together again from the words and the rows' `fmt`. No number of a result reaches the page in
another way, so the page and the table cannot differ.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Final

from markupsafe import Markup, escape

from becalm.core.frame import Frame
from becalm.report.drill import Drill, Opened
from becalm.report.labels import heading
from becalm.report.page_table import PageTable
from becalm.report.printed import VALUE, Statistic, found_in, statistics_of, without_numbers
from becalm.report.section import Section
from becalm.tables import ANALYSIS_RESULTS

KEY: Final = "key"
KEY_RESULTS: Final = "key results"
TEXT: Final = "text"
NOTE: Final = "note"
PATIENT: Final = ("Patient", "Person")
"""Heads of the first column of tables with one patient a line."""
LABELS: Final = {
    "n": "n", "N": "N", "p": "%", "N_miss": "not known", "N_nonmiss": "known",
    "conf.low": "95 % interval, lower limit", "conf.high": "95 % interval, upper limit",
    "median": "median", "min": "minimum", "max": "maximum", "mean": "mean", "estimate": "estimate",
    "low": "lowest possible", "high": "highest possible", VALUE: "value",
    "p05": "a twentieth of virtual patients lies below", "p95": "a twentieth of virtual patients lies above",
}  # fmt: skip
CONTEXTS: Final = {
    **dict.fromkeys(("n", "N", "p", "N_miss"), "categorical"),
    **dict.fromkeys(("conf.low", "conf.high"), "proportion_ci"),
    **dict.fromkeys(("p05", "p95"), "simulated"),
    **dict.fromkeys(("median", "min", "max", "mean", "N_nonmiss"), "continuous"),
}
_SIGNS: Final = "<>≥≤"
_TAG: Final = re.compile(r"(<[^>]*>)")
_OPENS: Final = re.compile(r'popovertarget="(\w+)"')
_SAID: Final = re.compile(r' data-said="(\d+)"')
_PERSON: Final = '<a href="#p-'


@dataclass(frozen=True)
class PlaceOnPage:
    """Where a text stands, and so what its numbers are about."""

    section: str
    place: str
    variable: str = ""
    level: str = ""
    group: str = ""
    group_level: str = ""

    @property
    def context(self) -> str:
        """What a number is that nobody declared."""
        return TEXT if self.place == TEXT else VALUE


@dataclass
class PrintedResults:
    """Collects the printed numbers of a page, and gives the texts back made from them."""

    drill: Drill
    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: Counter[tuple[PlaceOnPage, str, str]] = field(default_factory=Counter)

    def frame(self) -> Frame:
        """Return the rows of `analysis_results`."""
        return Frame.of_rows(ANALYSIS_RESULTS, self.rows)

    def section(self, name: str, given: Section) -> Section:
        """Return a section whose sentences and tables are made from rows."""
        return replace(
            given,
            intro=[self.text(each, PlaceOnPage(name, TEXT)) for each in given.intro],
            tables=[self.table(name, each) for each in given.tables],
            folded=[self.table(name, each) for each in given.folded],
        )

    def table(self, section: str, given: PageTable) -> PageTable:
        """Return a table whose cells are made from rows."""
        labels = label_columns(given)
        heads = _heads(given)
        name = without_numbers(given.caption)
        caption = self.text(given.caption, PlaceOnPage(section, TEXT, name))
        above = [""] * labels
        rows = []
        for line in given.rows:
            names = [_words(cell) for cell in line[:labels]]
            # In a grouped table an empty label repeats the one above it.
            above = [name or last for name, last in zip(names, above, strict=True)]
            places = _places(section, name, given, heads, above)
            rows.append(
                [
                    self.text(cell, places[i]) if i in places else _bare(cell)
                    for i, cell in enumerate(line)
                ]
            )
        return replace(given, rows=rows, caption=caption)

    def text(self, given: Any, place: PlaceOnPage) -> Markup:
        """Return a text, or a cell with its buttons, put together from words and rows."""
        if not isinstance(given, Markup):
            return self._plain(str(given), statistics_of(given), place, None)
        made: list[Markup] = []
        opened: Opened | None = None
        said: tuple[Statistic, ...] = ()
        person = False
        for piece in _TAG.split(given):
            if piece.startswith("<"):
                if piece.startswith("<button"):
                    opened, said = self._button(piece)
                elif piece == "</button>":
                    opened, said = None, ()
                person = piece.startswith(_PERSON) or (person and piece != "</a>")
                made.append(Markup(_SAID.sub("", piece)))
            elif person:
                made.append(Markup(piece))
            elif piece:
                made.append(self._plain(html.unescape(piece), said, place, opened))
        return Markup("").join(made)

    def _button(self, tag: str) -> tuple[Opened | None, tuple[Statistic, ...]]:
        target, said = _OPENS.search(tag), _SAID.search(tag)
        return (
            self.drill.opened.get(target[1]) if target else None,
            self.drill.said[int(said[1])] if said else (),
        )

    def _plain(
        self,
        text: str,
        said: Sequence[Statistic],
        place: PlaceOnPage,
        opened: Opened | None,
    ) -> Markup:
        """Return a text without tags, its numbers printed as the `fmt` of their rows."""
        made, at = [], 0
        for each in _all_of(text, said, place):
            start = each.start - (each.start > at and text[each.start - 1] in _SIGNS)
            made += [escape(text[at:start]), self._emit(each, text[start : each.end], place, opened)]  # fmt: skip
            at = each.end
        return Markup("").join([*made, escape(text[at:])])

    def _emit(
        self,
        each: Statistic,
        fmt: str,
        place: PlaceOnPage,
        opened: Opened | None,
    ) -> Markup:
        """Add a row, and return what the page prints of it."""
        level = "; ".join(filter(None, (place.level, each.level)))
        key = (place, each.level, each.name)
        self.seen[key] += 1
        nth = self.seen[key]
        label = LABELS[each.name]
        if each.name == VALUE:
            label = place.level or place.variable or LABELS[VALUE]
        row = {
            "printed_order": len(self.rows) + 1,
            "section": place.section,
            "place": place.place,
            "group1": place.group,
            "group1_level": place.group_level,
            "variable": place.variable,
            "variable_level": level,
            "context": CONTEXTS.get(each.name, place.context),
            "stat_name": each.name if nth == 1 else f"{each.name}_{nth}",
            "stat_label": label,
            "stat": each.value,
            "fmt": fmt,
            "n": _rests_on(each, place, opened),
            "patients": "|".join(opened.patients) if opened else "",
            "source_row": "|".join(opened.keys) if opened else "",
        }
        self.rows.append(row)
        return escape(row["fmt"])


def _rests_on(each: Statistic, place: PlaceOnPage, opened: Opened | None) -> int:
    """Return of how many patients or values a number is; -1 where the page does not say."""
    if each.n >= 0:
        return each.n
    if place.group:
        return 1
    return opened.of if opened else -1


def _all_of(text: str, said: Sequence[Statistic], place: PlaceOnPage) -> list[Statistic]:
    """Return the numbers of a text in their order: those declared, and those found between them."""
    blank = list(text)
    for each in said:
        blank[each.start : each.end] = "_" * (each.end - each.start)
    found = found_in("".join(blank)) if said else found_in(text)
    if not said and not place.group and _is_count(text, found):
        found = [replace(found[0], name="n")]
    return sorted([*said, *found], key=lambda each: each.start)


def _is_count(text: str, found: Sequence[Statistic]) -> bool:
    """Whether a text is a whole number alone: of all patients together that is a count."""
    return len(found) == 1 and text.replace(",", "").isdecimal()


def label_columns(table: PageTable) -> int:
    """Return how many columns of a table name what its lines are about: at least the first one.

    A further column names it too if nothing in it opens anything and nothing in it begins with a number.
    """
    if table.labels:
        return table.labels
    width = len(table.head)
    named = takewhile(
        lambda i: not any(_is_result(line[i]) for line in table.rows), range(1, width)
    )
    return 1 + len(list(named))


def _is_result(cell: Any) -> bool:
    if statistics_of(cell) or "<button" in str(cell):
        return True
    return any(each.start == 0 for each in found_in(_words(cell))[:1])


def _heads(table: PageTable) -> list[str]:
    """Return the heads of the columns, each with the head above it."""
    above = [name for name, span in table.groups for _ in range(span)]
    return [
        f"{above[i]}: {name}" if i < len(above) and above[i] else _words(name)
        for i, name in enumerate(table.head)
    ]


def _places(
    section: str, place: str, table: PageTable, heads: Sequence[str], labels: Sequence[str]
) -> dict[int, PlaceOnPage]:
    """Return where each cell of a line stands that is no label, by its column."""
    columns = range(len(labels), len(heads))
    group = table.head[0] if table.head[0] in PATIENT else ""
    words = list(filter(None, labels[1:] if group else labels))
    alone = len(columns) == 1 and not group
    return {
        i: PlaceOnPage(
            section,
            place,
            "; ".join(words) or heading(heads[i]),
            "" if alone or not words else heads[i],
            group,
            labels[0] if group else "",
        )
        for i in columns
        if table.head[i] not in table.quoted
    }


def _words(cell: Any) -> str:
    return str(cell.striptags()) if isinstance(cell, Markup) else str(cell)


def _bare(cell: Any) -> Any:
    """Return a label without what only this module reads."""
    return Markup(_SAID.sub("", cell)) if isinstance(cell, Markup) else cell


def counts(
    results: PrintedResults, section: str, given: Mapping[str, int]
) -> list[tuple[str, Markup]]:
    """Return counts by name as the page prints them."""
    return [
        (name, results.text(f"{n:,}", PlaceOnPage(section, TEXT, name)))
        for name, n in given.items()
    ]


def sections(results: PrintedResults, given: Mapping[str, Section]) -> dict[str, Section]:
    """Return all sections made from rows."""
    return {name: results.section(name, each) for name, each in given.items()}
