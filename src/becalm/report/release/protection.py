"""Which counts of persons may be printed, so that no other count can be worked out from them.

The counts of a release are tied to each other by sums: the sexes add up to the cohort, the persons who leave
at a step are the difference of two steps. Whoever reads a release knows these sums, and of each printed count
the interval that its rounding leaves. A count that is not printed is safe where, by all of that, its lowest
and its highest possible value are far enough apart (`hundepool2012`: the feasibility interval). Where one is not
safe, more counts are suppressed until all are.

That a value is possible is shown by an example: whole numbers for every count, with every sum right and every
printed count inside its interval. The true counts are one example; others are reached from them step by step, as in
a network. What is found is possible, so a count that is called safe is; where nothing is found, more is suppressed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Final

from becalm.report.release.rules import DisclosureRules

Interval = tuple[int, int]
_OUTSIDE: Final = -1
"""Where the other end of a count is that is in one sum only: there nothing must add up."""


@dataclass(frozen=True)
class Total:
    """A count that is the sum of others; `block` is what it belongs to: one variable, one flow."""

    of: str
    parts: tuple[str, ...]
    block: str = ""


@dataclass
class Counts:
    """Counts of persons and the sums between them.

    true : every count by its name. printable : the names of those that may be printed; the others are only
    known to exist, like the persons of whom something is not known. totals : the sums.
    """

    true: dict[str, int] = field(default_factory=dict)
    printable: list[str] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)

    def add(self, name: str, count: int, *, printable: bool = True) -> str:
        """Add a count; return its name."""
        if name in self.true and self.true[name] != count:
            raise ValueError(f"two counts are called {name}")
        if name not in self.true:
            self.true[name] = count
            if printable:
                self.printable.append(name)
        return name

    def total(self, of: str, parts: Iterable[str], block: str = "") -> None:
        """Say that a count is the sum of others."""
        total = Total(of, tuple(parts), block)
        if self.true[of] != sum(self.true[part] for part in total.parts):
            raise ValueError(f"{of} is not the sum of {total.parts}")
        self.totals.append(total)


def protect(
    counts: Counts, rules: DisclosureRules, keep: Sequence[Collection[str]] = ()
) -> dict[str, int]:
    """Return the counts that are printed, rounded, by name; the others are suppressed.

    keep : names of counts that others need, such as the size of the cohort: the first are suppressed only when
    nothing else helps, the next before them.
    """
    if rules.threshold <= 1:  # nothing is to be protected
        return {name: rules.printed(counts.true[name]) for name in counts.printable}

    def worth(name: str) -> tuple[int, int, str]:
        kept = next((len(keep) - i for i, names in enumerate(keep) if name in names), 0)
        return kept, counts.true[name], name

    large = [name for name in counts.printable if counts.true[name] >= rules.threshold]
    known = _Feasible(counts, rules, large)
    waiting = [name for name in counts.true if name not in known.printed]
    while waiting:
        name = waiting[-1]
        # What is printed less leaves more possible, so a count that is safe once stays safe.
        if known.safe(name):
            waiting.pop()
            continue
        beside = known.near(name) or sorted(known.printed)
        if not beside:
            waiting.pop()  # nothing is printed any more
            continue
        chosen = known.best(name, sorted(beside, key=worth))
        known.suppress(chosen)
        waiting.insert(0, chosen)
    return {name: rules.printed(counts.true[name]) for name in counts.true if name in known.printed}


class _Feasible:
    """What somebody who has read the release must hold possible.

    The sums are the nodes of a network, and a count that is in two of them is an edge: if it moves by one, another
    edge must move with it at either end. A count in one sum leads outside, where nothing must add up. Counts in more
    than two sums, such as the size of the cohort, are hubs: they are moved first, and then the rest follows if it can.
    """

    def __init__(self, counts: Counts, rules: DisclosureRules, printed: Iterable[str]) -> None:
        self.printed = set(printed)
        self._true = counts.true
        self._rules = rules
        self._totals = counts.totals
        most = max(counts.true.values(), default=0) + 2 * rules.base
        # Of a count that is suppressed for another one's sake nobody knows how large it is.
        self._bounds: dict[str, Interval] = {
            name: rules.bounds(rules.printed(n))
            if name in self.printed
            else (0, rules.threshold - 1)
            for name, n in counts.true.items()
        }
        for name, n in counts.true.items():
            if name not in self.printed and n >= rules.threshold:
                self._bounds[name] = (0, most)
        self._most = most
        signs: dict[str, list[tuple[int, int]]] = {name: [] for name in counts.true}
        for i, total in enumerate(counts.totals):
            signs[total.of].append((i, 1))
            for part in total.parts:
                signs[part].append((i, -1))
        turned = _turn([pairs for pairs in signs.values() if len(pairs) == 2], len(counts.totals))
        self._ends: dict[str, list[tuple[int, int]]] = {
            name: [(i, sign * turned[i]) for i, sign in pairs] for name, pairs in signs.items()
        }
        self._hubs = [
            name for name, ends in self._ends.items() if len(ends) > len({sign for _, sign in ends})
        ]
        # From each node: where one count leads by moving up (1) or down (-1).
        self._ways: dict[int, list[tuple[int, str, int]]] = {}
        for name in counts.true:
            if name not in self._hubs:
                for step in (1, -1):
                    large, small = self._moves(name, step)
                    self._ways.setdefault(small, []).append((large, name, step))
        self._points: list[dict[str, int]] = []

    def _moves(self, name: str, step: int) -> tuple[int, int]:
        """Return the sum that is too large when a count moves, and the one that is too small."""
        found = {sign * step: i for i, sign in self._ends[name]}
        return found.get(1, _OUTSIDE), found.get(-1, _OUTSIDE)

    def near(self, name: str) -> list[str]:
        """Return the printed counts of the blocks that one belongs to."""
        blocks = {self._totals[i].block for i, _ in self._ends[name]}
        own = (total for total in self._totals if total.block in blocks)
        return sorted({each for total in own for each in (total.of, *total.parts)} & self.printed)

    def suppress(self, name: str) -> None:
        """Print a count no more."""
        self.printed.remove(name)
        self._bounds[name] = (0, self._most)
        self._points = []

    def best(self, name: str, beside: Sequence[str]) -> str:
        """Return which printed count is suppressed for another one: the first that helps, and is safe itself."""
        helps = []
        for each in beside:
            before, points = self._bounds[each], self._points
            self._bounds[each] = (0, self._most)
            try:
                if self.safe(name):
                    if self.safe(each):
                        return each
                    helps.append(each)
            finally:
                self._bounds[each], self._points = before, points
        return helps[0] if helps else beside[0]

    def safe(self, name: str) -> bool:
        """Whether examples are found in which a count is far enough apart."""
        need = self._rules.protection
        low = high = self._true[name]
        for example in self._examples():
            low, high = min(low, example[name]), max(high, example[name])
            if name not in self._hubs:
                down = self._moved(name, -1, example, example[name] - high + need)
                low = min(low, example[name] - down)
                high = max(
                    high, example[name] + self._moved(name, 1, example, low + need - example[name])
                )
            if high - low >= need:
                return True
        return False

    def _examples(self) -> Iterator[dict[str, int]]:
        """Yield the true counts, then others with other values of the hubs."""
        yield self._true
        if not self._points:
            self._points = list(self._others())
        yield from self._points

    def _others(self) -> Iterator[dict[str, int]]:
        for steps in _hub_steps(self._hubs):
            now = dict(self._true)
            for _ in range(self._rules.protection + 1):
                if not self._shifted(now, steps):
                    break
                yield dict(now)

    def _shifted(self, now: dict[str, int], steps: Mapping[str, int]) -> bool:
        """Move hubs by one, in place, and all others after them; return whether every sum is right again."""
        excess: dict[int, int] = {}
        for name, step in steps.items():
            now[name] += step
            if not _inside(now[name], self._bounds[name]):
                return False
            for i, sign in self._ends[name]:
                excess[i] = excess.get(i, 0) + sign * step
        for node in [i for i, n in excess.items() if n > 0]:
            while excess[node] > 0:
                ends = {_OUTSIDE, *(i for i, n in excess.items() if n < 0)}
                end = self._led(node, ends, now)
                if end is None:
                    return False
                excess[node] -= 1
                if end != _OUTSIDE:
                    excess[end] += 1
        for node in [i for i, n in excess.items() if n < 0]:
            while excess[node] < 0:
                if self._led(_OUTSIDE, {node}, now) is None:
                    return False
                excess[node] += 1
        return True

    def _moved(self, name: str, way: int, example: Mapping[str, int], most: int) -> int:
        """Return how far one count can move up (1) or down (-1), at most `most`, the hubs being as they are."""
        now = dict(example)
        for moved in range(most):
            if not _inside(now[name] + way, self._bounds[name]):
                return moved
            large, small = self._moves(name, way)
            if large != small and self._led(large, {small}, now, name) is None:
                return moved
            now[name] += way
        return max(most, 0)

    def _led(
        self, start: int, ends: Collection[int], now: dict[str, int], without: str = ""
    ) -> int | None:
        """Move counts, in place, from a sum that is too large to one that is too small; return that one.

        None, and nothing moved, where no way leads there. without : a count that stays as it is.
        """
        came: dict[int, tuple[int, str, int]] = {}
        waiting, seen, at = [start], {start}, 0
        end = None
        while end is None and at < len(waiting):
            here = waiting[at]
            at += 1
            for there, name, step in self._ways.get(here, ()):
                if there in seen or name == without:
                    continue
                if not _inside(now[name] + step, self._bounds[name]):
                    continue
                seen.add(there)
                came[there] = here, name, step
                waiting.append(there)
                if there in ends:
                    end = there
                    break
        here = start if end is None else end
        while here != start:
            here, name, step = came[here]
            now[name] += step
        return end


def _inside(value: int, bounds: Interval) -> bool:
    return bounds[0] <= value <= bounds[1]


def _hub_steps(hubs: Sequence[str]) -> Iterator[dict[str, int]]:
    """Yield the ways in which hubs are moved: one of them, or two together."""
    for name in hubs:
        yield from ({name: 1}, {name: -1})
    for one, other in combinations(hubs, 2):
        for a, b in product((1, -1), repeat=2):
            yield {one: a, other: b}


def _turn(pairs: Iterable[Sequence[tuple[int, int]]], sums: int) -> list[int]:
    """Return the sign of each sum so that a count that is part of two makes one larger and the other smaller."""
    turned = [0] * sums
    beside: dict[int, list[tuple[int, int]]] = {}
    for (one, a), (other, b) in pairs:
        beside.setdefault(one, []).append((other, -a * b))
        beside.setdefault(other, []).append((one, -a * b))
    for i in range(sums):
        waiting = [] if turned[i] else [i]
        turned[i] = turned[i] or 1
        while waiting:
            here = waiting.pop()
            for there, sign in beside.get(here, ()):
                if not turned[there]:
                    turned[there] = turned[here] * sign
                    waiting.append(there)
    return turned
