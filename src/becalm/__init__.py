"""becalm: find, rebuild, measure and report treated cytokine storms from anyone's records."""

__version__ = "0.1.0"
