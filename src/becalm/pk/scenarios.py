"""A simulation again and again: for kidneys and weights side by side, and with each parameter at the ends of its range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from becalm.core.errors import UsageError
from becalm.pk.covariates import GivenCovariate
from becalm.pk.measures import RATIOS
from becalm.pk.model import PkModel

if TYPE_CHECKING:
    from becalm.pk.simulation import Simulation

GivenAcross: TypeAlias = "Mapping[str, Mapping[str, GivenCovariate] | Sequence[GivenCovariate]]"
MOST_CELLS: Final = 100
MOST_COVARIATES: Final = 2
_SHARES: Final = ("p05", "p50", "p95")


def read_across(text: str) -> tuple[str, dict[str, GivenCovariate]]:
    """Read `creatinine_clearance = 120 | failing = 120, 24 h: 30 | 0`: a covariate, and its alternatives by their names.

    Raises `UsageError` for another form, and for a name given twice.

    >>> read_across("weight = 50 | heavy = 120")
    ('weight', {'50': '50', 'heavy': '120'})
    """
    covariate, equals, rest = text.partition("=")
    if not equals or not covariate.strip() or not rest.strip():
        raise UsageError(f"--across {text!r} is not understood", hint="Write name = 120 | 60 | 30")
    found: dict[str, GivenCovariate] = {}
    for part in rest.split("|"):
        label, named, value = part.partition("=")
        label, value = label.strip(), value.strip() if named else label.strip()
        if not label or not value:
            raise UsageError(f"--across {covariate.strip()} has an empty alternative")
        if label in found:
            raise UsageError(f"--across {covariate.strip()} gives {label!r} twice")
        found[label] = value
    return covariate.strip(), found


def alternatives(across: GivenAcross, given: Mapping[str, GivenCovariate]) -> dict[str, dict[str, GivenCovariate]]:  # fmt: skip
    """Return the alternatives of each covariate by their labels. Raises `UsageError` for too many, or one given otherwise too."""
    found: dict[str, dict[str, GivenCovariate]] = {}
    cells = 1
    for name, each in across.items():
        found[name] = dict(each) if isinstance(each, Mapping) else {label_of(value): value for value in each}  # fmt: skip
        cells *= len(found[name])
        if name in given:
            raise UsageError(
                f"the covariate {name} is given by itself, and with alternatives", hint="Leave out one"
            )  # fmt: skip
    if len(found) > MOST_COVARIATES or not 0 < cells <= MOST_CELLS:
        raise UsageError(
            f"{len(found)} covariates with {cells} combinations",
            hint=f"Choose {MOST_COVARIATES} covariates and {MOST_CELLS} combinations at most",
        )
    return found


def label_of(value: GivenCovariate) -> str:
    """Return a covariate as it was given, in words."""
    if isinstance(value, int | float):
        return f"{value:g}"
    return value if isinstance(value, str) else ", ".join(f"{h:g} h: {v:g}" for h, v in value)


def grid_rows(
    across: Mapping[str, Mapping[str, GivenCovariate]],
    run: Callable[[Mapping[str, GivenCovariate]], Simulation],
) -> Iterator[dict[str, Any]]:
    """Yield the exposure for every combination of the alternatives, in the same virtual patients."""
    names = list(across)
    for labels in product(*across.values()):
        found = run({name: across[name][label] for name, label in zip(names, labels, strict=True)})
        place = {
            "row_covariate": names[0], "row": labels[0],
            "column_covariate": names[1] if len(names) > 1 else "", "column": labels[1] if len(names) > 1 else "",
        }  # fmt: skip
        for row in found.exposure.rows():
            yield {**place, **row}


def end_rows(model: PkModel, run: Callable[[PkModel], Simulation]) -> Iterator[dict[str, Any]]:
    """Yield how regimens compare with the first one, with each parameter that has a range at both of its ends."""
    for name, parameter in model.parameters.items():
        for end, value in (("lowest", parameter.low), ("highest", parameter.high)):
            if value is None:
                continue
            for row in run(model.replaced({name: value})).exposure.rows():
                if row["measure"] in RATIOS:
                    yield {
                        "regimen": row["regimen"], "measure": row["measure"], "parameter": name, "end": end,
                        "value": value, "unit": parameter.unit, "typical": row["typical"],
                        **{share: row[share] for share in _SHARES},
                    }  # fmt: skip
