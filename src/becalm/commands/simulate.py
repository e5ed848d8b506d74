"""The command that simulates concentrations. What it needs is imported inside it, so that `--help` is fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from becalm.core.errors import DefinitionError, UsageError

if TYPE_CHECKING:
    from becalm.pk import GivenCovariate, PkModel

OUT = click.Path(path_type=Path)


@click.command("simulate")
@click.argument("model")
@click.option(
    "--regimen",
    "regimens",
    multiple=True,
    help="For example '100 mg SC daily', 'name = ...', or a .toml file. Several are compared.",
)
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    help="For example weight=70 or 'creatinine_clearance=120 mL/min, 24 h: 60'.",
)
@click.option(
    "--across",
    multiple=True,
    help="Alternatives side by side, for one covariate or two: 'creatinine_clearance = 120 | 30 | failing = 120, 24 h: 30'.",
)
@click.option("--hours", type=float, default=168.0, show_default=True, help="How long.")
@click.option(
    "--patients",
    "--people",
    type=int,
    default=1000,
    show_default=True,
    help="Virtual patients; of more than 20,000 quantiles are counted in narrow bins.",
)
@click.option("--seed", type=click.IntRange(min=0), default=20, show_default=True)
@click.option(
    "--policy",
    default="last",
    show_default=True,
    help="What holds between two values of a covariate: last, next, linear.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    help="A concentration of your choice, for example '0.4 mg/L'.",
)
@click.option("--set", "values", multiple=True, help="Another value of a parameter: name=value.")
@click.option("--group", help="The group of the model's file that the patients belong to.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Changes no number."
)
@click.option("--out", type=OUT, help="Folder for tables (Parquet, CSV) and figures.")
@click.option("--check", is_flag=True, help="Only what the model gives beside published numbers.")
def simulate_regimens(  # noqa: PLR0917 - click passes the options by name
    model: str,
    regimens: tuple[str, ...],
    covariates: tuple[str, ...],
    across: tuple[str, ...],
    hours: float,
    patients: int,
    seed: int,
    policy: str,
    targets: tuple[str, ...],
    values: tuple[str, ...],
    group: str | None,
    threads: int,
    out: Path | None,
    check: bool,
) -> None:
    """Simulate concentrations of MODEL (a name, or a .toml file) by regimens. Not a dosing recommendation."""
    from becalm.api import simulating
    from becalm.pk import load, simulate

    read = load(model)
    if check:
        if regimens or covariates or across or values or out is not None:
            raise UsageError("--check takes no other option")
        _check(read)
        return
    if not regimens:
        raise UsageError("no regimen is given", hint="Add --regimen '100 mg SC daily'")
    found = simulate(
        read,
        regimens,
        covariates=pairs(covariates, "--covariate"),
        hours=hours,
        patients=patients,
        seed=seed,
        policy=policy,
        targets=[_target(each) for each in targets],
        parameters=_parameters(read, values),
        group=group,
        threads=threads,
        across=_across(across),
        ends=len(regimens) > 1 or regimens[0].endswith(".toml"),
    )
    if out is not None:
        simulating.write(found, out, tuple(_files(model, *regimens)))
    for line in simulating.lines(found):
        click.echo(line)
    if out is not None:
        click.echo(f"Tables and figures: {out}")


def _across(given: Iterable[str]) -> dict[str, Mapping[str, GivenCovariate]]:
    """Read `--across` once or twice. Raises `UsageError` for a covariate that is given twice."""
    from becalm.pk import read_across

    found: dict[str, Mapping[str, GivenCovariate]] = {}
    for each in given:
        name, choices = read_across(each)
        if name in found:
            raise UsageError(f"--across gives {name} twice", hint="Put all alternatives in one")
        found[name] = choices
    return found


def _check(model: PkModel) -> None:
    """Print the checks of a model. Raises `DefinitionError` where one is no longer as recorded."""
    from becalm.api import simulating
    from becalm.pk import checked

    rows = checked(model)
    for line in simulating.check_lines(model, rows):
        click.echo(line)
    changed = [row.check.title for row in rows if not row.as_recorded]
    if changed:
        raise DefinitionError(
            f"the model no longer gives what is recorded: {'; '.join(changed)}", where=model.name
        )


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Read `name=value` several times. Raises `UsageError` for another form, and for a name given twice."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"{option} {each!r} is not understood", hint="Write name=value")
        if name.strip() in found:
            raise UsageError(f"{option} gives {name.strip()} twice")
        found[name.strip()] = value.strip()
    return found


def _target(text: str) -> float:
    from becalm.pk import read_quantity

    return read_quantity(text, "mg/L", "--target")


def _parameters(model: PkModel, given: Iterable[str]) -> dict[str, float]:
    """Read `--set name=value`, in the unit of the model's file or in a unit that is written."""
    from becalm.pk import read_quantity

    given_pairs = pairs(given, "--set")
    model.replaced({name: model.parameters[name].value if name in model.parameters else 1.0 for name in given_pairs})  # fmt: skip
    return {
        name: read_quantity(value, model.parameters[name].unit, f"--set {name}")
        for name, value in given_pairs.items()
    }


def _files(*given: str) -> Iterable[Path]:
    """Return the files that were named, so that no result is written over them."""
    return [
        Path(each.partition("#")[0]) for each in given if each.partition("#")[0].endswith(".toml")
    ]
