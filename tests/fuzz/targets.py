"""What reads bytes from outside, each as a function of bytes that returns, or raises where a promise is broken.

The promise is the same everywhere: a value comes out, or the refusal that the part is known for; nothing else is
raised. Where two ways lead to one answer, both are gone. `tests/fuzz/__main__.py` runs these under a coverage-guided
fuzzer, `tests/unit/test_fuzz_targets.py` under Hypothesis and on all that the fuzzer ever found.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from streams.adapters.adaptation import Adapter
from streams.adapters.choice import adapter_of
from streams.domain.coder import CodedEpisode, advance
from streams.domain.episode import Arrival
from streams.domain.fact import Fact
from streams.intake.decoder import Decoded
from streams.intake.rejection import RejectedError
from streams.policies.policy_file import PolicyRefusedError
from streams.policies.policy_loading import BUILT_IN, parse_policy
from streams.processing.adapter_topics import MessageStandard
from streams.processing.changelog import (
    ChangelogFormatError,
    Positions,
    decode_positions,
    encode_positions,
)
from streams.processing.encryption import EncryptionError, EnvelopeCipher, value_context
from streams.processing.encryption_keys import KeysRefusedError, parse_keys
from streams.processing.merged_patients import decode_merge, encode_merge
from streams.processing.rekeying import ForeignRecordError, Origin, arrived_origin, origin_of, travelling_headers
from streams.processing.stored_episode import EpisodeFormatError, decode_episode, encode_episode
from streams.processing.topology import InputKind
from streams.secret_text import SecretRefusedError
from streams.settings import PREFIX, Settings, SettingsRefusedError, load_settings
from streams.web.access import WebRefusedError, is_loopback, web_access
from tests.example_messages import BINARY, DECODER, MERGE, SCORED, SURVEY, TREATMENT, WHERE, enveloped
from tests.json_messages import json_bytes
from tests.policies_for_tests import INSTRUMENTS, POLICIES
from tests.tasks_in_memory import Record

GOLDEN = Path(__file__).parents[1] / "golden" / "adapters"
FHIR_ADAPTER, HL7V2_ADAPTER = (
    adapter_of(standard, GOLDEN / "mapping.toml", INSTRUMENTS)
    for standard in (MessageStandard.FHIR, MessageStandard.HL7V2)
)

Headers = Sequence[tuple[str, bytes | None]]


class Target(NamedTuple):
    """A reader of bytes."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]
    """What is usual: where the search begins."""


def decoder(data: bytes) -> None:
    """A survey or a treatment, by both ways of reading it."""
    _decoded_alike(data[1:], as_survey=not data or data[0] % 2 == 0)


def merges(data: bytes) -> None:
    """A record of a merge of patients, and one out of the changelog."""
    try:
        DECODER.decode_merge(data)
    except RejectedError as rejected:
        _is_a_sentence(rejected)
    try:
        decode_merge(data)
    except ChangelogFormatError as refused:
        _is_a_sentence(refused)


def cloudevents(data: bytes) -> None:
    """Headers, cut at line ends into names and values, before a survey in an envelope or bare."""
    value = enveloped(SCORED) if data[:1] == b"e" else json_bytes(SCORED)
    headers = [_header(line) for line in data[1:].split(b"\n")]
    _decoded(value, headers, as_survey=True)


def policy(data: bytes) -> None:
    """A policy file."""
    try:
        parse_policy(data.decode("utf-8", "replace"), INSTRUMENTS, name="a policy")
    except PolicyRefusedError as refused:
        _is_a_sentence(refused)


def changelog(data: bytes) -> None:
    """An episode, or positions, out of the changelog."""
    try:
        episode = decode_episode(data)
    except EpisodeFormatError as refused:
        _is_a_sentence(refused)
    else:
        assert decode_episode(encode_episode(episode)) == episode
    try:
        positions = decode_positions(data)
    except ChangelogFormatError as refused:
        _is_a_sentence(refused)
    else:
        assert decode_positions(encode_positions(positions)) == positions


def rekeying(data: bytes) -> None:
    """The headers of a record that came by the re-key topic."""
    headers = [(name, value or b"") for name, value in map(_header, data.split(b"\n"))]
    record = Record("rekey", 0, 0, 0, None, b"", headers)
    try:
        origin = arrived_origin(record)
    except ForeignRecordError as refused:
        _is_a_sentence(refused)
    else:
        assert arrived_origin(record._replace(headers=list(travelling_headers(origin)))) == origin


def settings(data: bytes) -> None:
    """The environment: ``NAME=value``, a line each, and the pages that come of it."""
    before = dict(os.environ)
    try:
        for line in data.split(b"\n"):
            name, _, value = line.partition(b"=")
            if name and b"\0" not in line:
                os.environb[PREFIX.encode() + name] = value
        web_access(load_settings())
    except (SettingsRefusedError, SecretRefusedError, WebRefusedError) as refused:
        _is_a_sentence(refused)
    finally:
        os.environ.clear()
        os.environ.update(before)
    is_loopback(data.decode("utf-8", "replace"))


def fhir(data: bytes) -> None:
    """A record of the FHIR adapter."""
    _adapted(FHIR_ADAPTER, data)


def hl7v2(data: bytes) -> None:
    """A record of the HL7 v2 adapter."""
    _adapted(HL7V2_ADAPTER, data)


def _adapted(adapter: Adapter, data: bytes) -> None:
    adaptation = adapter.adapt(data)
    for fault in adaptation.faults:
        _is_a_sentence(fault)
    for event in adaptation.events:
        assert not isinstance(_decoded(event.value, (), as_survey=event.kind is InputKind.SURVEY), RejectedError)


_KEY_LINE = "2026-01:" + "AQEB" * 10 + "AQE="
_CIPHER = EnvelopeCipher(parse_keys(_KEY_LINE))


def encryption(data: bytes) -> None:
    """A value that claims to be sealed, and a file of keys."""
    try:
        _CIPHER.open(data, context=value_context("topic", 0, None))
    except EncryptionError as refused:
        _is_a_sentence(refused)
    try:
        keys = parse_keys(data.decode("utf-8", "replace"))
    except KeysRefusedError as refused:
        _is_a_sentence(refused)
    else:
        assert keys.by_id[keys.current.id] == keys.current.key


def _is_a_sentence(refused: Exception) -> None:
    assert len(str(refused).split()) > 1


def _decoded(value: bytes | None, headers: Headers, *, as_survey: bool) -> Decoded | RejectedError:
    try:
        return (DECODER.decode_survey if as_survey else DECODER.decode_treatment)(value, headers)
    except RejectedError as rejected:
        _is_a_sentence(rejected)
        return rejected


def _decoded_alike(value: bytes, *, as_survey: bool) -> None:
    quick, other = (_decoded(value, headers, as_survey=as_survey) for headers in ((), [("x", b"1")]))
    if isinstance(quick, RejectedError) or isinstance(other, RejectedError):
        assert isinstance(quick, RejectedError)
        assert isinstance(other, RejectedError)
        assert quick.reason == other.reason
        return
    assert quick == other
    coded = CodedEpisode()
    for rules in POLICIES.values():
        coded = advance(coded, [Arrival(quick.fact, 1)], episode_id=quick.episode_id, policy=rules).after
    assert decode_episode(encode_episode(coded)) == coded


def _header(line: bytes) -> tuple[str, bytes | None]:
    name, colon, value = line.partition(b":")
    return name.decode("utf-8", "replace"), value if colon else None


def _travelling(origin: Origin) -> bytes:
    return b"\n".join(b"%b:%b" % (name.encode(), value) for name, value in travelling_headers(origin))


def _episode() -> bytes:
    arrived = [
        Arrival(_fact(SCORED, as_survey=True), 1),
        Arrival(_fact(TREATMENT | WHERE, as_survey=False), 2),
    ]
    return encode_episode(advance(CodedEpisode(), arrived, episode_id="episode-1", policy=POLICIES["default"]).after)


def _fact(told: Mapping[str, object], *, as_survey: bool) -> Fact:
    decoded = _decoded(json_bytes(told), (), as_survey=as_survey)
    assert isinstance(decoded, Decoded)
    return decoded.fact


def _built_in() -> bytes:
    return resources.files("streams.policies").joinpath(BUILT_IN).read_bytes()


_AWAY = Record("survey-completed", 1, 2, 3, None, b"", ())
_TRAVELLING = _travelling(origin_of(_AWAY, InputKind.SURVEY))
_LINES = _TRAVELLING.split(b"\n")
_LONG_SCORE = json_bytes(SCORED).replace(b"42.5", b"42.50000000000000000001")

TARGETS: Mapping[str, Target] = {
    "decoder": Target(
        decoder,
        [b"s" + value for value in (json_bytes(SCORED), json_bytes(SURVEY | {"answers": [1] * 10}), _LONG_SCORE)]
        + [b"r" + value for value in (json_bytes(SCORED | WHERE), enveloped(SCORED))]
        + [b"t" + json_bytes(TREATMENT), b"u" + json_bytes(TREATMENT | WHERE | {"modifiers": ["GP"]})],
    ),
    "merges": Target(
        merges,
        [
            json_bytes(MERGE),
            json_bytes(MERGE | {"action": "unmerge"}),
            encode_merge(DECODER.decode_merge(json_bytes(MERGE))),
        ],
    ),
    "cloudevents": Target(
        cloudevents,
        [
            b"b" + b"\n".join(b"%b:%b" % (name.encode(), value or b"") for name, value in BINARY),
            b"econtent-type:application/cloudevents+json; charset=UTF-8",
            b"econtent-type:application/cloudevents-batch+json",
        ],
    ),
    "policy": Target(policy, [_built_in(), b"", b'[policy]\nid = "x"\nversion = "1"\n']),
    "changelog": Target(changelog, [_episode(), encode_positions(Positions(4, {"survey-completed": 7}))]),
    "rekeying": Target(
        rekeying, [_TRAVELLING, b"x:1", *(_TRAVELLING.replace(line, b"%b\xff?" % line) for line in _LINES)]
    ),
    "fhir": Target(fhir, (GOLDEN / "low-back-pain.fhir.ndjson").read_bytes().splitlines()),
    "hl7v2": Target(hl7v2, (GOLDEN / "low-back-pain.hl7").read_bytes().split(b"\n\n")),
    "settings": Target(
        settings,
        [
            b"WEB_PORT=0\nAPP_ID=g9603\nCHECK_CRCS=false",
            b"WEB_HOST=0.0.0.0\nWEB_TOKEN=0123456789abcdef0",
            b"WEB_TOKEN=0123456789abcdef\x80",
            *(f"{name.upper()}=x".encode() for name in Settings.model_fields),
        ],
    ),
    "encryption": Target(
        encryption,
        [_CIPHER.seal(b"value", context=value_context("topic", 0, None)), _KEY_LINE.encode(), b"a:b\n# c\n"],
    ),
}
