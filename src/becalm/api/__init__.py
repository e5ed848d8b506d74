"""What a notebook and the command line use."""
