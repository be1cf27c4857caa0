"""Which keys seal and open values? A text of lines, ``id:key``, the current key first.

To rotate takes two rolling restarts: the first with the new line below the current one, so that every worker can open
what it will seal; the second with the new line on top. Old lines stay for as long as values sealed with them are read.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_MAKE_ONE = "Make a line with: printf '2026-11:%s\\n' \"$(openssl rand -base64 32)\""


class KeysRefusedError(Exception):
    """A text is no list of keys; the message says which line is wrong, and never what it holds."""


class Key(NamedTuple):
    """A key-encryption key and its name."""

    id: str
    key: bytes


class EncryptionKeys(NamedTuple):
    """The keys of one application."""

    current: Key
    """The one that seals."""
    by_id: Mapping[str, bytes]
    """All that open, the current one included."""


def parse_keys(text: str) -> EncryptionKeys:
    """The keys in *text*: a line each, or separated by commas; empty lines and ``#`` comments are passed over.

    Raises:
        KeysRefusedError: A line is no key, an id stands twice, or there is none.
    """
    keys: dict[str, bytes] = {}
    for number, line in enumerate(re.split(r"[\n,]", text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key_id, key = _parsed(line.strip(), number)
        if key_id in keys:
            message = f"Line {number}: the id {key_id!r} stands twice; a value could not say which it means."
            raise KeysRefusedError(message)
        if key in keys.values():
            message = f"Line {number}: the key of {key_id!r} has another id already; to rotate is to make a new key."
            raise KeysRefusedError(message)
        keys[key_id] = key
    if not keys:
        message = f"There is no key. {_MAKE_ONE}"
        raise KeysRefusedError(message)
    return EncryptionKeys(Key(*next(iter(keys.items()))), keys)


def _parsed(line: str, number: int) -> Key:
    key_id, _, encoded = line.partition(":")
    if _ID.fullmatch(key_id.strip()) is None:
        message = f"Line {number} is no id:key; an id has 1 to 32 letters, digits, dots and dashes. {_MAKE_ONE}"
        raise KeysRefusedError(message)
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):  # its text shows what was to be decoded
        key = b""
    if len(key) != KEY_BYTES:
        message = f"Line {number}: the key of {key_id.strip()!r} is not {KEY_BYTES} bytes in base64. {_MAKE_ONE}"
        raise KeysRefusedError(message)
    return Key(key_id.strip(), key)
