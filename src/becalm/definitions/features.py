"""Serial changes over 24 and 48 hours: features to look at, never a score.

The 2022 points to consider ask for serial values but have no numbers, so nothing is added up here.
A feature is met if the value certainly changed in the direction that is typical of a storm.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import numpy as np

from becalm import vocabulary
from becalm.core import toml
from becalm.core.arrays import Mask, Times
from becalm.core.clock import UNKNOWN_TIME, Length
from becalm.core.columns import Categorical
from becalm.core.frame import Frame
from becalm.definitions.criteria import items_at
from becalm.definitions.evaluation import Evaluation, Inputs, evaluate
from becalm.definitions.item_evidence import Modifiers, SourceRow
from becalm.definitions.model import Change, Definition, Item
from becalm.definitions.moments import Moments, ask
from becalm.tables import SERIAL_CHANGES

FILE: Final = Path(__file__).parent / "serial_changes.toml"


class Follow(toml.TomlTable, frozen=True):
    """Variables to follow, their direction in a storm, and how long the latest value is valid."""

    variables: tuple[str, ...]
    expected: Literal["rises", "falls"]
    within: Length


class _File(toml.TomlTable, frozen=True, rename={"signs": "sign"}):
    name: str
    title: str
    cite: str
    over: tuple[Length, ...]
    held: Length
    source: str
    verified: bool
    follow: tuple[Follow, ...]
    signs: tuple[Item, ...]


@lru_cache(maxsize=1)
def serial_changes() -> Definition:
    """Return every feature as an item: `ferritin_24h` is ferritin as a multiple of a day before.

    Its total, the number of met features, has no meaning and is not reported.
    """
    file = toml.load(FILE, _File)
    units = {variable.name: variable.unit for variable in vocabulary.load().variables}
    followed = [
        Item(
            name=f"{variable}_{over}",
            title=f"{vocabulary.load().variable(variable).title} over {over}",
            variable=variable,
            unit=units[variable],
            take="last",
            within=follow.within,
            change=Change(within=over, against="then", held=file.held),
            above=1 if follow.expected == "rises" else None,
            below=1 if follow.expected == "falls" else None,
            source=file.source,
            verified=file.verified,
        )
        for follow in file.follow
        for variable in follow.variables
        for over in file.over
    ]
    return Definition(
        name=file.name,
        title=file.title,
        cite=file.cite,
        population="anybody; features, not a score",
        cut_off=1,
        cut_off_source="none: nothing is added up",
        items=(*followed, *file.signs),
    )


def features(
    inputs: Inputs,
    persons: Frame,
    index: Times,
    *,
    modifiers: Modifiers,
    source_row: SourceRow,
) -> Frame:
    """Return the features of each person at an instant, as rows of `criteria_items`, moment `index`.

    persons : person_id, one row a person code. index : int64 per person, µs; `UNKNOWN_TIME` for
    persons without rows. value is the multiple of the earlier value, 2 for doubled; state is met
    when it certainly moved as in a storm.
    """
    person = np.flatnonzero(index != UNKNOWN_TIME).astype(np.int32)
    return items_at(
        evaluate(serial_changes(), inputs),
        persons["person_id"][person],
        person,
        index[person],
        modifiers=modifiers,
        source_row=source_row,
    )


def features_at(
    evaluation: Evaluation,
    persons: Frame,
    moments: Moments,
    *,
    modifiers: Modifiers,
    source_row: SourceRow,
    who: Mask,
) -> Frame:
    """Return `changes` of the persons in `who`, at the moments at which a definition is reported.

    evaluation : the definition whose peaks are used. persons : person_id, one row a person code. A
    moment of a person without any value for the definition has no rows.
    """
    inputs = evaluation.inputs.only(np.flatnonzero(who).astype(np.int32))
    frames = [Frame.of(SERIAL_CHANGES)]
    for asked in ask(evaluation, moments, who):
        known = asked.time != UNKNOWN_TIME
        person, time = asked.person[known], asked.time[known]
        rows = items_at(
            evaluate(serial_changes(), inputs),
            Categorical.by(person, persons["person_id"].tolist()),
            person,
            time,
            modifiers=modifiers,
            source_row=source_row,
            moment=asked.moment,
        )
        held = rows.columns.held
        peak_of = "" if asked.moment == "index" else evaluation.definition.name
        frames.append(
            Frame.of(
                SERIAL_CHANGES,
                **{name: held[name] for name in SERIAL_CHANGES if name in held},
                feature=held["item"],
                peak_of=Categorical.by(np.zeros(len(rows), np.int32), [peak_of]),
                moment_time=np.tile(time, len(rows) // max(len(person), 1)),
            )
        )
    inputs.forget()
    return Frame.concat(frames)
