"""What a reader sees on paper and of all patients together: cultures, deaths, limits, and lists that are opened."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from becalm.report.cohort import Cohort
from becalm.report.figures import course, spaghetti, swimmer
from becalm.report.sections import sections
from tests.records import culture, dose, infusion, lab, patient, sheets, stay
from tests.report import charts
from tests.report.test_page import browser

STORM = tuple(
    lab(name, value, -4)
    for name, value in {
        "ferritin": 20_000, "platelets": 20, "haemoglobin": 7, "wbc": 1.0, "neutrophils": 0.4, "triglycerides": 5,
        "fibrinogen": 1.0, "ast": 400, "temperature": 39.8,
    }.items()
)  # fmt: skip
COLI, SKIN = "Escherichia coli", "Staphylococcus epidermidis"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Return a series: one with an infection, one with a commensal once, one of whom nothing was sent; she dies."""
    rows = (
        *patient("A", *STORM, infusion(0, 200), stay(-10, 300), lab("ferritin", 5_000, 40),
                 culture("growth", 100, COLI), culture("growth", 130, COLI), dose("meropenem", 101, amount="1 g")),
        *patient("B", *STORM, infusion(0, 200), stay(-10, 300), lab("ferritin", ">40000", 40), culture("growth", 60, SKIN)),
        *patient("C", *STORM, infusion(0, 90), lab("ferritin", 30_000, 40), death=100),
    )  # fmt: skip
    folder = sheets(tmp_path_factory.mktemp("three") / "records", *rows)
    return Cohort(charts.run_on(folder, "anakinra_mas"))


def test_the_swimmer_shows_what_grew_and_whether_it_counts(three: Cohort) -> None:
    """E. coli in blood on days 4 and 5 is an infection; a commensal in one sample is not one."""
    days = swimmer.window(three)
    found = {who: swimmer.grown(three, who, days) for who in three.ids}
    (infection,) = found["A"]
    assert (infection["kind"], infection["start"], infection["end"]) == ("counts", pytest.approx(100 / 24), pytest.approx(130 / 24))  # fmt: skip
    assert [row["kind"] for row in found["B"]] == ["other"]
    assert found["C"] == []


def test_all_patients_together_show_deaths_and_limits_on_a_logarithmic_axis(three: Cohort) -> None:
    rows = spaghetti.drawn(three)
    assert {row["person"]: row["kind"] for row in rows} == {
        "A": "exact",
        "B": "above",
        "C": "exact",
    }
    (death,) = spaghetti.deaths(three, rows)
    assert (death["person"], death["day"], death["value"]) == ("C", pytest.approx(100 / 24), 30_000)
    assert course.y_axis("ferritin", rows)["scale"]["type"] == "log"


def test_the_report_goes_from_response_to_safety_infection_and_outcome(three: Cohort) -> None:
    """What the same rule finds without the drug stands directly after the response."""
    from becalm.report.drill import Drill

    order = list(sections(three, Drill(three), {}))
    told = ["treatment", "change", "without_drug", "safety", "infections", "infection_by_dose", "outcome", "criteria", "missing"]  # fmt: skip
    assert [name for name in order if name in told] == told
    assert order.index("without_drug") == order.index("change") + 1


def _printed(page: str, folder: Path) -> int:
    """Return on how many sheets of paper a page is printed."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", f"--print-to-pdf={folder / 'page.pdf'}"]
    subprocess.run([browser(), *flags, (folder / "page.html").as_uri()], check=True, capture_output=True, timeout=60)  # fmt: skip
    return len(re.findall(rb"/Type\s*/Page\b", (folder / "page.pdf").read_bytes()))


def test_an_opened_list_is_printed_to_its_end(tmp_path: Path) -> None:
    """On screen a list scrolls; on paper 400 rows need more than the one sheet of its window."""
    from becalm.report.page import style

    rows = "".join(f"<tr><td>P{i}</td><td>{i}</td></tr>" for i in range(400))
    table = f'<div class="scroll"><table class="data"><thead><tr><th>Patient</th></tr></thead><tbody>{rows}</tbody></table></div>'
    page = f"<!doctype html><style>{style()}</style><main><details><summary>All</summary>{table}</details></main>"
    assert _printed(page.replace("<details>", "<details open>"), tmp_path) >= 10
    assert _printed(page, tmp_path) == 1
