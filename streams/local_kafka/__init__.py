"""A Kafka to run on: a real one with Java, or one inside this process."""
