"""A synthetic hospital at minute resolution with known truth: the built-in example.

All persons in it are invented. None of them is one of the published patients.
"""

from becalm.demo.hospital import write_hospital

__all__ = ["write_hospital"]
