"""A paper from a results folder: tables, figures, checklists and a draft whose numbers are fields.

Everything comes from the aggregates and the cases of a study, after what a release must suppress; nothing is computed anew.
"""
