"""What the types of a protocol cannot refuse: numbers, parts that must agree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

import msgspec

from becalm.core.errors import did_you_mean
from becalm.core.toml_position import TomlMistake
from becalm.protocol.model import MODES, HorizonName, Protocol


def disagreements(protocol: Protocol) -> Iterator[TomlMistake]:
    """Yield everything in a protocol that cannot be meant."""
    yield from _design(protocol)
    for at, value in leaves(protocol, ""):
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                yield TomlMistake(at, f"{value} is not a number to compare with", "Write a number")
            elif value < 0:
                yield TomlMistake(at, f"{value:g} is negative")
    yield from _windows(protocol)
    yield from _person_time(protocol)
    yield from _baseline(protocol)
    yield from pharmacology(protocol)


def pharmacology(protocol: Protocol) -> Iterator[TomlMistake]:
    """Yield what cannot be meant of the pharmacokinetic models."""
    for i, each in enumerate(protocol.pharmacology):
        at = f"pharmacology[{i}]"
        if each.target_mg_l == 0:
            what = "a concentration of 0 is always reached"
            yield TomlMistake(f"{at}.target_mg_l", what, "Leave it out, or write one above 0")
        if each.effluent_ml_kg_h == 0:
            what = "renal replacement without a flow clears nothing"
            yield TomlMistake(
                f"{at}.effluent_ml_kg_h", what, "Leave it out, or write a flow above 0"
            )
        if any(each.model == other.model for other in protocol.pharmacology[:i]):
            yield TomlMistake(f"{at}.model", f"{each.model!r} stands here twice", "Remove it")


def _baseline(protocol: Protocol) -> Iterator[TomlMistake]:
    ways = protocol.kidney.baseline
    at = "kidney.baseline"
    if not ways:
        yield TomlMistake(at, "names no way to find a baseline", 'Write ["rolling_minimum"]')
    for i, way in enumerate(ways):
        if way in ways[:i]:
            yield TomlMistake(f"{at}[{i}]", f"{way!r} stands here twice", "Remove it")
    if "rolling_minimum" in ways[:-1]:
        said = "'rolling_minimum' always applies, so what stands after it would never be used"
        yield TomlMistake(at, said, "Write it last")


def _person_time(protocol: Protocol) -> Iterator[TomlMistake]:
    rule = protocol.person_time
    if rule is None:
        return
    names = ("lags", "bands_24h", "high_24h", "bands_days_high", "bands_cumulative")
    if protocol.design != "treatment":
        for name in names if protocol.entry is None else ():
            if getattr(rule, name):
                said = f"design {protocol.design!r} has no dose to count in {name}"
                yield TomlMistake(f"person_time.{name}", said, "Remove it")
        return
    for name in names:
        if not getattr(rule, name):
            yield TomlMistake("person_time", f"'{name}' is missing")
    for name in names[1:]:
        edges = getattr(rule, name)
        edges = edges if isinstance(edges, tuple) else (edges,)
        if any(high <= low for low, high in pairwise((0, *edges))) and edges != (0,):
            yield TomlMistake(
                f"person_time.{name}", "needs amounts above 0, each above the one before"
            )


def _design(protocol: Protocol) -> Iterator[TomlMistake]:
    needed = "entry" if protocol.design == "treatment" else protocol.design
    if getattr(protocol, needed) is None:
        yield TomlMistake("design", f"design {protocol.design!r} needs a table [{needed}]")
    for other in ("entry", "index", "landmark"):
        if other != needed and getattr(protocol, other) is not None:
            said = f"design {protocol.design!r} has no table [{other}]"
            yield TomlMistake(other, said, "Remove it")
    meant = ""
    for mode in protocol.treatment_episode:
        if mode not in MODES:
            hint = did_you_mean(mode, MODES)
            meant += hint
            yield TomlMistake(f"treatment_episode.{mode}", f"unknown mode {mode!r}", hint)
    for mode in MODES:
        if mode not in protocol.treatment_episode and f"'{mode}'?" not in meant:
            yield TomlMistake("treatment_episode", f"{mode!r} is missing")
    for name in get_args(HorizonName):
        if name not in protocol.horizons:
            yield TomlMistake("horizons", f"{name!r} is missing")
    if protocol.index is not None and not protocol.index.qualifying:
        yield TomlMistake("index", "needs at least one [[index.qualifying]]")
    for i, each in enumerate(protocol.index.qualifying if protocol.index else ()):
        if (each.at_least is None) == (each.below is None):
            yield TomlMistake(f"index.qualifying[{i}]", "needs either at_least or below")


def _windows(protocol: Protocol) -> Iterator[TomlMistake]:
    if protocol.response.of == "treated" and protocol.landmark is None:
        hint = 'Only a landmark has an admission to count from; leave it at "everybody"'
        yield TomlMistake("response.of", "'treated' needs a table [landmark]", hint)
    for i, confounder in enumerate(protocol.confounder):
        if confounder.from_.us > confounder.to.us:
            yield TomlMistake(f"confounder[{i}].to", "ends before it begins")
    for i, fall in enumerate(protocol.response.graded_falls):
        if not 0 < fall < 1:
            yield TomlMistake(
                f"response.graded_falls[{i}]", f"{fall:g} is not a fraction", "15 % is 0.15"
            )
    if not 0 < protocol.refractory.ferritin_fall < 1:
        yield TomlMistake(
            "refractory.ferritin_fall",
            f"{protocol.refractory.ferritin_fall:g} is not a fraction",
            "25 % is 0.25",
        )
    sound = {}
    for name, horizon in protocol.horizons.items():
        if not horizon.from_h < horizon.to_h or not horizon.from_h <= horizon.at <= horizon.to_h:
            yield TomlMistake(f"horizons.{name}", "needs from < to, and at between them")
        else:
            sound[name] = horizon
    ordered = sorted(sound.items(), key=lambda item: (item[1].from_h, item[1].to_h))
    for (one, earlier), (two, later) in pairwise(ordered):
        if later.from_h < earlier.to_h or (later.from_h == earlier.to_h and not later.open):
            yield TomlMistake(
                f"horizons.{two}", f"overlaps {one}", "One value may not count at two horizons"
            )


def leaves(part: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Yield every single value of a protocol with its path in the file."""
    if isinstance(part, msgspec.Struct):
        for field in msgspec.structs.fields(part):
            yield from leaves(
                getattr(part, field.name), f"{at}.{field.encode_name}" if at else field.encode_name
            )
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from leaves(value, f"{at}.{key}")
    elif isinstance(part, tuple):
        for i, value in enumerate(part):
            yield from leaves(value, f"{at}[{i}]")
    elif part is not None:
        yield at, part
