"""The tables `criteria` and `criteria_items`: each definition at its moments, item by item.

The state of an item is one of three words. met: it certainly scores (its fewest points are above
0). not met: it certainly does not score. not assessed: this is undecided, because nothing was
measured, a count is known in part, or a censored value could lie on either side. The parts of a count follow it as
`item.part`, with a state and a value but without points, which belong to the count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Mask, Pair, Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical
from becalm.core.frame import Frame
from becalm.definitions.evaluation import Evaluation, status
from becalm.definitions.item_evidence import Modifiers, Readings, SourceRow, blank, taken_back_at
from becalm.definitions.model import Definition, Derivation, Item
from becalm.definitions.moments import Asked, Moment, Moments, ask
from becalm.definitions.next_test import Undetermined, in_words, next_tests
from becalm.definitions.not_assessed import NOT_IN_STAY, Refused, none_refused, reasons
from becalm.definitions.qualifiers import probability_interval
from becalm.definitions.scoring import count_met, settled
from becalm.definitions.whole_stay import WholeStays
from becalm.tables import CRITERIA, CRITERIA_ITEMS
from becalm.timeline import Intervals

STATES: Final = ("met", "not met", "not assessed")


def criteria(
    evaluation: Evaluation,
    persons: Frame,
    moments: Moments,
    *,
    modifiers: Modifiers,
    source_row: SourceRow,
    who: Mask | None = None,
    refused: Refused = none_refused,
) -> tuple[Frame, Frame]:
    """Return `criteria` and `criteria_items` of one definition for a chunk of persons.

    persons : person_id, age (completed years, −1 unknown) and underlying (disease names joined by
    `|`, '' not known), one row a person code. who : the persons to report, by default all. refused :
    the rows that could not be used, for the reason why an item is not assessed.
    """
    chosen = np.ones(len(persons), np.bool_) if who is None else who
    totals, items = [Frame.of(CRITERIA)], [Frame.of(CRITERIA_ITEMS)]
    for asked in ask(evaluation, moments, chosen):
        readings = Readings(evaluation, asked.person, asked.time, modifiers, source_row, refused)
        name = _named(persons, asked.person)
        totals.append(_totals(asked, readings, persons, name))
        items += _items(asked.moment, readings, name)
    if moments.stays is not None and evaluation.definition.whole_stay:
        whole = WholeStays.build(evaluation, moments.stays)
        asked = whole.ask(np.flatnonzero(chosen).astype(np.int32), moments.index)
        readings = Readings(
            whole.evaluation,
            asked.person,
            asked.time,
            whole.modifiers(modifiers),
            source_row,
            whole.refused(refused),
            NOT_IN_STAY,
        )
        theirs = persons.take(whole.of)
        name = _named(theirs, asked.person)
        totals.append(_totals(asked, readings, theirs, name, whole_stay=True))
        items += _items(asked.moment, readings, name)
    return Frame.concat(totals), Frame.concat(items)


def peaks(evaluation: Evaluation, persons: Frame, *, modifiers: Modifiers) -> Frame:
    """Return `criteria` of all persons at `peak_ever`, without the items."""
    everyone = np.ones(len(persons), np.bool_)
    totals = [Frame.of(CRITERIA)]
    for asked in ask(evaluation, Moments.peak_only(len(persons)), everyone):
        readings = Readings(evaluation, asked.person, asked.time, modifiers)
        totals.append(_totals(asked, readings, persons, _named(persons, asked.person)))
    return Frame.concat(totals)


def worst_stays(
    evaluation: Evaluation, persons: Frame, stays: Intervals, *, modifiers: Modifiers
) -> Frame:
    """Return `criteria` of all persons at `whole_stay`, without the items: one stay of each person."""
    whole = WholeStays.build(evaluation, stays)
    everyone = np.arange(len(persons), dtype=np.int32)
    asked = whole.ask(everyone, np.full(len(persons), UNKNOWN_TIME))
    readings = Readings(whole.evaluation, asked.person, asked.time, whole.modifiers(modifiers))
    theirs = persons.take(whole.of)
    name = _named(theirs, asked.person)
    return _totals(asked, readings, theirs, name, whole_stay=True)


def _totals(
    asked: Asked,
    readings: Readings,
    persons: Frame,
    name: Texts | Categorical,
    *,
    whole_stay: bool = False,
) -> Frame:
    definition = readings.evaluation.definition
    count = len(asked.person)
    low, high = readings.total
    without_low, without_high = readings.total_unmodified
    assessed = np.zeros(count, np.int64)
    for item in definition.items:
        assessed += np.logical_or(*settled(item, readings.points(item)))
    return Frame.of(
        CRITERIA,
        person_id=name,
        criterion=_alike(definition.name, count),
        moment=_alike(asked.moment, count),
        time=asked.time,
        low=low,
        high=high,
        status=status(definition, low, high),
        first_met=asked.first_met,
        first_possible=asked.first_possible,
        held_hours=asked.held_hours,
        items_assessed=assessed,
        items_total=np.full(count, len(definition.items)),
        clock=_alike(readings.evaluation.clock, count),
        in_derivation_population=derived_in(
            definition.derivation,
            persons["age"][asked.person].tolist(),
            persons["underlying"][asked.person].tolist(),
        ),
        low_unmodified=without_low,
        high_unmodified=without_high,
        probability=_probabilities(definition, low, high),
        taken_back_at=taken_back_at(readings),
        next_test=_next_test(asked, readings, whole_stay),
        verified=np.full(count, definition.verified),
    )


def _next_test(asked: Asked, readings: Readings, whole_stay: bool) -> Categorical:
    """Return which single test would settle each total that is undetermined, in words."""
    low, high = readings.total
    cut_off = readings.evaluation.definition.cut_off
    some = np.flatnonzero((low < cut_off) & (high >= cut_off) & (asked.time != UNKNOWN_TIME))
    found = next_tests(
        Undetermined(
            readings.evaluation,
            blank(len(some)),
            asked.person[some],
            asked.time[some],
            low[some],
            high[some],
            Categorical.by(np.zeros(len(some)), [asked.moment]),
            whole_stay,
        )
    )
    told = in_words(found)
    code = np.full(len(low), -1)
    code[some] = told.code
    return Categorical.by(code, [*told.texts, ""])


def _probabilities(definition: Definition, low: Floats, high: Floats) -> list[str]:
    if not definition.probability:
        return [""] * len(low)
    known: dict[tuple[float, float], str] = {}
    pairs = list(zip(low.tolist(), high.tolist(), strict=True))
    for pair in pairs:
        if pair not in known:
            known[pair] = probability_interval(*pair, definition.probability)
    return [known[pair] for pair in pairs]


def derived_in(
    derivation: Derivation, ages: Iterable[int], underlying: Iterable[str]
) -> list[bool | None]:
    """Return whether the definition was derived in patients like each; None if not known.

    ages : completed years, −1 unknown; underlying : disease names joined by `|`, '' not known.
    """
    asked = list(zip(ages, underlying, strict=True))
    answers = {
        (age, disease): _derived(derivation, age, frozenset(filter(None, disease.split("|"))))
        for age, disease in set(asked)
    }
    return [answers[each] for each in asked]


def _derived(derivation: Derivation, age: int, diseases: frozenset[str]) -> bool | None:
    answers: list[bool | None] = []
    if derivation.min_age is not None:
        answers.append(None if age < 0 else age >= derivation.min_age)
    if derivation.below_age is not None:
        answers.append(None if age < 0 else age < derivation.below_age)
    if derivation.underlying:
        answers.append(None if not diseases else bool(diseases & set(derivation.underlying)))
    if False in answers:
        return False
    return None if None in answers or not answers else True


def _named(persons: Frame, person: Persons) -> Categorical:
    """Return the ids of persons, stored as codes: each stands in many rows."""
    ids = persons["person_id"]
    return Categorical(person.astype(np.int32), ids)


def _alike(text: str, count: int) -> Categorical:
    return Categorical.by(np.zeros(count, np.int32), [text])


def _states(item: Item, pair: Pair) -> Categorical:
    met, not_met = settled(item, pair)
    return Categorical.by(np.where(met, 0, np.where(not_met, 1, 2)), STATES)


def items_at(
    evaluation: Evaluation,
    names: Texts | Categorical,
    person: Persons,
    time: Times,
    *,
    modifiers: Modifiers,
    source_row: SourceRow,
    moment: Moment = "index",
) -> Frame:
    """Return `criteria_items` of one definition at one instant of each person."""
    readings = Readings(evaluation, person, time, modifiers, source_row)
    return Frame.concat([Frame.of(CRITERIA_ITEMS), *_items(moment, readings, names)])


def _items(moment: Moment, readings: Readings, name: Texts | Categorical) -> list[Frame]:
    frames = []
    for item in readings.evaluation.definition.items:
        frames.append(_item(moment, readings, name, item, item.key, scores=True))
        frames += [
            _item(moment, readings, name, part, f"{item.key}.{label}", scores=False)
            for label, part in _parts(item)
        ]
    return frames


def _parts(item: Item) -> Iterable[tuple[str, Item]]:
    for part in item.count:
        yield part.key, part
        for label, deeper in _parts(part):
            yield f"{part.key}.{label}", deeper


def _item(
    moment: Moment,
    readings: Readings,
    name: Texts | Categorical,
    item: Item,
    label: str,
    *,
    scores: bool,
) -> Frame:
    count = len(readings.person)
    pair = readings.points(item)
    blanks = np.full(count, np.nan)
    states = _states(item, pair)
    reason = blank(count)
    unknown = states.code == STATES.index("not assessed")
    who, when = readings.person[unknown], readings.time[unknown]
    reason[unknown] = reasons(
        readings.evaluation, item, who, when, readings.refused, never=readings.never
    )
    value, censored, time, modified_by, derived, source_row = _seen(readings, item)
    return Frame.of(
        CRITERIA_ITEMS,
        person_id=name,
        criterion=_alike(readings.evaluation.definition.name, count),
        moment=_alike(moment, count),
        item=_alike(label, count),
        state=states,
        reason=reason,
        points_low=pair[0] if scores else blanks,
        points_high=pair[1] if scores else blanks,
        value=value,
        unit=_alike(item.value_unit, count),
        time=time,
        censored=censored,
        modified_by=modified_by,
        derived=derived,
        source_row=source_row,
    )


def _seen(readings: Readings, item: Item) -> tuple[Floats, Texts, Times, Texts, Texts, Texts]:
    """Value, sign, time, modifiers, derived variables and rows of an item; of a count, those of all its parts.

    The value of a count is the number of met parts if it is certain, the value of another definition
    is its total; the time is the latest of all parts.
    """
    count = len(readings.person)
    if item.referred:
        return (*readings.referred(item), *_together(readings, item.referred.items))
    if not item.count:
        leaf = readings.leaf(item)
        censored = blank(count)
        signed = leaf.sign != ""
        censored[signed] = [f"value{sign}" for sign in leaf.sign[signed]]
        return (
            leaf.value, censored, leaf.drawn, leaf.modified_by, leaf.derived, leaf.source_row,
        )  # fmt: skip
    low, high = count_met(item, [readings.points(part) for part in item.count])
    return (
        np.where(low == high, low, np.nan),
        blank(count),
        *_together(readings, item.count),
    )


def _together(readings: Readings, items: Iterable[Item]) -> tuple[Times, Texts, Texts, Texts]:
    """Return latest time, modifiers, derived variables and rows of several items."""
    parts = [_seen(readings, part) for part in items]
    return (
        np.maximum.reduce([part[2] for part in parts]),
        _union([part[3] for part in parts]),
        _union([part[4] for part in parts]),
        _union([part[5] for part in parts], in_order=True),
    )


def _union(lists: list[Texts], *, in_order: bool = False) -> Texts:
    """Join several lists joined by `|`, each entry once; sorted, or in the given order with `in_order`."""
    texts = blank(len(lists[0]))
    for i in np.flatnonzero(np.any([each != "" for each in lists], axis=0)).tolist():
        entries = dict.fromkeys(entry for each in lists for entry in each[i].split("|") if entry)
        texts[i] = "|".join(entries if in_order else sorted(entries))
    return texts
