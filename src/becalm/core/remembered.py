"""Facts about one object that several stages ask for: worked out once, and gone with the object."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

Of = TypeVar("Of")
P = ParamSpec("P")
T = TypeVar("T")
_PLACE: Final = "_remembered"


def remembered(function: Callable[Concatenate[Of, P], T]) -> Callable[Concatenate[Of, P], T]:
    """Keep what a function returns for its first argument, an object that nobody changes.

    Other arguments are told apart by what they are, not by what they say. They are not kept.
    """

    @functools.wraps(function)
    def kept(of: Of, /, *given: P.args, **named: P.kwargs) -> T:
        if named:
            return function(of, *given, **named)
        answers: dict[Any, tuple[list[weakref.ref[Any]], T]]
        answers = vars(of).setdefault(_PLACE, {})
        key = (function, *map(id, given))
        if key in answers:
            others, answer = answers[key]
            if all(other() is one for other, one in zip(others, given, strict=True)):
                return answer
        answer = function(of, *given, **named)
        answers[key] = [weakref.ref(one) for one in given], answer
        return answer

    return kept
