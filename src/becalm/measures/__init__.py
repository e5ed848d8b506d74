"""The measurements of a study: each file fills one table or a few related tables."""
