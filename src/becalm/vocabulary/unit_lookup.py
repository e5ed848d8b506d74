"""The unit of a measurement in its variable: how it is converted, or why it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from becalm.vocabulary.count_units import per_litre
from becalm.vocabulary.model import Variable
from becalm.vocabulary.text import words
from becalm.vocabulary.units import BLANK_UNITS, Conversion, normalise

UNKNOWN_UNIT: Final = "unknown unit"
UNIT_MISSING: Final = "unit missing"
AS_IS: Final = Conversion()
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_COUNT: Final = "10⁹/L"


def _as_count(power: int) -> Conversion:
    """Return the conversion of 10^power cells per litre to 10⁹ per litre."""
    return Conversion(times=10.0 ** max(power - 9, 0), by=10.0 ** max(9 - power, 0))


class UnitLookup:
    """The conversions of every variable. Each answer is a conversion and the reason of a refusal, or ''."""

    def __init__(self, variables: Iterable[Variable], spellings: Mapping[str, str]) -> None:
        """Remember the units that are refused by name. spellings : other ways to write a unit."""
        self._spellings = spellings
        self._refused = {
            (variable.name, normalise(unit)): reason
            for variable in variables
            for unit, reason in variable.refused_units.items()
        }

    def conversion(self, variable: Variable, unit: str) -> tuple[Conversion, str]:
        """Return the conversion of a unit as written to the variable's own."""
        key = normalise(unit)
        if key in BLANK_UNITS:
            return AS_IS, "" if variable.unit_optional else UNIT_MISSING
        if refused := self._refused.get((variable.name, key)):
            return AS_IS, refused
        if factor := variable.units.get(self._spellings.get(key, key)):
            return factor.conversion(), ""
        if variable.unit == _COUNT and (power := per_litre(unit)) is not None:
            return _as_count(power), ""
        bare = _ANNOTATION.sub("", unit)  # UCUM: text in braces has no meaning of its own
        return (AS_IS, UNKNOWN_UNIT) if bare == unit else self.conversion(variable, bare)

    def of_code(
        self, variable: Variable, code: str, name: str, unit: str
    ) -> tuple[Conversion, str]:
        """Return the conversion of a unit beside a LOINC code, whose definition may complete the unit.

        A name that says another thing than the code, such as DDU, is not overruled.
        """
        found = self.conversion(variable, unit)
        added = variable.code_says.get(code)
        if not found[1] or added is None:
            return found
        said = {text.split()[-1].casefold() for text in variable.refused_units if " " in text}
        if said & set(words(name).split()):
            return found
        completed = self.conversion(variable, f"{unit} {added}")
        return found if completed[1] else completed
