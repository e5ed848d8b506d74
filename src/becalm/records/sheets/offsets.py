"""Offsets from UTC behind times: dropped where they are those of the ward's clock, else converted or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from becalm.core import time_zones
from becalm.core.clock import MINUTE, from_us
from becalm.records.possible import is_placeholder
from becalm.records.sheets.building import Building
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.moments import Moment, moment_of, with_column
from becalm.records.sheets.schema import SHEETS

REFUSED: Final = (
    "the times of this person have offsets of several clocks, and no timezone is stated: {what} not used. "
    "State it in the study's description"
)
"""Reason of a refusal; `what` is the row or the cell."""

_UTC: Final = 0
_LABELS: Final = ("drug", "finding", "name", "loinc")

Fate: TypeAlias = Literal["dropped", "converted", "refused"]
_Refused: TypeAlias = dict[int, list[str]]
"""The columns with a refused time, by the position of the row."""


@dataclass
class _Clock:
    """What the times of one person show: (time, offset) of those with an offset, and whether some have none."""

    shown: set[tuple[int, int]] = field(default_factory=set)
    bare: bool = False

    def fate(self, zone: str) -> Fate:
        """Return what happens to the offsets of this person.

        A person's only offset, or two of one clock in their seasons, are the ward's. Beside times without an
        offset, one is the ward's too if it is not UTC, which computers write; with a zone it is converted.
        """
        offsets = {offset for _, offset in self.shown}
        if time_zones.one_clock(self.shown) and not (self.bare and (zone or offsets == {_UTC})):
            return "dropped"
        return "converted" if zone else "refused"


def without_offsets(
    sheets: Mapping[str, Sequence[Sheet]], building: Building, zone: str
) -> dict[str, list[Sheet]]:
    """Return the sheets with all times on the ward's clock, and the elapsed time of rows that give it.

    zone : the stated time zone, '' if none. A row with a refused time is left out and counted in `building`;
    of a person only the cell is. Stays that are left out are kept in `building.lost_stays`.
    """
    clocks = _clocks(sheets)
    if not clocks:
        return {name: list(parts) for name, parts in sheets.items()}
    fates = {person: clock.fate(zone) for person, clock in clocks.items() if clock.shown}
    building.notices.extend(_notices(clocks, fates, zone))
    return {
        name: [_on_ward_clock(sheet, fates, building, zone) for sheet in parts]
        for name, parts in sheets.items()
    }


def _times(sheet: Sheet) -> Iterator[tuple[str, dict[str, Moment]]]:
    """Yield the columns of times, with the different times of each that have a clock."""
    for name in SHEETS[sheet.name].times():
        if name in sheet.columns:
            read = {text: moment_of(text) for text in set(sheet.texts(name)) if len(text) > 10}
            yield name, {text: moment for text, moment in read.items() if moment}


def _has_offset(sheet: Sheet) -> bool:
    """Return whether any time of a sheet has an offset: a Z, or a sign behind its date."""
    return any(
        "Z" in text or "+" in text or "-" in text[len("2020-01-31") :]
        for name in SHEETS[sheet.name].times()
        if name in sheet.columns
        for text in set(sheet.texts(name))
    )


def _clocks(sheets: Mapping[str, Sequence[Sheet]]) -> dict[str, _Clock]:
    """Return the clock of each person; nobody's if no time of any sheet has an offset."""
    everything = (sheet for parts in sheets.values() for sheet in parts)
    if not any(_has_offset(sheet) for sheet in everything):
        return {}
    columns = [
        (sheet.texts("person_id"), sheet.texts(name), read)
        for parts in sheets.values()
        for sheet in parts
        for name, read in _times(sheet)
    ]
    clocks: dict[str, _Clock] = {}
    for persons, texts, read in columns:
        for person, text in zip(persons, texts, strict=True):
            if (moment := read.get(text)) is None or is_placeholder(text):
                continue
            clock = clocks.setdefault(person, _Clock())
            if moment.offset is None:
                clock.bare = True
            else:
                clock.shown.add((moment.wall, moment.offset))
    return clocks


def _notices(clocks: Mapping[str, _Clock], fates: Mapping[str, Fate], zone: str) -> Iterator[str]:
    """Yield what was done where times with and without an offset, or of several clocks, stand together."""
    converted = sum(fate == "converted" for fate in fates.values())
    beside = sum(fate == "dropped" and clocks[one].bare for one, fate in fates.items())
    if converted:
        yield (
            f"Times with an offset were converted to the clock of {zone} for {converted} person(s), "
            "because not all times of a person have the same."
        )
    if beside:
        yield (
            f"Some times of {beside} person(s) have an offset and others have none: the offset was taken as "
            "that of the ward's clock. State the timezone in the study's description to have them converted."
        )


def _on_ward_clock(
    written: Sheet, fates: Mapping[str, Fate], building: Building, zone: str
) -> Sheet:
    persons = written.texts("person_id")
    refused: _Refused = {}
    sheet = written
    for name, read in _times(written):
        texts = list(written.texts(name))
        for i, text in enumerate(texts):
            moment = read.get(text)
            if moment is None or moment.offset is None or (fate := fates.get(persons[i])) is None:
                continue
            if fate == "refused":
                refused.setdefault(i, []).append(name)
            wall = _in_zone(moment, zone) if fate == "converted" else moment.wall
            texts[i] = from_us(wall).isoformat()
        sheet = with_column(sheet, name, texts)
    elapsed = _elapsed(written)
    sheet = replace(_in_order(sheet, elapsed), elapsed=elapsed)
    if not refused:
        return sheet
    refuse = _without_cells if sheet.name == "persons" else _without_rows
    return refuse(sheet, written, refused, building)


def _in_zone(moment: Moment, zone: str) -> int:
    assert moment.offset is not None
    instant = moment.wall - moment.offset * MINUTE
    return instant + time_zones.offset_at(zone, instant) * MINUTE


def _elapsed(sheet: Sheet) -> dict[int, int]:
    """Return the µs from start to end of the doses whose times both have an offset, by row number."""
    if sheet.name != "doses":
        return {}
    begun, ended = (
        [moment_of(text) if len(text) > 10 else None for text in sheet.texts(name)]
        for name in ("start", "end")
    )
    return {
        row: (b.wall - b.offset * MINUTE) - (a.wall - a.offset * MINUTE)
        for row, a, b in zip(sheet.rows, begun, ended, strict=True)
        if a and b and a.offset is not None and b.offset is not None
    }


def _in_order(sheet: Sheet, elapsed: Mapping[int, int]) -> Sheet:
    """Return a sheet in which no row runs backwards only because the clock was put back meanwhile."""
    if not elapsed:
        return sheet
    ends = list(sheet.texts("end"))
    for i, row in enumerate(sheet.rows):
        if elapsed.get(row, 0) > 0:
            start, end = moment_of(sheet.texts("start")[i]), moment_of(ends[i])
            if start and end and end.wall <= start.wall:
                ends[i] = from_us(start.wall + elapsed[row]).isoformat()
    return with_column(sheet, "end", ends)


def _without_cells(sheet: Sheet, written: Sheet, refused: _Refused, building: Building) -> Sheet:
    """Return persons with blanks for refused times; whoever has a refused time of death died."""
    columns = {name: list(texts) for name, texts in sheet.columns.items()}
    died = columns.setdefault("died", [""] * len(sheet))
    for i, names in refused.items():
        for name in names:
            text, reason = written.texts(name)[i], REFUSED.format(what="cell")
            building.refuse(written, i, reason, variable=name, as_=text)
            columns[name][i] = ""
            if name == "death_time":
                died[i] = died[i] or "yes"
    return replace(sheet, columns=columns)


def _without_rows(sheet: Sheet, written: Sheet, refused: _Refused, building: Building) -> Sheet:
    """Return a sheet without the rows that have a refused time; their stays remain known."""
    labels = [sheet.texts(name) for name in _LABELS if name in sheet.columns]
    for i, (name, *_) in refused.items():
        building.refuse(
            written,
            i,
            REFUSED.format(what="row"),
            variable=next((texts[i] for texts in labels if texts[i]), ""),
            unit=sheet.texts("unit")[i],
            as_=written.texts(name)[i],
        )
        if sheet.name == "stays" and (stay := sheet.texts("stay_id")[i]):
            building.lost_stays.setdefault(sheet.texts("person_id")[i], set()).add(stay)
    kept = [i for i in range(len(sheet)) if i not in refused]
    return replace(
        sheet,
        columns={name: [texts[i] for i in kept] for name, texts in sheet.columns.items()},
        rows=[sheet.rows[i] for i in kept],
    )
