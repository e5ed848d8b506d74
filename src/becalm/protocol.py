"""A study is a file: who enters, when time zero is, what is looked at, in which windows.

Spans are written `72h`, `7d`; `span` of `becalm.clock` turns them into microseconds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from becalm.clock import signed_span, span
from becalm.errors import DefinitionError, UnreadableFileError, did_you_mean, place

PROTOCOLS = Path(__file__).parent / "protocols"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a protocol file; an unknown key is a mistake."""


class Population(Part, frozen=True):
    """Who is looked at at all."""

    min_age: int | None = None
    recruitment: bool = True


class EntryTest(Part, frozen=True):
    """Persons without it get no criteria rows and are counted in the attrition."""

    variable: str
    at_least: float


class Entry(Part, frozen=True):
    """The treatment that brings an episode into the study, and the clocks it sets."""

    drug: str
    mode: Literal["continuous IV"] = "continuous IV"
    min_duration: str = "6h"
    bridge: str = "2h"
    intermittent_up_to: str = "3h"
    t0_within: str = "7d"
    transferred_within: str = "1h"
    high_rate_mg_day: float = 2000


class Threshold(Part, frozen=True):
    """A value at or above, or below, a bound, in the variable's canonical unit."""

    variable: str
    at_least: float | None = None
    below: float | None = None


class Index(Part, frozen=True):
    """The index hour of a protocol without a drug of interest."""

    variable: str
    at_least: float
    within: str
    qualifying: tuple[Threshold, ...]


class CriterionAtLeast(Part, frozen=True):
    """A definition reaching a total; `underlying` limits it to persons with such a disease."""

    criterion: str
    at_least: float
    underlying: tuple[str, ...] = ()


class Possible(Part, frozen=True):
    """Not definite, but not excluded either."""

    ferritin_at_least: float
    any: tuple[CriterionAtLeast, ...]


class Storm(Part, frozen=True):
    """When a storm is definite or possible, and how far back from entry it is looked for."""

    look_back: str
    definite: tuple[CriterionAtLeast, ...]
    possible: Possible
    clinician: tuple[str, ...] = ()
    also_at: str | None = None


class Exclude(Part, frozen=True):
    """Conditions whose presence excludes."""

    conditions: tuple[str, ...] = ()


class Definitions(Part, frozen=True):
    """Definitions evaluated for everybody and reported."""

    report: tuple[str, ...]


class Baseline(Part, frozen=True):
    """How far back from time zero a baseline or a peak is looked for."""

    ferritin: str
    other: str
    peak: str


class Horizon(Part, frozen=True, rename={"from_h": "from", "to_h": "to"}):
    """A window after time zero, in hours: (from, to] when open, else [from, to]; nearest to `at`."""

    from_h: float
    to_h: float
    at: float
    open: bool


class Response(Part, frozen=True):
    """What counts as response (or is only described as course)."""

    variables: tuple[str, ...]
    claim: Literal["response", "course"]
    primary: tuple[str, ...]
    primary_any: tuple[str, ...]
    graded_falls: tuple[float, ...]
    strict_horizon: str


class Confounder(Part, frozen=True, rename={"from_": "from"}):
    """Drugs or procedures that could explain a response, in a window relative to the clock."""

    from_: str
    to: str
    drugs: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    started_or_doubled: bool = False


class Escalation(Part, frozen=True):
    """What counts as a step up."""

    min_rise: float
    min_duration: str
    resume_within: str


class Kidney(Part, frozen=True):
    """Which creatinine is the baseline, and how long after the last dose injury is looked for."""

    outpatient_from: str
    outpatient_to: str
    minimum_within: str
    assumed_egfr: float
    after_last_dose: str = "7d"


class Safety(Part, frozen=True):
    """Events graded before and after time zero."""

    events: tuple[str, ...]
    after_last_dose: str | None = None
    until: Literal["discharge"] | None = None


class Outcome(Part, frozen=True):
    """Maintenance and resolution."""

    episode_break: str
    maintenance_drugs: tuple[str, ...] = ()
    maintenance_max_mg_day: float | None = None
    maintenance_min: str | None = None
    resolution_min: str | None = None


class Protocol(Part, frozen=True):
    """A study protocol as its file says it."""

    name: str
    title: str
    design: Literal["treatment", "index"]
    clock: Literal["drawn", "available"]
    population: Population
    storm: Storm
    definitions: Definitions
    baseline: Baseline
    horizons: dict[str, Horizon]
    response: Response
    escalation: Escalation
    kidney: Kidney
    safety: Safety
    outcome: Outcome
    treatment_episode: dict[str, str]
    cite: tuple[str, ...] = ()
    entry: Entry | None = None
    entry_test: EntryTest | None = None
    index: Index | None = None
    exclude: Exclude = Exclude()
    confounder: tuple[Confounder, ...] = ()


def shipped() -> tuple[str, ...]:
    """Return the names of the protocols that come with becalm."""
    return tuple(sorted(path.stem for path in PROTOCOLS.glob("*.toml")))


def load(name_or_path: str) -> Protocol:
    """Read a shipped protocol by name, or a user's own TOML file by path."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in shipped():
            raise DefinitionError(
                f"no protocol is called {name_or_path!r}",
                hint=f"{did_you_mean(name_or_path, shipped())} A file of your own ends in .toml",
            )
        path = PROTOCOLS / f"{name_or_path}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"cannot be read ({error})", where=str(path)) from error
    return parse(text, path.name)


def parse(text: str, file: str) -> Protocol:
    """Read a protocol from TOML text; `file` is only for messages."""
    try:
        protocol = msgspec.toml.decode(text, type=Protocol)
    except msgspec.ValidationError as error:
        raise _explain(str(error), text, file) from error
    except msgspec.DecodeError as error:
        raise DefinitionError(f"is not valid TOML: {error}", where=file) from error
    _check(protocol, text, file)
    return protocol


def _explain(message: str, text: str, file: str) -> DefinitionError:
    """Turn the decoder's complaint into one line with the row and the nearest valid key."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown:
        word = unknown.group(1)
        known = {
            field.encode_name
            for part in [*Part.__subclasses__()]
            for field in msgspec.structs.fields(part)
        }
        return DefinitionError(
            f"unknown key {word!r}",
            where=place(file, _line_of(text, word)),
            hint=did_you_mean(word, known),
        )
    at = re.search(r"at `\$\.?([^`]*)`", message)
    key = at.group(1).split(".")[-1].split("[")[0] if at else ""
    return DefinitionError(message, where=place(file, _line_of(text, key)))


def _line_of(text: str, key: str) -> int | None:
    pattern = re.compile(
        rf'^\s*\[*"?{re.escape(key)}"?\s*[=\].]|[{{,]\s*"?{re.escape(key)}"?\s*=|\.{re.escape(key)}\]'
    )
    for number, line in enumerate(text.splitlines(), 1):
        if key and pattern.search(line):
            return number
    return None


def _check(protocol: Protocol, text: str, file: str) -> None:
    """Refuse what the types cannot: lengths of time, and the parts that a design needs."""
    needed = "entry" if protocol.design == "treatment" else "index"
    if getattr(protocol, needed) is None:
        raise DefinitionError(
            f"design {protocol.design!r} needs a table [{needed}]",
            where=place(file, _line_of(text, "design")),
        )
    for part in [
        protocol.entry,
        protocol.index,
        protocol.storm,
        protocol.baseline,
        protocol.escalation,
        protocol.kidney,
        protocol.safety,
        protocol.outcome,
    ]:
        for key, value in msgspec.structs.asdict(part).items() if part else ():
            if key in _SPANS and isinstance(value, str):
                _span(key, value, text, file)
    _span("strict_horizon", protocol.response.strict_horizon, text, file)
    for mode, value in protocol.treatment_episode.items():
        _span(mode, value, text, file)
    for confounder in protocol.confounder:
        for key, value in (("from", confounder.from_), ("to", confounder.to)):
            _span(key, value, text, file)


_SPANS = frozenset(
    {
        "min_duration", "bridge", "intermittent_up_to", "t0_within", "transferred_within", "within", "look_back", "also_at",
        "ferritin", "other", "peak", "resume_within", "outpatient_from", "outpatient_to",
        "minimum_within", "after_last_dose", "episode_break", "maintenance_min", "resolution_min",
    }
)  # fmt: skip


def _span(key: str, value: str, text: str, file: str) -> None:
    try:
        if value.startswith(("-", "+")):
            signed_span(value)
        else:
            span(value)
    except ValueError as error:
        line = next(
            (n for n, row in enumerate(text.splitlines(), 1) if f'"{value}"' in row and key in row),
            None,
        )
        raise DefinitionError(str(error), where=place(file, line, key)) from error
