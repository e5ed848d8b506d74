"""What everything rests on. Nothing is imported here, so that asking for help loads nothing heavy."""
