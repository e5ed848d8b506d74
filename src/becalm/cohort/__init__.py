"""Who enters a study, at which time zero, and why the other persons do not."""

__all__ = ["attrition", "landmark", "selection", "storm"]
