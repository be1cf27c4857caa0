"""From the bytes of a record to a fact, or to the reason why not."""
