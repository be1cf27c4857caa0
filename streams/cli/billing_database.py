"""The database that ``g9603 billing`` works on. SQLAlchemy is imported where it is needed: a worker is without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.billing.refusals import BillingRefusedError, PositionTakenError
from streams.cli.console import ExitCode, fail
from streams.secret_text import read_secret
from streams.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def billing_database(settings: Settings) -> Iterator["Engine"]:
    """The billing database, or the end of the command with a sentence."""
    try:
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - a worker does not need it

        from streams.billing.engine import open_database  # noqa: PLC0415
    except ImportError:
        fail("The billing database needs more than a worker does: pip install 'g9603[billing]'", ExitCode.MISCONFIGURED)
    secret = read_secret(
        "G9603_BILLING_DATABASE", settings.billing_database, settings.billing_database_file, bytes_min=1
    )
    try:
        engine = open_database(secret.decode() if secret is not None else "")
        try:
            yield engine
        finally:
            engine.dispose()
    except BillingRefusedError as error:
        fail(str(error), ExitCode.MISCONFIGURED)
    except PositionTakenError as error:
        fail(str(error), ExitCode.DOUBT)
    except DBAPIError as error:  # its text shows what was to be written
        fail(f"The billing database does not take it ({type(error.orig).__name__}): start it again.", ExitCode.DOUBT)
