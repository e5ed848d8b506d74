"""Writing a study: the internal folder with patient data, and the part for release."""

from __future__ import annotations

import platform
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from becalm.core import toml
from becalm.core.beside import Beside, beside
from becalm.core.staging import write_manifest
from becalm.study.result import StudyResult
from becalm.tables import ANALYSIS_RESULTS, stream
from becalm.tables.sharing import written

if TYPE_CHECKING:
    from becalm.definitions import Definition
    from becalm.pk import PkModel
    from becalm.report.release.aggregates import Aggregates
    from becalm.report.release.rules import DisclosureRules

AGGREGATES: Final = "aggregates"
CASE_SERIES: Final = "case-series"
RELEASES: Final = {
    AGGREGATES: "for release: small cells suppressed",
    CASE_SERIES: "for release: case series of single patients",
}
"""The kinds of release, and what the manifest of each says."""


def write(result: StudyResult, stage: Path, other: Beside | None = None) -> None:
    """Write an internal study into an empty folder: tables, figures, report, manifest.

    other : a process beside this one that writes too; without it one is started.
    """
    from becalm.report import write_aggregates, write_report

    folder = stage / "tables"
    folder.mkdir()
    with ExitStack() as stack:
        there = other or stack.enter_context(beside())
        stack.enter_context(written(result.tables, folder, there))
        printed = write_report(result, stage, there)
        write_aggregates(result, stage)
    result = result.with_frames({ANALYSIS_RESULTS.name: printed.results})
    stream.write_table(ANALYSIS_RESULTS.name, printed.results, folder)
    write_manifest(stage, _facts(result, "internal: contains patient data, not for release"))


def write_for_release(result: StudyResult, stage: Path, kind: str = AGGREGATES) -> None:
    """Write the part of a study that may be published: suppressed aggregates, or a declared case series."""
    from becalm.report.release.aggregates import aggregates_of

    write_release_of(aggregates_of(result), stage, kind)


def write_release_of(
    found: Aggregates, stage: Path, kind: str = AGGREGATES, rules: DisclosureRules | None = None
) -> None:
    """Write a release of exact aggregates; its manifest says nothing that depends on a person's record."""
    from becalm.report import write_case_series, write_release
    from becalm.report.release.rules import DisclosureRules

    facts: dict[str, Any] = {
        "becalm": found.becalm,
        "kind": RELEASES[kind],
        "illustrative": found.illustrative,
        "source": found.source,
        "protocol": found.protocol,
    }
    if kind == CASE_SERIES:
        write_case_series(found, stage)
    else:
        rules = rules or DisclosureRules.default()
        write_release(found, stage, rules)
        facts |= {
            "threshold": rules.threshold,
            "base": rules.base,
            "protection": rules.protection,
        }
    write_manifest(stage, facts)


def _facts(result: StudyResult, kind: str) -> dict[str, Any]:
    """Return what a manifest says of a run; nothing in it changes from one run to the next."""
    import duckdb
    import msgspec

    return {
        "becalm": result.version,
        "kind": kind,
        "illustrative": result.info.illustrative,
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "numpy": np.__version__,
        "source": result.source,
        "records": result.records_name,
        "inputs": [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in result.inputs],
        "words": None
        if result.site is None
        else {
            "name": result.site.name,
            "bytes": result.site.bytes,
            "sha256": result.site.sha256,
            "statements": len(result.site.words),
        },
        "protocol": msgspec.to_builtins(result.protocol, enc_hook=toml.as_written),
        "definitions": {
            name: {
                "cite": each.cite,
                "cut_off": each.cut_off,
                "look_backs": each.look_backs(),
                "sha256": _digest(each),
            }
            for name, each in result.definitions.items()
        },
        **_models(result),
        "citations": list(result.citations),
        "unverified": list(result.unverified),
        "notices": list(result.notices),
        "counts": dict(result.counts),
        "rows": {name: len(frame) for name, frame in result.tables.items()},
    }


def _models(result: StudyResult) -> dict[str, Any]:
    """Return what identifies each pharmacokinetic model; nothing in a study without one."""
    if not result.models:
        return {}
    return {
        "models": {
            name: {"drug": each.drug, "sha256": _digest(each)}
            for name, each in result.models.items()
        }
    }


def _digest(definition: Definition | PkModel) -> str:
    """Return the SHA-256 of all that a definition or a model says, so that two runs can tell whether it was changed."""
    import msgspec

    return sha256(msgspec.json.encode(definition, enc_hook=toml.as_written)).hexdigest()
