"""From the administrations of a chunk to its doses: drugs, routes, weights, ends, and what is odd."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Array, Codes, Floats, Mask, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.columns import Categorical, Keyed, unique_keys
from becalm.core.frame import Frame
from becalm.doses.deduplicate import Charted, once
from becalm.doses.exposure import ROUTES, ROWS, Doses
from becalm.doses.plausibility import Read, flags, refusals
from becalm.doses.rates import Converted, Quantity, WrittenRate, convert
from becalm.doses.units import (
    DIMENSION,
    MASS,
    PUSH_UPTO,
    TABLE,
    DoseUnit,
    amount_unit,
    concentration_unit,
    rate_unit,
)
from becalm.events import Events
from becalm.persons.weight import SOURCES, weight_in_force
from becalm.records import Records
from becalm.timeline import Intervals, axis
from becalm.vocabulary import Vocabulary, words


def rebuild(records: Records, events: Events, vocabulary: Vocabulary) -> Doses:
    """Turn every administered row into a constant-rate interval or a single dose.

    One row per row of the record, in its order, whether or not the drug is known and whether or
    not it was given: a row that was only ordered, was not given or cannot be used is listed
    without amounts in mg. What cannot be used is also counted in `refused`; what looks wrong says
    so in `flag` and counts all the same.

    Where one administration stands in two tables (`Records.repeated`), it is counted
    once, and the row that is not counted says so. Rows are of one drug where the vocabulary says so;
    those of unknown drugs where their labels are the same words, whatever the case and punctuation:
    "HYDROmorphone (Dilaudid)" is "Hydromorphone (Dilaudid)", and "Lorazepam" is not "Lorazepam (Ativan)".

    The weight in force is that of `persons.weight`, the row's own first. A rate without an end holds until the next rate of that drug and
    route, else until death or the end of the stay. Nothing is infused after death.
    """
    given = records.administrations
    n = len(given)
    person = given["person"]
    label, table = given.coded("label"), given.coded("table")
    drug, drugs = _drugs(label, given.coded("code"), given.coded("system"), vocabulary)
    units = tuple(vocabulary.drug(name).dose_unit for name in drugs)
    route = given.coded("route").map(lambda text: ROUTES.index(_route(vocabulary, text)), np.int8)
    status = given.coded("status")
    counts = status.map(lambda text: text in ("", "given"), np.bool_)
    understood = status.map(lambda text: text in ("", "given", "not given", "ordered"), np.bool_)
    written_alike = Categorical.of(label.map(words))
    substance = np.where(drug >= 0, drug, len(drugs) + written_alike.code)
    group = _grouped(person, substance, route)
    last = _last_moment(records)
    weight = weight_in_force(records, events, person, given["start"], given["weight_kg"])

    charted = once(given, table, records.repeated, substance=substance, route=route, counts=counts)
    counts &= ~charted.again
    start, end, opened = _close(records, charted, group, counts, last)
    written = WrittenRate(
        start,
        end,
        _quantity(given, "amount", "amount_unit", amount_unit),
        _quantity(given, "rate", "rate_unit", rate_unit),
        _quantity(given, "concentration", "concentration_unit", concentration_unit),
        weight.kg,
        _contents(drug, drugs),
        _in_base(drug, units),
    )
    done = convert(written)
    usable = counts & (done.refused == 0)
    route, assumed = _route_of_infusions(route, done)
    death = last[person]
    until = np.minimum(done.end, death)
    alive = start < death

    read = Read(
        given=given,
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
        opened=opened,
        charted=charted,
        weight=weight,
        death=death,
    )
    refused_row = done.refused > 0
    raw = refused_row | ~counts
    nothing = (given["amount"] == 0) | (np.isnan(given["amount"]) & (given["rate"] == 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        entered = given["entered_rate"] / given["rate"]
    entered = np.where(np.isfinite(entered), entered, 1.0)
    mass = np.where(usable, done.amount_mg, np.nan)
    frame = Frame.of(
        ROWS,
        person=person,
        row=np.arange(n),
        person_id=Categorical(person, records.persons["person_id"]),
        stay_id=given.coded("stay_id"),
        drug=Categorical.by(drug, [*drugs, ""]),
        label=label,
        route=Categorical.by(route, ROUTES),
        start=start,
        end=done.end,
        amount=np.where(raw, given["amount"], done.amount),
        amount_unit=Categorical.where(raw, given.coded("amount_unit"), done.unit),
        rate_per_h=np.where(usable, done.rate_per_h, np.nan),
        rate_mg_h=np.where(usable, done.rate_mg_h, np.nan),
        amount_mg=mass,
        notation=_notation(written, done),
        source_row=Keyed(table, given["key"]),
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
        single=done.single,
        states_rate=done.states_rate,
        until=until,
        set_per_h=np.where(usable, done.set_per_h, np.nan),
        dose=np.where(usable, done.dose, np.nan),
        dose_per_h=np.where(usable, done.dose_per_h, np.nan),
        weight_kg=weight.kg,
        weight_source=Categorical.by(weight.source, SOURCES),
        weight_age_h=weight.age_h,
        weight_row=weight.row,
    )
    return Doses(
        frame,
        refusals(read),
        tuple(drugs),
        units,
        last,
        records.persons["person_id"],
    )


def _route(vocabulary: Vocabulary, text: str) -> str:
    return vocabulary.route_of(text) if text else ""


def _drugs(
    label: Categorical, code: Categorical, system: Categorical, vocabulary: Vocabulary
) -> tuple[Codes, list[str]]:
    """Code of each row's drug, -1 where it is not known, and the names of the codes, sorted."""
    both = label.code.astype(np.int64) * max(len(code.texts), 1) + code.code
    both = both * max(len(system.texts), 1) + system.code
    first, back = unique_keys(both)
    found = [
        vocabulary.drug_of(
            label.texts[label.code[i]],
            code.texts[code.code[i]],
            system.texts[system.code[i]],
        )
        for i in first.tolist()
    ]
    names = sorted({one.name for one in found if one})
    codes = np.array([names.index(one.name) if one else -1 for one in found], dtype=np.int32)
    return codes[back], names


def _grouped(person: Codes, substance: Array, route: Array) -> Codes:
    """One code for each person, substance (drug, else label) and route, in the order of persons."""
    most = int(substance.max(initial=0)) + 1
    return unique_keys((person.astype(np.int64) * most + substance) * len(ROUTES) + route)[1]


def _last_moment(records: Records) -> Times:
    """When each person died, at the latest: a date alone reaches to its midnight."""
    death = records.persons["death_time"]
    late = death + np.where(records.persons["death_date_only"], DAY, 0)
    return np.where(death == UNKNOWN_TIME, FAR_FUTURE, late)


def _quantity(given: Frame, value: str, unit: str, read: Callable[[str], DoseUnit]) -> Quantity:
    coded = given.coded(unit)
    return Quantity(given[value], coded.code, [read(text) for text in coded.texts.tolist()])


def _contents(drug: Codes, drugs: Sequence[str]) -> dict[str, Floats]:
    """Mg in one container of each row's drug, by container."""
    held: dict[str, Floats] = {}
    for product in TABLE.product:
        if product.drug in drugs:
            mg = held.setdefault(product.container, np.full(len(drug), np.nan))
            mg[drug == drugs.index(product.drug)] = product.mg
    return held


def _in_base(drug: Codes, units: Sequence[str]) -> dict[str, Mask]:
    """The rows of drugs that are added up in something else than mg, by its dimension."""
    of = np.array([*(DIMENSION[unit] for unit in units), MASS], dtype=object)[drug]
    return {dimension: of == dimension for dimension in sorted({*of.tolist()} - {MASS})}


def _close(
    records: Records, charted: Charted, group: Codes, counts: Mask, last: Times
) -> tuple[Times, Times, Mask]:
    """Give rates without an end the start of the next rate, else the end of the stay, else death."""
    given = records.administrations
    start, end = charted.start, charted.end.copy()
    rated, known = ~np.isnan(given["rate"]), start != UNKNOWN_TIME
    opened = rated & known & (end == UNKNOWN_TIME) & np.isnan(given["amount"]) & counts
    asked = np.flatnonzero(opened)
    if not len(asked):
        return start, end, opened
    lasting = (end != UNKNOWN_TIME) & (end - start > PUSH_UPTO)
    other = np.flatnonzero(counts & known & (rated | lasting))
    other = other[np.lexsort((start[other], group[other]))]
    line = axis((group[other], start[other]))
    following = np.searchsorted(
        line.place(group[other], start[other]), line.place(group[asked], start[asked]), "right"
    )
    found = np.minimum(following, len(other) - 1)
    chained = (following < len(other)) & (group[other[found]] == group[asked])
    end[asked[chained]] = start[other[found[chained]]]
    left = asked[~chained & (given["rate"][asked] > 0)]  # a rate of 0 ends by itself
    end[left] = np.minimum(
        _stay_ends(records, given["person"][left], start[left]), last[given["person"][left]]
    )
    end[left[end[left] >= FAR_FUTURE]] = UNKNOWN_TIME
    opened &= end != UNKNOWN_TIME
    return start, end, opened


def _stay_ends(records: Records, person: Codes, time: Times) -> Times:
    """The end of the stay, transfers included, that each (person, time) falls into."""
    stays = records.stays
    sound = (stays["start"] != UNKNOWN_TIME) & (stays["end"] > stays["start"])
    merged = Intervals.build(stays["person"][sound], stays["start"][sound], stays["end"][sound])
    mine, stay = merged.overlaps(person, time, time + 1)
    ends = np.full(len(person), FAR_FUTURE)
    ends[mine] = merged.end[stay]
    return ends


def _route_of_infusions(route: Array, done: Converted) -> tuple[Array, Mask]:
    """Take an infusion at a rate without a route as intravenous; a single dose stays unknown."""
    assumed = (route == ROUTES.index("")) & ~done.single & (done.refused == 0)
    return np.where(assumed, ROUTES.index("IV"), route).astype(np.int8), assumed


def _notation(written: WrittenRate, done: Converted) -> Categorical:
    """How each row was written: by amount, by rate, by weight, by volume; made once per way."""
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
        return f"{one.name or '?'}{'/kg' if one.per_kg else ''}{per.replace('/1 min', '/min')}"

    parts = []
    if not np.isnan(written.amount.value[i]):
        parts.append(f"{unit(written.amount)}{'' if single else ' over time'}")
    if not np.isnan(written.rate.value[i]):
        parts.append(f"at {unit(written.rate)}" if parts else unit(written.rate))
    if not np.isnan(written.concentration.value[i]):
        parts.append(f"of {unit(written.concentration)}")
    return " ".join(parts)
