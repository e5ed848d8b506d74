"""The cohort of `hyperinflammation` in real records, against its rule as one plain query."""

from pathlib import Path
from typing import Final

import duckdb
import pytest

from becalm import protocol, vocabulary
from becalm.cohort.selection import candidates
from becalm.core.clock import to_us
from becalm.patients.understood import Patients
from becalm.records import open_records

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
PERSONS: Final = {
    "10003400", "10015860", "10018081", "10019003", "10020740", "10021487", "10029291", "10032725",
    "10035631", "10038081", "10038999", "10039708",
}  # fmt: skip
RULE: Final = """
WITH labs AS (
    SELECT subject_id, itemid, charttime AS drawn, valuenum AS value,
           greatest(charttime, coalesce(storetime, charttime)) AS known
    FROM read_csv('{demo}/hosp/labevents.csv.gz')
), warmth AS (
    SELECT subject_id, charttime AS drawn, charttime AS known,
           CASE itemid WHEN 223761 THEN round((valuenum - 32) / 1.8, 6) ELSE valuenum END AS value
    FROM read_csv('{demo}/icu/chartevents.numeric-rebuilt.csv.gz')
    WHERE itemid IN (223761, 223762, 226329)
), qualifying AS (
    SELECT subject_id, drawn, known FROM warmth WHERE value BETWEEN 38.0 AND 44
    UNION ALL
    SELECT subject_id, drawn, known FROM labs
    WHERE (itemid IN (51222, 50811, 51640) AND value >= 2 AND value < 9.0)
       OR (itemid IN (51265, 51704) AND value < 100)
       OR (itemid IN (52075, 53133) AND value < 1.0)
)
SELECT high.subject_id::VARCHAR, min(greatest(high.known, qualifying.known))
FROM labs AS high JOIN qualifying USING (subject_id)
WHERE high.itemid = 50924 AND high.value >= 500
  AND abs(epoch_us(high.drawn) - epoch_us(qualifying.drawn)) <= 48 * 3600 * 1000000::BIGINT
GROUP BY ALL ORDER BY ALL
"""


@pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")
def test_the_index_hours_are_those_of_a_plain_query() -> None:
    """The same twelve persons, each at the same minute."""
    rules = protocol.load("hyperinflammation")
    source = open_records(str(DEMO))
    found: dict[str, int] = {}
    for records in source.chunks():
        chosen = candidates(Patients.of(records, vocabulary.load()), rules, source.info)
        for who in chosen.steps[-1].remaining.nonzero()[0].tolist():
            found[records.persons["person_id"][who]] = int(chosen.clocks.index[who])
    with duckdb.connect() as con:
        asked = con.execute(RULE.format(demo=DEMO)).fetchall()
    assert found == {person: to_us(time) for person, time in asked}
    assert found.keys() == PERSONS
