"""The contract with the outside: the messages on the topics, as types."""
