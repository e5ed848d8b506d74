"""A study in a notebook: run it, read its tables, write it, or convert it to JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from becalm import vocabulary
from becalm.api import write as writing
from becalm.api.opening import PatientRecords
from becalm.api.table import NOTICE, DataTable
from becalm.core import toml
from becalm.core.clock import UNKNOWN_TIME, iso
from becalm.core.errors import UsageError, did_you_mean
from becalm.core.staging import staged_with_release
from becalm.protocol import Protocol
from becalm.report import analysis_results
from becalm.study import protocol_names
from becalm.study.result import StudyResult
from becalm.study.run import run as run_study
from becalm.tables import ANALYSIS_RESULTS, DICTIONARY, TABLES, WRITTEN, Table, dictionary
from becalm.vocabulary import site_words


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """A finished study. `study["response"]` is one of its tables; `study.tables` names them all."""

    result: StudyResult
    read: Path | None = None
    """The records; results are never written over them."""

    @property
    def tables(self) -> list[str]:
        """The names of the written tables."""
        return list(WRITTEN)

    def __getitem__(self, name: str) -> DataTable:
        """Return a written table. Raises `UsageError` where none has that name."""
        result = self._with_results if name == ANALYSIS_RESULTS.name else self.result
        return DataTable(_table(name), result.frames[name].sort(*_table(name).key))

    @cached_property
    def _with_results(self) -> StudyResult:
        """The study with the numbers of its report, which are made when somebody asks for them."""
        name = ANALYSIS_RESULTS.name
        if name in self.result.frames:
            return self.result
        return self.result.with_frames({name: analysis_results(self.result)})

    def __iter__(self) -> Any:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.result.frames["persons"])

    def describe(self, name: str | None = None) -> DataTable:
        """Return the data dictionary of a table, or of all: column, kind, unit, meaning."""
        chosen = WRITTEN.values() if name is None else [_table(name)]
        return DataTable(DICTIONARY, dictionary(chosen))

    def write(self, out: str | Path, *, release: str | Path | None = None) -> Path:
        """Write what the command `becalm study` writes: tables, figures, report and manifest.

        release : a second folder for suppressed aggregates, the only part meant for publication.

        Raises
        ------
        OutputError
            If a file cannot be written, or one is in the way that becalm did not write or that was changed
            since; then everything is as before.
        UsageError
            If the folder for release is inside, around or equal to the other one or the records, or `out` is
            the folder of the records.
        """
        folder, public = Path(out), None if release is None else Path(release)
        reads = [] if self.read is None else [self.read, *self._inputs(self.read)]
        with staged_with_release(folder, public, reads=reads) as (stage, aggregates):
            writing.write(self.result, stage)
            if aggregates is not None:
                writing.write_for_release(self.result, aggregates)
        return folder

    def _inputs(self, read: Path) -> list[Path]:
        """Return the files of the records that were read."""
        root = read if read.is_dir() else read.parent
        return [root / each.name for each in self.result.inputs]

    def to_json(self) -> str:
        """Return the study as JSON for a page in a browser: the same text for the same study.

        One object: `becalm` (version), `notice`, `illustrative`, `records`, `source`, `protocol`,
        `unverified`, `notices`, `citations`, `consequences`, `absent`, `counts`, `definitions` (name ->
        title, cut_off, minimum, maximum), and `tables`: name -> `meaning`, `columns` (name, kind, unit,
        meaning) and `rows` (lists in the order of the columns). Unknown is null, so is an open limit;
        times are ISO 8601. Tables that only the report draws (series, dose_steps and others) are among
        them. It contains patient data.
        """
        result = self._with_results
        document = {
            "becalm": result.version,
            "notice": NOTICE,
            "illustrative": result.info.illustrative,
            "records": result.records_name,
            "source": result.source,
            "protocol": msgspec.to_builtins(result.protocol, enc_hook=toml.as_written),
            "unverified": list(result.unverified),
            "notices": list(result.notices),
            "citations": list(result.citations),
            "consequences": list(result.consequences),
            "absent": [{"table": a.table, "consequence": a.consequence} for a in result.absent],
            "counts": dict(result.counts),
            "definitions": {
                name: {
                    "title": each.title,
                    "cut_off": each.cut_off,
                    "minimum": each.minimum,
                    "maximum": each.maximum,
                }
                for name, each in result.definitions.items()
            },
            "tables": {name: _json_table(result, table) for name, table in TABLES.items()},
        }
        return msgspec.json.encode(document, enc_hook=toml.as_written).decode()

    def __repr__(self) -> str:
        result = self.result
        steps = result.frames["attrition"]["persons"].tolist()
        drug = f", {result.protocol.entry.drug}" if result.protocol.entry else ""
        lines = [
            f"<study {result.protocol.name} of {result.records_name!r}: {len(self):,} of "
            f"{steps[0] if steps else 0:,} persons{drug}>",
            f"tables: {', '.join(self.tables)}",
        ]
        if result.unverified:
            lines.append(f"not verified: {'; '.join(result.unverified)}")
        return "\n".join([*lines, NOTICE])

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in repr(self).strip("<").splitlines())


def run(
    records: PatientRecords,
    protocol: str | Protocol = "anakinra_mas",
    *,
    words: str | Path | None = None,
    models: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Study:
    """Run a study: a protocol on records. Raw rows are read in parts and not kept.

    protocol : the name of a shipped one, a TOML file, or a `Protocol`. words : a site's file of words, which
    says what its own names mean (docs/words.md). models : pharmacokinetic models (`becalm.pk.shipped()`, or files), by
    which concentrations are calculated, beside those of the protocol (docs/pharmacology.md). progress : called with one line
    at each step of long work.

    Raises
    ------
    DefinitionError
        Where the protocol, or a definition that it names, is wrong.
    RecordsError
        Where the records cannot be understood, or lack a table that the protocol needs.

    >>> from tempfile import TemporaryDirectory
    >>> from becalm.api import open_records, run
    >>> from becalm.records.template import copy_template
    >>> with TemporaryDirectory() as folder:
    ...     book = copy_template(Path(folder) / "five.xlsx", filled=True, kind="xlsx")
    ...     study = run(open_records(book), protocol="hyperinflammation")
    >>> study["persons"].columns[:3]
    ['person_id', 'sex', 'age']
    """
    chosen = protocol_names.load(protocol) if isinstance(protocol, str) else protocol
    chosen = protocol_names.with_models(chosen, models)
    site = None if words is None else site_words.read(Path(words), vocabulary.load())
    result = run_study(records.open(), chosen, records.name, progress, site=site)
    return Study(result, Path(records.path))


def _table(name: str) -> Table:
    if name not in WRITTEN:
        raise UsageError(f"no table is called {name!r}", hint=did_you_mean(name, WRITTEN))
    return WRITTEN[name]


def _json_table(result: StudyResult, table: Table) -> dict[str, Any]:
    frame = result.frames[table.name]
    if table.key:
        frame = frame.sort(*table.key)
    data = DataTable(table, frame)
    columns = [
        [iso(each) if each != UNKNOWN_TIME else None for each in frame[name].tolist()]
        if kind == "time"
        else data[name]
        for name, kind in table.items()
    ]
    return {
        "meaning": table.meaning,
        "columns": [
            {"name": name, "kind": c.kind, "unit": c.unit, "meaning": c.meaning}
            for name, c in table.columns.items()
        ],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }
