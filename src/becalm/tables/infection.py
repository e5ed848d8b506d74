"""Infections proven by culture, and what grew but does not count as one."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    HOURS_FROM_T0,
    PERSON_ID,
    SOURCE_ROW,
    Table,
    answer,
    count,
    text,
    time,
)

INFECTIONS: Final = Table(
    "infections",
    "What grew in cultures of the cohort, by episode: infections, growth that does not count as one, with the reason, and "
    "samples of which nobody knows whether anything grew.",
    "person, site, organism and episode",
    {
        "person_id": PERSON_ID,
        "onset": time(
            "When the first sample that grew it was collected; the start of the day where only the date is known."
        ),
        "onset_is": text("exact, date: at some moment of that day, or unknown."),
        "hours_from_t0": HOURS_FROM_T0,
        "last_positive": time("When the last sample of the episode that grew it was collected."),
        "site": text(
            "blood, urine, airway, cerebrospinal fluid, body fluid, tissue, swab, stool, device, screen, not stated or not "
            "understood."
        ),
        "organism": text(
            "The organism, in one spelling for all ways to write it; not known where the result is not."
        ),
        "class": text(
            "bacterial, fungal, pneumocystis, mycobacterial, viral, parasitic, flora or not understood."
        ),
        "commensal": answer("Whether it commonly lives on skin, so that one draw proves nothing."),
        "draws": count("1", "Samples of the episode that grew it."),
        "counts": answer("Whether it counts as an infection; empty where nobody can tell."),
        "counts_as": text(
            "bacterial infection, fungal infection, pneumocystis infection, mycobacterial infection, viral infection or "
            "parasitic infection; empty where it does not count as one, or where nobody can tell."
        ),
        "proven": text(
            "sterile site, two draws, treated (days with an antibiotic), detected (a virus) or judged (by a clinician); "
            "empty where it does not count."
        ),
        "reason": text("Why it does not count, or what is not known."),
        "new_onset": answer(
            "Whether it began after time zero, later than the protocol's time, with an organism that had not grown in the "
            "time before that the protocol gives; empty where nobody can tell."
        ),
        "antibiotic_days": count("d", "Days with an antibiotic around the first sample, at least."),
        "on_drug": answer("Whether the person was on the drug of interest at the onset."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "onset", "site", "organism"),
)
