"""Whether there was a storm at a moment, and when it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Mask, Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.definitions import Evaluation, Inputs, evaluate
from becalm.definitions.moments import peak
from becalm.protocol import CriterionAtLeast, Protocol
from becalm.timeline import Intervals, Points


@dataclass(frozen=True, eq=False)
class JudgedStorm:
    """Per entered person: whether a storm was definite or possible, and its onset.

    assessed : whether anything that one of the protocol's definitions reads was known in the window. denied :
    whether none of them could reach its bound, with any value of what is not known.
    """

    definite: Mask
    possible: Mask
    onset: Times
    assessed: Mask
    denied: Mask

    def take(self, which: Mask) -> JudgedStorm:
        return JudgedStorm(*(getattr(self, each.name)[which] for each in fields(self)))

    def instead(self, which: Mask, others: JudgedStorm) -> JudgedStorm:
        """Return the same with other judgements of some persons."""
        columns = []
        for each in fields(self):
            column = getattr(self, each.name).copy()
            column[which] = getattr(others, each.name)
            columns.append(column)
        return JudgedStorm(*columns)

    def words(self) -> Texts:
        """Return definite, possible, not met, undetermined or not assessed."""
        words = np.full(len(self.definite), "undetermined", dtype=object)
        words[self.denied] = "not met"
        words[~self.assessed] = "not assessed"
        words[self.possible] = "possible"
        words[self.definite] = "definite"
        return words


@dataclass(frozen=True, eq=False)
class StormJudge:
    """The data that decide whether there was a storm, on one clock.

    ferritin : its values. diseases : underlying diseases of each person, joined by `|`.
    """

    evaluations: Mapping[str, Evaluation]
    ferritin: Points
    protocol: Protocol
    diseases: list[str]

    def judge(self, person: Persons, start: Times, end: Times) -> JudgedStorm:
        """Judge each person's storm in [start, end], both included.

        Definite: one of the protocol's definitions certainly reaches its cut-off. Possible: not
        definite, ferritin reached the protocol's bound, and unknown values could make a definition
        reach its cut-off. Onset is the first moment of either in that window. Denied (not met): at the
        end of the window and at the peak of each definition in it, no definition could reach its
        cut-off with any value of what is not known. Where nothing was known that one of these
        definitions reads, the storm was not assessed.
        """
        storm = self.protocol.storm
        window = Intervals(person, start, end + 1)
        definite = [self._first(rule, window, certain=True) for rule in storm.definite]
        reachable = [self._first(rule, window, certain=False) for rule in storm.possible.any]
        ferritin = self.ferritin.clip(window)
        high = ferritin.where(lambda low, _: low >= storm.possible.ferritin_at_least)
        sure_at = _earliest(definite, person)
        ferritin_at = _earliest([(high.person, high.time)], person)
        reachable_at = _earliest(reachable, person)
        sure, could = sure_at < FAR_FUTURE, (ferritin_at < FAR_FUTURE) & (reachable_at < FAR_FUTURE)
        onset = np.minimum(
            sure_at, np.where(could, np.maximum(ferritin_at, reachable_at), FAR_FUTURE)
        )
        rules = (*storm.definite, *storm.possible.any)
        names = dict.fromkeys(rule.criterion for rule in rules)
        known = [self.evaluations[name].observed.clip(window).person for name in names]
        assessed = np.isin(person, np.concatenate([high.person, *known]))
        onset = np.where(onset == FAR_FUTURE, UNKNOWN_TIME, onset)
        denied = np.ones(len(person), np.bool_)
        for rule in dict.fromkeys(rules):
            denied &= self._out_of_reach(rule, person, window, end)
        return JudgedStorm(sure, ~sure & could, onset, assessed, denied)

    def _out_of_reach(
        self, rule: CriterionAtLeast, person: Persons, window: Intervals, end: Times
    ) -> Mask:
        """Return whether a rule could not hold, at the end of the window and at its peak in it.

        A rule for some diseases cannot hold where none of them is on record.
        """
        evaluation = self.evaluations[rule.criterion]
        _, highest = evaluation.at(person, end)
        below: Mask = highest < rule.at_least
        who, when = peak(evaluation.observed.clip(window))
        _, highest = evaluation.at(who, when)
        below &= ~np.isin(person, who[highest >= rule.at_least])
        return below | ~self._fits(rule, person)

    def _fits(self, rule: CriterionAtLeast, person: Persons) -> Mask:
        """Return who has one of the diseases for which a rule is; everybody where it names none."""
        wanted = set(rule.underlying)
        if not wanted:
            return np.ones(len(person), np.bool_)
        return np.array([bool(wanted & set(self.diseases[i].split("|"))) for i in person], np.bool_)

    def _first(
        self, rule: CriterionAtLeast, window: Intervals, *, certain: bool
    ) -> tuple[Persons, Times]:
        """Return when each person first certainly (or possibly) reaches a rule's bound in the window."""
        person, time = (
            self.evaluations[rule.criterion]
            .observed.clip(window)
            .first(lambda low, high: (low if certain else high) >= rule.at_least)
        )
        fits = self._fits(rule, person)
        return person[fits], time[fits]


@dataclass(frozen=True, eq=False)
class Storms:
    """Storms by the protocol's definitions, as they could be judged at a moment.

    Whether there was a storm is judged by the values that were known then: one that a later report of
    its draw had replaced until then does not count. When it began is told by the draws, whatever the
    protocol's clock.
    """

    evaluations: Mapping[str, Evaluation]
    protocol: Protocol
    diseases: list[str]

    def judge(self, person: Persons, start: Times, end: Times) -> JudgedStorm:
        """Judge each person's storm in [start, end], both included, as known at its end."""
        judged = self._judge(self.evaluations, self._inputs, person, start, end)
        changed = self._changed_by(person, end)
        if changed.any():
            judged = judged.instead(
                changed, self._known(person[changed], start[changed], end[changed])
            )
        if self._inputs.clock == "drawn":
            return judged
        by_draws = self._inputs.only(person).on("drawn")
        evaluations = self._evaluated(by_draws)
        began = self._judge(evaluations, by_draws, person, start, end).onset
        return replace(judged, onset=began)

    def taken_back(self, words: Texts, person: Persons, start: Times, end: Times) -> Mask:
        """Return whether the words for each storm would differ without the values that were replaced later."""
        never = np.full(len(person), FAR_FUTURE - 1)
        differs = self._changed_by(person, never)
        which = np.flatnonzero(differs)
        if len(which):
            known = self._known(person[which], start[which], end[which], never[which])
            differs[which] = words[which] != known.words()
        return differs

    @property
    def _inputs(self) -> Inputs:
        return next(iter(self.evaluations.values())).inputs

    @property
    def _names(self) -> list[str]:
        storm = self.protocol.storm
        return list(
            dict.fromkeys(rule.criterion for rule in (*storm.definite, *storm.possible.any))
        )

    def _evaluated(self, inputs: Inputs) -> dict[str, Evaluation]:
        return {name: evaluate(self.evaluations[name].definition, inputs) for name in self._names}

    def _judge(
        self,
        evaluations: Mapping[str, Evaluation],
        inputs: Inputs,
        person: Persons,
        start: Times,
        end: Times,
    ) -> JudgedStorm:
        ferritin = inputs.values.get("ferritin")
        points = ferritin if isinstance(ferritin, Points) else Points.empty()
        return StormJudge(evaluations, points, self.protocol, self.diseases).judge(
            person, start, end
        )

    def _known(
        self, person: Persons, start: Times, end: Times, at: Times | None = None
    ) -> JudgedStorm:
        """Judge with the values that no report had replaced by the end of the window, or by `at`."""
        until = np.full(self._inputs.n_persons, FAR_PAST)
        until[person] = end if at is None else at
        inputs = self._inputs.only(person).as_known(until)
        return self._judge(self._evaluated(inputs), inputs, person, start, end)

    def _changed_by(self, person: Persons, end: Times) -> Mask:
        """Return for whom a report that the definitions read was replaced until the end."""
        until = np.full(self._inputs.n_persons, FAR_PAST)
        until[person] = end
        changed = np.zeros(self._inputs.n_persons, np.bool_)
        read = {"ferritin"}.union(
            *(self.evaluations[name].definition.variables for name in self._names)
        )
        for name in sorted(read):
            points = self._inputs.values.get(name)
            if isinstance(points, Points) and points.replaced is not None:
                changed[points.person[points.until <= until[points.person]]] = True
        return changed[person]


def _earliest(moments: list[tuple[Persons, Times]], person: Persons) -> Times:
    """Return the earliest of several moments for each person asked about; `FAR_FUTURE` where none."""
    size = 1 + max(
        [int(each.max()) for each in (person, *(p for p, _ in moments)) if len(each)], default=0
    )
    first = np.full(size, FAR_FUTURE)
    for who, time in moments:
        np.minimum.at(first, who, time)
    return first[person]
