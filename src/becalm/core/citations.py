"""The bibliography: the papers and guidelines that a run uses, as text and as BibTeX."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, Literal

from becalm.core import toml
from becalm.core.errors import DefinitionError, did_you_mean

FILE: Final = Path(__file__).parent / "bibliography.toml"


class Reference(toml.TomlTable, frozen=True):
    """One paper, guideline or data set; `checked` is False until somebody compares it with the publisher's page."""

    type: Literal["article", "misc"]
    title: str
    year: int
    used_for: str
    author: str = ""
    journal: str = ""
    publisher: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    doi: str = ""
    checked: bool = False


@cache
def bibliography() -> dict[str, Reference]:
    """Return every reference by its key."""
    return toml.load(FILE, dict[str, Reference])


DOI: Final = "doi:"
"""First letters of the key of a paper that only a user's own definition names: only its DOI is known."""


def key_of(doi: str) -> str:
    """Return the key of a paper by its DOI, also where the bibliography does not have it."""
    for key, ref in bibliography().items():
        if ref.doi == doi:
            return key
    return f"{DOI}{doi}"


def reference(key: str) -> Reference:
    """Return one reference; an unknown key is a mistake in a definition or a protocol."""
    known = bibliography().get(key)
    if known is None and key.startswith(DOI):
        doi = key.removeprefix(DOI)
        use = "named by its DOI in a definition of the user's own"
        return Reference(type="misc", title=f"DOI {doi}", year=0, doi=doi, used_for=use)
    if known is None:
        raise DefinitionError(
            f"no reference is called {key!r}", hint=did_you_mean(key, bibliography())
        )
    return known


def text(key: str) -> str:
    """Return a reference as a journal prints it, its DOI last.

    >>> text("monteagudo2020").split(". ")[0]
    'Monteagudo LA, Boothby A, Gertner E'
    """
    ref = reference(key)
    place = f"{ref.volume}:{ref.pages}" if ref.volume and ref.pages else ref.volume or ref.pages
    source = (
        f"{ref.journal or ref.publisher} {ref.year or ''}{f';{place}' if place else ''}".strip()
    )
    parts = [ref.author.strip("{}"), ref.title, source.replace("-", "–")]
    line = ". ".join(part for part in parts if part) + "."
    return f"{line} doi:{ref.doi}" if ref.doi else line


def bibtex(key: str) -> str:
    """Return a reference as a BibTeX entry under its own key."""
    ref = reference(key)
    fields = {
        "author": _names(ref.author),
        "title": f"{{{ref.title}}}",
        "journal": ref.journal,
        "publisher": ref.publisher,
        "year": str(ref.year or ""),
        "volume": ref.volume,
        "number": ref.number,
        "pages": ref.pages.replace("-", "--"),
        "doi": ref.doi,
    }
    body = "".join(f"  {name} = {{{_tex(value)}}},\n" for name, value in fields.items() if value)
    own = re.sub(r"[^A-Za-z0-9.:_-]+", "_", key)  # a DOI may hold what BibTeX does not allow
    return f"@{ref.type}{{{own},\n{body}}}\n"


def _names(authors: str) -> str:
    """Write `Fardet L, Galicier L` as BibTeX wants it: `Fardet, L and Galicier, L`."""
    if authors.startswith("{"):
        return authors
    people = []
    for person in authors.split(", "):
        if person.strip(". ") == "et al":
            people.append("others")
        else:
            family, _, initials = person.rpartition(" ")
            people.append(f"{family}, {initials}")
    return " and ".join(people)


def _tex(value: str) -> str:
    return value.replace("&", r"\&").replace("%", r"\%")
