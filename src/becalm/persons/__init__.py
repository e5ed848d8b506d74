"""Facts about a person that several packages need: age, weight, stays, diagnoses."""

__all__ = ["age", "diagnoses", "stays", "weight"]
