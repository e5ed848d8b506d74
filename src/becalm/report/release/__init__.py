"""The release: what may be published of a study. Suppressed aggregates, or a declared series of single cases."""
