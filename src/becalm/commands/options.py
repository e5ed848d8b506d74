"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

OUT = click.Path(path_type=Path)
MAPPING = click.option(
    "--mapping", help="Read flat tables with this mapping: a name, or a .toml file."
)
KIND = click.option(
    "--kind",
    type=click.Choice(["aggregates", "case-series"]),
    default="aggregates",
    show_default=True,
    help="Of the release: suppressed aggregates, or single patients where study.toml states consent.",
)
PREVIOUS = click.option(
    "--previous",
    type=OUT,
    help="Manifest of an earlier study or release: warn where the two tell of a few persons.",
)
WORDS = click.option(
    "--words", type=OUT, help="File of words: what the records' own names mean (.toml)."
)
MODELS = click.option(
    "--model",
    "models",
    multiple=True,
    help="Calculate concentrations by a pharmacokinetic model: a name, or a .toml file.",
)
"""The option of a study; what else can be said of a model is said in a protocol."""
