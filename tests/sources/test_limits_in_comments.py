"""A comment that begins with the limit of the number beside it makes the number that limit, in every source."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.events import Events, harmonise
from becalm.records import open_records
from becalm.records.mimic4 import open_mimic4
from becalm.vocabulary.numbers import limit_in
from tests.records.chart_review import read_sheets, write
from tests.records.mimic_files import FileRow, mimic_folder

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
INF: Final = np.inf

CASES: Final = [
    # number, comment, lowest, highest
    ("5", "<5*", 0.0, np.nextafter(5, 0)),
    ("5", "<5*.", 0.0, np.nextafter(5, 0)),
    ("5", "LESS THAN 5", 0.0, np.nextafter(5, 0)),
    ("5", "≤5", 0.0, 5.0),
    ("5", "< 5.0", 0.0, np.nextafter(5, 0)),
    ("5000", "GREATER THAN 5000", np.nextafter(5000, INF), INF),
    ("5000", "greater than 5,000 ng/mL.  Verified by dilution.", np.nextafter(5000, INF), INF),
    ("5000", ">5000; REPEATED", np.nextafter(5000, INF), INF),
    ("5000", ">=5000", 5000.0, INF),
    ("5000", "at least 5000", 5000.0, INF),
    # The comment speaks of something else: the number stays as it is.
    ("5", "<6", 5.0, 5.0),
    ("5", "<5 IS NORMAL", 5.0, 5.0),
    ("125", "IF FASTING, 70-100 NORMAL, >125 PROVISIONAL DIABETES.", 125.0, 125.0),
    ("5", "CTROPNT > 5 NG/ML SUGGESTS ACUTE MI.", 5.0, 5.0),
    ("8", "HOLD.  DISCARD GREATER THAN 8 HOURS OLD.", 8.0, 8.0),
    ("5", ">5-10", 5.0, 5.0),
    ("5", "hemolyzed", 5.0, 5.0),
    ("5", "", 5.0, 5.0),
]


def bounds(events: Events) -> tuple[float, float]:
    (row,) = events.frame.rows()
    return row["low"], row["high"]


@pytest.mark.parametrize(("number", "comment", "low", "high"), CASES)
def test_a_sheet(tmp_path: Path, number: str, comment: str, low: float, high: float) -> None:
    text = f'person_id,time,name,value,unit,comment\nP1,2020-03-04T10:00,ferritin,{number},ng/mL,"{comment}"\n'
    events = harmonise(read_sheets(write(tmp_path, labs=text)), vocabulary.load())
    assert bounds(events) == (low, high)


def test_mimic(tmp_path: Path) -> None:
    """Masked with three lines, or with the number as the value."""
    each = [(value, *case) for case in CASES for value in ("___", case[0])]
    rows: list[FileRow] = [
        {
            "labevent_id": at, "subject_id": 10, "itemid": 50924, "charttime": "2160-01-02 03:04:00",
            "value": value, "valuenum": number, "valueuom": "ng/mL", "comments": comment,
        }
        for at, (value, number, comment, _, _) in enumerate(each)
    ]  # fmt: skip
    labels: list[FileRow] = [{"itemid": 50924, "label": "Ferritin", "fluid": "Blood"}]
    folder = mimic_folder(tmp_path, {"hosp/d_labitems": labels, "hosp/labevents": rows})
    (records,) = open_mimic4(folder).chunks()
    frame = harmonise(records, vocabulary.load()).frame
    found = dict(
        zip(frame["row"].tolist(), zip(frame["low"], frame["high"], strict=True), strict=True)
    )
    for row, (value, number, comment, low, high) in enumerate(each):
        assert found[row] == (low, high), (value, number, comment)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.integers(1, 10**6),
    st.sampled_from(["<", ">", "<=", ">=", "≥", "greater than", "LESS THAN", "above", "at most"]),
    st.sampled_from(["", "*", ".", "  VERIFIED.", " mg/dL", " NG/ML.", "; see note", " (H)"]),
    st.sampled_from([0, 1, 7]),
)
def test_only_the_limit_of_the_number_itself(number: int, sign: str, rest: str, off: int) -> None:
    """The same limit one or seven away says nothing about this number."""
    comment = f"{sign} {number}{'.' if rest.startswith('  ') else ''}{rest}"
    said = limit_in(comment, number + off)
    assert bool(said) is (off == 0 and rest != " (H)")
    if said:
        assert said[0] == {"greater than": ">", "LESS THAN": "<", "above": ">", "at most": "<"}.get(sign, sign.replace("≥", ">"))[0]  # fmt: skip


@pytest.mark.skipif(not DEMO.is_dir(), reason="shared/data/mimic-iv-demo is absent")
def test_the_public_demo_has_platelets_below_five() -> None:
    """Platelets of `___`, 5, comment `<5*.` are below 5: one of 107,727 results."""
    found = []
    for records in open_records(str(DEMO)).chunks():
        events = harmonise(records, vocabulary.load())
        of = events.frame["variable"] == vocabulary.load().code("platelets")
        rows = events.frame.take(of & (events.frame["low"] < events.frame["high"]))
        found += [(row["low"], row["high"]) for row in rows.rows()]
    assert found == [(0.0, np.nextafter(5, 0))]
