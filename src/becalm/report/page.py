"""The internal report: one self-contained page, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from becalm.core.frame import Frame
from becalm.report import key, methods, what_n_shows
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.key import Fact
from becalm.report.results import KEY, KEY_RESULTS, NOTE, TEXT, PlaceOnPage, PrintedResults, counts
from becalm.report.results import sections as from_results
from becalm.report.section import Section
from becalm.report.sections import sections
from becalm.report.text import spaced
from becalm.report.theme import Figure

ILLUSTRATIVE = "Illustrative: all patients and all values in this report are invented."


@cache
def environment() -> jinja2.Environment:
    """Return the templates, with everything escaped that is not marked as markup."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("becalm.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def style() -> Markup:
    """Return the style sheet."""
    loader = environment().loader
    assert loader is not None
    return Markup(loader.get_source(environment(), "report.css")[0])


@dataclass(frozen=True)
class Printout:
    """The internal report as HTML, and every number that it prints."""

    html: str
    results: Frame


def render(cohort: Cohort, figures: Mapping[str, Figure]) -> str:
    """Return the internal report as HTML."""
    return printout(cohort, figures).html


def printout(cohort: Cohort, figures: Mapping[str, Figure]) -> Printout:
    """Return the internal report, and the results from which it is made."""
    drill = Drill(cohort)
    result = cohort.result
    results = PrintedResults(drill)
    facts = _facts(results, key.key_facts(cohort, drill))
    shows = f"What {cohort.n:,} patient{'' if cohort.n == 1 else 's'} can show"
    can_show = [
        results.text(words, PlaceOnPage(KEY, TEXT, "what n patients can show"))
        for words in (f"{shows}:", what_n_shows.sentence(cohort))
        if what_n_shows.sentence(cohort)
    ]
    parts = from_results(results, sections(cohort, drill, figures))
    template = environment().get_template("report.html.j2")
    html = template.render(
        style=style(),
        title=result.info.title or result.protocol.title,
        result=result,
        cohort=cohort,
        banners=banners(cohort),
        setting=setting(cohort),
        facts=facts,
        can_show=can_show,
        counts=counts(results, "provenance", result.counts),
        parts=parts,
        methods=methods.methods(cohort),
        references=methods.references(cohort),
        popovers=drill.popovers,
        no_test=methods.why_no_test(cohort.n),
        numbered=_numbers(parts.values()),
    )
    return Printout(html, results.frame())


def _facts(results: PrintedResults, given: Iterable[Fact]) -> list[Fact]:
    """Return the key results made from rows."""
    return [
        Fact(
            each.name,
            results.text(each.value, PlaceOnPage(KEY, KEY_RESULTS, name)),
            results.text(each.note, PlaceOnPage(KEY, NOTE, name)),
        )
        for each in given
        for name in [Markup(each.name).striptags()]
    ]


def _numbers(parts: Iterable[Section]) -> dict[str, int]:
    names = [figure.name for part in parts for figure in part.figures]
    return {name: i + 1 for i, name in enumerate(names)}


def banners(cohort: Cohort) -> list[str]:
    """Return what must stand above everything else."""
    return [ILLUSTRATIVE] if cohort.result.info.illustrative else []


def setting(cohort: Cohort) -> list[tuple[str, str]]:
    """Return what the study says about itself; what it does not say is left out."""
    info, protocol = cohort.result.info, cohort.result.protocol
    dates = " to ".join(d for d in (info.recruitment_start, info.recruitment_end) if d)
    given = [
        ("Protocol", f"{protocol.name}: {protocol.title}"),
        ("Design", f"retrospective case series; time zero: {cohort.zero}{_after(cohort)}"),
        ("Setting", ", ".join(part for part in (info.setting, info.centre, info.country) if part)),
        ("Recruitment", dates),
        ("Consecutive patients", info.consecutive),
        ("Ethics", info.ethics_ref),
        ("Consent", info.consent_basis),
        ("Registration", info.registration or "none"),
    ]
    return [(name, value) for name, value in given if value]


def _after(cohort: Cohort) -> str:
    rule = cohort.result.protocol.landmark
    return f", {spaced(rule.after)} after admission" if rule else ""
