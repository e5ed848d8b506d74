"""No suppressed count of a release can be computed from the release: by the attacker of `scripts/attack`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from becalm.api.write import write_for_release, write_release_of
from becalm.records import open_records
from becalm.report.cohort import Cohort
from becalm.report.release.aggregates import aggregates
from becalm.report.release.rules import DisclosureRules
from becalm.study import protocol_names
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.release.attacker import Attack, attack
from tests.report.charts import PERSONS
from tests.report.conftest import Study, repeated
from tests.report.test_landmark import sheets as landmark_sheets

ROOT: Final = Path(__file__).parents[2]
DEMO: Final = ROOT.parent / "shared" / "data" / "mimic-iv-demo"
COHORTS: Final = 500
MOST: Final = 60
"""Persons in the largest of the generated cohorts."""


def of_some(study: StudyResult, persons: set[str]) -> StudyResult:
    """Return a study as if only some persons of its cohort had entered."""
    frames = {
        name: frame.take(
            np.array([who in persons for who in frame["person_id"].tolist()], dtype=bool)
        )
        if "person_id" in frame.columns.held and name != "left"
        else frame
        for name, frame in study.frames.items()
    }
    steps = study.frames["attrition"]
    remain = steps["persons"].copy()
    remain[-1] = len(persons)
    return study.with_frames({**frames, "attrition": steps.replace(persons=remain)})


def some_of(study: StudyResult, n: int, rng: np.random.Generator) -> StudyResult:
    ids = study.tables["persons"]["person_id"]
    return of_some(study, set(rng.choice(ids, min(n, len(ids)), replace=False)))


def attacked(study: StudyResult, folder: Path, rules: DisclosureRules | None = None) -> Attack:
    """Write a release and attack it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_release_of(aggregates(Cohort(study)), folder, rules=rules)
    return attack(folder)


@pytest.fixture(scope="session")
def treated(study: Study) -> StudyResult:
    """Return a study with a drug of interest, of sixty invented patients like the five."""
    return study(repeated(MOST))


@pytest.fixture(scope="session")
def landmark(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """Return a study with a landmark, of forty invented patients."""
    records = landmark_sheets(tmp_path_factory.mktemp("landmark"))
    protocol = protocol_names.load("covid_hyperinflammation")
    return run(open_records(str(records)), protocol, "landmark")


def _generated(studies: list[StudyResult], cohorts: range, folder: Path) -> None:
    hidden = printed = 0
    for k in cohorts:
        rng = np.random.default_rng([20, k])
        study = some_of(studies[k % len(studies)], int(rng.integers(1, MOST + 1)), rng)
        found = attacked(study, folder / "release")
        assert not found.succeeded, (k, found.recovered, found.other)
        hidden, printed = hidden + found.hidden, printed + found.printed
    assert hidden > 0
    assert printed > 0


def test_of_generated_cohorts_of_1_to_60_no_suppressed_count_is_computed(
    hospital: StudyResult, treated: StudyResult, landmark: StudyResult, tmp_path: Path
) -> None:
    _generated([hospital, treated, landmark], range(COHORTS // 10), tmp_path)


@pytest.mark.long
def test_of_500_generated_cohorts_no_suppressed_count_is_computed(
    hospital: StudyResult, treated: StudyResult, landmark: StudyResult, tmp_path: Path
) -> None:
    _generated([hospital, treated, landmark], range(COHORTS), tmp_path)


@pytest.mark.skipif(not DEMO.exists(), reason="shared/data is not here")
@pytest.mark.parametrize(
    "protocol", ["anakinra_mas", "hyperinflammation", "covid_hyperinflammation"]
)
def test_of_the_mimic_demo_no_suppressed_count_is_computed(protocol: str, tmp_path: Path) -> None:
    study = run(open_records(str(DEMO)), protocol_names.load(protocol), "demo")
    assert not attacked(study, tmp_path / "release").succeeded


@pytest.mark.parametrize(
    "rules",
    [
        DisclosureRules(threshold=8, base=1, protection=0),  # no rounding
        DisclosureRules(
            threshold=8, base=5, protection=0
        ),  # no suppression beside the small counts
    ],
)
def test_the_attacker_succeeds_where_a_rule_is_left_out(
    hospital: StudyResult, rules: DisclosureRules, tmp_path: Path
) -> None:
    """An attacker who never finds anything would show nothing."""
    found = []
    for k in range(12):
        rng = np.random.default_rng([7, k])
        study = some_of(hospital, 43 + k, rng)
        shutil.rmtree(tmp_path / "release", ignore_errors=True)
        (tmp_path / "release").mkdir()
        write_release_of(aggregates(Cohort(study)), tmp_path / "release", rules=rules)
        manifest = tmp_path / "release" / "manifest.json"
        facts = json.loads(manifest.read_text("utf-8"))
        manifest.write_text(json.dumps({**facts, "protection": 2}), "utf-8")
        found += attack(tmp_path / "release").recovered
    assert found


def test_the_attacker_sees_what_a_manifest_must_not_say(
    hospital: StudyResult, tmp_path: Path
) -> None:
    write_for_release(hospital, tmp_path)
    assert not attack(tmp_path).other
    manifest = tmp_path / "manifest.json"
    facts = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**facts, "rows": {"persons": 5}}), "utf-8")
    assert attack(tmp_path).other == ["the manifest says rows"]


@pytest.mark.parametrize(
    ("n", "least", "most"), [(5, 0.0, 0.06), (12, 0.1, 0.6), (30, 0.25, 0.7), (100, 0.35, 0.8)]
)
def test_more_is_printed_of_more_patients(
    hospital: StudyResult, n: int, least: float, most: float, tmp_path: Path
) -> None:
    """Of five almost nothing, of a hundred about half of the counts: the other half are of a few, or of nobody."""
    shares = []
    for k in range(3):
        found = attacked(some_of(hospital, n, np.random.default_rng([n, k])), tmp_path / "release")
        shares.append(found.printed / (found.printed + found.hidden))
    assert least <= float(np.mean(shares)) <= most


def test_the_script_attacks_a_folder(hospital: StudyResult, tmp_path: Path) -> None:
    write_for_release(hospital, tmp_path)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "attack", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0 of " in done.stdout
    assert "counts are printed" not in done.stdout or "rows are printed" in done.stdout


def test_two_cohorts_that_differ_in_one_disease_have_the_same_files(
    study: Study, tmp_path: Path
) -> None:
    """A rare disease, an unusual drug, a later death: not even the size of a file tells that somebody has it."""
    people = repeated(24)
    usual = study(people)
    rare = study([replace(people[0], background="Kikuchi disease", sex="M"), *people[1:]])
    written = []
    for i, each in enumerate((usual, rare)):
        folder = tmp_path / str(i)
        folder.mkdir()
        write_for_release(each, folder)
        written.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert written[0].keys() == written[1].keys()
    assert b"Kikuchi" not in b"".join(written[1].values())
    assert written[0]["manifest.json"].count(b'"name"') == written[1]["manifest.json"].count(
        b'"name"'
    )
    assert PERSONS[0].id.encode() not in b"".join(written[1].values())
