"""Tables for LaTeX, with the rules of booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from becalm.report.paper.fields import Text, plain

_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "≥": r"$\geq$", "≤": r"$\leq$", "÷": r"$\div$",
    "×": r"$\times$", "→": r"$\rightarrow$", "−": "$-$", "–": "--", "µ": r"$\mu$", "°": r"$^{\circ}$", "⁹": "$^{9}$",
    "₂": "$_{2}$", "₃": "$_{3}$", "²": "$^{2}$", "∞": r"$\infty$", "<": "$<$", ">": "$>$", "\u00a0": "~", "“": "``",
    "”": "''",
}  # fmt: skip
_ONE: Final = re.compile("|".join(map(re.escape, _SPECIAL)))


def escaped(text: str) -> str:
    r"""Return words as LaTeX prints them.

    >>> escaped("fell by 15 % & more, ≥ 2")
    'fell by 15 \\% \\& more, $\\geq$ 2'
    """
    return _ONE.sub(lambda found: _SPECIAL[found[0]], text)


def table(
    title: str,
    name: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Text]],
    shares: Sequence[int],
    *,
    banner: str,
) -> str:
    """Return a table as a file that a document takes in; it needs the packages array, booktabs and longtable.

    shares : how wide the columns are, as parts of the width of the text.
    """
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{\dimexpr {share / sum(shares):.3f}\textwidth-2\tabcolsep\relax}}"
        for share in shares
    )
    lines = [
        f"% {banner}",
        "% \\usepackage{array,booktabs,longtable}",
        f"\\begin{{longtable}}{{{columns}}}",
        f"\\caption{{{escaped(title)}}}\\label{{tab:{name}}}\\\\",
        "\\toprule",
        " & ".join(map(escaped, head)) + r" \\",
        "\\midrule",
        "\\endhead",
        *(" & ".join(escaped(plain(cell)) for cell in row) + r" \\" for row in rows),
        "\\bottomrule",
        "\\end{longtable}",
    ]
    return "\n".join(lines) + "\n"
