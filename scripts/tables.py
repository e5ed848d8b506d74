"""Write what the data dictionary says into README.md and docs/tables.md.

    python scripts/tables.py

README.md has the list of the written tables between two markers; docs/tables.md has every column.
A test compares both with the dictionary, so that neither can be edited by hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from becalm.tables import (
    LEVELS_WRITTEN,
    MARKER_CHANGES,
    MARKER_TESTS,
    MARKERS_AHEAD,
    OCCUPANCY,
    SIMULATED,
    SIMULATED_MARKERS,
    WRITTEN,
    Table,
)

ROOT: Final = Path(__file__).parents[1]
BLOCK: Final = re.compile(r"(?<=<!-- tables -->\n).*?(?=<!-- end of tables -->)", re.DOTALL)


def listed() -> str:
    """Return the README's list: each written table, what one row is, and what it holds."""
    rows = [f"| `{t.name}` | {t.row} | {t.meaning} |" for t in WRITTEN.values()]
    return "\n".join(["| table | one row per | holds |", "|---|---|---|", *rows, ""])


def readme(text: str) -> str:
    """Return the text of README.md with the list of today."""
    return BLOCK.sub(lambda _: listed(), text)


def page() -> str:
    """Return docs/tables.md."""
    parts = [
        "# The tables that a study writes",
        "",
        "Made from the data dictionary by `python scripts/tables.py`; every study writes the same as",
        "`tables/dictionary.csv`. Unknown is empty; so is a limit that is open (infinite). Lists are joined",
        "by `|`. Times are the ward's clock, without offset. Where a unit says `as`, another column of the",
        "same row holds it. In CSV an apostrophe stands before a text that a spreadsheet would calculate",
        "([why, and how to undo it](security.md#spreadsheets-and-formulas)); Parquet has the text itself.",
    ]
    lines = [line for table in WRITTEN.values() for line in _table(table)]
    lines += ["", "# The tables that `becalm simulate` writes"]
    lines += [line for table in SIMULATED.values() for line in _table(table)]
    lines += ["", "# The tables that `becalm levels` writes"]
    lines += [line for table in LEVELS_WRITTEN.values() for line in _table(table)]
    lines += ["", "# The table that `becalm occupancy` writes", *_table(OCCUPANCY)]
    lines += ["", "# The table that `becalm turnover` writes", *_table(SIMULATED_MARKERS)]
    lines += ["", "# The tables that `becalm ahead` writes"]
    lines += [
        line for table in (MARKER_CHANGES, MARKER_TESTS, MARKERS_AHEAD) for line in _table(table)
    ]
    return "\n".join([*parts, *lines, ""])


def _table(table: Table) -> list[str]:
    head = [
        "",
        f"## {table.name}",
        "",
        f"{table.meaning} One row per {table.row}.",
        "",
        "| column | kind | unit | meaning |",
        "|---|---|---|---|",
    ]
    return head + [
        f"| `{name}` | {c.kind} | {c.unit} | {c.meaning.replace('|', chr(92) + '|')}"
        f"{' Small numbers are not published.' if c.counts_persons else ''} |"
        for name, c in table.columns.items()
    ]


if __name__ == "__main__":
    file = ROOT / "README.md"
    file.write_text(readme(file.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / "docs" / "tables.md").write_text(page(), encoding="utf-8")
