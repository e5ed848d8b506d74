"""The results of the definitions with shorter and with longer look-backs.

No paper says for how long a value is valid; the look-backs are proposals, and this table shows which
statuses depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_PAST
from becalm.core.frame import Frame
from becalm.definitions import Definition, Inputs, Moments, evaluate, status
from becalm.definitions.moments import Moment, ask
from becalm.measures.stage import Stage, StageInput
from becalm.tables import CRITERIA_LOOK_BACKS
from becalm.timeline import Intervals

FACTORS: Final = (0.5, 2.0)


def look_backs(
    cohort: Frame,
    inputs: Inputs,
    definitions: Iterable[Definition],
    moments: Moments,
    moment: Moment,
) -> Frame:
    """Return each definition at one moment of the cohort, with halved and doubled look-backs.

    cohort : person (codes of `inputs`), person_id and episode. A peak is that of the changed
    definition, in the same window.
    """
    wanted = list(definitions)
    who = np.zeros(inputs.n_persons, np.bool_)
    who[cohort["person"]] = True
    row = np.full(inputs.n_persons, -1)
    row[cohort["person"]] = np.arange(len(cohort))
    known = _until(inputs, cohort["person"], moments, wanted)
    frames = [Frame.of(CRITERIA_LOOK_BACKS)]
    for definition in wanted:
        for factor in FACTORS:
            evaluation = evaluate(definition.scaled_look_backs(factor), known)
            for asked in ask(evaluation, moments, who):
                if asked.moment != moment:
                    continue
                low, high = evaluation.at(asked.person, asked.time)
                at, count = row[asked.person], len(asked.person)
                frames.append(
                    Frame.of(
                        CRITERIA_LOOK_BACKS,
                        person_id=cohort["person_id"][at],
                        criterion=np.full(count, definition.name, dtype=object),
                        moment=np.full(count, moment, dtype=object),
                        factor=np.full(count, factor),
                        time=asked.time,
                        low=low,
                        high=high,
                        status=status(definition, low, high),
                    )
                )
    known.forget()
    return Frame.concat(frames)


def _until(
    inputs: Inputs, persons: np.ndarray, moments: Moments, definitions: Iterable[Definition]
) -> Inputs:
    """Return the cohort's values up to the index only: later values do not matter."""
    index = moments.index[persons]
    windows = Intervals.build(persons, np.full(len(persons), FAR_PAST), index + 1)
    other = inputs.other.items()
    names = {name for definition in definitions for name in definition.variables}
    return Inputs(
        {name: inputs.values[name].clip(windows) for name in names & inputs.values.keys()},
        inputs.clock,
        inputs.n_persons,
        {c: {name: v[name].clip(windows) for name in names & v.keys()} for c, v in other},
    )


def measure(given: StageInput) -> Frame:
    """Fill the table `criteria_look_backs`."""
    reported = (given.definitions[name] for name in given.protocol.definitions.report)
    return look_backs(given.cohort, given.inputs, reported, given.moments, given.protocol.moment)


STAGES: Final = (Stage(CRITERIA_LOOK_BACKS, measure),)
