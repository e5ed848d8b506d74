"""Infusions, pushes and boluses of intensive care, from inputevents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from becalm.records.mimic4.tables import SYSTEM, Release

APART: Final = "\x1f"
REASONS: Final = (
    "",
    "person not in patients",
    "no readable start",
    "stops before it starts",
    "negative amount or rate",
    "amount is not a number",
    "rate is not a number",
    "no readable end",
    "patientweight is not a number: cell not used",
    "originalrate is not a number: cell not used",
)
LOST: Final = {1: 8, 2: 9}
"""For each bit of `lost`, the position in `REASONS`: a cell of a row that is used cannot be read."""
_SPACES: Final = " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Characters that `trim` of DuckDB removes, so that a unit is equal in every table."""

_INTRAVENOUS: Final = ("Continuous Med", "Continuous IV", "Drug Push", "Bolus")


def administrations(release: Release) -> str | None:
    """Return one row per interval at one rate, or per single dose, in the order of the file.

    Nothing but the file is read, and row by row: a join or a numbering would keep all cores but one
    from reading. So `subject` is a number that stands for the id (`persons` says whose), the rows'
    number is their place among all that come, `reason` is a position in `REASONS` without regard
    to the person, `lost` has a bit of `LOST` for each other cell that cannot be read, and `written` is what `understood` makes words of, with an amount that is no number.
    """
    table = release.table("icu", "inputevents")
    if table is None:
        return None
    rows = table.read(
        "subject_id",
        "hadm_id",
        "itemid",
        "starttime",
        "endtime",
        "amount",
        "amountuom",
        "rate",
        "rateuom",
        "originalrate",
        "patientweight",
        "ordercategoryname",
        "ordercategorydescription",
        "statusdescription",
    )
    words = (
        "itemid",
        "amountuom",
        "rateuom",
        "ordercategoryname",
        "ordercategorydescription",
        "statusdescription",
        "CASE WHEN amount IS NULL THEN amount_written END",
    )
    return f"""
        SELECT {subject("subject_id")} AS subject, TRY_CAST(hadm_id AS BIGINT) AS stay, start, "end",
               amount, rate, entered_rate, weight_kg,
               (CASE WHEN start IS NULL THEN 2
                     WHEN "end" < start THEN 3
                     WHEN amount < 0 OR rate < 0 THEN 4
                     WHEN amount IS NULL AND amount_written IS NOT NULL THEN 5
                     WHEN rate IS NULL AND rate_written IS NOT NULL THEN 6
                     WHEN lost_time(endtime) THEN 7
                     ELSE 0 END)::UTINYINT AS reason,
               (CASE WHEN lost_number(patientweight) THEN 1 ELSE 0 END
                + CASE WHEN lost_number(originalrate) THEN 2 ELSE 0 END)::UTINYINT AS lost,
               concat_ws('{APART}', {", ".join(f"coalesce({word}, '')" for word in words)}) AS written
        FROM (
            SELECT * EXCLUDE (amount, rate), amount AS amount_written, rate AS rate_written,
                   plain(amount) AS amount, plain(rate) AS rate,
                   plain(originalrate) AS entered_rate,
                   nullif(plain(patientweight), 0) AS weight_kg,
                   moment(starttime) AS start, moment(endtime) AS "end"
            FROM {rows}
        )
    """


def persons() -> str:
    """Return the person of each code `subject`."""
    return f"SELECT code, {subject('subject_id')} AS subject FROM persons ORDER BY code"


def labels(release: Release) -> str | None:
    """Return the label of each item."""
    items = release.table("icu", "d_items")
    if items is None:
        return None
    rows = items.read("itemid", "label")
    return f"SELECT bare(itemid) AS itemid, min(bare(label)) AS label FROM {rows} GROUP BY 1"


def understood(written: str, label: Callable[[str], str]) -> tuple[dict[str, str], str]:
    """Return the texts shared by all rows written in this way, and the amount if it is not a number.

    A rewritten row was replaced by a later one, so it was not given; every other status says only
    how a given row ended. The route is intravenous where the order's own category says so: a push
    may be subcutaneous, and enteral nutrition is ordered as a "Continuous IV".
    """
    item, amount_unit, rate_unit, name, description, status, amount = written.split(APART, 6)
    if "Enteral" in name or "Oral/Gastric" in name:
        route = "enteral"
    elif "Non IV" in name or "Pre Admission" in name:
        route = ""
    else:
        route = "IV" if description in _INTRAVENOUS else ""
    return {
        "table": "inputevents",
        "label": label(item),
        "code": item,
        "system": SYSTEM,
        "route": route,
        "amount_unit": _given_unit(amount_unit),
        "rate_unit": _given_unit(rate_unit),
        "status": "not given" if status == "Rewritten" else "given",
        "category": description,
        "reason_for_change": "",
    }, amount


def _given_unit(text: str) -> str:
    unit = text.strip(_SPACES)
    return "" if unit == "None" else unit


def subject(column: str) -> str:
    return f"(hash({column}) >> 1)::BIGINT"
