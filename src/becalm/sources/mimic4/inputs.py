"""Infusions, pushes and boluses of intensive care, from inputevents."""

from __future__ import annotations

from becalm.sources.mimic4.tables import Release


def administrations(release: Release) -> str | None:
    """Return one row per interval at one rate, or per single dose.

    A rewritten row was replaced by a later one, so it was not given; every other status says only
    how a given row ended. The route is intravenous where the order's own category says so: a push
    may be subcutaneous, and enteral nutrition is ordered as a "Continuous IV".
    """
    table, items = release.table("icu", "inputevents"), release.table("icu", "d_items")
    if table is None:
        return None
    rows = table.numbered(
        "subject_id",
        "hadm_id",
        "itemid",
        "starttime",
        "endtime",
        "amount",
        "amountuom",
        "rate",
        "rateuom",
        "patientweight",
        "ordercategoryname",
        "ordercategorydescription",
        "statusdescription",
    )
    labels = (
        f"(SELECT itemid, min(label) AS label FROM {items.read('itemid', 'label')} GROUP BY 1)"
        if items
        else "(SELECT NULL::VARCHAR AS itemid, NULL::VARCHAR AS label WHERE false)"
    )
    return f"""
        SELECT *,
               CASE WHEN person IS NULL THEN 'person not in patients'
                    WHEN start IS NULL THEN 'no readable start'
                    WHEN "end" < start THEN 'stops before it starts'
                    WHEN amount < 0 OR rate < 0 THEN 'negative amount or rate'
                    WHEN amount IS NULL AND amount_given THEN 'amount is not a number'
                    WHEN rate IS NULL AND rate_given THEN 'rate is not a number'
               END AS reason
        FROM (
            SELECT 'inputevents' AS source, 'inputevents' AS "table", code AS person,
                   coalesce(hadm_id, '') AS stay_id, coalesce(label, '') AS label, itemid AS code,
                   CASE WHEN ordercategoryname LIKE '%Enteral%' THEN 'enteral'
                        WHEN ordercategoryname LIKE '%Oral/Gastric%' THEN 'enteral'
                        WHEN ordercategoryname LIKE '%Non IV%' THEN ''
                        WHEN ordercategoryname LIKE '%Pre Admission%' THEN ''
                        WHEN ordercategorydescription IN
                             ('Continuous Med', 'Continuous IV', 'Drug Push', 'Bolus') THEN 'IV'
                        ELSE '' END AS route,
                   TRY_CAST(starttime AS TIMESTAMP) AS start,
                   TRY_CAST(endtime AS TIMESTAMP) AS "end",
                   plain(amount) AS amount, given_unit(amountuom) AS amount_unit,
                   plain(rate) AS rate, given_unit(rateuom) AS rate_unit,
                   nullif(plain(patientweight), 0) AS weight_kg,
                   CASE WHEN statusdescription = 'Rewritten' THEN 'not given' ELSE 'given'
                   END AS status,
                   coalesce(ordercategorydescription, '') AS category, '' AS reason_for_change,
                   row AS key, CASE WHEN plain(amount) IS NULL THEN amount END AS shown,
                   amount IS NOT NULL AS amount_given, rate IS NOT NULL AS rate_given
            FROM {rows}
            LEFT JOIN {labels} USING (itemid)
            LEFT JOIN (SELECT code, subject_id FROM persons) USING (subject_id)
        )
    """
