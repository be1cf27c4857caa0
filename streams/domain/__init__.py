"""The pure core: facts in, decision and coding events out. No clock, no I/O, no Kafka."""
