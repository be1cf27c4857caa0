"""A health system, a broker and a worker on one machine: `g9603 demo`."""
