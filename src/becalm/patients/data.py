"""The data of some persons before definitions are evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from becalm.core.arrays import Times
from becalm.doses import Doses
from becalm.events import Events
from becalm.records import Records
from becalm.timeline import Timeline
from becalm.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class PatientData:
    """The data of some persons. ended : int64 per person, µs, end of records."""

    records: Records
    events: Events
    doses: Doses
    immunosuppressed: Timeline
    ended: Times
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.records.persons)
