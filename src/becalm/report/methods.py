"""How the study was done, in sentences made from the protocol's own numbers, and its references."""

from __future__ import annotations

import re
from typing import Any

from becalm.core import citations, stats
from becalm.core.errors import DefinitionError
from becalm.protocol import Reading
from becalm.report.cohort import Cohort
from becalm.report.text import label, words


def _span(text: str) -> str:
    """Write `48h` as a reader does: `48 h`."""
    return re.sub(r"(\d)([a-z])", "\\1\u00a0\\2", text.removeprefix("<="))


_TAKEN = {"max": "highest value", "min": "lowest value", "last": "last value"}


def _otherwise(reading: Reading) -> str:
    taken = _TAKEN.get(reading.take or "", "value")
    said = [f"{taken} of {_span(reading.within)}" if reading.within else taken]
    if reading.clock:
        said.append(f"by when {'drawn' if reading.clock == 'drawn' else 'available'}")
    return ", ".join(said)


def methods(cohort: Cohort) -> list[tuple[str, str]]:
    """Return the protocol in sentences, made from its own numbers."""
    p = cohort.result.protocol
    found: list[tuple[str, str]] = []
    age = f"aged {p.population.min_age} or over" if p.population.min_age is not None else "any age"
    dates = (
        "; inside the recruitment dates where the records give them"
        if p.population.recruitment
        else ""
    )
    found.append(("Population", f"{age}{dates}"))
    if p.entry_test:
        found.append(
            ("Entry test", f"{label(p.entry_test.variable)} ≥ {p.entry_test.at_least:g}, ever")
        )
    if p.entry:
        e, rate = p.entry, p.entry.least_high_rate(cohort.unit)
        high = "none is set" if rate is None else f"first rate ≥ {rate:,.0f} {cohort.unit}/day"
        lasting = (
            f" for {_span(e.min_duration)} or more, gaps up to {_span(e.bridge)} bridged; a planned infusion up to "
            f"{_span(e.intermittent_up_to)} is intermittent" if e.mode == "continuous IV" else ""
        )  # fmt: skip
        mode = "" if e.mode == "any" else f"{e.mode} "
        found.append(("Entry", f"first {mode}{label(e.drug)}{lasting}"))
        found.append(
            ("Clocks", f"t0: first {label(e.drug)} of any route in the {_span(e.t0_within)} before entry; {label('infusion_start')}: " f"{'entry' if e.mode == 'continuous IV' else 'first continuous IV'}; "
             f"{label('high_rate')}: {high}")
        )  # fmt: skip
    if p.index:
        qualifying = ", ".join(
            f"{label(t.variable)} "
            + (f"≥ {t.at_least:g}" if t.at_least is not None else f"< {t.below:g}")
            for t in p.index.qualifying
        )
        found.append(
            ("Index", f"first instant at which {label(p.index.variable)} ≥ {p.index.at_least:g} and one of "
             f"({qualifying}) drawn within {_span(p.index.within)} of it are both available")
        )  # fmt: skip
    if p.landmark:
        landmark = p.landmark
        found.append(
            ("Landmark", f"first admission with {label(landmark.condition)}, diagnosed or tested positive from {_span(landmark.before)} before it to "
             f"its end; definitions judged {_span(landmark.after)} after admission, among those alive and in hospital then, by tests drawn until then; "
             f"death in hospital by {_span(landmark.horizon)} after admission, discharge alive competing")
        )  # fmt: skip
    definite = "; ".join(
        f"{label(r.criterion)} ≥ {r.at_least:g}"
        + (f" with {', '.join(label(u) for u in r.underlying)}" if r.underlying else "")
        for r in p.storm.definite
    )
    found.append(
        (
            "Storm",
            f"judged over the {_span(p.storm.look_back)} before, by when {'results were available' if p.clock == 'available' else 'blood was drawn'}; definite: {definite}",
        )
    )
    otherwise = [
        f"{label(name)}, {label(item)}: {_otherwise(reading)}"
        for name, items in p.definitions.override.items()
        for item, reading in items.items()
    ]
    if otherwise:
        found.append(("Read otherwise than its definition says", "; ".join(otherwise)))
    if p.exclude.conditions:
        found.append(("Excluded", words(", ".join(label(c) for c in p.exclude.conditions))))
    b = p.baseline
    found.append(
        ("Baseline", f"last value: ferritin in {_span(b.ferritin)}, others in {_span(b.other)} before the clock; "
         f"peak: highest in {_span(b.peak)} before")
    )  # fmt: skip
    windows = "; ".join(
        f"{label(name)}: {'(' if h.open else '['}{h.from_h:g}, {h.to_h:g}] h"
        for name, h in p.horizons.items()
    )
    found.append(("Horizons", f"value nearest to the horizon in {windows}"))
    word = "Response" if p.response.claim == "response" else "Course"
    of = (
        "of those given an immunotherapy from the admission to a week after the landmark only: "
        if p.response.of == "treated"
        else ""
    )
    rule = " and ".join(label(v) for v in p.response.primary)
    either = (
        f" and ({' or '.join(label(v) for v in p.response.primary_any)} below baseline)"
        if p.response.primary_any
        else ""
    )
    found.append(
        (
            word,
            f"{of}{rule} below baseline{either} at 48 h; died before counts as failure, no sample as missing",
        )
    )
    k = p.kidney
    found.append(
        ("Kidney", f"KDIGO by creatinine; baseline: outpatient median {_span(k.outpatient_from)} to {_span(k.outpatient_to)} before, "
         f"else the lowest of {_span(k.minimum_within)} before onset, else back-calculated at eGFR {k.assumed_egfr:g}, labelled")
    )  # fmt: skip
    found.append(
        (
            "Counts and liver",
            "CTCAE v5 against the record's own reference limits; a default limit only where labelled",
        )
    )
    found.append(
        ("Statistics", "proportions with exact (Clopper–Pearson) 95 % intervals; medians with ranges; "
         "no standard deviation below ten values")
    )  # fmt: skip
    return found


def references(cohort: Cohort) -> list[dict[str, Any]]:
    """Return the papers behind the run, in the order of first use."""
    found = []
    for name in cohort.result.citations:
        try:
            ref = citations.reference(name)
        except DefinitionError:
            found.append(
                {
                    "key": name,
                    "text": f"{name}: not in the bibliography",
                    "doi": "",
                    "used": "",
                    "checked": False,
                }
            )
            continue
        told = citations.text(name).rsplit(" doi:", 1)[0]
        found.append(
            {
                "key": name,
                "text": told,
                "doi": ref.doi,
                "used": ref.used_for,
                "checked": ref.checked,
            }
        )
    return found


def why_no_test(n: int) -> str:
    """Say why there is no p-value."""
    if not n:
        return ""
    if n < stats.TEST_FROM:
        return (
            f"No p-value is given: with {n} pairs the smallest that an exact two-sided sign test "
            f"can reach is {stats.smallest_sign_p(n):.4g}."
        )
    return "No p-value is given: nobody was assigned to anything."
