"""Doses minute by minute, written to be obvious: the oracle of `becalm.doses`.

One person, one drug, whole minutes. A rate is a list with one entry a minute: mg/h, 0 for a
pause, None where nothing is hung.
"""

from dataclasses import dataclass

MINUTE_H = 1 / 60

Rates = list[float | None]


@dataclass(frozen=True)
class Segment:
    """So many minutes at a rate in mg/h; None hangs nothing."""

    minutes: int
    rate: float | None


@dataclass(frozen=True)
class Row:
    """A row as written: minutes, and numbers with their units."""

    start: int
    end: int | None
    amount: tuple[float, str] | None = None
    rate: tuple[float, str] | None = None
    concentration: tuple[float, str] | None = None
    weight: float | None = None


def minutes_of(truth: list[Segment]) -> Rates:
    return [segment.rate for segment in truth for _ in range(segment.minutes)]


def in_mg(number: float, unit: str, row: Row) -> float:
    """The mg (of a rate: mg/h) that a number in one of the tested units stands for."""
    by_weight = "/kg" in unit
    by_volume = unit.startswith("mL")
    in_one = {"mg": 1, "g": 1000, "grams": 1000, "mcg": 0.001, "mL": 1, "syringes": 100}
    per_hour = {"h": 1, "hour": 1, "min": 60, "day": 1 / 24, "6h": 1 / 6}
    amount, *per = unit.replace("/kg", "").split("/")
    found = number * in_one[amount] * (per_hour[per[0]] if per else 1)
    if by_weight:
        assert row.weight is not None
        found *= row.weight
    if by_volume:
        assert row.concentration is not None
        assert row.concentration[1] == "mg/mL"
        found *= row.concentration[0]
    return found


def read(rows: list[Row], length: int) -> Rates:
    """The rate of every minute from the rows that cover it; several add up."""
    found: Rates = [None] * length
    for number, row in enumerate(rows):
        later = [each.start for each in rows[number + 1 :] if each.start > row.start]
        end = row.end if row.end is not None else (later[0] if later else row.start)
        if row.amount is not None:
            hours = (end - row.start) / 60
            rate = in_mg(*row.amount, row) / hours
        else:
            assert row.rate is not None
            rate = in_mg(*row.rate, row)
        for minute in range(row.start, end):
            found[minute] = (found[minute] or 0) + rate
    return found


def total(rates: Rates, first: int, last: int) -> float:
    """Mg of the minutes [first, last)."""
    return sum((rate or 0) * MINUTE_H for rate in rates[max(first, 0) : last])


def most_within(rates: Rates, minutes: int) -> float:
    """The greatest mg of any so many minutes in a row."""
    until = [0.0]
    for rate in rates:
        until.append(until[-1] + (rate or 0) * MINUTE_H)
    return max(until[end] - until[max(end - minutes, 0)] for end in range(len(until)))


def stretches(on: list[bool], gap: int) -> list[tuple[int, int]]:
    """Runs of minutes that are on, those at most `gap` minutes apart joined."""
    found: list[tuple[int, int]] = []
    for minute, running in enumerate(on):
        if running and found and minute - found[-1][1] <= gap:
            found[-1] = (found[-1][0], minute + 1)
        elif running:
            found.append((minute, minute + 1))
    return found


def infusions(rates: Rates, by_rate: bool) -> list[tuple[int, int]]:
    """Continuous infusions: over 3 h, pieces 30 min apart being one and gaps of 2 h bridged.

    Written by rate, every piece counts; written by amount, one of up to 3 h is a planned short
    infusion and neither begins, ends nor makes a continuous one.
    """
    on = [bool(rate) for rate in rates]
    pieces = stretches(on, 30)
    found = []
    for begin, end in stretches(on, 120):
        inside = [piece for piece in pieces if begin <= piece[0] < end]
        lasting = [piece for piece in inside if by_rate or piece[1] - piece[0] > 180]
        if lasting and lasting[-1][1] - lasting[0][0] > 180:
            found.append((lasting[0][0], lasting[-1][1]))
    return found


def courses(rates: Rates, by_rate: bool) -> list[tuple[str, int, int]]:
    """Treatment episodes: continuous infusions up to 6 h apart, the others up to 36 h."""
    found: list[tuple[str, int, int]] = []
    continuous = [False] * len(rates)
    for begin, end in infusions(rates, by_rate):
        continuous[begin:end] = [True] * (end - begin)
    spans = stretches(continuous, 360)
    found += [("continuous IV", begin, end) for begin, end in spans]
    for begin, end in spans:
        continuous[begin:end] = [True] * (end - begin)
    rest = [bool(rate) and not continuous[minute] for minute, rate in enumerate(rates)]
    found += [("intermittent IV", begin, end) for begin, end in stretches(rest, 36 * 60)]
    return sorted(found, key=lambda course: course[1:])


def steps(rates: Rates) -> list[tuple[int, float, float]]:
    """Steps up of one course: minute, from and to in mg/h.

    Asked at every minute that infuses: the lowest and the highest rate of the next half hour of
    infusing. The reference falls to the highest, and a lowest 10 % above it is a step.
    """
    running = [(minute, rate) for minute, rate in enumerate(rates) if rate]
    found: list[tuple[int, float, float]] = []
    reference = running[0][1]
    for place, (minute, _) in enumerate(running):
        ahead = [rate for _, rate in running[place : place + 30]]
        if len(ahead) < 30:
            break
        reference = min(reference, max(ahead))
        if round(min(ahead) / reference - 1, 9) >= 0.1:
            found.append((minute, reference, min(ahead)))
            reference = min(ahead)
    return found


def days(rates: Rates) -> list[tuple[int, float]]:
    """Number and mg of each 24 h from the first minute infused that infuses anything."""
    first = next(minute for minute, rate in enumerate(rates) if rate)
    found = []
    for number, start in enumerate(range(first, len(rates), 1440), 1):
        if any(rates[start : start + 1440]):
            found.append((number, total(rates, start, start + 1440)))
    return found
