"""The command that shows what share of a receptor plasma would occupy, whichever constant of binding holds."""

from __future__ import annotations

from pathlib import Path

import click

from becalm.commands.options import OUT
from becalm.commands.simulate import pairs


@click.command("occupancy")
@click.argument("model")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    help="For example weight=70 or 'creatinine_clearance=120 mL/min'.",
)
@click.option(
    "--constant",
    "constants",
    multiple=True,
    help="A constant of your own, for example '5 nM' or '0.1 mg/L'.",
)
@click.option("--out", type=OUT, help="Folder for the table (Parquet, CSV) and the figure.")
def show_occupancy(
    model: str, covariates: tuple[str, ...], constants: tuple[str, ...], out: Path | None
) -> None:
    """Show how the share of a receptor that plasma occupies depends on a constant hardly known. Not a dosing recommendation."""
    from becalm.api import simulating
    from becalm.pk import occupancy

    found = occupancy(model, covariates=pairs(covariates, "--covariate"), constants=constants)
    if out is not None:
        reads = (Path(model),) if model.endswith(".toml") else ()
        simulating.write_occupancy(found, out, reads)
    for line in simulating.occupancy_lines(found):
        click.echo(line)
    if out is not None:
        click.echo(f"Table and figure: {out}")
