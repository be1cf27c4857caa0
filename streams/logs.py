"""Logs: one line per thing that matters, on standard error; JSON where no person is watching."""

import logging
import resource
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from streams.redaction import HASH_KEY_BYTES_MIN, IdHash, told_error, told_value
from streams.secret_text import read_secret
from streams.settings import PREFIX, LogFormat, Settings

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

_LIBRARIES = ("aiokafka", "faust", "mode")
_IDS = frozenset(
    {"episode_id", "patient_id", "survey_id", "treatment_id", "event_id", "prior_event_id", "encounter_id", "key"}
)
"""Fields of our log lines that are shown as keyed hashes, whoever writes them."""


def configure_logs(hash_key: bytes | None = None, log_format: LogFormat = LogFormat.AUTO) -> None:
    """Set up the worker's logs, ours through structlog and the libraries' in the same form.

    The libraries speak from WARNING on: below that aiokafka and Faust print keys and values, which are patient data.
    What they say above that, and whatever ends the process, goes through `streams.redaction` as our own lines do.

    Args:
        hash_key: With which ids are hashed; one of this process's own where None.
        log_format: For whom.
    """
    shared: list[Processor] = [
        _Redaction(IdHash(hash_key)),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    for_people = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and sys.stderr.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _RedactedFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    _guard_last_words()


def log_hash_key(settings: Settings) -> bytes | None:
    """With which key the logs of *settings* hash ids.

    Raises:
        SecretRefusedError: It is given and cannot be used.
    """
    return read_secret(
        f"{PREFIX}LOG_HASH_KEY", settings.log_hash_key, settings.log_hash_key_file, bytes_min=HASH_KEY_BYTES_MIN
    )


def quiet_libraries() -> None:
    """Keep the libraries from speaking over a command's own words; what matters comes back as an error."""
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class _StandardError:
    """Standard error while it can be written to: a full disk, or a reader that has gone, must not stop the work."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


class _Redaction:
    """A structlog processor: ids as hashes, errors without their values, and nothing of any other type."""

    def __init__(self, id_hash: IdHash) -> None:
        self._id_hash = id_hash

    def __call__(self, _logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
        error = event.pop("exc_info", None)
        event.pop("stack_info", None)
        told: EventDict = {}
        for name, value in event.items():
            if name.startswith("_"):  # structlog's own, taken off again before anything is printed
                told[name] = value
            elif name in _IDS and value is not None:
                told[name] = self._id_hash(value if isinstance(value, bytes) else str(value))
            else:
                told[name] = told_value(value)
        if error := _error_in(error):
            told["exception"] = told_error(error)
        return told


class _RedactedFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(_redacted(record))


def _error_in(exc_info: Any) -> BaseException | None:  # noqa: ANN401 - logging takes several types
    if exc_info is True:
        return sys.exc_info()[1]
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _redacted(record: logging.LogRecord) -> logging.LogRecord:
    """A library's record without the values that its arguments may hold."""
    told = logging.makeLogRecord(record.__dict__)
    if record.name == "asyncio":
        # Its texts are finished when they get here, with the errors and arguments of others in them.
        told.msg, told.args = "an error that nobody awaited, or a callback that failed", ()
    elif isinstance(record.args, tuple):
        told.args = tuple(told_value(value) for value in record.args)
    elif record.args:
        told.args = (told_value(record.args),)
    return told


def _guard_last_words() -> None:
    """However the process ends, it does not print or leave behind what it held in memory."""
    log = structlog.get_logger(__name__)

    def unhandled(error: BaseException | None) -> None:
        log.critical("unhandled_error", error=error)

    sys.excepthook = lambda _kind, error, _trace: unhandled(error)
    sys.unraisablehook = lambda told: unhandled(told.exc_value)
    threading.excepthook = lambda told: unhandled(told.exc_value)
    logging.raiseExceptions = False  # a line that cannot be formatted would be printed with its arguments
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump is all episodes at once
