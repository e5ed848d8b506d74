"""The entries of the vocabulary, read from the TOML files in this folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from msgspec import field

from becalm.core import toml
from becalm.core.clock import Length
from becalm.vocabulary.units import UNROUNDED, Conversion


class Term(toml.TomlTable, frozen=True):
    """The keys of all entries. `name` is the name in becalm; `names` are spellings of it.

    `label` is the short name in a report, as it stands within a sentence; by default the title.

    `abbreviations` are short names of drugs, conditions and procedures that are other things too ("MP",
    "ALL"). They count only as the whole label; in a diagnosis also as a word in capitals, if other
    letters of the label are small.

    `verified` is False if a code or a flag of the entry was written from memory; if only some of the
    codes were, `unverified` lists them.
    """

    name: str
    title: str = ""
    label: str = ""
    names: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    source: str = ""
    verified: bool = True
    unverified: tuple[str, ...] = ()


class Factor(toml.TomlTable, frozen=True):
    """(value + shift) × times ÷ by: the conversion of one unit to the variable's own.

    `decimals` : the converted value is rounded to so many, the resolution of the thresholds it is compared with.
    """

    shift: float = 0.0
    times: float = 1.0
    by: float = 1.0
    decimals: int | None = None
    verified: bool = True
    source: str = ""

    def conversion(self) -> Conversion:
        decimals = UNROUNDED if self.decimals is None else self.decimals
        return Conversion(self.shift, self.times, self.by, decimals)


class Range(toml.TomlTable, frozen=True):
    """The lowest and the highest plausible number; a number outside is an error in the records."""

    low: float
    high: float
    source: str = "becalm proposal"


class UsualLimits(toml.TomlTable, frozen=True):
    """Limits of normal for adults, used where a record has none; always labelled."""

    source: str
    low: float | None = None
    high: float | None = None
    verified: bool = False


class Variable(Term, frozen=True, kw_only=True):
    """A quantity that can be measured, or a finding (1 present, 0 absent).

    `unit` is the canonical unit, `units` are the conversions of others to it, `refused_units`
    are units that look convertible and are not, each with the reason. `code_says` is what the definition
    of a LOINC code adds to a unit that is refused because it does not say it. `valid` is the time for which a
    value is valid, unless a definition says otherwise. `adds`: several values of one minute are a sum, as volumes
    are. `decimals` and `log` are for printing and figures.
    """

    kind: Literal["laboratory", "vital", "finding"]
    unit: str = ""
    units: dict[str, Factor] = field(default_factory=dict)
    refused_units: dict[str, str] = field(default_factory=dict)
    code_says: dict[str, str] = field(default_factory=dict)
    unit_optional: bool = False
    specimen: str = ""
    plausible: Range
    signed: bool = False
    adds: bool = False
    decimals: int = 0
    log: bool = False
    valid: Length
    usual: UsualLimits | None = None
    loinc: tuple[str, ...] = ()
    omop: tuple[str, ...] = ()


class Derived(Term, frozen=True, kw_only=True):
    """A quantity that definitions read and that is computed from several rows of a record.

    `kind`: draws with a look-back (points), or values with a start and an end (timeline).
    """

    kind: Literal["points", "timeline"]
    unit: str = ""
    plausible: Range


class PrednisoloneEquivalent(toml.TomlTable, frozen=True):
    """Milligrams of prednisolone equivalent to one milligram of a glucocorticoid."""

    times: float
    by: float
    source: str
    verified: bool

    @property
    def factor(self) -> float:
        return self.times / self.by


class Drug(Term, frozen=True, kw_only=True, rename={"drug_class": "class"}):
    """A drug or a blood product, from any file in `drugs/`.

    `names`: names and brands, matched as whole words, the longest first. Codes: as printed by
    OHDSI's vocabulary or openFDA unless listed in `unverified`.
    `immunosuppressant`: taken long term and systemically, it makes a patient immunosuppressed.
    `immunotherapy`: a treatment of hyperinflammation, listed as a line of therapy.
    Both are proposals: glucocorticoid, ciclosporin and azathioprine are the HScore paper's own
    examples.
    `dose_unit`: the unit in which its doses are added up, if not mg: biological activity, or the
    volume of a blood product, as prescribed.
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

    `parents` are wider conditions as which this one also counts. `in_remission` are patterns of codes
    for a patient who does not have it now (`?` is any one character).
    """

    icd10: tuple[str, ...] = ()
    icd9: tuple[str, ...] = ()
    in_remission: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    omop: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


class Finding(Term, frozen=True, kw_only=True):
    """A finding on examination, imaging or marrow, or in the history: present or absent."""

    valid: Length


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


class Specimen(toml.TomlTable, frozen=True):
    """A material, the ways to write it alone, and words that say it within a longer label."""

    name: str
    names: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


class Route(toml.TomlTable, frozen=True):
    """A route of administration, or a sex, with its spellings."""

    name: str
    spellings: tuple[str, ...]


class RouteModes(toml.TomlTable, frozen=True):
    """Words of a route that say how a drug was given."""

    continuous: tuple[str, ...]
    intermittent: tuple[str, ...]


class Resolution(NamedTuple):
    """The meaning of one way to write a measurement; it can be used if `reason` is empty.

    `variable` is the code of the variable, also for most refusals; None if the vocabulary does not
    have it.
    """

    variable: int | None
    conversion: Conversion
    reason: str


@dataclass(frozen=True)
class MeasurementKind:
    """One distinct way in which a source writes a measurement."""

    table: str  # of the row, with the name in the source
    system: str  # LOINC, OMOP, a local system, name
    code: str
    name: str  # the record's own label
    unit: str  # as written, '' if none
    specimen: str = ""
