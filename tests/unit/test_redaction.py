"""What logs may show: hashes of ids, places of errors, and types of everything else."""

import hashlib
import hmac
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import RecordStatus
from streams.intake.rejection import RejectedError, RejectionReason
from streams.kafka.broker_access import is_denial
from streams.redaction import IdHash, causes, told_error, told_value
from tests.json_messages import json_values

ROOT = Path(__file__).parents[2]
SECRET = "CANARY"  # noqa: S105 - what must not be seen
KEY = b"a key of the suite's own, long enough"


def test_a_hash_is_what_anybody_with_the_key_can_compute() -> None:
    """An operator finds the lines of an episode with openssl alone."""
    shown = IdHash(KEY)("EP-1")

    assert shown == "#" + hmac.new(KEY, b"EP-1", hashlib.sha256).hexdigest()[:16]


def test_the_command_of_the_document_gives_the_hash(tmp_path: Path) -> None:
    """As it stands in SECURITY.md, with the key in a file that an editor has ended with a line."""
    (command,) = re.findall(r"```sh\n(.*?)\n```", (ROOT / "SECURITY.md").read_text(), flags=re.DOTALL)
    (tmp_path / "hash.key").write_bytes(KEY + b"\n")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        input="EP-1\n",
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
    )

    assert ran.stdout.strip() == IdHash(KEY)("EP-1")


@given(st.text(), st.text())
def test_hashes_correlate_and_tell_nothing(one: str, other: str) -> None:
    """The same id has the same hash, another id another, and another key makes others of all."""
    id_hash = IdHash(KEY)

    assert id_hash(one) == id_hash(one.encode("utf-8", "surrogatepass"))
    assert (id_hash(one) == id_hash(other)) == (one == other)
    assert IdHash()(one) != id_hash(one)


def test_without_a_key_each_process_has_its_own() -> None:
    """Lines of one process still correlate."""
    first, second = IdHash(), IdHash()

    assert first("EP-1") == first("EP-1") != second("EP-1")


def unicode_fault() -> None:
    (SECRET.encode() + b"\xff").decode()


def lookup_fault() -> None:
    raise KeyError(SECRET)


def nested_fault() -> None:
    try:
        unicode_fault()
    except ValueError as error:
        raise RuntimeError(SECRET) from error


def implicit_fault() -> None:
    try:
        lookup_fault()
    finally:
        unicode_fault()


def group_fault() -> None:
    raise ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])


def system_fault() -> None:
    raise FileNotFoundError(2, "No such file or directory", SECRET)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (unicode_fault, "UnicodeDecodeError at test_redaction.py"),
        (lookup_fault, "lookup_fault"),
        (nested_fault, "; from UnicodeDecodeError at "),
        (implicit_fault, "; from KeyError at "),
        (group_fault, "ExceptionGroup of ValueError, KeyError"),
        (system_fault, "FileNotFoundError: No such file or directory"),
    ],
)
def test_an_error_is_told_by_its_class_and_its_place(fault: Callable[[], None], told: str) -> None:
    """Its text stays where it is: it may show what was being worked on."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - any
        fault()

    assert told in told_error(raised.value)
    assert SECRET not in told_error(raised.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RejectedError(RejectionReason.EMPTY, "the value: there is none."), "RejectedError: empty: the value"),
        (TopicAuthorizationFailedError("coding-events"), "[Error 29] TopicAuthorizationFailedError: coding-events"),
    ],
)
def test_texts_that_hold_no_values_are_told(error: Exception, told: str) -> None:
    """Our own errors and Kafka's speak of fields and topics; an operator needs their words."""
    assert told_error(error).startswith(told)


def test_an_error_that_is_its_own_cause_is_told_once() -> None:
    """Faust raises such ones at the end of a crashed worker."""
    error = ValueError(SECRET)
    error.__cause__ = error

    assert told_error(error) == "ValueError"


class Holder:
    """A value of a type that nobody has thought of."""

    def __repr__(self) -> str:
        return SECRET


@pytest.mark.parametrize(
    "value",
    [Holder(), SECRET.encode(), [SECRET.encode()], {"key": Holder()}, (ValueError(SECRET),), {Holder(): 1}, Holder],
)
def test_what_is_not_known_to_be_harmless_is_only_named(value: object) -> None:
    """Records come as objects and bytes, in whatever container."""
    assert SECRET not in repr(told_value(value))


@given(json_values)
def test_plain_values_are_told_as_they_are(value: object) -> None:
    """Counts, words and lists of them pass."""
    assert repr(told_value(value)) == repr(value)


def test_names_of_kafka_are_told() -> None:
    """An operator sees which partition."""
    assert told_value(TopicPartition("coding-events", 3)) == ["coding-events", 3]
    assert str(told_value(RecordStatus.AMENDED)) == "amended"


def test_a_cycle_of_causes_ends() -> None:
    """An error can be its own cause's cause: whoever looks for a denial in it must come to an end."""
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    assert list(causes(first)) == [first, second]
    assert not is_denial(first)
