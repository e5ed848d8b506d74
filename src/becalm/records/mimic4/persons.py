"""Persons and their stays, from patients, admissions, icustays and transfers."""

from __future__ import annotations

from becalm.records import possible
from becalm.records.mimic4.tables import Release


def create_persons(release: Release) -> str:
    """Make the table `persons`: a code per subject, in the order of the ids as text."""
    patients = release.required("hosp", "patients")
    life, dates = possible.rules().life, possible.rules().dates
    rows = patients.read("subject_id", "gender", "anchor_age", "anchor_year", "dod")
    return f"""
        CREATE TABLE persons AS
        SELECT (row_number() OVER (ORDER BY subject_id) - 1)::INTEGER AS code, subject_id, gender,
               CASE WHEN TRY_CAST(anchor_age AS INTEGER) BETWEEN 0 AND {life.longest_years}
                     AND TRY_CAST(anchor_year AS INTEGER) BETWEEN {dates.first[:4]} AND {dates.last[:4]}
                    THEN TRY_CAST(anchor_year AS INTEGER) - TRY_CAST(anchor_age AS INTEGER) END AS birth_year,
               moment(dod) AS dod
        FROM {rows} WHERE subject_id IS NOT NULL
    """


def persons(release: Release) -> str:
    """Return one row a person.

    Birth: the release gives an age in an anchor year, so only the year of birth is known (ages
    above 89 are grouped at 91 by the publishers). Death: the hospital's time where someone died
    in hospital, else the date of the state's register. Last contact: the last departure, from the
    emergency department too; later results are added when a chunk is built.
    """
    admissions = release.required("hosp", "admissions")
    rows = admissions.read("subject_id", "dischtime", "deathtime", "edouttime")
    icustays = release.table("icu", "icustays")
    transfers = release.table("hosp", "transfers")
    others = " ".join(
        "UNION ALL SELECT subject_id, NULL, moment(outtime) "
        f"FROM {table.read('subject_id', 'outtime')}"
        for table in (icustays, transfers)
        if table
    )
    return f"""
        WITH seen AS (
            SELECT subject_id, moment(deathtime) AS died,
                   greatest(moment(dischtime),
                            moment(edouttime)) AS left_at
            FROM {rows} {others}
        ), ends AS (
            SELECT subject_id, min(died) AS died, max(left_at) AS left_at FROM seen GROUP BY ALL
        )
        SELECT subject_id AS person_id,
               CASE WHEN gender IN ('F', 'M') THEN gender END AS sex,
               make_timestamp(birth_year, 1, 1, 0, 0, 0) AS birth,
               birth_year IS NOT NULL AS birth_year_only,
               coalesce(died, dod) AS death_time,
               coalesce(died, dod) IS NOT NULL
                   AND (died IS NULL OR died = date_trunc('day', died)) AS death_date_only,
               left_at AS last_contact, 'patients' AS "table",
               TRY_CAST(subject_id AS BIGINT) AS key
        FROM persons LEFT JOIN ends USING (subject_id) ORDER BY code
    """


def stays(release: Release) -> str:
    """Return hospital admissions, time in the emergency department, and intensive care.

    Of the transfers only visits to the emergency department that led to no admission are stays of
    their own: the rest of that table cuts admissions and stays in intensive care into wards, and
    would count each of them twice.
    """
    admissions = release.required("hosp", "admissions")
    rows = admissions.read(
        "subject_id",
        "hadm_id",
        "admittime",
        "dischtime",
        "admission_location",
        "discharge_location",
        "edregtime",
        "edouttime",
    )
    icustays = release.table("icu", "icustays")
    icu = (
        f"""UNION ALL
        SELECT 'icustays', subject_id, stay_id, intime, outtime, 'ICU', '', ''
        FROM {icustays.read("subject_id", "stay_id", "intime", "outtime")}"""
        if icustays
        else ""
    )
    transfers = release.table("hosp", "transfers")
    visits = (
        f"""UNION ALL
        SELECT 'transfers', subject_id, transfer_id, intime, outtime, 'ED', '', ''
        FROM {transfers.read("subject_id", "hadm_id", "transfer_id", "eventtype", "intime", "outtime")}
        WHERE eventtype = 'ED' AND hadm_id IS NULL"""
        if transfers
        else ""
    )
    return f"""
        WITH adm AS (
            SELECT *, upper(coalesce(admission_location, '')) AS came,
                   upper(coalesce(discharge_location, '')) AS went
            FROM {rows}
        ), every AS (
            SELECT 'admissions' AS source, subject_id, hadm_id AS stay_id, admittime AS start,
                   dischtime AS "end", 'hospital' AS kind,
                   CASE WHEN came LIKE 'TRANSFER FROM %' THEN 'transfer'
                        WHEN came IN ('EMERGENCY ROOM', 'PHYSICIAN REFERRAL', 'CLINIC REFERRAL',
                                      'WALK-IN/SELF REFERRAL') THEN 'home'
                   END AS origin,
                   CASE WHEN went = 'DIED' THEN 'died'
                        WHEN went IN ('HOME', 'HOME HEALTH CARE') THEN 'home'
                        WHEN went IN ('ACUTE HOSPITAL', 'REHAB', 'SKILLED NURSING FACILITY',
                                      'CHRONIC/LONG TERM ACUTE CARE', 'PSYCH FACILITY', 'HOSPICE',
                                      'HEALTHCARE FACILITY', 'OTHER FACILITY', 'ASSISTED LIVING')
                        THEN 'transfer'
                   END AS destination
            FROM adm
            UNION ALL
            SELECT 'admissions', subject_id, hadm_id, edregtime, edouttime, 'ED', '', ''
            FROM adm WHERE edregtime IS NOT NULL
            {icu}
            {visits}
        )
        SELECT source, code AS person, stay_id, moment(start) AS start,
               moment("end") AS "end", kind, origin, destination,
               source AS "table", TRY_CAST(stay_id AS BIGINT) AS key,
               CASE WHEN code IS NULL THEN 'person not in patients' END AS reason
        FROM every LEFT JOIN persons USING (subject_id)
        ORDER BY person, start, key, kind
    """
