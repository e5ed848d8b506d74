"""Infections of the MIMIC-IV demo against plain SQL on its files, which knows nothing of becalm's vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import duckdb
import numpy as np
import pytest

from becalm import vocabulary
from becalm.measures.infection_samples import Antibiotics, Sample, antibiotics, samples
from becalm.measures.infections import verdict
from becalm.measures.stage import StageInput
from becalm.patients.understood import Patients
from becalm.records.mimic4 import open_mimic4
from becalm.vocabulary import organism_kinds

DEMO: Final = Path(__file__).parents[4] / "shared" / "data" / "mimic-iv-demo"
GROWN: Final = """
WITH grown AS (
    SELECT subject_id, min(microevent_id) AS key, min(coalesce(charttime, chartdate)) AS drawn,
           bool_and(charttime IS NULL) AS dated, org_name AS organism, any_value(spec_type_desc) AS specimen,
           any_value(test_name) AS test
    FROM read_csv('{demo}/hosp/microbiologyevents.csv.gz')
    WHERE org_name IS NOT NULL AND org_name <> 'CANCELLED'
    GROUP BY subject_id, micro_specimen_id, test_itemid, org_name
), sorted AS (
    SELECT *,
        CASE WHEN organism LIKE '%VIRUS%' OR organism LIKE '%VIRAL%' THEN 'viral'
             WHEN organism LIKE 'YEAST%' OR organism LIKE 'CANDIDA%' THEN 'fungal'
             WHEN organism LIKE '%FLORA%' THEN 'flora' WHEN organism = 'POSITIVE' THEN 'unknown'
             ELSE 'bacterial' END AS kind,
        CASE WHEN organism LIKE '%GRAM POSITIVE%' THEN 'gram positive'
             WHEN organism LIKE '%COAGULASE NEGATIVE' OR organism LIKE 'VIRIDANS%' OR organism LIKE 'CORYNE%'
               OR organism LIKE 'MICROCOCCUS%' THEN organism END AS commensal,
        CASE WHEN test ILIKE '%screen%' OR test LIKE 'R/O VANC%' THEN 'screen'
             WHEN specimen IN ('BLOOD CULTURE', 'FLUID RECEIVED IN BLOOD CULTURE BOTTLES', 'FLUID,OTHER',
                               'PERITONEAL FLUID', 'PLEURAL FLUID', 'TISSUE', 'ABSCESS') THEN 'sterile'
             WHEN specimen IN ('URINE', 'SPUTUM', 'BRONCHOALVEOLAR LAVAGE', 'Mini-BAL', 'BRONCHIAL WASHINGS')
             THEN 'treated' ELSE 'lived in' END AS site
    FROM grown
)
SELECT key, kind, site, drawn, subject_id, dated,
    CASE WHEN kind = 'viral' THEN 'yes' WHEN kind = 'flora' OR site = 'screen' THEN 'no'
         WHEN kind = 'unknown' THEN 'open'
         WHEN site = 'sterile' AND commensal IS NULL THEN 'yes'
         WHEN site = 'sterile' THEN
            CASE WHEN EXISTS (FROM sorted AS other WHERE other.subject_id = this.subject_id
                AND other.site = 'sterile' AND other.commensal = this.commensal AND other.drawn <> this.drawn
                AND abs(epoch(other.drawn) - epoch(this.drawn)) <= 48 * 3600
                AND NOT this.dated AND NOT other.dated) THEN 'yes'
            WHEN EXISTS (FROM sorted AS other WHERE other.subject_id = this.subject_id AND other.key <> this.key
                AND other.site = 'sterile' AND other.commensal = this.commensal AND (this.dated OR other.dated)
                AND abs(epoch(other.drawn) - epoch(this.drawn)) < 72 * 3600) THEN 'hour unknown' ELSE 'no' END
         WHEN kind <> 'bacterial' THEN 'open' WHEN site = 'treated' THEN 'treated' ELSE 'no' END AS counts
FROM sorted AS this ORDER BY key
"""
DRUGS: Final = """
CREATE TABLE drugs AS (
    SELECT subject_id, starttime AS given, label AS drug, 'infused' AS how
    FROM read_csv('{demo}/icu/inputevents.csv.gz', sample_size = -1)
    JOIN read_csv('{demo}/icu/d_items.csv.gz') USING (itemid)
    WHERE category = 'Antibiotics' AND amount > 0 AND statusdescription <> 'Rewritten'
    UNION ALL SELECT subject_id, charttime, medication, 'charted' FROM read_csv('{demo}/hosp/emar.csv.gz', sample_size = -1)
    UNION ALL SELECT subject_id, unnest(generate_series(starttime, stoptime, INTERVAL 12 HOUR)), drug, 'ordered'
    FROM read_csv('{demo}/hosp/prescriptions.csv.gz', sample_size = -1) WHERE stoptime >= starttime
    UNION ALL SELECT subject_id, stoptime, drug, 'ordered'
    FROM read_csv('{demo}/hosp/prescriptions.csv.gz', sample_size = -1)
)
"""
DATES: Final = """
SELECT count(DISTINCT given::DATE) FILTER (how = 'infused'), count(DISTINCT given::DATE) FROM drugs
WHERE subject_id = ? AND given BETWEEN ?::TIMESTAMP - INTERVAL 24 HOUR AND ?::TIMESTAMP + INTERVAL 7 DAY
  AND regexp_matches(lower(drug), 'cillin|^cef|ceph|penem|vanco|floxacin|mycin|micin|cycline|metronidazole|flagyl|zosyn|'
    || 'sulfameth|trimeth|bactrim|aztreonam|linezolid|colisti|polymyxin|rifa|nitrofur|isoniazid|ethambutol|pyrazin|'
    || 'bactam|unasyn|augmentin|amikacin|keflex|ancef')
"""


@dataclass(frozen=True, eq=False)
class Everybody:
    """What is asked of a batch, with all its persons in the cohort."""

    patients: Patients

    @property
    def in_cohort(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """All of them."""
        return np.ones(len(self.patients), np.bool_)


@pytest.fixture(scope="module")
def measured() -> tuple[list[Sample], Antibiotics]:
    """What grew in the demo's hundred persons, and their antibiotics."""
    if not DEMO.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    (records,) = open_mimic4(DEMO).chunks()
    given = cast(StageInput, Everybody(Patients.of(records, vocabulary.load())))
    return samples(given), antibiotics(given)


@pytest.fixture(scope="module")
def asked() -> Mapping[int, tuple[Any, ...]]:
    """The answers of the query, by the key of the first row of each sample and organism."""
    with duckdb.connect() as con:
        rows = con.execute(GROWN.format(demo=DEMO)).fetchall()
    return {row[0]: row[1:] for row in rows}


def test_every_sample_counts_as_a_plain_query_says(
    measured: tuple[list[Sample], Antibiotics], asked: Mapping[int, tuple[Any, ...]]
) -> None:
    """Each sample with an organism, one by one; in urine and airway from four dates with an antibiotic on.

    Which doses were given is a question of its own: an antibiotic infused on four dates is enough, and one that was
    charted or ordered on fewer dates is not. Where only the date of a sample is known, any hour of it may hold.
    """
    found, drugs = measured
    of_person: dict[int, list[Sample]] = {}
    for each in found:
        of_person.setdefault(each.person, []).append(each)
    told = {
        int(each.row.rpartition(":")[2]): verdict(each, of_person[each.person], drugs)
        for each in found
        if not each.antibody and not each.open_result
    }
    assert told.keys() == asked.keys()
    words = {True: "yes", False: "no", None: "open"}
    treated = {True: 0, False: 0}
    with duckdb.connect() as con:
        con.execute(DRUGS.format(demo=DEMO))
        for key, (_, _, drawn, subject, dated, expected) in asked.items():
            if expected != "treated":
                answer = told[key].counts
                assert words[answer] == expected or (expected, answer) == ("hour unknown", None)
                continue
            day_end = drawn + timedelta(days=1) if dated else drawn
            infused = con.execute(DATES, [subject, day_end, drawn]).fetchall()[0][0]
            any_way = con.execute(DATES, [subject, drawn, day_end]).fetchall()[0][1]
            counts = told[key].counts
            if counts is None:
                assert dated
                assert infused < 4 <= any_way
                continue
            assert any_way >= 4 if counts else infused < 4, key
            treated[counts] += 1
    assert min(treated.values()) > 10


def test_every_organism_of_the_demo_has_a_kind(asked: Mapping[int, tuple[Any, ...]]) -> None:
    """But one sample whose organism is the word POSITIVE."""
    with duckdb.connect() as con:
        names = con.execute(
            f"SELECT DISTINCT org_name FROM read_csv('{DEMO}/hosp/microbiologyevents.csv.gz') "
            "WHERE org_name IS NOT NULL AND org_name <> 'CANCELLED'"
        ).fetchall()
    unknown = {name for (name,) in names if organism_kinds.of(name).kind == "not understood"}
    assert unknown == {"POSITIVE"}
    assert len(names) == 58
    assert {kind for kind, *_ in asked.values()} == {
        "viral", "fungal", "flora", "unknown", "bacterial",
    }  # fmt: skip


def test_antibodies_are_no_infection(measured: tuple[list[Sample], Antibiotics]) -> None:
    """The demo has positive IgG after vaccinations, and of old infections with EBV and Helicobacter."""
    found, drugs = measured
    antibodies = [each for each in found if each.antibody]
    assert len(antibodies) == 32
    assert {verdict(each, found, drugs).counts for each in antibodies} == {False}


def test_results_that_nobody_can_read_stay_open_only_where_growth_could_count(
    measured: tuple[list[Sample], Antibiotics],
) -> None:
    """Sentences of the laboratory that are no plain yes or no, of samples without another result."""
    found, drugs = measured
    bacteria = [
        each
        for each in found
        if each.open_result and each.organism.kind in ("bacterial", "not understood")
    ]
    counts = {each.row: verdict(each, found, drugs).counts for each in bacteria}
    assert True not in counts.values()
    sites = Counter(each.site for each in bacteria)
    open_ = Counter(each.site for each in bacteria if counts[each.row] is None)
    assert (sites["urine"], open_["urine"]) == (74, 18)
    assert sites["stool"] > 0
    assert not open_["stool"] + open_["swab"] + open_["device"] + open_["screen"]
