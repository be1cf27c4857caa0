"""A year of a large health system, coded and recounted. Not part of the suite: it takes half an hour."""
