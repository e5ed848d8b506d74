"""The base of all other packages. It imports nothing, so that `becalm --help` does not load NumPy."""

__all__ = [
    "answers",
    "arrays",
    "citations",
    "clock",
    "columns",
    "database",
    "digits",
    "errors",
    "frame",
    "old_keys",
    "prefetch",
    "registered",
    "scratch",
    "spreadsheets",
    "staging",
    "stats",
    "stopping",
    "time_zones",
    "toml",
    "toml_position",
]
