"""Without an optional library: one line that names it and how to install it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from becalm.core.errors import MissingExtraError
from becalm.pk import RateConstants, compiled, differentiable_levels, population_levels, simulate
from tests.unit.pk.test_saturable import model


@pytest.mark.parametrize(
    ("library", "extra", "use"),
    [
        ("jax", "gradients", lambda: differentiable_levels({"clearance": 1.0, "central_volume": 5.0}, [1.0])),
        ("scipy.integrate", "nonlinear", lambda: simulate(model(), "1 mg/h", covariates={"weight": 70}, hours=2)),
        ("", "populations", lambda: population_levels(RateConstants.of(1.0, 5.0), [1.0])),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(
    library: str, extra: str, use: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if library:
        monkeypatch.setitem(sys.modules, library, None)
    else:
        monkeypatch.setattr(compiled, "kernel", lambda: None)
    with pytest.raises(MissingExtraError) as error:
        use()
    assert f"pip install 'becalm[{extra}]'" in error.value.line()
    assert error.value.exit_code == 8
