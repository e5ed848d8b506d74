"""Groups of commands that belong together; `cli` adds them to the others."""

from becalm.commands.redcap import redcap

__all__ = ["redcap"]
