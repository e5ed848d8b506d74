"""Measure how markers change in two sets of open records, and test what was measured in one on the other.

    python scripts/markers.py LEARN TEST --learn-mapping wuhan2020 [--write]

Both are folders of records. Prints the form that was chosen for each marker, its score beside that of the last value, and the
coverage of its 90 % intervals, both ways round. `--write` renews src/becalm/markers/measured.toml from LEARN, tested on TEST.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

import becalm as bc
from becalm.markers import (
    MarkerChanges,
    MarkerModel,
    MarkerTest,
    MarkerToLearn,
    changes,
    fit,
    judged_on,
    learn,
    scores,
)
from becalm.timeline import Points

FILE: Final = Path(__file__).parents[1] / "src" / "becalm" / "markers" / "measured.toml"
MARKERS: Final = (
    MarkerToLearn("crp", "mg/L", 10), MarkerToLearn("ast", "U/L", 40), MarkerToLearn("alt", "U/L", 40),
    MarkerToLearn("ldh", "U/L", 250), MarkerToLearn("platelets", "10⁹/L", 150, "below"), MarkerToLearn("creatinine", "mg/dL", 1.2),
)  # fmt: skip
DRAWS: Final = 2000
NAMES: Final = {
    "wuhan-covid": "188 patients with COVID-19, Yan et al., Nat Mach Intell 2020;2:283-8 (odd-numbered patients)",
    "mimic-iv-demo": "100 intensive care patients, MIMIC-IV Clinical Database Demo 2.2, DOI 10.13026/dp1f-ex47",
}
HEAD: Final = """\
# How markers change from one draw to a later one, 18 to 84 h apart, on the logarithmic scale: medians, spreads and quantiles alone.
# Made by `python scripts/markers.py`; not edited by hand. What the keys mean: docs/markers_ahead.md and markers/model.py.
# limit : a customary limit of normal, at which height begins to count. It was chosen, not measured.

[not_validated]
ferritin = "not validated at daily spacing: open records have too few pairs of ferritin values a day apart"
"""


def read(folder: Path, mapping: str | None) -> dict[str, MarkerChanges]:
    """Return the changes of each marker in some records."""
    patients = bc.understand(bc.open_records(folder, mapping=mapping))
    return {m.variable: changes(pooled(patients, m.variable)) for m in MARKERS}


def pooled(patients: Any, variable: str) -> Points:
    """Return the values of all persons together."""
    batches, before, persons = patients.values(variable).batches, 0, []
    for ids, points, _ in batches:
        persons.append(points.person + before)
        before += len(ids)
    low, high, time = (
        np.concatenate([getattr(points, name) for _, points, _ in batches])
        for name in ("low", "high", "taken")
    )
    return Points.build(np.concatenate(persons), time, low, high)


def measured(
    learned: dict[str, MarkerChanges], others: dict[str, MarkerChanges], source: str, other: str
) -> list[MarkerModel]:
    """Learn each marker from some records and test it on others; where it loses there, the last value is kept."""
    models = []
    for marker in MARKERS:
        name = marker.variable
        try:
            model = learn(marker, learned[name], source)
        except ValueError as error:
            print(f"  {error}")
            continue
        test = judged_on(model, others[name], other)
        show(model, test)
        if test.score > test.last_value:
            model = fit(marker, learned[name], "last", source)
            test = judged_on(model, others[name], other)
            show(model, test)
        if model.form != "last":
            print(
                f"    2.5 to 97.5 % of {DRAWS:,} draws of persons: {between(model, others[name])}"
            )
        carried = judged_on(model, others[name], other, calibrated=False)
        print(f"    with its own quantiles: {carried.covered} of {carried.intervals}")
        models.append(msgspec.structs.replace(model, tested=test, carried_over=carried))
    return models


def between(model: MarkerModel, others: MarkerChanges) -> str:
    """Return the interval of the score by that of the last value, by drawing persons with replacement."""
    known = others.take(others.known)
    exact = known.exact
    mine, last = (scores(each, known, True)[0][exact] for each in (model, model.simplest()))
    _, place = np.unique(known.person[exact], return_inverse=True)
    sums = np.array([np.bincount(place, each) for each in (mine, last)])
    rng = np.random.default_rng(20)
    drawn = rng.multinomial(sums.shape[1], np.full(sums.shape[1], 1 / sums.shape[1]), DRAWS)
    ratios = (drawn @ sums[0]) / (drawn @ sums[1])
    return " to ".join(f"{each:.3f}" for each in np.quantile(ratios, [0.025, 0.975]))


def show(model: MarkerModel, test: MarkerTest) -> None:
    """Print how a model did."""
    low, high = test.coverage
    print(
        f"  {model.variable:<11}{model.form:<20} learned on {model.pairs:>5}, tested on {test.pairs:>5} pairs: "
        f"{test.ratio:.3f} of the last value; 90 % intervals hold {test.covered} of {test.intervals} "
        f"({100 * low:.1f} to {100 * high:.1f} %) {test.objection()}"
    )


def rounded(value: Any) -> Any:
    """Return a structure whose numbers have five digits after the point."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value


def write(models: list[MarkerModel]) -> None:
    """Write the file: a table for each marker, without what is not known."""
    parts = [HEAD]
    for model in models:
        parts.append("\n[[marker]]")
        for key, value in rounded(msgspec.to_builtins(model)).items():
            if value is not None:
                parts.append(f"{key} = {literal(value)}")
    FILE.write_text("\n".join([*parts, ""]), encoding="utf-8")


def literal(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {literal(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("learn", type=Path)
    asked.add_argument("test", type=Path)
    asked.add_argument("--learn-mapping")
    asked.add_argument("--test-mapping")
    asked.add_argument("--write", action="store_true")
    given = asked.parse_args()
    one, two = read(given.learn, given.learn_mapping), read(given.test, given.test_mapping)
    names = [NAMES.get(each.name, each.name) for each in (given.learn, given.test)]
    print(f"Learned on {names[0]}, tested on {names[1]}:")
    models = measured(one, two, *names)
    print(f"Learned on {names[1]}, tested on {names[0]}:")
    measured(two, one, names[1], names[0])
    if given.write:
        write(models)


if __name__ == "__main__":
    main()
