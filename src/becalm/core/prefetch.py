"""Reading and computing at the same time, on threads.

DuckDB and NumPy release the interpreter lock, so one core can read while another computes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Result = TypeVar("Result")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the same items; while the caller uses one, a thread makes the next."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        coming: Future[T | object] = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


def results_in_order(
    work: Callable[[T], Result], items: Iterator[T], at_once: int
) -> Iterator[Result]:
    """Yield the result of each item, in the order of the items; later items are computed meanwhile."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                del item
                if len(waiting) > at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
