"""A table of the page: what its cells show, and what each cell opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PageTable:
    """A table of the page: `groups` are heads above heads, with the columns they span.

    labels : how many columns name what a line is about, where the cells do not show it (words of the records may
    begin with a number); 0: the report finds out. quoted : heads of columns that quote a row of the records or a paper: what they say is no result.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    groups: Sequence[tuple[str, int]] = ()
    caption: str = ""
    ids: Sequence[str] = field(default=())
    kind: str = ""
    quoted: Sequence[str] = field(default=())
    labels: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows)
