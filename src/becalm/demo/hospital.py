"""Write the synthetic hospital: a few planted patients among ordinary ones, as chart-review sheets.

The same persons and seed give the same bytes, whatever the machine's clock or language. Patients
are made and written one at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from becalm import __version__
from becalm.core.errors import UsageError, did_you_mean
from becalm.core.spreadsheets import CsvWriter
from becalm.core.staging import staged, write_manifest
from becalm.demo import ordinary, planted
from becalm.demo.tidy import Patient
from becalm.demo.truth import truth_text
from becalm.demo.untidy import SHEETS, sheet_rows

DEFAULT_PERSONS: Final = 300
DEFAULT_SEED: Final = 20
FORMATS: Final = ("sheets",)
KIND: Final = "records of invented patients"
_TOLD_EVERY: Final = 100

STUDY: Final = """\
# Invented patients. None of them is a patient published by Monteagudo and colleagues.
title = "Illustrative series: five invented patients in a synthetic hospital"
illustrative = true
setting = "synthetic hospital of becalm, all wards and intensive care"
centre = "Illustrative Hospital (invented)"
recruitment_start = "2016-01-01"
recruitment_end = "2020-12-31"
consecutive = "yes"
ethics_ref = "not applicable: invented patients"
consent_basis = "not applicable: invented patients"
"""


def write_hospital(
    out: Path,
    persons: int,
    seed: int,
    format: str = "sheets",  # noqa: A002 - the word of the command line
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a synthetic hospital of `persons` patients into the folder `out`.

    The planted patients are always among them; the rest are ordinary adults. `truth.json` beside
    the sheets says what is true of the planted ones; no study reads it. `progress` is told how
    many of how many patients are written.

    Raises
    ------
    UsageError
        For too few persons, a negative seed or a format that is not written.
    OutputError
        If `out` cannot be written. Then nothing is left half written.
    """
    if format not in FORMATS:
        raise UsageError(
            f"the synthetic hospital is not written as {format!r}",
            where="--format",
            hint=did_you_mean(format, FORMATS),
        )
    fewest = sum(1 for _ in planted.all_entries())
    if persons < fewest:
        raise UsageError(
            f"{persons} persons are too few",
            where="--persons",
            hint=f"{fewest} patients are planted: give {fewest} or more",
        )
    if seed < 0:
        raise UsageError(f"{seed} is negative", where="--seed", hint="Give 0 or more")
    with staged(Path(out), KIND) as folder, ExitStack() as open_files:
        (folder / "study.toml").write_text(STUDY, encoding="utf-8", newline="\n")
        (folder / "truth.json").write_text(
            truth_text(persons, seed), encoding="utf-8", newline="\n"
        )
        sheets = {}
        for name, header in SHEETS.items():
            file = open_files.enter_context(
                (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
            )
            sheets[name] = CsvWriter(file)
            sheets[name].row(header)
        for done, (patient, rng) in enumerate(_patients(persons - fewest, seed), start=1):
            for name, rows in sheet_rows(patient, rng).items():
                sheets[name].rows(rows)
            if progress is not None and (done % _TOLD_EVERY == 0 or done == persons):
                progress(done, persons)
        open_files.close()
        write_manifest(folder, {"becalm": __version__, "kind": KIND})


def _patients(ordinary_ones: int, seed: int) -> Iterator[tuple[Patient, np.random.Generator]]:
    """Yield everybody in the order of their ids, each with a random stream of their own.

    A person's stream depends on the seed and the person alone: asking for more patients leaves
    those that were there unchanged.
    """
    for group, file in enumerate(("illustrative", "mimics")):
        yield from _planted(file, group, seed)
    for number in range(1, ordinary_ones + 1):
        rng = np.random.default_rng([seed, 1, number])
        yield ordinary.patient(number, rng), rng
    yield from _planted("treated", 2, seed)


def _planted(file: str, group: int, seed: int) -> Iterator[tuple[Patient, np.random.Generator]]:
    for i, entry in enumerate(sorted(planted.entries(file), key=lambda entry: str(entry["id"]))):
        rng = np.random.default_rng([seed, 0, group, i])
        yield planted.patient(entry, rng), rng
