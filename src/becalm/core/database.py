"""The one place that opens DuckDB: limited memory, a temporary folder of becalm, no files but those named.

A connection has no network: extensions are neither installed nor loaded, by name or by themselves. It sees
only the folders that it is opened for and its own temporary folder, and none of this can be changed
afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from becalm.core import machine, scratch, stopping

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY: Final = "1GiB"
"""Memory limit of DuckDB, above which it writes to disk: half of becalm's limit of 2 GiB."""


def connect(
    memory: str = MEMORY,
    threads: int | None = None,
    *,
    within: Iterable[Path] = (),
    settings: Mapping[str, str] | None = None,
) -> DuckDBPyConnection:
    """Open a database in memory, in UTC, that reads and writes files in the folders `within` alone.

    memory : its limit, above which it writes into its temporary folder. The folder is made when it is first
    needed and removed when the connection closes. threads : all cores unless set; each core needs its own
    memory. within : folders, with all that is in them; links are followed by whoever names them.
    settings : further settings of DuckDB, as SQL; after this they are locked.

    >>> with connect(threads=1) as con:
    ...     con.execute("SELECT 6 * 7").fetchall()
    [(42,)]
    """
    import duckdb

    con = duckdb.connect(
        config={
            "memory_limit": memory,
            "temp_directory": str(scratch.new_place()),
            "threads": threads or machine.cores(),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
        }
    )
    named = [str(folder) for folder in within]
    folders = ", ".join(map(_quoted, dict.fromkeys((*named, *map(plain, named)))))
    locked = {
        "TimeZone": "'UTC'",
        "python_enable_replacements": "false",  # a table is never a variable of Python
        **(settings or {}),
        "allowed_directories": f"[{folders}]",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    for name, value in locked.items():
        # Global, because every stream runs on a cursor, which is a session of its own.
        con.execute(f"SET GLOBAL {name} = {value}")
    return stopping.interruptible(con)


def plain(path: str) -> str:
    """Return a path without meaning for `*`, `?` and `[`, which DuckDB uses as patterns.

    >>> plain("ward [3]/lab*.csv")
    'ward [[]3]/lab[*].csv'
    """
    return re.sub(r"([*?\[])", r"[\1]", path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
