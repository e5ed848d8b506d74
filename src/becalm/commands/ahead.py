"""The command for the next values of markers. What it needs is imported inside it, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path

import click

from becalm.commands.options import MAPPING, OUT, WORDS


@click.command("ahead")
@click.argument("records")
@click.option(
    "--hours",
    type=float,
    default=24.0,
    show_default=True,
    help="How long after the last value, 18 to 84.",
)
@click.option(
    "--without",
    "drugs",
    multiple=True,
    default=("anakinra",),
    show_default=True,
    help="Compare with patients before their first dose of this drug; can be repeated.",
)
@click.option(
    "--person", help="Print the next values of this person, and only the person's changes."
)
@click.option("--source", help="The kind of RECORDS, if it is not recognised.")
@click.option("--out", type=OUT, help="Folder for the tables (Parquet, CSV).")
@MAPPING
@WORDS
def show_markers_ahead(  # noqa: PLR0917 - click passes the options by name
    records: str,
    hours: float,
    drugs: tuple[str, ...],
    person: str | None,
    source: str | None,
    out: Path | None,
    mapping: str | None,
    words: Path | None,
) -> None:
    """Tell how markers of RECORDS usually move: the next values, and how surprising a fall is. Research use only."""
    from becalm.api import ahead, open_records, understand

    patients = understand(open_records(records, source=source, mapping=mapping), words=words)
    found = ahead.markers_ahead(patients, hours=hours, without=drugs, person=person)
    if out is not None:
        reads = [
            Path(records),
            *(Path(each) for each in (mapping, words) if each and Path(each).is_file()),
        ]
        ahead.write(found, out, tuple(reads))
    for line in ahead.lines(found, each_person=person is not None):
        click.echo(line)
    if out is not None:
        click.echo(f"Tables: {out} (contains patient data)")
