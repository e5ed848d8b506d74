"""Every table there is, found in the files of this package: a new file adds its tables by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from becalm.core.frame import Frame
from becalm.tables.schema import Table


def _declared() -> dict[str, Table]:
    """Return the tables that the files of this package declare, by name.

    Raises `ValueError` where two go by one name.
    """
    found: dict[str, Table] = {}
    for module in sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if module == "registry":
            continue
        for value in vars(importlib.import_module(f"{__package__}.{module}")).values():
            if isinstance(value, Table) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two tables are called {value.name!r}")
    return found


TABLES: Final[Mapping[str, Table]] = _declared()
"""All tables by name, those that only the report reads included."""
WRITTEN: Final[Mapping[str, Table]] = {
    name: table for name, table in sorted(TABLES.items()) if table.written
}
"""The tables that a study writes, by name."""
SIMULATED: Final[Mapping[str, Table]] = {
    name: table for name, table in sorted(TABLES.items()) if table.command == "simulate"
}
"""The tables that a simulation writes, by name."""
LEVELS_WRITTEN: Final[Mapping[str, Table]] = {
    name: table for name, table in sorted(TABLES.items()) if table.command == "levels"
}
"""The tables that `becalm levels` writes, by name."""


def empty(name: str) -> Frame:
    """Return a written table without rows."""
    return WRITTEN[name].empty()
