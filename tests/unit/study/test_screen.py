"""Definitions over everybody, without a protocol."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from becalm import tables
from becalm.core.errors import UsageError
from becalm.records import Records, Source
from becalm.study import screen
from tests.records import lab, person, records, stay


def source(*chunks: Records) -> Source:
    stands = SimpleNamespace(chunks=lambda: iter(chunks), absent=tuple, doubts=(), site=None)
    return cast(Source, stands)


ILL = records(
    person("b"),
    lab("ferritin", 9000, 0), lab("temperature", 40, 0), lab("triglycerides", 5, 0),
    lab("fibrinogen", 1.5, 0), lab("ast", 300, 0),
)  # fmt: skip
BLANK = records(person("a"))


def screened(names: list[str], *chunks: Records) -> list[dict[str, Any]]:
    return [row for frame in screen.screen(source(*chunks), names) for row in frame.rows()]


def test_everybody_is_assessed_and_nothing_measured_leaves_everything_open() -> None:
    """With nothing measured an HScore is 0 to 337: undetermined, not 0."""
    found = {row["person_id"]: row for row in screened(["hscore"], ILL, BLANK)}
    assert (found["a"]["low"], found["a"]["high"]) == (0, 337)
    assert [found[name]["status"] for name in "ab"] == ["undetermined", "met"]
    assert {row["moment"] for row in found.values()} == {"peak_ever"}


def test_a_definition_named_twice_is_asked_once() -> None:
    assert len(screened(["hscore", "hscore", "hlh2004"], ILL)) == 2


def test_without_criteria_there_is_nothing_to_screen_by() -> None:
    with pytest.raises(UsageError, match=r"no criteria to screen by\. Name some of .*hscore"):
        screened([], ILL)


def test_progress_counts_persons() -> None:
    said: list[str] = []
    list(screen.screen(source(ILL, BLANK), ["hscore"], said.append))
    assert said == ["1 persons screened", "2 persons screened"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_it_is_written_under_the_name_asked_for(tmp_path: Path, form: str) -> None:
    frames: Iterator[Any] = screen.screen(source(BLANK, ILL), ["hscore", "hlh2004"])
    assert screen.write(frames, tmp_path / f"mine.{form}") == 4
    assert [path.name for path in tmp_path.iterdir()] == [f"mine.{form}"]
    if form == "csv":
        lines = (tmp_path / "mine.csv").read_text().splitlines()
        assert lines[0].split(",") == list(tables.CRITERIA)
        assert [line.split(",")[:2] for line in lines[1:]] == [
            ["a", "hlh2004"], ["a", "hscore"], ["b", "hlh2004"], ["b", "hscore"],
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.CSV.gz"])
def test_a_form_that_cannot_be_written_is_refused_first(name: str) -> None:
    with pytest.raises(UsageError, match="does not end in"):
        screen.form_of(Path(name))


def test_the_test_that_would_settle_a_total_stands_beside_it() -> None:
    """MAS 2016 with fever, ferritin and one of four: each of the three others would meet it, none alone deny it."""
    almost = records(
        person("c"), lab("ferritin", 9000, 0), lab("temperature", 40, 0), lab("platelets", 90, 0)
    )
    found = {row["person_id"]: row["next_test"] for row in screened(["mas2016"], ILL, almost)}
    assert found["b"] == ""  # met
    assert found["c"].split("|") == [
        "ast: met if above 48 U/L",
        "triglycerides: met if above 1.76 mmol/L (156 mg/dL)",
        "fibrinogen: met if up to 3.6 g/L",
    ]
    [none] = screened(["mas2016"], BLANK)
    assert none["next_test"] == ""  # nothing was ever measured, so there is no moment


def test_over_whole_stays_the_test_is_named_too() -> None:
    """147 points: liver or spleen (23), fibrinogen (30) or marrow (35) reach 169; AST (19) and immunosuppression (18) do not."""
    stayed = records(
        person("d"), stay(0, 48), lab("ferritin", 9000, 1), lab("temperature", 39, 2), lab("triglycerides", 5, 3),
    )  # fmt: skip
    [row] = [
        r for f in screen.screen(source(stayed), ["hscore"], whole_stay=True) for r in f.rows()
    ]
    assert (row["moment"], row["low"]) == ("whole_stay", 147)
    assert row["next_test"].split("|") == [
        "hepatomegaly: met if present",
        "splenomegaly: met if present",
        "fibrinogen: met if up to 2.5 g/L",
        "haemophagocytosis: met if present",
    ]
