"""The command line. Large modules are imported inside the commands, so that `--help` is fast."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from becalm import __version__, commands
from becalm.commands.options import KIND, MAPPING, MODELS, PREVIOUS, WORDS
from becalm.core import machine, scratch, stopping
from becalm.core.errors import BecalmError
from becalm.core.registered import packages_with

if TYPE_CHECKING:
    from becalm.records import InputFile

BUG = 70
NOT_A_DEVICE = "Research use only: not a medical device."
SOURCES = packages_with("records", "registration.py")
OUT = click.Path(path_type=Path)


class Commands(click.Group):
    """A group of commands that turns a user's mistake into one line and its own exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with stopping.watched():
                return super().main(*args, **kwargs)
        except stopping.Stopped as stopped:
            say(_stopped_after(stopping.written()))
            sys.exit(stopped.exit_code)
        except RuntimeError as error:  # no thread could be started to watch for signals
            if (told := machine.shortage(error)) is None:
                raise
            say(told.line())
            sys.exit(told.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        machine.use_one_thread_for_algebra()
        machine.collect_less_often()
        scratch.sweep()
        try:
            machine.require_memory()
            done = super().invoke(ctx)
            stopping.check()
            return done
        except Exception as error:
            stopping.check()  # a query that was interrupted fails with an error of its own
            self._explain(error, ctx)
            raise

    def _explain(self, error: Exception, ctx: click.Context) -> None:
        """Say what is wrong and exit; nothing for what click explains, or where --debug shows it."""
        if isinstance(error, (click.ClickException, click.exceptions.Exit, click.Abort)):
            return
        if ctx.params.get("debug"):
            return
        told = error if isinstance(error, BecalmError) else machine.shortage(error)
        if told is not None:
            click.echo(f"becalm: {told.line()}", err=True)
            ctx.exit(told.exit_code)
        else:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            click.echo(f"becalm: a bug in becalm ({what}). --debug shows where", err=True)
            ctx.exit(BUG)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=NOT_A_DEVICE,
)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(__version__, prog_name="becalm")
def main(debug: bool) -> None:
    """Find cytokine storms in hospital records, rebuild their treatment, measure the response."""
    del debug  # read by `Commands.invoke`


for _each in commands.ALL:
    main.add_command(_each)


def say(text: str) -> None:
    """Print the current step to stderr."""
    click.echo(f"becalm: {text}", err=True)


def _stopped_after(written: Sequence[Path]) -> str:
    """Return what a run that was stopped has written, and what not."""
    if not written:
        return "interrupted; no file was written"
    names = ", ".join(map(str, written))
    return f"interrupted; complete: {names}; nothing else was written"


@main.command()
@click.option("--out", type=OUT, default=Path("demo"), show_default=True, help="Folder to write.")
@click.option("--persons", type=click.IntRange(min=20), default=300, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=20, show_default=True)
def demo(out: Path, persons: int, seed: int) -> None:
    """Run the built-in example: from raw records to a report, offline. All patients are invented."""
    from becalm.core.staging import check
    from becalm.demo import write_hospital

    begun = time.perf_counter()
    beside = ("records",)
    check(out, beside=beside)
    say(f"writing the records of {persons} invented persons")
    write_hospital(out / "records", persons, seed)
    _study(out / "records", "anakinra_mas", out, beside=beside, models=("anakinra",))
    click.echo(f"Report: {out / 'report.html'}")
    click.echo(f"The run took {time.perf_counter() - begun:.1f} s, without installation.")
    click.echo(f"Illustrative: every patient is invented. {NOT_A_DEVICE}")


@main.command()
@click.argument("records")
@click.option(
    "--protocol", default="anakinra_mas", show_default=True, help="Name, or a .toml file."
)
@click.option(
    "--out", type=OUT, default=Path("results"), show_default=True, help="Folder to write."
)
@click.option("--release", type=OUT, help="Second folder: what may be published.")
@KIND
@PREVIOUS
@click.option("--source", type=click.Choice(SOURCES), help="Kind of RECORDS, if not recognised.")
@MODELS
@MAPPING
@WORDS
def study(  # noqa: PLR0917 - click passes the options by name
    records: str,
    protocol: str,
    out: Path,
    release: Path | None,
    kind: str,
    previous: Path | None,
    source: str | None,
    models: tuple[str, ...],
    mapping: str | None,
    words: Path | None,
) -> None:
    """Run a study on RECORDS (a folder, a workbook) and write tables, figures and a report."""
    result = _study(
        records, protocol, out, source=source, mapping=mapping, release=release, kind=kind,
        previous=previous, words=words, models=models,
    )  # fmt: skip
    click.echo(f"Report: {out / 'report.html'} (contains patient data, not for release)")
    if release is not None:
        click.echo(f"For release: {release}")
    click.echo(NOT_A_DEVICE)
    for line in _without_cohort(result):
        click.echo(line)


LOSSES: Final = 2
"""Steps that are named where nobody enters a study; the others are counted in the last line."""


def _without_cohort(result: Any) -> list[str]:
    """Return, where nobody entered, why, in three lines at most: the steps with the largest losses."""
    from becalm.cohort.attrition import largest_losses

    if result.counts["cohort"]:
        return []
    lost = largest_losses(result.tables["attrition"])
    lines = [f"Nobody entered the study, of {result.counts['persons']:,} in the records. Why:"]
    lines += [f"  {n:,} left: {reason}" for n, reason in lost[:LOSSES]]
    if rest := sum(n for n, _ in lost[LOSSES:]):
        lines[-1] += f"; {rest:,} at other steps (table attrition)"
    return lines


def _study(
    records: str | Path,
    protocol_name: str,
    out: Path,
    *,
    source: str | None = None,
    mapping: str | None = None,
    release: Path | None = None,
    kind: str = "aggregates",
    previous: Path | None = None,
    words: Path | None = None,
    beside: Sequence[str] = (),
    models: Sequence[str] = (),
) -> Any:
    from becalm.api.releasing import check_kind, overlap
    from becalm.api.write import write, write_for_release
    from becalm.core import beside as second
    from becalm.core.staging import staged_with_release
    from becalm.records import open_records
    from becalm.report.release.aggregates import FILE
    from becalm.study import protocol_names
    from becalm.study.measuring import prepare
    from becalm.study.run import run

    protocol = protocol_names.with_models(protocol_names.load(protocol_name), models)
    reads = [Path(records), *_files_of(protocol_name, mapping, words, *models)]
    with (
        second.beside() as other,
        staged_with_release(out, release, reads=reads, beside=beside) as (stage, public),
    ):
        prepare(other, Path(records))
        say(f"reading {records}")
        opened = open_records(str(records), source, mapping)
        if release is not None:
            check_kind(kind, opened.info)
        result = run(opened, protocol, Path(records).name, say, site=_site(words), other=other)
        reads += _read(records, result.inputs)
        say("writing tables, figures and the report")
        write(result, stage, other)
        if public is not None:
            write_for_release(result, public, kind)
            ids = result.tables["persons"]["person_id"].tolist()
            for line in overlap((stage / FILE).read_bytes(), ids, kind, previous):
                say(line)
    return result


def _files_of(*options: str | Path | None) -> list[Path]:
    """Return the files that options name; other words are names of what becalm ships."""
    return [path for each in options if each is not None and (path := Path(each)).is_file()]


def _read(records: str | Path, inputs: Iterable[InputFile]) -> list[Path]:
    """Return the files of the records that were read."""
    folder = path if (path := Path(records)).is_dir() else path.parent
    return [folder / each.name for each in inputs]


def _site(words: Path | None) -> Any:
    """Read a file of words; None where none is given."""
    from becalm import vocabulary
    from becalm.vocabulary import site_words

    return None if words is None else site_words.read(words, vocabulary.load())


@main.command()
@click.argument("records")
@click.option(
    "--criteria",
    default="hscore,hlh2004,mas2016",
    show_default=True,
    help="Names, or .toml files, joined by commas.",
)
@click.option(
    "--out", type=OUT, default=Path("criteria.parquet"), show_default=True, help=".csv or .parquet"
)
@click.option("--source", type=click.Choice(SOURCES), help="Kind of RECORDS, if not recognised.")
@click.option(
    "--look-back",
    type=click.Choice(["defined", "stay"]),
    default="defined",
    show_default=True,
    help="How long a value counts: as the definition says, or for its whole stay.",
)
@MAPPING
@WORDS
def screen(  # noqa: PLR0917 - click passes the options by name
    records: str,
    criteria: str,
    out: Path,
    look_back: str,
    source: str | None,
    mapping: str | None,
    words: Path | None,
) -> None:
    """Evaluate definitions for all persons in RECORDS: the highest total of each person."""
    from becalm.core.staging import staged_file
    from becalm.records import not_among_records, open_records
    from becalm.study import screen as screening

    screening.form_of(out)
    not_among_records(out)
    names = [name.strip() for name in criteria.split(",") if name.strip()]
    opened = open_records(records, source, mapping)
    reads = [Path(records), *_files_of(mapping, words, *names)]
    if out.is_file():  # finding them may take time
        reads += _read(records, opened.inputs())
    facts = screening.facts(opened, Path(records).name, names, look_back)
    with staged_file(out, screening.KIND, facts=facts, reads=reads) as file:
        found = screening.screen(
            opened, names, say, site=_site(words), whole_stay=look_back == "stay"
        )
        rows = screening.write(found, file)
    click.echo(f"{out}: {rows:,} rows. {NOT_A_DEVICE}")


@main.command()
@click.argument("records")
@click.option("--out", type=OUT, help="Folder for all tables with all rows, as CSV.")
@click.option("--source", type=click.Choice(SOURCES), help="Kind of RECORDS, if not recognised.")
@MAPPING
@click.option(
    "--words",
    type=OUT,
    help="File of words: read where it exists (what is new goes to FILE.new), else written.",
)
def doctor(
    records: str, out: Path | None, source: str | None, mapping: str | None, words: Path | None
) -> None:
    """Report how well RECORDS can be understood: times, units, names, gaps, conflicts, refused rows, doses."""
    from becalm import doctor as examining
    from becalm.core.files import exists
    from becalm.core.staging import staged
    from becalm.records import not_among_records, open_records

    if words is not None:
        not_among_records(words)

    def examined() -> tuple[examining.Diagnosis, Any]:
        site = _site(words) if words is not None and exists(words) else None
        return examining.examine(open_records(records, source, mapping), say, site=site), site

    if out is None:
        diagnosis, site = examined()
        click.echo(examining.render(diagnosis), nl=False)
    else:
        with staged(out, examining.KIND, reads=[records, *_files_of(mapping, words)]) as stage:
            diagnosis, site = examined()
            click.echo(examining.render(diagnosis), nl=False)
            examining.write(diagnosis, stage)
    if words is not None:
        _write_words(words, diagnosis["not_understood"], site)


def _write_words(words: Path, found: Any, site: Any) -> None:
    """Write the names that are not understood; a file that exists is never written over."""
    from becalm.core.files import exists
    from becalm.core.staging import staged_file
    from becalm.vocabulary import site_words

    new = site_words.new_words(found, site.words if site else ())
    target = words if site is None else words.with_name(f"{words.name}.new")
    if not len(new):
        click.echo(f"{words}: nothing to add, every name is understood or has a statement")
        return
    if exists(target):
        say(f"{target} exists and was left as it is; remove it to have it written again")
        return
    with staged_file(target) as file:
        file.write_text(site_words.written(new), encoding="utf-8")
    click.echo(f"{target}: {len(new):,} names to fill in")


@main.command()
@click.argument("out", type=OUT)
@click.option("--persons", type=click.IntRange(min=20), default=300, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=20, show_default=True)
@click.option(
    "--format", "form", type=click.Choice(["sheets"]), default="sheets", show_default=True
)
def hospital(out: Path, persons: int, seed: int, form: str) -> None:
    """Write a synthetic hospital to OUT. All patients are invented."""
    from becalm.demo import write_hospital

    write_hospital(out, persons, seed, form, _report_progress)
    click.echo(f"{out}: {persons:,} invented persons")


def _report_progress(done: int, all_of_them: int) -> None:
    say(f"{done:,} of {all_of_them:,} persons")


@main.command()
@click.argument("out", type=OUT)
@click.option("--filled", is_flag=True, help="The filled example instead of the blank template.")
@click.option("--csv", is_flag=True, help="A folder of CSV files instead of a workbook.")
def template(out: Path, filled: bool, csv: bool) -> None:
    """Copy the chart-review template to OUT, to enter your own patients."""
    from becalm.records.template import copy_template

    click.echo(f"Template: {copy_template(out, filled, 'csv' if csv else 'xlsx')}")


@main.command("release")
@click.argument("results", type=OUT)
@click.option("--out", type=OUT, required=True, help="Folder to write.")
@KIND
@PREVIOUS
def make_release(results: Path, out: Path, kind: str, previous: Path | None) -> None:
    """Make a release from RESULTS, the folder that a study wrote: what may be published."""
    from becalm.api.releasing import release

    release(results, out, kind, previous, say)
    click.echo(f"For release: {out}")
    click.echo(NOT_A_DEVICE)


@main.command()
@click.argument("results", type=OUT, required=False)
def cite(results: Path | None) -> None:
    """Print BibTeX for the papers used in RESULTS, or for all papers."""
    from becalm.core.citations import bibliography, bibtex

    keys = list(bibliography()) if results is None else _cited(results)
    click.echo("\n\n".join(bibtex(key) for key in keys))


def _cited(results: Path) -> list[str]:
    import msgspec

    from becalm.core.errors import UnreadableFileError
    from becalm.core.files import read_bytes
    from becalm.core.staging import MANIFEST

    file = results / MANIFEST if results.is_dir() else results
    hint = "Name the folder that becalm study wrote"
    content = read_bytes(file, hint=hint)
    try:
        facts = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise UnreadableFileError(
            f"is not a manifest ({error})", where=str(file), hint=hint
        ) from error
    if not isinstance(facts, dict) or "citations" not in facts:
        raise UnreadableFileError("is not a manifest of becalm", where=str(file), hint=hint)
    return list(facts["citations"])


if __name__ == "__main__":
    sys.exit(main())
