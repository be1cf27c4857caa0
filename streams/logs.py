"""Logs: one line per thing that matters, on standard error; JSON where no person is watching."""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor

_LIBRARIES = ("aiokafka", "faust", "mode")


def configure_logs() -> None:
    """Set up the worker's logs, ours through structlog and the libraries' in the same form.

    The libraries speak from WARNING on: below that aiokafka and Faust print keys and values, which are patient data.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def quiet_libraries() -> None:
    """Keep the libraries from speaking over a command's own words; what matters comes back as an error."""
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
