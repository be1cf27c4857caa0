"""What others sent, made safe to show: on a terminal some characters are commands."""


def plain(text: str) -> str:
    """*text* with every control, format and odd white-space character made visible, but our own line breaks."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
