"""The command that updates patients by measured concentrations. What it needs is imported inside it."""

from __future__ import annotations

from pathlib import Path

import click

from becalm.commands.simulate import pairs

OUT = click.Path(path_type=Path)


@click.command("levels")
@click.argument("model")
@click.argument("records")
@click.option("--person", "persons", multiple=True, help="Only this person; can be repeated.")
@click.option("--source", help="The kind of records, if it is not recognised.")
@click.option("--mapping", help="A mapping for flat tables.")
@click.option("--then", default="", help="The regimen from now on, for example '1 g IV over 1 h every 12 h'; without it no further doses.")  # fmt: skip
@click.option("--ahead", type=float, default=48.0, show_default=True, help="How many hours to look ahead.")  # fmt: skip
@click.option("--recovers-to", type=float, help="Creatinine clearance of a kidney that recovers, mL/min; without it the highest so far.")  # fmt: skip
@click.option("--orders", is_flag=True, help="Where a dose has no amount, take that of the order in force.")  # fmt: skip
@click.option("--keep-all", is_flag=True, help="Use levels that contradict the model, too.")
@click.option("--covariate", "covariates", multiple=True, help="A covariate that the records do not have: name=value.")  # fmt: skip
@click.option("--draws", type=int, default=1000, show_default=True, help="Draws of each patient.")
@click.option("--seed", type=click.IntRange(min=0), default=20, show_default=True)
@click.option("--out", type=OUT, help="Folder for tables (Parquet, CSV) and figures.")
def update_by_levels(  # noqa: PLR0917 - click passes the options by name
    model: str,
    records: str,
    persons: tuple[str, ...],
    source: str | None,
    mapping: str | None,
    then: str,
    ahead: float,
    recovers_to: float | None,
    orders: bool,
    keep_all: bool,
    covariates: tuple[str, ...],
    draws: int,
    seed: int,
    out: Path | None,
) -> None:
    """Update patients of RECORDS by measured levels of the drug of MODEL (a name, or a .toml file). Not a dosing recommendation."""
    from becalm.api import levelling, open_records
    from becalm.pk import UpdateSettings, load

    read = load(model)
    settings = UpdateSettings(draws, seed, then, ahead, recovers_to, keep_all).checked()
    found = levelling.update_by_levels(
        open_records(records, source=source, mapping=mapping),
        read,
        settings,
        persons=persons,
        covariates=pairs(covariates, "--covariate"),
        orders=orders,
    )
    if out is not None:
        reads = (Path(records), *([Path(model)] if model.endswith(".toml") else []))
        levelling.write(found, out, reads)
    for line in levelling.lines(found):
        click.echo(line)
    if out is not None:
        click.echo(f"Tables and figures: {out}")
