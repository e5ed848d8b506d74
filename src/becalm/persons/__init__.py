"""Facts about a person that several packages need: age, weight, stays, diagnoses."""
