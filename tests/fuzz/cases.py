"""The cases: from a seed to mutated records, the run on them, and what must be true of it."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import pytest

from becalm.core import machine
from becalm.report import theme
from tests.fuzz import toml_mutations
from tests.fuzz.accounts import Account, account, rows_of_sheets
from tests.fuzz.attempt import Outcome, attempt, attempt_outside, contents, reading
from tests.fuzz.mutations import MUTATIONS, Mutated
from tests.fuzz.small import DEFINITION, PROTOCOL, WORDS, Form, form, write

How = Literal["read", "doctor", "screen", "study", "outside"]
RECORDS: Final = 15
"""So many of each turn are records; the others are TOML files."""
TURN: Final = (
    *["sheets"] * 9, *["workbook"] * 2, *["mimic4"] * 2, *["mapped"] * 2,
    "study.toml", "words", "protocol", "mapping.toml", "definition",
)  # fmt: skip
"""What is mutated, in turn."""
_TOML: Final = {"words": WORDS, "protocol": PROTOCOL, "definition": DEFINITION}


@dataclass
class Case:
    """Mutated records. form_name : the form, or the TOML file that is mutated."""

    seed: int
    form_name: str
    what: str
    mutated: Mutated
    toml: bytes = b""


def case(seed: int) -> Case:
    """Return the case of a seed; the same seed gives the same case everywhere."""
    rng = random.Random(seed)
    name = TURN[seed % len(TURN)]
    if name in _TOML:
        what, content = toml_mutations.mutated(_TOML[name], rng)
        given = Mutated(form("sheets").copy(), what)
        return Case(seed, name, f"{name}: {what}", given, content)
    if name in {"study.toml", "mapping.toml"}:
        given_form = form("sheets" if name == "study.toml" else "mapped").copy()
        what, content = toml_mutations.mutated(given_form.others[name].decode(), rng)
        given_form.others[name] = content
        return Case(seed, name, f"{name}: {what}", Mutated(given_form, what))
    mutated = rng.choice(MUTATIONS[name])(form(name).copy(), rng)
    return Case(seed, name, mutated.what, mutated)


@cache
def _before(name: str) -> Account:
    """Return the account of the records of a form without any mutation."""
    with TemporaryDirectory() as made:
        given = form(name)
        where = write(given, Path(made))
        return account(where, _options(given, Path(made)))


@cache
def _tables_before(name: str) -> dict[str, Counter[str]]:
    """Return the rows of each person in the tables of a study on records without any mutation."""
    with TemporaryDirectory() as made:
        given = form(name)
        (Path(made) / "records").mkdir()
        where = write(given, Path(made) / "records")
        options = _options(given, Path(made) / "records")
        with undrawn():
            attempt(["study", where, *options, "--protocol", given.protocol], Path(made) / "out")
        return _tables(Path(made) / "out")


def _options(given: Form, folder: Path) -> tuple[str, ...]:
    return tuple(option.format(folder) for option in given.options)


@contextmanager
def undrawn() -> Iterator[None]:
    """Draw no figure, as drawing takes longer than all the rest; that each can be written is still tried."""

    def as_json(spec: Any) -> str:
        json.dumps(spec)
        return '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>'

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theme, "draw", as_json)
        patch.setattr(theme, "pixels_of", lambda _: b"")
        patch.setattr(machine, "cores", lambda: 1)
        yield


def how_of(seed: int) -> How:
    """Return how the case of a seed is run where time is short."""
    if seed % len(TURN) >= RECORDS:
        return "read"
    if seed % 100 == 7:
        return "outside"
    if seed % 41 == 0:
        return "study"
    return ("doctor", "screen", "read", "read")[seed % 4]


def check(case: Case, folder: Path, how: How) -> int:
    """Run becalm on a case and raise AssertionError where a promise is not kept; return the exit code.

    how : with which command; `read` reads the records as every command does, and `outside` is `study` in a
    process of its own, its figures drawn.
    """
    records, out = folder / "records", folder / "out"
    records.mkdir(parents=True)
    given = case.mutated
    where = write(given.form, records, given.files)
    options = _options(given.form, records)
    before = contents(records)
    study = ["study", where, *options, "--protocol", given.form.protocol]
    after: Account | None = None
    with undrawn():
        if case.toml:
            own = folder / "own.toml"
            own.write_bytes(case.toml)
            outcome = _with_toml(case.form_name, where, own, out)
        elif how == "outside":
            outcome = attempt_outside(study, out)
        elif how == "study":
            outcome = attempt(study, out)
        elif how == "screen":
            outcome = attempt(["screen", where, *options], out / "peaks.csv")
        elif how == "doctor":
            outcome = attempt(["doctor", where, *options], out)
        else:
            outcome, after = reading(lambda: account(where, options))
    assert contents(records) == before, "the records were changed"
    if case.toml or case.form_name.endswith(".toml"):
        return outcome.code
    if given.must == "same":
        assert outcome.code == 0, f"stops: {outcome.said}"
    if outcome.code == 0:
        _adds_up(given, after or account(where, options))
        if how in {"study", "outside"}:
            _spares_the_others(given, out)
    return outcome.code


def _with_toml(name: str, where: Path, own: Path, out: Path) -> Outcome:
    if name == "protocol":
        return attempt(["study", where, "--protocol", own], out)
    if name == "definition":
        return attempt(["screen", where, "--criteria", own], out / "peaks.csv")
    return attempt(["screen", where, "--words", own], out / "peaks.csv")


def _adds_up(given: Mutated, after: Account) -> None:
    """Rows in are rows used and rows refused; nobody else's data change; and no cell is lost in silence."""
    before = _before(given.form.name)
    if given.whole and given.form.name in {"sheets", "workbook"}:
        came = rows_of_sheets(given.form.tables)
        for name, (used, refused) in after.rows.items():
            assert came[name] == used + refused, (
                f"{name}: {came[name]} rows came in, {used} are used and {refused} refused"
            )
    if given.touched is not None:
        for name in before.persons.keys() - given.touched:
            lost = before.persons[name] - after.persons.get(name, Counter())
            new = after.persons.get(name, Counter()) - before.persons[name]
            assert not lost and not new, (
                f"{name} is not touched: {list(lost)[:2]} -> {list(new)[:2]}"
            )
    other = after.persons != before.persons
    told = after.reported != before.reported
    if given.must == "same":
        assert not other, _first_difference(before, after)
        assert after.reported == before.reported, after.reported - before.reported
    elif given.must == "equal":
        assert not other or told, _first_difference(before, after)
    elif given.must == "unreadable":
        assert told, "nothing is reported of a cell that nobody can read" + (
            f": {_first_difference(before, after)}" if other else ""
        )
    elif given.must == "changed":
        assert other or told, "another value changes nothing, and nothing is reported"


def _first_difference(before: Account, after: Account) -> str:
    for name in sorted(before.persons.keys() | after.persons.keys()):
        one, two = (each.persons.get(name, Counter()) for each in (before, after))
        if one != two:
            return f"{name}: {list(one - two)[:1]} -> {list(two - one)[:1]}"
    return "no difference"


def _spares_the_others(given: Mutated, out: Path) -> None:
    """The tables of a study say of who was not touched what they said before."""
    if given.touched is None:
        return
    before, after = _tables_before(given.form.name), _tables(out)
    for name in before.keys() - given.touched:
        lost, new = before[name] - after[name], after[name] - before[name]
        assert not lost and not new, f"tables of {name}: {list(lost)[:1]} -> {list(new)[:1]}"


def _tables(out: Path) -> dict[str, Counter[str]]:
    """Return the rows of each person in the written tables, without the numbers of source rows."""
    found: dict[str, Counter[str]] = {}
    for path in sorted((out / "tables").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if "person_id" in row:
                    kept = {k: v for k, v in row.items() if not k.endswith(("_row", "_rows"))}
                    text = f"{path.stem} {kept}"
                    found.setdefault(row["person_id"], Counter())[text] += 1
    return found
