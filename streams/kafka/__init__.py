"""Kafka: the clients the worker needs beyond Faust's, and a broker to run on where there is none."""
