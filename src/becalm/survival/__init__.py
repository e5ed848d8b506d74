"""Times to events, by well-kept statistics libraries that are imported where they are used."""

__all__ = ["curves", "time_varying"]
