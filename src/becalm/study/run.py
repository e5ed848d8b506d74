"""A whole study: from a source and a protocol to tables, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from becalm import vocabulary
from becalm.core.beside import Beside, beside
from becalm.core.errors import RecordsError
from becalm.core.prefetch import results_in_order
from becalm.protocol import Protocol
from becalm.records import Records, Refusal, Source
from becalm.study import protocol_definitions
from becalm.study.accumulate import Accumulator
from becalm.study.measuring import BatchResult, Measurement, Measuring
from becalm.study.result import StudyResult
from becalm.vocabulary import site_words
from becalm.vocabulary.site_words import SiteWords

AT_ONCE: Final = 2
"""Number of chunks computed at a time; more would need too much memory."""


def run(
    source: Source,
    protocol: Protocol,
    records_name: str,
    progress: Callable[[str], None] = lambda _: None,
    *,
    site: SiteWords | None = None,
    other: Beside | None = None,
) -> StudyResult:
    """Run a protocol on a source and return every table; nothing is written.

    site : what a site says its own labels mean; it stands above what the source itself brings, and both
    above the vocabulary. other : a process beside this one that measures too; without it one is started where
    there are several chunks.
    """
    _need(source, protocol)
    site = site_words.joined(site, source.site)
    words = site.applied(vocabulary.load()) if site else vocabulary.load()
    protocol, read = protocol_definitions.asked(protocol)
    protocol, models = protocol_definitions.models(protocol)
    for notice in (*protocol.notices, *(each for one in read.values() for each in one.notices)):
        progress(notice)
    total = Accumulator(protocol, read, source.doubts, models)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1))
        there = other or stack.enter_context(beside())
        asked = Measuring(
            Measurement(protocol, read, source.doubts, words, source.info, models), there
        )

        def measured(records: Records) -> BatchResult:
            progress(f"reading {len(records.persons):,} persons")
            return asked.of(records, total.counts["cohort"])

        coming: list[Future[tuple[Refusal, ...]]] = []

        def chunks() -> Iterator[Records]:
            yield from source.chunks()
            coming.append(pool.submit(source.refused))  # counted while the last ones are measured

        for batch in results_in_order(measured, chunks(), at_once=AT_ONCE):
            progress(f"measured {batch.counts['cohort']:,} persons of the cohort")
            total.add(batch)
        refused = coming[0].result()
    return total.result(source, refused, records_name, site)


def _need(source: Source, protocol: Protocol) -> None:
    """Raise an error if the records lack a table that the protocol needs."""
    needed = ("labs", "doses") if protocol.entry is not None else ("labs",)
    for name in needed:
        if name in source.missing:
            raise RecordsError(
                f"the table {name} is missing, and protocol {protocol.name} needs it",
                hint=f"Add {name} (columns: becalm template OUT), or choose another protocol",
            )
