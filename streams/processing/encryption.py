"""How is a value kept from those who run the brokers, their disks and their backups?

Envelope encryption. Each process draws a data key of its own, seals values with it (AES-256-GCM), and puts it, wrapped
by a key-encryption key of the operator's (AES key wrap, RFC 3394), in front of each value. So a key of the operator's
never meets more than a few keys, no key seals more values than random nonces allow, and a key service could take over
the wrapping without a change of the format. The ciphers are those of ``cryptography``; nothing of them is written here.

What is sealed in one place cannot be opened in another: the place, the *context*, is authenticated with the value.

A sealed value: ``C1``, which begins no MessagePack · length of the key id, key id · wrapped data key (40 bytes) ·
nonce (12) · ciphertext · tag (16). The format is part of the changelog: add to it, never change it.
"""

import os
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from streams.processing.encryption_keys import EncryptionKeys

_SEALED = b"\xc1"
_DATA_KEY_BYTES = 32
_WRAPPED_BYTES = 40
_NONCE_BYTES = 12
_TAG_BYTES = 16
_VALUES_PER_DATA_KEY_MAX = 2**30
"""A quarter of what NIST SP 800-38D, 8.3, allows for random nonces under one key."""
_CIPHERS_KEPT_MAX = 10_000
"""One for each data key that was met: a process that ever wrote to the partition."""


class EncryptionError(Exception):
    """A value cannot be opened; the message says why, and what to do, and shows nothing of it."""


class UnknownKeyError(EncryptionError):
    """A value was sealed with a key that is not here."""


class NotOpenedError(EncryptionError):
    """A value is not what was sealed in its place with the key that it names."""


class Cipher(Protocol):
    """Seals values and opens them again."""

    def seal(self, value: bytes, *, context: bytes) -> bytes:
        """*value*, readable only with the key, and only in *context*."""

    def open(self, value: bytes, *, context: bytes) -> bytes:
        """What was sealed.

        Raises:
            EncryptionError: It was not sealed in *context*, or not with a key that is here.
        """


def value_context(topic: str, partition: int, key: bytes | None) -> bytes:
    """The context of a record's value: where it stands. No two places have the same."""
    name = topic.encode()
    return b"%d:%b%d:%b" % (len(name), name, partition, b"-" if key is None else b"+" + key)


def is_sealed(value: bytes) -> bool:
    """Whether *value* claims to have been sealed; no value of the changelog that was not begins so."""
    return value.startswith(_SEALED)


class _DataKey(NamedTuple):
    cipher: AESGCM
    header: bytes
    """What stands before the nonce of each value sealed with it."""


class EnvelopeCipher:
    """Seals with the current key of *keys*, and opens what was sealed with any of them."""

    def __init__(self, keys: EncryptionKeys) -> None:
        self._keys = keys
        self._opening: dict[bytes, AESGCM] = {}
        self._sealing = self._new_data_key()
        self._sealed_count = 0

    def seal(self, value: bytes, *, context: bytes) -> bytes:
        """*value*, readable only with the key, and only in *context*."""
        if self._sealed_count >= _VALUES_PER_DATA_KEY_MAX:
            self._sealing, self._sealed_count = self._new_data_key(), 0
        self._sealed_count += 1
        cipher, header = self._sealing
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + cipher.encrypt(nonce, value, header + context)

    def open(self, value: bytes, *, context: bytes) -> bytes:
        """What was sealed.

        Raises:
            UnknownKeyError: Its key is not here.
            NotOpenedError: It was changed, or moved here from another place, or never sealed.
        """
        header_end = 2 + (value[1] if len(value) > 1 else 0) + _WRAPPED_BYTES
        nonce_end = header_end + _NONCE_BYTES
        if not is_sealed(value) or len(value) < nonce_end + _TAG_BYTES:
            message = "A value that should be sealed is not: it was written without encryption, or cut short."
            raise NotOpenedError(message)
        header, nonce = value[:header_end], value[header_end:nonce_end]
        cipher = self._opening.get(header) or self._cipher_of(header)
        try:
            return cipher.decrypt(nonce, value[nonce_end:], header + context)
        except InvalidTag:
            message = (
                "A sealed value cannot be opened: it was changed, or moved here from another topic, partition or "
                "key. Find out who else may write to that topic."
            )
            raise NotOpenedError(message) from None

    def _new_data_key(self) -> _DataKey:
        key_id, key = self._keys.current
        data_key = AESGCM.generate_key(_DATA_KEY_BYTES * 8)
        name = key_id.encode()
        header = _SEALED + bytes([len(name)]) + name + aes_key_wrap(key, data_key)
        return _DataKey(AESGCM(data_key), header)

    def _cipher_of(self, header: bytes) -> AESGCM:
        key_id = header[2:-_WRAPPED_BYTES].decode("ascii", "replace")
        key = self._keys.by_id.get(key_id)
        if key is None:
            known = ", ".join(self._keys.by_id)
            message = (
                f"A value was sealed with the key {key_id!r}, which is not here (here are {known}): add it below the "
                "current key, where old keys stand."
            )
            raise UnknownKeyError(message)
        try:
            cipher = AESGCM(aes_key_unwrap(key, header[-_WRAPPED_BYTES:]))
        except (InvalidUnwrap, ValueError):
            message = f"A value names the key {key_id!r}, but was not sealed with the one here: two keys have one id."
            raise NotOpenedError(message) from None
        if len(self._opening) >= _CIPHERS_KEPT_MAX:
            self._opening.clear()
        self._opening[header] = cipher
        return cipher
