"""Every episode of a log, one after the other, in memory that does not grow with the log."""
