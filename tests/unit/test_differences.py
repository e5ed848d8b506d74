"""The page of differences names tests that exist, and every error in circulation that has a test."""

import re
from pathlib import Path
from typing import Final

from tests.spec.test_known_errors import KNOWN

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
NAMED: Final = set(re.findall(r"`(\w+)::test_(\w+)`", PAGE))
NOT_OF_OTHERS: Final = {"ferritin printed as >15000"}
"""Errors that nobody was seen to make."""


def test_every_test_that_the_page_names_exists() -> None:
    """A renamed test leaves no dead reference."""
    missing = [
        (chapter, rule)
        for chapter, rule in sorted(NAMED)
        if f"def test_{rule}("
        not in (ROOT / "tests" / "spec" / f"{chapter}.py").read_text(encoding="utf-8")
    ]
    assert NAMED
    assert missing == []


def test_every_error_in_circulation_is_on_the_page() -> None:
    """What is tested as an error of others is told to readers."""
    told = {error for error, rule in KNOWN.items() if rule in NAMED}
    assert set(KNOWN) - told == NOT_OF_OTHERS
