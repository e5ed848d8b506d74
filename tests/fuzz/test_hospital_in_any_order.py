"""The synthetic hospital with the rows of every sheet shuffled: the same tables."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

import becalm
from becalm.core.frame import Frame
from becalm.demo.hospital import write_hospital


def said(table: Frame) -> list[str]:
    """Return the rows of a table without references to rows of the records, which follow their order."""
    columns = [
        name
        for name in table.columns
        if "row" not in name and name not in {"example", "key", "source"}
    ]
    return sorted(map(repr, zip(*(table[name].tolist() for name in columns), strict=True)))


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["anakinra_mas", "hyperinflammation"])
def test_the_order_of_rows_of_the_hospital_means_nothing(tmp_path: Path, protocol: str) -> None:
    """Only numbers of rows, and the example of a refusal, say another row. The table `rows` is about them alone."""
    write_hospital(tmp_path, 60, 20)
    plain = becalm.run(becalm.open_records(tmp_path), protocol=protocol).result.frames
    choose = random.Random(3)
    for path in sorted(tmp_path.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        choose.shuffle(rows)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    shuffled = becalm.run(becalm.open_records(tmp_path), protocol=protocol).result.frames
    unlike = [n for n, table in plain.items() if n != "rows" and said(table) != said(shuffled[n])]
    assert not unlike
