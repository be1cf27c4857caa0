"""Whose ids are whose: merges of patients that a person must look at, and the episodes that they touch."""
