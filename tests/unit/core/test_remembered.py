"""What is remembered is worked out once for each object, and does not keep it alive."""

import gc
import weakref

from becalm.core.remembered import remembered


class Thing:
    """Something that can be asked about."""


asked: list[tuple[int, ...]] = []


@remembered
def about(of: Thing, *others: Thing) -> list[int]:
    asked.append((id(of), *map(id, others)))
    return [len(others)]


def test_it_is_worked_out_once_for_each_object_and_its_company() -> None:
    asked.clear()
    one, two, other = Thing(), Thing(), Thing()
    assert about(one) is about(one)
    assert about(one, other) is about(one, other)
    assert about(one) == [0] != about(one, other)
    assert about(two) is not about(one)
    assert about(one, two) is not about(one, other)
    assert len(asked) == 4


def test_it_lives_no_longer_than_the_object_and_keeps_no_other() -> None:
    one, other = Thing(), Thing()
    answer = about(one, other)
    gone = weakref.ref(one), weakref.ref(other)
    gc.disable()
    try:
        del one, other
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()
    assert answer == [1]


def test_another_object_at_the_same_place_is_another_one() -> None:
    """Where one is gone the next may have its number."""
    one = Thing()
    for _ in range(100):
        other = Thing()
        asked.clear()
        about(one, other)
        assert len(asked) == 1
        del other
