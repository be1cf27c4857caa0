"""What is sealed comes back in its place, with its key, unchanged; or not at all."""

import base64
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.processing import encryption
from streams.processing.encryption import (
    EncryptionError,
    EnvelopeCipher,
    NotOpenedError,
    UnknownKeyError,
    is_sealed,
    value_context,
)
from streams.processing.encryption_keys import EncryptionKeys, Key, KeysRefusedError, parse_keys

law = settings(max_examples=100, deadline=None)


def line(key_id: str, byte: int) -> str:
    """A line of a key file; the key is one byte, 32 times."""
    return f"{key_id}:{base64.b64encode(bytes([byte]) * 32).decode()}"


def cipher(*lines: str) -> EnvelopeCipher:
    """A process with the keys in *lines*."""
    return EnvelopeCipher(parse_keys("\n".join(lines)))


OLD, NEW = line("2026-01", 1), line("2026-02", 2)
SEALS = cipher(OLD)
AGAIN = cipher(OLD)
"""Another process with the same keys."""

places = st.builds(value_context, st.text(max_size=9), st.integers(0, 99), st.none() | st.binary(max_size=9))


@law
@given(st.binary(max_size=2_000), places)
def test_what_is_sealed_comes_back(value: bytes, context: bytes) -> None:
    """In another process, too; sealed twice it looks like two values, and never shows what it was."""
    sealed = SEALS.seal(value, context=context)

    assert AGAIN.open(sealed, context=context) == SEALS.open(sealed, context=context) == value
    assert is_sealed(sealed)
    assert sealed != SEALS.seal(value, context=context)
    assert len(value) < 4 or value not in sealed
    assert len(sealed) - len(value) == len(SEALS.seal(b"", context=context))


@law
@given(st.binary(max_size=40), places, places)
def test_a_value_opens_only_in_its_place(value: bytes, here: bytes, there: bytes) -> None:
    """Who may write to the topic still cannot give one episode the history of another."""
    sealed = SEALS.seal(value, context=here)
    if here != there:
        with pytest.raises(NotOpenedError, match="moved here from another"):
            SEALS.open(sealed, context=there)


@law
@given(st.binary(max_size=40), places, st.integers(0), st.integers(0, 7), st.booleans())
def test_a_value_opens_only_unchanged(value: bytes, context: bytes, at: int, bit: int, cut: bool) -> None:  # noqa: FBT001
    """Not one bit can be turned, and not one byte left out."""
    sealed = bytearray(SEALS.seal(value, context=context))
    at %= len(sealed)
    if cut:
        del sealed[at]
    else:
        sealed[at] ^= 1 << bit
    with pytest.raises(EncryptionError):
        AGAIN.open(bytes(sealed), context=context)


def test_a_value_that_was_cut_short_is_refused_in_words() -> None:
    """Wherever: in the key's id, the wrapped key, the nonce or the tag."""
    sealed = SEALS.seal(b"value", context=b"")
    for length in range(len(sealed)):
        with pytest.raises(EncryptionError):
            AGAIN.open(sealed[:length], context=b"")


@law
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: b"\xc1" + rest))
def test_whatever_is_opened_is_refused_in_words(value: bytes) -> None:
    """Nothing but an `EncryptionError` comes of a value that nobody sealed."""
    with pytest.raises(EncryptionError):
        SEALS.open(value, context=b"")


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    key: bytes | None


@law
@given(
    st.builds(Place, st.text("1:a-+", max_size=4), st.integers(0, 11), st.none() | st.binary(max_size=3)),
    st.builds(Place, st.text("1:a-+", max_size=4), st.integers(0, 11), st.none() | st.binary(max_size=3)),
)
def test_no_two_places_have_one_context(one: Place, other: Place) -> None:
    """However their parts are cut."""
    assert (value_context(*one) == value_context(*other)) == (one == other)


def test_the_format_is_what_it_was() -> None:
    """A value of the first version opens in every later one."""
    sealed = bytes.fromhex(
        "c107323032362d3031e9db357e12c61cd21adcca34c7d29ef1a5c5d53af72e20afb1a54b5ab4d29714246fa18c9abeac5059ecf9e7e523d0"
        "12a16692647e2061dc1e1f19117d99f72215c7ab79946eb9eae41cc7de46a0"
    )

    assert AGAIN.open(sealed, context=b"place") == b"an episode"


def test_old_keys_open_and_the_current_one_seals() -> None:
    """A rotation: what was sealed before opens after, and before the last worker has the new key nothing is lost."""
    before = cipher(OLD).seal(b"value", context=b"place")
    rotated = cipher(NEW, OLD)

    assert rotated.open(before, context=b"place") == b"value"
    after = rotated.seal(b"value", context=b"place")
    with pytest.raises(UnknownKeyError, match=r"the key '2026-02', which is not here \(here are 2026-01\)"):
        cipher(OLD).open(after, context=b"place")
    with pytest.raises(UnknownKeyError, match="add it below the current key"):
        cipher(NEW).open(before, context=b"place")
    assert cipher(OLD, NEW).open(after, context=b"place") == b"value"  # old workers are given the new key first


def test_another_key_under_the_same_id_opens_nothing() -> None:
    """The sentence points at the mistake."""
    sealed = cipher(OLD).seal(b"value", context=b"")

    with pytest.raises(NotOpenedError, match="two keys have one id"):
        cipher(line("2026-01", 9)).open(sealed, context=b"")


def test_a_data_key_is_used_for_so_many_values_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random nonces repeat in the end; before that there is another key, and what was sealed still opens."""
    monkeypatch.setattr(encryption, "_VALUES_PER_DATA_KEY_MAX", 3)
    monkeypatch.setattr(encryption, "_CIPHERS_KEPT_MAX", 2)
    process = cipher(OLD)
    sealed = [process.seal(b"value", context=b"") for _ in range(10)]

    headers = [value[:49] for value in sealed]
    assert [headers.count(header) for header in dict.fromkeys(headers)] == [3, 3, 3, 1]
    assert [process.open(value, context=b"") for value in sealed] == [b"value"] * 10


def test_each_process_has_a_data_key_of_its_own() -> None:
    """Two workers never share a nonce space."""
    assert cipher(OLD).seal(b"", context=b"")[:49] != cipher(OLD).seal(b"", context=b"")[:49]


@pytest.mark.parametrize(
    "text",
    [f"{NEW}\n{OLD}\n", f"{NEW},{OLD}", f"# keys\n\n  {NEW}  \r\n # old\n{OLD}"],
    ids=["file", "env", "#"],
)
def test_keys_are_read_from_lines(text: str) -> None:
    """From a file, or from an environment variable that has no lines."""
    assert parse_keys(text) == EncryptionKeys(
        Key("2026-02", b"\2" * 32), {"2026-02": b"\2" * 32, "2026-01": b"\1" * 32}
    )


SHORT = base64.b64encode(bytes(16)).decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "There is no key. Make a line with: printf"),
        ("# only words", "There is no key"),
        (f"{OLD}\nno colon", "Line 2 is no id:key"),
        (f"ü:{SHORT}", "Line 1 is no id:key"),
        (f"old:{SHORT}", "Line 1: the key of 'old' is not 32 bytes in base64"),
        ("old:?", "Line 1: the key of 'old' is not 32 bytes in base64"),
        ("old:ü", "Line 1: the key of 'old' is not 32 bytes in base64"),
        (f"{OLD}\n{line('2026-01', 3)}", "Line 2: the id '2026-01' stands twice"),
        (f"{OLD}\n{line('2026-09', 1)}", "Line 2: the key of '2026-09' has another id already"),
    ],
)
def test_what_is_no_key_is_refused(text: str, says: str) -> None:
    """With the line and what to do, and without the secret."""
    with pytest.raises(KeysRefusedError) as refused:
        parse_keys(text)

    assert says in str(refused.value)
    assert SHORT not in str(refused.value)
