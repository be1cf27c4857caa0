"""Opens a billing database, SQLite or PostgreSQL, and brings its tables to the newest form."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from streams.billing.refusals import BillingRefusedError

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 9603
"""Of PostgreSQL's advisory locks: who starts first upgrades, the others wait."""
_BUSY_SECONDS_MAX = 30
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def open_database(url: str) -> Engine:
    """The database at *url*, with its tables in their newest form.

    Raises:
        BillingRefusedError: The URL is not one of SQLite or PostgreSQL.
        sqlalchemy.exc.OperationalError: It does not answer.
    """
    engine = _engine(url)
    with engine.begin() as connection:
        upgrade(connection)
    return engine


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to *revision*, in the transaction of *connection*."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _engine(url: str) -> Engine:
    try:
        given = make_url(url)
        engine = create_engine(given.set(drivername=_DRIVERS[given.drivername]))
    except (ArgumentError, KeyError, NoSuchModuleError):
        message = (
            "The billing database is sqlite:///FILE or postgresql://USER@HOST/NAME (the password may come from a "
            "~/.pgpass): set G9603_BILLING_DATABASE."
        )
        raise BillingRefusedError(message) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_to_write)
    return engine


def _leave_transactions_to_us(connection: DBAPIConnection, _record: object) -> None:
    # Python's driver begins by itself, too late for what has been read to be still true, and ends where DDL comes.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", f"busy_timeout = {_BUSY_SECONDS_MAX * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_to_write(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
