"""Groups of commands that belong together, and commands that are long; `cli` adds them to the others."""

from becalm.commands.ahead import show_markers_ahead
from becalm.commands.diff import show_differences
from becalm.commands.levels import update_by_levels
from becalm.commands.occupancy import show_occupancy
from becalm.commands.open import open_page
from becalm.commands.paper import write_paper
from becalm.commands.redcap import redcap
from becalm.commands.simulate import simulate_regimens
from becalm.commands.turnover import show_turnover

__all__ = ["ALL", "options"]

ALL = (
    redcap,
    open_page,
    show_differences,
    show_markers_ahead,
    show_occupancy,
    show_turnover,
    simulate_regimens,
    update_by_levels,
    write_paper,
)
"""All of them, as `cli` adds them."""
