"""The bibliography is complete, and reads as text and as BibTeX."""

from __future__ import annotations

import re

import pytest

from becalm.core import citations
from becalm.core.errors import DefinitionError


@pytest.mark.parametrize("key", sorted(citations.bibliography()))
def test_every_reference_reads_both_ways(key: str) -> None:
    text, entry = citations.text(key), citations.bibtex(key)
    ref = citations.reference(key)
    assert str(ref.year) in text
    assert ref.title in text
    assert entry.startswith(f"@{ref.type}{{{key},")
    assert entry.count("{") == entry.count("}")
    assert not ref.doi or re.fullmatch(r"10\.\d{4,}/\S+", ref.doi)


def test_authors_are_split_for_bibtex() -> None:
    assert "author = {Monteagudo, LA and Boothby, A and Gertner, E}" in citations.bibtex(
        "monteagudo2020"
    )
    assert "and others}" in citations.bibtex("ravelli2016")


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="Did you mean 'fardet2014'"):
        citations.text("fardet2015")
