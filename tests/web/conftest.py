"""A workbench of twenty invented patients, its page, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from becalm.web.gate import Gate
from becalm.web.serving import listening, served
from becalm.web.workbench import Workbench, open_workbench
from tests.records import condition, culture, dose, finding, lab, person, procedure, sheets, stay
from tests.web.browser import Tab, tab

PERSONS = 20
PROTOCOL = Path(__file__).parents[2] / "src/becalm/protocol/shipped/hyperinflammation.toml"
REVIEW = """
[review]
questions = ["storm_active", "infection_true", "relapse"]
"""


class Open(NamedTuple):
    """An open page: its gate, its workbench, and the folder of the records."""

    gate: Gate
    bench: Workbench
    records: Path


def write_records(folder: Path, persons: int = PERSONS) -> Path:
    """Write patients; those with an odd number have a ferritin that fits a storm."""
    rows = []
    for number in range(1, persons + 1):
        who = f"SECRET-{number:02}"
        rows += [
            person(who),
            stay(0, 240, person=who),
            lab("ferritin", 9000 if number % 2 else 600, 1, person=who),
            lab("ferritin", ">15000" if number % 2 else 500, 30, person=who),
            lab("temperature", 39.5, 2, person=who),
            lab("haemoglobin", 7, 2, person=who),
            lab("platelets", 40, 2, person=who),
            dose("anakinra", 5, amount="100 mg", person=who),
            finding("splenomegaly", "yes", 3, person=who),
            condition("systemic lupus erythematosus", 0, person=who),
            procedure("CRRT", 20, 60, person=who),
            culture("growth", 12, "Escherichia coli", person=who),
        ]
    rows.append(dose("thymoblastin", 6, amount="5 mg", person="SECRET-01"))
    return sheets(folder / "records", *rows)


def protocol(folder: Path, review: str = REVIEW) -> str:
    """Write a protocol that asks three questions."""
    file = folder / "review.toml"
    file.write_text(PROTOCOL.read_text("utf-8") + review, encoding="utf-8")
    return str(file)


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A workbench of two patients, for requests that change nothing."""
    folder = tmp_path_factory.mktemp("few")
    return open_workbench(str(write_records(folder, 2)), protocol(folder))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Open]]:
    """Return how to open a page on records of one's own."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def opening(persons: int = PERSONS, review: str = REVIEW) -> Open:
            records = write_records(tmp_path, persons)
            bench = open_workbench(str(records), protocol(tmp_path, review))
            taken = stack.enter_context(listening())
            return Open(stack.enter_context(served(bench, taken)), bench, records)

        yield opening


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Tab]:
    """A tab of a real browser that reaches nothing but this machine."""
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with tab(tmp_path, rules) as found:
        yield found
