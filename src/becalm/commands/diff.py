"""The command that puts two runs beside each other. What it needs is imported inside it, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path

import click

OUT = click.Path(path_type=Path)


@click.command("diff")
@click.argument("old", type=OUT)
@click.argument("new", type=OUT)
@click.option("--out", type=OUT, help="Folder for all rows that differ, as CSV.")
def show_differences(old: Path, new: Path, out: Path | None) -> None:
    """Tell what differs between OLD and NEW, the results folders of two studies: inputs, persons, results."""
    from becalm.comparison import KIND, compare, render, write
    from becalm.core.staging import staged

    def progress(text: str) -> None:
        click.echo(f"becalm: {text}", err=True)

    if out is None:
        with compare(old, new, progress) as found:
            lines = list(render(found))
    else:
        with (
            staged(out, KIND, reads=[old, new]) as stage,
            compare(old, new, progress, writes=[stage]) as found,
        ):
            lines = list(render(found))
            write(found, stage)
    for line in lines:
        click.echo(line)
    click.echo("\nResearch use only: not a medical device. Contains patient data.")
