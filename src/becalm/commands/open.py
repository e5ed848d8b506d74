"""The command that opens the page to work in. What it needs is imported inside it, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path

import click

from becalm.core.registered import packages_with

SOURCES = packages_with("records", "registration.py")


@click.command("open")
@click.argument("records")
@click.option(
    "--protocol", help="Name, or a .toml file; by default that of the results, or anakinra_mas."
)
@click.option("--source", type=click.Choice(SOURCES), help="Kind of RECORDS, if not recognised.")
@click.option("--mapping", help="Read flat tables with this mapping: a name, or a .toml file.")
@click.option(
    "--words",
    type=click.Path(path_type=Path),
    help="File of words: what the records' own names mean (.toml).",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to use; by default a free one."
)
def open_page(  # noqa: PLR0917 - click passes the options by name
    records: str,
    protocol: str | None,
    source: str | None,
    mapping: str | None,
    words: Path | None,
    port: int,
) -> None:
    """Open RECORDS, or the records of a results folder, in a page in the browser that nobody else can reach."""
    from becalm import vocabulary
    from becalm.vocabulary import site_words
    from becalm.web.results import is_results, records_of
    from becalm.web.serving import listening, served, wait
    from becalm.web.workbench import open_workbench

    def progress(text: str) -> None:
        click.echo(f"becalm: {text}", err=True)

    if is_results(Path(records)):
        records, of_results = records_of(Path(records))
        protocol = protocol or of_results
    site = None if words is None else site_words.read(words, vocabulary.load())
    with listening(port) as taken:
        progress(f"reading {Path(records).name}")
        bench = open_workbench(
            records,
            protocol or "anakinra_mas",
            source=source,
            mapping=mapping,
            site=site,
            progress=progress,
        )
        with served(bench, taken) as gate:
            click.echo(
                f"Open this address in a browser of this machine; it works once:\n{gate.address}"
            )
            click.echo(
                f"Answers are added to {bench.book.file.parent.name}/{bench.book.file.name}."
            )
            click.echo("Ctrl-C ends the page. Research use only: not a medical device.")
            wait()
