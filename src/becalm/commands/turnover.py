"""The command that follows a course of concentrations to markers, were the assumed chain true."""

from __future__ import annotations

from pathlib import Path

import click

from becalm.commands.options import OUT
from becalm.commands.simulate import pairs


@click.command("turnover")
@click.argument("model")
@click.option("--regimen", required=True, help="One, for example '4 mg/h'.")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    help="For example weight=70 or 'creatinine_clearance=120 mL/min, 24 h: 60'.",
)
@click.option("--hours", type=float, default=168.0, show_default=True, help="How long.")
@click.option("--patients", type=int, default=1000, show_default=True, help="Virtual patients.")
@click.option("--seed", type=click.IntRange(min=0), default=20, show_default=True)
@click.option("--policy", default="last", show_default=True, help="As of simulate.")
@click.option(
    "--set",
    "values",
    multiple=True,
    help="A value of your own, which is then not drawn: half_effect=0.1 (mg/L), driven, mediator_half_life (h).",
)
@click.option(
    "--observed",
    multiple=True,
    help="Measured values, for example 'ferritin=0 h: 12000, 48 h: 3000': is the fall faster than breakdown?",
)
@click.option("--out", type=OUT, help="Folder for the table (Parquet, CSV) and the figure.")
def show_turnover(  # noqa: PLR0917 - click passes the options by name
    model: str,
    regimen: str,
    covariates: tuple[str, ...],
    hours: float,
    patients: int,
    seed: int,
    policy: str,
    values: tuple[str, ...],
    observed: tuple[str, ...],
    out: Path | None,
) -> None:
    """Show what a regimen would do to markers, were a chain of assumptions true. Not a dosing recommendation."""
    from becalm.api import turnover
    from becalm.pk import marker_courses, read_quantity

    units = {"half_effect": "mg/L", "mediator_half_life": "h", "driven": "1"}
    found = marker_courses(
        model,
        regimen,
        covariates=pairs(covariates, "--covariate"),
        hours=hours,
        patients=patients,
        seed=seed,
        policy=policy,
        values={
            name: read_quantity(text, units.get(name, "1"), f"--set {name}")
            for name, text in pairs(values, "--set").items()
        },
        observed=pairs(observed, "--observed"),
    )
    if out is not None:
        turnover.write(found, out, tuple(Path(each) for each in (model, regimen) if each.endswith(".toml")))  # fmt: skip
    for line in turnover.lines(found):
        click.echo(line)
    if out is not None:
        click.echo(f"Table and figure: {out}")
