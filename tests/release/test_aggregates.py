"""Nothing of a person leaves in a release, and nothing can be worked out."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import becalm as bc
from becalm.report import disclosure, write_release
from becalm.report import release as releasing
from becalm.study.result import StudyResult
from tests.report.charts import OTHERS, PERSONS
from tests.report.conftest import Study, seen


def release(result: StudyResult, folder: Path, threshold: int = 5) -> dict[str, str]:
    """Return what a release writes, by file name."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in write_release(result, folder, threshold)
    }


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("name", ["result", "thirty_six", "nobody"])
def test_no_person_row_date_or_example_leaves(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Ids, rows, file names, dates of the sheets and of recruitment; also of those who did not enter."""
    study: StudyResult = request.getfixturevalue(name)
    written = release(study, tmp_path)
    everything = "\n".join(written.values())
    persons = [*study.tables["persons"]["person_id"], *(person.id for person in OTHERS)]
    secrets = [
        "labs:",
        "doses:",
        "labs.csv",
        "2016-01-01",
        "2017-",
        "2018-",
        "2020-",
        "<button",
        "<svg",
    ]
    for secret in (*persons, *secrets):
        assert secret not in everything
    assert "not for release" not in everything


def test_of_five_almost_nothing_is_left_and_the_page_says_so(
    result: StudyResult, tmp_path: Path
) -> None:
    written = release(result, tmp_path)
    assert "With so few patients, most results would describe single patients" in seen(
        written["release.html"]
    )
    told = {(row["about"], row["value"]): row["count"] for row in rows(written["patients.csv"])}
    assert told["sex", "women"] == "suppressed"
    assert told["sex", "men"] == "suppressed"
    assert ("background", "AOSD") not in told
    outcome = {row["value"]: row["count"] for row in rows(written["outcome.csv"])}
    assert outcome["died"] == outcome["alive at last contact"] == "suppressed"
    assert not (tmp_path / "distributions.csv").exists()


def test_of_more_the_large_counts_are_printed_with_intervals(
    thirty_six: StudyResult, tmp_path: Path
) -> None:
    """Of 36 there are eight like ILL-1 and seven like each other; those like ILL-4 and ILL-5 died.

    7 times 194, 7 times 207 and 7 times 248 are the lowest 21 of the 36 HScores: the median is 248.
    """
    written = release(thirty_six, tmp_path)
    outcome = {row["value"]: row for row in rows(written["outcome.csv"])}
    assert outcome["died"]["count"] == "14"
    assert (outcome["died"]["low95"], outcome["died"]["high95"]) == ("23.1", "56.5")
    numbers = {row["about"]: row for row in rows(written["distributions.csv"])}
    assert numbers["HScore, lowest possible"]["median"] == "248"
    columns = {"about", "median", "quartile1", "quartile3", "n"}
    assert set(numbers["HScore, lowest possible"]) == columns


def test_another_threshold_is_recorded(result: StudyResult, tmp_path: Path) -> None:
    usual = seen(release(result, tmp_path)["release.html"])
    open_ = seen(release(result, tmp_path, threshold=1)["release.html"])
    assert "overridden" not in usual
    assert "Suppression was overridden: the threshold is 1; the default is 5" in open_


def test_an_empty_cohort_can_be_released(nobody: StudyResult, tmp_path: Path) -> None:
    written = release(nobody, tmp_path)
    assert "0 patients" in seen(written["release.html"])
    assert set(written) >= {"attrition.csv", "release.html"}


def test_a_cohort_below_the_threshold_is_not_even_counted(study: Study, tmp_path: Path) -> None:
    """Three enter, of three or of eight in the records."""
    for name, others in (("alone", ()), ("among", OTHERS)):
        folder = tmp_path / name
        folder.mkdir()
        written = release(study([*PERSONS[:3], *others]), folder)
        assert "The number of patients is below the threshold" in seen(written["release.html"])
        for text in (text for file, text in written.items() if file.endswith(".csv")):
            assert "3" not in [cell for row in csv.reader(text.splitlines()) for cell in row]


counts = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 12), min_size=1
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(counts, st.integers(1, 8))
def test_what_a_partition_hides_cannot_be_subtracted_out(
    given_counts: dict[str, int], threshold: int
) -> None:
    cells = disclosure.partition(given_counts, threshold)
    hidden = [given_counts[name] for name, cell in cells.items() if cell is None]
    assert all(cell == given_counts[name] for name, cell in cells.items() if cell is not None)
    assert not any(disclosure.small(cell, threshold) for cell in cells.values() if cell is not None)
    if hidden and len(hidden) < len(cells):
        assert sum(n > 0 for n in hidden) > 1
        assert sum(hidden) >= threshold
    if not any(disclosure.small(n, threshold) for n in given_counts.values()):
        assert not hidden


falling = st.lists(st.integers(0, 60), min_size=1, max_size=9).map(
    lambda x: sorted(x, reverse=True)
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(falling, st.integers(1, 8))
def test_no_difference_of_a_flow_is_small(steps: list[int], threshold: int) -> None:
    shown = disclosure.flow([[n] for n in steps], threshold)
    printed = [n for n, keep in zip(steps, shown, strict=True) if keep]
    assert not any(disclosure.small(n, threshold) for n in printed)
    for i, larger in enumerate(printed):
        assert not any(disclosure.small(larger - n, threshold) for n in printed[i + 1 :])


@pytest.mark.parametrize(
    ("events", "n", "printed"),
    [(0, 20, 0), (4, 20, None), (5, 20, 5), (16, 20, None), (20, 20, 20)],
)
def test_a_proportion_hides_a_small_complement_too(
    events: int, n: int, printed: int | None
) -> None:
    assert disclosure.proportion(events, n, 5) == printed


tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 7), min_size=width, max_size=width), min_size=1, max_size=3
    )
)


def others(table: list[list[int]], shown: list[list[int | None]]) -> list[list[list[int]]]:
    """Return every table with the same printed cells and the same totals, by trying them all."""
    found: list[list[list[int]]] = [[]]
    for row, printed in zip(table, shown, strict=True):
        choices = [range(sum(row) + 1) if p is None else (p,) for p in printed]
        fitting = [list(each) for each in product(*choices) if sum(each) == sum(row)]
        found = [[*so_far, each] for so_far in found for each in fitting]
    totals = [sum(column) for column in zip(*table, strict=True)]
    return [each for each in found if [sum(c) for c in zip(*each, strict=True)] == totals]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(tables, st.integers(2, 6))
def test_of_a_table_no_hidden_cell_follows_from_rows_and_columns(
    table: list[list[int]], threshold: int
) -> None:
    """Whoever knows every total and every printed cell still has two numbers to choose from."""
    shown = disclosure.crossed(table, threshold)
    cells = [(i, j) for i, row in enumerate(table) for j, _ in enumerate(row)]
    hidden = [at for at in cells if shown[at[0]][at[1]] is None]
    assert not any(disclosure.small(n, threshold) for row in shown for n in row if n is not None)
    assert all(shown[i][j] in {None, table[i][j]} for i, j in cells)
    if not any(disclosure.small(n, threshold) for row in table for n in row):
        assert hidden == []
    if hidden and len(hidden) < len(cells):
        possible = others(table, shown)
        for i, j in hidden:
            assert len({each[i][j] for each in possible}) > 1


CASES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
def test_report_and_release_use_one_denominator(tmp_path: Path) -> None:
    """Four women, four men and four of unknown sex: women are 4 of 8, everywhere."""
    study = bc.run(bc.open_records(CASES / "report-denominators"), "hyperinflammation")
    text = seen(
        (study.write(tmp_path / "out", release=tmp_path / "released") / "report.html").read_text(
            "utf-8"
        )
    )
    assert text.count("Women 4/8 (50 %; 15.7–84.3)") == 2
    assert "Women 4/8 (50 %; 15.7–84.3), unknown in 4" in text
    assert "Sex unknown 4 of 12" in text
    assert "4/12" not in text
    assert (
        "HScore: organomegaly,not assessed,12,12," in (tmp_path / "released/items.csv").read_text()
    )
    open_ = rows(release(study.result, tmp_path, threshold=1)["patients.csv"])
    told = {row["value"]: (row["count"], row["n"]) for row in open_ if row["about"] == "sex"}
    assert told == {"women": ("4", "8"), "men": ("4", "8"), "sex unknown": ("4", "12")}
    met = rows(release(study.result, tmp_path, threshold=1)["items.csv"])
    assert ("HScore: organomegaly", "met", "0", "0") in [
        (row["item"], row["state"], row["count"], row["n"]) for row in met
    ]


@pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
def test_one_of_two_hundred_is_not_none(tmp_path: Path) -> None:
    study = bc.run(bc.open_records(CASES / "report-percent"), "hyperinflammation")
    text = seen((study.write(tmp_path / "out") / "report.html").read_text("utf-8"))
    assert "Women 1/201 (<1 %; <0.1–2.7)" in text
    assert "1/201 (0 %" not in text
    assert "200/201 (>99 %; 97.3–>99.9)" in text
    assert "200/201 (100 %" not in text


def test_with_the_unknown_suppressed_their_number_does_not_follow(
    study: Study, tmp_path: Path
) -> None:
    """Of 36 patients three have no sex: neither their number nor that of the known is printed."""
    everybody = [
        replace(PERSONS[i % 5], id=f"Q{i:02d}", sex="" if i < 3 else "FM"[i % 2]) for i in range(36)
    ]
    written = release(study(everybody), tmp_path)
    told = {row["value"]: row for row in rows(written["patients.csv"]) if row["about"] == "sex"}
    assert told["sex unknown"]["count"] == "suppressed"
    for row in (told["women"], told["men"]):
        assert {row[name] for name in ("n", "percent", "low95", "high95")} == {"suppressed"}


def test_two_kinds_of_unknown_are_both_counted_beside_the_known() -> None:
    """Of 75, 20 are undetermined and 15 not assessed: the others are shares of 40."""
    counts = {"definite": 20, "not met": 20, "undetermined": 20, "not assessed": 15}
    rows = releasing._partition("storm", counts, 75, 10, "undetermined", "not assessed")
    found = {name: (events, of) for _, name, events, of, *_ in rows}
    assert found == {"definite": ("20", "40"), "not met": ("20", "40"), "undetermined": ("20", "75"),
                     "not assessed": ("15", "75")}  # fmt: skip
    few = counts | {"not assessed": 3}
    hidden = list(releasing._partition("storm", few, 63, 10, "undetermined", "not assessed"))
    assert all(
        row[3] == disclosure_word(hidden) for row in hidden if row[1] in {"definite", "not met"}
    )


def disclosure_word(rows: list[list[str]]) -> str:
    """The word for a suppressed cell, as the row of the few has it."""
    [cell] = [row[2] for row in rows if row[1] == "not assessed"]
    return cell
