"""Words of a row beside its name: units, specimens, organisms and statuses, and what a site says of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from becalm.vocabulary import organisms, row_statuses
from becalm.vocabulary.labels import Meaning
from becalm.vocabulary.model import Specimen
from becalm.vocabulary.specimens import Specimens
from becalm.vocabulary.text import words

ROW_WORDS: Final = ("unit", "specimen", "organism", "status")
"""Kinds of such words, as in the table `not_understood`."""


class RowWords:
    """The fate of each word beside a name."""

    def __init__(
        self,
        specimens: Iterable[Specimen],
        units: Iterable[str],
        site: Mapping[tuple[str, str], Meaning],
    ) -> None:
        """Index the names. site : by kind and the words of a label."""
        self._site = site
        self._units = tuple(units)
        self.specimens = Specimens(
            specimens, {label: said for (kind, label), said in site.items() if kind == "specimen"}
        )

    def stated(self, kind: str, text: str) -> str:
        """Return what a site says that a word means, '' where it says nothing of use, else the word itself."""
        said = self._site.get((kind, words(text))) if text.strip() else None
        if said is None:
            return text
        return said.said[0][0] if said.said else ""

    def states(self) -> bool:
        """Return whether a site says anything of such words."""
        return any(kind in ROW_WORDS for kind, _ in self._site)

    def specimen(self, text: str) -> Meaning:
        """Return what a written specimen means: blood, urine, airway ..., or that nobody knows."""
        return self.specimens.meaning(text)

    def organism(self, text: str) -> Meaning:
        """Return whether a written organism is a well-formed name, or says that none is there."""
        return organisms.meaning(self.stated("organism", text))

    def can_mean(self, kind: str, text: str) -> bool:
        """Return whether a site may write a text as the meaning of such a word.

        Any text can be a unit: whether it is known depends on the variable or the drug.
        """
        if kind == "specimen":
            return bool(self.specimens.material(text))
        if kind == "organism":
            return organisms.meaning(text).fate == "understood"
        return kind == "unit" or text in row_statuses.every_name()

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names that becalm knows of a kind; for guesses and hints."""
        if kind == "unit":
            return self._units
        if kind == "specimen":
            return tuple(self.specimens.parts)
        return organisms.file().genera if kind == "organism" else row_statuses.every_name()
