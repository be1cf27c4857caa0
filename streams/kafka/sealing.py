"""What is sealed on its way to the brokers, and opened on its way back?

Where the operator has set keys: the episodes and the merges of patients in the changelog, and dead letters whole. Not
the positions, which hold no patient data; not the coding events, which billing reads; not what travels to its home
partition, which lies in the inputs as it is.

What was written before there were keys is read as it is, and sealed when it is written again.
"""

from msgspec.structs import replace

from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.changelog import holds_patient_data
from streams.processing.encryption import Cipher, EnvelopeCipher, UnknownKeyError, is_sealed, value_context
from streams.processing.encryption_keys import parse_keys
from streams.processing.records import InputRecord, OutputRecord
from streams.processing.sealed_dead_letter import SEALED, OpenedDeadLetter, open_dead_letter, seal_dead_letter
from streams.processing.topology import Topology
from streams.secret_text import read_secret
from streams.settings import Settings

_NO_KEY = "is sealed, and there is no key here: set G9603_ENCRYPTION_KEYS_FILE as the workers have it."


class Sealing:
    """Seals and opens the records of one application.

    Args:
        cipher: None where nothing is to be sealed.
        topology: The application's topics.
    """

    def __init__(self, cipher: Cipher | None, topology: Topology) -> None:
        self._cipher = cipher
        self._changelog = topology.episodes_changelog
        adapted = {AdapterTopics(standard, topology).dead_letter for standard in MessageStandard}
        self._dead_letters = {topology.dead_letter, *adapted}

    @property
    def seals(self) -> bool:
        """Whether there are keys."""
        return self._cipher is not None

    def sealed(self, record: OutputRecord) -> OutputRecord:
        """*record* as it is to be written."""
        if self._cipher is None:
            return record
        if record.topic in self._dead_letters:
            return seal_dead_letter(record, self._cipher)
        if record.topic != self._changelog or record.value is None or not holds_patient_data(record.key or b""):
            return record
        context = value_context(record.topic, record.partition, record.key)
        return replace(record, value=self._cipher.seal(record.value, context=context))

    def opened_state(self, partition: int, key: bytes, value: bytes) -> bytes:
        """The *value* of *key* in *partition* of the changelog, as it was before it was sealed.

        Raises:
            EncryptionError: It is sealed, and cannot be opened.
        """
        if not is_sealed(value):
            return value
        if self._cipher is None:
            message = f"{self._changelog}-{partition} {_NO_KEY}"
            raise UnknownKeyError(message)
        return self._cipher.open(value, context=value_context(self._changelog, partition, key))

    def opened_letter(self, letter: InputRecord) -> OpenedDeadLetter:
        """A dead letter as it was before it was sealed.

        Raises:
            EncryptionError: It is sealed, and cannot be opened.
        """
        if self._cipher is not None:
            return open_dead_letter(letter, self._cipher)
        if any(name == SEALED for name, _ in letter.headers[-1:]):
            message = f"{letter.topic}-{letter.partition}@{letter.offset} {_NO_KEY}"
            raise UnknownKeyError(message)
        return OpenedDeadLetter(letter.key, letter.value, tuple(letter.headers))


def sealing(settings: Settings, topology: Topology) -> Sealing:
    """As *settings* have it.

    Raises:
        SecretRefusedError: The file of the keys is not fit.
        KeysRefusedError: It holds no keys.
    """
    text = read_secret("G9603_ENCRYPTION_KEYS", settings.encryption_keys, settings.encryption_keys_file, bytes_min=1)
    return Sealing(EnvelopeCipher(parse_keys(text.decode("utf-8", "replace"))) if text is not None else None, topology)
