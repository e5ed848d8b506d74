"""Low blood counts: more than one cell line at a time, with what moves them."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, SOURCE_ROW, Table, answer, number, text, time

CELL_LINES: Final = Table(
    "cell_lines",
    "Whether more than one cell line was low at a time, before and after time zero, with transfusions and growth factors.",
    "person and period",
    {
        "person_id": PERSON_ID,
        "when": text(
            "before: the protocol's time before time zero; after: until harm no longer counts."
        ),
        "several_low": answer(
            "Whether more than one line was low within one 24 h; no only where at least two lines were measured "
            "and no unmeasured line could make it yes; between draws nobody knows."
        ),
        "lines": text("The lines that were low when it was first true, joined by |."),
        "first_several_low": time("When the draw was taken that made it true."),
        "measured": text("The lines that were measured in the period, joined by |."),
        "low_in_period": text("The lines that were low at any draw of the period, joined by |."),
        "lowest_haemoglobin": number(
            "g/dL", "The lowest value of the period; of a limit its upper bound."
        ),
        "lowest_platelets": number(
            "10⁹/L", "The lowest value of the period; of a limit its upper bound."
        ),
        "lowest_neutrophils": number(
            "10⁹/L", "The lowest value of the period; of a limit its upper bound."
        ),
        "transfused": answer(
            "Whether a blood product was given in the period; empty where the records have neither doses nor procedures."
        ),
        "growth_factor": answer(
            "Whether G-CSF or GM-CSF was given in the period; empty where the records have no doses."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "when"),
)
