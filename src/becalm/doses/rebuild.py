"""From the administrations of a chunk to its doses: drugs, routes, weights, ends and remarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Codes, Floats, Mask
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.columns import Categorical, Keyed, unique_keys
from becalm.core.frame import Frame
from becalm.doses.deduplicate import once
from becalm.doses.endings import ASSUMED, STOPPED, as_pauses, close, longest, stops
from becalm.doses.exposure import ROUTES, ROWS, Doses
from becalm.doses.modes import CONTINUOUSLY, ambiguous, modes
from becalm.doses.plausibility import Read, flags, implausible, refusals
from becalm.doses.rates import Converted, Quantity, WrittenRate, convert
from becalm.doses.real_time import RealTime
from becalm.doses.unit_table import TABLE
from becalm.doses.units import (
    DIMENSION,
    MASS,
    DoseUnit,
    amount_unit,
    concentration_unit,
    rate_unit,
)
from becalm.events import Events
from becalm.persons.lifetime import Lifetime
from becalm.persons.surface import body_surface, heights
from becalm.persons.weight import SOURCES, WeightInForce, weight_in_force
from becalm.records import Records
from becalm.vocabulary import Vocabulary, words

_COUNTED: Final = ("", "given", STOPPED)
_NOT_COUNTED: Final = ("not given", "ordered")


def rebuild(records: Records, events: Events, vocabulary: Vocabulary) -> Doses:
    """Turn every administered row into an interval of constant rate or a single dose.

    One row per row of the records, in their order, also if the drug is unknown or was not
    administered: a row that was only ordered, not given or not usable is listed without amounts in
    mg. Rows that cannot be used are also counted in `refused`; rows that look wrong have a remark in
    `flag` and still count.

    An administration in two tables (`Records.repeated`) is counted once, and the row that does not
    count has a remark. Rows are of one drug if the vocabulary says so; rows of unknown drugs are of
    one drug if their labels have the same words, whatever the case and punctuation: "HYDROmorphone (Dilaudid)" is "Hydromorphone (Dilaudid)", and "Lorazepam" is not "Lorazepam (Ativan)".

    The weight is that of `persons.weight`, first the one in the row. A rate without an end is ended
    by `endings.close`; a row that says stopped stops. Nothing is infused after death.
    """
    stop = stops(records.administrations)
    records = replace(records, administrations=as_pauses(records.administrations, stop))
    administrations = records.administrations
    n = len(administrations)
    person = administrations["person"]
    label, table = administrations.coded("label"), administrations.coded("table")
    drug, drugs = _drugs(
        label, administrations.coded("code"), administrations.coded("system"), vocabulary
    )
    units = tuple(vocabulary.drug(name).dose_unit for name in drugs)
    route = administrations.coded("route").map(
        lambda text: ROUTES.index(_route(vocabulary, text)), np.int8
    )
    status = administrations.coded("status")
    counts = status.map(lambda text: text in _COUNTED, np.bool_)
    understood = counts | status.map(lambda text: text in _NOT_COUNTED, np.bool_)
    written_alike = Categorical.of(label.map(words))
    substance = np.where(drug >= 0, drug, len(drugs) + written_alike.code)
    group = _grouped(person, substance, route)
    lifetime = Lifetime.of(records)
    last = lifetime.over
    weight = weight_in_force(
        records, events, person, administrations["start"], administrations["weight_kg"]
    )

    charted = once(
        administrations, table, records.repeated, substance=substance, route=route, counts=counts
    )
    counts &= ~charted.again
    rate = _quantity(administrations, "rate", "rate_unit", rate_unit)
    ends = close(
        records,
        charted.start,
        charted.end,
        substance=substance,
        route=route,
        counts=counts,
        longest_held=longest(drug, drugs, route, rate),
        death=last[person],
    )
    start = ends.start
    amount = _quantity(administrations, "amount", "amount_unit", amount_unit)
    dosed_by = _dosed_by(administrations, weight)
    by_surface = np.flatnonzero(amount.per_m2 | rate.per_m2)
    written = WrittenRate(
        start,
        ends.end,
        amount,
        rate,
        _quantity(administrations, "concentration", "concentration_unit", concentration_unit),
        dosed_by,
        _surfaces(records, events, dosed_by, by_surface),
        _contents(drug, drugs),
        _real_time(records, route, rate),
        _in_base(drug, units),
    )
    done = convert(written)
    usable = counts & (done.refused == 0)
    mode = modes(administrations.coded("route"), written, done, vocabulary)
    route, assumed = _route_of_infusions(route, done, mode)
    death = last[person]
    until = np.minimum(done.end, death)
    outside = lifetime.outside(person, start, begins=True)
    alive = outside == 0

    read = Read(
        administrations=administrations,
        written=written,
        done=done,
        usable=usable,
        counts=counts,
        understood=understood,
        drug=drug,
        drugs=tuple(drugs),
        route=route,
        assumed_iv=assumed,
        group=group,
        endings=ends,
        stop=stop,
        charted=charted,
        weight=weight,
        death=death,
        outside=outside,
        ambiguous=usable & ambiguous(written, done, mode),
    )
    plausible = np.ones(n, np.bool_)
    for odd, _ in implausible(read):
        plausible[usable & odd] = False
    # The amount of a bag is right, though its last rate was charted over minutes.
    believed = plausible | ~np.isnan(administrations["amount"])
    added_up = usable & believed & ~read.ambiguous
    refused_row = done.refused > 0
    raw = refused_row | ~counts
    nothing = (administrations["amount"] == 0) | (
        np.isnan(administrations["amount"]) & (administrations["rate"] == 0)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        entered = administrations["entered_rate"] / administrations["rate"]
    entered = np.where(np.isfinite(entered), entered, 1.0)
    mass = np.where(usable & ~read.ambiguous, done.amount_mg, np.nan)
    frame = Frame.of(
        ROWS,
        person=person,
        row=np.arange(n),
        person_id=Categorical(person, records.persons["person_id"]),
        stay_id=administrations.coded("stay_id"),
        drug=Categorical.by(drug, [*drugs, ""]),
        label=label,
        route=Categorical.by(route, ROUTES),
        start=start,
        end=done.end,
        amount=np.where(raw, administrations["amount"], done.amount),
        amount_unit=Categorical.where(raw, administrations.coded("amount_unit"), done.unit),
        rate_per_h=np.where(usable, done.rate_per_h, np.nan),
        rate_mg_h=np.where(usable, done.rate_mg_h, np.nan),
        amount_mg=mass,
        notation=_notation(written, done),
        source_row=Keyed(table, administrations["key"]),
        status=status,
        flag=flags(read),
        amount_canonical=np.where(usable, done.base, np.nan),
        rate_canonical_per_h=np.where(usable, done.base_per_h, np.nan),
        set_canonical_per_h=np.where(usable, done.base_set_per_h * entered, np.nan),
        unit_canonical=np.where(usable, done.base_unit, ""),
        drug_code=drug,
        route_code=route,
        counted=usable & alive,
        exposed=counts & done.timed & alive & ~nothing,
        untimed=counts & ((start == UNKNOWN_TIME) | done.too_long) & ~nothing,
        single=done.single,
        states_rate=done.states_rate,
        mode=mode,
        date_only=administrations["date_only"],
        plausible=plausible,
        until=until,
        set_per_h=np.where(usable, done.set_per_h, np.nan),
        dose=np.where(added_up, done.dose, np.nan),
        dose_per_h=np.where(added_up, done.dose_per_h, np.nan),
        beyond_h=done.beyond / HOUR,
        by_clock=written.time.by_hour & ~written.time.own(done.end),
        dosed_by_kg=np.where(done.by_weight, written.weight_kg, np.nan),
        weight_remark=weight.remarks(),
        weight_kg=weight.kg,
        weight_source=Categorical.by(weight.source, SOURCES),
        weight_age_h=weight.age_h,
        weight_row=weight.row,
        end_assumed=Categorical.by(ends.assumed, ASSUMED),
        assumed_end=ends.assumed > 0,
    )
    return Doses(
        frame,
        refusals(read),
        tuple(drugs),
        units,
        last,
        records.persons["person_id"],
        records.clock,
    )


def _real_time(records: Records, route: Array, rate: Quantity) -> RealTime:
    """Return how much time passes in each row; infusions and rates by the hour or minute follow real hours."""
    infused = np.isin(route, [ROUTES.index(name) for name in ("IV", "")])
    hourly = rate.each(lambda unit: 0 < unit.hours < 24, np.bool_)
    administrations = records.administrations
    return RealTime(
        records.clock,
        administrations["elapsed_h"],
        administrations["end"],
        infused | (hourly & ~np.isnan(rate.value)),
    )


def _surfaces(records: Records, events: Events, kg: Floats, rows: Array) -> Floats:
    """Return the body surface for the rows that are dosed by it, in m²."""
    table = records.administrations
    surface: Floats = np.full(len(kg), np.nan)
    if len(rows):
        height = heights(records, events, table["person"][rows], table["start"][rows])
        surface[rows] = body_surface(height, kg[rows])
    return surface


def _dosed_by(administrations: Frame, weight: WeightInForce) -> Floats:
    """Return the weight that doses per kg are multiplied by, in kg.

    A row that states a rate per kg and the amount was charted with its own weight. So that the two
    agree, it is used for them also where it is set aside as the weight of the person.
    """
    joined = ~np.isnan(administrations["amount"]) & ~np.isnan(administrations["rate"])
    own = administrations["weight_kg"]
    with np.errstate(invalid="ignore"):
        set_aside = joined & (weight.aside_kg == own) & ~weight.impossible
    return np.where(set_aside, own, weight.kg)


def _route(vocabulary: Vocabulary, text: str) -> str:
    return vocabulary.route_of(text) if text else ""


def _drugs(
    label: Categorical, code: Categorical, system: Categorical, vocabulary: Vocabulary
) -> tuple[Codes, list[str]]:
    """Return the code of each row's drug, -1 if not known, and the sorted names of the codes."""
    both = label.code.astype(np.int64) * max(len(code.texts), 1) + code.code
    both = both * max(len(system.texts), 1) + system.code
    first, back = unique_keys(both)
    drugs_found = [
        vocabulary.drug_of(
            label.texts[label.code[i]],
            code.texts[code.code[i]],
            system.texts[system.code[i]],
        )
        for i in first.tolist()
    ]
    names = sorted({one.name for one in drugs_found if one})
    codes = np.array([names.index(one.name) if one else -1 for one in drugs_found], dtype=np.int32)
    return codes[back], names


def _grouped(person: Codes, substance: Array, route: Array) -> Codes:
    """Return one code for each person, substance (drug, else label) and route, by person."""
    most = int(substance.max(initial=0)) + 1
    return unique_keys((person.astype(np.int64) * most + substance) * len(ROUTES) + route)[1]


def _quantity(
    administrations: Frame, value: str, unit: str, read: Callable[[str], DoseUnit]
) -> Quantity:
    coded = administrations.coded(unit)
    return Quantity(
        administrations[value], coded.code, [read(text) for text in coded.texts.tolist()]
    )


def _contents(drug: Codes, drugs: Sequence[str]) -> dict[str, Floats]:
    """Return the mg in one container of each row's drug, by container."""
    held: dict[str, Floats] = {}
    for product in TABLE.product:
        if product.drug in drugs:
            mg = held.setdefault(product.container, np.full(len(drug), np.nan))
            mg[drug == drugs.index(product.drug)] = product.mg
    return held


def _in_base(drug: Codes, units: Sequence[str]) -> dict[str, Mask]:
    """Return the rows of drugs that are not added up in mg, by dimension."""
    of = np.array([*(DIMENSION[unit] for unit in units), MASS], dtype=object)[drug]
    return {dimension: of == dimension for dimension in sorted({*of.tolist()} - {MASS})}


def _route_of_infusions(route: Array, done: Converted, mode: Array) -> tuple[Array, Mask]:
    """Assume IV for a continuous infusion without a route; any other unknown route stays unknown."""
    assumed = (route == ROUTES.index("")) & (mode == CONTINUOUSLY) & (done.refused == 0)
    return np.where(assumed, ROUTES.index("IV"), route).astype(np.int8), assumed


def _notation(written: WrittenRate, done: Converted) -> Categorical:
    """Return how each row was written: by amount, by rate, by weight or by volume."""
    sides = [
        np.where(np.isnan(q.value), -1, q.unit).astype(np.int64)
        for q in (written.amount, written.rate, written.concentration)
    ]
    key = done.single.astype(np.int64)
    for side in sides:
        key = key * (int(side.max(initial=0)) + 2) + side + 1
    first, back = unique_keys(key)
    return Categorical.by(back, [_way(written, bool(done.single[i]), i) for i in first.tolist()])


def _way(written: WrittenRate, single: bool, i: int) -> str:
    def unit(quantity: Quantity) -> str:
        one = quantity.units[quantity.unit[i]]
        per = {1.0: "/h", 24.0: "/day"}.get(one.hours) or (
            f"/{one.hours * 60:g} min" if one.hours else ""
        )
        return f"{one.name or '?'}{'/kg' if one.per_kg else '/m²' if one.per_m2 else ''}{per.replace('/1 min', '/min')}"

    parts = []
    if not np.isnan(written.amount.value[i]):
        parts.append(f"{unit(written.amount)}{'' if single else ' over time'}")
    if not np.isnan(written.rate.value[i]):
        parts.append(f"at {unit(written.rate)}" if parts else unit(written.rate))
    if not np.isnan(written.concentration.value[i]):
        parts.append(f"of {unit(written.concentration)}")
    return " ".join(parts)
