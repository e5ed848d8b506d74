"""The measurements of a study: each file fills one table or a few related tables."""

__all__ = [
    "ctcae",
    "definition_agreement",
    "escalations",
    "fever",
    "incidence",
    "kidney_injury",
    "outcome",
    "response",
    "stage",
]
