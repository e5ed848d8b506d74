"""`python -m becalm` is the command `becalm`."""

import sys

from becalm.cli import main

if __name__ == "__main__":
    sys.exit(main(prog_name="becalm"))
