"""Which episode is a record of? Seen without reading it, where that is certain: most records can be passed over."""

import re
from collections.abc import Collection

_EPISODE_ID = re.compile(rb'"(?:moved_from_)?episode_id"\s*:\s*"([^"\\]*)"')
_ESCAPE = b"\\"


def may_be_of(value: bytes | None, episodes: Collection[bytes]) -> bool:
    """False only where *value* is certainly of none of *episodes*, or is no event."""
    if not value:
        return False
    named = _EPISODE_ID.findall(value)
    # A name or an id may be written with escapes, and the last of two names counts.
    return not named or _ESCAPE in value or any(episode in episodes for episode in named)
