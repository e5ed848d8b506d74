"""The list of lines of clinical meaning that tests must notice: `tests/mutants.toml`, `scripts/mutants`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "scripts" / "mutants"
MUTANTS: list[dict[str, Any]] = tomllib.loads(
    (ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8")
)["mutant"]
SAMPLE = (
    "A death known by its date is believed for two days.",
    "Two weights of one minute exactly 5 % apart are none.",
)
"""Run in every test run, because their tests take a second; the whole list with `-m long`."""


def test_each_line_still_stands_where_the_list_says() -> None:
    """A line that was rewritten has to be listed anew: its old text occurs exactly once."""
    wrong = [
        each["meaning"]
        for each in MUTANTS
        if (ROOT / "src" / "becalm" / each["file"]).read_text(encoding="utf-8").count(each["old"])
        != 1
        or each["old"] == each["new"]
    ]
    assert not wrong


def test_each_test_that_must_fail_exists() -> None:
    """A test that was renamed has to be named anew."""
    for each in MUTANTS:
        assert each["tests"], each["meaning"]
        for test in each["tests"]:
            file, _, name = test.partition("::")
            assert (ROOT / file).exists(), test
            if name:
                text = (ROOT / file).read_text(encoding="utf-8")
                assert re.search(rf"def {re.escape(name.split('::')[-1])}\(", text), test


def test_each_mutant_has_its_own_meaning() -> None:
    """Said once, in a sentence; more than fifty beside those that were once missed."""
    meanings = [each["meaning"] for each in MUTANTS]
    assert len(set(meanings)) == len(meanings) > 70
    assert all(meaning.endswith(".") for meaning in meanings)
    assert set(SAMPLE) <= set(meanings)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(COMMAND), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_sample_of_mutants_is_noticed() -> None:
    """Each sampled change makes a test fail, and a word that no mutant has is refused."""
    done = run(*SAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{len(SAMPLE)} mutants, 0 survived\n")
    assert run("no line means this").returncode == 2


@pytest.mark.long
def test_every_mutant_is_noticed() -> None:
    """The whole list: about twenty minutes."""
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
