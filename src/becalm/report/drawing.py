"""Whether the chart library can start in this session."""

from __future__ import annotations

import subprocess
import sys

from becalm.core.machine import TooLittleMemoryError, address_space_is_limited
from becalm.report.theme import draw


def require_drawing() -> None:
    """Raise `TooLittleMemoryError` where a limit of this session keeps the chart library from starting.

    It reserves far more addresses than it uses, and ends its process where it cannot; so another one tries.
    """
    if not address_space_is_limited():
        return
    tried = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "from becalm.report.drawing import try_to_draw; try_to_draw()",
        ],
        capture_output=True,
        check=False,
    )
    if tried.returncode:
        raise TooLittleMemoryError(
            "the limit of this session (ulimit -v) is too low for the figures of the report",
            hint="Raise it to 96 GiB of addresses, or remove it; little of them is used",
        )


def try_to_draw() -> None:
    """Draw a chart of one point."""
    draw({"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}})
