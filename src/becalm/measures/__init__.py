"""What a study measures of its cohort: one table a file."""
