"""Tables of a source in which one administration may stand twice; the source's own data."""

from __future__ import annotations

from typing import Final

from becalm.core.toml import TomlTable


class ChartedAgain(TomlTable, frozen=True):
    """Two tables in which one administration may stand; `also_in` has the last word.

    within : a single dose of `table` this close to a row of the drug in `also_in` is that row.
    bridge : pauses in `also_in` up to this long are pauses, and do not say that nothing ran.
    says_nothing : units in `also_in` that leave the amount open; `table` then has the last word.
    """

    table: str
    also_in: str
    within: str
    bridge: str
    says_nothing: tuple[str, ...]
    source: str


class ChartedElsewhere(TomlTable, frozen=True):
    """Rows of `table` that say, in their category, that the infusion was begun under another order.

    words : what the category of such a row contains.
    """

    table: str
    words: str
    source: str


class RepeatedCharting(TomlTable, frozen=True):
    """What a source charts twice; nothing unless it says so."""

    again: tuple[ChartedAgain, ...] = ()
    elsewhere: tuple[ChartedElsewhere, ...] = ()


NOTHING_REPEATED: Final = RepeatedCharting()
"""Of a source in which every administration stands once."""
