"""What comes next is made while this is worked on, and nothing else changes."""

import threading
from collections.abc import Iterator

import pytest

from becalm.core.prefetch import ahead, results_in_order


def failing() -> Iterator[int]:
    yield 1
    raise KeyError("a damaged file")


def test_items_come_in_their_order_with_nothing_lost() -> None:
    assert list(ahead(iter([3, 1, None, 2]))) == [3, 1, None, 2]
    assert list(ahead(iter([]))) == []
    assert list(results_in_order(lambda n: n * 2, iter(range(50)), 2)) == list(range(0, 100, 2))


def test_the_next_item_is_made_while_this_one_is_worked_on() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    coming = ahead(items())
    assert next(coming) == 1
    assert made.wait(10)
    assert list(coming) == [2]


def test_work_goes_on_at_once_but_never_further_than_asked() -> None:
    taken, both = [], threading.Barrier(2, timeout=10)

    def items() -> Iterator[int]:
        for n in range(6):
            taken.append(n)
            yield n

    def work(n: int) -> int:
        both.wait()
        return n

    results = results_in_order(work, items(), 2)
    assert next(results) == 0
    assert len(taken) == 3
    assert list(results) == [1, 2, 3, 4, 5]


def test_what_goes_wrong_is_raised_where_it_would_have_been() -> None:
    for results in (ahead(failing()), results_in_order(lambda n: n, failing(), 1)):
        with pytest.raises(KeyError, match="damaged"):
            list(results)
    late = ahead(failing())
    assert next(late) == 1
    with pytest.raises(ZeroDivisionError):
        list(results_in_order(lambda n: 1 // n, iter([1, 0]), 1))
