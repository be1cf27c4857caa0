"""One a step, each named by its number."""
