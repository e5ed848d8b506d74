"""What holds for all tests: generated examples are the same in every run, and nothing is timed."""

from hypothesis import settings

settings.register_profile("becalm", derandomize=True, deadline=None)
settings.load_profile("becalm")
