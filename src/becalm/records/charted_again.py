"""Tables of a source that may contain one administration twice; data of the source."""

from __future__ import annotations

from typing import Final

from becalm.core.clock import Length
from becalm.core.toml import TomlTable


class ChartedAgain(TomlTable, frozen=True):
    """Two tables that may contain one administration; then the row in `also_in` counts.

    within : a single dose of `table` this close to a row of the drug in `also_in` is the same dose.
    bridge : pauses in `also_in` up to this length are not gaps between infusions.
    says_nothing : units in `also_in` without an amount; then the row in `table` counts.
    """

    table: str
    also_in: str
    within: Length
    bridge: Length
    says_nothing: tuple[str, ...]
    source: str


class ChartedElsewhere(TomlTable, frozen=True):
    """Rows of `table` for infusions that were begun under another order.

    words : text in the category of such a row.
    """

    table: str
    words: str
    source: str


class RepeatedCharting(TomlTable, frozen=True):
    """The administrations that a source charts twice; by default none."""

    again: tuple[ChartedAgain, ...] = ()
    elsewhere: tuple[ChartedElsewhere, ...] = ()


NOTHING_REPEATED: Final = RepeatedCharting()
"""For a source with every administration only once."""
