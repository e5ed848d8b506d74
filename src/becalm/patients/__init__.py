"""Whole persons, understood: what definitions and measures ask of them."""
