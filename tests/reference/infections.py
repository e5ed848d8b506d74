"""Infections the slow, obvious way: one sample at a time, by the words of the rule, when every moment is known.

Where only the date of a sample is known, the rule is asked in every world: for each moment at which the sample may have
been collected. So it is where nobody knows what grew, or whether anything did. What all worlds say is known; where they
disagree nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# What is written: its one name, its kind, whether it is a commensal of skin, its species.
ORGANISMS = {
    "E. coli": ("Escherichia coli", "bacterial", False, ""),
    "ESCHERICHIA COLI": ("Escherichia coli", "bacterial", False, ""),
    "K. pneumoniae": ("Klebsiella pneumoniae", "bacterial", False, ""),
    "Staph. epi": ("Coagulase-negative staphylococci", "bacterial", True, "epi"),
    "Staphylococcus epidermidis": ("Coagulase-negative staphylococci", "bacterial", True, "epidermidis"),
    "S. hominis": ("Coagulase-negative staphylococci", "bacterial", True, "hominis"),
    "KNS": ("Coagulase-negative staphylococci", "bacterial", True, ""),
    "Candida albicans": ("Candida albicans", "fungal", False, ""),
    "Cytomegalovirus": ("cytomegalovirus", "viral", False, ""),
    "MIXED BACTERIAL FLORA": ("mixed bacterial flora", "flora", False, ""),
    "Candda albcans": ("candda albcans", "not understood", False, ""),
}  # fmt: skip
SITES = {
    "blood": "blood", "CSF": "cerebrospinal fluid", "urine": "urine", "sputum": "airway", "stool": "stool",
    "MRSA screen": "screen", "Probe 7": "not understood", "": "not stated",
}  # fmt: skip


@dataclass(frozen=True)
class Grown:
    """A sample: when it was collected in µs, where from, what grew, what a clinician said; nobody may know whether anything grew."""

    moment: int
    specimen: str
    organism: str
    judged: str = ""
    date_only: bool = False
    open_result: bool = False


Doses = Sequence[tuple[int, int]]
"""Antibiotics: from, until before."""


def same(one: str, other: str) -> bool:
    """Whether two written organisms are one, as far as one can see: the same name, and not two different species."""
    first, second = ORGANISMS[one], ORGANISMS[other]
    if first[0] != second[0]:
        return False
    shorter = min(len(first[3]), len(second[3]))
    return first[3][:shorter] == second[3][:shorter]


def may_be_same(one: Grown, other: Grown) -> bool:
    """Whether what grew in two samples may be one organism: one may be anything."""
    anything = "not understood" in (kind(one), kind(other))
    return anything or same(one.organism, other.organism)


def kind(this: Grown) -> str:
    """What kind of organism grew, or may have grown."""
    return "not understood" if this.open_result else ORGANISMS[this.organism][1]


def antibiotic_days(moment: int, doses: Doses) -> int:
    """The dates on which an antibiotic was given, from 24 h before a sample to 7 days after it."""
    start, end = moment - DAY, moment + 7 * DAY
    count = 0
    for date in range(start // DAY, end // DAY + 1):
        first, last = max(start, date * DAY), min(end, (date + 1) * DAY - 1)
        count += any(begin <= last and until > first for begin, until in doses)
    return count


def proof(this: Grown, everything: Sequence[Grown], doses: Doses) -> tuple[bool | None, str]:
    """Whether a sample counts as an infection, and by what; every moment is known."""
    commensal = ORGANISMS[this.organism][2] and not this.open_result
    site, grew = SITES[this.specimen], kind(this)
    sterile = site in STERILE
    unknown, enough = grew == "not understood", antibiotic_days(this.moment, doses) >= 4
    few = site in ("urine", "airway") and bool(doses) and not enough
    by_rule: list[tuple[bool, bool | None, str]] = [
        (this.judged in ("contaminant", "colonisation"), False, ""),
        (this.judged == "infection" and unknown, None, ""),
        (this.judged == "infection" and grew != "flora", True, "judged"),
        (grew == "flora", False, ""),
        (site == "screen" and grew != "viral", False, ""),
        (this.open_result and (few or site == "stool"), False, ""),
        (grew == "viral", True, "detected"),
        (unknown or site.startswith("not "), None, ""),
        (sterile and not commensal, True, "sterile site"),
        (sterile and _second_draw(this, everything, sure=True), True, "two draws"),
        (sterile and _second_draw(this, everything, sure=False), None, ""),
        (sterile, False, ""),
        (grew != "bacterial", None, ""),
        (site == "stool", False, ""),
        (enough, True, "treated"),
        (bool(doses), False, ""),
    ]
    return next(((counts, by) for holds, counts, by in by_rule if holds), (None, ""))


STERILE = ("blood", "cerebrospinal fluid")


def _second_draw(this: Grown, everything: Sequence[Grown], *, sure: bool) -> bool:
    """Whether the same grew in another draw at most 48 h apart where nothing lives, or may have."""
    sites = STERILE if sure else (*STERILE, "not understood", "not stated")
    return any(
        SITES[other.specimen] in sites
        and (same(this.organism, other.organism) and not other.open_result if sure else may_be_same(this, other))
        and other.judged not in ("contaminant", "colonisation")
        and 0 < abs(other.moment - this.moment) <= 48 * HOUR
        for other in everything
    )  # fmt: skip


def is_new(this: Grown, others: Sequence[Grown], t0: int) -> bool | None:
    """Whether an episode that begins with a sample is new; others : the samples that are not of it."""
    if this.moment - t0 <= 48 * HOUR:
        return False
    before = [each for each in others if 0 < this.moment - each.moment <= 14 * DAY]
    if any(
        same(each.organism, this.organism) and not each.open_result and not this.open_result
        for each in before
    ):
        return False
    return None if any(may_be_same(each, this) for each in before) else True


@dataclass(frozen=True)
class Row:
    """An episode, or what grew before the first sample of it that counts."""

    samples: tuple[Grown, ...]
    counts: bool | None
    proven: str
    new: bool | None


def rows(grown: Sequence[Grown], doses: Doses, t0: int) -> list[Row]:
    """The table of one person, all of whose moments are known."""
    found = []
    for run in _runs(sorted(grown, key=lambda each: each.moment)):
        said = [proof(each, grown, doses) for each in run]
        counted = [each.moment for each, (yes, _) in zip(run, said, strict=True) if yes]
        onset = min(counted) if counted else None
        parts = [
            [i for i, each in enumerate(run) if onset is None or each.moment < onset],
            [i for i, each in enumerate(run) if onset is not None and each.moment >= onset],
        ]
        for part in (part for part in parts if part):
            answers = [said[i][0] for i in part]
            counts = True if True in answers else None if None in answers else False
            proven = next((said[i][1] for i in part if said[i][0]), "")
            mine = tuple(run[i] for i in part)
            others = [each for each in grown if not any(each is one for one in mine)]
            found.append(Row(mine, counts, proven, is_new(mine[0], others, t0)))
    return found


def _runs(grown: Sequence[Grown]) -> Iterator[list[Grown]]:
    """Samples of one site and one name, each at most 14 days after the one before; tests of one sample of an open result are one."""
    open_ = [each for each in grown if each.open_result]
    for one in {(each.moment, SITES[each.specimen], each.judged) for each in open_}:
        yield [each for each in open_ if (each.moment, SITES[each.specimen], each.judged) == one]
    known = [each for each in grown if not each.open_result]
    names = {(SITES[each.specimen], ORGANISMS[each.organism][0]) for each in known}
    for site, name in sorted(names):
        run: list[Grown] = []
        for each in known:
            if (SITES[each.specimen], ORGANISMS[each.organism][0]) != (site, name):
                continue
            if run and each.moment - run[-1].moment > 14 * DAY:
                yield run
                run = []
            run.append(each)
        yield run


def in_all_worlds(
    grown: Sequence[Grown], ask: Callable[[list[Grown]], bool | None], also: Sequence[int] = ()
) -> set[bool | None]:
    """The answers of all worlds. also : moments whose hours matter, beside those of the samples with an hour.

    A day is tried at its begin, at its end, and around every hour that stands in the records.
    """
    hours = {moment % DAY for moment in (*also, *(each.moment for each in grown))}
    times = sorted({0, DAY - 1, *(h + d for h in hours for d in (-1, 0, 1) if 0 <= h + d < DAY)})
    moments = [
        [each.moment + time for time in times] if each.date_only else [each.moment]
        for each in grown
    ]
    return {
        ask([replace(each, moment=when) for each, when in zip(grown, world, strict=True)])
        for world in product(*moments)
    }


BACTERIA = ("E. coli", "K. pneumoniae", "Staph. epi", "S. hominis")


def with_all_results(
    grown: Sequence[Grown], ask: Callable[[list[Grown | None]], bool | None]
) -> set[bool | None]:
    """The answers of all worlds: where nobody knows whether anything grew, nothing or a bacterium; else any organism."""
    choices: list[list[Grown | None]] = []
    for each in grown:
        names = BACTERIA if each.open_result else (*BACTERIA, "Candida albicans")
        any_of: list[Grown | None] = [
            replace(each, organism=name, open_result=False) for name in names
        ]
        if each.open_result:
            choices.append([None, *any_of])
        else:
            choices.append(any_of if kind(each) == "not understood" else [each])
    return {ask(list(world)) for world in product(*choices)}
