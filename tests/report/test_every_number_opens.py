"""Every number of a result opens the rows behind it, on the page as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from becalm.report import write_report
from becalm.report.cohort import Cohort
from becalm.report.figures import specs
from becalm.study.result import StudyResult

OPENS = {"button", "a"}
NO_RESULT = {
    "Where these responses come from",
    "Rows that were not used, and why",
    "Infections that the question of the dose takes",
}
"""The first quotes the definitions. The rows of the second name their own example; the rest of it is `rows_refused`. The third is calculated from no row."""

NO_NUMBER = re.compile(
    r"ILL-\d|MIM-[A-Z]+|TRT-[A-Z-]+|t0|IL-\d|IL-2R|interleukin-\d|CD25|HLH-?2004|MAS ?2016|"
    r"2016 MAS|COVID-19|CTCAE v5|< ?18|\b(?:15|25|50) %|10⁹/L|≥ 2,000 mg/day|for 6 h|younger than 18|"
    r"lag (?:0|24|48) h|[\[(][\d,]+, [\d,]+\)|^≥[\d,]+$|"
    r"ferritin never 500 or more|[Dd]ay 3\b|\b100\d{5}\b|^0$|\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d"
)
"""Names and rules that hold a digit and count nothing; and a zero, which nobody is behind."""


class Cells(HTMLParser):
    """The cells of every table, and the key results, with whether they open anything."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self.section = ""
        self.depth = 0  # inside a pop-over, whose cells are the rows themselves
        self.found: list[tuple[str, str, str, bool]] = []
        self._in = ""
        self._text = ""
        self._opens = False
        self._first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "popover" in given:
            self.depth = 1
        elif self.depth and tag == "div":
            self.depth += 1
        if tag in {"h2", "h3", "summary", "caption", "td", "dd"} and not self.depth:
            self._in, self._text, self._opens = tag, "", False
        if tag in OPENS:
            self._opens = True

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if self.depth and tag == "div":
            self.depth -= 1
        if self.depth or tag != self._in:
            return
        text = " ".join(self._text.split())
        if tag == "h2":
            self.section, self.heading = text, ""
        elif tag in {"h3", "summary", "caption"}:
            self.heading = text
        else:
            self.found.append((self.section, self.heading, text, self._opens))
        self._in = ""


def closed(page: str) -> set[tuple[str, str, str]]:
    """The section, heading and text of every cell with a number that opens nothing."""
    cells = Cells()
    cells.feed(page)
    results = [
        (section, heading, text, opens)
        for section, heading, text, opens in cells.found
        if section not in {"Methods", "Provenance"} and not any(h in heading for h in NO_RESULT)
    ]
    assert len(results) > 1000
    return {
        (section, heading, text)
        for section, heading, text, opens in results
        if not opens and re.search(r"\d", NO_NUMBER.sub("", text))
    }


def test_every_number_of_a_result_opens_what_is_behind_it(demo: str) -> None:
    """In the key results and in every table; methods and provenance hold no results."""
    assert closed(demo) == set()


def test_every_number_of_the_sheets_opens_what_is_behind_it(five: str, many: str) -> None:
    """Each patient in a row, with doses and fever; and 36 in medians and counts."""
    assert closed(five) == set()
    assert closed(many) == set()


def test_every_number_of_a_summary_of_real_patients_opens_whom_it_counts(
    real: StudyResult, tmp_path: Path
) -> None:
    """Where Table 1 holds medians and counts, they open the patients and what is said of each."""
    write_report(real, tmp_path)
    assert closed((tmp_path / "report.html").read_text(encoding="utf-8")) == set()


def figures(page: str) -> dict[str, str]:
    """The drawings of a page by name."""
    return dict(re.findall(r'<figure id="fig-([^"]+)">(.*?)</figure>', page, re.S))


def test_every_mark_of_a_figure_that_leads_anywhere_leads_to_a_row_of_the_page(demo: str) -> None:
    ids = re.findall(r' id="([^"]+)"', demo)
    assert len(ids) == len(set(ids))
    leading = {
        name: set(re.findall(r'href="#([^"]+)"', svg)) for name, svg in figures(demo).items()
    }
    assert {name for name, targets in leading.items() if not targets} == {"escalation"}
    assert set().union(*leading.values()) <= set(ids)


def layers(spec: Any) -> Iterator[dict[str, Any]]:
    """Every layer of a specification that draws something."""
    if isinstance(spec, list):
        for each in spec:
            yield from layers(each)
    elif isinstance(spec, dict):
        if "mark" in spec:
            yield spec
        for name, inner in spec.items():
            if name != "data":
                yield from layers(inner)


def test_every_number_that_a_figure_prints_leads_to_its_row(
    cohort: Cohort, thirty_six: StudyResult
) -> None:
    """Axes, headings and the line of a cut-off are no results."""
    printed = 0
    for shown in (cohort, Cohort(thirty_six)):
        for name, _, _, spec in specs(shown):
            for layer in layers(spec):
                field = layer["encoding"].get("text", {}).get("field")
                if layer["mark"]["type"] == "text" and field:
                    assert "href" in layer["encoding"], (name, field)
                    printed += 1
    assert printed > 20


def test_a_step_of_the_attrition_names_everybody_whom_it_took(demo: str) -> None:
    start = demo.index("Who left at each step")
    table = demo[start : demo.index("</table>", start)]
    steps = 0
    for row in re.split(r"<tr[^>]*>", table)[2:]:
        for cell in (row.split("<td>")[2], row.split("<td>")[5]):  # who left, who remained
            opens = re.search(r'popovertarget="(\w+)"[^>]*>(\d+)<', cell)
            if opens and int(opens[2]) <= 200:
                behind = demo[demo.index(f'id="{opens[1]}"') :].split("</table>", maxsplit=1)[0]
                assert behind.count("<tr>") - 1 == int(opens[2])
                steps += 1
    assert steps > 8


def test_nothing_that_a_number_names_is_missing_behind_it(demo: str) -> None:
    """Also a creatinine of a year ago, which a grade of kidney injury was counted against."""
    assert "not kept for this report" not in demo


def test_no_calendar_date_and_no_birth_date_is_behind_a_number(demo: str) -> None:
    """Times are hours from time zero, in the pop-overs too; recruitment dates stand in the head."""
    body = demo[demo.index("Key results") :]
    assert not re.search(r"\b(?:19|20)\d\d-\d\d-\d\d", re.sub(r"<code>.*?</code>", "", body))
