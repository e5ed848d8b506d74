"""What a sample is of: the material that a written specimen names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from becalm.vocabulary.labels import Meaning
from becalm.vocabulary.model import Specimen
from becalm.vocabulary.text import best_phrase, words

SPECIMEN_MISMATCH: Final = "another specimen"
UNKNOWN_SPECIMEN: Final = "unknown specimen"
_LONGEST: Final = 3


class Specimens:
    """The materials of the vocabulary, and what a site says of its own words."""

    def __init__(self, entries: Iterable[Specimen], site: Mapping[str, Meaning]) -> None:
        """Index the names. site : by the words of the label; a meaning names a specimen as we know it."""
        self._site = site
        self.whole = {words(name): each.name for each in entries for name in each.names}
        self.parts = {
            words(part): each.name for each in entries for part in (each.name, *each.parts)
        }

    def meaning(self, written: str) -> Meaning:
        """Return the fate of a specimen: understood as a material, or not understood."""
        said = self._site.get(words(written))
        if said is not None and not said.said:
            return said
        material = self.material(said.said[0][0] if said else written)
        if material:
            return Meaning(((material, "confirmed"),), "understood")
        if not words(written):
            return Meaning((), "not needed")
        return Meaning((), "not understood", "no specimen has this name")

    def material(self, written: str) -> str:
        """Return the material that a text names, alone or in a longer label; '' if none."""
        return self.whole.get(words(written)) or best_phrase(written, self.parts, _LONGEST) or ""

    def refusal(self, written: str, expected: str) -> str:
        """Return why a measurement in one material cannot be from this sample, '' if it can.

        A label that only contains the name of the material ("cord blood") is not understood.
        """
        said = self._site.get(words(written))
        stated = said.said[0][0] if said and said.said else written
        if not words(stated) or self.whole.get(words(stated)) == expected:
            return ""
        other = self.material(stated)
        return SPECIMEN_MISMATCH if other and other != expected else UNKNOWN_SPECIMEN
