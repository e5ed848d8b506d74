"""What an entry of the vocabulary says. Everything is read from the TOML files beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from msgspec import field

from becalm.core import toml
from becalm.vocabulary.units import Conversion


class Term(toml.TomlTable, frozen=True):
    """What all entries share. `name` is the key used everywhere; `names` are spellings of it.

    `verified` is False when a code or a flag of the entry was written from memory; where only
    some of the codes were, `unverified` lists those.
    """

    name: str
    title: str = ""
    names: tuple[str, ...] = ()
    source: str = ""
    verified: bool = True
    unverified: tuple[str, ...] = ()


class Factor(toml.TomlTable, frozen=True):
    """(value + shift) × times ÷ by, from the unit it stands beside to the variable's own."""

    shift: float = 0.0
    times: float = 1.0
    by: float = 1.0
    verified: bool = True
    source: str = ""

    def conversion(self) -> Conversion:
        return Conversion(self.shift, self.times, self.by)


class Range(toml.TomlTable, frozen=True):
    """The lowest and the highest number that a patient can have; outside is a mistake."""

    low: float
    high: float
    source: str = "becalm proposal"


class UsualLimits(toml.TomlTable, frozen=True):
    """Adult limits for when a record prints none of its own; always labelled where used."""

    source: str
    low: float | None = None
    high: float | None = None
    verified: bool = False


class Variable(Term, frozen=True, kw_only=True):
    """A quantity that can be measured, or a finding (1 present, 0 absent).

    `unit` is the canonical unit, `units` how others convert to it, `refused_units` units that
    look convertible and are not, each with the reason. `valid` is how long a value stands for
    the patient where nothing more particular is said. `decimals` and `log` are for showing.
    """

    kind: Literal["laboratory", "vital", "finding"]
    unit: str = ""
    units: dict[str, Factor] = field(default_factory=dict)
    refused_units: dict[str, str] = field(default_factory=dict)
    unit_optional: bool = False
    specimen: str = ""
    plausible: Range
    signed: bool = False
    decimals: int = 0
    log: bool = False
    valid: str
    usual: UsualLimits | None = None
    loinc: tuple[str, ...] = ()
    omop: tuple[str, ...] = ()


class Derived(Term, frozen=True, kw_only=True):
    """A quantity that definitions read and that is worked out from several rows of a record.

    `kind`: draws that are looked back for, or something that runs or stands.
    """

    kind: Literal["points", "timeline"]
    unit: str = ""
    plausible: Range


class PrednisoloneEquivalent(toml.TomlTable, frozen=True):
    """Milligrams of prednisolone that one milligram of a glucocorticoid stands for."""

    times: float
    by: float
    source: str
    verified: bool

    @property
    def factor(self) -> float:
        return self.times / self.by


class Drug(Term, frozen=True, kw_only=True, rename={"drug_class": "class"}):
    """A drug or a blood product; the files in `drugs/`, in any of them.

    `names`: names and brands, matched as whole words, the longest first. Codes: as printed by
    OHDSI's vocabulary or openFDA unless listed in `unverified`.
    `immunosuppressant`: taken long term and systemically, it makes a patient immunosuppressed.
    `immunotherapy`: a treatment of hyperinflammation, listed as a line of therapy.
    Both are proposals: glucocorticoid, ciclosporin and azathioprine are the HScore paper's own
    examples.
    `dose_unit`: what its doses are added up in where that is not mg: biological activity or the
    volume of a blood product, as it is prescribed.
    """

    drug_class: str
    dose_unit: Literal["mg", "units", "mL", "mmol", "mEq"] = "mg"
    immunosuppressant: bool = False
    immunotherapy: bool = False
    prednisolone_equivalent: PrednisoloneEquivalent | None = None
    rxnorm: tuple[str, ...] = ()
    omop: tuple[str, ...] = ()


class Condition(Term, frozen=True, kw_only=True):
    """A diagnosis. ICD codes are prefixes without dots; `C00-C43` is a range of categories.

    `parents` are wider conditions that this one is also reported as. `in_remission` are patterns of
    codes that say the patient has not got it now (`?` is any one character).
    """

    icd10: tuple[str, ...] = ()
    icd9: tuple[str, ...] = ()
    in_remission: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    omop: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


class Finding(Term, frozen=True, kw_only=True):
    """Something found or not found on examination, imaging, marrow or in the history."""

    valid: str


class Procedure(Term, frozen=True, kw_only=True):
    """A procedure or organ support; codes as in `Condition`."""

    icd10: tuple[str, ...] = ()
    icd9: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    omop: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


class Unit(toml.TomlTable, frozen=True):
    """A unit with its other spellings and its concept in OMOP."""

    name: str
    spellings: tuple[str, ...] = ()
    omop: str = ""


class Route(toml.TomlTable, frozen=True):
    """A route of administration with the ways of writing it."""

    name: str
    spellings: tuple[str, ...]


class Resolution(NamedTuple):
    """What a way of writing a measurement means: usable when `reason` is empty.

    `variable` is the code of the variable, known also for most refusals, None when the records
    speak of something that the vocabulary does not have.
    """

    variable: int | None
    conversion: Conversion
    reason: str


@dataclass(frozen=True)
class MeasurementKind:
    """One distinct way in which a source writes a measurement."""

    table: str  # that the row came from, as the source calls it
    system: str  # LOINC, OMOP, a source's own, name
    code: str
    name: str  # the record's own label
    unit: str  # as written, '' where none
    specimen: str = ""
