"""Every number that the page prints is a row of `analysis_results`, and the page is made from those rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import pytest

from becalm.core import stats
from becalm.report import page, results
from becalm.report.cohort import Cohort
from becalm.report.page_table import PageTable
from becalm.report.printed import counted, found_in, joined, statistic
from becalm.report.results import PrintedResults, label_columns
from becalm.study.result import StudyResult
from becalm.tables import ANALYSIS_RESULTS

DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
NAMES = re.compile(
    r"Table \d+|[A-Za-z][\w-]*-\d[\w-]*|[A-Za-z_]\w*\d\w*|\d{4}-\d\d-\d\d|/\d+ ?[a-zA-Z]+|10⁹/L|HLH-?2004|COVID-19|[A-Z]+-\d+"
)
"""Names that hold a digit, and dates: IL-6, t0, HLH-2004, 2016-01-01."""


Where = tuple[str, str]


def _without(found: re.Match[str]) -> str:
    """Return a part of a caption that counts as its rows name it."""
    return re.sub(r"[\d,]+", "n", found[0])


class Walker(HTMLParser):
    """The texts of a page by section and place, as a reader finds them; pop-overs are left out.

    `first` holds what stands in the first column of each table, which names the line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.section, self.place = "", ""
        self.found: list[tuple[str, str, str, int]] = []
        self._tag, self._text, self._popover, self._column, self._patient = "", "", 0, -1, False
        self._note = ""
        self._in_note = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "popover" in given:
            self._popover = 1
        elif self._popover and tag == "div":
            self._popover += 1
        if self._popover:
            return
        if tag == "section":
            self.section, self.place = given["id"] or "", "text"
        if tag in {"dt", "dd", "td", "p", "caption", "summary", "figcaption", "th", "h2"}:
            self._tag, self._text, self._note = tag, "", ""
            self._patient = False
        if tag == "tr":
            self._column = -1
        if tag == "td":
            self._column += 1
        if tag == "span" and self._tag == "dd":
            self._in_note = True
        if tag == "br":
            self.handle_data(" ")
        if tag == "a" and (given.get("href") or "").startswith("#p-"):
            self._patient = True

    def handle_data(self, data: str) -> None:
        if self._patient:
            return
        if self._in_note:
            self._note += data
        else:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if self._popover:
            self._popover -= tag == "div"
            return
        self._patient = self._patient and tag != "a"
        if tag == "section":
            self.section = ""
        if tag != self._tag:
            return
        text = " ".join(self._text.split())
        if tag in {"caption", "summary"}:
            self.place = re.sub(r"All [\d,]+ patients|[\d,]+ rows", _without, text)
            self.found.append((self.section, "text", text, 1))
        elif tag == "dd" and self.section == "key":
            self.found.append(("key", "key results", text, 1))
            self.found.append(("key", "note", " ".join(self._note.split()), 1))
            self._in_note = False
        elif tag == "p":
            self.found.append((self.section, "text", text, 1))
        elif tag == "td" and not (
            self._column == 5 and self.place.startswith("Rows that were not")
        ):
            self.found.append((self.section, self.place, text, self._column))
        self._tag = ""


def walked(html: str) -> Walker:
    walker = Walker()
    walker.feed(html.partition("<script>")[0])
    return walker


NO_RESULT = {"methods", "provenance", ""}
"""Parts of the page that say rules and where the records come from."""
QUOTED = {"Where these responses come from"}
"""Tables that quote papers."""
LEGEND = ("n/N (%; exact", "On the page on screen only")
"""Notes of the page on how to read it."""


def unexplained(html: str, rows: Sequence[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    """The printed numbers that are no row: by section, place and digits."""
    missing: Counter[tuple[str, str, str]] = Counter()
    labels: dict[Where, str] = {}
    left: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        at: Where = (row["section"], " ".join(row["place"].split()))
        labels[at] = f"{labels.get(at, '')}\n{row['variable']}"
        left.update((at[0], at[1], digits) for digits in DIGITS.findall(row["fmt"]))
    labels = {at: " ".join(words.split()) for at, words in labels.items()}
    for section, place, text, column in walked(html).found:
        if section in NO_RESULT or text.startswith(LEGEND) or not column:
            continue
        where = section, place
        if place in QUOTED or text in labels.get(where, ""):
            continue  # a further column that names the line
        for digits in DIGITS.findall(NAMES.sub(" ", text)):
            if left[(section, place, digits)] > 0:
                left.subtract([(section, place, digits)])
            else:
                missing[section, place, f"{digits} in {text[:60]}"] += 1
    return missing


STUDIES = ["result", "thirty_six", "hundred", "nobody", "real", "demo_report"]


@pytest.fixture(scope="module", params=STUDIES)
def printed(request: pytest.FixtureRequest) -> page.Printout:
    """A report of five, of 36, of 120, of nobody, of real patients, and of the built-in example as written."""
    study: StudyResult | page.Printout = request.getfixturevalue(request.param)
    return page.printout(Cohort(study), {}) if isinstance(study, StudyResult) else study


def test_every_printed_number_is_a_row(printed: page.Printout) -> None:
    assert unexplained(printed.html, list(printed.results.rows())) == Counter()


def test_a_number_that_is_no_row_is_found(result: StudyResult) -> None:
    """The walk itself: one row less, and it says which number has none."""
    found = page.printout(Cohort(result), {})
    shorter = list(found.results.rows())[1:]
    assert len(unexplained(found.html, shorter)) == 1


def test_the_page_prints_what_the_rows_say(
    result: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another format of the rows is another page: there is no second way for a number."""
    emit = PrintedResults._emit

    def bracketed(self: PrintedResults, each: object, fmt: str, *rest: object) -> object:
        return emit(self, each, f"⟦{fmt}⟧", *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(PrintedResults, "_emit", bracketed)
    found = page.printout(Cohort(result), {})
    html = re.sub(r'<p class="note print-only">.*?</p>', "", found.html)  # names tables again
    assert html.count("⟦") == len(found.results)
    bare = re.sub(r"⟦[^⟧]*⟧", "", html)
    blank = [{**row, "fmt": ""} for row in found.results.rows()]
    assert unexplained(bare, blank) == Counter()


def test_no_mark_of_the_results_is_left_on_the_page(five: str, many: str) -> None:
    assert "data-said" not in five + many


def test_rows_are_in_the_order_of_the_page_and_told_apart(printed: page.Printout) -> None:
    rows = list(printed.results.rows())
    assert [row["printed_order"] for row in rows] == list(range(1, len(rows) + 1))
    assert tuple(printed.results.columns) == tuple(ANALYSIS_RESULTS)
    keys = [tuple(row[name] for name in ANALYSIS_RESULTS.key) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {row["context"] for row in rows} <= {
        "categorical",
        "proportion_ci",
        "continuous",
        "value",
        "text",
    }


def test_a_share_is_five_rows_with_values_before_rounding(result: StudyResult) -> None:
    """4 of 5 women, by hand: 80 %, and the exact interval of the binomial."""
    rows = [
        row
        for row in page.printout(Cohort(result), {}).results.rows()
        if row["variable"] == "Women" and row["place"] == "key results"
    ]
    named = {row["stat_name"]: row for row in rows}
    women, known = named["n"]["stat"], named["N"]["stat"]
    limits = stats.proportion(int(women), int(known))
    assert limits is not None
    assert list(named) == ["n", "N", "p", "conf.low", "conf.high"]
    assert named["p"]["stat"] == women / known
    assert (named["conf.low"]["stat"], named["conf.high"]["stat"]) == limits
    assert all(row["n"] == known for row in rows)
    assert len(named["n"]["patients"].split("|")) == women


def test_a_value_of_a_patient_names_the_patient_and_the_rows_of_the_records(
    result: StudyResult,
) -> None:
    rows = [
        row
        for row in page.printout(Cohort(result), {}).results.rows()
        if row["section"] == "change" and row["group1"] == "Patient"
    ]
    assert rows
    ids = set(Cohort(result).ids)
    assert all(row["group1_level"] in ids and row["n"] == 1 for row in rows)
    ratios = [r for r in rows if r["variable_level"].endswith("baseline") and "÷" in r["variable_level"]]  # fmt: skip
    assert ratios
    assert all(":" in row["source_row"] for row in ratios)
    given = {
        (row["person_id"], round(row["ratio_48h"], 9))
        for row in result.frames["response"].rows()
        if row["ratio_48h"] is not None
    }
    assert {(row["group1_level"], round(row["stat"], 9)) for row in ratios} <= given


def test_texts_know_their_numbers() -> None:
    text = joined("in ", counted("n", 1234, of=2000), " of ", statistic("N", 2000, "2,000"))
    assert text == "in 1,234 of 2,000"
    assert [text[each.start : each.end] for each in text.statistics] == ["1,234", "2,000"]
    assert [each.value for each in ("≥ " + text).statistics] == [1234, 2000]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("IL-6, t0, CD25, HLH-2004, CTCAE v5, 10⁹/L, 2016-01-31", []),
        ("1,234.5 of it", [1234.5]),
        (">40,000", [40000]),
        ("−2.5 to +3 d", [-2.5, 3]),
        ("3/5", [3, 5]),
        ("90+", [90]),
        ("12h", [12]),
        ("1, 2, 3", [1, 2, 3]),
        ("5–7", [5, 7]),
    ],
)
def test_numbers_are_found_in_words(text: str, values: list[float]) -> None:
    assert [each.value for each in found_in(text)] == values


def test_columns_that_name_a_line_end_where_results_begin() -> None:
    head = ["Patient", "Test", "baseline", "status"]
    line = ["7", "IL-6, pg/mL", statistic("value", 5, "5"), "fell"]
    assert label_columns(PageTable(head, [line])) == 2
    assert label_columns(PageTable(head, [["7", "5", "5", "fell"]])) == 1
    assert results.NOTE == "note"
