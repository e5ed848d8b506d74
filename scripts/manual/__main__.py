"""Write the clinical manual from the definitions that ship and from the tests that hold them.

    .venv/bin/python scripts/manual [FOLDER]

One page a chapter of `tests/spec`, and one a definition, in FOLDER (docs/manual). Definitions are
printed from their files with every source; their worked cases are added up while the page is
written, and a page with a case that does not come out is not written.
"""

import sys
from pathlib import Path

from pages import ROOT, main

main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "manual")
