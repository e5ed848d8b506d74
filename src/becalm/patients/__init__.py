"""Persons with all their data: the input of definitions and measures."""
