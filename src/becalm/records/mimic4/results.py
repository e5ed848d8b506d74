"""Results as numbers or as written, from labevents, chartevents and outputevents.

Each part yields tbl, subject_id, itemid, unit, time, available, value, text, ref_low, ref_high,
report, lost, key; their order is person, time, key, tbl (`ORDER`).

The number of a result is `valuenum`, also where `value` is masked (`___`) or disagrees; a `value`
that carries a direction (`>15000`) stays text, because its number alone would be wrong. A result
that exists only in the comments ("<0.2.", "GREATER THAN 21000.  IN AMBULATORY ...") is the first
statement of the comment. A number whose comment begins with its limit (5 and `<5*`) is that limit. `report` is what the comment says of the report itself (`vocabulary.reports`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from becalm.records import possible
from becalm.records.duck import quoted
from becalm.records.mimic4.tables import REBUILT_CHART, MimicTable, Release
from becalm.vocabulary import reports
from becalm.vocabulary.numbers import LIMIT_IN_COMMENT

TABLES: Final = ("labevents", "chartevents", "outputevents")
ORDER: Final = ("time", "key", "tbl")
REASONS: Final = (
    "",
    "person not in patients",
    "no readable time",
    "no result",
    "storetime is not a time: cell not used",
    "ref_range_lower is not a number: limit unknown, value used",
    "ref_range_upper is not a number: limit unknown, value used",
    "valuenum is not a number: value used",
)
LOST: Final = {1: 4, 2: 5, 4: 6, 8: 7}
"""For each bit of `lost`, the position in `REASONS`: a cell of a row that is used cannot be read."""

_DATES: Final = possible.rules().dates
_PLACEHOLDERS: Final = " OR ".join(
    f"TRY_CAST(x AS DATE) = DATE '{day}'" for day in possible.before_shifted_dates()
)

# Not IN, nor a list: DuckDB makes a join of a long one, and what a join returns has lost the order of the file, by
# which rows are numbered.
MACROS: Final = (
    f"""CREATE MACRO moment(x) AS
       CASE WHEN TRY_CAST(x AS TIMESTAMP) >= TIMESTAMP '{_DATES.first}'
             AND TRY_CAST(x AS TIMESTAMP) < TIMESTAMP '{_DATES.last}' + INTERVAL 1 DAY
             AND NOT ({_PLACEHOLDERS})
            THEN TRY_CAST(x AS TIMESTAMP) END""",
    "CREATE MACRO impossible(x) AS TRY_CAST(x AS TIMESTAMP) IS NOT NULL AND moment(x) IS NULL",
    """CREATE MACRO plain(x) AS
       CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END""",
    # Without the blanks around it, those of other alphabets and a byte-order mark too.
    r"CREATE MACRO bare(x) AS regexp_replace(x, '^[\s\x{A0}\x{FEFF}]+|[\s\x{A0}\x{FEFF}]+$', '', 'g')",
    "CREATE MACRO lost_time(x) AS trim(x) <> '' AND moment(x) IS NULL",
    "CREATE MACRO lost_number(x) AS trim(x) <> '' AND plain(x) IS NULL",
    r"""CREATE MACRO directed(x) AS
        regexp_matches(x, '^\s*([<>≤≥]|(greater|less|more|under|over|above|below)\b)', 'i')""",
    r"""CREATE MACRO first_statement(x) AS
        nullif(regexp_extract(x, '^\s*(.*?)\s*\*?\s*(\.\s|\.$|;|$)', 1), '')""",
    "CREATE MACRO unmasked(x) AS nullif(nullif(trim(x), ''), '___')",
    "CREATE MACRO given_unit(x) AS coalesce(nullif(trim(x), 'None'), '')",
)


def limited() -> str:
    """Return the macro for a limit in a comment beside a number: as text if it is the limit of that number.

    A laboratory's comment `<5*` beside the number 5 says that the result is below 5.
    """
    pattern = quoted(LIMIT_IN_COMMENT)
    said = f"regexp_extract(x, {pattern}, 2, 'i')"
    return (
        f"CREATE MACRO limited(x, number) AS CASE WHEN regexp_matches(x, {pattern}, 'i') "
        f"AND TRY_CAST(replace({said}, ',', '') AS DOUBLE) = number "
        f"THEN regexp_extract(x, {pattern}, 1, 'i') || ' ' || {said} END"
    )


def reported() -> str:
    """Return the macro for what a comment says of its report, as `vocabulary.reports.said` reads it."""
    words = reports.shipped()
    plain = f"regexp_replace(strip_accents(lower(x)), {quoted(reports.pattern(words.nothing))}, ' ', 'g')"
    cases = " ".join(
        f"WHEN regexp_matches({plain}, {quoted(reports.pattern(phrases))}) THEN {says}"
        for phrases, says in (
            (words.corrects, reports.CORRECTS),
            (words.preliminary, reports.PRELIMINARY),
            (words.final, reports.FINAL),
        )
    )
    return (
        f"CREATE MACRO reported(x) AS (CASE WHEN x IS NULL THEN {reports.NOTHING} {cases} "
        f"ELSE {reports.NOTHING} END)::INTEGER"
    )


def measurements(release: Release, items: Collection[str]) -> str | None:
    """Return the results of the wanted items, in the files' order; None if no table has any.

    `reason` is a position in `REASONS`: 0 for a row that is used.
    """
    parts = [sql for sql in _parts(release) if sql]
    if not parts:
        return None
    union = " UNION ALL ".join(
        f"SELECT * FROM ({part}) WHERE itemid IN ({_listed(items)})" for part in parts
    )
    return f"""
        SELECT code AS person, time, available, value, text, ref_low, ref_high, report, lost, key, tbl,
               concat_ws('|', tbl, itemid, unit) AS kind,
               (CASE WHEN code IS NULL THEN 1 WHEN time IS NULL THEN 2
                     WHEN value IS NULL AND text IS NULL THEN 3 ELSE 0 END)::UTINYINT AS reason
        FROM ({union}) LEFT JOIN (SELECT code, subject_id FROM persons) USING (subject_id)
    """


def others(release: Release, items: Collection[str]) -> str | None:
    """Return the number of rows by table, item and unit of all items that are *not* wanted."""
    parts = [sql for sql in _parts(release) if sql]
    if not parts:
        return None
    union = " UNION ALL ".join(
        f"SELECT tbl, coalesce(itemid, '') AS itemid, unit, key FROM ({part}) "
        f"WHERE itemid IS NULL OR itemid NOT IN ({_listed(items)})"
        for part in parts
    )
    return f"""
        SELECT concat_ws('|', tbl, itemid, unit) AS kind, count(*) AS rows, min(key) AS first
        FROM ({union}) GROUP BY tbl, itemid, unit ORDER BY tbl, itemid, unit
    """


def _listed(items: Collection[str]) -> str:
    return ", ".join(quoted(item) for item in sorted(items)) or "NULL"


def _parts(release: Release) -> tuple[str | None, ...]:
    labs = release.table("hosp", "labevents")
    chart = release.table("icu", "chartevents", stand_in=REBUILT_CHART)
    outputs = release.table("icu", "outputevents")
    return (
        _labs(labs) if labs else None,
        _chart(chart) if chart else None,
        _outputs(outputs) if outputs else None,
    )


def _labs(table: MimicTable) -> str:
    rows = table.read(
        "labevent_id",
        "subject_id",
        "itemid",
        "charttime",
        "storetime",
        "value",
        "valuenum",
        "valueuom",
        "ref_range_lower",
        "ref_range_upper",
        "comments",
    )
    return f"""
        SELECT 0::UTINYINT AS tbl, subject_id, itemid, given_unit(valueuom) AS unit,
               moment(charttime) AS time,
               moment(storetime) AS available,
               CASE WHEN directed(value) OR said IS NOT NULL THEN NULL
                    WHEN as_value IS NOT NULL THEN coalesce(as_number, as_value)
                    WHEN as_number IS NOT NULL THEN as_number
                    WHEN unmasked(value) IS NULL THEN plain(first_statement(comments))
               END AS value,
               CASE WHEN directed(value) THEN trim(value)
                    WHEN said IS NOT NULL THEN said
                    WHEN as_value IS NOT NULL THEN ''
                    WHEN as_number IS NOT NULL THEN ''
                    WHEN unmasked(value) IS NOT NULL THEN trim(value)
                    WHEN plain(first_statement(comments)) IS NOT NULL THEN ''
                    ELSE coalesce(unmasked(first_statement(comments)), nullif(trim(value), ''),
                                  first_statement(comments))
               END AS text,
               plain(ref_range_lower) AS ref_low, plain(ref_range_upper) AS ref_high,
               reported(comments) AS report,
               (CASE WHEN lost_time(storetime) THEN 1 ELSE 0 END
                + CASE WHEN lost_number(ref_range_lower) THEN 2 ELSE 0 END
                + CASE WHEN lost_number(ref_range_upper) THEN 4 ELSE 0 END
                + CASE WHEN as_number IS NULL AND trim(valuenum) <> '' THEN 8 ELSE 0 END)::UTINYINT AS lost,
               TRY_CAST(labevent_id AS BIGINT) AS key
        FROM (SELECT *, limited(comments, coalesce(as_number, as_value)) AS said
              FROM (SELECT *, plain(value) AS as_value, plain(valuenum) AS as_number FROM {rows}))
    """


def _chart(table: MimicTable) -> str:
    """Return charted values.

    The verbal score 1 of an intubated person ("No Response-ETT") is a convention of the form, not
    an observation, so it stays text.
    """
    rows = table.numbered(
        "subject_id", "itemid", "charttime", "storetime", "value", "valuenum", "valueuom"
    )
    return f"""
        SELECT 1::UTINYINT AS tbl, subject_id, itemid, given_unit(valueuom) AS unit,
               moment(charttime) AS time,
               moment(storetime) AS available,
               CASE WHEN as_value IS NOT NULL THEN coalesce(as_number, as_value)
                    WHEN directed(value) OR value = 'No Response-ETT' THEN NULL
                    ELSE as_number
               END AS value,
               CASE WHEN as_value IS NOT NULL THEN ''
                    WHEN directed(value) OR value = 'No Response-ETT' THEN trim(value)
                    WHEN as_number IS NOT NULL THEN ''
                    ELSE nullif(trim(value), '')
               END AS text,
               NULL::DOUBLE AS ref_low, NULL::DOUBLE AS ref_high, -1::INTEGER AS report,
               (CASE WHEN lost_time(storetime) THEN 1 ELSE 0 END
                + CASE WHEN as_number IS NULL AND trim(valuenum) <> '' THEN 8 ELSE 0 END)::UTINYINT AS lost,
               row AS key
        FROM (SELECT *, plain(value) AS as_value, plain(valuenum) AS as_number FROM {rows})
    """


def _outputs(table: MimicTable) -> str:
    rows = table.numbered("subject_id", "itemid", "charttime", "storetime", "value", "valueuom")
    return f"""
        SELECT 2::UTINYINT AS tbl, subject_id, itemid, given_unit(valueuom) AS unit,
               moment(charttime) AS time,
               moment(storetime) AS available,
               plain(value) AS value,
               CASE WHEN plain(value) IS NOT NULL THEN '' ELSE nullif(trim(value), '') END AS text,
               NULL::DOUBLE AS ref_low, NULL::DOUBLE AS ref_high, -1::INTEGER AS report,
               (CASE WHEN lost_time(storetime) THEN 1 ELSE 0 END)::UTINYINT AS lost, row AS key
        FROM {rows}
    """
