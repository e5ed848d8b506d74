"""The figure of occupancy: a range of curves, one for each constant of binding, and the words that belong to it."""

from __future__ import annotations

from typing import Final

from becalm.pk import FLAT, NOT_ADVICE, Occupancy
from becalm.report import theme
from becalm.report.vega import Spec, flat, mark, quantity, values

NO_EFFECT: Final = (
    "What share of the receptor plasma would occupy depends on a constant that is hardly known. It is no effect: tissue, local "
    "production and other mediators are not in it, and no benefit of one dose over another follows from it."
)
_WIDTH: Final = 620
_HIGH: Final = 320
_POINTS: Final = 8
"""Points of a curve between two amounts of the table."""


def flatness(found: Occupancy) -> str:
    """Return from which daily amount on twice as much adds next to nothing, over all constants."""
    low, high = min(found.flat_from.values()), max(found.flat_from.values())
    return (
        f"By vein, twice the amount adds less than {100 * FLAT:g} percentage points from {_two_digits(low)} mg a day on by the smallest constant, and "
        f"from {_two_digits(high)} mg a day on by the largest: above that every curve is flat, whichever constant holds."
    )


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):,g}"


def figure(found: Occupancy) -> theme.Figure:
    """Return the drawn figure."""
    title = f"{found.model.drug}: share of the receptor that plasma would occupy"
    svg, pixels = theme.drawn(spec(found, title))
    return theme.Figure("occupancy", title, NOT_ADVICE, svg, pixels)


def spec(found: Occupancy, title: str) -> Spec:
    """Return the curves on a logarithmic axis of daily amounts, with the range between them."""
    clearance = found.settings["clearance_l_h"]
    half = found.settings["constants_mg_l"]
    amounts = sorted(set(found.frame["mg_per_day"].tolist()))
    least, most = amounts[0], amounts[-1]
    steps = _POINTS * (len(amounts) - 1)
    axis = [least * (most / least) ** (n / steps) for n in range(steps + 1)]
    rows, span = [], []
    for amount in axis:
        level = amount / 24 / clearance
        shares = {name: 100 * level / (level + constant) for name, constant in half.items()}
        span.append({"mg": amount, "low": min(shares.values()), "high": max(shares.values())})
        rows += [
            {
                "mg": amount,
                "share": share,
                "constant": f"{half[name]:.2g} mg/L: {found.titles[name]}",
            }
            for name, share in shares.items()
        ]
    x = quantity(
        "mg", title="mg a day by vein, at a constant rate (log scale)",
        scale=flat(least, most, type="log"), axis={"values": amounts, "format": ",", "grid": True},
    )  # fmt: skip
    y = {"title": "Share occupied at the average concentration, %", "scale": flat(0, 100)}
    names = list(dict.fromkeys(row["constant"] for row in rows))
    colour = {
        "field": "constant", "type": "nominal", "title": "half is occupied at",
        "scale": {"domain": names, "range": [theme.OKABE_ITO[n % len(theme.OKABE_ITO)] for n in range(len(names))]},
        "legend": {"orient": "bottom", "columns": 1, "labelLimit": 560},
    }  # fmt: skip
    dash = {"field": "constant", "type": "nominal", "legend": None, "scale": {"domain": names}}
    area = mark("area", {"x": x, "y": quantity("low", **y), "y2": {"field": "high"}}, color=theme.PALE, opacity=0.6)  # fmt: skip
    line = mark("line", {"x": x, "y": quantity("share", **y), "color": colour, "strokeDash": dash}, strokeWidth=1.8)  # fmt: skip
    cut = NO_EFFECT.find(". ") + 1
    used = ", ".join(
        f"{name} {value:g}".replace("_", " ")
        for name, value in found.settings["covariates"].items()
    )
    return {
        "width": _WIDTH,
        "height": _HIGH,
        "layer": [{**area, "data": values(span)}, {**line, "data": values(rows)}],
        "title": {
            "text": title,
            "subtitle": [
                f"{found.model.title}: {used}",
                NO_EFFECT[:cut],
                NO_EFFECT[cut + 1 :].replace(", and no", ",\nand no"),
                NOT_ADVICE,
            ],
        },
    }
