"""Regimens in words: `10 mg IV bolus; 1 mg/h; x2 every 6 h to 8 mg/h; hold 48 h; halve daily`.

Clauses follow each other, and are separated by `;`. A rate holds until it is changed. A clause begins where the one before it
ends; a bolus, a single dose and a rate without `for` take no time. A change of the rate comes after its own
interval; after a clause that says how long it lasts (`hold 48 h`, `1 mg/h for 12 h`) the first change comes at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf
from typing import Final, NamedTuple

from becalm.core.errors import UsageError, did_you_mean
from becalm.pk import units
from becalm.pk.words import WordReader

MOST_STEPS: Final = 20_000
"""Greatest number of doses and changes of one regimen."""
_ALMOST: Final = 1e-9
_MASS: Final = "mg"
_WORDS: Final = ("hold", "wait", "stop", "halve", "double", "x2")
_NO_DRUGS: Final = frozenset({*_WORDS, "iv", "sc", "bolus", "every", "for", "to"})


class SingleDose(NamedTuple):
    """A dose: when (h), by which route, mg (per kg or not), and over how many hours; 0 is at once."""

    hours: float
    route: str
    amount: float
    per_kg: bool
    over: float


class RateChange(NamedTuple):
    """From when (h) which infusion rate runs, in mg/h or mg/kg/h."""

    hours: float
    rate: float
    per_kg: bool


class DosePlan(NamedTuple):
    """A regimen up to some hour: doses and changes of the rate, in their order. cut : whether it goes on afterwards."""

    doses: tuple[SingleDose, ...]
    rates: tuple[RateChange, ...]
    cut: bool


@dataclass(frozen=True)
class _Clause:
    """One clause, read: what it does, with its numbers; not every kind uses all of them."""

    kind: str
    text: str
    column: int
    amount: float = 0.0
    per_kg: bool = False
    route: str = "iv"
    over: float = 0.0
    factor: float = 1.0
    every: float = 0.0
    lasts: float | None = None
    times: int | None = None
    to: float | None = None


@dataclass(frozen=True)
class Regimen:
    """A regimen that was read. drug : as it was named in it; '' where it was not.

    >>> plan = Regimen.of("10 mg IV bolus; 1 mg/h; x2 every 6 h to 8 mg/h; hold 48 h; halve daily").plan(120)
    >>> [(step.hours, step.rate) for step in plan.rates]
    [(0.0, 1.0), (6.0, 2.0), (12.0, 4.0), (18.0, 8.0), (66.0, 4.0), (90.0, 2.0), (114.0, 1.0)]
    """

    name: str
    text: str
    drug: str
    clauses: tuple[_Clause, ...]

    @classmethod
    def of(cls, text: str, name: str = "regimen") -> Regimen:
        """Read a regimen. Raises `UsageError` with the column of what is not understood."""
        clauses: list[_Clause] = []
        drug, column = "", 1
        for number, part in enumerate(text.split(";")):
            reader = WordReader(part, name, column)
            if not reader:
                raise reader.error("an empty clause", hint="Clauses are separated by one ;")
            if number == 0:
                drug = _drug(reader)
            begin = reader.words[0].column
            if not reader:
                raise reader.error("a drug without a dose", hint="For example 10 mg IV bolus")
            clauses.append(_clause(reader, part.strip(), begin))
            column += len(part) + 1
        for each in clauses[:-1]:
            if _open(each):
                raise UsageError(
                    f"{each.text!r} has no end, and other clauses follow",
                    where=f"{name}, column {each.column}",
                    hint=_HOW_TO_END[each.kind],
                )
        found = cls(name, text.strip(), drug, tuple(clauses))
        found.plan(1.0)  # says what cannot be done, such as doubling no rate
        return found

    def plan(self, horizon: float) -> DosePlan:
        """Return the doses and rates that begin before `horizon`, h. Raises `UsageError` as `of`."""
        return _Planner(self, horizon).plan()


_HOW_TO_END: Final = {
    "dose": "Add 'for 3 d' or '5 times'",
    "change": "Add 'to 8 mg/h' or '3 times'",
}


def _open(clause: _Clause) -> bool:
    """Return whether a clause repeats without an end."""
    ended = clause.lasts is not None or clause.times is not None or clause.to is not None
    return clause.every > 0 and not ended


def _drug(reader: WordReader) -> str:
    """Read the name of a drug before the first clause, if there is one."""
    words: list[str] = []
    while reader and not reader.is_number() and reader.peek() not in _NO_DRUGS:
        if (
            re.fullmatch(r"[x×]", reader.peek())
            and len(reader.words) > 1
            and _factor_follows(reader)
        ):
            break
        if len(words) == 2:
            raise reader.unknown(_WORDS)
        words.append(reader.next().text)
    return " ".join(words)


def _factor_follows(reader: WordReader) -> bool:
    """Return whether `x` is followed by a number that is no dose: `x 2 every`."""
    texts = [word.text.lower() for word in reader.words]
    return len(texts) > 2 and texts[2] in {"every", "daily"}


def _clause(reader: WordReader, text: str, column: int) -> _Clause:
    """Read one clause, without the name of the drug."""
    if reader.is_number():
        found = _amount(reader, text, column)
    elif reader.takes("hold") or reader.takes("wait"):
        found = _Clause("hold", text, column, lasts=reader.hours("the time to hold"))
    elif reader.takes("stop"):
        lasts = reader.hours("the time without infusion") if reader.takes("for") else None
        found = _Clause("rate", text, column, lasts=lasts)
    elif reader.takes("bolus") or reader.takes("iv") or reader.takes("sc"):
        raise UsageError(
            "a dose without an amount", where=f"{reader.what}, column {column}", hint="Write 10 mg IV bolus"
        )  # fmt: skip
    else:
        found = _change(reader, text, column)
    if reader:
        raise reader.unknown(("every", "for", "to", "times", "daily", "over", "bolus"))
    return found


def _amount(reader: WordReader, text: str, column: int) -> _Clause:
    """Read `100 mg SC every 24 h for 7 d`, `100 mg IV over 30 min`, `1 mg/h for 12 h`."""
    value = reader.number("a dose")
    scale, per_kg, is_rate = _dose_unit(reader)
    if is_rate:
        lasts = reader.hours("the time of the rate") if reader.takes("for") else None
        return _Clause("rate", text, column, value * scale, per_kg, lasts=lasts)
    if not value > 0:
        raise UsageError(
            "a dose of 0", where=f"{reader.what}, column {column}", hint="Leave the clause out"
        )
    route, over = "iv", 0.0
    if reader.takes("sc") or reader.takes("s.c."):
        route = "sc"
    elif reader.takes("bolus"):
        pass
    elif reader.takes("iv") or reader.takes("i.v."):
        if reader.takes("over"):
            over = reader.hours("the time of an infusion")
        elif not reader.takes("bolus"):
            raise reader.error("how fast is not said", hint="Write 'IV bolus' or 'IV over 30 min'")
    elif reader.takes("over"):
        over = reader.hours("the time of an infusion")
    else:
        raise reader.unknown(("iv", "sc", "bolus", "over"))
    every = _every(reader)
    if over > every > 0:
        raise UsageError(
            f"an infusion of {over:g} h every {every:g} h overlaps the next one",
            where=f"{reader.what}, column {column}",
        )
    lasts, times = _until(reader) if every else (None, None)
    return _Clause(
        "dose", text, column, value * scale, per_kg, route, over, every=every, lasts=lasts, times=times
    )  # fmt: skip


def _dose_unit(reader: WordReader) -> tuple[float, bool, bool]:
    """Read `mg`, `mg/kg`, `mg/h`, `mg/kg/day`: the factor to mg (per h), per kg or not, rate or not."""
    known = [f"{mass}{kg}{time}" for mass in ("mg", "g", "µg") for kg in ("", "/kg") for time in ("", "/h", "/min", "/day")]  # fmt: skip
    if not reader:
        raise reader.error("a unit is missing", hint="For example mg, mg/kg, mg/h")
    word = reader.here
    mass, *rest = word.text.split("/")
    per_kg = bool(rest) and rest[0] == "kg"
    rest = rest[per_kg:]
    times = units.by_kind()["time"]
    if mass not in units.by_kind()["mass"] or mass == "kg" or len(rest) > 1 or (rest and rest[0] not in times):  # fmt: skip
        raise reader.error(
            f"the unit {word.text!r} of a dose is not known", word.column, did_you_mean(word.text, known)
        )  # fmt: skip
    reader.next()
    scale = units.factor(mass, _MASS)
    return (scale / times[rest[0]], per_kg, True) if rest else (scale, per_kg, False)


def _every(reader: WordReader) -> float:
    """Read `every 6 h` or `daily`; 0 where nothing is repeated."""
    if reader.takes("daily") or reader.takes("once", "daily"):
        return 24.0
    if reader.takes("twice", "daily"):
        return 12.0
    return reader.hours("the interval") if reader.takes("every") else 0.0


def _until(reader: WordReader) -> tuple[float | None, int | None]:
    """Read `for 3 d` or `5 times`."""
    if reader.takes("for"):
        return reader.hours("the time of the doses"), None
    if reader.is_number():
        column = reader.here.column
        value = reader.number("how often")
        if not reader.takes("times"):
            raise reader.unknown(("times",))
        if value < 1 or value != int(value) or value > MOST_STEPS:
            raise reader.error(f"{value:g} times is no number of times", column)
        return None, int(value)
    return None, None


def _change(reader: WordReader, text: str, column: int) -> _Clause:
    """Read `x2 every 6 h to 8 mg/h`, `halve daily`, `double every 12 h 2 times`."""
    factors = {"halve": 0.5, "double": 2.0}
    if reader.peek() in factors:
        factor = factors[reader.next().text.lower()]
    elif reader.takes("x") or reader.takes("×"):
        factor = reader.number("a factor")
        if factor in {0.0, 1.0}:
            raise UsageError(
                f"a factor of {factor:g} is no change", where=f"{reader.what}, column {column}"
            )
    else:
        raise reader.unknown(_WORDS)
    every = _every(reader)
    if not every:
        raise reader.unknown(("every", "daily"))
    to: float | None = None
    per_kg, times = False, None
    if reader.takes("to"):
        value = reader.number("the rate to reach")
        scale, per_kg, is_rate = _dose_unit(reader)
        if not is_rate or not value > 0:
            raise UsageError(
                "the rate to reach is above 0 and has a unit such as mg/h",
                where=f"{reader.what}, column {column}",
            )
        to = value * scale
    else:
        _, times = _until(reader)
    return _Clause("change", text, column, per_kg=per_kg, factor=factor, every=every, to=to, times=times)  # fmt: skip


class _Planner:
    """Walks through the clauses of a regimen, with the time and the rate of the moment."""

    def __init__(self, regimen: Regimen, horizon: float) -> None:
        self.regimen, self.horizon = regimen, horizon
        self.now, self.rate, self.per_kg, self.due = 0.0, 0.0, False, False
        self.doses: list[SingleDose] = []
        self.rates: list[RateChange] = []
        self.cut = False

    def plan(self) -> DosePlan:
        for clause in self.regimen.clauses:
            getattr(self, f"_{clause.kind}")(clause)
            if len(self.doses) + len(self.rates) > MOST_STEPS:
                raise self._mistake(clause, f"more than {MOST_STEPS:,} doses and changes")
        doses = tuple(sorted(d for d in self.doses if d.hours < self.horizon))
        rates = tuple(r for r in self.rates if r.hours < self.horizon)
        cut = self.cut or len(doses) < len(self.doses) or len(rates) < len(self.rates)
        return DosePlan(doses, rates, cut)

    def _mistake(self, clause: _Clause, what: str, hint: str = "") -> UsageError:
        where = f"{self.regimen.name}, column {clause.column}"
        return UsageError(what, where=where, hint=hint or None)

    def _hold(self, clause: _Clause) -> None:
        self.now += clause.lasts or 0.0
        self.due = True

    def _rate(self, clause: _Clause) -> None:
        if self.rates and self.rates[-1].hours == self.now:
            before = self.rates[-1].rate
            what = f"a rate of {before:g} never runs, because another one begins at the same time"
            raise self._mistake(clause, what, "Say how long the first one runs: 'for 12 h'")
        self._set(clause.amount, clause.per_kg)
        self.due = clause.lasts is not None
        self.now += clause.lasts or 0.0

    def _set(self, rate: float, per_kg: bool) -> None:
        self.rate, self.per_kg = rate, per_kg
        self.rates.append(RateChange(self.now, rate, per_kg))

    def _dose(self, clause: _Clause) -> None:
        if not clause.every:
            self.doses.append(SingleDose(self.now, clause.route, clause.amount, clause.per_kg, clause.over))  # fmt: skip
            self.now += clause.over
            return
        count = clause.times
        if count is None and clause.lasts is not None:
            count = ceil(clause.lasts / clause.every - _ALMOST)
        if count is None:
            self.cut = True
            count = max(ceil((self.horizon - self.now) / clause.every - _ALMOST), 0)
        if count > MOST_STEPS:
            raise self._mistake(clause, f"more than {MOST_STEPS:,} doses")
        self.doses += [
            SingleDose(self.now + n * clause.every, clause.route, clause.amount, clause.per_kg, clause.over)
            for n in range(count)
        ]  # fmt: skip
        self.now += clause.lasts if clause.lasts is not None else count * clause.every
        self.due = True

    def _change(self, clause: _Clause) -> None:
        if not self.rate:
            raise self._mistake(clause, "no infusion runs that could be changed", "Give a rate first, such as 1 mg/h")  # fmt: skip
        rising = clause.factor > 1
        if clause.to is not None:
            if clause.per_kg != self.per_kg:
                raise self._mistake(clause, "one rate is per kg and the other is not")
            if (clause.to <= self.rate) if rising else (clause.to >= self.rate):
                raise self._mistake(
                    clause, f"the rate is {self.rate:g} already, and {'rises' if rising else 'falls'} to {clause.to:g}"
                )  # fmt: skip
        for step in self._steps(clause):
            self.now = step
            rate = self.rate * clause.factor
            if clause.to is not None:
                rate = min(rate, clause.to) if rising else max(rate, clause.to)
            if not rate < inf:
                raise self._mistake(clause, "the rate rises without an end")
            self._set(rate, self.per_kg)
            if clause.to is not None and rate == clause.to:
                break
        self.due = False

    def _steps(self, clause: _Clause) -> Iterator[float]:
        """Yield the times of the changes; those of an open clause until the horizon."""
        first = self.now if self.due else self.now + clause.every
        count = 0
        while clause.times is None or count < clause.times:
            when = first + count * clause.every
            if clause.times is None and clause.to is None and when >= self.horizon:
                self.cut = True
                return
            if count > MOST_STEPS:
                raise self._mistake(clause, f"more than {MOST_STEPS:,} changes")
            yield when
            count += 1
