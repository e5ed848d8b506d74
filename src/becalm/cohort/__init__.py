"""Who enters a study, when time zero is, and why everybody else does not."""
