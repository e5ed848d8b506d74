"""Reads a report and says what its number of patients forbids to print. Nothing of the package is used."""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from scipy import stats

RULES = Path(__file__).with_name("forbidden_statistics.toml")
BLOCKS = {
    "h1", "h2", "h3", "p", "li", "dt", "dd", "td", "th", "caption", "figcaption", "summary", "text", "title",
    "div", "nav", "table", "tr", "section", "dl", "figure", "svg",
}  # fmt: skip
SHARE = re.compile(r"(\d[\d,]*)/(\d[\d,]*) \(([<>]?[\d.]+)\s%; ([<>]?[\d.]+)–([<>]?[\d.]+)\)")
FITS = re.compile(
    r"(\d[\d,]*) of (\d[\d,]*) fits any true rate from ([<>]?[\d.]+) to ([<>]?[\d.]+)\s%"
)
CURVES = re.compile(r"(?i)kaplan|aalen|survival|incidence")
RANGE = re.compile(r"\([<>]?[\d.]+\s?%?\s?(?:–|to)\s?[<>]?[\d.]+\s?%?\)|\(\d[\d.]*\s%;")
SMALLEST = re.compile(r"with (\d+) patients the smallest p-value .* is ([\d.]+\d)")


@cache
def rules() -> dict[str, Any]:
    """Return the rules."""
    return tomllib.loads(RULES.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Block:
    """A text of the page that a reader sees as one: a cell, a sentence, a label of a figure."""

    section: str
    heading: str
    tag: str
    text: str
    popped: bool  # in a pop-over: rows of the records, and who is counted


class Blocks(HTMLParser):
    """All texts of a page in their order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Block] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self._section = self._heading = ""
        self._popped = self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"style", "script"}:
            self._silent += 1
        if tag in BLOCKS:
            self._flush()
            self._open.append(tag)
        if tag == "section":
            self._section, self._heading = given.get("id") or "", ""
        if "popover" in given:
            self._popped = 1
        elif self._popped and tag == "div":
            self._popped += 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "script"}:
            self._silent -= 1
        if tag in BLOCKS:
            self._flush()
            if tag in self._open:
                while self._open.pop() != tag:
                    pass
        if self._popped and tag == "div":
            self._popped -= 1

    def _flush(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text = []
        if not text:
            return
        tag = self._open[-1] if self._open else ""
        if tag in {"h2", "h3", "caption", "summary", "figcaption"} and not self._popped:
            self._heading = text
        self.found.append(Block(self._section, self._heading, tag, text, bool(self._popped)))


def blocks(page: str) -> list[Block]:
    """Return the texts of a page; of a pop-over those that count people, not the rows of records."""
    reader = Blocks()
    reader.feed(page)
    return reader.found


def allowed(text: str) -> str:
    """Return a text without the sentences that may stand."""
    for each in rules()["sentence"]:
        words = re.escape(each["words"]).replace(re.escape("{}"), r"[\d.,]+").replace(r"\ ", r"\s")
        text = re.sub(words, " ", text)
    return text


def violations(page: str, n: int, events: int) -> list[str]:
    """Return what a page prints that so many patients and events forbid: rule, place and words."""
    found = []
    quoted = set(rules()["quoted"]["sections"])
    for block in blocks(page):
        said = allowed(block.text)
        quotes = block.popped or (block.tag == "td" and block.section in quoted)
        for rule in rules()["phrase"]:
            if (
                quotes
                or n >= rule.get("below", n + 1)
                or events >= rule.get("below_events", events + 1)
            ):
                continue  # fmt: skip
            if hit := re.search(rule["pattern"], said):
                found.append((rule["name"], block, hit.group()))
        found += [("interval", block, words) for words in wrong_intervals(block.text)]
        if not quotes:
            found += [("percentage without its counts", block, words) for words in bare(block)]
        if (
            n < 10
            and CURVES.search(f"{block.section} {block.heading}")
            and RANGE.search(SHARE.sub("", block.text))
        ):
            found.append(("interval of a Kaplan-Meier curve", block, block.text))
        if hit := SMALLEST.search(block.text):
            pairs, least = int(hit[1]), float(hit[2])
            if pairs != n or least < float(f"{min(1.0, 2 * 0.5**pairs):.4g}"):
                found.append(("p-value", block, hit.group()))
    return [f"{name}: {block.section or 'top'} | {block.heading} | {words}" for name, block, words in found]  # fmt: skip


def percentage(part: float, places: int) -> float:
    """Return a fraction in percent, rounded half away from zero."""
    return float(f"{part * 100 + 1e-9:.{places}f}")


def wrong_intervals(text: str) -> list[str]:
    """Return each k/n whose percentage or interval is not the exact one, or cannot be."""
    wrong = []
    for hit in SHARE.finditer(text):
        k, n = (int(hit[i].replace(",", "")) for i in (1, 2))
        if not 0 <= k <= n or not n or not _near(hit[3], k / n, 0) or not _exact(k, n, hit[4], hit[5]):  # fmt: skip
            wrong.append(hit.group())
    for hit in FITS.finditer(text):
        k, n = (int(hit[i].replace(",", "")) for i in (1, 2))
        if not 0 <= k <= n or not n or not _exact(k, n, hit[3], hit[4]):
            wrong.append(hit.group())
    return wrong


def _exact(k: int, n: int, low: str, high: str) -> bool:
    limits = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    return _near(low, limits.low, 1) and _near(high, limits.high, 1)


def _near(printed: str, part: float, places: int) -> bool:
    """Whether a percentage is printed as it must be; `<1` and `>99` where rounding would say none or all."""
    step = 10.0**-places
    if printed.startswith("<"):
        return 0 < 100 * part < step
    if printed.startswith(">"):
        return 100 > 100 * part > 100 - step
    return abs(float(printed) - percentage(part, places)) < step / 2


def bare(block: Block) -> list[str]:
    """Return the percentages of a text that have no counts beside them and are no rule or level.

    A figure shows single patients: a change from baseline has its sign, or is an axis.
    """
    text = FITS.sub(" ", SHARE.sub(" ", block.text))
    for each in rules()["percent"]:
        if each.get("section", block.section) == block.section:
            text = re.sub(each["pattern"], " ", text)
    return [hit.group() for hit in re.finditer(r"(?<![−+≤≥–\d.,])[<>]?\d(?:[\d.,]*\d)?\s%", text)]


def plant(page: str, words: str) -> str:
    """Return a page with one sentence more among its key results."""
    assert '<section id="key">' in page
    return page.replace('<section id="key">', f'<section id="key"><p>{html.escape(words)}</p>', 1)
