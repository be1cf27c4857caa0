"""How is the whole group? Readings of the brokers and reports of the workers in, one view out; no clock, no I/O."""
