"""Diagnoses and procedures."""

from __future__ import annotations

from becalm.records.mimic4.tables import SYSTEM, MimicTable, Release

_NO_NAMES = (
    "(SELECT NULL::VARCHAR AS icd_code, NULL::VARCHAR AS icd_version, NULL::VARCHAR AS long_title "
    "WHERE false)"
)


def conditions(release: Release) -> str | None:
    """Return the coded diagnoses of each admission.

    Codes are assigned at discharge for the whole stay, so the onset is unknown: a condition
    belongs to its stay, not to a moment.
    """
    table = release.table("hosp", "diagnoses_icd")
    names = release.table("hosp", "d_icd_diagnoses")
    if table is None:
        return None
    rows = _bare_codes(table.numbered("subject_id", "hadm_id", "icd_code", "icd_version"))
    return f"""
        SELECT 'diagnoses_icd' AS source, p.code AS person, coalesce(hadm_id, '') AS stay_id,
               'ICD' || icd_version || 'CM' AS system, icd_code AS code,
               coalesce(long_title, '') AS name, row AS key,
               CASE WHEN p.code IS NULL THEN 'person not in patients'
                    WHEN icd_code IS NULL OR icd_version IS NULL THEN 'no code' END AS reason
        FROM {rows}
        LEFT JOIN {_titles(names)} USING (icd_code, icd_version)
        LEFT JOIN (SELECT code, subject_id FROM persons) p USING (subject_id)
        ORDER BY person, key
    """


def procedures(release: Release) -> str | None:
    """Return coded procedures (a date only) and the timed ones of intensive care."""
    parts = [sql for sql in (_coded(release), _timed(release)) if sql]
    if not parts:
        return None
    return f"""
        SELECT e.* EXCLUDE (subject_id), p.code AS person,
               CASE WHEN p.code IS NULL THEN 'person not in patients'
                    WHEN "end" < start THEN 'stops before it starts'
                    WHEN rewritten THEN 'replaced by a later row' END AS reason
        FROM ({" UNION ALL ".join(parts)}) e
        LEFT JOIN (SELECT code, subject_id FROM persons) p USING (subject_id)
        ORDER BY person, start, key, source
    """


def _coded(release: Release) -> str | None:
    table = release.table("hosp", "procedures_icd")
    names = release.table("hosp", "d_icd_procedures")
    if table is None:
        return None
    rows = _bare_codes(table.numbered("subject_id", "chartdate", "icd_code", "icd_version"))
    return f"""
        SELECT 'procedures_icd' AS source, subject_id, moment(chartdate) AS start,
               NULL::TIMESTAMP AS "end", true AS date_only,
               CASE WHEN icd_version = '9' THEN 'ICD9Proc'
                    ELSE 'ICD' || icd_version || 'PCS' END AS system,
               icd_code AS code, coalesce(long_title, '') AS name, row AS key,
               false AS rewritten
        FROM {rows} LEFT JOIN {_titles(names)} USING (icd_code, icd_version)
    """


def _timed(release: Release) -> str | None:
    table, items = release.table("icu", "procedureevents"), release.table("icu", "d_items")
    if table is None or items is None:
        return None
    rows = table.numbered("subject_id", "starttime", "endtime", "itemid", "statusdescription")
    named = items.read("itemid", "label")
    labels = f"(SELECT bare(itemid) AS itemid, min(bare(label)) AS label FROM {named} GROUP BY 1)"
    return f"""
        SELECT 'procedureevents' AS source, subject_id, moment(starttime) AS start,
               moment(endtime) AS "end", false AS date_only, '{SYSTEM}' AS system, itemid AS code,
               coalesce(label, '') AS name, row AS key,
               coalesce(statusdescription = 'Rewritten', false) AS rewritten
        FROM {rows} LEFT JOIN {labels} USING (itemid)
    """


def _bare_codes(rows: str) -> str:
    """Return rows with their code and its version bare, as the names of the codes have them."""
    return f"(SELECT * REPLACE (bare(icd_code) AS icd_code, bare(icd_version) AS icd_version) FROM {rows})"


def _titles(names: MimicTable | None) -> str:
    if names is None:
        return _NO_NAMES
    return (
        "(SELECT bare(icd_code) AS icd_code, bare(icd_version) AS icd_version, min(bare(long_title)) AS long_title "
        f"FROM {names.read('icd_code', 'icd_version', 'long_title')} GROUP BY 1, 2)"
    )
