"""Which counts are suppressed, so that nobody can work out another from what is printed.

The oracle tries every set of whole numbers that fits the sums and the printed counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.report.release.protection import Counts, protect
from becalm.report.release.rules import DisclosureRules, coarse

RULES = DisclosureRules.default()
SMALL = DisclosureRules(threshold=3, base=3, protection=2)
"""Rules for cohorts that are small enough to try everything."""


def partition(*groups: Sequence[int]) -> Counts:
    """Return counts of several variables, each of which adds up to the cohort."""
    made = Counts()
    made.add("cohort", sum(groups[0]))
    for i, group in enumerate(groups):
        names = [made.add(f"{i}.{k}", n) for k, n in enumerate(group)]
        made.total("cohort", names, str(i))
    return made


def possible(
    counts: Counts, printed: dict[str, int], rules: DisclosureRules
) -> Iterator[dict[str, int]]:
    """Yield everything that the counts could be, whatever they are: all sums, all printed counts are right."""
    most = max(counts.true.values()) + rules.base
    parts = {name for total in counts.totals for name in total.parts}
    [root] = set(counts.true) - parts

    def bounds(name: str) -> range:
        if name not in printed:
            small = counts.true[name] < rules.threshold
            return range(rules.threshold if small else most + 1)
        middle = printed[name]
        return range(
            max(rules.threshold, middle - rules.base // 2), middle - rules.base // 2 + rules.base
        )

    blocks = [total.parts for total in counts.totals]
    for n in bounds(root):
        choices = [
            [each for each in product(*map(bounds, names)) if sum(each) == n] for names in blocks
        ]
        for picked in product(*choices):
            found = {root: n}
            for names, values in zip(blocks, picked, strict=True):
                found |= zip(names, values, strict=True)
            yield found


groups_of_one = st.integers(0, 8).flatmap(
    lambda n: st.tuples(
        *[
            st.lists(st.integers(0, n), min_size=1, max_size=2).map(partial(_differences, n))
            for _ in range(2)
        ]
    )
)


def _differences(n: int, cuts: list[int]) -> list[int]:
    ordered = sorted(cuts)
    return [b - a for a, b in zip([0, *ordered], [*ordered, n], strict=True)]


@settings(derandomize=True, deadline=None, max_examples=80)
@given(groups_of_one)
def test_every_suppressed_count_can_still_have_values_far_enough_apart(
    groups: tuple[list[int], ...],
) -> None:
    counts = partition(*groups)
    printed = protect(counts, SMALL, [{"cohort"}])
    for name, shown in printed.items():
        assert counts.true[name] >= SMALL.threshold
        assert abs(shown - counts.true[name]) <= SMALL.base // 2
    if not printed:
        return  # nothing is said
    everything = list(possible(counts, printed, SMALL))
    assert counts.true in everything
    for name in set(counts.true) - set(printed):
        values = {each[name] for each in everything}
        assert max(values) - min(values) >= SMALL.protection, (name, printed)


def test_parts_at_the_lower_end_of_their_rounding_do_not_give_their_rest_away() -> None:
    """Four groups of exactly 8 of 32: printed as four times 10 of 30, they can only be 8, and the rest only 0."""
    printed = protect(partition([8, 8, 8, 8, 0]), RULES, [{"cohort"}])
    assert printed["cohort"] == 30
    assert [printed.get(f"0.{k}") for k in range(4)].count(None) >= 1


def test_a_small_count_under_a_printed_total_leaves_an_interval() -> None:
    """Of 20, 18 and 2: 2 is suppressed; 18 of 20 may be printed as 20 of 20, for it may be 18 to 22 of 18 to 22."""
    assert protect(partition([18, 2]), RULES, [{"cohort"}]) == {"cohort": 20, "0.0": 20}


@pytest.mark.parametrize(("n", "shown"), [(7, None), (8, 10), (12, 10), (13, 15)])
def test_a_count_is_printed_from_the_threshold_on_and_rounded(n: int, shown: int | None) -> None:
    assert protect(partition([n, 200]), RULES).get("0.0") == shown


def test_a_count_of_nobody_is_not_printed() -> None:
    assert "0.1" not in protect(partition([200, 0]), RULES)


def test_without_a_threshold_everything_is_printed_as_it_is() -> None:
    counts = partition([4, 1, 0], [3, 2])
    assert protect(counts, DisclosureRules(1, 1, 0)) == counts.true


def test_a_table_whose_margins_are_known_keeps_its_cells() -> None:
    """Of two definitions with the same dead, no cell follows from the dead of the other."""
    made = Counts()
    made.add("cohort", 40)
    for definition, cells in (("a", (10, 2, 20, 8)), ("b", (9, 3, 25, 3))):
        died, alive = cells[:2], cells[2:]
        for end, values in (("died", died), ("alive", alive)):
            names = [made.add(f"{definition}{end}{i}", n) for i, n in enumerate(values)]
            made.total(made.add(f"all {end}", sum(values), printable=False), names, "ends")
        for i in range(2):
            own = [f"{definition}{end}{i}" for end in ("died", "alive")]
            made.total(
                made.add(f"{definition}{i}", sum(made.true[x] for x in own), printable=False),
                own,
                "ends",
            )
        made.total("cohort", [f"{definition}{i}" for i in range(2)], "ends")
    printed = protect(made, RULES, [{"cohort"}])
    assert "cohort" in printed
    assert not {"adied1", "bdied1", "balive1"} & set(printed)
    assert printed.keys() >= {"aalive0", "balive0"}


def test_a_total_that_is_no_sum_is_a_mistake() -> None:
    made = Counts()
    made.add("cohort", 5)
    made.add("women", 2)
    with pytest.raises(ValueError, match="not the sum"):
        made.total("cohort", ["women"])
    with pytest.raises(ValueError, match="two counts"):
        made.add("cohort", 6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (248.0, "250"),
        (0.4567, "0.46"),
        (0.0, "0"),
        (99.6, "100"),
        (-12.5, "-12"),
        (1234567.0, "1,200,000"),
    ],
)
def test_a_median_has_two_digits(value: float, text: str) -> None:
    assert coarse(value) == text
