"""The commands about REDCap. What they need is imported inside them, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path

import click

from becalm import __version__

FATES = "fates of a REDCap export"
OUT = click.Path(path_type=Path)


@click.group()
def redcap() -> None:
    """Read exports of REDCap projects: draft a mapping, list the fate of each field, write the template."""


@redcap.command("draft")
@click.argument("data", type=OUT)
@click.argument("dictionary", type=OUT)
@click.option("--events", type=OUT, help="The project's table of events, if it is longitudinal.")
@click.option("--out", type=OUT, default=Path("mapping.toml"), show_default=True, help="New file.")
def make_draft(data: Path, dictionary: Path, events: Path | None, out: Path) -> None:
    """Draft the mapping of an export DATA from its data DICTIONARY, for you to check and complete."""
    from becalm.core.errors import UsageError
    from becalm.core.staging import staged_file
    from becalm.records import not_among_records
    from becalm.records.redcap import draft

    not_among_records(out)
    if len({file.resolve().parent for file in (data, dictionary, events) if file is not None}) > 1:
        raise UsageError(
            "the export and its dictionary are in different folders", hint="Put them into one"
        )
    text = draft(data, dictionary, events)
    with staged_file(out, reads=[data, dictionary]) as file:
        file.write_text(text, encoding="utf-8")
    guesses = text.count("verified = false,")
    click.echo(f"{out}: a draft with {guesses:,} guesses. Check each line before you use it.")


@redcap.command("fates")
@click.argument("export", type=OUT)
@click.option("--mapping", required=True, help="The mapping, a .toml file.")
@click.option("--out", type=OUT, help="Folder for the lists: each field, each cell not understood.")
def show_fates(export: Path, mapping: str, out: Path | None) -> None:
    """Tell what becomes of every field and every cell of EXPORT (a folder, or the CSV) with a mapping."""
    from becalm.core.staging import staged, write_manifest
    from becalm.records.redcap import fates_of

    if out is None:
        found = fates_of(export, mapping)
    else:
        with staged(out, FATES, reads=[export, mapping]) as folder:
            found = fates_of(export, mapping)
            found.write(folder)
            write_manifest(
                folder, {"becalm": __version__, "kind": f"{FATES}: contains patient data"}
            )
    for line in found.lines():
        click.echo(line)


@redcap.command("template")
@click.argument("out", type=OUT)
def write_template(out: Path) -> None:
    """Write the chart-review template as a REDCap data dictionary, with its mapping, to the new folder OUT."""
    from becalm.records.redcap import write_project

    write_project(out)
    click.echo(f"{out}: import becalm_dictionary.csv into an empty REDCap project.")
    click.echo("Make every instrument except persons a repeating instrument (Project Setup).")
    click.echo(
        "Export all data as CSV (raw) to export.csv beside becalm_mapping.toml and the dictionary."
    )
