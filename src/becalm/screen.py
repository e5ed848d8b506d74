"""Definitions over everybody's records, and nothing else: one peak per person and definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from becalm import entry, scores, tables, vocabulary
from becalm.background import underlying
from becalm.chunk import Chunk
from becalm.errors import UsageError
from becalm.frame import Frame
from becalm.records import Source
from becalm.scores import Moments, SourceRow

FORMS: Final = (".csv", ".parquet")
CLOCK: Final = "drawn"


def screen(
    source: Source, criteria: Sequence[str], progress: Callable[[str], None] = lambda _: None
) -> Iterator[Frame]:
    """Yield `criteria`, moment `peak_ever` only, one frame a chunk of whole persons.

    Everybody is assessed: of somebody with nothing measured an HScore is 0 to 337, undetermined.
    """
    if not criteria:
        hint = f"Name some of {', '.join(scores.shipped())}, or a .toml file"
        raise UsageError("no criteria to screen by", hint=hint)
    words = vocabulary.load()
    definitions = [scores.load(name) for name in dict.fromkeys(criteria)]
    done = 0
    for records in source.chunks():
        chunk = Chunk.of(records, words)
        inputs, n = chunk.inputs(CLOCK), len(chunk)
        age, _ = entry.ages(records.persons, chunk.ended)
        diseases = np.empty(n, dtype=object)
        diseases[:] = underlying(chunk.diagnosed, n)
        people = Frame(
            {"person_id": records.persons["person_id"], "age": age, "underlying": diseases}
        )
        modifiers = chunk.modifiers()
        for definition in definitions:
            totals, _ = scores.criteria(
                scores.evaluate(definition, inputs),
                people,
                Moments.peak_only(n),
                modifiers=modifiers,
                source_row=_source_row(chunk),
            )
            yield totals
        done += n
        progress(f"{done:,} persons screened")


def _source_row(chunk: Chunk) -> SourceRow:
    return lambda _, row: chunk.events.source_row(row)


def form_of(out: Path) -> str:
    """Return the form that a file's name asks for."""
    if out.suffix not in FORMS:
        raise UsageError(
            f"{out.name} ends in neither .csv nor .parquet", hint="Name the file accordingly"
        )
    return out.suffix[1:]


def write(frames: Iterator[Frame], out: Path, staged: Path) -> int:
    """Write the screened persons sorted by their keys; return how many rows."""
    every = Frame.concat([Frame.of(tables.CRITERIA), *frames])
    tables.write("criteria", every, staged, formats=(form_of(out),))
    (staged / f"criteria.{form_of(out)}").rename(staged / out.name)
    return len(every)
