"""A synthetic hospital at minute resolution with known truth: the built-in example.

Every person in it is invented. Nobody in it is one of the published patients.
"""

from becalm.demo.hospital import write_hospital

__all__ = ["write_hospital"]
