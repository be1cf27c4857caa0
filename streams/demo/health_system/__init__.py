"""A health system that never was: what its clinics send in one year, from a seed."""
