"""One denominator for one fact, and a share that is rounded in one way, wherever a page prints it."""

from __future__ import annotations

import html
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from becalm import protocol
from becalm.records import open_records
from becalm.report import page
from becalm.report.cohort import Cohort
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.records import Row, lab, patient, sheets, stay
from tests.release.test_aggregates import OPEN, release, rows

ILL = (stay(0, 200), lab("ferritin", 20000, 5), lab("temperature", 40, 5), lab("platelets", 50, 5))
SHARE = re.compile(r"(?<![\d,.])([\d,]+)/([\d,]+) \(([<>]?\d+) %; ([<>]?[\d.]+)–([<>]?[\d.]+)\)")


def studied(folder: Path, women: int, men: int, unknown: int) -> StudyResult:
    people: list[Row] = []
    for at, sex in enumerate("F" * women + "M" * men + "-" * unknown):
        people += patient(f"P{at:03}", *ILL, sex=sex.replace("-", ""))
    path = sheets(folder / f"{women}-{men}-{unknown}", *people)
    return run(open_records(str(path)), protocol.load("hyperinflammation"), "records")


def text_of(result: StudyResult) -> str:
    whole = page.render(Cohort(result), {})
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", whole)))


def printed(events: int, n: int) -> str:
    """A share in percent as a person would round it: half away from zero, 0 and 100 only for none and all."""
    exact = Decimal(100 * events) / Decimal(n)
    whole = exact.quantize(Decimal(1), ROUND_HALF_UP)
    if whole == 0 and events:
        return "<1"
    return ">99" if whole == 100 and events < n else str(whole)


@pytest.mark.parametrize(
    ("women", "men", "unknown"),
    [(1, 7, 0), (0, 5, 3), (5, 0, 1), (1, 2, 5), (3, 5, 0), (0, 0, 4), (1, 0, 0)],
)
def test_women_have_one_denominator_everywhere(
    tmp_path: Path, women: int, men: int, unknown: int
) -> None:
    """Those whose sex is known, in the summary, in table 1 and in the release; the unknown stand beside."""
    result = studied(tmp_path, women, men, unknown)
    known, everybody = women + men, women + men + unknown
    text = text_of(result)
    told = {(m[1], m[2]) for m in re.finditer(r"Women (\d+)/(\d+)", text)}
    assert told <= {(str(women), str(known))}
    assert told or not known
    sexes = {
        row["value"]: (row["count"], row["n"])
        for row in rows(release(result, tmp_path, OPEN)["patients.csv"])
        if row["about"] == "sex"
    }
    assert sexes["women"] == (str(women), str(known))
    assert sexes["sex unknown"] == (str(unknown), str(everybody))


@given(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)).filter(any))
@settings(max_examples=6, deadline=None, phases=[Phase.generate])
def test_every_share_of_the_page_is_rounded_in_one_way(
    tmp_path_factory: pytest.TempPathFactory, counts: tuple[int, int, int]
) -> None:
    """Whatever the page prints as k/n with a percentage is that percentage, and its interval encloses it."""
    text = text_of(studied(tmp_path_factory.mktemp("shares"), *counts))
    shares = list(SHARE.finditer(text))
    assert shares or not counts[0] + counts[1]
    for each in shares:
        events, n = (int(part.replace(",", "")) for part in each.groups()[:2])
        assert each[3] == printed(events, n), each[0]
        low, high = (float(part.lstrip("<>")) for part in each.groups()[3:])
        assert low <= 100 * events / n + 0.05
        assert high >= 100 * events / n - 0.05
        assert (each[4] == "0") == (events == 0)
        assert (each[5] == "100") == (events == n)
