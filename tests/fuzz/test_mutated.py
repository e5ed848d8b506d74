"""Records with one thing wrong: becalm ends well or says what is wrong, and changes nothing in silence.

What is held, for each case: see `cases.check`. The long run has 2,000 cases; the first 200 of them run always.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from becalm.core.errors import RecordsError
from tests.fuzz.attempt import CODES, attempt, reading
from tests.fuzz.cases import RECORDS, TURN, How, case, check, how_of
from tests.fuzz.small import FORMS, form, write

ALWAYS, ALL = 200, 2_000
STUDIES = 3
"""In the long run one of so many cases is studied too."""
AT_ONCE = 20
"""Cases of one test: with one of each they would be mostly the work of pytest."""


def failures(seeds: Iterable[int], folder: Path, *, studies: int = 0) -> list[str]:
    """Run the cases of some seeds and return what is wrong, each with its seed and what was mutated.

    studies : of every so many mutated records one is also studied; 0: none besides those of `how_of`.
    """
    wrong = []
    for seed in seeds:
        also: How = "study" if studies and seed % studies == 0 else how_of(seed)
        for how in dict.fromkeys((how_of(seed), also)):
            place = folder / f"{seed}-{how}"
            one = case(seed)
            try:
                check(one, place, how)
            except Exception as error:
                about = f"{seed}, {one.form_name}, {how}: {one.what}"
                wrong.append(f"{about}: {type(error).__name__}: {error}")
            shutil.rmtree(place, ignore_errors=True)
    return wrong


@pytest.mark.parametrize("first", range(0, ALWAYS, AT_ONCE))
def test_a_mutated_record_ends_well_or_says_what_is_wrong(first: int, tmp_path: Path) -> None:
    assert failures(range(first, first + AT_ONCE), tmp_path) == []


FOUND = (332, 371, 631, 712, 772, 1252, 1391, 1497, 1537, 1817)
"""Cases of the long run that once did not keep everything: an unreadable `valuenum`, blanks around codes, no hint."""


@pytest.mark.parametrize("seed", FOUND)
def test_what_the_long_run_once_found_stays_mended(seed: int, tmp_path: Path) -> None:
    assert failures([seed], tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, ALL, AT_ONCE))
def test_all_mutated_records_end_well_or_say_what_is_wrong(first: int, tmp_path: Path) -> None:
    assert failures(range(first, first + AT_ONCE), tmp_path, studies=STUDIES) == []


# ------------------------------------------------------------ the cases themselves


def test_a_seed_gives_the_same_case_again() -> None:
    for seed in range(len(TURN)):
        one, again = case(seed), case(seed)
        assert (one.what, one.toml, one.mutated) == (again.what, again.toml, again.mutated)


def test_every_form_and_every_file_is_mutated_in_many_ways() -> None:
    """No form is forgotten, cases differ, and some of each demand are among those that run always."""
    cases = [case(seed) for seed in range(ALWAYS)]
    assert {one.form_name for one in cases} == set(TURN)
    assert set(FORMS) == set(TURN[:RECORDS])
    assert len({one.what for one in cases}) > 0.95 * ALWAYS
    demands = Counter(one.mutated.must for one in cases)
    assert min(demands[name] for name in ("same", "equal", "unreadable", "changed")) >= 3
    assert {how_of(seed) for seed in range(ALWAYS)} == {
        "read",
        "doctor",
        "screen",
        "study",
        "outside",
    }


@pytest.mark.parametrize("name", FORMS)
def test_records_without_a_mutation_are_read_without_a_word(name: str, tmp_path: Path) -> None:
    given = form(name)
    where = write(given, tmp_path / "records")
    options = [option.format(tmp_path / "records") for option in given.options]
    assert attempt(["doctor", where, *options], tmp_path / "out").code == 0


# ------------------------------------------------------------ the checks can fail


def test_a_message_without_a_place_or_a_way_to_mend_it_is_not_enough() -> None:
    def without_hint() -> None:
        raise RecordsError("is wrong", where="labs.csv, row 3")

    def without_place() -> None:
        raise RecordsError("is wrong", hint="Correct it")

    def two_lines() -> None:
        raise RecordsError("is wrong", where="labs.csv\0", hint="Correct it")

    for bad in (without_hint, without_place, two_lines):
        with pytest.raises(AssertionError):
            reading(bad)
    assert not {0, 70} & CODES


def test_a_lost_row_and_a_changed_neighbour_are_seen(tmp_path: Path) -> None:
    """The books do not balance where a row is missing that the tables of the case have."""
    one = case(0)
    one.mutated.form = form("sheets").copy()
    one.mutated.touched, one.mutated.must, one.mutated.whole = set(), "any", True
    check(one, tmp_path / "well", "read")
    lost = one.mutated.form.copy()
    del lost.tables["labs.csv"][3]
    one.mutated.files = {"labs.csv": "\n".join(map(",".join, lost.tables["labs.csv"])).encode()}
    with pytest.raises(AssertionError, match="rows came in"):
        check(one, tmp_path / "lost", "read")
    one.mutated.whole = False
    with pytest.raises(AssertionError, match="P1 is not touched"):
        check(one, tmp_path / "changed", "read")
