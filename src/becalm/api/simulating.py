"""Writing a simulation: its tables, its figures and a manifest that says what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from becalm import __version__
from becalm.core.digits import fixed
from becalm.core.staging import staged, write_manifest
from becalm.core.text_table import text_table
from becalm.pk import NOT_ADVICE, CheckedRow, Occupancy, PkModel, Simulation
from becalm.report import occupied, simulated
from becalm.tables import writing

KIND = "simulation"
"""How the kind of a written simulation begins in its manifest."""
_MEASURES = {
    "area": "area under the curve", "average": "average", "peak": "peak",
    "average_last_day": "average, last day", "trough_last_day": "lowest, last day",
    "peak_last_day": "highest, last day", "peak_to_trough": "highest by lowest, last day",
    "average_ratio": "average by that of the first", "peak_ratio": "peak by that of the first",
    "trough_ratio": "lowest, last day, by that of the first", "accumulation": "average, last day by first", "hours_below": "time below", "hours_to_target": "time to",
}  # fmt: skip


def write(simulation: Simulation, out: Path, reads: tuple[Path, ...] = ()) -> None:
    """Write tables (Parquet and CSV), figures (SVG and PNG) and the manifest to a folder.

    Raises `OutputError` where something is in the way that becalm did not write.
    """
    with staged(out, KIND, reads=reads) as folder:
        (folder / "tables").mkdir()
        for name, frame in simulation.frames.items():
            writing.write(name, frame, folder / "tables")
        (folder / "figures").mkdir()
        for figure in simulated.figures(simulation):
            (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
            (folder / "figures" / f"{figure.name}.png").write_bytes(figure.png())
        facts = {
            "becalm": __version__,
            "kind": f"{KIND}: {simulation.notice}",
            **simulation.settings,
            "remarks": list(simulation.remarks),
        }
        write_manifest(folder, facts)


def lines(simulation: Simulation) -> list[str]:
    """Return what the command prints: the model, what was given, exposure, remarks."""
    settings = simulation.settings
    found = [simulation.notice, "", simulation.model.title]
    used = ", ".join(f"{name} {value}" for name, value in settings["covariates"].items())
    found.append(f"Covariates: {used}. Between their values: {settings['policy']}.")
    drawn = f"{settings['patients']:,} virtual patients, seed {settings['seed']}"
    whom = (
        drawn if settings["patients"] else "The typical patient alone, because no spread is given"
    )
    found.append(f"{whom}; {settings['hours']:g} h. Without the error of an assay.")
    for regimen in simulation.regimens:
        found += ["", f"{regimen.name}: {regimen.text}", *_given(simulation, regimen.name), ""]
        found += _exposure(simulation, regimen.name)
    found += [*_at_ends(simulation), *_grid(simulation)]
    found += ["", "What to know:", *(f"  {each}" for each in simulation.remarks), "", simulation.notice]  # fmt: skip
    return found


def write_occupancy(found: Occupancy, out: Path, reads: tuple[Path, ...] = ()) -> None:
    """Write the table of occupancy (Parquet and CSV), its figure (SVG and PNG) and the manifest to a folder."""
    with staged(out, KIND, reads=reads) as folder:
        (folder / "tables").mkdir()
        writing.write("occupancy", found.frame, folder / "tables")
        (folder / "figures").mkdir()
        figure = occupied.figure(found)
        (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
        (folder / "figures" / f"{figure.name}.png").write_bytes(figure.png())
        facts = {
            "becalm": __version__,
            "kind": f"{KIND}: {NOT_ADVICE}",
            **found.settings,
            "remarks": list(found.remarks),
        }
        write_manifest(folder, facts)


def occupancy_lines(found: Occupancy) -> list[str]:
    """Return what the command prints: the share by daily amount and constant, where it is flat, what it is not."""
    rows = list(found.frame.rows())
    names = list(found.titles)
    amounts = list(dict.fromkeys(row["mg_per_day"] for row in rows))
    share = {(row["constant"], row["mg_per_day"]): row["occupied"] for row in rows}
    average = {row["mg_per_day"]: row["average_mg_l"] for row in rows}
    half = found.settings["constants_mg_l"]
    cells = [
        [
            f"{amount:,g}",
            f"{average[amount]:.3g}",
            *(fixed(100 * share[name, amount], 1) for name in names),
        ]
        for amount in amounts
    ]
    used = ", ".join(f"{name} {value:g}" for name, value in found.settings["covariates"].items())
    numbers = range(1, len(names) + 1)
    printed = [NOT_ADVICE, "", f"{found.model.title}. {used}.", occupied.NO_EFFECT, ""]
    printed += [
        f"  {number}: {half[name]:.3g} mg/L, {found.titles[name]}"
        for number, name in zip(numbers, names, strict=True)
    ]
    heads = ["mg a day by vein", "average, mg/L", *(f"% by {number}" for number in numbers)]
    printed += ["", *text_table(heads, cells), "", occupied.flatness(found)]
    return [*printed, "", *(f"  {each}" for each in found.remarks), NOT_ADVICE]


def check_lines(model: PkModel, rows: Sequence[CheckedRow]) -> list[str]:
    """Return the table of checks: what the model was set to, and what it was not, apart."""
    found = [
        NOT_ADVICE,
        "",
        model.title,
        "Weights and clearances of the groups are assumed middles.",
    ]
    for fitted, title in (
        (True, "Set to these numbers, so this is no validation:"),
        (False, "Not set to these:"),
    ):
        mine = [row for row in rows if row.check.fitted == fitted]
        cells = [
            [
                each.check.title,
                _with_digits(each),
                each.check.printed,
                each.check.unit,
                _verdict(each),
            ]
            for each in mine
        ]
        if cells:
            heads = ["what", "model", "published", "unit", "verdict"]
            found += ["", title, "", *text_table(heads, cells)]
    agree = sum(row.agrees for row in rows)
    found += [
        "",
        f"{agree} of {len(rows)} lie within two standard deviations of what is published, or within a quarter of it "
        "where none is published.",
        NOT_ADVICE,
    ]
    return found


def _with_digits(row: CheckedRow) -> str:
    """Return a value with as many digits as it was recorded with."""
    return fixed(row.value, len(f"{row.check.calculated:g}".partition(".")[2]))


def _verdict(row: CheckedRow) -> str:
    said = "agrees" if row.agrees else "FAILS"
    return said if row.as_recorded else f"{said}, CHANGED: was {row.check.calculated:g}"


def _given(simulation: Simulation, name: str) -> list[str]:
    """Return the doses and rates in one line, the first ones of many."""
    shown = 12
    rows = [row for row in simulation.doses.sort("hours").rows() if row["regimen"] == name]
    steps = [
        f"{row['hours']:g} h: {row['amount']:g} {row['unit']}{'' if row['what'] == 'rate' else ' ' + row['what']}"
        for row in rows
    ]
    more = f"; {len(rows) - shown:,} more" if len(rows) > shown else ""
    return [f"  {'; '.join(steps[:shown])}{more}"]


def _exposure(simulation: Simulation, name: str) -> list[str]:
    """Return the exposure by one regimen as a table."""
    cells = []
    for row in simulation.exposure.rows():
        if row["regimen"] != name:
            continue
        target = "" if row["target"] != row["target"] else f" {row['target']:g} mg/L"
        never = f"; {100 * row['never']:.0f} % never" if row["never"] > 0 else ""
        unit = "" if row["unit"] == "1" else f", {row['unit']}"
        cells.append(
            [f"{_MEASURES[row['measure']]}{target}{unit}{never}",
             *(_short(row[each]) for each in ("typical", "p05", "p50", "p95"))]
        )  # fmt: skip
    return text_table(["", "typical", "5 %", "median", "95 %"], cells)


def _at_ends(simulation: Simulation) -> list[str]:
    """Return what is left of the difference between regimens when a parameter lies at an end of its range."""
    rows = list(simulation.ends.rows())
    if not rows:
        return []
    found = ["", "Each regimen by the first one, in the same patient; the median, with every parameter that has a range at both ends:"]  # fmt: skip
    medians = {(r["regimen"], r["measure"]): r for r in simulation.exposure.rows()}
    middle = "p50" if simulation.settings["patients"] else "typical"
    for regimen, measure in dict.fromkeys((row["regimen"], row["measure"]) for row in rows):
        mine = [row for row in rows if (row["regimen"], row["measure"]) == (regimen, measure)]
        low, high = min(mine, key=lambda row: row[middle]), max(mine, key=lambda row: row[middle])
        moves = high[middle] > low[middle] * 1.005
        ends = " to ".join(f"{_short(row[middle])} ({row['parameter']} {row['value']:g} {row['unit']})" for row in (low, high)) if moves else "the same at every end"  # fmt: skip
        found.append(f"  {regimen}, {_MEASURES[measure]}: {_short(medians[regimen, measure][middle])}; {ends}")  # fmt: skip
    return found


def _grid(simulation: Simulation) -> list[str]:
    """Return the average of the whole time for every combination of covariates."""
    rows = [row for row in simulation.grid.rows() if row["measure"] == "average"]
    if not rows:
        return []
    middle = "p50" if simulation.settings["patients"] else "typical"
    of = " and ".join(simulation.settings["across"])
    names = [each.name for each in simulation.regimens]
    by: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        by.setdefault((row["row"], row["column"]), []).append(_short(row[middle]))
    cells = [[", ".join(filter(None, place)), *levels] for place, levels in by.items()]
    return ["", f"Average by {of}, mg/L (median); other measures in the table simulated_grid:", *text_table(["", *names], cells)]  # fmt: skip


def _short(value: float) -> str:
    """Return a number with about three digits."""
    if not abs(value) < float("inf"):
        return "–"
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return fixed(value, places)
