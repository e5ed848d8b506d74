"""Which source reads an address, a folder or a file."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from becalm.core.errors import RecordsError, UsageError
from becalm.core.registered import packages_with
from becalm.records import KINDS, Source, open_records, recognise
from becalm.records.recognise import RegisteredSource, registered


def test_every_registered_source_says_what_it_reads() -> None:
    assert {"mimic4", "sheets"} <= set(KINDS)
    for kind in KINDS:
        assert registered(kind).reads.startswith("a ")


def test_a_package_is_registered_by_its_file(tmp_path: Path) -> None:
    for name in ("b", "a", "without"):
        (tmp_path / "records" / name).mkdir(parents=True)
    for name in ("b", "a"):
        (tmp_path / "records" / name / "registration.py").touch()
    assert packages_with("records", "registration.py", tmp_path) == ("a", "b")
    assert packages_with("elsewhere", "registration.py", tmp_path) == ()


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sources, which read `ward://` both and `ledger://` one."""

    def source(name: str) -> RegisteredSource:
        schemes = ("ward://", "ledger://") if name == "one" else ("ward://",)
        opened = {"ward://x": f"{name} opened ward", "ledger://x": f"{name} opened ledger"}
        return RegisteredSource(
            name,
            f"what {name} reads",
            lambda where: where.startswith(schemes),
            lambda where: cast("Source", opened[where]),
        )

    monkeypatch.setattr(recognise, "KINDS", ("one", "other"))
    monkeypatch.setattr(recognise, "registered", source)


@pytest.mark.usefixtures("two")
def test_an_address_is_opened_by_the_source_that_reads_it() -> None:
    assert str(open_records("ledger://x")) == "one opened ledger"
    assert str(open_records("ward://x", "other")) == "other opened ward"


@pytest.mark.usefixtures("two")
def test_an_address_that_two_sources_read_is_not_guessed_at() -> None:
    with pytest.raises(RecordsError, match="both one and other read ward://") as caught:
        open_records("ward://x")
    assert "--source" in caught.value.line()


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("source", [None, "other"])
def test_an_address_that_nobody_reads_is_refused_with_what_is_read(source: str | None) -> None:
    with pytest.raises(UsageError, match="s3:// is not read") as caught:
        open_records("s3://x", source)
    assert "what one reads, or what other reads" in caught.value.line()
