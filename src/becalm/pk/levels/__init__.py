"""Measured concentrations: they update a patient, are predicted, and contradict the model or not."""
