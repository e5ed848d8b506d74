"""Persons with all their data: the input of definitions and measures."""

__all__ = ["cell_therapy", "context", "organ_support", "understood", "unrecognised"]
