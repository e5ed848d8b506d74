"""Screening: one peak per person and definition, for all persons of the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from becalm import vocabulary
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.core.prefetch import results_in_order
from becalm.definitions import Definition, doubted, evaluate, load_all, peaks, shipped
from becalm.patients.understood import Patients
from becalm.persons.age import ages
from becalm.persons.diagnoses import underlying
from becalm.records import Doubt, Source
from becalm.tables import stream, writing
from becalm.vocabulary import site_words
from becalm.vocabulary.site_words import SiteWords

FORMS: Final = (".csv", ".parquet")
CLOCK: Final = "drawn"
_AT_ONCE: Final = 2
"""Number of chunks computed at a time; more would need too much memory."""


def screen(
    source: Source,
    criteria: Sequence[str],
    progress: Callable[[str], None] = lambda _: None,
    *,
    site: SiteWords | None = None,
) -> Iterator[Frame]:
    """Yield `criteria`, moment `peak_ever` only, one sorted frame a chunk of whole persons.

    All persons are assessed: without any measurement an HScore is 0 to 337, undetermined.
    """
    if not criteria:
        hint = f"Name some of {', '.join(shipped())}, or a .toml file"
        raise UsageError("no criteria to screen by", hint=hint)
    site = site_words.joined(site, source.site)
    words = site.applied(vocabulary.load()) if site else vocabulary.load()
    definitions = sorted(load_all(list(dict.fromkeys(criteria))), key=lambda each: each.name)
    for notice in (each for definition in definitions for each in definition.notices):
        progress(notice)
    done = 0
    for totals in results_in_order(
        lambda records: peaks_of(Patients.of(records, words), definitions, source.doubts),
        source.chunks(),
        _AT_ONCE,
    ):
        yield totals
        done += len(totals) // len(definitions)
        progress(f"{done:,} persons screened")


def peaks_of(
    chunk: Patients, definitions: Sequence[Definition], doubts: tuple[Doubt, ...] = ()
) -> Frame:
    """Return the peaks of a chunk, sorted by person and definition."""
    records = chunk.records
    inputs, n = chunk.inputs(CLOCK), len(chunk)
    age, _ = ages(records.persons, chunk.ended)
    diseases = np.empty(n, dtype=object)
    diseases[:] = underlying(chunk.diagnosed, n)
    people = Frame({"person_id": records.persons["person_id"], "age": age, "underlying": diseases})
    modifiers = chunk.modifiers()
    by_definition = Frame.concat(
        [
            doubted(
                peaks(evaluate(definition, inputs), people, modifiers=modifiers),
                definition,
                doubts,
            )
            for definition in definitions
        ]
    )
    inputs.forget()
    return by_definition.take(np.arange(len(by_definition)).reshape(-1, n).T.ravel())


def form_of(out: Path) -> str:
    """Return the format that a file's name asks for."""
    if out.suffix not in FORMS:
        raise UsageError(
            f"{out.name} does not end in .csv or .parquet", hint="Choose one of these endings"
        )
    return out.suffix[1:]


def is_own(out: Path) -> bool:
    """Return whether a file is a table as `screen` writes it: it has exactly these columns."""
    form_of(out)
    return writing.has_columns_of("criteria", out)


def write(frames: Iterator[Frame], out: Path, staged: Path) -> int:
    """Write the screened persons frame by frame; return the number of rows."""
    form_of(out)
    return stream.write("criteria", frames, staged / out.name)
