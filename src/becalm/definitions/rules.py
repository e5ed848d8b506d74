"""Rules over items: enough of them are met, or a grade is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from becalm.core.toml import TomlTable


class DefinitionTable(TomlTable, frozen=True):
    """A table of a definition file; an unknown key is a mistake."""


class ItemGroup(DefinitionTable, frozen=True):
    """A condition on terms: `all`, `any`, or `at_least` a number `of` them; terms are items or groups."""

    all: tuple[str | ItemGroup, ...] = ()
    any: tuple[str | ItemGroup, ...] = ()
    of: tuple[str | ItemGroup, ...] = ()
    at_least: int | None = None

    @property
    def terms(self) -> tuple[str | ItemGroup, ...]:
        return self.all or self.any or self.of

    @property
    def needed(self) -> int:
        """The number of terms that must be met."""
        if self.all:
            return len(self.all)
        return 1 if self.any or self.at_least is None else self.at_least

    def holds(self, met: Mapping[str, bool]) -> bool:
        """Return whether enough terms are met; `met` says which items are, missing ones are not."""
        terms = (met.get(t, False) if isinstance(t, str) else t.holds(met) for t in self.terms)
        return sum(terms) >= self.needed

    def walk(self) -> Iterator[ItemGroup]:
        """Yield the group and every group in it."""
        yield self
        for term in self.terms:
            if not isinstance(term, str):
                yield from term.walk()


class Rule(ItemGroup, frozen=True, kw_only=True):
    """The rule of a definition that is met or not met."""


class Grade(ItemGroup, frozen=True, kw_only=True):
    """A grade and its condition; the total is the highest grade whose condition is met."""

    grade: float
    title: str = ""
    source: str = ""
    verified: bool = True
