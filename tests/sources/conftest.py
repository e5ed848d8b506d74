"""Failed promises of the shared suite are shown in full."""

import pytest

pytest.register_assert_rewrite("tests.sources.suite")
