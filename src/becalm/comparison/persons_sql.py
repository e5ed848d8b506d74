"""Who entered, who left, whose status changed, and which rows speak for it, as SQL on what `table_sql` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from becalm.comparison.results_folder import rows_of
from becalm.comparison.table_sql import CHANGED, GONE, NEW

STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "persons": ("storm", "storm_72h"),
    "criteria": ("status",),
    "response": ("status",),
    "escalation_response": ("status",),
    "outcome": ("died", "resolution", "relapse"),
    "judged": ("judged",),
}
"""The columns that say what became of a person, by table."""
NO_ITEM: Final = "no item of it changed: the definition or the protocol differs"
NOTHING: Final = (
    "no definition, dose or value of this person changed: what differs between the inputs decides"
)
_CELL: Final = (
    """"column" || ' ' || coalesce("old", '(none)') || ' → ' || coalesce("new", '(none)')"""
)
_TOLD: Final = 3
"""Source rows that are named for each table and kind of change."""


def find_statuses(con: Any) -> None:
    """Make the table `statuses`: each status that changed, with what speaks for it."""
    wanted = " OR ".join(
        f"""("table" = '{table}' AND "column" IN ({", ".join(f"'{each}'" for each in columns)}))"""
        for table, columns in STATUSES.items()
    )
    con.execute(
        f"""
        CREATE TEMP TABLE statuses AS
        WITH changed AS (FROM found WHERE change = '{CHANGED}' AND ({wanted})),
        items AS (
            SELECT person_id, regexp_replace("key", ', item=.*$', '') AS of_key,
                regexp_extract("key", ', item=(.*)$', 1) AS item, change,
                coalesce(
                    string_agg({_CELL}, ', ' ORDER BY rowid)
                        FILTER ("column" NOT IN ('reason', 'time')),
                    string_agg({_CELL}, ', ' ORDER BY rowid), change) AS cells,
                any_value(old_source_rows) AS was, any_value(new_source_rows) AS now
            FROM found
            WHERE "table" = 'criteria_items' AND change IN ('{CHANGED}', '{NEW}', '{GONE}')
            GROUP BY person_id, "key", change, number
        ),
        by_item AS (
            SELECT person_id, of_key, string_agg(item || ': ' || cells || {_rows("was", "now")},
                '; ' ORDER BY item, change, cells) AS because
            FROM items GROUP BY person_id, of_key
        ),
        by_criterion AS (
            SELECT person_id, string_agg("key" || ': ' || "old" || ' → ' || "new", '; ' ORDER BY "key")
                AS because
            FROM changed WHERE "table" = 'criteria' GROUP BY person_id
        )
        SELECT changed.person_id, "table", "key", "column", "old", "new",
            CASE "table" WHEN 'criteria' THEN coalesce(by_item.because, '{NO_ITEM}')
                WHEN 'persons' THEN by_criterion.because END AS because,
            old_source_rows, new_source_rows
        FROM changed
        LEFT JOIN by_item ON changed.person_id = by_item.person_id AND changed."key" = by_item.of_key
        LEFT JOIN by_criterion ON changed.person_id = by_criterion.person_id
        ORDER BY "table" <> 'persons', "table", changed.person_id, "key", "column"
        """
    )


def find_cohort(con: Any) -> None:
    """Make the table `cohort`: who entered and who left, with what else changed for this person."""
    con.execute(
        f"""
        CREATE TEMP TABLE cohort AS
        WITH who AS (
            SELECT person_id, CASE change WHEN '{NEW}' THEN 'entered' ELSE 'left' END AS change
            FROM found WHERE "table" = 'persons' AND change IN ('{NEW}', '{GONE}')
        ),
        statuses_of AS (
            SELECT person_id, string_agg("key" || ': ' || "old" || ' → ' || "new", '; ' ORDER BY "key")
                AS told
            FROM statuses WHERE "table" = 'criteria' GROUP BY person_id
        ),
        rows_of AS (
            SELECT person_id, "table", change, number,
                any_value(coalesce(new_source_rows, old_source_rows)) AS named
            FROM found SEMI JOIN who USING (person_id)
            WHERE "table" IN ('criteria', 'doses', 'values')
                AND change IN ('{CHANGED}', '{NEW}', '{GONE}')
            GROUP BY ALL
        ),
        counts AS (
            SELECT person_id, "table", "table" || ': ' || count(*) || ' ' || change || coalesce(
                ' (' || array_to_string(list(named ORDER BY number)
                    FILTER (named IS NOT NULL)[1:{_TOLD}], ', ')
                || CASE WHEN count(named) > {_TOLD} THEN ', ...)' ELSE ')' END, '') AS told
            FROM rows_of GROUP BY person_id, "table", change
        ),
        counted AS (
            SELECT person_id, string_agg(told, '; ' ORDER BY "table", told) AS told
            FROM counts GROUP BY person_id
        )
        SELECT who.person_id, who.change,
            coalesce(nullif(concat_ws('; ', statuses_of.told, counted.told), ''), '{NOTHING}') AS because
        FROM who
        LEFT JOIN statuses_of USING (person_id) LEFT JOIN counted USING (person_id)
        ORDER BY who.change, who.person_id
        """
    )


@dataclass(frozen=True)
class StepDifference:
    """A step of the attrition at which another number of persons left. None: the run has no such step."""

    reason: str
    old: int | None
    new: int | None


def attrition_differences(con: Any, old: Path, new: Path) -> list[StepDifference]:
    """Return the steps at which another number of persons left, by their reason; the first is who came at all."""
    for side, file in (("before", old), ("after", new)):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {side} AS SELECT reason, min(step) AS step, sum(lost)::BIGINT AS n "
            "FROM (SELECT reason, step, CASE WHEN step = 0 THEN persons ELSE "
            f"lag(persons) OVER (ORDER BY step) - persons END AS lost FROM {rows_of(file)}) "
            "GROUP BY reason"
        )
    rows = con.execute(
        "SELECT coalesce(after.reason, before.reason), before.n, after.n FROM before "
        "FULL JOIN after ON before.reason = after.reason WHERE before.n IS DISTINCT FROM after.n "
        "ORDER BY coalesce(after.step, before.step), 1"
    ).fetchall()
    return [StepDifference(*row) for row in rows]


def _rows(was: str, now: str) -> str:
    """Return SQL for the source rows of a change: the old ones, the new ones, or both where they differ."""
    return (
        f"CASE WHEN {was} IS NULL AND {now} IS NULL THEN '' "
        f"WHEN {was} IS NOT DISTINCT FROM {now} THEN ' (' || {now} || ')' "
        f"ELSE ' (' || coalesce({was}, '(none)') || ' → ' || coalesce({now}, '(none)') || ')' END"
    )
