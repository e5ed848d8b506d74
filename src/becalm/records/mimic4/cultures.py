"""Microbiology, one row per specimen, test and organism."""

from __future__ import annotations

from becalm.records.mimic4.tables import Release


def cultures(release: Release) -> str | None:
    """Return cultures and other microbiology.

    The table repeats an organism for every antibiotic it was tried against; these collapse. A
    missing time of day leaves a date. "CANCELLED" is written as an organism and is none. Without
    an organism the result is read from the laboratory's sentence only where that begins with a
    plain yes or no; otherwise it stays unknown, and a masked sentence (`___`) says nothing.
    """
    table = release.table("hosp", "microbiologyevents")
    if table is None:
        return None
    rows = table.read(
        "microevent_id",
        "subject_id",
        "micro_specimen_id",
        "chartdate",
        "charttime",
        "spec_type_desc",
        "storedate",
        "storetime",
        "test_itemid",
        "test_name",
        "org_name",
        "comments",
    )
    return f"""
        WITH typed AS (
            SELECT subject_id, micro_specimen_id, test_itemid, trim(org_name) AS organism,
                   TRY_CAST(microevent_id AS BIGINT) AS key,
                   coalesce(trim(spec_type_desc), '') AS specimen,
                   coalesce(trim(test_name), '') AS test,
                   moment(charttime) AS moment, moment(chartdate) AS day,
                   coalesce(moment(storetime),
                            moment(storedate) + INTERVAL 1 DAY) AS available,
                   upper(trim(comments)) AS statement
            FROM {rows}
        ), one AS (
            SELECT subject_id, organism, min(key) AS key, arg_min(specimen, key) AS specimen,
                   arg_min(test, key) AS test, min(moment) AS moment, min(day) AS day,
                   max(available) AS available, arg_min(statement, key) AS statement
            FROM typed GROUP BY subject_id, micro_specimen_id, test_itemid, organism
        )
        SELECT 'microbiologyevents' AS source, code AS person, coalesce(moment, day) AS collected,
               moment IS NULL AS date_only, available, specimen, test,
               CASE WHEN organism = 'CANCELLED' THEN 'cancelled'
                    WHEN organism IS NOT NULL AND regexp_matches(test, 'PCR|DNA|Antigen|Toxin', 'i')
                    THEN 'detected'
                    WHEN organism IS NOT NULL THEN 'growth'
                    WHEN regexp_matches(statement, '^TEST (CANCELLED|NOT PERFORMED)') THEN 'cancelled'
                    WHEN regexp_matches(statement, '^NO GROWTH|^NO [^.]* ISOLATED\\b') THEN 'no growth'
                    WHEN regexp_matches(statement, '^POSITIVE\\b|^REACTIVE\\b') THEN 'detected'
                    WHEN regexp_matches(statement, '^NEGATIVE\\b|^NON-?REACTIVE\\b|^[^.]* NOT DETECTED\\b')
                    THEN 'not detected'
                    WHEN statement IS NULL AND available IS NULL THEN 'pending'
                    ELSE '' END AS result,
               CASE WHEN organism = 'CANCELLED' THEN '' ELSE coalesce(organism, '') END AS organism,
               key,
               CASE WHEN code IS NULL THEN 'person not in patients'
                    WHEN moment IS NULL AND day IS NULL THEN 'no readable time' END AS reason
        FROM one LEFT JOIN (SELECT code, subject_id FROM persons) USING (subject_id)
        ORDER BY person, collected, key
    """
