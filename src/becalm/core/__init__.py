"""The base of all other packages. It imports nothing, so that `becalm --help` does not load NumPy."""
