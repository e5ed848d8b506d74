"""Concentrations by a model, for the real doses of the cohort and the kidney over time; only where a protocol names a model."""
