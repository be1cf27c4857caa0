"""How fast, and in how little memory: stream engines over the same records, each run checked for its outcome."""
