"""Nothing of a person leaves in a release, and nothing can be worked out."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

import becalm as bc
from becalm.core.errors import UnreadableFileError
from becalm.report import write_release
from becalm.report.cohort import Cohort
from becalm.report.release.aggregates import CountGroup, ValueGroup, aggregates, decoded, encoded
from becalm.report.release.rules import DisclosureRules
from becalm.report.release.sheets import sheets
from becalm.study.result import StudyResult
from tests.report.charts import OTHERS, PERSONS
from tests.report.conftest import Study, seen

OPEN = DisclosureRules(threshold=1, base=1, protection=0)
"""Everything is printed as it is."""


def release(
    result: StudyResult, folder: Path, rules: DisclosureRules | None = None
) -> dict[str, str]:
    """Return what a release writes, by file name."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in write_release(aggregates(Cohort(result)), folder, rules)
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
    assert rows(written["distributions.csv"]) == []


def test_of_more_the_large_counts_are_printed_rounded_with_intervals(
    thirty_six: StudyResult, tmp_path: Path
) -> None:
    """Of 36 there are eight like ILL-1 and seven like each other; those like ILL-4 and ILL-5 died.

    14 of 36 are printed as 15 of 35: 43 %. 7 times 194, 7 times 207 and 7 times 248 are the lowest 21 of the 36
    HScores: the median is 248, printed as 250.
    """
    written = release(thirty_six, tmp_path)
    outcome = {row["value"]: row for row in rows(written["outcome.csv"])}
    assert [outcome["died"][name] for name in ("count", "n", "percent")] == ["15", "35", "43"]
    assert (outcome["died"]["low95"], outcome["died"]["high95"]) == ("26", "61")
    numbers = {row["about"]: row for row in rows(written["distributions.csv"])}
    assert numbers["HScore, lowest possible"]["median"] == "250"
    assert numbers["HScore, lowest possible"]["quartile1"] != "suppressed"
    columns = {"about", "median", "quartile1", "quartile3", "n"}
    assert set(numbers["HScore, lowest possible"]) == columns
    assert not [about for about in numbers if about.startswith(("HLH-2004", "MAS"))]


@pytest.mark.parametrize(
    ("n", "median", "quartiles"),
    [(15, False, False), (16, True, False), (31, True, False), (32, True, True)],
)
def test_a_median_needs_twice_the_threshold_and_quartiles_four_times(
    result: StudyResult, n: int, median: bool, quartiles: bool
) -> None:
    found = aggregates(Cohort(result))
    steps = [replace_step(step, n) for step in found.steps]
    values = [ValueGroup("age", n, 61.4, 50.2, 72.6)]
    many = bc_replace(found, n=n, groups=[], steps=steps, values=values)
    [sheet] = [
        each for each in sheets(many, DisclosureRules.default()) if each.name == "distributions"
    ]
    assert bool(sheet.rows) == median
    if median:
        assert sheet.rows[0][1] == "61"
        assert (sheet.rows[0][2] == "50") == quartiles
        assert (sheet.rows[0][2] == "suppressed") == (not quartiles)


def bc_replace(found: Any, **changed: Any) -> Any:
    return msgspec.structs.replace(found, **changed)


def replace_step(step: Any, persons: int) -> Any:
    return msgspec.structs.replace(step, persons=persons)


def test_the_aggregates_are_read_back_as_they_were_written(thirty_six: StudyResult) -> None:
    found = aggregates(Cohort(thirty_six))
    assert decoded(encoded(found), "release.json") == found
    with pytest.raises(UnreadableFileError, match="not the aggregates"):
        decoded(b"{}", "release.json")


def test_a_share_of_all_is_not_printed(thirty_six: StudyResult, tmp_path: Path) -> None:
    """All 36 have a ferritin above 500: that nobody is without is a count of 0."""
    found = rows(release(thirty_six, tmp_path)["items.csv"])
    [row] = [r for r in found if r["item"] == "HLH-2004: ferritin" and r["state"] == "met"]
    assert row["count"] == row["n"] == "35"
    assert row["percent"] == row["low95"] == "suppressed"


def test_another_threshold_is_recorded(result: StudyResult, tmp_path: Path) -> None:
    usual = seen(release(result, tmp_path)["release.html"])
    open_ = seen(release(result, tmp_path, OPEN)["release.html"])
    assert "overridden" not in usual
    assert "Suppression was overridden: the threshold is 1" in open_
    assert "the default is 8, 5 and 2" in open_


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
        "HScore: organomegaly,not assessed,10,10," in (tmp_path / "released/items.csv").read_text()
    )
    open_ = rows(release(study.result, tmp_path, OPEN)["patients.csv"])
    told = {row["value"]: (row["count"], row["n"]) for row in open_ if row["about"] == "sex"}
    assert told == {"women": ("4", "8"), "men": ("4", "8"), "sex unknown": ("4", "12")}
    met = rows(release(study.result, tmp_path, OPEN)["items.csv"])
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


def test_the_number_of_unknown_does_not_follow_from_that_of_the_known(
    study: Study, tmp_path: Path
) -> None:
    """Of 36 patients three have no sex: whatever is printed of the others leaves 0 to 3 or more of them."""
    everybody = [
        replace(PERSONS[i % 5], id=f"Q{i:02d}", sex="" if i < 3 else "FM"[i % 2]) for i in range(36)
    ]
    written = release(study(everybody), tmp_path)
    told = {row["value"]: row for row in rows(written["patients.csv"]) if row["about"] == "sex"}
    assert told["sex unknown"]["count"] == "suppressed"
    assert told["women"]["count"] in {"15", "suppressed"}
    assert told["men"]["n"] in {"35", "suppressed"}


def test_two_kinds_of_unknown_are_both_counted_beside_the_known(result: StudyResult) -> None:
    """Of 75, 20 are undetermined and 15 not assessed: the others are shares of 40."""
    counts = {"definite": 20, "not met": 20, "undetermined": 20, "not assessed": 15}
    found = aggregates(Cohort(result))
    steps = [replace_step(step, 75) for step in found.steps]
    group = CountGroup("patients", "storm", counts, ["undetermined", "not assessed"])
    many = bc_replace(found, n=75, groups=[group], steps=steps, values=[])
    [sheet] = [each for each in sheets(many, OPEN) if each.name == "patients"]
    shown = {row[1]: (row[2], row[3]) for row in sheet.rows if row[0] == "storm"}
    assert shown == {"definite": ("20", "40"), "not met": ("20", "40"), "undetermined": ("20", "75"),
                     "not assessed": ("15", "75")}  # fmt: skip


def test_which_rows_there_are_does_not_say_what_a_record_holds(
    study: Study, nobody: StudyResult, tmp_path: Path
) -> None:
    """Of eight the files have the rows that they have of nobody, but for names whose count is printed."""
    few = study(PERSONS[:3])
    heads = []
    for i, each in enumerate((few, nobody)):
        folder = tmp_path / str(i)
        folder.mkdir()
        written = release(each, folder)
        heads.append(
            {name: [line[:2] for line in csv.reader(text.splitlines())] for name, text in written.items()
             if name.endswith(".csv") and name not in {"attrition.csv"}}
        )  # fmt: skip
    assert heads[0] == heads[1]


def test_harm_and_the_rate_without_the_drug_are_counted(result: StudyResult) -> None:
    """More than one line low, new infections, and the same rule among those without the drug."""
    found = aggregates(Cohort(result)).groups
    groups = {group.about: group for group in found}
    assert groups["more than one cell line low"].counts["yes"] == 3
    assert groups["new bacterial infection"].counts == {
        "yes": 0,
        "no": 0,
        "unknown": 5,
    }  # no cultures
    others = [group for group in found if group.sheet == "without_drug"]
    assert len(others) == 5
    assert {group.total for group in others} == {""}
