"""One chunk of persons: their records, events, doses and background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from becalm import doses as dosing
from becalm.core.arrays import Times
from becalm.core.frame import Frame
from becalm.definitions import Clock, Inputs, Modifiers, modifier_intervals
from becalm.doses import Doses
from becalm.events import Events, UnusedRows, harmonise, merge
from becalm.patients import organ_support
from becalm.patients.cell_therapy import CellTherapies, cell_therapies
from becalm.patients.data import PatientData
from becalm.patients.derived import values
from becalm.patients.immunosuppression import immunosuppression
from becalm.patients.restated import restated
from becalm.patients.unrecognised import unrecognised
from becalm.persons.believed import believed
from becalm.persons.diagnoses import diagnoses
from becalm.persons.lifetime import REASONS, Lifetime, in_life
from becalm.persons.stays import ends_of_records
from becalm.records import Records, Refusal
from becalm.timeline import Intervals, Timeline
from becalm.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Patients:
    """The data of some persons that every later stage needs.

    diagnosed : see `persons.diagnoses`. immunosuppressed : 1 or 0 where known. ended : int64 per
    person, µs, the last moment of the records or death. lifetime : birth and death. left_out : procedures
    and cultures from before a birth or after a death, and cells that cannot be true, which are not in `records`.
    """

    records: Records
    events: Events
    doses: Doses
    diagnosed: Frame
    immunosuppressed: Timeline
    ended: Times
    vocabulary: Vocabulary
    lifetime: Lifetime
    left_out: tuple[Refusal, ...] = ()

    @classmethod
    def of(cls, records: Records, vocabulary: Vocabulary) -> Patients:
        """Make the data of a chunk of records."""
        records, impossible = believed(records)
        records = dosing.written_out(restated(records, vocabulary))
        lifetime = Lifetime.of(records)
        records, left_out = in_life(records, lifetime)
        left_out = (*impossible, *left_out)
        events = harmonise(
            records,
            vocabulary,
            UnusedRows(REASONS, lifetime.rows_outside(records, "measurements")),
            UnusedRows(REASONS, lifetime.rows_outside(records, "findings")),
        )
        doses = dosing.rebuild(records, events, vocabulary)
        diagnosed = diagnoses(records, vocabulary)
        immune = immunosuppression(records, events, doses, diagnosed, vocabulary)
        ended = ends_of_records(records)
        return cls(records, events, doses, diagnosed, immune, ended, vocabulary, lifetime, left_out)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The rows of what is known here that were not used, counted by reason."""
        return merge((*self.events.refused, *self.doses.refused, *self.left_out))

    @cached_property
    def unrecognised(self) -> Frame:
        """The rows of the records whose label nobody knows; see `patients.unrecognised`."""
        return unrecognised(self.records, self.doses, self.vocabulary)

    @cached_property
    def cell_therapies(self) -> CellTherapies:
        """Infusions of immune-effector cells, from drugs and procedures."""
        return cell_therapies(self.records, self.doses, self.vocabulary)

    def __len__(self) -> int:
        return len(self.records.persons)

    def inputs(self, clock: Clock) -> Inputs:
        """Return the input of definitions, on one clock."""
        facts = PatientData(
            self.records,
            self.events,
            self.doses,
            self.immunosuppressed,
            self.ended,
            self.vocabulary,
        )
        other: Clock = "available" if clock == "drawn" else "drawn"
        return Inputs(
            values(facts, clock),
            clock,
            len(self),
            {other: values(facts, other)},
            self.lifetime.over if self.lifetime.ends else None,
        )

    def procedures(self) -> dict[str, Intervals]:
        """Return when each procedure of the vocabulary was running; one without an end lasts 1 µs."""
        return organ_support.running(self.records, self.vocabulary)

    def modifiers(self) -> Modifiers:
        """Return what changes each variable without a change of the inflammation, and when."""
        drugs = {name: when for name in self.doses.drugs if len(when := self.doses.exposure(name))}
        return modifier_intervals(drugs, self.procedures())
