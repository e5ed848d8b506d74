"""What a protocol says: its tables and keys, as types.

Lengths of time are written `72h`, `7d` and are read as `Length` of `becalm.core.clock`.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import field

from becalm.core.clock import Length, Offset
from becalm.core.toml import TomlTable

MODES: Final = ("continuous IV", "intermittent IV", "SC", "oral")
"""How a drug is given; each ends a treatment episode after a gap of its own."""
BaselineWay: TypeAlias = Literal[
    "outpatient_median", "minimum_before_onset", "back_calculated", "rolling_minimum"
]
HorizonName: TypeAlias = Literal["h24", "h48", "h72", "d7"]
"""The columns of the table `response`."""


class ProtocolTable(TomlTable, frozen=True):
    """A table of a protocol file; an unknown key is a mistake."""


class Population(ProtocolTable, frozen=True):
    """Who is looked at at all."""

    min_age: int | None = None
    recruitment: bool = True


class EntryTest(ProtocolTable, frozen=True):
    """Persons without it get no criteria rows and are counted in the attrition."""

    variable: str
    at_least: float


class Entry(ProtocolTable, frozen=True):
    """The treatment that brings an episode into the study, and the clocks it sets."""

    drug: str
    mode: Literal["continuous IV", "intermittent IV", "SC", "oral", "any"] = "continuous IV"
    min_duration: Length = Length("6h")
    bridge: Length = Length("2h")
    intermittent_up_to: Length = Length("3h")
    unknown_mode: Literal["leaves", "enters"] = "leaves"
    t0_within: Length = Length("7d")
    transferred_within: Length = Length("1h")
    high_rate_mg_day: float = 2000
    high_rate_per_day: float | None = None

    def least_high_rate(self, unit: str) -> float | None:
        """The rate a day that sets the third clock, in the drug's unit; None where none is said."""
        if self.high_rate_per_day is not None:
            return self.high_rate_per_day
        return self.high_rate_mg_day if unit == "mg" else None


class Dosing(ProtocolTable, frozen=True):
    """Drugs whose doses are told beside the immunotherapies, and amounts a day that are counted.

    `levels_per_day` are of the drug of interest, in its own unit.
    """

    also: tuple[str, ...] = ()
    levels_per_day: tuple[float, ...] = ()


class Threshold(ProtocolTable, frozen=True):
    """A value at or above, or below, a bound, in the variable's canonical unit."""

    variable: str
    at_least: float | None = None
    below: float | None = None


class Index(ProtocolTable, frozen=True):
    """The index hour of a protocol without a drug of interest."""

    variable: str
    at_least: float
    within: Length
    qualifying: tuple[Threshold, ...]


class Landmark(ProtocolTable, frozen=True):
    """An admission with an illness, the moment after it that definitions are judged at, the end.

    `condition` is diagnosed, or tested positive, from `before` the admission to its end; `after` and
    `horizon` count from the admission.
    """

    condition: str
    before: Length
    after: Length
    horizon: Length


class CriterionAtLeast(ProtocolTable, frozen=True):
    """A definition reaching a total; `underlying` limits it to persons with such a disease."""

    criterion: str
    at_least: float
    underlying: tuple[str, ...] = ()


class Possible(ProtocolTable, frozen=True):
    """Not definite, but not excluded either."""

    ferritin_at_least: float
    any: tuple[CriterionAtLeast, ...]


class Storm(ProtocolTable, frozen=True):
    """When a storm is definite or possible, and how far back from entry it is looked for.

    required : whether somebody treated without one is left out; never of an index or a landmark.
    """

    look_back: Length
    definite: tuple[CriterionAtLeast, ...]
    possible: Possible
    clinician: tuple[str, ...] = ()
    also_at: Length | None = None
    required: bool = True


class Exclude(ProtocolTable, frozen=True):
    """Conditions whose presence excludes."""

    conditions: tuple[str, ...] = ()


class Reading(ProtocolTable, frozen=True):
    """How a study reads an item otherwise than its definition says; what is not given stays."""

    within: Length | None = None
    take: Literal["max", "min", "last"] | None = None
    clock: Literal["drawn", "available"] | None = None


class Definitions(ProtocolTable, frozen=True):
    """Definitions evaluated for everybody and reported.

    `override`: by definition, then by variable or item, how it is read otherwise.
    """

    report: tuple[str, ...]
    override: dict[str, dict[str, Reading]] = field(default_factory=dict)


class Baseline(ProtocolTable, frozen=True):
    """How far back from time zero a baseline or a peak is looked for."""

    ferritin: Length
    other: Length
    peak: Length


class Horizon(ProtocolTable, frozen=True, rename={"from_h": "from", "to_h": "to"}):
    """A window after time zero, in hours: (from, to] when open, else [from, to]; nearest to `at`."""

    from_h: float
    to_h: float
    at: float
    open: bool


class Response(ProtocolTable, frozen=True):
    """What counts as response (or is only described as change), and of whom.

    `treated` are those given an immunotherapy from the admission on, up to a week after the landmark.
    """

    variables: tuple[str, ...]
    claim: Literal["response", "change"]
    primary: tuple[str, ...]
    primary_any: tuple[str, ...]
    graded_falls: tuple[float, ...]
    strict_horizon: Length
    of: Literal["everybody", "treated"] = "everybody"


class Confounder(ProtocolTable, frozen=True, rename={"from_": "from"}):
    """Drugs or procedures that could explain a response, in a window relative to the clock."""

    from_: Offset
    to: Offset
    drugs: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    started_or_doubled: bool = False


class Refractory(ProtocolTable, frozen=True):
    """When a line of therapy before time zero did not hold the storm.

    Glucocorticoids reach `glucocorticoid_mg_kg_day` (as prednisolone, in 24 h) for
    `glucocorticoid_for`, dips up to `bridge` not counting; another agent is begun between `within`
    and `begun_before` before time zero; and ferritin does not fall by `ferritin_fall` until then.
    """

    glucocorticoid_mg_kg_day: float = 1.0
    glucocorticoid_for: Length = Length("48h")
    bridge: Length = Length("12h")
    begun_before: Length = Length("24h")
    within: Length = Length("14d")
    ferritin_fall: float = 0.25


class Escalation(ProtocolTable, frozen=True):
    """What counts as a step up, and what as worsening before it."""

    min_rise: float
    min_duration: Length
    resume_within: Length
    worsening_within: Length = Length("24h")
    fever_at_least: float = 38.0


class Kidney(ProtocolTable, frozen=True):
    """Which creatinine is the baseline, and how long after the last dose injury is looked for.

    baseline : the ways to find it; the first that gives one counts. after_session : for how long after a session of renal replacement a creatinine is no reference.
    """

    outpatient_from: Length
    outpatient_to: Length
    minimum_within: Length
    assumed_egfr: float
    after_last_dose: Length = Length("7d")
    after_session: Length = Length("48h")
    baseline: tuple[BaselineWay, ...] = (
        "outpatient_median",
        "minimum_before_onset",
        "back_calculated",
    )


class Safety(ProtocolTable, frozen=True):
    """Events graded before and after time zero."""

    events: tuple[str, ...]
    after_last_dose: Length | None = None
    until: Literal["discharge"] | None = None


class Outcome(ProtocolTable, frozen=True):
    """Maintenance and resolution."""

    maintenance_drugs: tuple[str, ...] = ()
    maintenance_max_mg_day: float | None = None
    maintenance_min: Length | None = None
    resolution_min: Length | None = None


class Infection(ProtocolTable, frozen=True):
    """When an infection is new: so long after time zero, with an organism that had not grown so long before."""

    new_after: Length = Length("48h")
    other_than_in: Length = Length("14d")


class Relapse(ProtocolTable, frozen=True):
    """When a storm is over, and when it has come back.

    Over: temperature below `fever_at_least`, ferritin below `quiet_ferritin` or at most `quiet_share` of its peak, and no
    rescue, for `outcome.resolution_min`. Back: definite again; or ferritin at `rise` times its lowest and `ferritin_at_least`,
    with fever or platelets down by `platelet_fall`, and a rescue. A rescue is the drug of interest at `dose_rise` times its
    amount of the `dose_window` before, or an immunotherapy that had not been given for `new_agent_after`. `near` is how
    near fever, platelets and rescue are; within `infection_near` of an infection nobody can tell.
    """

    fever_at_least: float = 38.0
    quiet_ferritin: float = 2000
    quiet_share: float = 0.20
    rise: float = 2.0
    ferritin_at_least: float = 1000
    platelet_fall: float = 0.3333
    dose_rise: float = 2.0
    dose_window: Length = Length("96h")
    new_agent_after: Length = Length("14d")
    near: Length = Length("72h")
    infection_near: Length = Length("7d")


class PersonTime(ProtocolTable, frozen=True):
    """Time at risk of a new infection, and the bands of dose that it is counted in.

    Amounts are in the unit of the drug of interest. A band goes from one edge, included, to the next;
    below the first are no drug and some drug. `high_24h` is the high dose of which days are counted.
    """

    from_t0: Length
    after_last_dose: Length | None = None
    lags: tuple[Length, ...] = ()
    bands_24h: tuple[float, ...] = ()
    high_24h: float = 0
    bands_days_high: tuple[float, ...] = ()
    bands_cumulative: tuple[float, ...] = ()


Hidden: TypeAlias = Literal["computed", "outcome", "treatment"]
"""What a reviewer may be kept from seeing."""


class Review(ProtocolTable, frozen=True):
    """What reviewers are asked, and what they do not see while they answer.

    questions : by name, in the order in which they are asked; none means all. blind : by question, what the page hides:
    `computed` (definitions and every status), `treatment` (doses) and `outcome` (death, discharge, last contact, and
    everything later than `shown_after` behind the index).
    """

    questions: tuple[str, ...] = ()
    blind: dict[str, tuple[Hidden, ...]] = msgspec.field(default_factory=dict)
    shown_after: Length = Length("72h")


ClearanceWay: TypeAlias = Literal["cockcroft_gault", "ckd_epi_2021", "kinetic"]
"""How clearance is estimated from creatinine."""


class Pharmacology(ProtocolTable, frozen=True):
    """A model of a drug, by which concentrations are calculated from the real doses; without one nothing is.

    model : a name, or a file of the user's own. group : the group of the model that the patients belong to.
    target_mg_l : a concentration of the user's choice. effluent_ml_kg_h : the flow of continuous renal replacement, which
    records do not have. own_clearance_ml_min : of creatinine, by the patient's own kidneys during replacement.
    """

    model: str
    group: str = ""
    clearance: ClearanceWay = "cockcroft_gault"
    target_mg_l: float | None = None
    effluent_ml_kg_h: float | None = None
    own_clearance_ml_min: float = 0


class Protocol(ProtocolTable, frozen=True):
    """A study protocol as its file says it."""

    name: str
    title: str
    design: Literal["treatment", "index", "landmark"]
    clock: Literal["drawn", "available"]
    population: Population
    storm: Storm
    definitions: Definitions
    baseline: Baseline
    horizons: dict[HorizonName, Horizon]
    response: Response
    escalation: Escalation
    kidney: Kidney
    safety: Safety
    outcome: Outcome
    treatment_episode: dict[str, Length]
    cite: tuple[str, ...] = ()
    entry: Entry | None = None
    entry_test: EntryTest | None = None
    index: Index | None = None
    landmark: Landmark | None = None
    exclude: Exclude = Exclude()
    confounder: tuple[Confounder, ...] = ()
    refractory: Refractory = Refractory()
    doses: Dosing = Dosing()
    infection: Infection = Infection()
    relapse: Relapse | None = None
    person_time: PersonTime | None = None
    review: Review = Review()
    pharmacology: tuple[Pharmacology, ...] = ()
    notices: tuple[str, ...] = ()  # what reading the file remarked; no key of a file

    @property
    def moment(self) -> Literal["index", "peak_to_index"]:
        """At which moment definitions are shown: a treated storm at its peak up to entry."""
        return "peak_to_index" if self.design == "treatment" else "index"
