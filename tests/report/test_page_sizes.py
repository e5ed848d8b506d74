"""The report on a narrow screen and on paper: nothing is cut, no figure is blown up, a caption stays with its figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.browser import tab

PAPER = 1046, 718
"""The part of a sheet of A4, landscape, that is printed on, in CSS pixels: 277 by 190 mm."""


@pytest.mark.parametrize("width", [1280, 390])
def test_a_window_holds_the_page_and_a_small_figure_stays_small(
    folder: Path, tmp_path: Path, width: int
) -> None:
    """What is wider scrolls within itself; only a figure that is wider than the window may be made smaller."""
    with tab(tmp_path) as browser:
        browser.size(width)
        browser.go((folder / "report.html").as_uri())
        assert browser.js("document.documentElement.scrollWidth <= innerWidth")
        sizes = browser.js(
            "[...document.querySelectorAll('figure svg')].map(svg => "
            "[svg.getBoundingClientRect().width, Number(svg.getAttribute('width'))])"
        )
    assert len(sizes) > 10
    for drawn, own in sizes:
        assert min(own, 340 if width == 390 else 1000) - 1 <= drawn <= own + 1


def test_on_paper_a_figure_its_caption_and_its_heading_fit_one_sheet(
    folder: Path, tmp_path: Path
) -> None:
    """A browser cuts within what is higher than a sheet, and parts a figure from what says what it shows."""
    with tab(tmp_path) as browser:
        browser.send("Emulation.setEmulatedMedia", media="print")
        browser.size(*PAPER)
        browser.go((folder / "report.html").as_uri())
        key = browser.js("document.querySelector('#key').getBoundingClientRect().bottom")
        heights = browser.js(
            "[...document.querySelectorAll('main > section')].flatMap(section => "
            "[...section.querySelectorAll('figure')].map((figure, at) => "
            "figure.getBoundingClientRect().bottom - (at || section.querySelectorAll(':scope > p:not(.note)').length > 2 "
            "? figure : section).getBoundingClientRect().top))"
        )
        ends = browser.js(
            "[...document.querySelectorAll('section > p:last-child')].map(p => getComputedStyle(p).breakAfter)"
        )
    assert set(ends) == {"auto"}  # a section that is only words does not hold the next one
    assert key <= PAPER[1]
    assert max(heights) <= PAPER[1], heights
