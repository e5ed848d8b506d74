"""The measurements of a study: each file fills one table or a few related tables."""

__all__ = [
    "cell_lines",
    "charted_levels",
    "ctcae",
    "definition_agreement",
    "escalations",
    "exposure",
    "fever",
    "incidence",
    "judgements",
    "kidney_injury",
    "organs",
    "outcome",
    "response",
    "stage",
]
