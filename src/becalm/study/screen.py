"""Screening: one total per person and definition, for all persons of the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from becalm import __version__, vocabulary
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.core.prefetch import results_in_order
from becalm.definitions import (
    Definition,
    doubted,
    evaluate,
    load,
    load_all,
    peaks,
    shipped,
    worst_stays,
)
from becalm.patients.understood import Patients
from becalm.persons.age import ages
from becalm.persons.diagnoses import underlying
from becalm.persons.whole_stays import whole_stays
from becalm.records import Doubt, Source
from becalm.tables import stream
from becalm.vocabulary import site_words
from becalm.vocabulary.site_words import SiteWords

FORMS: Final = (".csv", ".parquet")
CLOCK: Final = "drawn"
KIND: Final = "screening"
"""How the kind of a screened table begins in its manifest."""
_AT_ONCE: Final = 2
"""Number of chunks computed at a time; more would need too much memory."""


def screen(
    source: Source,
    criteria: Sequence[str],
    progress: Callable[[str], None] = lambda _: None,
    *,
    site: SiteWords | None = None,
    whole_stay: bool = False,
) -> Iterator[Frame]:
    """Yield `criteria`, one sorted frame a chunk of whole persons: moment `peak_ever`, or `whole_stay`.

    All persons are assessed: without any measurement an HScore is 0 to 337, undetermined. Over whole stays
    only definitions that were derived so are evaluated; the others are named and left out.
    """
    if not criteria:
        hint = f"Name some of {', '.join(shipped())}, or a .toml file"
        raise UsageError("no criteria to screen by", hint=hint)
    site = site_words.joined(site, source.site)
    words = site.applied(vocabulary.load()) if site else vocabulary.load()
    definitions = sorted(load_all(list(dict.fromkeys(criteria))), key=lambda each: each.name)
    for notice in (each for definition in definitions for each in definition.notices):
        progress(notice)
    if whole_stay:
        definitions = _of_whole_stays(definitions, progress)
    for each in source.absent():
        progress(f"{each.table}: {each.consequence}")
    done = 0
    for totals in results_in_order(
        lambda records: totals_of(
            Patients.of(records, words), definitions, source.doubts, whole_stay=whole_stay
        ),
        source.chunks(),
        _AT_ONCE,
    ):
        yield totals
        done += len(totals) // len(definitions)
        progress(f"{done:,} persons screened")


def _of_whole_stays(
    definitions: Sequence[Definition], progress: Callable[[str], None]
) -> list[Definition]:
    """Return the definitions that were derived on whole stays; the others are named."""
    for other in (each for each in definitions if not each.whole_stay):
        progress(f"{other.name} was not derived on whole stays and is left out")
    kept = [each for each in definitions if each.whole_stay]
    if not kept:
        able = [name for name in shipped() if load(name).whole_stay]
        raise UsageError(
            "none of the criteria was derived on whole stays",
            hint=f"Name some of {', '.join(able)}, or leave out --look-back",
        )
    return kept


def totals_of(
    chunk: Patients,
    definitions: Sequence[Definition],
    doubts: tuple[Doubt, ...] = (),
    *,
    whole_stay: bool = False,
) -> Frame:
    """Return the peaks of a chunk, or its whole stays, sorted by person and definition."""
    records = chunk.records
    inputs, n = chunk.inputs(CLOCK), len(chunk)
    age, _ = ages(records.persons, chunk.ended)
    diseases = np.empty(n, dtype=object)
    diseases[:] = underlying(chunk.diagnosed, n)
    people = Frame({"person_id": records.persons["person_id"], "age": age, "underlying": diseases})
    modifiers = chunk.modifiers()
    stays = whole_stays(records) if whole_stay else None

    def totals(definition: Definition) -> Frame:
        evaluation = evaluate(definition, inputs)
        if stays is None:
            return peaks(evaluation, people, modifiers=modifiers)
        return worst_stays(evaluation, people, stays, modifiers=modifiers)

    by_definition = Frame.concat([doubted(totals(each), each, doubts) for each in definitions])
    inputs.forget()
    return by_definition.take(np.arange(len(by_definition)).reshape(-1, n).T.ravel())


def form_of(out: Path) -> str:
    """Return the format that a file's name asks for."""
    if out.suffix not in FORMS:
        raise UsageError(
            f"{out.name} does not end in .csv or .parquet", hint="Choose one of these endings"
        )
    return out.suffix[1:]


def facts(
    source: Source, records: str, criteria: Sequence[str], look_back: str
) -> dict[str, object]:
    """Return what the manifest beside a screened table says of the run."""
    return {
        "becalm": __version__,
        "kind": f"{KIND}: contains patient data, not for release",
        "source": source.name,
        "records": records,
        "criteria": list(criteria),
        "look_back": look_back,
    }


def write(frames: Iterator[Frame], file: Path) -> int:
    """Write the screened persons frame by frame; return the number of rows."""
    form_of(file)
    return stream.write("criteria", frames, file)
