"""Persons with all their data: the input of definitions and measures."""

__all__ = ["context", "organ_support", "understood"]
