"""Facts of a person that several rooms ask: age, weight, stays, diagnoses."""
