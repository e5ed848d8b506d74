"""A study from a source and a protocol to tables. It runs and never writes."""
