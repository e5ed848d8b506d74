"""Bedside administrations from emar and emar_detail, and orders from prescriptions."""

from __future__ import annotations

from typing import Final

from becalm.records.duck import quoted
from becalm.records.mimic4.tables import MimicTable, Release

GIVEN: Final = (
    "Administered",
    "Partial Administered",
    "Administered Bolus from IV Drip",
    "Applied",
    "Removed Existing / Applied New",
    "Flushed",
)
"""Events with an administered dose."""

RUNNING: Final = ("Started", "Restarted", "Confirmed", "Rate Change", "Infusion Reconciliation")
"""Events after which an infusion runs at the rate of the event."""

HALTED: Final = "(Stop|Paus)"
"""First words of events after which no infusion runs; "Not Stopped" changes nothing."""

INFUSED: Final = (
    "IV Infusion",
    "Heparin IV Infusion",
    "Insulin Infusion (IV Drip)",
    "Medication Infusion",
    "TPN",
    "PCA",
    "Epidural",
)
"""Kinds of administration that continue between their events."""

CONFIRMED_FOR: Final = "12 hours"
"""Longest time for which the last event of an infusion is valid. Nurses confirm once a shift: in the
demo 95 of 100 events are followed by the next within 11 h. A proposal of becalm."""

ROUTES: Final = {
    "IV Infusion": "IV",
    "Heparin IV Infusion": "IV",
    "Heparin IV Bolus": "IV",
    "Insulin Infusion (IV Drip)": "IV",
    "Bolus Dose from IV Drip": "IV",
    "IV Flush": "IV",
    "IV Fluid Repletion": "IV",
    "Medication Infusion": "IV",
    "TPN": "IV",
    "PCA": "IV",
    "Insulin SC Sliding Scale": "SC",
    "Insulin SC Fixed Dose": "SC",
    "Transdermal Patch": "transdermal",
    "Epidural": "epidural",
}
"""The route of each kind of administration."""


def administrations(release: Release) -> str | None:
    """Return one row per event of the bedside record, in the columns of inputevents' rows.

    The parent row of `emar_detail` (without ordinal) says what kind of administration it is and at
    which rate; the children have the administered products, and only they are added up.
    Anything but an event at which a dose went in, or after which an infusion runs, gives nothing
    and is listed so: "Not Given", "Stopped", "Assessed". An event without a word counts where its
    children state a dose.

    An infusion runs from an event to the next event of its order; after the last one until the
    same drug's next event under another order or until the order ends, whichever is first, and for a
    shift at most; where there is neither, its end is not known. One whose rate is "in the flowsheet" has no rate here.

    Route: the event's own, else what its kind says, else the order's.
    """
    emar, detail = release.table("hosp", "emar"), release.table("hosp", "emar_detail")
    if emar is None or detail is None:
        return None
    events = emar.numbered(
        "subject_id",
        "hadm_id",
        "emar_id",
        "emar_seq",
        "poe_id",
        "pharmacy_id",
        "charttime",
        "medication",
        "event_txt",
    )
    parents = _parents(detail)
    children = detail.read("dose_given", "dose_given_unit", "product_description")
    routes = " ".join(f"WHEN {quoted(kind)} THEN {quoted(to)}" for kind, to in ROUTES.items())
    return f"""
        WITH products AS (
            SELECT emar_id, round(sum(plain(dose_given)), 9) AS dose,
                   min(trim(dose_given_unit)) AS unit,
                   count(dose_given) AS stated, count(plain(dose_given)) AS numbers,
                   coalesce(min(trim(dose_given_unit)) = max(trim(dose_given_unit)), true) AS alike,
                   min(product_description) AS product
            FROM {children} WHERE parent_field_ordinal IS NOT NULL GROUP BY emar_id
        ), events AS (
            SELECT e.row, e.subject_id, e.hadm_id, e.medication, e.event_txt,
                   TRY_CAST(e.emar_seq AS BIGINT) AS seq, moment(e.charttime) AS time,
                   coalesce(e.poe_id, e.pharmacy_id, e.emar_id) AS ordered,
                   trim(regexp_replace(e.event_txt, '^Delayed| in Other Location$', '', 'g')) AS word,
                   p.administration_type AS kind, coalesce(kind IN ({_listed(INFUSED)}), false)
                   AS infused, p.infusion_rate, p.infusion_rate_unit, p.infusion_rate_adjustment,
                   p.dose_due, p.dose_due_unit, p.route, o.order_route, o.order_end, products.* EXCLUDE (emar_id)
            FROM {events} e
            LEFT JOIN {parents} p ON p.emar_id = e.emar_id
            LEFT JOIN products ON products.emar_id = e.emar_id
            LEFT JOIN {_orders(release)} o ON o.pharmacy_id = e.pharmacy_id
        ), moving AS (
            SELECT row, coalesce(
                       lead(time) OVER of_order,
                       least(lead(time) OVER of_drug, CASE WHEN order_end > time THEN order_end END,
                             CASE WHEN order_end > time OR lead(time) OVER of_drug IS NOT NULL
                                  THEN time + INTERVAL '{CONFIRMED_FOR}' END)
                   ) AS until, lead(time) OVER of_order = time AS replaced
            FROM events
            WHERE infused AND (word IN ({_listed(RUNNING)}) OR regexp_matches(word, '^{HALTED}'))
            WINDOW of_order AS (PARTITION BY subject_id, ordered ORDER BY time, seq, row),
                   of_drug AS (PARTITION BY subject_id, coalesce(medication, ordered)
                               ORDER BY time, seq, row)
        ), resolved AS (
            SELECT *, infused AND word IN ({_listed(RUNNING)}) AND NOT coalesce(replaced, false)
                   AS runs, kind = 'Medication Infusion' AS a_bag
            FROM events LEFT JOIN moving USING (row)
        )
        SELECT 'emar' AS source, 'emar' AS "table", code AS person, coalesce(hadm_id, '') AS stay_id,
               coalesce(medication, product, kind, '') AS label, '' AS code, '' AS system,
               coalesce(route, CASE kind {routes} END, order_route, '') AS route,
               time AS start, CASE WHEN runs THEN until END AS "end",
               CASE WHEN runs AND NOT a_bag THEN NULL
                    WHEN stated = numbers AND alike THEN dose END AS amount,
               CASE WHEN runs AND NOT a_bag THEN '' ELSE coalesce(unit, '') END AS amount_unit,
               CASE WHEN runs THEN plain(infusion_rate) END AS rate,
               CASE WHEN runs THEN coalesce(
                   infusion_rate_unit, CASE WHEN dose_due = infusion_rate THEN dose_due_unit END, ''
               ) ELSE '' END AS rate_unit,
               NULL::DOUBLE AS entered_rate, NULL::DOUBLE AS weight_kg,
               CASE WHEN runs OR word IN ({_listed(GIVEN)}) OR (event_txt IS NULL AND dose > 0)
                    THEN 'given' ELSE 'not given' END AS status,
               concat_ws(': ', kind, trim(event_txt)) AS category,
               coalesce(infusion_rate_adjustment, '') AS reason_for_change,
               row AS key, '' AS shown,
               CASE WHEN code IS NULL THEN 'person not in patients'
                    WHEN time IS NULL THEN 'no readable start'
                    WHEN dose < 0 OR plain(infusion_rate) < 0 THEN 'negative amount or rate'
               END AS reason
        FROM resolved LEFT JOIN (SELECT code, subject_id FROM persons) USING (subject_id)
    """


def orders(release: Release) -> str | None:
    """Return one row per prescribed drug: ordered, which does not mean administered.

    A range ("1-2") is no dose, and an order may be stopped before it starts: both are refused.
    """
    table = release.table("hosp", "prescriptions")
    if table is None:
        return None
    rows = table.numbered(
        "subject_id", "hadm_id", "starttime", "stoptime", "drug", "dose_val_rx", "dose_unit_rx", "route"
    )  # fmt: skip
    return f"""
        SELECT *, CASE WHEN person IS NULL THEN 'person not in patients'
                       WHEN start IS NULL THEN 'no readable start'
                       WHEN lost_time(stop) THEN 'no readable end'
                       WHEN "end" < start THEN 'an order that stops before it starts'
                       WHEN amount IS NULL AND shown <> '' THEN 'an ordered dose that is not a number'
                       WHEN amount < 0 THEN 'negative amount or rate' END AS reason
        FROM (
            SELECT 'prescriptions' AS source, 'prescriptions' AS "table", code AS person,
                   coalesce(hadm_id, '') AS stay_id, coalesce(drug, '') AS label, '' AS code, '' AS system,
                   coalesce(route, '') AS route, moment(starttime) AS start,
                   moment(stoptime) AS "end", stoptime AS stop,
                   plain(CASE WHEN regexp_matches(dose_val_rx, '^\\d{{1,3}}(,\\d{{3}})+(\\.\\d+)?$')
                              THEN replace(dose_val_rx, ',', '') ELSE dose_val_rx END) AS amount,
                   given_unit(dose_unit_rx) AS amount_unit, NULL::DOUBLE AS rate, '' AS rate_unit,
                   NULL::DOUBLE AS entered_rate, NULL::DOUBLE AS weight_kg, 'ordered' AS status, '' AS category,
                   '' AS reason_for_change, row AS key, coalesce(trim(dose_val_rx), '') AS shown
            FROM {rows} LEFT JOIN (SELECT code, subject_id FROM persons) USING (subject_id)
        )
    """


def _parents(detail: MimicTable) -> str:
    wanted = (
        "emar_id",
        "administration_type",
        "infusion_rate",
        "infusion_rate_unit",
        "infusion_rate_adjustment",
        "dose_due",
        "dose_due_unit",
        "route",
    )
    rows = detail.read(*wanted, "parent_field_ordinal")
    return f"(SELECT {', '.join(wanted)} FROM {rows} WHERE parent_field_ordinal IS NULL)"


def _orders(release: Release) -> str:
    """Route and end of each order by its pharmacy_id."""
    table = release.table("hosp", "pharmacy") or release.table("hosp", "prescriptions")
    if table is None:
        return (
            "(SELECT NULL::VARCHAR AS pharmacy_id, NULL::VARCHAR AS order_route, "
            "NULL::TIMESTAMP AS order_end WHERE false)"
        )
    return (
        "(SELECT pharmacy_id, min(route) AS order_route, "
        "max(moment(stoptime)) AS order_end "
        f"FROM {table.read('pharmacy_id', 'route', 'stoptime')} GROUP BY pharmacy_id)"
    )


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(quoted(word) for word in words)
