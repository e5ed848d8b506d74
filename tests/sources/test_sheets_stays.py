"""Words for the kind of a stay and for where a patient went, as a new user types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.records import open_records


def first(folder: Path, kind: str, to: str) -> tuple[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / "persons.csv").write_text("person_id\nP1\n")
    (folder / "stays.csv").write_text(
        f"person_id,start,end,kind,to\nP1,2000-01-01,2000-01-25,{kind},{to}\n"
    )
    [records] = open_records(str(folder)).chunks()
    return str(records.stays["kind"][0]), str(records.stays["destination"][0])


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("hospital", "ward"), ("Inpatient", "ward"), ("in-patient", "ward"), ("general ward", "ward"), ("ward", "ward"),
        ("ITU", "ICU"), ("MICU", "ICU"), ("intensive care", "ICU"), ("icu", "ICU"),
        ("ER", "ED"), ("A&E", "ED"), ("emergency department", "ED"),
        ("clinic", "outpatient"), ("out-patient", "outpatient"),
    ],
)  # fmt: skip
def test_a_usual_word_for_the_kind_of_a_stay_is_read(
    tmp_path: Path, written: str, kind: str
) -> None:
    assert first(tmp_path / "sheets", written, "home")[0] == kind


@pytest.mark.parametrize("written", ["rehab", "Rehabilitation facility", "SNF", "nursing home"])
def test_who_went_to_another_house_left_alive(tmp_path: Path, written: str) -> None:
    assert first(tmp_path / "sheets", "ward", written)[1] == "transfer"
