"""A study: from a source and a protocol to tables. Nothing is written here."""

__all__ = ["figure_data", "measuring", "protocol_names", "result", "run", "screen", "unverified"]
