"""The command that writes a paper. What it needs is imported inside it, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path

import click

OUT = click.Path(path_type=Path)


@click.command("paper")
@click.argument("results", type=OUT)
@click.option("--out", type=OUT, required=True, help="Folder to write; new or empty.")
@click.option(
    "--kind",
    type=click.Choice(["aggregates", "case-series", "internal"]),
    default="aggregates",
    show_default=True,
    help="Suppressed aggregates; single patients where study.toml states consent; or all, not for release.",
)
def write_paper(results: Path, out: Path, kind: str) -> None:
    """Write a draft, tables, figures and checklists for a journal from RESULTS, the folder of a study."""
    from becalm.api.releasing import write_paper as write

    write(results, out, kind)
    click.echo(f"Draft: {out / 'draft.docx'}")
    if kind == "internal":
        click.echo("Contains patient data, not for release.")
    click.echo("Research use only: not a medical device.")
