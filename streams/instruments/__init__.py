"""The instruments that the worker knows, as data: ``registry.toml``, and its reader."""
