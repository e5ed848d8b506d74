"""A table of the page: what its cells show, and what each cell opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PageTable:
    """A table of the page: `groups` are heads above heads, with the columns they span."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    groups: Sequence[tuple[str, int]] = ()
    caption: str = ""
    ids: Sequence[str] = field(default=())
    kind: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows)
